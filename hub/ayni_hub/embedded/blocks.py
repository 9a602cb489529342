"""Blocks in the file: a device's polls, packed column by column, and read back one series at a time."""

from __future__ import annotations

import sqlite3
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import compress

from ayni_core import columns
from ayni_core.columns import ColumnError
from ayni_core.readings import Value
from ayni_hub.embedded.polls import Polls

SCHEMA = """
CREATE TABLE IF NOT EXISTS layout(id INTEGER PRIMARY KEY, body BLOB NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS block(id INTEGER PRIMARY KEY, device INTEGER NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL, polls INTEGER NOT NULL, layout INTEGER NOT NULL, crc INTEGER NOT NULL,
    head BLOB NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS block_at ON block(device, first);
"""
FULL = 360
"""A block with so many polls is left as it is."""
MOST = 720
_TIMES_KEPT = 64
"""Of so many blocks: who asks for one series of a device asks for another."""
_LONGEST = 7 * 86_400 * 100
"""Hundredths of a second. What lies further apart does not belong into one block; and samples are forgotten
by the block, so they may be kept for so much longer."""


class Blocks:
    """All blocks of a file. The owner brackets changes with transactions. Raises `sqlite3.Error`, and
    `ColumnError` where a block is damaged."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._layout_in = lru_cache(maxsize=512)(self._read_layout)
        self._times_in = lru_cache(maxsize=_TIMES_KEPT)(self._read_times)

    def add(self, device: int, polls: Polls) -> None:
        """Put polls where they belong: merged with the blocks that they fall into, and with the one before
        them while that is not full."""
        if not polls.times:
            return
        overlapping = self._db.execute(
            "SELECT id FROM block WHERE device=? AND first<=? AND first>=? AND last>=? ORDER BY first",
            (device, polls.times[-1], polls.times[0] - _LONGEST, polls.times[0]),
        ).fetchall()
        before = self._db.execute(
            "SELECT id, polls, first FROM block WHERE device=? AND first<? ORDER BY first DESC LIMIT 1",
            (device, polls.times[0]),
        ).fetchone()
        old = [identifier for (identifier,) in overlapping]
        if before and before[0] not in old and before[1] < FULL and polls.times[-1] - before[2] < _LONGEST:
            old.insert(0, before[0])
        for identifier in reversed(old):
            polls = self.whole(identifier).join(polls)
        self._db.executemany("DELETE FROM block WHERE id=?", [(identifier,) for identifier in old])
        for near in _near(polls):
            for piece in near.cut(MOST if len(near.times) <= MOST else FULL):
                self._insert(device, piece)

    def _insert(self, device: int, polls: Polls) -> None:
        order = sorted(polls.columns)
        packed = [columns.pack(polls.times), *(columns.pack(polls.columns[series]) for series in order)]
        head = zlib.compress(array("I", map(len, packed)).tobytes(), 9)
        body = b"".join(packed)
        layout = self._layout_of(order)
        row = (
            device,
            polls.times[0],
            polls.times[-1],
            len(polls.times),
            layout,
            zlib.crc32(body),
            head,
            body,
        )
        self._db.execute(
            "INSERT INTO block(device, first, last, polls, layout, crc, head, body) VALUES(?,?,?,?,?,?,?,?)",
            row,
        )

    def read(self, device: int, series: int, first: int, end: int) -> tuple[list[int], list[Value]]:
        """Times and values of one series, first <= time < end, in order."""
        rows = self._db.execute(
            "SELECT id, polls, layout, crc, head FROM block"
            " WHERE device=? AND first<? AND first>=? AND last>=? ORDER BY first",
            (device, end, first - _LONGEST, first),
        ).fetchall()
        times: list[int] = []
        values: list[Value] = []
        for identifier, polls, layout, crc, head in rows:
            place = self._layout_in(layout).get(series)
            if place is None:
                continue
            lengths = _lengths(head)
            at = self._times_in(identifier, crc, polls, lengths[0])
            column = columns.unpack(
                self._part(identifier, sum(lengths[: place + 1]), lengths[place + 1]), polls
            )
            if at[0] < first or at[-1] >= end:
                span = slice(bisect_left(at, first), bisect_left(at, end))
                at, column = at[span], column[span]
            if None in column:
                there = [value is not None for value in column]
                at, column = list(compress(at, there)), list(compress(column, there))
            times += at
            values += column
        return times, values

    def _read_times(self, identifier: int, _crc: int, polls: int, length: int) -> list[int]:
        """When the polls of a block were; the CRC tells blocks apart that had the same number."""
        return columns.unpack(self._part(identifier, 0, length), polls)  # type: ignore[return-value]

    def whole(self, identifier: int) -> Polls:
        """Everything in a block."""
        count, layout, crc, head, body = self._db.execute(
            "SELECT polls, layout, crc, head, body FROM block WHERE id=?", (identifier,)
        ).fetchone()
        if zlib.crc32(body) != crc:
            raise ColumnError(f"block {identifier} is damaged")
        at, parts = 0, []
        for length in _lengths(head):
            parts.append(body[at : at + length])
            at += length
        times = columns.unpack(parts[0], count)
        found = zip(self._layout_in(layout), parts[1:], strict=True)
        return Polls(times, {series: columns.unpack(part, count) for series, part in found})  # type: ignore[arg-type]

    def of_device(self, device: int, first: int, end: int) -> Polls:
        """All polls of a device, first <= time < end, and what else is in their blocks."""
        found = Polls()
        for (identifier,) in self._db.execute(
            "SELECT id FROM block WHERE device=? AND first<? AND first>=? AND last>=? ORDER BY first",
            (device, end, first - _LONGEST, first),
        ).fetchall():
            found = found.join(self.whole(identifier))
        return found

    def drop_before(self, time: int) -> int:
        """Forget blocks that end before a time; how many polls were in them."""
        (polls,) = self._db.execute("SELECT total(polls) FROM block WHERE last<?", (time,)).fetchone()
        self._db.execute("DELETE FROM block WHERE last<?", (time,))
        return int(polls)

    def sweep(self) -> None:
        """Forget layouts that no block has any more."""
        self._db.execute("DELETE FROM layout WHERE id NOT IN (SELECT layout FROM block)")
        self._layout_in.cache_clear()  # their numbers are given anew

    def _part(self, identifier: int, at: int, length: int) -> bytes:
        row = self._db.execute(
            "SELECT substr(body, ?, ?) FROM block WHERE id=?", (at + 1, length, identifier)
        )
        return bytes(row.fetchone()[0])

    def _layout_of(self, series: Sequence[int]) -> int:
        body = zlib.compress(array("I", series).tobytes(), 9)
        self._db.execute("INSERT OR IGNORE INTO layout(body) VALUES(?)", (body,))
        row = self._db.execute("SELECT id FROM layout WHERE body=?", (body,)).fetchone()
        return int(row[0])

    def _read_layout(self, identifier: int) -> dict[int, int]:
        """The place of each series among the columns of blocks with this layout."""
        row = self._db.execute("SELECT body FROM layout WHERE id=?", (identifier,)).fetchone()
        return {series: place for place, series in enumerate(_lengths(row[0]))}


def _near(polls: Polls) -> Iterator[Polls]:
    """Apart where a block would span too long a time."""
    begin = 0
    for at, time in enumerate(polls.times):
        if time - polls.times[begin] >= _LONGEST:
            yield _slice(polls, begin, at)
            begin = at
    yield _slice(polls, begin, len(polls.times)) if begin else polls


def _slice(polls: Polls, begin: int, end: int) -> Polls:
    found = {series: column[begin:end] for series, column in polls.columns.items()}
    return Polls(polls.times[begin:end], found)


@lru_cache(maxsize=1024)
def _lengths(packed: bytes) -> Sequence[int]:
    result = array("I")
    result.frombytes(zlib.decompress(packed))
    return result
