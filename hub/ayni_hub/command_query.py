"""`ayni hub query latest|history|rate|gaps|top`: what the store knows, as a table or as JSON.

Reads beside a running central.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from ayni_core.readings import Series
from ayni_core.schema import ConfigError
from ayni_hub import places, queries
from ayni_hub.store import Store, StoreError
from ayni_io.i18n import _
from ayni_io.usage import Parser

_LAST = re.compile(r"(\d+(?:\.\d+)?)\s*(min|h|d)")
_UNITS_S = {"min": 60.0, "h": 3600.0, "d": 86_400.0}
_GAP_S = 900.0
Row = dict[str, Any]


def parser() -> argparse.ArgumentParser:
    """The options of `ayni hub query`."""
    result = Parser(
        prog="ayni hub query", description=_("Ask what the central has stored; it may run meanwhile.")
    )
    kinds = result.add_subparsers(dest="kind", required=True, metavar="WHAT")
    latest = _kind(kinds, "latest", _("the newest value of everything of a device"), spanned=False)
    latest.add_argument("device", metavar="DEVICE")
    history = _kind(kinds, "history", _("least, mean and largest value of a series, step by step"))
    rate = _kind(kinds, "rate", _("what a counter counted in a second"))
    for each in (history, rate):
        each.add_argument("device", metavar="DEVICE")
        each.add_argument(
            "series", type=_series, metavar="GROUP/ITEM/METRIC", help=_("such as radio/wlan0/signal_dbm")
        )
    history.add_argument("--step", type=_seconds, default=3600.0, metavar="SPAN", help=_("such as 5min, 1h"))
    gaps = _kind(kinds, "gaps", _("when nobody asked a device"))
    gaps.add_argument("device", metavar="DEVICE")
    gaps.add_argument(
        "--longer-than", type=_seconds, default=600.0, metavar="SPAN", help=_("such as 10min (default)")
    )
    top = _kind(kinds, "top", _("the devices where a metric is largest in the mean"))
    top.add_argument("metric", metavar="METRIC", help=_("such as cpu_pct; counters go by their rate"))
    top.add_argument("--most", type=int, default=10, metavar="N", help=_("so many (default: 10)"))
    top.add_argument("--smallest", action="store_true", help=_("the smallest instead"))
    return result


def _kind(kinds: Any, name: str, about: str, *, spanned: bool = True) -> argparse.ArgumentParser:
    result: argparse.ArgumentParser = kinds.add_parser(name, help=about, description=about)
    places.add(result)
    result.add_argument("--json", action="store_true", help=_("one JSON list and nothing else"))
    if spanned:
        result.add_argument(
            "--last", type=_seconds, default=86_400.0, metavar="SPAN", help=_("such as 6h, 30d (default: 1d)")
        )
        result.add_argument(
            "--to", type=places.moment, metavar="DATE", help=_("up to this moment (default: now)")
        )
    return result


def main(argv: Sequence[str]) -> int:
    """Answer one question."""
    options = parser().parse_args(argv)
    try:
        with contextlib.closing(places.open_store(places.of(options))) as store:
            rows = list(_ask(store, options, time.time()))
    except (StoreError, OSError) as error:
        print(f"ayni hub query: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(rows, ensure_ascii=False))
    else:
        _show(rows)
    return 0


def _ask(store: Store, options: argparse.Namespace, now: float) -> Iterator[Row]:
    device: str = getattr(options, "device", "")
    if device and device not in store.devices():
        raise ConfigError([_("{device}: nothing is kept of it", device=device)])
    if options.kind == "latest":
        for series, at, value in store.latest(options.device):
            yield {"series": _written(series), "value": value, "at": at}
        return
    end = now if options.to is None else options.to
    start = end - options.last
    match options.kind:
        case "history":
            for step in store.steps(device, options.series, start, end, options.step):
                yield {"at": step.at, "low": step.low, "mean": step.mean, "high": step.high}
        case "rate":
            for at, value in queries.rate(store, device, options.series, start, end, max_gap_s=_GAP_S):
                yield {"at": at, "per_s": value}
        case "gaps":
            for begin, stop in queries.gaps(store, device, start, end, longest_s=options.longer_than):
                yield {"at": begin, "until": stop, "s": round(stop - begin)}
        case _:
            yield from _top(store, options, start, end)


def _top(store: Store, options: argparse.Namespace, start: float, end: float) -> Iterator[Row]:
    try:
        found = queries.top(
            store, options.metric, start, end, most=options.most, least_first=options.smallest
        )
    except ValueError:
        raise ConfigError([_("{metric}: no metric that can be compared", metric=options.metric)]) from None
    for each in found:
        yield {
            "device": each.device, "series": _written(each.series),
            "low": each.low, "mean": each.mean, "high": each.high,
        }  # fmt: skip


def _show(rows: Sequence[Row]) -> None:
    if not rows:
        print(_("nothing"))
        return
    cells = [[_cell(key, value) for key, value in row.items()] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for row in cells:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(key: str, value: Any) -> str:
    if key in ("at", "until"):
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _written(series: Series) -> str:
    return "/".join(series)


def _series(text: str) -> Series:
    """`ValueError` is for argparse to tell, here and below."""
    group, _slash, rest = text.partition("/")
    item, slash, metric = rest.rpartition("/")
    if not slash:
        raise ValueError
    return Series(group, item, metric)


def _seconds(text: str) -> float:
    match = _LAST.fullmatch(text.strip())
    if match is None or not float(match[1]):
        raise ValueError
    return float(match[1]) * _UNITS_S[match[2]]
