"""Rates of counters over long times: by the same law as everywhere (`ayni_core.rates`), from samples.

No server knows that law: to VictoriaMetrics and InfluxDB a 32-bit counter that wraps is one that was set to
0, and a gap is something to draw a line across. So a day is read once, summed up in steps of five minutes as
the embedded store does, and kept. A day that samples come for later is read again; so is one that may not be
over yet.
"""

from __future__ import annotations

import contextlib
from bisect import bisect_left
from collections.abc import Iterator

from ayni_core.columns import ColumnError
from ayni_core.rates import rates, reboots
from ayni_core.readings import UPTIME, Series
from ayni_hub.embedded.rollups import DAY_S, SLOT_S, SLOTS, Slots, joined, pack, regrouped, summed, unpack
from ayni_hub.embedded.tail import ticks
from ayni_hub.remote.history import History
from ayni_hub.remote.spool import Spool

_MOST_DAYS = 31
"""Read at once."""
_MANY_DAYS = 800
"""Over more it is worth asking when the first sample is."""
_DAY = DAY_S * 100
_LATE_S = 3600.0


class Counters:
    """May be used by several threads. Raises `StoreError`."""

    def __init__(self, spool: Spool, history: History, gap_s: float) -> None:
        self._spool = spool
        self._history = history
        self._gap_s = gap_s

    def rates(self, device: str, series: Series, start: float, end: float) -> tuple[list[float], list[float]]:
        """Times and rates a second."""
        found = self._history.numbers(device, (series, UPTIME), ticks(start), ticks(end))
        restarts = list(reboots(found[UPTIME]))
        told = list(rates(found[series], max_gap_s=self._gap_s, reboots=restarts))
        return [time for time, _rate in told], [rate for _time, rate in told]

    def days(
        self, device: str, series: Series, start: float, end: float, step_s: float
    ) -> tuple[set[int], Slots]:
        """Whole days between, and their steps counted from `start`; none where steps are too short."""
        newest = self._spool.newest()
        if step_s < SLOT_S or newest is None:
            return set(), {}
        over = int((newest / 100 - _LATE_S) // DAY_S)
        first_day, end_day = -int(-start // DAY_S), min(int(end // DAY_S), over)
        if end_day - first_day > _MANY_DAYS:
            begin = self._history.begins(device, first_day * _DAY, end_day * _DAY)
            first_day = begin // _DAY
        days = set(range(first_day, end_day))
        for first, last in self._spool.spans(device, ticks(start), ticks(end)):
            days -= set(range(first // (DAY_S * 100), last // (DAY_S * 100) + 2))
        if not days:
            return set(), {}
        runs = {}
        for day, body in self._spool.sums(device, series, min(days), max(days) + 1).items():
            with contextlib.suppress(
                ColumnError, ValueError
            ):  # a day that cannot be unpacked is summed up anew
                runs[day] = unpack(body, SLOTS, day * DAY_S, SLOT_S)
        for begin, stop in _together(sorted(days - runs.keys())):
            for day, body in self._sum_up(device, series, begin, stop).items():
                runs[day] = unpack(body, SLOTS, day * DAY_S, SLOT_S)
        found: Slots = {}
        for day in sorted(days):
            if runs[day].at:
                found = joined(found, regrouped(runs[day], start, step_s))
        return days, found

    def _sum_up(self, device: str, series: Series, first: int, end: int) -> dict[int, bytes]:
        since = self._spool.changes(device)
        begin, stop = first * DAY_S, end * DAY_S  # the first rate of a day needs the sample before it
        at, values = self.rates(device, series, begin - self._gap_s, stop)
        found = {}
        for day in range(first, end):
            span = slice(bisect_left(at, day * DAY_S), bisect_left(at, (day + 1) * DAY_S))
            found[day] = pack(summed(at[span], values[span], day * DAY_S, SLOT_S), SLOTS)
        self._spool.keep_sums(device, series, found, since)
        return found


def _together(days: list[int]) -> Iterator[tuple[int, int]]:
    """(first, end) of neighbouring days, at most _MOST_DAYS."""
    begin = 0
    for at in range(1, len(days) + 1):
        if at == len(days) or days[at] != days[at - 1] + 1 or at - begin >= _MOST_DAYS:
            yield days[begin], days[at - 1] + 1
            begin = at
