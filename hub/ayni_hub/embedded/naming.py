"""Devices, their series and newest values in a file, by number, and what was read of that in memory.

Of ten thousand devices most have the same names: these are kept once.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Iterator, KeysView

from ayni_core.readings import Series, Value

SCHEMA = """
CREATE TABLE IF NOT EXISTS device(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS latest(series INTEGER PRIMARY KEY, at INTEGER NOT NULL, value);
"""
"""Beside a table `series` with the columns id, device, grp, item and metric, and `heard` of a tail."""
_STALE = """
SELECT latest.series FROM latest JOIN series ON series.id=latest.series JOIN (
    SELECT device, max(at) AS newest FROM series JOIN latest ON latest.series=series.id GROUP BY device
) AS heard ON heard.device=series.device WHERE latest.at<?1 AND heard.newest>=?1
"""
"""Series that nothing came for since a time, of devices that did speak since."""
NOBODY = -1
"""The number of a device that has none."""
Layout = dict[Series, int]
"""Names, and the place of each."""
_MOST_LAYOUTS = 4096


class Numbers:
    """Of one device: name -> number. It never changes; `Naming.of` makes another."""

    __slots__ = ("_layout", "_numbers")

    def __init__(self, layout: Layout, numbers: array[int]) -> None:
        self._layout = layout
        self._numbers = numbers

    def get(self, series: Series) -> int | None:
        """The number of a series; None where it has none."""
        place = self._layout.get(series)
        return None if place is None else self._numbers[place]

    def __getitem__(self, series: Series) -> int:
        return self._numbers[self._layout[series]]

    def __contains__(self, series: object) -> bool:
        return series in self._layout

    def __len__(self) -> int:
        return len(self._numbers)

    def names(self) -> KeysView[Series]:
        """Every series."""
        return self._layout.keys()

    def items(self) -> Iterator[tuple[Series, int]]:
        """(series, number) of every series."""
        return zip(self._layout, self._numbers, strict=True)


class Naming:
    """Makes `Numbers` that share their names."""

    def __init__(self) -> None:
        self._layouts: dict[tuple[Series, ...], Layout] = {}

    def of(self, items: Iterable[tuple[Series, int]]) -> Numbers:
        """Out of (series, number), each series once."""
        pairs = list(items)
        names = tuple(series for series, _number in pairs)
        layout = self._layouts.get(names)
        if layout is None:
            if len(self._layouts) >= _MOST_LAYOUTS:
                self._layouts.clear()  # who has one keeps it
            layout = self._layouts[names] = {series: place for place, series in enumerate(names)}
        return Numbers(layout, array("q", [number for _series, number in pairs]))


class Register:
    """Of one file. Its owner brackets changes and calls `reread` when one failed. Times are ticks."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._devices: dict[str, int] = {}
        self._ids: dict[str, Numbers] = {}
        self._naming = Naming()

    def reread(self) -> None:
        """What is in memory may not be what is in the file."""
        self._devices.clear()
        self._ids.clear()

    def devices(self) -> list[str]:
        """Every device, by name."""
        return [name for (name,) in self._db.execute("SELECT name FROM device ORDER BY name")]

    def number(self, device: str) -> int:
        """The number of a device, or NOBODY."""
        self.of(device)
        return self._devices.get(device, NOBODY)

    def given(self, device: str) -> int:
        """The number of a device; a new one is given. Inside a change."""
        if device not in self._devices:
            self._db.execute("INSERT OR IGNORE INTO device(name) VALUES(?)", (device,))
            row = self._db.execute("SELECT id FROM device WHERE name=?", (device,)).fetchone()
            self._devices[device] = row[0]
        return self._devices[device]

    def of(self, device: str) -> Numbers:
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

    def of_number(self, device: int) -> Numbers:
        """The same of the device with this number."""
        (name,) = self._db.execute("SELECT name FROM device WHERE id=?", (device,)).fetchone()
        return self.of(name)

    def name(self, device: str, wanted: Iterable[Series]) -> Numbers:
        """The numbers of a device's series; those that are new are given one. Inside a change."""
        known = self.of(device)
        new = [series for series in dict.fromkeys(wanted) if series not in known]
        if new:
            number = self.given(device)
            given = []
            for series in new:
                row = self._db.execute(
                    "INSERT INTO series(device, grp, item, metric) VALUES(?,?,?,?)", (number, *series)
                )
                given.append((series, row.lastrowid or 0))
            known = self._ids[device] = self._naming.of([*known.items(), *given])
        return known

    def note(self, newest: Iterable[tuple[int, int, Value]]) -> None:
        """(series, time, value) that may be newer than what is known. Inside a change."""
        self._db.executemany(
            "INSERT INTO latest VALUES(?,?,?) ON CONFLICT(series) DO UPDATE"
            " SET at=excluded.at, value=excluded.value WHERE excluded.at >= latest.at",
            [(series, at, _storable(value)) for series, at, value in newest],
        )

    def newest(self, device: str) -> dict[Series, tuple[int, Value]]:
        """(time, value) that was noted of each series of a device."""
        names = {number: series for series, number in self.of(device).items()}
        rows = self._db.execute(
            "SELECT series, at, value FROM latest JOIN series ON series.id=latest.series WHERE device=?",
            (self.number(device),),
        )
        return {names[number]: (at, value) for number, at, value in rows if number in names}

    def drop_before(self, time: int) -> None:
        """Forget series that nothing came for since a time; `reread` after it. Inside a change."""
        self._db.execute(f"DELETE FROM latest WHERE series IN ({_STALE})", (time,))  # noqa: S608
        self._db.execute(  # what lies in frames only has no newest value in the table yet
            "DELETE FROM series WHERE id NOT IN (SELECT series FROM latest)"
            " AND device NOT IN (SELECT device FROM heard)"
        )


def _storable(value: Value) -> Value:
    """SQLite's integers have 63 bits; a Counter64 beyond that keeps its leading digits as a float."""
    return float(value) if isinstance(value, int) and not -(2**63) <= value < 2**63 else value
