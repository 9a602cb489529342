"""The newest frames, as they came: what is not in blocks yet."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

from ayni_core.readings import Series, Value
from ayni_core.wire import codec
from ayni_core.wire.frame import DevicePolls, Frame

SCHEMA = """
CREATE TABLE IF NOT EXISTS frame(id INTEGER PRIMARY KEY, node TEXT NOT NULL, epoch TEXT NOT NULL,
    seq INTEGER NOT NULL, start INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE(node, epoch, seq));
CREATE TABLE IF NOT EXISTS heard(device INTEGER NOT NULL, first INTEGER NOT NULL, frame INTEGER NOT NULL,
    last INTEGER NOT NULL, PRIMARY KEY(device, first, frame)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS heard_in ON heard(frame);
CREATE INDEX IF NOT EXISTS frame_start ON frame(start, node);
"""
_DAY = 86_400 * 100
_KEPT_OPEN = 48
"""So many frames stay unpacked for whoever asks for one series after the other."""
_LONGEST = 30 * 86_400 * 100
"""No frame spans more; in hundredths of a second."""


class Tail:
    """All frames of a file that no block holds. The owner brackets changes with transactions."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._open: OrderedDict[int, tuple[int, Frame]] = OrderedDict()

    def add(self, frame: Frame, start: int, body: bytes, device_id: Callable[[str], int]) -> None:
        """Keep a frame; one that is kept already stays as it is."""
        row = self._db.execute(
            "INSERT OR IGNORE INTO frame(node, epoch, seq, start, body) VALUES(?,?,?,?,?)",
            (frame.node, frame.epoch, frame.seq, start, body),
        )
        if row.rowcount:
            self._db.executemany(
                "INSERT INTO heard VALUES(?,?,?,?)",
                [
                    (device_id(name), start + ticks(polls.times_s[0]), row.lastrowid,
                     start + ticks(polls.times_s[-1]))
                    for name, polls in frame.devices.items()
                    if polls.times_s
                ],
            )  # fmt: skip

    def read(
        self, device: int, name: str, series: Series, first: int, end: int
    ) -> Iterator[tuple[int, Value]]:
        """(time, value) of one series, first <= time < end, frame by frame."""
        for start, polls in self.polls(device, name, first, end):
            column = polls.values.get(series)
            if column is not None:
                for at_s, value in zip(polls.times_s, column, strict=True):
                    time = start + ticks(at_s)
                    if value is not None and first <= time < end:
                        yield time, value

    def polls(self, device: int, name: str, first: int, end: int) -> Iterator[tuple[int, DevicePolls]]:
        """(start, polls) of a device in every frame that reaches into first <= time < end, as they came."""
        for (identifier,) in self._db.execute(
            "SELECT frame FROM heard WHERE device=? AND first<? AND first>=? AND last>=? ORDER BY frame",
            (device, end, first - _LONGEST, first),
        ).fetchall():
            start, frame = self._opened(identifier)
            if name in frame.devices:
                yield start, frame.devices[name]

    def days(self, device: int) -> set[int]:
        """Days since 1970 that frames of a device have something of."""
        spans = self._db.execute("SELECT first, last FROM heard WHERE device=?", (device,)).fetchall()
        return {day for first, last in spans for day in range(first // _DAY, last // _DAY + 1)}

    def newest(self, device: int, name: str) -> Iterator[tuple[int, DevicePolls]]:
        """(start, polls) of a device in every frame, the newest first."""
        rows = self._db.execute(
            "SELECT frame FROM heard WHERE device=? ORDER BY last DESC, frame DESC", (device,)
        ).fetchall()
        for (identifier,) in rows:
            start, frame = self._opened(identifier)
            if name in frame.devices:
                yield start, frame.devices[name]

    def of_node(self, node: str, most: int) -> list[tuple[int, int, Frame]]:
        """(number, start, frame) of a node's oldest frames, as they came."""
        return [
            (identifier, start, codec.decode(body))
            for identifier, start, body in self._db.execute(
                "SELECT id, start, body FROM frame WHERE node=? ORDER BY id LIMIT ?", (node, most)
            ).fetchall()
        ]

    def fullest(self, least: int) -> str | None:
        """The node with most frames, if these are so many."""
        row = self._db.execute(
            "SELECT node, count(*) AS n FROM frame GROUP BY node HAVING n>=? ORDER BY n DESC LIMIT 1",
            (least,),
        ).fetchone()
        return str(row[0]) if row else None

    def oldest_before(self, time: int) -> str | None:
        """A node that has a frame which began before a time and waits."""
        row = self._db.execute(
            "SELECT node FROM frame WHERE start<? ORDER BY start LIMIT 1", (time,)
        ).fetchone()
        return str(row[0]) if row else None

    def drop(self, identifiers: Sequence[int]) -> None:
        """These are in blocks now."""
        self._db.executemany("DELETE FROM heard WHERE frame=?", [(each,) for each in identifiers])
        self._db.executemany("DELETE FROM frame WHERE id=?", [(each,) for each in identifiers])
        for each in identifiers:
            self._open.pop(each, None)

    def _opened(self, identifier: int) -> tuple[int, Frame]:
        found = self._open.get(identifier)
        if found is None:
            start, body = self._db.execute(
                "SELECT start, body FROM frame WHERE id=?", (identifier,)
            ).fetchone()
            found = self._open[identifier] = (start, codec.decode(body))
            while len(self._open) > _KEPT_OPEN:
                self._open.popitem(last=False)
        else:
            self._open.move_to_end(identifier)
        return found


def ticks(seconds: float) -> int:
    """Hundredths of a second."""
    return round(seconds * 100)
