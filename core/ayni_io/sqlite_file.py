"""One SQLite file that survives a power cut: WAL, FULL, a schema version, whole transactions, one error."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


class SqliteFile:
    """An open file. What fails inside `failing_as` is raised as `error`, in one sentence with the path; its
    cause is what SQLite said. `pragmas` are set before anything is read. With `any_thread` the owner sees
    to it that one thread at a time uses it.
    """

    def __init__(
        self,
        path: Path,
        schema: str,
        version: int,
        error: type[Exception],
        *,
        pragmas: Sequence[str] = (),
        any_thread: bool = False,
    ) -> None:
        self._path = path
        self._error = error
        with self.failing_as("opening"):
            self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=not any_thread)
        try:
            with self.failing_as("opening"):
                self._set_up(schema, version, pragmas)
        except BaseException:
            self.close()
            raise

    def _set_up(self, schema: str, version: int, pragmas: Sequence[str]) -> None:
        for pragma in (*pragmas, "journal_mode=WAL", "synchronous=FULL"):
            self.db.execute(f"PRAGMA {pragma}")
        found = self.db.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, version):
            raise self._error(
                f"{self._path}: written by another version of Ayni ({found}, expected {version})"
            )
        self.db.executescript(schema)
        if not found:
            self.db.execute(f"PRAGMA user_version={version}")

    def close(self) -> None:
        """Give the file back."""
        with contextlib.suppress(sqlite3.Error):  # what is committed is in the WAL, whatever fails now
            self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # what failed first is what matters
                self.db.execute("ROLLBACK")
            raise

    def probe(self, now: float) -> None:
        """Write a little, to learn whether writing works again."""
        with self.failing_as("writing"), self.transaction():
            self.db.execute("CREATE TABLE IF NOT EXISTS probe(id INTEGER PRIMARY KEY, at REAL)")
            self.db.execute("INSERT OR REPLACE INTO probe VALUES(1, ?)", (now,))

    @contextmanager
    def failing_as(self, attempt: str) -> Iterator[None]:
        """Name what was attempted when SQLite fails."""
        try:
            yield
        except (sqlite3.Error, UnicodeDecodeError) as problem:  # what SQLite says may quote a damaged file
            raise self._error(f"{attempt} ({self._path}): {problem}") from problem
