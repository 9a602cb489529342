"""Frames that the server does not have yet, and what it was shown last: `feed.db`.

Bounded in bytes and days; the oldest go, and are counted. Ages count the seconds that the hub has lived, not
those of a wall clock that may be wrong. A frame leaves when the server says that it has it, or that it never
will.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ayni_core.wire import WireError, codec
from ayni_core.wire.messages import Ack
from ayni_io.sqlite_file import SqliteFile

_SCHEMA = """
CREATE TABLE IF NOT EXISTS frame(
    id INTEGER PRIMARY KEY AUTOINCREMENT, node TEXT NOT NULL, epoch TEXT NOT NULL, seq INTEGER NOT NULL, crc INTEGER NOT NULL,
    start REAL NOT NULL, live INTEGER NOT NULL, lived REAL NOT NULL, size INTEGER NOT NULL, body BLOB NOT NULL,
    UNIQUE(node, epoch, seq, crc));
CREATE INDEX IF NOT EXISTS frame_news ON frame(live, lived);
CREATE TABLE IF NOT EXISTS life(id INTEGER PRIMARY KEY CHECK(id=1), lived REAL NOT NULL, dropped INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS shown(topic TEXT PRIMARY KEY, crc INTEGER NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO life VALUES(1, 0.0, 0);
"""  # noqa: E501
_VERSION = 1
_MB, _DAY_S = 1_000_000, 86_400.0
_LONGEST_STEP_S = 3600.0
_COLUMNS = "id, node, start, size, live, lived"


class FeedError(Exception):
    """What waits for the server cannot be read or written right now; nothing was half done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A frame to put in: its name, where it begins in time, and its bytes."""

    node: str
    epoch: str
    seq: int
    crc: int
    start: float
    live: bool
    body: bytes


@dataclass(frozen=True, slots=True)
class Row:
    """A frame that waits; `id` grows with time, `lived_s` is when it came by the seconds that the hub has
    lived."""

    id: int
    node: str
    start: float
    size: int
    live: bool
    lived_s: float


class FeedBox:
    """One file. `FeedError` where the disk or the file fails. Times are monotonic seconds."""

    def __init__(self, path: Path, keep_mb: float, keep_days: float) -> None:
        self._most_bytes = keep_mb * _MB
        self._most_s = keep_days * _DAY_S
        self._file = SqliteFile(path, _SCHEMA, _VERSION, FeedError)
        self._db = self._file.db
        with self._file.failing_as("reading what waits"):
            self.lived_s, self.dropped = self._db.execute("SELECT lived, dropped FROM life").fetchone()
            self.count, self.size_bytes = self._db.execute(
                "SELECT count(*), ifnull(sum(size), 0) FROM frame"
            ).fetchone()
            (self.last_id,) = self._db.execute("SELECT ifnull(max(id), 0) FROM frame").fetchone()
        self._at_s: float | None = None

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    # ---- frames

    def put(self, frames: Iterable[Waiting], now_s: float) -> int:
        """Keep frames for the server; how many of the oldest had to go for them."""
        step_s = 0.0 if self._at_s is None else min(max(now_s - self._at_s, 0.0), _LONGEST_STEP_S)
        lived_s = self.lived_s + step_s
        count, size, last = self.count, self.size_bytes, self.last_id
        with self._file.failing_as("keeping frames for the server"), self._file.transaction():
            for each in frames:
                done = self._db.execute(
                    "INSERT OR IGNORE INTO frame(node, epoch, seq, crc, start, live, lived, size, body)"
                    " VALUES(?,?,?,?,?,?,?,?,?)",
                    (
                        each.node, each.epoch, each.seq, each.crc, each.start, each.live, lived_s,
                        len(each.body), each.body,
                    ),
                )  # fmt: skip
                if done.rowcount:
                    count, size, last = count + 1, size + len(each.body), done.lastrowid or last
            gone = 0
            for identifier, its_size, its_lived_s in self._db.execute(
                "SELECT id, size, lived FROM frame ORDER BY id"
            ):
                old = its_lived_s < lived_s - self._most_s
                if count <= 1 or not (old or size > self._most_bytes):
                    break
                self._db.execute("DELETE FROM frame WHERE id=?", (identifier,))
                count, size, gone = count - 1, size - its_size, gone + 1
            self._db.execute("UPDATE life SET lived=?, dropped=dropped+?", (lived_s, gone))
        self.lived_s, self._at_s = lived_s, now_s
        self.count, self.size_bytes, self.last_id = count, size, last
        self.dropped += gone
        return gone

    def news(self, within_s: float, most: int) -> list[Row]:
        """Live frames of the last `within_s` seconds, the newest ahead."""
        with self._file.failing_as("reading what waits"):
            rows = self._db.execute(
                f"SELECT {_COLUMNS} FROM frame WHERE live=1 AND lived>? ORDER BY lived DESC, id DESC LIMIT ?",  # noqa: S608
                (self.lived_s - within_s, most),
            ).fetchall()
        return [_row(row) for row in rows]

    def after(self, identifier: int, most: int) -> list[Row]:
        """What waits behind a frame, the oldest ahead."""
        with self._file.failing_as("reading what waits"):
            rows = self._db.execute(
                f"SELECT {_COLUMNS} FROM frame WHERE id>? ORDER BY id LIMIT ?",  # noqa: S608
                (identifier, most),
            ).fetchall()
        return [_row(row) for row in rows]

    def body(self, identifier: int) -> bytes | None:
        """The bytes of a frame; None for one that is no longer there."""
        with self._file.failing_as("reading what waits"):
            row = self._db.execute("SELECT body FROM frame WHERE id=?", (identifier,)).fetchone()
        return None if row is None else bytes(row[0])

    def settle(self, acks: Sequence[tuple[str, Ack]]) -> tuple[list[int], list[str]]:
        """Forget what the server has or will never have, of (node, its word); the frames that went, and the
        reasons of those that were refused."""
        gone: list[tuple[int, int]] = []
        reasons: list[str] = []
        with self._file.failing_as("taking acknowledgements"), self._file.transaction():
            for node, ack in acks:
                for pair in ack.stored:
                    if len(pair) == 2:
                        where = "node=? AND epoch=? AND seq BETWEEN ? AND ?"
                        gone += self._delete(where, node, ack.epoch, *pair)
                for refused in ack.refused:
                    found = self._delete("node=? AND epoch=? AND seq=?", node, ack.epoch, refused.seq)
                    gone += found
                    reasons += [refused.reason] * len(found)
                for unread in ack.unread:
                    if unread.reason != "dictionary" or not self._spell_out(node, unread.crc):
                        found = self._delete("node=? AND crc=?", node, unread.crc)
                        gone += found
                        reasons += [unread.reason] * len(found)
        self.count -= len(gone)
        self.size_bytes -= sum(size for _identifier, size in gone)
        return [identifier for identifier, _size in gone], reasons

    def _delete(self, where: str, *values: object) -> list[tuple[int, int]]:
        """(id, size) of what went."""
        try:
            return self._db.execute(
                f"DELETE FROM frame WHERE {where} RETURNING id, size",  # noqa: S608
                values,
            ).fetchall()
        except OverflowError:  # a number that no frame has
            return []

    def _spell_out(self, node: str, crc: int) -> bool:
        """The same frame without our dictionary, which the server does not know."""
        row = self._db.execute("SELECT id, body FROM frame WHERE node=? AND crc=?", (node, crc)).fetchone()
        if row is None:
            return True
        try:
            body = codec.encode(codec.decode(bytes(row[1])), "field", dictionary=False)
        except WireError:
            return False
        self.size_bytes += len(body) - len(row[1])
        self._db.execute(
            "UPDATE OR REPLACE frame SET body=?, size=?, crc=? WHERE id=?",
            (body, len(body), zlib.crc32(body), row[0]),
        )
        return True

    # ---- what is shown

    def shown(self) -> dict[str, int]:
        """CRC of what was last retained at the server, by topic."""
        with self._file.failing_as("reading what is shown"):
            return dict(self._db.execute("SELECT topic, crc FROM shown").fetchall())

    def note_shown(self, topics: Iterable[tuple[str, int | None]]) -> None:
        """Topics with the CRC of what they say there now; None: nothing any more."""
        with self._file.failing_as("noting what is shown"), self._file.transaction():
            for topic, crc in topics:
                if crc is None:
                    self._db.execute("DELETE FROM shown WHERE topic=?", (topic,))
                else:
                    self._db.execute("INSERT OR REPLACE INTO shown VALUES(?,?)", (topic, crc))


def _row(found: tuple[int, str, float, int, int, float]) -> Row:
    identifier, node, start, size, live, lived_s = found
    return Row(identifier, node, start, size, bool(live), lived_s)
