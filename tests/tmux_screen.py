"""A real terminal for the real program: tmux, with keys going in and the screen coming out as text."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import parts
import pytest


class Screen:
    """One program in a terminal of its own. What is waited for is looked for every tenth of a second."""

    def __init__(self, socket: str) -> None:
        self._socket = socket

    def press(self, *keys: str) -> None:
        """Keys as tmux names them: `Enter`, `Escape`, `C-q`, `Down`; a letter is itself."""
        self._tmux("send-keys", "-t", "run", *keys)

    def type(self, text: str, *, enter: bool = True) -> None:
        """A text, letter by letter."""
        self._tmux("send-keys", "-t", "run", "-l", text)
        if enter:
            self.press("Enter")

    def text(self) -> str:
        """What the screen shows; empty once the program and its terminal are gone."""
        return self._tmux("capture-pane", "-p", "-t", "run").stdout

    def lines(self) -> list[str]:
        """What the screen shows, line by line."""
        return self.text().splitlines()

    def resize(self, columns: int, rows: int) -> None:
        """Another size of the terminal; tmux may keep it to itself for a while, so it is told again until the
        program's terminal has it."""
        tty = self._tmux("display-message", "-p", "-t", "run", "#{pane_tty}").stdout.strip()
        end = time.monotonic() + 30
        while True:
            self._tmux("resize-window", "-t", "run", "-x", str(columns), "-y", str(rows))
            handle = os.open(tty, os.O_RDONLY | os.O_NOCTTY)
            try:
                size = os.get_terminal_size(handle)
            finally:
                os.close(handle)
            if size == (columns, rows):
                return
            if time.monotonic() > end:
                pytest.fail(f"tmux kept its terminal at {size.columns}x{size.lines}")
            time.sleep(0.3)

    def wait(self, wanted: str | Callable[[str], bool], *, within_s: float = 60.0) -> str:
        """Until the screen shows a text (a regular expression) or fits; the screen then. Fails otherwise."""
        fits = wanted if callable(wanted) else lambda shown: re.search(wanted, shown) is not None
        end = time.monotonic() + within_s
        while True:
            shown = self.text()
            if fits(shown):
                return shown
            if time.monotonic() > end:
                pytest.fail(f"the screen never showed {wanted!r} in {within_s:g} s; it shows:\n{shown}")
            time.sleep(0.1)

    def still(self, wanted: Callable[[str], bool], seen: Callable[[str], object]) -> str:
        """Until the screen fits, and what is looked at in it stays the same for a second; the screen then."""
        last: list[object] = []

        def fits(shown: str) -> bool:
            last.append(seen(shown))
            return wanted(shown) and last[-10:] == [last[-1]] * 10

        return self.wait(fits)

    def pid(self) -> int:
        """The process that was started."""
        return int(self._tmux("display-message", "-p", "-t", "run", "#{pane_pid}").stdout)

    def ended(self) -> bool:
        """Whether the program has ended."""
        return self._tmux("display-message", "-p", "-t", "run", "#{pane_dead}").stdout.strip() != "0"

    def _tmux(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = ["tmux", "-L", self._socket, *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)

    @classmethod
    @contextlib.contextmanager
    def running(
        cls,
        command: Sequence[str],
        folder: Path,
        *,
        size: tuple[int, int] = (80, 24),
        environment: Mapping[str, str] | None = None,
    ) -> Iterator[Screen]:
        """A program in a terminal, with nothing of this machine's settings; its end is waited for."""
        parts.need("tmux")
        socket = f"ayni-{secrets.token_hex(6)}"
        own = {
            "HOME": str(folder), "XDG_CONFIG_HOME": "", "XDG_DATA_HOME": "", "XDG_STATE_HOME": "",
            "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "AYNI_LANG": "en", "AYNI_PASSWORD": "", "NO_COLOR": "",
            **(environment or {}),
        }  # fmt: skip
        sizes = [
            "-u",
            "COLUMNS",
            "-u",
            "LINES",
        ]  # a worker of xdist has them: what is started would believe them
        words = ["env", *sizes, *(f"{name}={value}" for name, value in own.items()), *command]
        screen = cls(socket)
        columns, rows = size
        start = [
            "tmux", "-L", socket, "-f", "/dev/null", "new-session", "-d", "-s", "run",
            "-x", str(columns), "-y", str(rows), "-c", str(folder), shlex.join(words),
            ";", "set-option", "-t", "run", "remain-on-exit", "on",
            ";", "set-option", "-s", "escape-time", "10",
        ]  # fmt: skip
        subprocess.run(start, check=True, timeout=20, env={**os.environ, "TERM": "xterm-256color"})
        try:
            yield screen
        finally:
            screen._tmux("kill-server")
