"""What a device said last, for whoever looks at it; of counters also how fast they run.

The judge knows the newest value alone. The one before is in the store: a counter of a watched device may be
ahead of it by the minutes that frames take, then its rate is the mean of those.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ayni_core.lastknown import DeviceKnown
from ayni_core.metrics import METRICS
from ayni_core.rates import rate, restarted
from ayni_core.readings import UPTIME, Series, Value
from ayni_core.wire.questions import Reading
from ayni_hub.store import Store, is_far

Known = tuple[float, Value]
"""(time, newest value)"""
_LEAST_BACK_S = 900.0
_POLLS_BACK = 3.0
_SAME_S = 0.5
"""Stores keep times less exactly than polls have them."""
_MOST, _MOST_FAR = 400, 40
"""Counters of one device that are looked up: a switch of 48 ports has about so many that matter. Where each
takes a way over the network, fewer: somebody waits for the readings."""
_FIRST = ("in_octets", "out_octets", "in_errors", "out_errors")


def readings(
    known: DeviceKnown, groups: Collection[str] = (), per_s: Mapping[Series, float] | None = None
) -> tuple[Reading, ...]:
    """The newest values, in the order of their names."""
    wanted = (each for each in known.values.items() if not groups or each[0].group in groups)
    running = per_s or {}
    return tuple(
        Reading(
            group=series.group,
            item=series.item,
            metric=series.metric,
            value=value,
            at=round(at, 2),
            per_s=running.get(series),
        )
        for series, (at, value) in sorted(wanted, key=lambda each: each[0])
    )


def rates_of(
    store: Store, device: str, values: Mapping[Series, Known], groups: Collection[str], poll_s: float
) -> dict[Series, float]:
    """How much counters grow a second, where that can be said. Raises `StoreError`."""
    back_s = max(_LEAST_BACK_S, _POLLS_BACK * poll_s)
    counters = [
        (series, at, value)
        for series, (at, value) in values.items()
        if isinstance(value, int | float) and _counts(series) and (not groups or series.group in groups)
    ]
    counters.sort(key=lambda each: (each[0].metric not in _FIRST, each[0]))
    rebooted_at = _restarted_at(store, device, values, back_s)
    found: dict[Series, float] = {}
    for series, at, value in counters[: _MOST_FAR if is_far(store) else _MOST]:
        before = store.raw(device, series, at - back_s, at - _SAME_S)
        if before:
            gone = rebooted_at is not None and before[-1][0] < rebooted_at <= at
            per_s = rate(before[-1], (at, float(value)), max_gap_s=back_s, rebooted=gone)
            if per_s is not None:
                found[series] = round(per_s, 3)
    return found


def _counts(series: Series) -> bool:
    entry = METRICS.get(series.metric)
    return entry is not None and entry.kind == "counter"


def _restarted_at(store: Store, device: str, values: Mapping[Series, Known], back_s: float) -> float | None:
    """When the device restarted, if that was between its newest uptime and the one before."""
    at, uptime = values.get(UPTIME, (0.0, None))
    if not isinstance(uptime, int | float):
        return None
    before = store.raw(device, UPTIME, at - back_s, at - _SAME_S)
    return at - uptime if before and restarted(before[-1], (at, float(uptime))) else None
