"""Looks whether a store can still be read, block by block, and saves what can be from one that cannot.

A damaged page takes more than itself along: whoever walks a table stops at it. So what is saved goes by the
number of each row, in ranges that are halved where reading fails, until the rows that are lost stand alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from ayni_core.columns import ColumnError
from ayni_core.wire import codec
from ayni_core.wire.errors import WireError
from ayni_hub.embedded.blocks import Blocks
from ayni_hub.embedded.store import EmbeddedStore
from ayni_hub.store import StoreError

_TABLES = (
    "device", "series", "latest", "layout", "frame", "heard", "block", "day", "month", "year", "dirty",
    "late",
)  # fmt: skip
_WITHOUT_ROWID = ("heard", "month", "year", "dirty", "late")
_MOST_FAULTS = 20
Progress = Callable[[float], None]
"""Told how far it is, 0 to 1."""


@dataclass(slots=True)
class Report:
    """What was looked at and what is wrong; `faults` are sentences, the first of many."""

    blocks: int = 0
    polls: int = 0
    frames: int = 0
    faults: list[str] = field(default_factory=list)
    more: int = 0

    def add(self, fault: str) -> None:
        """Note a fault."""
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(fault)
        else:
            self.more += 1


def look(path: Path, progress: Progress = lambda _share: None) -> Report:
    """Read everything once. Raises `StoreError` where there is no store."""
    report = Report()
    with closing(_open(path)) as db:
        try:
            for (said,) in db.execute(f"PRAGMA integrity_check({_MOST_FAULTS})"):
                if said != "ok":
                    report.add(str(said))
            blocks = Blocks(db)
            numbers = [row[0] for row in db.execute("SELECT id FROM block")]
            for done, number in enumerate(numbers):
                progress(done / len(numbers))
                try:
                    report.polls += len(blocks.whole(number).times)
                    report.blocks += 1
                except (ColumnError, sqlite3.Error, TypeError, LookupError) as error:
                    report.add(f"block {number}: {error}")
            for number, body in db.execute("SELECT id, body FROM frame"):
                try:
                    codec.decode(body)
                    report.frames += 1
                except WireError as error:
                    report.add(f"frame {number}: {error}")
        except sqlite3.Error as error:
            report.add(str(error))
    progress(1.0)
    return report


def repair(path: Path) -> tuple[int, int]:
    """Copy what can be read into a new file, and set the old one aside as `….damaged`: (rows kept, rows
    lost as far as they can be counted). Nobody else may have the file open. Raises `StoreError`."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    EmbeddedStore(fresh).close()
    kept = lost = 0
    try:
        with closing(_open(path)) as old, closing(sqlite3.connect(fresh, isolation_level=None)) as new:
            new.execute("BEGIN")
            for table in _TABLES:
                for row in _rows(old, table):
                    if row is None or (table in ("block", "frame") and not _sound(old, table, row)):
                        lost += 1
                        continue
                    marks = ",".join("?" * len(row))
                    new.execute(f"INSERT OR IGNORE INTO {table} VALUES({marks})", row)
                    kept += 1
            new.execute("INSERT OR IGNORE INTO dirty SELECT DISTINCT device, first/8640000 FROM block")
            new.execute("COMMIT")
        path.replace(path.with_suffix(".damaged"))
        for name in ("-wal", "-shm"):
            path.with_name(path.name + name).unlink(missing_ok=True)
        fresh.replace(path)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"repairing {path}: {error}") from error
    return kept, lost


def _open(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise StoreError(f"{path}: there is no such store")
    return sqlite3.connect(path, isolation_level=None)


def _sound(db: sqlite3.Connection, table: str, row: tuple[object, ...]) -> bool:
    try:
        if table == "block":
            Blocks(db).whole(int(str(row[0])))
        else:
            codec.decode(bytes(row[-1]))  # type: ignore[call-overload]  # a body is bytes
    except (ColumnError, WireError, sqlite3.Error, TypeError, LookupError, ValueError):
        return False
    return True


def _rows(db: sqlite3.Connection, table: str) -> Iterator[tuple[object, ...] | None]:
    """Every row that can be read; None for one that cannot."""
    if table in _WITHOUT_ROWID:
        yield from _as_far_as_it_goes(db, f"SELECT * FROM {table}")  # noqa: S608
        return
    try:
        last = db.execute(f"SELECT max(rowid) FROM {table}").fetchone()[0]  # noqa: S608
    except sqlite3.Error:
        yield None
        return
    spans = [(0, last)] if last is not None else []
    while spans:
        first, end = spans.pop()
        try:
            yield from db.execute(
                f"SELECT * FROM {table} WHERE rowid BETWEEN ? AND ?",  # noqa: S608
                (first, end),
            ).fetchall()
        except sqlite3.Error:
            if first == end:
                yield None
            else:
                middle = (first + end) // 2
                spans += [(middle + 1, end), (first, middle)]


def _as_far_as_it_goes(db: sqlite3.Connection, query: str) -> Iterator[tuple[object, ...] | None]:
    try:
        yield from db.execute(query)
    except sqlite3.Error:
        yield None
