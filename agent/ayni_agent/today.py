"""The last day at this node: which devices answered when, and what mattered most of each.

Theory of operation. Every poll of this run is counted into its hour as it comes, which costs microseconds and
a few kilobytes. What was before this run stands in the frames that the outbox keeps for a day; they are read
when somebody asks for the first time, once, in a thread. Hours are those of CLOCK_BOOTTIME: a wall clock that
was set in between moves nothing. Frames of an earlier boot are placed by the wall clocks of both boots, which
is all that can be known here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ayni_agent.status import DayStatus
from ayni_core.clockwatch import Moment
from ayni_core.readings import Names, Poll, Row, Series, Value
from ayni_core.wire import WireError, codec
from ayni_core.wire.frame import ANSWERED, DevicePolls, Frame

log = logging.getLogger("agent")
HOUR_S, HOURS = 3600.0, 24
DAY_S = HOUR_S * HOURS
METRICS = ("signal_dbm", "rsrp_dbm", "voltage_v", "charge_pct")
"""What is summed up of a device: the first of these that it has, and of several alike the lowest."""
MOST_FRAMES = 1000
_LONGEST_READ_S = 60.0

Kept = Callable[[float, float, int], Sequence[bytes]]
"""The newest frames: (monotonic now, seconds back, most) -> bytes, newest first; may be as slow as a card."""


@dataclass(slots=True)
class _Sum:
    count: int = 0
    total: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def add(self, value: float) -> None:
        self.low = min(self.low, value) if self.count else value
        self.high = max(self.high, value) if self.count else value
        self.count += 1
        self.total += value

    def join(self, other: _Sum) -> None:
        if other.count:
            self.low = min(self.low, other.low) if self.count else other.low
            self.high = max(self.high, other.high) if self.count else other.high
            self.count += other.count
            self.total += other.total


@dataclass(slots=True)
class _Hour:
    polls: int = 0
    answered: int = 0
    sums: dict[str, _Sum] = field(default_factory=dict)

    def join(self, other: _Hour) -> None:
        self.polls += other.polls
        self.answered += other.answered
        for metric, sum_ in other.sums.items():
            self.sums.setdefault(metric, _Sum()).join(sum_)


_Hours = dict[int, _Hour]


class Tally:
    """Polls by device and hour; only the hours of one day are kept."""

    def __init__(self) -> None:
        self.devices: dict[str, _Hours] = {}

    def add(self, device: str, at_s: float, answered: bool, values: Mapping[str, float]) -> None:
        """Count one poll; `values` by metric."""
        hours = self.devices.setdefault(device, {})
        number = int(at_s // HOUR_S)
        hour = hours.get(number)
        if hour is None:
            hour = hours[number] = _Hour()
            for old in [each for each in hours if each <= number - HOURS]:
                del hours[old]
        hour.polls += 1
        hour.answered += answered
        for metric, value in values.items():
            hour.sums.setdefault(metric, _Sum()).add(value)


class Today:
    """The last day of every device. `kept` gives the frames of the outbox; all times are monotonic."""

    def __init__(self, boot: str, started_s: float, kept: Kept) -> None:
        self._boot = boot
        self._started_s = started_s
        self._kept = kept
        self._live = Tally()
        self._past = Tally()
        self._seats: dict[str, tuple[Names, list[tuple[str, list[int]]]]] = {}
        self._reading: asyncio.Task[None] | None = None
        self.whole = False
        """Whether what was before this run is counted in."""

    def take(self, poll: Poll) -> None:
        """A poll that was just made."""
        values = self._lowest(poll) if poll.values else {}
        self._live.add(poll.device, poll.at_s, poll.error is None, values)

    def _lowest(self, poll: Poll) -> dict[str, float]:
        row = Row.of(poll.values)
        known = self._seats.get(poll.device)
        if known is None or known[0] is not row.names:
            known = self._seats[poll.device] = (row.names, _seats(row.names.series))
        return {
            metric: low
            for metric, positions in known[1]
            if (low := _low(row.cells[position] for position in positions)) is not None
        }

    async def read_past(self, moment: Moment, within_s: float) -> None:
        """Have what was before this run counted in, if it is not yet; at most so long is waited for it."""
        if self.whole:
            return
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_past(moment))
        await asyncio.wait([self._reading], timeout=within_s)

    async def _read_past(self, moment: Moment) -> None:
        try:
            self._past = await asyncio.to_thread(self._count_past, moment)
        except Exception:  # a day that cannot be shown must not cost the one that is
            log.exception("the last day cannot be read")
        self.whole = True

    def _count_past(self, moment: Moment) -> Tally:
        """In a thread. What this run made is counted already."""
        end = time.monotonic() + _LONGEST_READ_S
        own = set(self._kept(moment.mono_s, max(0.0, moment.mono_s - self._started_s), MOST_FRAMES))
        tally = Tally()
        for payload in reversed(self._kept(moment.mono_s, DAY_S, MOST_FRAMES)):
            if payload in own:
                continue
            if time.monotonic() > end:
                break
            try:
                count(tally, codec.decode(payload), self._boot, moment)
            except WireError as error:
                log.debug("frame of the last day not read cause=%s", error)
        return tally

    def status(self, names: Iterable[str], now_s: float) -> tuple[DayStatus, ...]:
        """The last 24 hours of these devices."""
        return tuple(self._device(name, int(now_s // HOUR_S)) for name in names)

    def _device(self, name: str, newest: int) -> DayStatus:
        letters, whole = "", _Hour()
        for number in range(newest - HOURS + 1, newest + 1):
            hour = _Hour()
            for tally in (self._past, self._live):
                found = tally.devices.get(name, {}).get(number)
                if found is not None:
                    hour.join(found)
            letters += _letter(hour)
            whole.join(hour)
        pct = round(100 * whole.answered / whole.polls, 1) if whole.polls else None
        for metric in METRICS:
            sum_ = whole.sums.get(metric)
            if sum_ is not None:
                return DayStatus(
                    device=name, hours=letters, answered_pct=pct, metric=metric,
                    low=sum_.low, mean=round(sum_.total / sum_.count, 2), high=sum_.high,
                )  # fmt: skip
        return DayStatus(device=name, hours=letters, answered_pct=pct)

    def keep(self, names: Container[str]) -> None:
        """Forget the devices that are not among these."""
        for known in (self._live.devices, self._past.devices, self._seats):
            for name in [each for each in known if each not in names]:
                del known[name]


def count(tally: Tally, frame: Frame, boot: str, moment: Moment) -> None:
    """Count the polls of a frame, as far as they are of the last day; `boot` is the one of now."""
    own = frame.boot == boot
    start_s = frame.mono_s if own else moment.mono_s - (moment.wall_s - frame.wall_s)
    for device, polls in frame.devices.items():
        lowest = _columns(polls)
        answered = polls.values.get(ANSWERED, [])
        for i, at_s in enumerate(polls.times_s):
            if not -HOUR_S < moment.mono_s - (start_s + at_s) <= DAY_S:
                continue
            values = {metric: low for metric, column in lowest if (low := column[i]) is not None}
            tally.add(device, start_s + at_s, i < len(answered) and answered[i] == 1, values)


def _columns(polls: DevicePolls) -> list[tuple[str, list[float | None]]]:
    """Of each metric the lowest value, poll by poll."""
    series = list(polls.values)
    columns = list(polls.values.values())
    return [
        (metric, [_low(columns[position][i] for position in positions) for i in range(len(polls.times_s))])
        for metric, positions in _seats(series)
    ]


def _seats(series: Sequence[Series]) -> list[tuple[str, list[int]]]:
    """Where each of METRICS stands."""
    found = [
        (metric, [position for position, each in enumerate(series) if each.metric == metric])
        for metric in METRICS
    ]
    return [(metric, positions) for metric, positions in found if positions]


def _low(values: Iterable[Value]) -> float | None:
    return min((value for value in values if isinstance(value, int | float)), default=None)


def _letter(hour: _Hour) -> str:
    if not hour.polls:
        return "-"
    if hour.answered == hour.polls:
        return "o"
    return "w" if hour.answered else "d"
