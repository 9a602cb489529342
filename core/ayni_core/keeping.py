"""Which backups stay: the newest of each of the last days, weeks and months that have one.

Days, weeks (ISO 8601) and months are those of UTC, so that the rule says the same on every machine. The
newest stays in any case, and so does what lies in the future: a clock was wrong, and nobody knows which one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

_AHEAD_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Of how many days, weeks and months one stays."""

    days: int = 7
    weeks: int = 4
    months: int = 12


def to_drop(made: Iterable[float], keep: Keep, now: float) -> set[float]:
    """Of backups made at these times (seconds since 1970) those that can go."""
    times = sorted(set(made), reverse=True)
    past = [at for at in times if at <= now + _AHEAD_S]
    stay = {at for at in times if at > now + _AHEAD_S} | set(past[:1])
    for count, name in ((keep.days, _day), (keep.weeks, _week), (keep.months, _month)):
        stay |= _newest_of_each(past, count, name)
    return set(times) - stay


def _newest_of_each(times: Iterable[float], count: int, name: Callable[[datetime], str]) -> set[float]:
    """`times` newest first."""
    found: dict[str, float] = {}
    for at in times:
        key = name(datetime.fromtimestamp(at, UTC))
        if key not in found and len(found) == count:
            break
        found.setdefault(key, at)
    return set(found.values())


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%d")


def _week(at: datetime) -> str:
    year, week, _weekday = at.isocalendar()
    return f"{year}-{week}"


def _month(at: datetime) -> str:
    return at.strftime("%Y-%m")
