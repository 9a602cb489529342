"""`people.db`: what was told, what is to be sent, the bot's place, in a SQLite file of its own.

A notice is one message for one target of one person. It is written before it is sent, and again when it is
under way: what was under way when the hub was killed may or may not have arrived.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from ayni_core.wire.messages import Alert
from ayni_core.wire.shape import pack, unpack
from ayni_hub.people.herald import Told
from ayni_io.sqlite_file import SqliteFile

log = logging.getLogger("hub")
FILE = "people.db"
WAITING, GATHERED, SENDING, SENT, GIVEN_UP, MOOT, SUMMED = (
    "waiting", "gathered", "sending", "sent", "given_up", "moot", "summed",
)  # fmt: skip
OPEN = (WAITING, GATHERED, SENDING)
TOLD = (SENDING, SENT, SUMMED)
"""What somebody has, or may have."""
_KEPT_S = 30 * 86400.0
_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS notice(
    id INTEGER PRIMARY KEY, made REAL NOT NULL, alert TEXT NOT NULL, what TEXT NOT NULL, person TEXT NOT NULL,
    target TEXT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, urgent INTEGER NOT NULL, due REAL NOT NULL,
    tries INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, changed REAL NOT NULL,
    again INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS notice_state ON notice(state);
CREATE INDEX IF NOT EXISTS notice_made ON notice(made);
CREATE TABLE IF NOT EXISTS told(
    alert TEXT PRIMARY KEY, body BLOB NOT NULL, at REAL NOT NULL, steps INTEGER NOT NULL, acked_by TEXT)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS number(alert TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mark(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class PeopleError(Exception):
    """people.db cannot be read or written; nothing was half done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message for one target. `alert` is empty where it is about none; `urgent` goes through quiet hours;
    `again`: it may have arrived already."""

    id: int
    made: float
    alert: str
    what: str
    person: str
    target: str
    title: str
    body: str
    urgent: bool
    due: float
    tries: int = 0
    state: str = WAITING
    reason: str = ""
    changed: float = 0.0
    again: bool = False


_COLUMNS = ", ".join(each.name for each in fields(Notice))
_PLACES = ", ".join("?" for _ in fields(Notice))


class Memory:
    """One file. Every public method is one transaction; `PeopleError` where the disk or the file fails."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, _SCHEMA, _VERSION, PeopleError)
        self._db = self._file.db

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def told(self) -> dict[str, Told]:
        """The alerts that were told and are not over."""
        with self._file.failing_as("reading what was told"):
            rows = self._db.execute("SELECT alert, body, at, steps, acked_by FROM told").fetchall()
        return {
            alert: Told(alert=unpack(Alert, body), at=at, steps=steps, acked_by=acked)
            for alert, body, at, steps, acked in rows
        }

    def working_set(self) -> list[Notice]:
        """Notices that are not done, and those of alerts that are not over."""
        return self._notices(
            f"state IN {OPEN} OR alert IN (SELECT alert FROM told) AND made>="  # noqa: S608 (our own words)
            "(SELECT at FROM told WHERE told.alert=notice.alert)"
        )

    def newest(self, limit: int) -> list[Notice]:
        """The newest notices, newest first."""
        return self._notices("1 ORDER BY id DESC LIMIT ?", limit)

    def since(self, at: float) -> list[Notice]:
        """The notices made since a time."""
        return self._notices("made>=?", at)

    def last_sent(self) -> dict[tuple[str, str], float]:
        """When a person was last reached by a target."""
        with self._file.failing_as("reading what was sent"):
            rows = self._db.execute(
                "SELECT person, target, max(changed) FROM notice WHERE state=? GROUP BY person, target",
                (SENT,),
            ).fetchall()
        return {(person, target): at for person, target, at in rows}

    def next_id(self) -> int:
        """A number that no notice has had."""
        with self._file.failing_as("reading notices"):
            return int(self._db.execute("SELECT coalesce(max(id), 0) FROM notice").fetchone()[0]) + 1

    def numbers(self) -> dict[str, int]:
        """The short numbers of alerts."""
        with self._file.failing_as("reading numbers"):
            return dict(self._db.execute("SELECT alert, n FROM number").fetchall())

    def marks(self) -> dict[str, str]:
        """What else is remembered, by name."""
        with self._file.failing_as("reading marks"):
            return dict(self._db.execute("SELECT name, value FROM mark").fetchall())

    def write(
        self,
        notices: Iterable[Notice],
        told: Mapping[str, Told | None],
        numbers: Mapping[str, int | None],
        marks: Mapping[str, str],
    ) -> None:
        """All together or nothing; None: it is over."""
        with self._file.failing_as("writing what is to be told"), self._file.transaction():
            self._db.executemany(
                f"INSERT OR REPLACE INTO notice({_COLUMNS}) VALUES({_PLACES})",
                [tuple(getattr(each, field.name) for field in fields(Notice)) for each in notices],
            )
            for alert, each in told.items():
                if each is None:
                    self._db.execute("DELETE FROM told WHERE alert=?", (alert,))
                else:
                    row = (alert, pack(each.alert), each.at, each.steps, each.acked_by)
                    self._db.execute("INSERT OR REPLACE INTO told VALUES(?,?,?,?,?)", row)
            for alert, number in numbers.items():
                if number is None:
                    self._db.execute("DELETE FROM number WHERE alert=?", (alert,))
                else:
                    self._db.execute("INSERT OR REPLACE INTO number VALUES(?,?)", (alert, number))
            self._db.executemany("INSERT OR REPLACE INTO mark VALUES(?,?)", marks.items())

    def forget(self, now: float) -> None:
        """Drop what was done long ago."""
        with self._file.failing_as("forgetting old notices"), self._file.transaction():
            self._db.execute(
                f"DELETE FROM notice WHERE made<? AND state NOT IN {OPEN}"  # noqa: S608 (our own words)
                " AND alert NOT IN (SELECT alert FROM told)",
                (now - _KEPT_S,),
            )

    def _notices(self, where: str, *values: float) -> list[Notice]:
        with self._file.failing_as("reading notices"):
            rows = self._db.execute(f"SELECT {_COLUMNS} FROM notice WHERE {where}", values).fetchall()  # noqa: S608
        names = [field.name for field in fields(Notice)]
        found = (dict(zip(names, row, strict=True)) for row in rows)
        return [
            Notice(**{**each, "urgent": bool(each["urgent"]), "again": bool(each["again"])}) for each in found
        ]


def open_memory(path: Path) -> Memory:
    """The file, or a new one where it cannot be read: then the old one is set aside, and what is open is told
    again. The hub must not stand still for that. Raises `PeopleError`."""
    try:
        return Memory(path)
    except PeopleError as error:
        if not path.is_file():
            raise
        log.error("notifications set aside file=%s cause=%s", f"{path.name}.damaged", error)
    try:
        path.replace(path.with_name(f"{path.name}.damaged"))
        for rest in ("-wal", "-shm"):
            path.with_name(path.name + rest).unlink(missing_ok=True)
    except OSError as error:
        raise PeopleError(f"setting {path} aside: {error.strerror}") from error
    return Memory(path)
