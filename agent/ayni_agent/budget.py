"""Keeps to what a site can pay for its link: counts, forecasts the month's end, saves in announced steps.

Theory of operation. Bytes are counted on the day (UTC) on which they travelled; while the clock does not know
the date they wait as "undated" and go to the first day that is known. The forecast takes the last two days by
the hour, without the worst hours: a backlog that was sent once says nothing about the rest of the month. The
saving begins when the forecast passes the cap, one step at a time with hours in between to see what it
brought, and ends when a less strict step would do, too. What an alarm needs is never held back.

Pure: traffic and clocks are handed in. A megabyte is 1,000,000 bytes, as on a provider's bill.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from ayni_core.clockwatch import Moment
from ayni_core.message import Message, Plain
from ayni_core.wire.limits import MAX_POLLS
from ayni_io.traffic import Traffic

MB = 1_000_000
LONGEST_FLUSH_S = 3600.0
_HOUR_S = 3600.0
_HOURS_KEPT = 48
_HOURS_NEEDED = 6
"""So long a step is tried before a stricter one follows."""
_HOURS_CALM = 24
"""So long a step lasts before a less strict one follows."""
_BURSTS = 10
"""One of so many hours is left out of the forecast, the busiest first."""
_NEAR, _EASY = 0.95, 0.9
_GAIN, _LEAST_GAIN, _MOST_GAIN = 1.6, 1.05, 3.0
"""How many times cheaper a step is than the one before it: until that is measured, and what is believed."""
_DAYS_KEPT = 62
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """One step of saving: reports and slow readings come so many times less often; are copies of polls sent
    to whoever looks, and is history sent at all?"""

    step: int
    flush: int
    slow: int
    copies: bool = False
    history: bool = True

    def flush_s(self, base_s: float, poll_s: float) -> float:
        """How often a report goes out when nothing is wrong, where `base_s` was asked for."""
        longest_s = min(LONGEST_FLUSH_S, MAX_POLLS / 2 * poll_s)
        return max(base_s, min(base_s * self.flush, longest_s))


STEPS = (
    Saving(step=0, flush=1, slow=1, copies=True),
    Saving(step=1, flush=2, slow=1),
    Saving(step=2, flush=4, slow=6),
    Saving(step=3, flush=12, slow=12, history=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What people are shown; `forecast_bytes` is None while too little is known, `days` are oldest first."""

    today_bytes: int
    month_bytes: int
    undated_bytes: int
    cap_bytes: int | None
    forecast_bytes: int | None
    step: int
    counted: str
    days: tuple[tuple[str, int, int], ...]
    """(date, sent, received)"""


@dataclass(slots=True, kw_only=True)
class Budget:
    """The account of one agent. `cap_bytes` may be changed at any time."""

    cap_bytes: int | None
    days: dict[str, list[int]] = field(default_factory=dict)
    undated: list[int] = field(default_factory=lambda: [0, 0])
    step: int = 0
    month: str = ""
    """The month in which the step was decided."""
    hours: list[int] = field(default_factory=list)
    """Bytes of the last whole hours since the step began."""
    hour_bytes: int = 0
    hour_s: float = 0.0
    rate: float | None = None
    """Bytes an hour, as it usually is in this step."""
    rate_before: float | None = None
    """The same before this step, until it is known what the step brought."""
    gains: list[float] = field(default_factory=lambda: [_GAIN] * len(STEPS))
    """How many times cheaper each step is than the one before it."""
    _counted: Traffic = field(default_factory=Traffic)
    _looked_s: float | None = None

    @property
    def saving(self) -> Saving:
        """The step that is in force."""
        return STEPS[self.step]

    def spend(self, total: Traffic, now: Moment) -> None:
        """Book what was spent since the last call; `total` is everything since the process was started."""
        sent = max(0, total.sent_bytes - self._counted.sent_bytes)
        received = max(0, total.received_bytes - self._counted.received_bytes)
        self._counted = total
        self.undated[0] += sent
        self.undated[1] += received
        if now.dated():
            self._date(_day(now))
        passed_s = 0.0 if self._looked_s is None else max(0.0, now.mono_s - self._looked_s)
        self._looked_s = now.mono_s
        self._by_the_hour(sent + received, passed_s)

    def decide(self, now: Moment) -> Message | None:
        """Begin another step where it is time; what people are told then."""
        if self.cap_bytes is None:
            return self._take(0, now, "note.saving_off") if self.step else None
        if not now.dated():
            return None
        month = _day(now)[:7]
        if month != self.month:
            before, self.month = self.step, month
            return self._take(0, now, "note.saving_month") if before else None
        wanted = self._wanted(now, self.cap_bytes)
        return self._take(wanted, now, f"note.saving_{wanted}") if wanted != self.step else None

    def account(self, now: Moment) -> Account:
        """What has been spent, and what is to be expected."""
        today = self.days.get(_day(now), (0, 0)) if now.dated() else (0, 0)
        return Account(
            today_bytes=sum(today),
            month_bytes=self._month_bytes(now),
            undated_bytes=sum(self.undated),
            cap_bytes=self.cap_bytes,
            forecast_bytes=self._forecast(now),
            step=self.step,
            counted=self._counted.counted,
            days=tuple((day, sent, received) for day, (sent, received) in sorted(self.days.items())),
        )

    # ---- counting

    def _date(self, today: str) -> None:
        """Book on today what had no date, and what has a date that is not yet: the clock was set back."""
        waiting = [self.undated, *(self.days.pop(day) for day in list(self.days) if day > today)]
        booked = self.days.setdefault(today, [0, 0])
        for sent, received in waiting:
            booked[0] += sent
            booked[1] += received
        self.undated = [0, 0]
        for day in sorted(self.days)[:-_DAYS_KEPT]:
            del self.days[day]

    def _by_the_hour(self, spent: int, passed_s: float) -> None:
        self.hour_bytes += spent
        self.hour_s += passed_s
        if self.hour_s >= _HOUR_S:
            hours = int(self.hour_s // _HOUR_S)  # several after a suspend
            share = self.hour_bytes // hours
            self.hours = [*self.hours, *[share] * min(hours, _HOURS_KEPT)][-_HOURS_KEPT:]
            self.hour_bytes, self.hour_s = 0, self.hour_s % _HOUR_S
            if len(self.hours) >= _HOURS_NEEDED:
                self._learn(_usual(self.hours))

    def _learn(self, rate: float) -> None:
        """What an hour costs in this step, and so what the step has brought."""
        self.rate = rate
        if self.rate_before is not None and self.step:
            gain = self.rate_before / max(rate, 1.0)
            self.gains[self.step] = min(max(gain, _LEAST_GAIN), _MOST_GAIN)
        self.rate_before = None

    def _month_bytes(self, now: Moment) -> int:
        """This month so far; what has no date counts as well."""
        if not now.dated():
            return 0
        month = _day(now)[:7]
        return sum(self.undated) + sum(sum(both) for day, both in self.days.items() if day[:7] == month)

    # ---- deciding

    def _wanted(self, now: Moment, cap: int) -> int:
        used, forecast = self._month_bytes(now), self._forecast(now)
        if used >= cap or (used >= _NEAR * cap and (forecast is None or forecast > cap)):
            return len(STEPS) - 1
        if forecast is None or self.step == len(STEPS) - 1:
            return self.step  # the last one holds until the month is over
        if forecast > cap and len(self.hours) >= _HOURS_NEEDED:
            return self.step + 1
        if self.step and len(self.hours) >= _HOURS_CALM:
            rate = (self.rate or 0.0) * self.gains[self.step]
            if used + rate * _hours_left(now) <= _EASY * cap:
                return self.step - 1
        return self.step

    def _forecast(self, now: Moment) -> int | None:
        if self.rate is None or not now.dated():
            return None
        return round(self._month_bytes(now) + self.rate * _hours_left(now))

    def _take(self, step: int, now: Moment, text: str) -> Message:
        used = self._month_bytes(now)
        forecast = max(used, self._forecast(now) or 0)
        if self.rate is not None:
            self.rate_before = self.rate if step == self.step + 1 else None
            for each in range(self.step, step):
                self.rate /= self.gains[each + 1]
            for each in range(step, self.step):
                self.rate *= self.gains[each + 1]
        self.step = step
        self.hours, self.hour_bytes, self.hour_s = [], 0, 0.0
        values: dict[str, Plain] = {"used": _megabytes(used), "forecast": _megabytes(forecast)}
        if self.cap_bytes is not None:
            values["cap"] = _megabytes(self.cap_bytes)
        return Message(text, values)

    # ---- kept over a restart

    def to_bytes(self) -> bytes:
        """What has to be kept over a restart."""
        kept = {
            "v": _VERSION, "days": self.days, "undated": self.undated, "step": self.step, "month": self.month,
            "hours": self.hours, "hour": [self.hour_bytes, round(self.hour_s, 1)], "rate": self.rate,
            "before": self.rate_before, "gains": self.gains,
        }  # fmt: skip
        return json.dumps(kept, separators=(",", ":")).encode("ascii")

    @classmethod
    def from_bytes(cls, data: bytes | None, cap_bytes: int | None) -> tuple[Budget, Message | None]:
        """Go on from there. Where it is damaged it begins anew, and the message says so."""
        if data is None:
            return cls(cap_bytes=cap_bytes), None
        try:
            return _read(json.loads(data), cap_bytes), None
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls(cap_bytes=cap_bytes), Message("note.budget_lost")


def _read(kept: Any, cap_bytes: int | None) -> Budget:
    """Raises what a damaged state makes it raise."""
    if kept["v"] != _VERSION or kept["step"] not in range(len(STEPS)):
        raise ValueError(kept["v"])
    hour_bytes, hour_s = kept["hour"]
    gains = [min(max(_amount(gain), _LEAST_GAIN), _MOST_GAIN) for gain in kept["gains"]]
    if len(gains) != len(STEPS):
        raise ValueError(gains)
    return Budget(
        cap_bytes=cap_bytes,
        days=_days(kept["days"]),
        undated=_both(kept["undated"]),
        step=kept["step"],
        month=str(kept["month"]),
        hours=[int(_amount(each)) for each in kept["hours"]][-_HOURS_KEPT:],
        hour_bytes=int(_amount(hour_bytes)),
        hour_s=float(_amount(hour_s)),
        rate=None if kept["rate"] is None else _amount(kept["rate"]),
        rate_before=None if kept["before"] is None else _amount(kept["before"]),
        gains=gains,
    )


def _days(kept: Mapping[str, Any]) -> dict[str, list[int]]:
    return {date.fromisoformat(day).isoformat(): _both(both) for day, both in kept.items()}


def _both(kept: Any) -> list[int]:
    sent, received = kept
    return [int(_amount(sent)), int(_amount(received))]


def _amount(value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value < 1e15:
        raise ValueError(value)
    return float(value)


def _usual(hours: list[int]) -> float:
    """The mean of the hours without the busiest of them."""
    kept = sorted(hours)[: len(hours) - len(hours) // _BURSTS]
    return sum(kept) / len(kept)


def _day(now: Moment) -> str:
    return datetime.fromtimestamp(now.wall_s, UTC).date().isoformat()


def _hours_left(now: Moment) -> float:
    """Until the month ends."""
    today = datetime.fromtimestamp(now.wall_s, UTC)
    then = datetime(today.year + today.month // 12, today.month % 12 + 1, 1, tzinfo=UTC)
    return (then - today).total_seconds() / _HOUR_S


def _megabytes(size: float) -> float:
    """For people: two places that count."""
    return round(size / MB, 1) if size < 10 * MB else round(size / MB)
