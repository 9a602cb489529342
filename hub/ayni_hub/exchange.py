"""Samples for other programs and from them: CSV, and the line protocol of InfluxDB and VictoriaMetrics.

CSV has the columns time (RFC 3339, UTC), device, group, item, metric, value. A line is
`GROUP,device=…,item=… METRIC=VALUE TIME` with nanoseconds; whole numbers carry an `i`, texts stand in quotes
(docs.influxdata.com, "Line protocol"). Both read back as they were written.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TextIO

from ayni_core.metrics import METRICS
from ayni_core.readings import GROUPS, LARGEST, MAX_TEXT, Series, Value
from ayni_hub.store import Sample

FORMATS = ("csv", "lp")
_HEAD = ["time", "device", "group", "item", "metric", "value"]
_TAG = re.compile(r"([,= \\])")
_LINE = re.compile(
    r"(?P<group>[a-z]+),device=(?P<device>(?:\\.|[^,= \\])+)(?:,item=(?P<item>(?:\\.|[^,= \\])+))?"
    r' (?P<metric>[a-z0-9_]+)=(?P<value>-?[0-9][0-9.eE+-]*i?|"(?:\\.|[^"\\])*") (?P<at>-?[0-9]{1,19})'
)


class ExchangeError(ValueError):
    """A line that says no sample: where, and what was expected."""


def write_csv(samples: Iterable[Sample], out: TextIO) -> int:
    """Write samples as CSV; how many."""
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(_HEAD)
    count = 0
    for device, (group, item, metric), at, value in samples:
        time = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        rows.writerow([time, device, group, item, metric, value])
        count += 1
    return count


def write_lines(samples: Iterable[Sample], out: TextIO) -> int:
    """Write samples as line protocol; how many."""
    count = 0
    for device, (group, item, metric), at, value in samples:
        named = f"{group},device={_escaped(device)}" + (f",item={_escaped(item)}" if item else "")
        if isinstance(value, str):
            told = '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
        else:
            told = f"{value}i" if isinstance(value, int) else repr(value)
        out.write(f"{named} {metric}={told} {round(at * 1000) * 1_000_000}\n")
        count += 1
    return count


def read(lines: TextIO, source: str) -> Iterator[Sample]:
    """Samples out of a file of either kind. Raises `ExchangeError` with file and line."""
    first = lines.readline()
    if first.strip().split(",") == _HEAD:
        for number, row in enumerate(csv.reader(lines), start=2):
            if row:
                yield _from_row(row, f"{source}:{number}")
        return
    for number, line in enumerate((first, *lines), start=1):
        if line.strip() and not line.startswith("#"):
            yield _from_line(line.strip(), f"{source}:{number}")


def _from_row(row: list[str], where: str) -> Sample:
    if len(row) != len(_HEAD):
        raise ExchangeError(f"{where}: expected {len(_HEAD)} columns ({', '.join(_HEAD)}), got {len(row)}")
    time, device, group, item, metric, text = row
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        raise ExchangeError(f'{where}: "{time[:40]}" is no time such as 2026-01-31T12:00:00Z') from None
    if moment.tzinfo is None:
        raise ExchangeError(f'{where}: "{time[:40]}" does not say its time zone; expected a Z at its end')
    kind = METRICS[metric].kind if metric in METRICS else "gauge"
    return _sample(device, group, item, metric, moment.timestamp(), _value(text, kind, where), where)


def _value(text: str, kind: str, where: str) -> Value:
    if kind == "text":
        return text
    try:
        return int(text) if re.fullmatch(r"-?[0-9]+", text) else float(text)
    except ValueError:
        raise ExchangeError(f'{where}: "{text[:40]}" is no number') from None


def _from_line(line: str, where: str) -> Sample:
    match = _LINE.fullmatch(line)
    if match is None:
        raise ExchangeError(f"{where}: expected GROUP,device=…,item=… METRIC=VALUE NANOSECONDS")
    told = match["value"]
    value: Value
    if told.startswith('"'):
        value = re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], told[1:-1])
    else:
        value = _value(told.removesuffix("i"), "gauge", where)
    item = _plain(match["item"]) if match["item"] else ""
    at = int(match["at"]) / 1e9
    return _sample(_plain(match["device"]), match["group"], item, match["metric"], at, value, where)


def _sample(device: str, group: str, item: str, metric: str, at: float, value: Value, where: str) -> Sample:
    if group not in GROUPS:
        raise ExchangeError(f'{where}: unknown group "{group[:40]}"; known are {", ".join(GROUPS)}')
    if metric not in METRICS:
        raise ExchangeError(f'{where}: unknown metric "{metric[:40]}"')
    if isinstance(value, str):
        if METRICS[metric].kind != "text" or len(value) > MAX_TEXT:
            raise ExchangeError(f"{where}: {metric} is no text of at most {MAX_TEXT} characters")
    elif value is None or not abs(value) < LARGEST:
        raise ExchangeError(f"{where}: a number must be finite and below 2^64")
    return device, Series(group, item, metric), at, value


def _escaped(text: str) -> str:
    return _TAG.sub(r"\\\1", text)


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
