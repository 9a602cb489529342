"""`ayni agent status`: how the monitor on this machine is, also while it is cut off. Exit status: 0 all is
well, 1 something needs you, 2 no answer from the agent."""

from __future__ import annotations

import argparse
import dataclasses
import grp
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ayni_agent import status_ask, status_view
from ayni_agent.status import DEFAULT_SOCKET, SOCKET, Status
from ayni_agent.status_ask import StatusError
from ayni_io import i18n
from ayni_io.i18n import LANGUAGES, _, say
from ayni_io.usage import Parser

EVERY_S = 2.0
_WIDTH = 80


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = Parser(
        prog="ayni agent status",
        description=_("How the monitor on this machine is; it needs no network."),
        epilog=_("Exit status: 0 all is well, 1 something needs you, 2 the monitor does not answer."),
    )
    where = made.add_mutually_exclusive_group()
    where.add_argument(
        "--config", type=Path, metavar="FILE", help=_("the agent.yaml that names its runtime_dir")
    )
    where.add_argument(
        "--socket", type=Path, metavar="PATH",
        help=_("its socket (default: {path})", path=DEFAULT_SOCKET),
    )  # fmt: skip
    made.add_argument("--watch", action="store_true", help=_("show it anew every 2 s, until Ctrl+C"))
    made.add_argument("--json", action="store_true", help=_("one JSON object; with --watch one a line"))
    made.add_argument("--all", action="store_true", help=_("every alarm and device, however long it gets"))
    made.add_argument(
        "--ascii", action="store_true", help=_("only letters and signs that every terminal has")
    )
    made.add_argument("--language", choices=sorted(LANGUAGES), help=_("language of the words"))
    return made


def main(argv: Sequence[str]) -> int:
    """Show it once, or until Ctrl+C."""
    arguments = parser().parse_args(argv)
    if arguments.language:
        i18n.use(arguments.language)
    path = _socket(arguments)
    shown = _Shown(arguments)
    if not arguments.watch:
        return _once(path, shown)
    try:
        while True:
            _again(path, shown)
            time.sleep(EVERY_S)
    except KeyboardInterrupt:
        return 0
    finally:
        shown.leave()


def _socket(arguments: argparse.Namespace) -> Path:
    """Where the socket is. Raises `ConfigError`."""
    if arguments.socket is not None:
        return Path(arguments.socket)
    if arguments.config is not None:
        from ayni_agent import config as agent_config

        folder = agent_config.load(arguments.config).runtime_dir
        if folder is not None:
            return folder / SOCKET
    return DEFAULT_SOCKET


def _once(path: Path, shown: _Shown) -> int:
    try:
        status = status_ask.ask(path)
    except StatusError as error:
        print(sentence(error, path), file=sys.stderr)
        return 2
    shown.show(status)
    return 1 if needs_somebody(status) else 0


def _again(path: Path, shown: _Shown) -> None:
    try:
        shown.show(status_ask.ask(path))
    except StatusError as error:
        shown.say(sentence(error, path))


def sentence(error: StatusError, path: Path) -> str:
    """Why there is nothing to show, and what to do about it."""
    match error.kind:
        case "absent":
            return _(
                "No monitor runs here, or it keeps its socket elsewhere: there is no {path}. "
                "--config or --socket tells where.",
                path=path,
            )
        case "dead":
            return _("The monitor is not running: nobody listens at {path}.", path=path)
        case "denied":
            return _(
                'You may not ask the monitor at {path}. Be a member of its group "{group}", or use sudo.',
                path=path,
                group=_group(path),
            )
        case "hangs":
            return _("The monitor at {path} does not answer: it hangs, or has too much to do.", path=path)
    return _("What listens at {path} gave no status: {detail}", path=path, detail=error.detail)


def _group(path: Path) -> str:
    """The group that may ask: that of the socket, or of the first folder on the way that can be looked at."""
    for each in (path, *path.parents):
        try:
            number = each.stat().st_gid
        except OSError:
            continue
        try:
            return grp.getgrgid(number).gr_name
        except KeyError:
            return str(number)
    return "?"


def needs_somebody(status: Status) -> bool:
    """Whether something is not as it should be."""
    return bool(
        status.alarms
        or any(device.state == "silent" for device in status.devices)
        or not (status.hub.connected and status.hub.state == "ready")
        or status.hub.problem
        or status.outbox.trouble not in ("", "none")
    )


class _Shown:
    """What stands on the terminal, line by line: only what changed is sent again."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._json, self._all, self._watch = arguments.json, arguments.all, arguments.watch
        terminal = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._in_place = self._watch and terminal and not self._json
        self._fits = terminal and not self._all
        self._colour = terminal and not os.environ.get("NO_COLOR")
        self._ascii = arguments.ascii or not _writes("●█…")
        self._before: list[str] = []
        self._size = (0, 0)

    def show(self, status: Status) -> None:
        """A status."""
        if self._json:
            print(json.dumps(as_json(status), ensure_ascii=False), flush=True)
            return
        width, height = self._measure()
        fits = self._fits or self._in_place
        shown = status_view.lines(status, width, height - 1 if fits else None)
        self._put(status_view.screen(shown, colour=self._colour, ascii_only=self._ascii))

    def say(self, words: str) -> None:
        """A sentence instead of a status."""
        if self._json:
            print(json.dumps({"error": words}, ensure_ascii=False), flush=True)
        else:
            self._put([words])

    def leave(self) -> None:
        """Leave the terminal as it should be."""
        if self._in_place:
            sys.stdout.write(f"\x1b[{len(self._before) + 1};1H\x1b[?25h\n")
            sys.stdout.flush()

    def _measure(self) -> tuple[int, int]:
        width, height = shutil.get_terminal_size((_WIDTH, 24))
        return max(width, 40), max(height, 10)

    def _put(self, words: list[str]) -> None:
        if not self._in_place:
            print("\n".join(words) + ("\n" if self._watch else ""), flush=True)
            return
        size = self._measure()
        sent = ""
        if size != self._size:
            self._size, self._before = size, []
            sent = "\x1b[?25l\x1b[H\x1b[2J"
        for row in range(max(len(words), len(self._before))):
            now = words[row] if row < len(words) else ""
            if row >= len(self._before) or self._before[row] != now:
                sent += f"\x1b[{row + 1};1H{now}\x1b[K"
        self._before = words
        sys.stdout.write(sent)
        sys.stdout.flush()


def _writes(signs: str) -> bool:
    try:
        signs.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def as_json(status: Status) -> dict[str, object]:
    """The same for programs."""
    plain = dataclasses.asdict(status)
    plain["alarms"] = [{**dataclasses.asdict(alarm), "text": say(alarm.text)} for alarm in status.alarms]
    return plain
