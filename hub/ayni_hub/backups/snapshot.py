"""A SQLite file as of one moment, read as bytes while somebody else writes to it.

Theory of operation. The backup interface of SQLite begins anew whenever another process writes, and `VACUUM
INTO` needs the room of a second copy. So: a read transaction is held open, the file is read from its
beginning to its end, then its write-ahead log. While we read, a checkpoint brings nothing into the file that
is newer than our transaction, and the log does not start from its beginning again (sqlite.org/walformat.html,
2.3.1 and 4.4). What was just being brought into the file is in the log as well, whole. So file and log
together are the database as of one commit, our own moment or a later one; SQLite puts them together when it
opens them."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

LOG = "-wal"


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold one moment of a database. Raises `sqlite3.Error`."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=30.0)) as db:
        db.execute("PRAGMA query_only=ON")
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()  # only now the moment is held
        yield


def hand_out(path: Path, name: str, add: Callable[[str, BinaryIO, int], None]) -> None:
    """A database under this name: its file, then its log if it has one, each with its size, which what can be
    read may fall short of. Raises `sqlite3.Error`, `OSError`."""
    with held(path):
        with path.open("rb") as file:
            add(name, file, path.stat().st_size)
        log = path.with_name(path.name + LOG)
        with contextlib.suppress(FileNotFoundError), log.open("rb") as file:
            size = log.stat().st_size
            if size:
                add(name + LOG, file, size)
