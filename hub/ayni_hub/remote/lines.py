"""Samples as line protocol: `GROUP,device=…,item=… METRIC=VALUE,… MILLISECONDS`.

Every value is a float for the server, because InfluxDB refuses a field that was whole before, and
VictoriaMetrics knows nothing else. A text travels as a number that is made of it; what it stands for is
written down here (`Spool`). Characters that the two servers read differently, or not at all in a tag, stand
as %XX of their UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from urllib.parse import unquote_to_bytes

from ayni_core.readings import Series, Value
from ayni_core.wire.frame import DevicePolls

_ODD = re.compile("[%\\\\\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")
_SPECIAL = re.compile("([,= ])")
TICK_MS = 10
"""Times are hundredths of a second; servers count milliseconds."""


def number_of(text: str) -> int:
    """The number that a text travels as: 52 bits, which a double holds exactly."""
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=7).digest(), "big") >> 4


def label(item: str) -> str:
    """An item's name as the servers keep it."""
    return _ODD.sub(_percent, item)


def item_of(label: str) -> str:
    """The same back."""
    if "%" not in label:
        return label
    return unquote_to_bytes(label).decode("utf-8", "surrogatepass")


def lines_of(device: str, polls: DevicePolls, start: int, tags: str = "") -> Iterator[str]:
    """The polls of a device, which begin at tick `start`; `tags` is put into each line."""
    times = [str((start + round(at_s * 100)) * TICK_MS) for at_s in polls.times_s]
    places: dict[tuple[str, str], list[tuple[str, list[str]]]] = {}
    for (group, item, metric), column in polls.values.items():
        told = ["" if value is None else f"{metric}={_told(value)}" for value in column]
        places.setdefault((group, item), []).append((metric, told))
    for (group, item), columns in places.items():
        head = _head(group, item, device, tags)
        for at, time in enumerate(times):
            fields = ",".join([told[at] for _metric, told in columns if told[at]])
            if fields:
                yield f"{head} {fields} {time}"


def line_of(device: str, series: Series, tick: int, value: Value, tags: str = "") -> str:
    """One sample."""
    group, item, metric = series
    return f"{_head(group, item, device, tags)} {metric}={_told(value)} {tick * TICK_MS}"


def how_many(polls: DevicePolls) -> int:
    """How many samples the server has of these polls: of two at the same time it keeps one."""
    ticks = [round(at_s * 100) for at_s in polls.times_s]
    columns = polls.values.values()
    if len(set(ticks)) == len(ticks):
        return sum(len(column) - column.count(None) for column in columns)
    return sum(
        len({tick for tick, value in zip(ticks, column, strict=True) if value is not None})
        for column in columns
    )


def texts_of(columns: Iterable[Iterable[Value]]) -> set[str]:
    """Every text in them."""
    return {value for column in columns for value in column if isinstance(value, str)}


def _head(group: str, item: str, device: str, tags: str) -> str:
    where = f",item={_SPECIAL.sub(_escaped, label(item))}" if item else ""
    return f"{group}{tags},device={device}{where}"


def _told(value: Value) -> str:
    return str(number_of(value)) if isinstance(value, str) else repr(value)


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogatepass"))


def _escaped(found: re.Match[str]) -> str:
    return "\\" + found[0]
