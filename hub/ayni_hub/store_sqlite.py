"""The embedded store: one SQLite file, one row a number.

`sample` holds numbers by (series, time); `latest` holds the newest value of every series, also texts and
"the device gives none". Times are kept as whole centiseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from ayni_core.readings import Series, Value
from ayni_hub.store import Sample, Step, StoreError
from ayni_io.sqlite_file import SqliteFile

_SCHEMA = """
CREATE TABLE IF NOT EXISTS series(
    id INTEGER PRIMARY KEY, device TEXT NOT NULL, grp TEXT NOT NULL, item TEXT NOT NULL, metric TEXT NOT NULL,
    UNIQUE(device, grp, item, metric));
CREATE TABLE IF NOT EXISTS sample(
    series INTEGER NOT NULL, at INTEGER NOT NULL, value NOT NULL, PRIMARY KEY(series, at)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latest(series INTEGER PRIMARY KEY, at INTEGER NOT NULL, value);
"""
_VERSION = 1
_STALE = """
SELECT latest.series FROM latest JOIN series ON series.id=latest.series JOIN (
    SELECT device, max(at) AS newest FROM series JOIN latest ON latest.series=series.id GROUP BY device
) AS heard ON heard.device=series.device WHERE latest.at<?1 AND heard.newest>=?1
"""
"""Series that nothing came for since a time, of devices that did speak since."""
_DAY = 86_400 * 100


class SqliteStore:
    """`Store` in one file. Raises `StoreError` where the disk or the file fails."""

    def __init__(self, path: Path) -> None:
        self._ids: dict[str, dict[Series, int]] = {}
        self._swept = 0
        self._file = SqliteFile(path, _SCHEMA, _VERSION, StoreError)
        self._db = self._file.db

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def probe(self, now: float) -> None:
        """See `Store.probe`."""
        self._file.probe(now)

    def write(self, samples: Iterable[Sample]) -> int:
        """Make samples durable in one commit."""
        count = 0
        given: dict[tuple[str, Series], int] = {}  # void if the transaction fails
        device: str | None = None
        ids: dict[Series, int] = {}
        numbers: list[tuple[int, int, Value]] = []
        newest: dict[int, tuple[int, Value]] = {}
        with self._file.failing_as("writing samples"), self._file.transaction():
            for name, series, at, value in samples:
                count += 1
                if name != device:
                    device, ids = name, self._known_of(name)
                identifier = ids.get(series) or given.get((device, series))
                if identifier is None:
                    identifier = given[device, series] = self._identify(device, series)
                ticks = round(at * 100)
                stored = _storable(value)
                if isinstance(stored, int | float):
                    numbers.append((identifier, ticks, stored))
                if identifier not in newest or newest[identifier][0] <= ticks:
                    newest[identifier] = (ticks, stored)
            self._db.executemany("INSERT OR IGNORE INTO sample VALUES(?,?,?)", numbers)
            self._db.executemany(
                "INSERT INTO latest VALUES(?,?,?) ON CONFLICT(series) DO UPDATE"
                " SET at=excluded.at, value=excluded.value WHERE excluded.at >= latest.at",
                [(identifier, at, value) for identifier, (at, value) in newest.items()],
            )
        for (name, series), identifier in given.items():
            self._ids[name][series] = identifier
        return count

    def raw(self, device: str, series: Series, start: float, end: float) -> list[tuple[float, float]]:
        """See `Store.raw`."""
        with self._file.failing_as("reading samples"):
            rows = self._db.execute(
                "SELECT at, value FROM sample WHERE series=? AND at>=? AND at<? ORDER BY at",
                (self._known(device, series), round(start * 100), round(end * 100)),
            ).fetchall()
        return [(at / 100, value) for at, value in rows]

    def steps(self, device: str, series: Series, start: float, end: float, step_s: float) -> list[Step]:
        """See `Store.steps`."""
        first, width = round(start * 100), max(1, round(step_s * 100))
        with self._file.failing_as("reading samples"):
            rows = self._db.execute(
                "SELECT (at-?)/?, min(value), avg(value), max(value) FROM sample"
                " WHERE series=? AND at>=? AND at<? GROUP BY 1 ORDER BY 1",
                (first, width, self._known(device, series), first, round(end * 100)),
            ).fetchall()
        return [Step((first + slot * width) / 100, low, mean, high) for slot, low, mean, high in rows]

    def latest(self, device: str) -> Sequence[tuple[Series, float, Value]]:
        """See `Store.latest`."""
        with self._file.failing_as("reading the newest values"):
            rows = self._db.execute(
                "SELECT grp, item, metric, at, value FROM series JOIN latest ON latest.series=series.id"
                " WHERE device=? ORDER BY grp, item, metric",
                (device,),
            ).fetchall()
        return [(Series(group, item, metric), at / 100, value) for group, item, metric, at, value in rows]

    def names(self, device: str) -> Collection[Series]:
        """See `Store.names`."""
        with self._file.failing_as("reading the names of series"):
            return self._known_of(device).keys()

    def forget_before(self, time: float) -> int:
        """See `Store.forget_before`. Names are looked through once a day."""
        ticks = round(time * 100)
        with self._file.failing_as("forgetting old samples"), self._file.transaction():
            dropped = self._db.execute("DELETE FROM sample WHERE at<?", (ticks,)).rowcount
            if ticks - self._swept >= _DAY:
                self._db.execute(f"DELETE FROM latest WHERE series IN ({_STALE})", (ticks,))  # noqa: S608
                self._db.execute("DELETE FROM series WHERE id NOT IN (SELECT series FROM latest)")
        if ticks - self._swept >= _DAY:
            self._swept = ticks
            self._ids.clear()
        return dropped

    def _known_of(self, device: str) -> dict[Series, int]:
        """The identifiers of a device's series, read once."""
        ids = self._ids.get(device)
        if ids is None:
            rows = self._db.execute("SELECT grp, item, metric, id FROM series WHERE device=?", (device,))
            ids = self._ids[device] = {
                Series(group, item, metric): number for group, item, metric, number in rows
            }
        return ids

    def _known(self, device: str, series: Series) -> int:
        row = self._db.execute(
            "SELECT id FROM series WHERE device=? AND grp=? AND item=? AND metric=?", (device, *series)
        ).fetchone()
        return int(row[0]) if row else -1

    def _identify(self, device: str, series: Series) -> int:
        self._db.execute(
            "INSERT OR IGNORE INTO series(device, grp, item, metric) VALUES(?,?,?,?)", (device, *series)
        )
        return self._known(device, series)


def _storable(value: Value) -> Value:
    """SQLite's integers have 63 bits; a Counter64 beyond that keeps its leading digits as a float."""
    return float(value) if isinstance(value, int) and not -(2**63) <= value < 2**63 else value
