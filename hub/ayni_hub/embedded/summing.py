"""Summing up, a few series at a time: a switch has hundreds, and whoever waits for the hub shall not notice.

A day of a device is read series by series, and written at once in the end. Long steps follow once several
days wait. Whatever is cut off begins anew: only a whole day, or all days that wait, count as done.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import compress

from ayni_core.metrics import METRICS
from ayni_core.rates import rates, reboots
from ayni_core.readings import UPTIME, Series, Value
from ayni_hub.embedded.blocks import Blocks
from ayni_hub.embedded.naming import Numbers
from ayni_hub.embedded.rollups import (
    DAY_S,
    HOUR_S,
    HOURS,
    MONTH_DAYS,
    SLOT_S,
    SLOTS,
    YEAR_DAYS,
    Rollups,
    fuller,
    grouped,
    pack,
    regrouped,
    summed_in,
)

_AT_ONCE = 8
Changing = Callable[[str], AbstractContextManager[None]]


class Summing:
    """What is under way of one file. `changing` opens a transaction with the words for what fails."""

    def __init__(self, blocks: Blocks, rollups: Rollups, changing: Changing, gap_s: float) -> None:
        self._blocks = blocks
        self._rollups = rollups
        self._changing = changing
        self._gap_s = gap_s
        self._going: Iterator[None] | None = None
        self._about: tuple[int, int] | None = None
        self._again = False

    def touched(self, device: int, days: set[int]) -> None:
        """Samples came for these days: what is being summed up of them is old already."""
        if self._about is not None and self._about[0] == device and self._about[1] in days:
            self._again = True

    def drop(self) -> None:
        """Forget what is under way."""
        self._going, self._about = None, None

    def go_on(self, before_day: int, known_of: Callable[[int], Numbers]) -> bool:
        """Do one piece, of days before this one; False: there is nothing to do."""
        if self._going is None:
            self._going = self._next(before_day, known_of)
        if self._going is None:
            return False
        try:
            next(self._going)
        except StopIteration:
            self.drop()
        except BaseException:
            self.drop()
            raise
        return True

    def _next(self, before_day: int, known_of: Callable[[int], Numbers]) -> Iterator[None] | None:
        day = self._rollups.due(before_day)
        if day is not None:
            self._about, self._again = day, False
            return self._sum_up(*day, known_of(day[0]))
        month = self._rollups.long_due(before_day)
        return self._lengthen(*month) if month is not None else None

    def _sum_up(self, device: int, day: int, known: Numbers) -> Iterator[None]:
        begin, end = day * DAY_S * 100, (day + 1) * DAY_S * 100
        early = begin - round(self._gap_s * 100)  # the first rate of a day needs the sample before it
        uptimes = plain(*self._blocks.read(device, known.get(UPTIME) or 0, early, end))
        restarts = list(reboots(zip(*uptimes, strict=True)))
        packed = self._rollups.packed(device, day)
        polled: list[float] = []
        groups: list[tuple[int, slice]] = []
        for number, (series, identifier) in enumerate(list(known.items())):
            at, values = plain(*self._blocks.read(device, identifier, early, end))
            if is_counter(series):
                found = list(rates(zip(at, values, strict=True), max_gap_s=self._gap_s, reboots=restarts))
                at, values = [time for time, _rate in found], [rate for _time, rate in found]
            first = bisect_left(at, begin / 100)
            if first < len(at):
                at, values = at[first:], values[first:]
                if at != polled:  # mostly all series of a device were read together
                    polled, groups = at, list(grouped(at, begin / 100, SLOT_S))
                slots = summed_in(groups, values)
                old = self._rollups.opened(packed.get(identifier))
                packed[identifier] = pack(fuller(old, slots) if old else slots, SLOTS)
            if number % _AT_ONCE == _AT_ONCE - 1:
                yield
        with self._changing("summing up a day"):
            self._rollups.keep(device, day, packed, done=not self._again)

    def _lengthen(self, device: int, month: int) -> Iterator[None]:
        """The days of a month that wait, into the long steps."""
        first = month * MONTH_DAYS
        year = first // YEAR_DAYS
        days = self._rollups.waiting(device, first, first + MONTH_DAYS)
        order = sorted({series for day in days for series in self._rollups.packed(device, day)})
        for begin in range(0, len(order), _AT_ONCE):
            with self._changing("summing up days"):
                for series in order[begin : begin + _AT_ONCE]:
                    hours = self._rollups.long("month", series, month)
                    whole = self._rollups.long("year", series, year)
                    for day in days:
                        run = self._rollups.slots(device, series, day)
                        if run is not None:
                            hours |= regrouped(run, first * DAY_S, HOUR_S)
                            whole |= regrouped(run, year * YEAR_DAYS * DAY_S, DAY_S)
                    self._rollups.keep_long("month", series, month, pack(hours, HOURS))
                    self._rollups.keep_long("year", series, year, pack(whole, YEAR_DAYS))
            yield
        with self._changing("summing up days"):
            self._rollups.lengthened(device, days)


def plain(times: Sequence[int], values: Sequence[Value]) -> tuple[list[float], list[float]]:
    """Times in seconds, and numbers; texts are left out."""
    at = [time / 100 for time in times]
    if set(map(type, values)) <= {int, float}:
        return at, values  # type: ignore[return-value]  # as was just seen
    numbers = [isinstance(value, int | float) for value in values]
    return list(compress(at, numbers)), list(compress(values, numbers))  # type: ignore[arg-type]


def is_counter(series: Series) -> bool:
    """Whether what counts is its rate."""
    metric = METRICS.get(series.metric)
    return metric is not None and metric.kind == "counter"
