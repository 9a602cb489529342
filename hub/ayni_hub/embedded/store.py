"""`EmbeddedStore`: the port `Store` over frames, blocks and roll-ups in one file."""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, compress
from pathlib import Path

from ayni_core.columns import ColumnError
from ayni_core.metrics import METRICS
from ayni_core.rates import rates, reboots
from ayni_core.readings import Series, Value
from ayni_core.wire.errors import WireError
from ayni_hub.embedded import blocks, rollups, tail
from ayni_hub.embedded.blocks import Blocks
from ayni_hub.embedded.polls import Polls
from ayni_hub.embedded.rollups import (
    DAY_S,
    HOUR_S,
    MONTH_DAYS,
    SLOT_S,
    Rollups,
    Run,
    Slots,
    joined,
    regrouped,
    summed,
)
from ayni_hub.embedded.tail import Tail, ticks
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
_UPTIME = Series("system", "", "uptime_s")
_EVER = 10**15
_SLOT_DAYS, _HOUR_DAYS = 365, 3650
"""Beyond samples: so long steps of five minutes and of an hour are kept."""
_STALE = """
SELECT latest.series FROM latest JOIN series ON series.id=latest.series JOIN (
    SELECT device, max(at) AS newest FROM series JOIN latest ON latest.series=series.id GROUP BY device
) AS heard ON heard.device=series.device WHERE latest.at<?1 AND heard.newest>=?1
"""
"""Series that nothing came for since a time, of devices that did speak since."""


class EmbeddedStore:
    """`Store` in one file. `gap_s` is the longest time between two samples of a counter that still tells a
    rate. Raises `StoreError` where the disk or the file fails."""

    def __init__(self, path: Path, *, gap_s: float = 900.0) -> None:
        self._gap_s = gap_s
        self._devices: dict[str, int] = {}
        self._ids: dict[str, dict[Series, int]] = {}
        self._swept = 0
        self._file = SqliteFile(path, _SCHEMA, _VERSION, StoreError)
        self._db = self._file.db
        self._tail, self._blocks, self._rollups = Tail(self._db), Blocks(self._db), Rollups(self._db)

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
        self._rollups.mark(device, {time // (DAY_S * 100) for time in polls.times})
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

    def devices(self) -> Sequence[str]:
        """See `Store.devices`."""
        with self._reading("reading the names of devices"):
            return [name for (name,) in self._db.execute("SELECT name FROM device ORDER BY name")]

    def values(self, device: str, series: Series, start: float, end: float) -> Sequence[tuple[float, Value]]:
        """See `Store.values`."""
        return [(time / 100, value) for time, value in self._values(device, series, ticks(start), ticks(end))]

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
            found: Slots = {}
            for run in self._runs(device, identifier, days, step_s):
                found = joined(found, regrouped(run, start, step_s))
        for begin, stop in _gaps(start, end, days):
            at, values = self._numbers(device, series, begin - self._gap_s, stop)
            if _is_counter(series):  # the first rate needs the sample before it
                at, values = self._rates(device, at, values, begin - self._gap_s, stop)
            first = bisect_left(at, begin)
            found = joined(found, summed(at[first:], values[first:], start, step_s))
        return [
            Step(start + number * step_s, slot.low, slot.total / slot.n, slot.high)
            for number, slot in sorted(found.items())
        ]

    def _runs(self, device: str, series: int, days: Collection[int], step_s: float) -> Iterator[Run]:
        """What is summed up of these days."""
        if step_s < HOUR_S:
            for day in sorted(days):
                run = self._rollups.slots(self._devices[device], series, day)
                if run is not None:
                    yield run
            return
        for month in sorted({day // MONTH_DAYS for day in days}):
            run = self._rollups.hours(series, month)
            if run is not None and run.at:
                yield run.on(days)

    def latest(self, device: str) -> Sequence[tuple[Series, float, Value]]:
        """See `Store.latest`."""
        with self._reading("reading the newest values"):
            names = {identifier: series for series, identifier in self._known_of(device).items()}
            rows = self._db.execute(
                "SELECT series, at, value FROM latest JOIN series ON series.id=latest.series WHERE device=?",
                (self._devices.get(device, -1),),
            )
            found: dict[Series, tuple[int, Value]] = {
                names[identifier]: (at, value) for identifier, at, value in rows if identifier in names
            }
            for start, polls in self._tail.polls(self._devices.get(device, -1), device, -_EVER, _EVER):
                for series, column in polls.values.items():
                    for at_s, value in zip(reversed(polls.times_s), reversed(column), strict=True):
                        if value is not None:
                            time = start + ticks(at_s)
                            if series not in found or found[series][0] <= time:
                                found[series] = (time, value)
                            break
        return [(series, found[series][0] / 100, found[series][1]) for series in sorted(found)]

    def names(self, device: str) -> Collection[Series]:
        """See `Store.names`."""
        with self._reading("reading the names of series"):
            return self._known_of(device).keys()

    def _numbers(
        self, device: str, series: Series, start: float, end: float
    ) -> tuple[list[float], list[float]]:
        """Times and numbers in order; texts are left out."""
        found = self._values(device, series, ticks(start), ticks(end))
        at = [time / 100 for time, _value in found]
        values = [value for _time, value in found]
        if set(map(type, values)) <= {int, float}:
            return at, values  # type: ignore[return-value]  # as was just seen
        numbers = [isinstance(value, int | float) for value in values]
        return list(compress(at, numbers)), list(compress(values, numbers))  # type: ignore[arg-type]

    def _values(self, device: str, series: Series, first: int, end: int) -> list[tuple[int, Value]]:
        """(time, value) in order; blocks and frames together."""
        with self._reading("reading samples"):
            identifier = self._known_of(device).get(series)
            if identifier is None:
                return []
            old = self._blocks.read(self._devices[device], identifier, first, end)
            new = list(self._tail.read(self._devices[device], device, series, first, end))
        if not new:
            return old
        merged: dict[int, Value] = {}
        for time, value in chain(old, new):
            merged.setdefault(time, value)
        return sorted(merged.items())

    def _rates(
        self, device: str, at: list[float], values: list[float], start: float, end: float
    ) -> tuple[list[float], list[float]]:
        """Times and rates a second of a counter."""
        restarts = list(reboots(self.raw(device, _UPTIME, start, end)))
        found = list(rates(zip(at, values, strict=True), max_gap_s=self._gap_s, reboots=restarts))
        return [time for time, _rate in found], [rate for _time, rate in found]

    # ---- upkeep

    def upkeep(self, now: float) -> bool:
        """See `Store.upkeep`: compact one node, or sum up one day of a device."""
        with self._reading("looking after the store"):
            node = self._tail.fullest(_ENOUGH) or self._tail.oldest_before(ticks(now - _OLD_S))
            due = None if node else self._rollups.due(int((now - _LATE_S) // DAY_S))
        if node is not None:
            self._compact(node)
        elif due is not None:
            self._sum_up(*due)
        return node is not None or due is not None

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

    def _sum_up(self, device: int, day: int) -> None:
        begin, end = day * DAY_S * 100, (day + 1) * DAY_S * 100
        early = begin - ticks(self._gap_s)  # the first rate of a day needs the sample before it
        with self._changing("summing up a day"):
            (name,) = self._db.execute("SELECT name FROM device WHERE id=?", (device,)).fetchone()
            known = self._known_of(name)
            polls = self._blocks.of_device(device, early, end)
            uptimes = _numbers_of(polls.between(known.get(_UPTIME, 0), early, end))
            restarts = list(reboots(uptimes))
            found = {}
            for series, identifier in known.items():
                samples = _numbers_of(polls.between(identifier, early, end))
                if _is_counter(series):
                    samples = list(rates(samples, max_gap_s=self._gap_s, reboots=restarts))
                first = bisect_left(samples, (begin / 100,))
                at = [time for time, _value in samples[first:]]
                if at:
                    values = [value for _time, value in samples[first:]]
                    found[identifier] = summed(at, values, begin / 100, SLOT_S)
            self._rollups.keep(device, day, found)

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
                self._db.execute("DELETE FROM series WHERE id NOT IN (SELECT series FROM latest)")
                self._blocks.sweep()
                day = at // (DAY_S * 100)
                self._rollups.drop_before(day - _SLOT_DAYS, day - _HOUR_DAYS)
        if at - self._swept >= DAY_S * 100:
            self._swept = at
            self._ids.clear()
        return dropped

    # ---- names

    def _name(self, device: str, wanted: Iterable[Series]) -> dict[Series, int]:
        """The numbers of a device's series; new ones are given. Inside a change."""
        known = self._known_of(device)
        new = [series for series in wanted if series not in known]
        if new:
            number = self._device(device)
            for series in new:
                row = self._db.execute(
                    "INSERT INTO series(device, grp, item, metric) VALUES(?,?,?,?)", (number, *series)
                )
                known[series] = row.lastrowid or 0
        return known

    def _device(self, name: str) -> int:
        """The number of a device; a new one is given. Inside a change."""
        if name not in self._devices:
            self._db.execute("INSERT OR IGNORE INTO device(name) VALUES(?)", (name,))
            row = self._db.execute("SELECT id FROM device WHERE name=?", (name,)).fetchone()
            self._devices[name] = row[0]
        return self._devices[name]

    def _known_of(self, device: str) -> dict[Series, int]:
        """The numbers of a device's series, read once."""
        ids = self._ids.get(device)
        if ids is None:
            row = self._db.execute("SELECT id FROM device WHERE name=?", (device,)).fetchone()
            if row is None:
                return self._ids.setdefault(device, {})
            self._devices[device] = row[0]
            rows = self._db.execute("SELECT grp, item, metric, id FROM series WHERE device=?", row)
            ids = self._ids[device] = {
                Series(group, item, metric): number for group, item, metric, number in rows
            }
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


def _is_counter(series: Series) -> bool:
    metric = METRICS.get(series.metric)
    return metric is not None and metric.kind == "counter"


def _numbers_of(samples: Iterable[tuple[int, Value]]) -> list[tuple[float, float]]:
    return [(time / 100, value) for time, value in samples if isinstance(value, int | float)]


def _storable(value: Value) -> Value:
    """SQLite's integers have 63 bits; a Counter64 beyond that keeps its leading digits as a float."""
    return float(value) if isinstance(value, int) and not -(2**63) <= value < 2**63 else value
