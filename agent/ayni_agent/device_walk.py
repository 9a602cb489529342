"""What `record`, `draft` and `try` share: walk a device politely, with a line that shows how far it is."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable

from ayni_io.i18n import _
from ayni_io.process import run_until_stopped
from ayni_io.snmp import SnmpReader
from ayni_io.snmp_errors import SnmpError
from ayni_io.snmp_walk import PoliteWalk

_LINE_S = 0.3
_LINE_WITHOUT_TERMINAL_S = 10.0


def add_walk_options(result: argparse.ArgumentParser) -> None:
    """How fast and how far to walk."""
    result.add_argument(
        "--rate", type=_between(0.1, 500), default=20.0, metavar="N",
        help=_("requests a second at most (default 20)"),
    )  # fmt: skip
    result.add_argument(
        "--most", type=_whole(1, 1_000_000), default=20_000, metavar="N",
        help=_("objects to read at most (default 20000)"),
    )  # fmt: skip
    result.add_argument(
        "--within", type=_between(1, 86_400), default=600.0, metavar="S",
        help=_("seconds the walk may take (default 600)"),
    )  # fmt: skip


class Walked:
    """What came of a walk: why it ended, if not because the device has no more."""

    def __init__(self, walk: PoliteWalk) -> None:
        self.walk = walk
        self.failure: SnmpError | None = None
        self.stopped = False

    def remark(self) -> str:
        """Why the walk is only a part of what the device has; "" if it is all."""
        if self.walk.complete:
            return ""
        if self.stopped:
            return _("stopped by Ctrl+C")
        if self.failure is not None:
            return str(self.failure)
        return _("more than --most or --within allow")


def walk_device(reader: SnmpReader, arguments: argparse.Namespace, root: bytes = b"") -> Walked:
    """Walk, showing progress on stderr; Ctrl+C ends the walk and keeps what was read."""
    walk = PoliteWalk(
        reader,
        version=arguments.version,
        tries=arguments.retries + 1,
        per_s=arguments.rate,
        most_objects=arguments.most,
        within_s=arguments.within,
    )
    walked = Walked(walk)
    run_until_stopped(_walk(walked, reader, root))
    return walked


async def _walk(walked: Walked, reader: SnmpReader, root: bytes) -> int:
    progress = Progress()
    try:
        await walked.walk.run(progress.show, root)
    except SnmpError as error:
        walked.failure = error
    except asyncio.CancelledError:
        walked.stopped = True
    finally:
        progress.end(len(walked.walk.objects), walked.walk.elapsed_s)
        reader.close()
    return 0


class Progress:
    """One line that is written over again; where there is no terminal, a line now and then."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._next_s = 0.0 if self._terminal else _LINE_WITHOUT_TERMINAL_S

    def show(self, objects: int, elapsed_s: float) -> None:
        """Say how far it is, not too often."""
        if elapsed_s < self._next_s:
            return
        self._next_s = elapsed_s + (_LINE_S if self._terminal else _LINE_WITHOUT_TERMINAL_S)
        self._write(objects, elapsed_s, last=False)

    def end(self, objects: int, elapsed_s: float) -> None:
        """The last word."""
        self._write(objects, elapsed_s, last=True)

    def _write(self, objects: int, elapsed_s: float, *, last: bool) -> None:
        line = _("{objects} objects, {seconds} s", objects=objects, seconds=f"{elapsed_s:.0f}")
        if self._terminal:
            print(f"\r{line}\033[K", end="\n" if last else "", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)


def _between(least: float, most: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        number = float(text)
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(
                _("must be from {least} to {most}", least=f"{least:g}", most=f"{most:g}")
            )
        return number

    return read


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(text)
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(_("must be from {least} to {most}", least=least, most=most))
        return number

    return read
