"""Frames on the card: one SQLite file, one commit a flush, as few bytes as it takes.

Theory of operation. A commit inserts the new frame, notes which ones the hub has, and writes one small
record, the `Book`: counters, clocks, the last number of each epoch. What the hub has stays for eight days, so
that a hub that was put back from a backup can have it again, so that the node can show its own day while it
is cut off, and so that pages are written once and reused later. The file is locked for this process alone
(locking_mode=EXCLUSIVE): no second agent spoils it, and the index of the WAL stays in memory (beside the file
it would be written at each flush). Small pages and a WAL that is used again from its start save the rest;
`bench/card.py` measures it.

Ages count the seconds that the agent has lived, not those of a wall clock that may be wrong: a node that lay
in a drawer for two years still delivers its backlog.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import zlib
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from ayni_agent.outbox import DAY_S, MIB, Row
from ayni_core.clockwatch import Moment
from ayni_io.sqlite_file import SqliteFile

SCHEMA = """
CREATE TABLE IF NOT EXISTS frame(
    id INTEGER PRIMARY KEY, epoch TEXT NOT NULL, seq INTEGER NOT NULL, lived REAL NOT NULL,
    crc INTEGER NOT NULL, payload BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS refused(
    id INTEGER PRIMARY KEY, epoch TEXT NOT NULL, seq INTEGER NOT NULL, at REAL NOT NULL, reason TEXT NOT NULL,
    payload BLOB);
CREATE TABLE IF NOT EXISTS state(key TEXT PRIMARY KEY, value BLOB NOT NULL);
"""
VERSION = 1
_INDEX = "SELECT id, epoch, seq, lived, crc, length(payload) FROM frame ORDER BY id"
_REFUSALS = "SELECT epoch, seq, at, reason FROM refused ORDER BY id"
_REMEMBER = "INSERT INTO state VALUES(?,?) ON CONFLICT(key) DO UPDATE SET value=excluded.value"
BOOK = ""
"""The key of the book in the table `state`."""
_PRAGMAS = (
    "page_size=1024",
    "locking_mode=EXCLUSIVE",
    "wal_autocheckpoint=500",
    "busy_timeout=200",
    "secure_delete=OFF",
    "cache_size=-256",
    f"journal_size_limit={2 * MIB}",
)
_KEPT_S, _KEPT_BYTES, _MOST_RUNS = 8 * DAY_S, 8 * MIB, 64
"""As long as a hub may have no good backup before somebody must have looked, and some days to put it back."""
_MOST_EPOCHS = 8
_ALWAYS = -1e12
_MOST_REFUSED, _REFUSED_BYTES = 50, MIB


class OutboxError(Exception):
    """The file cannot be read or written; nothing was half done. `kind` says what to do about it."""

    @property
    def kind(self) -> str:
        """`full`, `read-only`, `denied`, `busy`, `failing`, or `damaged`: no longer a file of ours."""
        cause = self.__cause__
        if not isinstance(cause, sqlite3.Error):
            return "damaged"
        code = (getattr(cause, "sqlite_errorcode", None) or sqlite3.SQLITE_ERROR) & 0xFF
        return _KINDS.get(code, "damaged")


_KINDS = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_CANTOPEN: "denied",
    sqlite3.SQLITE_PERM: "denied",
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_IOERR: "failing",
    sqlite3.SQLITE_NOMEM: "failing",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """What is known besides the frames, as of a commit. `acked`: runs of frames (by place) that the hub has.
    `lived_s`: seconds that agents have lived on this file; `boot_lived_s`: the same when this boot began.
    """

    boot: str = ""
    mono_s: float = 0.0
    wall_s: float = 0.0
    synced: bool = False
    lived_s: float = 0.0
    boot_lived_s: float = 0.0
    clean: bool = False
    journal: bool = False
    last_seq: dict[str, int] = field(default_factory=dict)
    acked: tuple[tuple[int, int], ...] = ()
    dropped: int = 0
    damaged: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A frame that the hub will never take; `at` is on this node's wall clock."""

    epoch: str
    seq: int
    at: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is to be written at once. `waiting`: places of what the hub does not have, rising; `gone`: of what
    can go. `keep` false: keep nothing that the hub has, for a card that is full.
    """

    moment: Moment
    new: Sequence[tuple[Row, bytes]] = ()
    stored: Sequence[Row] = ()
    gone: Sequence[int] = ()
    refused: Sequence[tuple[Row, Refusal]] = ()
    waiting: Sequence[int] = ()
    state: Mapping[str, bytes] = field(default_factory=dict)
    clean: bool = False
    journal: bool = False
    dropped: int = 0
    damaged: int = 0
    refused_count: int = 0
    keep: bool = True


def book_of(text: bytes) -> Book:
    """A book as it was written; an empty one where it cannot be read: then frames are sent again."""
    try:
        raw = json.loads(text)
        given = {each.name: raw[each.name] for each in fields(Book) if each.name in raw}
        given["acked"] = tuple((int(first), int(last)) for first, last in given.get("acked", ()))
        given["last_seq"] = {str(epoch): int(seq) for epoch, seq in dict(given.get("last_seq", {})).items()}
        for key in ("mono_s", "wall_s", "lived_s", "boot_lived_s"):
            given[key] = float(given.get(key, 0.0))
        for key in ("dropped", "damaged", "refused"):
            given[key] = int(given.get(key, 0))
        return Book(**given)
    except (ValueError, TypeError, AttributeError):
        return Book()


def text_of(book: Book) -> bytes:
    """A book as it is written."""
    return json.dumps(asdict(book), separators=(",", ":")).encode()


class FileOutbox:
    """An open file. Every method raises `OutboxError` where the card or the file fails.

    `book` is as of the last commit, `found` as of opening, None in a file that is new. `rows` are the frames
    that the hub does not have, oldest first, their bytes left where they are; those of an earlier boot are
    no news, as nobody knows how long the machine was off. `odd` are places of records that are damaged.
    `refusals`: what the hub refused, oldest first.
    """

    def __init__(self, path: Path, moment: Moment, boot: str) -> None:
        self.path = path
        self._boot = boot
        self._file = SqliteFile(path, SCHEMA, VERSION, OutboxError, pragmas=_PRAGMAS, any_thread=True)
        self._db = self._file.db
        try:
            with self._file.failing_as("reading"):
                verdict = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
                if verdict != "ok":
                    raise OutboxError(f"reading ({path}): {verdict}")
                self.state = {
                    str(key): bytes(value)
                    for key, value in self._db.execute("SELECT key, value FROM state")
                    if isinstance(value, bytes)
                }
                index = self._db.execute(_INDEX).fetchall()
                refused = self._db.execute(_REFUSALS).fetchall()
        except BaseException:
            self.close()
            raise
        written = self.state.pop(BOOK, None)
        self.found = book_of(written) if written is not None else None
        self.book = self.found or Book()
        same_boot = self.book.boot == boot
        alive_s = max(0.0, moment.mono_s - self.book.mono_s) if same_boot else 0.0
        self._lived_minus_mono_s = self.book.lived_s + alive_s - moment.mono_s
        self._boot_lived_s = _ALWAYS if self.found is None else self.book.lived_s + 0.001
        if same_boot:
            self._boot_lived_s = self.book.boot_lived_s
        self._kept: deque[tuple[int, int, float]] = deque()
        self.refusals = [
            Refusal(epoch=epoch, seq=seq, at=at, reason=reason) for epoch, seq, at, reason in refused
        ]
        self.rows: list[Row] = []
        self.odd: list[int] = []
        for record in index:
            self._sort_in(record)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _sort_in(self, record: tuple[Any, ...]) -> None:
        """A frame waits, or the hub has it, or its record is damaged."""
        match record:
            case int(place), str(epoch), int(seq), float(lived_s), int(crc), int(size):
                pass
            case _:
                self.odd.append(record[0])
                return
        if is_within(self.book.acked, place):
            self._kept.append((place, size, lived_s))
            return
        made_s, live = lived_s - self._lived_minus_mono_s, lived_s >= self._boot_lived_s
        row = Row(
            epoch=sys.intern(epoch), seq=seq, payload=None, size=size, crc=crc, made_s=made_s, live=live
        )
        row.place = place
        self.rows.append(row)

    # ---- reading

    def payload(self, row: Row) -> bytes | None:
        """The bytes of a frame; None where they are no longer what was written."""
        with self._file.failing_as("reading"):
            found = self._db.execute("SELECT payload FROM frame WHERE id=?", (row.place,)).fetchone()
        return found[0] if found and zlib.crc32(found[0]) == row.crc else None

    def recent(self, now_s: float, for_s: float, most: int) -> list[bytes]:
        """The newest frames of the last `for_s` seconds, newest first, whether the hub has them or not."""
        since = now_s + self._lived_minus_mono_s - for_s
        with self._file.failing_as("reading"):
            found = self._db.execute(
                "SELECT payload, crc FROM frame WHERE lived>=? ORDER BY id DESC LIMIT ?", (since, most)
            ).fetchall()
        return [payload for payload, crc in found if zlib.crc32(payload) == crc]

    def take_back(self, now_s: float, for_s: float) -> list[Row]:
        """Frames of the last `for_s` seconds that the hub had, as rows that wait again; durable so with the
        next commit."""
        since = now_s + self._lived_minus_mono_s - for_s
        wanted = {place for place, _size, lived_s in self._kept if lived_s >= since}
        with self._file.failing_as("reading"):
            found = [record for record in self._db.execute(_INDEX) if record[0] in wanted]
        self._kept = deque(each for each in self._kept if each[0] not in wanted)
        return [
            Row(
                epoch=sys.intern(epoch), seq=seq, payload=None, size=size, crc=crc,
                made_s=lived_s - self._lived_minus_mono_s, live=False, place=place,
            )
            for place, epoch, seq, lived_s, crc, size in found
        ]  # fmt: skip

    # ---- writing

    def commit(self, changes: Changes) -> list[int]:
        """Write all of it or nothing; the places of the new frames."""
        lived_s = changes.moment.mono_s + self._lived_minus_mono_s
        gone = list(changes.gone)
        kept, runs = self._keep(changes, lived_s, gone)
        book = self._next_book(changes, lived_s, runs)
        places: list[int] = []
        with self._file.failing_as("writing"), self._file.transaction():
            self._db.executemany("DELETE FROM frame WHERE id=?", [(place,) for place in gone])
            for row, payload in changes.new:
                row_lived_s = row.made_s + self._lived_minus_mono_s
                inserted = self._db.execute(
                    "INSERT INTO frame(epoch, seq, lived, crc, payload) VALUES(?,?,?,?,?)",
                    (row.epoch, row.seq, row_lived_s, zlib.crc32(payload), payload),
                )
                places.append(inserted.lastrowid or 0)
            self._refuse(changes.refused)
            written = [
                *changes.state.items(),
                (BOOK, json.dumps(asdict(book), separators=(",", ":")).encode()),
            ]
            self._db.executemany(_REMEMBER, written)
        self.book, self._kept = book, kept
        self.state |= changes.state
        return places

    def _keep(
        self, changes: Changes, lived_s: float, gone: list[int]
    ) -> tuple[deque[tuple[int, int, float]], tuple[tuple[int, int], ...]]:
        """What stays of all that the hub has, as (place, size, lived) and as runs; the rest goes."""
        kept = self._kept.copy()
        for row in changes.stored:
            row_lived_s = row.made_s + self._lived_minus_mono_s
            if lived_s - row_lived_s > _KEPT_S:
                gone.append(row.place)
            else:
                kept.append((row.place, row.size, row_lived_s))
        size = sum(each[1] for each in kept)
        while kept and (not changes.keep or size > _KEPT_BYTES or kept[0][2] < lived_s - _KEPT_S):
            size -= kept[0][1]
            gone.append(kept.popleft()[0])
        runs = _runs(sorted(each[0] for each in kept), changes.waiting)
        if len(runs) > _MOST_RUNS:
            gone += [each[0] for each in kept]
            return deque(), ()
        return kept, runs

    def _next_book(self, changes: Changes, lived_s: float, runs: tuple[tuple[int, int], ...]) -> Book:
        before, moment = self.book, changes.moment
        last_seq = dict(before.last_seq)
        for row, _payload in changes.new:
            last_seq[row.epoch] = max(row.seq, last_seq.pop(row.epoch, 0))
        for epoch in list(last_seq)[:-_MOST_EPOCHS]:
            del last_seq[epoch]
        return replace(
            before,
            boot=self._boot,
            mono_s=moment.mono_s,
            wall_s=moment.wall_s,
            synced=moment.synced,
            lived_s=lived_s,
            boot_lived_s=self._boot_lived_s,
            clean=changes.clean,
            journal=changes.journal,
            last_seq=last_seq,
            acked=runs,
            dropped=changes.dropped,
            damaged=changes.damaged,
            refused=changes.refused_count,
        )

    def _refuse(self, refused: Iterable[tuple[Row, Refusal]]) -> None:
        count = 0
        for row, why in refused:
            count += 1
            self._db.execute(
                "INSERT INTO refused(epoch, seq, at, reason, payload) VALUES(?,?,?,?,"
                " coalesce(?, (SELECT payload FROM frame WHERE id=?)))",
                (why.epoch, why.seq, why.at, why.reason[:200], row.payload, row.place),
            )
            self._db.execute("DELETE FROM frame WHERE id=?", (row.place,))
        if not count:
            return
        size, oldest = 0, 0
        kept = self._db.execute("SELECT id, length(payload) FROM refused ORDER BY id DESC").fetchall()
        for number, (place, length) in enumerate(kept):
            size += length or 0
            if number >= _MOST_REFUSED or (number and size > _REFUSED_BYTES):
                oldest = place
                break
        self._db.execute("DELETE FROM refused WHERE id<=?", (oldest,))


def is_within(runs: Sequence[tuple[int, int]], place: int) -> bool:
    """Whether a place is in one of the runs."""
    return any(first <= place <= last for first, last in runs)


def _runs(kept: Sequence[int], waiting: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Places that the hub has, rising, as runs; one may reach over what is no longer there."""
    runs: list[tuple[int, int]] = []
    for place in kept:
        if runs and bisect_right(waiting, runs[-1][1]) == bisect_right(waiting, place):
            runs[-1] = (runs[-1][0], place)
        else:
            runs.append((place, place))
    return tuple(runs)
