"""Roll-ups: what a day of a device was like, in steps of five minutes and of an hour.

A step says how many samples it had, the least, the mean and the largest; of a counter those of its rate a
second. Steps of five minutes lie in a row a day and device, steps of an hour in a row a series and thirty
days, steps of a day in a row a series and twelve times that, because a year of one series must be read in few
steps.
"""

from __future__ import annotations

import sqlite3
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, compress
from operator import mul
from typing import NamedTuple

from ayni_core import columns

SCHEMA = """
CREATE TABLE IF NOT EXISTS dirty(device INTEGER NOT NULL, day INTEGER NOT NULL, PRIMARY KEY(day, device))
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS late(device INTEGER NOT NULL, day INTEGER NOT NULL, PRIMARY KEY(device, day))
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS day(id INTEGER PRIMARY KEY, device INTEGER NOT NULL, day INTEGER NOT NULL,
    head BLOB NOT NULL, body BLOB NOT NULL, UNIQUE(device, day));
CREATE TABLE IF NOT EXISTS month(series INTEGER NOT NULL, month INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY(series, month)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS year(series INTEGER NOT NULL, year INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY(series, year)) WITHOUT ROWID;
"""
DAY_S, SLOT_S, HOUR_S = 86_400, 300, 3600
SLOTS = DAY_S // SLOT_S
_DIGITS, _MEAN_DIGITS = 6, 4
"""A mean is good to a thousandth: nobody sees more in a picture, and it is half of what a step takes."""
MONTH_DAYS = 30
HOURS = MONTH_DAYS * 24
YEAR_DAYS = 360
_TOGETHER_DAYS = 5
"""So many days of a device go into its long steps together: a month is packed anew each time."""
_ROUGH_S = 6 * HOUR_S
"""Steps as long as this may begin anywhere in an hour: nobody sees its part on the other side."""


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
    """Steps of `step_s` in time order, side by side: when each begins, how many samples, least, mean,
    largest."""

    step_s: int
    at: Sequence[float]
    n: Sequence[int]
    low: Sequence[float]
    mean: Sequence[float]
    high: Sequence[float]

    def on(self, days: Collection[int]) -> Run:
        """What lies on these days."""
        first, last = int(self.at[0] // DAY_S), int(self.at[-1] // DAY_S)
        if len(days) >= last + 1 - first and all(day in days for day in range(first, last + 1)):
            return self
        return self._where([at // DAY_S in days for at in self.at])

    def between(self, begin: float, stop: float) -> Run:
        """What begins in a span."""
        return self._where([begin <= at < stop for at in self.at])

    def _where(self, there: Sequence[bool]) -> Run:
        return Run(self.step_s, *(list(compress(part, there)) for part in self[1:]))  # type: ignore[arg-type]


def summed(at: Sequence[float], values: Sequence[float], start: float, step_s: float) -> Slots:
    """Samples in time order in steps that count from `start`."""
    return summed_in(grouped(at, start, step_s), values)


def summed_in(groups: Iterable[tuple[int, slice]], values: Sequence[float]) -> Slots:
    """The same where it is known which samples lie in which step."""
    if values and values.count(values[0]) == len(values) and len(set(map(type, values))) == 1:
        same = values[0]
        counts = ((number, span.stop - span.start) for number, span in groups)
        return {number: Slot(n, same, same * n, same) for number, n in counts}
    found: Slots = {}
    for number, span in groups:
        part = values[span]
        found[number] = Slot(len(part), min(part), sum(part), max(part))
    return found


def regrouped(run: Run, start: float, step_s: float) -> Slots:
    """The same in steps that are at least as long, and count from `start`."""
    found: Slots = {}
    if run.step_s == step_s and run.at and (run.at[0] - start) % step_s == 0:
        numbers = [int((at - start) // step_s) for at in run.at]
        totals = map(mul, run.n, run.mean)
        return dict(zip(numbers, map(Slot, run.n, run.low, totals, run.high), strict=True))
    for number, span in grouped(run.at, start, step_s):
        n = run.n[span]
        total = sum(map(mul, n, run.mean[span]))
        found[number] = Slot(sum(n), min(run.low[span]), total, max(run.high[span]))
    return found


def joined(one: Slots, two: Slots) -> Slots:
    """Both together."""
    return one | {number: one[number].join(slot) if number in one else slot for number, slot in two.items()}


def grouped(at: Sequence[float], start: float, step_s: float) -> Iterator[tuple[int, slice]]:
    """(number of the step, the places that lie in it)."""
    begin, count = 0, len(at)
    while begin < count:
        number = int((at[begin] - start) // step_s)
        end = bisect_left(at, start + (number + 1) * step_s, begin + 1)
        yield number, slice(begin, end)
        begin = end


def fuller(old: Slots, new: Slots) -> Slots:
    """Of each step the one that more samples made: what the samples of are gone is not summed up anew."""
    return old | {number: slot for number, slot in new.items() if slot.n >= old.get(number, (0,))[0]}


def pack(slots: Slots, size: int) -> bytes:
    """Steps 0 to `size` as bytes."""
    rows = [slots.get(number) for number in range(size)]
    there = [row for row in rows if row is not None]
    means = [row.total / row.n for row in there]
    parts = [columns.pack([row.n if row else 0 for row in rows])]
    for values, digits in (
        ([row.low for row in there], _DIGITS),
        (means, _MEAN_DIGITS),
        ([row.high for row in there], _DIGITS),
    ):
        short = iter(_shortened(values, digits))
        full = len(there) == size
        parts.append(columns.pack(list(short) if full else [next(short) if row else None for row in rows]))
    return array("I", map(len, parts)).tobytes() + b"".join(parts)


def _shortened(values: Sequence[float], digits: int) -> list[int | float]:
    """Numbers as exactly as anybody looks at them: whole where they are, else with so many digits."""
    if values and values.count(values[0]) == len(values) and len(set(map(type, values))) == 1:
        return [_short(values[0], digits)] * len(values)  # a good part of all series never moves
    return [_short(value, digits) for value in values]


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
        return Run(step_s, *(list(compress(part, there)) for part in (times, *parts)))  # type: ignore[arg-type]
    return Run(step_s, times, *parts)  # type: ignore[arg-type]


def _slots(data: bytes, size: int) -> Slots:
    return {
        int(number): Slot(n, low, mean * n, high)
        for number, n, low, mean, high in zip(*unpack(data, size, 0, 1)[1:], strict=True)
    }


def _short(value: float, digits: int) -> int | float:
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

    def packed(self, device: int, day: int) -> dict[int, bytes]:
        """A day as it is kept, by series."""
        row = self._db.execute(
            "SELECT head, body FROM day WHERE device=? AND day=?", (device, day)
        ).fetchone()
        if row is None:
            return {}
        order, lengths = _head(row[0])
        ends = list(accumulate(lengths))
        return {
            series: row[1][end - length : end]
            for series, length, end in zip(order, lengths, ends, strict=True)
        }

    def opened(self, packed: bytes | None) -> Slots:
        """The steps of a series of such a day."""
        return _slots(packed, SLOTS) if packed else {}

    def keep(self, device: int, day: int, packed: Mapping[int, bytes], *, done: bool = True) -> None:
        """A day of a device summed up, by series; not `done` if it has to be summed up again."""
        order = sorted(packed)
        bodies = [packed[series] for series in order]
        head = zlib.compress(array("I", [*order, *map(len, bodies)]).tobytes(), 9)
        self._db.execute(
            "INSERT INTO day(device, day, head, body) VALUES(?,?,?,?)"
            " ON CONFLICT(device, day) DO UPDATE SET head=excluded.head, body=excluded.body",
            (device, day, head, b"".join(bodies)),
        )
        self._db.execute("INSERT OR IGNORE INTO late VALUES(?,?)", (device, day))
        if done:
            self._db.execute("DELETE FROM dirty WHERE device=? AND day=?", (device, day))

    # ---- long steps

    def long_due(self, before_day: int) -> tuple[int, int] | None:
        """(device, month) of days that are not in long steps: several, or of a month that is over."""
        row = self._db.execute(
            "SELECT device, day/?1 AS month FROM late GROUP BY device, month"
            " HAVING count(*)>=?2 OR month<?3/?1 LIMIT 1",
            (MONTH_DAYS, _TOGETHER_DAYS, before_day - 1),
        ).fetchone()
        return (row[0], row[1]) if row else None

    def waiting(self, device: int, first: int, end: int) -> list[int]:
        """Days first <= day < end whose long steps are not made, or were made of less."""
        rows = self._db.execute(
            "SELECT day FROM late WHERE device=? AND day>=? AND day<? ORDER BY day", (device, first, end)
        )
        return [day for (day,) in rows]

    def long(self, table: str, series: int, number: int) -> Slots:
        """Long steps of a series, to be added to; `table` is month or year."""
        body = self._body(table, series, number)
        return _slots(body, HOURS if table == "month" else YEAR_DAYS) if body else {}

    def keep_long(self, table: str, series: int, number: int, body: bytes) -> None:
        """The same, packed."""
        self._db.execute(
            f"INSERT OR REPLACE INTO {table} VALUES(?,?,?)",
            (series, number, body),
        )

    def lengthened(self, device: int, days: Iterable[int]) -> None:
        """These days are in long steps now."""
        self._db.executemany("DELETE FROM late WHERE device=? AND day=?", [(device, day) for day in days])

    # ---- out

    def days(self, device: int, first: int, end: int) -> set[int]:
        """Days first <= day < end that are summed up as they stand. Of those before the first whose steps of
        five minutes are kept, the longer steps are all there is."""
        (oldest,) = self._db.execute("SELECT min(day) FROM day WHERE device=?", (device,)).fetchone()
        if oldest is None:
            return set()
        found = set(range(first, min(oldest, end)))
        low, high, count = self._db.execute(
            "SELECT min(day), max(day), count(*) FROM day WHERE device=? AND day>=? AND day<?",
            (device, first, end),
        ).fetchone()
        if count and high - low + 1 == count:
            found.update(range(low, high + 1))
        elif count:
            rows = self._db.execute(
                "SELECT day FROM day WHERE device=? AND day>=? AND day<?", (device, first, end)
            )
            found.update(day for (day,) in rows)
        dirty = self._db.execute(
            "SELECT day FROM dirty WHERE device=? AND day>=? AND day<?", (device, first, end)
        )
        return found.difference(day for (day,) in dirty)

    def runs(
        self, device: int, series: int, days: Collection[int], start: float, step_s: float
    ) -> Iterator[Run]:
        """What these days are summed up to, in the longest steps that fit into steps of `step_s` from `start`
        on, or in the shortest that are left."""
        rest = set(days)
        waiting = set(self.waiting(device, min(rest), max(rest) + 1)) if rest else set()
        rest -= waiting
        if start % DAY_S == 0 and step_s % DAY_S == 0:
            for year in sorted({day // YEAR_DAYS for day in rest}):
                run = self._run("year", series, year, YEAR_DAYS, DAY_S)
                if run is not None and run.at:
                    run = run.on(rest)
                    yield run
                    rest.difference_update(int(at) // DAY_S for at in run.at)
        if step_s < _ROUGH_S and (start % HOUR_S or step_s % HOUR_S):
            waiting |= rest
        for day in sorted(waiting):
            run = self.slots(device, series, day)
            if run is not None:
                yield run
                rest.discard(day)
        for month in sorted({day // MONTH_DAYS for day in rest}):
            run = self._run("month", series, month, HOURS, HOUR_S)
            if run is not None and run.at:
                yield run.on(rest)

    def slots(self, device: int, series: int, day: int) -> Run | None:
        """The steps of five minutes of a day."""
        row = self._db.execute("SELECT id, head FROM day WHERE device=? AND day=?", (device, day)).fetchone()
        place = _place(row[1], series) if row else None
        if place is None:
            return None
        (data,) = self._db.execute("SELECT substr(body,?,?) FROM day WHERE id=?", (*place, row[0])).fetchone()
        return unpack(data, SLOTS, day * DAY_S, SLOT_S)

    def _run(self, table: str, series: int, number: int, size: int, step_s: int) -> Run | None:
        """One row of a table of long steps."""
        body = self._body(table, series, number)
        return unpack(body, size, number * size * step_s, step_s) if body else None

    def _body(self, table: str, series: int, number: int) -> bytes | None:
        row = self._db.execute(
            f"SELECT body FROM {table} WHERE series=? AND {table}=?",  # noqa: S608  one of two names
            (series, number),
        ).fetchone()
        return row[0] if row else None

    def drop_before(self, day: int, month_day: int) -> None:
        """Forget steps of five minutes before a day, and longer ones before another."""
        self._db.execute("DELETE FROM day WHERE day<?", (day,))
        self._db.execute("DELETE FROM month WHERE (month+1)*?<=?", (MONTH_DAYS, month_day))
        self._db.execute("DELETE FROM year WHERE (year+1)*?<=?", (YEAR_DAYS, month_day))
        self._db.execute("DELETE FROM dirty WHERE day<?", (day,))
        self._db.execute("DELETE FROM late WHERE day<?", (day,))


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
