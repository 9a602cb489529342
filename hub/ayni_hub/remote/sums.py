"""Days of counters that were summed up, in the spool's file: it takes their samples to do so again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

SCHEMA = """
CREATE TABLE IF NOT EXISTS summed(device INTEGER NOT NULL, day INTEGER NOT NULL, series INTEGER NOT NULL,
    body BLOB NOT NULL, PRIMARY KEY(device, day, series)) WITHOUT ROWID;
"""


class Sums:
    """The owner brackets changes with transactions, and calls `recall` after one that failed."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._there: set[tuple[int, int]] = set()
        self._changes: dict[int, int] = {}
        self.recall()

    def recall(self) -> None:
        """What is in memory of the file is read anew."""
        self._there = set(self._db.execute("SELECT DISTINCT device, day FROM summed"))

    def read(self, device: int, series: int, first: int, end: int) -> dict[int, bytes]:
        """Days first <= day < end of a series."""
        return dict(
            self._db.execute(
                "SELECT day, body FROM summed WHERE device=? AND day>=? AND day<? AND series=?",
                (device, first, end, series),
            )
        )

    def changes(self, device: int) -> int:
        """How often something came of a device: whoever sums up looks before he reads."""
        return self._changes.get(device, 0)

    def keep(self, device: int, series: int, found: Mapping[int, bytes], since: int) -> None:
        """Keep days, unless something came of the device `since` then."""
        if self.changes(device) == since:
            self._db.executemany(
                "INSERT OR REPLACE INTO summed VALUES(?,?,?,?)",
                [(device, day, series, body) for day, body in found.items()],
            )
            self._there |= {(device, day) for day in found}

    def spoil(self, device: int, days: Iterable[int]) -> None:
        """Something came for these days."""
        self._changes[device] = self._changes.get(device, 0) + 1
        for day in days:
            for each in (day, day + 1):  # the first rate of a day comes from the day before
                if (device, each) in self._there:
                    self._db.execute("DELETE FROM summed WHERE device=? AND day=?", (device, each))
                    self._there.discard((device, each))

    def forget_before(self, day: int) -> None:
        """Drop what is older."""
        self._db.execute("DELETE FROM summed WHERE day<?", (day,))
