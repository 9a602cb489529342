"""Roll-ups: what a day of a device was like, in steps of five minutes and of an hour.

A step says how many samples it had, the least, the mean and the largest; of a counter those of its rate a
second. Steps of five minutes lie in a row a day and device, steps of an hour in a row a series and thirty
days, because a year of one series must be read in few steps.
"""

from __future__ import annotations

import sqlite3
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import compress
from operator import mul
from typing import NamedTuple

from ayni_core import columns

SCHEMA = """
CREATE TABLE IF NOT EXISTS dirty(device INTEGER NOT NULL, day INTEGER NOT NULL, PRIMARY KEY(day, device))
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS day(id INTEGER PRIMARY KEY, device INTEGER NOT NULL, day INTEGER NOT NULL,
    head BLOB NOT NULL, body BLOB NOT NULL, UNIQUE(device, day));
CREATE TABLE IF NOT EXISTS month(series INTEGER NOT NULL, month INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY(series, month)) WITHOUT ROWID;
"""
DAY_S, SLOT_S, HOUR_S = 86_400, 300, 3600
SLOTS = DAY_S // SLOT_S
_MEAN_DIGITS = 4
"""A mean is good to a thousandth: nobody sees more in a picture, and it is half of what a step takes."""
MONTH_DAYS = 30
HOURS = MONTH_DAYS * 24


class Slot(NamedTuple):
    """One step: how many samples, the least, their sum, the largest."""

    n: int
    low: float
    total: float
    high: float

    def join(self, other: Slot) -> Slot:
        """Both as one."""
        return Slot(
            self.n + other.n,
            min(self.low, other.low),
            self.total + other.total,
            max(self.high, other.high),
        )


Slots = dict[int, Slot]
"""By number; a step without a sample is not there."""


class Run(NamedTuple):
    """Steps in time order, side by side: when each begins, how many samples, least, mean, largest."""

    at: Sequence[float]
    n: Sequence[int]
    low: Sequence[float]
    mean: Sequence[float]
    high: Sequence[float]

    def on(self, days: Collection[int]) -> Run:
        """What lies on these days."""
        first, last = int(self.at[0] // DAY_S), int(self.at[-1] // DAY_S)
        if all(day in days for day in range(first, last + 1)):
            return self
        there = [at // DAY_S in days for at in self.at]
        return Run(*(list(compress(part, there)) for part in self))  # type: ignore[arg-type]


def summed(at: Sequence[float], values: Sequence[float], start: float, step_s: float) -> Slots:
    """Samples in time order in steps that count from `start`."""
    found: Slots = {}
    for number, span in _groups(at, start, step_s):
        part = values[span]
        found[number] = Slot(len(part), min(part), sum(part), max(part))
    return found


def regrouped(run: Run, start: float, step_s: float) -> Slots:
    """The same in steps that are at least as long, and count from `start`."""
    found: Slots = {}
    for number, span in _groups(run.at, start, step_s):
        n = run.n[span]
        total = sum(map(mul, n, run.mean[span]))
        found[number] = Slot(sum(n), min(run.low[span]), total, max(run.high[span]))
    return found


def joined(one: Slots, two: Slots) -> Slots:
    """Both together."""
    return one | {number: one[number].join(slot) if number in one else slot for number, slot in two.items()}


def _groups(at: Sequence[float], start: float, step_s: float) -> Iterator[tuple[int, slice]]:
    """(number of the step, the places that lie in it)."""
    begin, count = 0, len(at)
    while begin < count:
        number = int((at[begin] - start) // step_s)
        end = bisect_left(at, start + (number + 1) * step_s, begin + 1)
        yield number, slice(begin, end)
        begin = end


def coarser(slots: Slots, factor: int) -> Slots:
    """The same in steps `factor` times as long."""
    found: Slots = {}
    for number, slot in slots.items():
        other = found.get(number // factor)
        found[number // factor] = other.join(slot) if other else slot
    return found


def fuller(old: Slots, new: Slots) -> Slots:
    """Of each step the one that more samples made: what the samples of are gone is not summed up anew."""
    return old | {number: slot for number, slot in new.items() if slot.n >= old.get(number, (0,))[0]}


def pack(slots: Slots, size: int) -> bytes:
    """Steps 0 to `size` as bytes."""
    rows = [slots.get(number) for number in range(size)]
    parts = [
        columns.pack([row.n if row else 0 for row in rows]),
        columns.pack([_short(row.low) if row else None for row in rows]),
        columns.pack([_short(row.total / row.n, _MEAN_DIGITS) if row else None for row in rows]),
        columns.pack([_short(row.high) if row else None for row in rows]),
    ]
    return array("I", map(len, parts)).tobytes() + b"".join(parts)


def unpack(data: bytes, size: int, start: int, step_s: int) -> Run:
    """The steps that there are, the first of `size` beginning at `start`. Raises `ColumnError`."""
    lengths = array("I")
    lengths.frombytes(data[:16])
    at, parts = 16, []
    for length in lengths:
        parts.append(columns.unpack(data[at : at + length], size))
        at += length
    times: Sequence[float] = range(start, start + size * step_s, step_s)
    if 0 in parts[0]:
        there = parts[0]
        return Run(*(list(compress(part, there)) for part in (times, *parts)))  # type: ignore[arg-type]
    return Run(times, *parts)  # type: ignore[arg-type]


def _slots(data: bytes, size: int) -> Slots:
    return {
        int(number): Slot(n, low, mean * n, high)
        for number, n, low, mean, high in zip(*unpack(data, size, 0, 1), strict=True)
    }


def _short(value: float, digits: int = 6) -> int | float:
    """A number as exactly as anybody looks at it: whole where it is, else so many digits."""
    return value if isinstance(value, int) else float(f"{value:.{digits}g}")


class Rollups:
    """The summed up days of a file. The owner brackets changes with transactions."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def mark(self, device: int, days: Iterable[int]) -> None:
        """These days have to be summed up, again where they were."""
        self._db.executemany("INSERT OR IGNORE INTO dirty VALUES(?,?)", [(device, day) for day in days])

    def due(self, before_day: int) -> tuple[int, int] | None:
        """(device, day) of the oldest day before this one that has to be summed up."""
        row = self._db.execute(
            "SELECT device, day FROM dirty WHERE day<? ORDER BY day LIMIT 1", (before_day,)
        ).fetchone()
        return (row[0], row[1]) if row else None

    def keep(self, device: int, day: int, found: dict[int, Slots]) -> None:
        """A day of a device summed up, by series."""
        old = self._day(device, day)
        slots = {series: fuller(old.get(series, {}), found.get(series, {})) for series in old | found}
        order = sorted(slots)
        packed = [pack(slots[series], SLOTS) for series in order]
        head = zlib.compress(array("I", [*order, *map(len, packed)]).tobytes(), 9)
        self._db.execute(
            "INSERT INTO day(device, day, head, body) VALUES(?,?,?,?)"
            " ON CONFLICT(device, day) DO UPDATE SET head=excluded.head, body=excluded.body",
            (device, day, head, b"".join(packed)),
        )
        month, offset = divmod(day, MONTH_DAYS)
        for series in order:
            hours = {
                offset * 24 + number: slot
                for number, slot in coarser(slots[series], HOUR_S // SLOT_S).items()
            }
            row = self._db.execute(
                "SELECT body FROM month WHERE series=? AND month=?", (series, month)
            ).fetchone()
            hours = (_slots(row[0], HOURS) if row else {}) | hours
            self._db.execute(
                "INSERT OR REPLACE INTO month VALUES(?,?,?)", (series, month, pack(hours, HOURS))
            )
        self._db.execute("DELETE FROM dirty WHERE device=? AND day=?", (device, day))

    def days(self, device: int, first: int, end: int) -> set[int]:
        """Days first <= day < end that are summed up as they stand."""
        return {
            day
            for (day,) in self._db.execute(
                "SELECT day FROM day WHERE device=? AND day>=? AND day<? AND NOT EXISTS"
                " (SELECT 1 FROM dirty WHERE dirty.device=day.device AND dirty.day=day.day)",
                (device, first, end),
            )
        }

    def slots(self, device: int, series: int, day: int) -> Run | None:
        """The steps of five minutes of a day."""
        row = self._db.execute("SELECT id, head FROM day WHERE device=? AND day=?", (device, day)).fetchone()
        place = _place(row[1], series) if row else None
        if place is None:
            return None
        (data,) = self._db.execute("SELECT substr(body,?,?) FROM day WHERE id=?", (*place, row[0])).fetchone()
        return unpack(data, SLOTS, day * DAY_S, SLOT_S)

    def hours(self, series: int, month: int) -> Run | None:
        """The steps of an hour of thirty days."""
        row = self._db.execute(
            "SELECT body FROM month WHERE series=? AND month=?", (series, month)
        ).fetchone()
        return unpack(row[0], HOURS, month * MONTH_DAYS * DAY_S, HOUR_S) if row else None

    def _month(self, series: int, month: int) -> Slots:
        row = self._db.execute(
            "SELECT body FROM month WHERE series=? AND month=?", (series, month)
        ).fetchone()
        return _slots(row[0], HOURS) if row else {}

    def drop_before(self, day: int, month_day: int) -> None:
        """Forget steps of five minutes before a day, and those of an hour before another."""
        self._db.execute("DELETE FROM day WHERE day<?", (day,))
        self._db.execute("DELETE FROM month WHERE (month+1)*?<=?", (MONTH_DAYS, month_day))
        self._db.execute("DELETE FROM dirty WHERE day<?", (day,))

    def _day(self, device: int, day: int) -> dict[int, Slots]:
        row = self._db.execute(
            "SELECT head, body FROM day WHERE device=? AND day=?", (device, day)
        ).fetchone()
        if row is None:
            return {}
        order, lengths = _head(row[0])
        found, at = {}, 0
        for series, length in zip(order, lengths, strict=True):
            found[series] = _slots(row[1][at : at + length], SLOTS)
            at += length
        return found


def _head(packed: bytes) -> tuple[array[int], array[int]]:
    both = array("I")
    both.frombytes(zlib.decompress(packed))
    return both[: len(both) // 2], both[len(both) // 2 :]


def _place(packed: bytes, series: int) -> tuple[int, int] | None:
    """(first byte counted from 1, length) of a series in the body."""
    order, lengths = _head(packed)
    try:
        at = order.index(series)
    except ValueError:
        return None
    return sum(lengths[:at]) + 1, lengths[at]
