"""A terminal for programs under test: a pty (or a pipe) on one side, an emulated screen (pyte) on the other.

pyte leaves out three things that matter here, so `Terminal` does them: the alternate screen begins empty,
questions about modes are answered as a modern terminal answers them, and private sequences with `<`, which
pyte would print, are swallowed.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence

import pyte
from pyte.screens import Char

_ALTERNATE = re.compile(r"\x1b\[\?1049h")
_SWALLOWED = re.compile(r"\x1b\[[<>=][\d;]*[a-z]")
_ASKED_SYNC = "\x1b[?2026$p"
SYNC_ANSWER = b"\x1b[?2026;2$y"
"""`I can take frames as a whole`: costs 16 octets a frame, and most terminals of today say it."""
_UNFINISHED = re.compile(r"\x1b(\[[<>=?]?[\d;$]*)?$")


class Terminal:
    """An emulated screen. `feed` shows text; `answers` collects what the terminal itself says."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self.screen = pyte.Screen(columns, rows)
        self.answers: list[bytes] = []
        self._stream = pyte.Stream(self.screen)
        self._rest = ""

    def feed(self, text: str) -> None:
        """Show what a program wrote."""
        text = self._rest + text
        cut = _UNFINISHED.search(text)
        self._rest = text[cut.start() :] if cut else ""
        text = text[: cut.start()] if cut else text
        if _ASKED_SYNC in text:
            self.answers.append(SYNC_ANSWER)
        text = _SWALLOWED.sub("", _ALTERNATE.sub("\x1b[0m\x1b[2J\x1b[H", text))
        self._stream.feed(text)

    def resize(self, columns: int, rows: int) -> None:
        """Another size; what stood there is left as pyte leaves it, which is as bad as any terminal."""
        self.screen.resize(rows, columns)

    @property
    def lines(self) -> list[str]:
        """The text of the screen."""
        return list(self.screen.display)

    def cells(self) -> list[list[Char]]:
        """Every cell with its looks."""
        return [
            [self.screen.buffer[y][x] for x in range(self.screen.columns)] for y in range(self.screen.lines)
        ]


class Session:
    """A program that runs in a terminal of ours; `octets` counts what it wrote, `read_at` is when the last
    of it came, before the emulator took its time to show it.

    With `through` (the argument vector of a line, see slow_line.py) the program's terminal is at the far end
    of that line, and what is read and written here goes through it.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        environment: Mapping[str, str] | None = None,
        through: Sequence[str] = (),
    ) -> None:
        self.terminal = Terminal(columns, rows)
        self.octets = 0
        self.begun = self.read_at = time.monotonic()
        self._text = b""
        env = {
            **os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8",
            "LINES": "", "COLUMNS": "", **(environment or {}),
        }  # fmt: skip
        env = {name: value for name, value in env.items() if value}
        if through:
            far_in, self._in = os.pipe()
            self._out, far_out = os.pipe()
            self._line = subprocess.Popen([*through, *argv], stdin=far_in, stdout=far_out, env=env)
            os.close(far_in)
            os.close(far_out)
            self.pid = self._line.pid
        else:
            self.pid, self._in = in_pty(argv, env, columns, rows)
            self._out = self._in

    def pump(self, for_s: float) -> bytes:
        """What comes within so many seconds at most, shown; nothing when nothing comes, or it has ended."""
        ready, _w, _x = select.select([self._out], [], [], max(for_s, 0))
        if not ready:
            return b""
        try:
            found = os.read(self._out, 65_536)
        except OSError:
            return b""
        self.read_at = time.monotonic()
        self.octets += len(found)
        self._text += found
        text, self._text = whole(self._text)
        self.terminal.feed(text)
        for answer in self.terminal.answers:
            self.press(answer)
        self.terminal.answers.clear()
        return found

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self._in, keys)

    def until(self, there: Callable[[], bool], within_s: float) -> float | None:
        """Seconds until the screen is as wanted; None when it was not in time."""
        begun = time.monotonic()
        while not there():
            if time.monotonic() - begun > within_s:
                return None
            self.pump(0.05)
        return time.monotonic() - begun

    def calm(self, for_s: float, most_s: float = 30.0) -> None:
        """Show what comes until nothing came for so long."""
        end, quiet = time.monotonic() + most_s, time.monotonic() + for_s
        while time.monotonic() < min(quiet, end):
            if self.pump(0.05):
                quiet = time.monotonic() + for_s

    def resize(self, columns: int, rows: int) -> None:
        """Tell the program another size."""
        self.terminal.resize(columns, rows)
        fcntl.ioctl(self._in, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def end(self) -> None:
        """End the program."""
        try:
            os.kill(self.pid, signal.SIGTERM)
        except ProcessLookupError:
            return
        end = time.monotonic() + 5
        while time.monotonic() < end:
            self.pump(0.02)
            try:
                if os.waitpid(self.pid, os.WNOHANG)[0]:
                    break
            except ChildProcessError:
                break
        else:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        for each in {self._in, self._out}:
            os.close(each)


def in_pty(argv: Sequence[str], env: Mapping[str, str], columns: int, rows: int) -> tuple[int, int]:
    """Start a program in a terminal of its own: its process id, and our end of the terminal."""
    pid, master = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.execvpe(argv[0], list(argv), dict(env))
    return pid, master


def whole(octets: bytes) -> tuple[str, bytes]:
    """(what is complete in UTF-8, the begun character at the end)."""
    for cut in range(min(4, len(octets) + 1)):
        try:
            return octets[: len(octets) - cut].decode(), octets[len(octets) - cut :]
        except UnicodeDecodeError:
            continue
    return octets.decode(errors="replace"), b""
