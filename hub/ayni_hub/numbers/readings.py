"""The last readings of all devices, metric by metric: what still holds, and nothing that only looks fresh.

A reading vanishes when its monitor is late, when its device stopped answering, and when its device answers
but no longer gives it. Half a million of them fit into three lists of pointers a metric; texts of labels are
made line by line while the page is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ayni_core.metrics import METRICS, Metric
from ayni_core.readings import NEIGHBOURS, Series, Value
from ayni_core.wire.frame import ANSWERED
from ayni_hub.numbers.exposition import Family, Rows, escaped, labels

_SLOW_S, _NEIGHBOURS_S = 3600.0, 2 * 3600.0
"""Some readings are asked for at every few polls only, neighbours once an hour."""
_EVERY_POLL = ("station", "ping")
"""Groups whose items come and go: what the newest poll does not bring is not there any more."""
_UNITS = frozenset(
    ("a", "bps", "bytes", "c", "cfm", "db", "dbm", "deg", "h", "hz", "kpa", "kw", "kwh", "m", "mhz", "min",
     "ms", "octets", "pct", "rpm", "s", "v", "va", "w")
)  # fmt: skip
_TOO_SOON_S = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """What is known of one device at a moment. `full_at` is its last poll that brought more than an answer;
    `silent`: it stopped answering."""

    site: str
    node: str
    device: str
    values: dict[Series, tuple[float, Value]]
    full_at: float
    silent: bool


@dataclass(slots=True)
class _Columns:
    where: list[str]
    series: list[Series]
    values: list[int | float]


def holding(last: Last) -> Iterator[tuple[Series, int | float]]:
    """The numbers of a device that still hold."""
    recent = last.full_at - _TOO_SOON_S
    slow, neighbours = last.full_at - _SLOW_S, last.full_at - _NEIGHBOURS_S
    for series, (at, value) in last.values.items():
        if type(value) is not int and type(value) is not float:
            continue
        if series != ANSWERED:
            if last.silent:
                continue
            group = series.group
            if at < recent and at < (
                recent if group in _EVERY_POLL else neighbours if group == NEIGHBOURS.group else slow
            ):
                continue
        yield series, value


def families(devices: Iterable[Last]) -> list[tuple[Family, Rows]]:
    """All numbers of devices whose monitors report, by metric in the order of their names."""
    columns: dict[str, _Columns] = {}
    for last in devices:
        where = labels(site=last.site, node=last.node, device=last.device)
        for series, value in holding(last):
            column = columns.get(series.metric)
            if column is None:
                column = columns[series.metric] = _Columns([], [], [])
            column.where.append(where)
            column.series.append(series)
            column.values.append(value)
    return [
        (family_of(METRICS[name]), _rows(columns[name]))
        for name in sorted(columns)
        if name in METRICS and not METRICS[name].private
    ]


def family_of(metric: Metric) -> Family:
    """A metric of the glossary as a family: the same name, with its unit and what its states mean."""
    kind = "counter" if metric.kind == "counter" else "gauge"
    unit = metric.name.rpartition("_")[2] if metric.unit else ""
    states = ", ".join(f"{number} {word}" for number, word in metric.states.items())
    return Family(
        name=f"ayni_{metric.name}",
        kind=kind,
        help=f"{metric.meaning}: {states}" if states else metric.meaning,
        unit=unit if unit in _UNITS else "",
    )


def _rows(columns: _Columns) -> Iterator[tuple[str, int | float]]:
    tails: dict[tuple[str, str], str] = {}
    for where, series, value in zip(columns.where, columns.series, columns.values, strict=True):
        key = (series.group, series.item)
        tail = tails.get(key)
        if tail is None:
            if len(tails) > 1000:  # names of stations are endless
                tails.clear()
            item = f',item="{escaped(series.item)}"' if series.item else ""
            tail = tails[key] = f',group="{escaped(series.group)}"{item}'
        yield where + tail, value
