"""`EmbeddedStore`: the port `Store` over frames, blocks and roll-ups in one file."""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ayni_core.columns import ColumnError
from ayni_core.rates import rates, reboots
from ayni_core.readings import Series, Value
from ayni_core.wire.errors import WireError
from ayni_hub.embedded import blocks, rollups, tail
from ayni_hub.embedded.blocks import Blocks
from ayni_hub.embedded.naming import Naming, Numbers
from ayni_hub.embedded.polls import Polls
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
from ayni_hub.embedded.summing import UPTIME, Summing, is_counter, plain
from ayni_hub.embedded.tail import Tail, ticks
from ayni_hub.retention import DEFAULT, Retention
from ayni_hub.store import Kept, Sample, Step, StoreError
from ayni_io.sqlite_file import SqliteFile

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS device(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS series(
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL, grp TEXT NOT NULL, item TEXT NOT NULL,
    metric TEXT NOT NULL, UNIQUE(device, grp, item, metric));
CREATE TABLE IF NOT EXISTS latest(series INTEGER PRIMARY KEY, at INTEGER NOT NULL, value);
{tail.SCHEMA}{blocks.SCHEMA}{rollups.SCHEMA}
"""
_VERSION = 2
_ENOUGH = 24
"""Frames of a node that are taken together; with a report every five minutes that is two hours."""
_MOST_TOGETHER = 96
_OLD_S = 6 * 3600
"""Frames do not wait longer than this for company."""
_LATE_S = _OLD_S + 3600
"""So long after midnight a day is summed up: what was under way has come, and lies in blocks."""
_STALE = """
SELECT latest.series FROM latest JOIN series ON series.id=latest.series JOIN (
    SELECT device, max(at) AS newest FROM series JOIN latest ON latest.series=series.id GROUP BY device
) AS heard ON heard.device=series.device WHERE latest.at<?1 AND heard.newest>=?1
"""
"""Series that nothing came for since a time, of devices that did speak since."""


class EmbeddedStore:
    """`Store` in one file. `gap_s` is the longest time between two samples of a counter that still tells a
    rate. Raises `StoreError` where the disk or the file fails."""

    def __init__(self, path: Path, *, gap_s: float = 900.0, retain: Retention = DEFAULT) -> None:
        self._gap_s = gap_s
        self._retain = retain
        self._devices: dict[str, int] = {}
        self._ids: dict[str, Numbers] = {}
        self._naming = Naming()
        self._swept = 0
        self._file = SqliteFile(path, _SCHEMA, _VERSION, StoreError)
        self._db = self._file.db
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
                    self._name(device, polls.values)
                self._tail.add(kept.frame, ticks(kept.start), kept.body, self._device)
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
                numbers = self._name(name, columns)
                polls = {
                    numbers[series]: [column.get(time) for time in times]
                    for series, column in columns.items()
                }
                self._put(self._device(name), Polls(times, polls))
        return count

    def _put(self, device: int, polls: Polls) -> None:
        """Into blocks, and what follows from it."""
        if not polls.times:
            return
        self._blocks.add(device, polls)
        days = {time // (DAY_S * 100) for time in polls.times}
        self._rollups.mark(device, days)
        self._summing.touched(device, days)
        newest = []
        for series, column in polls.columns.items():
            for time, value in zip(reversed(polls.times), reversed(column), strict=True):
                if value is not None:
                    newest.append((series, time, _storable(value)))
                    break
        self._db.executemany(
            "INSERT INTO latest VALUES(?,?,?) ON CONFLICT(series) DO UPDATE"
            " SET at=excluded.at, value=excluded.value WHERE excluded.at >= latest.at",
            newest,
        )

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
            return [name for (name,) in self._db.execute("SELECT name FROM device ORDER BY name")]

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
            identifier = self._known_of(device).get(series)
            if identifier is None:
                return []
            days: set[int] = set()
            if step_s >= SLOT_S:
                days = self._rollups.days(self._devices[device], -int(-start // DAY_S), int(end // DAY_S))
                days -= self._tail.days(self._devices[device])
            found: Slots = {}
            for run in self._rollups.runs(self._devices[device], identifier, days, start, step_s):
                found = joined(found, regrouped(run, start, step_s))
        for begin, stop in _gaps(start, end, days):
            at, values = self._numbers(device, series, begin - self._gap_s, stop)
            if is_counter(series):  # the first rate needs the sample before it
                at, values = self._rates(device, at, values, begin - self._gap_s, stop)
            first = bisect_left(at, begin)
            if first < len(at):
                found = joined(found, summed(at[first:], values[first:], start, step_s))
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
            number = self._devices[device]
            days = self._rollups.days(number, int(begin // DAY_S), -int(-stop // DAY_S))
            for run in self._rollups.runs(number, series, days, start, min(step_s, HOUR_S - 1)):
                found = joined(found, regrouped(run.between(begin, stop), start, step_s))
        return found

    def latest(self, device: str, *, quick: bool = False) -> Sequence[tuple[Series, float, Value]]:
        """See `Store.latest`. Quick: of frames that wait as many are opened as its last full poll takes."""
        with self._reading("reading the newest values"):
            names = {identifier: series for series, identifier in self._known_of(device).items()}
            same = {series: series for series in names.values()}  # of what devices share there is one
            rows = self._db.execute(
                "SELECT series, at, value FROM latest JOIN series ON series.id=latest.series WHERE device=?",
                (self._devices.get(device, -1),),
            )
            found: dict[Series, tuple[int, Value]] = {
                names[identifier]: (at, value) for identifier, at, value in rows if identifier in names
            }
            for start, polls in self._tail.newest(self._devices.get(device, -1), device):
                for series, column in polls.values.items():
                    for at_s, value in zip(reversed(polls.times_s), reversed(column), strict=True):
                        if value is not None:
                            time = start + ticks(at_s)
                            if series not in found or found[series][0] < time:
                                found[same.get(series, series)] = (time, value)
                            break
                if quick and UPTIME in polls.values:
                    break
        at = {time: time / 100 for time, _value in found.values()}
        return [(series, at[found[series][0]], found[series][1]) for series in sorted(found)]

    def names(self, device: str) -> Collection[Series]:
        """See `Store.names`."""
        with self._reading("reading the names of series"):
            return self._known_of(device).names()

    def span(self, device: str) -> tuple[float, float] | None:
        """The times of the first and the last poll of a device that is kept; None where none is."""
        with self._reading("reading times"):
            self._known_of(device)
            first, last = self._db.execute(
                "SELECT min(first), max(last) FROM (SELECT first, last FROM block WHERE device=?1"
                " UNION ALL SELECT first, last FROM heard WHERE device=?1)",
                (self._devices.get(device, -1),),
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
            identifier = self._known_of(device).get(series)
            if identifier is None:
                return [], []
            old = self._blocks.read(self._devices[device], identifier, first, end)
            new = list(self._tail.read(self._devices[device], device, series, first, end))
        if not new:
            return old
        merged = dict(zip(*old, strict=True))
        for time, value in new:
            merged.setdefault(time, value)
        times = sorted(merged)
        return times, [merged[time] for time in times]

    def _rates(
        self, device: str, at: list[float], values: list[float], start: float, end: float
    ) -> tuple[list[float], list[float]]:
        """Times and rates a second of a counter."""
        restarts = list(reboots(self.raw(device, UPTIME, start, end)))
        found = list(rates(zip(at, values, strict=True), max_gap_s=self._gap_s, reboots=restarts))
        return [time for time, _rate in found], [rate for _time, rate in found]

    # ---- upkeep

    def upkeep(self, now: float) -> bool:
        """See `Store.upkeep`: compact one node, or sum up some series of a device."""
        with self._reading("looking after the store"):
            node = self._tail.fullest(_ENOUGH) or self._tail.oldest_before(ticks(now - _OLD_S))
            if node is None:
                return self._summing.go_on(int((now - _LATE_S) // DAY_S), self._known_by_number)
        self._compact(node)
        return True

    def _compact(self, node: str) -> None:
        with self._changing("compacting"):
            taken = self._tail.of_node(node, _MOST_TOGETHER)
            found: dict[str, tuple[list[int], dict[int, list[Value]]]] = {}
            for _identifier, start, frame in taken:
                for name, polls in frame.devices.items():
                    times, columns = found.setdefault(name, ([], {}))
                    numbers = self._name(name, polls.values)
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
                self._put(self._device(name), Polls.of(times, columns))
            self._tail.drop([identifier for identifier, _start, _frame in taken])

    def _known_by_number(self, device: int) -> Numbers:
        (name,) = self._db.execute("SELECT name FROM device WHERE id=?", (device,)).fetchone()
        return self._known_of(name)

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
                self._db.execute(f"DELETE FROM latest WHERE series IN ({_STALE})", (at,))  # noqa: S608
                self._db.execute(  # what lies in frames only has no newest value in the table yet
                    "DELETE FROM series WHERE id NOT IN (SELECT series FROM latest)"
                    " AND device NOT IN (SELECT device FROM heard)"
                )
                self._blocks.sweep()
                day = at // (DAY_S * 100) + self._retain.samples_days
                self._rollups.drop_before(day - self._retain.steps_days, day - self._retain.long_days)
        if at - self._swept >= DAY_S * 100:
            self._swept = at
            self._ids.clear()
        return dropped

    # ---- names

    def _name(self, device: str, wanted: Iterable[Series]) -> Numbers:
        """The numbers of a device's series; new ones are given. Inside a change."""
        known = self._known_of(device)
        new = [series for series in wanted if series not in known]
        if new:
            number = self._device(device)
            given = []
            for series in new:
                row = self._db.execute(
                    "INSERT INTO series(device, grp, item, metric) VALUES(?,?,?,?)", (number, *series)
                )
                given.append((series, row.lastrowid or 0))
            known = self._ids[device] = self._naming.of([*known.items(), *given])
        return known

    def _device(self, name: str) -> int:
        """The number of a device; a new one is given. Inside a change."""
        if name not in self._devices:
            self._db.execute("INSERT OR IGNORE INTO device(name) VALUES(?)", (name,))
            row = self._db.execute("SELECT id FROM device WHERE name=?", (name,)).fetchone()
            self._devices[name] = row[0]
        return self._devices[name]

    def _known_of(self, device: str) -> Numbers:
        """The numbers of a device's series, read once."""
        ids = self._ids.get(device)
        if ids is None:
            row = self._db.execute("SELECT id FROM device WHERE name=?", (device,)).fetchone()
            if row is None:
                return self._naming.of(())
            self._devices[device] = row[0]
            rows = self._db.execute(
                "SELECT grp, item, metric, id FROM series WHERE device=? ORDER BY grp, item, metric", row
            )
            ids = self._ids[device] = self._naming.of(
                (Series(group, item, metric), number) for group, item, metric, number in rows
            )
        return ids

    @contextmanager
    def _changing(self, attempt: str) -> Iterator[None]:
        """One transaction. When it fails, what is in memory of names is read anew."""
        try:
            with self._reading(attempt), self._file.transaction():
                yield
        except BaseException:
            self._ids.clear()
            self._devices.clear()
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


def _storable(value: Value) -> Value:
    """SQLite's integers have 63 bits; a Counter64 beyond that keeps its leading digits as a float."""
    return float(value) if isinstance(value, int) and not -(2**63) <= value < 2**63 else value
