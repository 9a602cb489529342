"""`ayni hub check|export|import`: what is stored, looked through and handed on."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TextIO

from ayni_core.schema import ConfigError
from ayni_hub import exchange, places
from ayni_hub.embedded import inspection
from ayni_hub.exchange import ExchangeError
from ayni_hub.store import Sample, Store, StoreError
from ayni_io.i18n import _, _n
from ayni_io.progress import Progress
from ayni_io.usage import Parser

_AT_ONCE = 50_000


def _parser(name: str, about: str) -> argparse.ArgumentParser:
    result = Parser(prog=f"ayni hub {name}", description=about)
    places.add(result)
    return result


def check_parser() -> argparse.ArgumentParser:
    """The options of `ayni hub check`."""
    result = _parser("check", _("Read everything that is stored once, and say what cannot be read."))
    result.add_argument(
        "--repair", action="store_true", help=_("save what can be read; the central must be stopped")
    )
    return result


def check_main(argv: Sequence[str]) -> int:
    """Look whether the store can be read; 1 where it cannot."""
    options = check_parser().parse_args(argv)
    path = places.of(options).data_dir / places.STORE
    try:
        with Progress(_("Looking")) as progress:
            report = inspection.look(path, progress)
        for fault in report.faults:
            print(fault)
        if report.more:
            print(_n("and one more fault", "and {n} more faults", report.more))
        if report.faults and options.repair:
            kept, lost = inspection.repair(path)
            print(_n("{n} row saved", "{n} rows saved", kept))
            print(_n("{n} row lost", "{n} rows lost", lost))
            return 0
    except StoreError as error:
        return _failed("check", error)
    if report.faults:
        print(_("Stop the central, then: ayni hub check --repair"))
        return 1
    print(
        _(
            "{path}: all is well: {polls} polls in {blocks} blocks, {frames} reports",
            path=path, polls=report.polls, blocks=report.blocks, frames=report.frames,
        )
    )  # fmt: skip
    return 0


def export_parser() -> argparse.ArgumentParser:
    """The options of `ayni hub export`."""
    result = _parser("export", _("Write what was measured, for other programs."))
    result.add_argument("device", nargs="*", metavar="DEVICE", help=_("only these (default: all)"))
    result.add_argument("--format", choices=exchange.FORMATS, default="csv", help=_("csv, or line protocol"))
    result.add_argument(
        "--from", dest="start", type=places.moment, default=0.0, metavar="DATE", help=_("such as 2026-01-31")
    )
    result.add_argument(
        "--to", dest="end", type=places.moment, default=4e9, metavar="DATE", help=_("up to this day")
    )
    result.add_argument("-o", dest="out", type=Path, metavar="FILE", help=_("where to (default: here)"))
    return result


def export_main(argv: Sequence[str]) -> int:
    """Write samples to a file or standard output."""
    options = export_parser().parse_args(argv)
    try:
        with contextlib.closing(places.open_store(places.of(options))) as store:
            unknown = sorted(set(options.device) - set(store.devices()))
            if unknown:
                raise ConfigError([_("{device}: nothing is kept of it", device=unknown[0])])
            samples = _samples(store, options.device or store.devices(), options.start, options.end)
            write = exchange.write_csv if options.format == "csv" else exchange.write_lines
            with _output(options.out) as out:
                count = write(samples, out)
    except (StoreError, OSError) as error:
        return _failed("export", error)
    print(_n("{n} sample", "{n} samples", count), file=sys.stderr)
    return 0


def import_parser() -> argparse.ArgumentParser:
    """The options of `ayni hub import`."""
    result = _parser("import", _("Take in what `ayni hub export` wrote; the central must be stopped."))
    result.add_argument("file", type=Path, metavar="FILE")
    return result


def import_main(argv: Sequence[str]) -> int:
    """Take samples from a file; the same sample twice is one."""
    options = import_parser().parse_args(argv)
    count = 0
    try:
        with (
            contextlib.closing(places.open_store(places.of(options))) as store,
            options.file.open(encoding="utf-8") as lines,
        ):
            for _sample in exchange.read(lines, str(options.file)):
                pass  # all of it can be read before anything is written
            lines.seek(0)
            samples = exchange.read(lines, str(options.file))
            while part := list(islice(samples, _AT_ONCE)):
                count += store.write(part)
            while store.upkeep(time.time()):
                pass
    except (StoreError, ExchangeError, OSError, UnicodeDecodeError) as error:
        return _failed("import", error)
    print(_n("{n} sample", "{n} samples", count))
    return 0


def _samples(store: Store, devices: Sequence[str], start: float, end: float) -> Iterator[Sample]:
    for device in devices:
        for series in sorted(store.names(device)):
            for at, value in store.values(device, series, start, end):
                yield device, series, at, value


@contextlib.contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    with path.open("w", encoding="utf-8", newline="") as out:
        yield out


def _failed(what: str, error: Exception) -> int:
    print(f"ayni hub {what}: {error}", file=sys.stderr)
    return 1
