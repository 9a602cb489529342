"""One SQLite file that survives a power cut: WAL, FULL, a schema version, whole transactions, one error."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class SqliteFile:
    """An open file. What fails inside `failing_as` is raised as `error`, in one sentence with the path."""

    def __init__(self, path: Path, schema: str, version: int, error: type[Exception]) -> None:
        self._path = path
        self._error = error
        with self.failing_as("opening"):
            self.db = sqlite3.connect(path, isolation_level=None)
            self.db.execute("PRAGMA journal_mode=WAL")
            self.db.execute("PRAGMA synchronous=FULL")
            found = self.db.execute("PRAGMA user_version").fetchone()[0]
            if found not in (0, version):
                raise error(f"{path}: written by another version of Ayni ({found}, expected {version})")
            self.db.executescript(schema)
            self.db.execute(f"PRAGMA user_version={version}")

    def close(self) -> None:
        """Give the file back."""
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
        except sqlite3.Error as problem:
            raise self._error(f"{attempt} ({self._path}): {problem}") from None
