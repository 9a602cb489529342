"""`EmbeddedStore`: the port `Store` over frames, blocks and roll-ups in one file."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ayni_core.columns import ColumnError
from ayni_core.readings import UPTIME, Series, Value
from ayni_core.wire.errors import WireError
from ayni_hub import queries
from ayni_hub.embedded import blocks, naming, rollups, tail
from ayni_hub.embedded.blocks import Blocks
from ayni_hub.embedded.naming import Register
from ayni_hub.embedded.polls import Polls, last_of
from ayni_hub.embedded.rollups import (
    DAY_S,
    HOUR_S,
    SLOT_S,
    Rollups,
    Slots,
    joined,
    regrouped,
    summed,
)
from ayni_hub.embedded.summing import Summing, is_counter, plain
from ayni_hub.embedded.tail import Tail, ticks
from ayni_hub.retention import DEFAULT, Retention
from ayni_hub.store import Kept, Sample, Step, StoreError
from ayni_io.sqlite_file import SqliteFile

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS series(
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL, grp TEXT NOT NULL, item TEXT NOT NULL,
    metric TEXT NOT NULL, UNIQUE(device, grp, item, metric));
{naming.SCHEMA}{tail.SCHEMA}{blocks.SCHEMA}{rollups.SCHEMA}
"""
_VERSION = 2
_ENOUGH = 24
"""Frames of a node that are taken together; with a report every five minutes that is two hours."""
_MOST_TOGETHER = 96
_OLD_S = 6 * 3600
"""Frames do not wait longer than this for company."""
_LATE_S = _OLD_S + 3600
"""So long after midnight a day is summed up: what was under way has come, and lies in blocks."""


class EmbeddedStore:
    """`Store` in one file. `gap_s` is the longest time between two samples of a counter that still tells a
    rate. Raises `StoreError` where the disk or the file fails."""

    def __init__(self, path: Path, *, gap_s: float = 900.0, retain: Retention = DEFAULT) -> None:
        self._gap_s = gap_s
        self._retain = retain
        self._swept = 0
        self._file = SqliteFile(path, _SCHEMA, _VERSION, StoreError)
        self._db = self._file.db
        self._register = Register(self._db)
        self._tail, self._blocks, self._rollups = Tail(self._db), Blocks(self._db), Rollups(self._db)
        self._summing = Summing(self._blocks, self._rollups, self._changing, gap_s)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def probe(self, now: float) -> None:
        """See `Store.probe`."""
        self._file.probe(now)

    # ---- in

    def keep(self, frames: Sequence[Kept]) -> int:
        """See `Store.keep`: one row a frame, and its names."""
        with self._changing("writing samples"):
            for kept in frames:
                for device, polls in kept.frame.devices.items():
                    self._register.name(device, polls.values)
                self._tail.add(kept.frame, ticks(kept.start), kept.body, self._register.given)
        return sum(kept.frame.count() for kept in frames)

    def write(self, samples: Iterable[Sample]) -> int:
        """See `Store.write`: straight into blocks."""
        count = 0
        found: dict[str, dict[Series, dict[int, Value]]] = {}
        for device, series, at, value in samples:
            count += 1
            found.setdefault(device, {}).setdefault(series, {}).setdefault(ticks(at), value)
        with self._changing("writing samples"):
            for name, columns in found.items():
                times = sorted({time for column in columns.values() for time in column})
                numbers = self._register.name(name, columns)
                polls = {
                    numbers[series]: [column.get(time) for time in times]
                    for series, column in columns.items()
                }
                self._put(self._register.given(name), Polls(times, polls))
        return count

    def _put(self, device: int, polls: Polls) -> None:
        """Into blocks, and what follows from it."""
        if not polls.times:
            return
        self._blocks.add(device, polls)
        days = {time // (DAY_S * 100) for time in polls.times}
        self._rollups.mark(device, days)
        self._summing.touched(device, days)
        self._register.note(last_of(polls.times, polls.columns))

    # ---- out

    @contextmanager
    def at_one_moment(self) -> Iterator[None]:
        """What is read inside is as of one moment; another process may compact meanwhile."""
        with self._reading("reading samples"):
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                self._db.execute("ROLLBACK")

    def devices(self) -> Sequence[str]:
        """See `Store.devices`."""
        with self._reading("reading the names of devices"):
            return self._register.devices()

    def values(self, device: str, series: Series, start: float, end: float) -> Sequence[tuple[float, Value]]:
        """See `Store.values`."""
        times, values = self._values(device, series, ticks(start), ticks(end))
        return [(time / 100, value) for time, value in zip(times, values, strict=True)]

    def raw(self, device: str, series: Series, start: float, end: float) -> list[tuple[float, float]]:
        """See `Store.raw`."""
        at, values = self._numbers(device, series, start, end)
        return list(zip(at, values, strict=True))

    def steps(self, device: str, series: Series, start: float, end: float, step_s: float) -> list[Step]:
        """See `Store.steps`. Whole days come from roll-ups where the steps are long enough."""
        with self._reading("reading samples"):
            identifier = self._register.of(device).get(series)
            if identifier is None:
                return []
            days: set[int] = set()
            if step_s >= SLOT_S:
                days = self._rollups.days(
                    self._register.number(device), -int(-start // DAY_S), int(end // DAY_S)
                )
                days -= self._tail.days(self._register.number(device))
            found: Slots = {}
            for run in self._rollups.runs(self._register.number(device), identifier, days, start, step_s):
                found = joined(found, regrouped(run, start, step_s))
        for begin, stop in _gaps(start, end, days):
            if is_counter(series):
                per_s = queries.rate(self, device, series, begin, stop, max_gap_s=self._gap_s)
                at, values = [time for time, _rate in per_s], [rate for _time, rate in per_s]
            else:
                at, values = self._numbers(device, series, begin, stop)
            if at:
                found = joined(found, summed(at, values, start, step_s))
            else:
                found = joined(found, self._part_of_days(device, identifier, begin, stop, start, step_s))
        return [
            Step(start + number * step_s, slot.low, slot.total / slot.n, slot.high)
            for number, slot in sorted(found.items())
        ]

    def _part_of_days(
        self, device: str, series: int, begin: float, stop: float, start: float, step_s: float
    ) -> Slots:
        """Of days whose samples are gone, what is left of a part."""
        found: Slots = {}
        with self._reading("reading samples"):
            number = self._register.number(device)
            days = self._rollups.days(number, int(begin // DAY_S), -int(-stop // DAY_S))
            for run in self._rollups.runs(number, series, days, start, min(step_s, HOUR_S - 1)):
                found = joined(found, regrouped(run.between(begin, stop), start, step_s))
        return found

    def latest(self, device: str, *, quick: bool = False) -> Sequence[tuple[Series, float, Value]]:
        """See `Store.latest`. Quick: of frames that wait as many are opened as its last full poll takes."""
        with self._reading("reading the newest values"):
            found = self._register.newest(device)
            same = {series: series for series in self._register.of(device).names()}  # devices share names
            for start, polls in self._tail.newest(self._register.number(device), device):
                for series, at_s, value in last_of(polls.times_s, polls.values):
                    time = start + ticks(at_s)
                    if series not in found or found[series][0] < time:
                        found[same.get(series, series)] = (time, value)
                if quick and UPTIME in polls.values:
                    break
        at = {time: time / 100 for time, _value in found.values()}
        return [(series, at[found[series][0]], found[series][1]) for series in sorted(found)]

    def names(self, device: str) -> Collection[Series]:
        """See `Store.names`."""
        with self._reading("reading the names of series"):
            return self._register.of(device).names()

    def span(self, device: str) -> tuple[float, float] | None:
        """The times of the first and the last poll of a device that is kept; None where none is."""
        with self._reading("reading times"):
            first, last = self._db.execute(
                "SELECT min(first), max(last) FROM (SELECT first, last FROM block WHERE device=?1"
                " UNION ALL SELECT first, last FROM heard WHERE device=?1)",
                (self._register.number(device),),
            ).fetchone()
        return None if first is None else (first / 100, last / 100)

    def _numbers(
        self, device: str, series: Series, start: float, end: float
    ) -> tuple[list[float], list[float]]:
        """Times and numbers in order; texts are left out."""
        times, values = self._values(device, series, ticks(start), ticks(end))
        return plain(times, values)

    def _values(self, device: str, series: Series, first: int, end: int) -> tuple[list[int], list[Value]]:
        """Times and values in order; blocks and frames together."""
        with self._reading("reading samples"):
            identifier = self._register.of(device).get(series)
            if identifier is None:
                return [], []
            old = self._blocks.read(self._register.number(device), identifier, first, end)
            new = list(self._tail.read(self._register.number(device), device, series, first, end))
        if not new:
            return old
        merged = dict(zip(*old, strict=True))
        for time, value in new:
            merged.setdefault(time, value)
        times = sorted(merged)
        return times, [merged[time] for time in times]

    # ---- upkeep

    def upkeep(self, now: float) -> bool:
        """See `Store.upkeep`: compact one node, or sum up some series of a device."""
        with self._reading("looking after the store"):
            node = self._tail.fullest(_ENOUGH) or self._tail.oldest_before(ticks(now - _OLD_S))
            if node is None:
                return self._summing.go_on(int((now - _LATE_S) // DAY_S), self._register.of_number)
        self._compact(node)
        return True

    def _compact(self, node: str) -> None:
        with self._changing("compacting"):
            taken = self._tail.of_node(node, _MOST_TOGETHER)
            found: dict[str, tuple[list[int], dict[int, list[Value]]]] = {}
            for _identifier, start, frame in taken:
                for name, polls in frame.devices.items():
                    times, columns = found.setdefault(name, ([], {}))
                    numbers = self._register.name(name, polls.values)
                    before = len(times)
                    times += [start + ticks(at_s) for at_s in polls.times_s]
                    for series, column in polls.values.items():
                        own = columns.get(numbers[series])
                        if own is None:
                            own = columns[numbers[series]] = []
                        own += [None] * (before - len(own))
                        own += column
            for name, (times, columns) in found.items():
                for column in columns.values():
                    column += [None] * (len(times) - len(column))
                self._put(self._register.given(name), Polls.of(times, columns))
            self._tail.drop([identifier for identifier, _start, _frame in taken])

    def newest(self) -> float | None:
        """See `Store.newest`."""
        with self._reading("reading the newest time"):
            (at,) = self._db.execute(
                "SELECT max(at) FROM (SELECT max(last) AS at FROM block UNION SELECT max(last) FROM heard)"
            ).fetchone()
        return None if at is None else at / 100

    def forget_before(self, time: float) -> int:
        """See `Store.forget_before`. Names are looked through once a day."""
        at = ticks(time)
        with self._changing("forgetting old samples"):
            dropped = self._blocks.drop_before(at)
            if at - self._swept >= DAY_S * 100:
                self._register.drop_before(at)
                self._blocks.sweep()
                day = at // (DAY_S * 100) + self._retain.samples_days
                self._rollups.drop_before(day - self._retain.steps_days, day - self._retain.long_days)
        if at - self._swept >= DAY_S * 100:
            self._swept = at
            self._register.reread()
        return dropped

    @contextmanager
    def _changing(self, attempt: str) -> Iterator[None]:
        """One transaction. When it fails, what is in memory of names is read anew."""
        try:
            with self._reading(attempt), self._file.transaction():
                yield
        except BaseException:
            self._register.reread()
            self._summing.drop()
            raise

    @contextmanager
    def _reading(self, attempt: str) -> Iterator[None]:
        try:
            with self._file.failing_as(attempt):
                yield
        except (ColumnError, WireError, TypeError, LookupError) as damaged:
            raise StoreError(f"{attempt}: the file is damaged: {damaged}") from damaged
        except sqlite3.Error as problem:  # pragma: no cover  failing_as names these
            raise StoreError(f"{attempt}: {problem}") from problem


def _gaps(start: float, end: float, days: Collection[int]) -> Iterator[tuple[float, float]]:
    """What is left of a span without these whole days."""
    begin = start
    for day in sorted(days):
        if day * DAY_S > begin:
            yield begin, day * DAY_S
        begin = max(begin, (day + 1) * DAY_S)
    if begin < end:
        yield begin, end
