"""Questions to a store that are more than one series: rates, gaps, and who is first.

They need nothing but the port, so every store answers them alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise

from ayni_core.metrics import METRICS
from ayni_core.rates import rates, reboots
from ayni_core.readings import UPTIME, Series
from ayni_core.wire.frame import ANSWERED
from ayni_hub.store import Store

MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A series with its least, mean and largest value in a span; of a counter its rate a second."""

    device: str
    series: Series
    low: float
    mean: float
    high: float


def rate(
    store: Store, device: str, series: Series, start: float, end: float, *, max_gap_s: float
) -> list[tuple[float, float]]:
    """(time, units a second) of a counter, `start` <= time < `end`: wraps counted, resets, restarts of the
    device and gaps longer than `max_gap_s` left out. Raises `StoreError`."""
    early = start - max_gap_s  # the first rate needs the sample before it
    restarts = list(reboots(store.raw(device, UPTIME, early, end)))
    found = rates(store.raw(device, series, early, end), max_gap_s=max_gap_s, reboots=restarts)
    return [(at, value) for at, value in found if at >= start]


def gaps(
    store: Store, device: str, start: float, end: float, *, longest_s: float, series: Series = ANSWERED
) -> list[tuple[float, float]]:
    """(begin, end) of every span without a sample that is longer than `longest_s`, those at the edges too: by
    default, when nobody asked the device. Raises `StoreError`."""
    times = (at for at, _value in store.values(device, series, start, end))
    return [(one, two) for one, two in pairwise(chain((start,), times, (end,))) if two - one > longest_s]


def top(
    store: Store,
    metric: str,
    start: float,
    end: float,
    *,
    most: int = 10,
    least_first: bool = False,
    group: str | None = None,
    devices: Iterable[str] | None = None,
) -> list[Placed]:
    """The series of a metric with the largest mean in a span, or the smallest; of at most MOST. Raises
    `StoreError`, and `ValueError` for a metric that is none or has no order."""
    known = METRICS.get(metric)
    if known is None or known.kind == "text":
        raise ValueError(f"{metric} is no number that can be compared")
    found = list(_placed(store, metric, start, end, group, devices))
    found.sort(key=lambda each: (each.mean if least_first else -each.mean, each.device, each.series))
    return found[: max(1, min(most, MOST))]


def _placed(
    store: Store, metric: str, start: float, end: float, group: str | None, devices: Iterable[str] | None
) -> Iterator[Placed]:
    for device in store.devices() if devices is None else devices:
        for series in list(store.names(device)):
            if series.metric != metric or group not in (None, series.group):
                continue
            for step in store.steps(device, series, start, end, end - start):
                yield Placed(device=device, series=series, low=step.low, mean=step.mean, high=step.high)
                break
