"""A file that is damaged, or on a card that cannot be written: what can still be read of it.

A damaged file is first called `NAME.rescue-N`, with its WAL; once all that can be read was taken out of it,
it becomes `NAME.damaged-N` for whoever wants to look, and the two newest of those are kept. So a power cut in
the middle begins the rescue anew.

Reading touches nothing: the VFS without locks and an index of the WAL in memory also work where nothing can
be written (sqlite.org/uri.html: `vfs=unix-none`, `immutable`). Only this process has the file, so no lock is
needed.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from ayni_agent.outbox import Row
from ayni_agent.outbox_file import BOOK, Book, book_of, is_within

_KEPT_FILES = 2
_MOST_SINGLE_LOOKS = 20_000
_UNREADABLE = (sqlite3.Error, ValueError, TypeError, OverflowError, MemoryError)


def set_aside(path: Path) -> None:
    """Move a damaged file out of the way. Raises `OSError`."""
    target = path.with_name(f"{path.name}.rescue-{_next_number(path, 'rescue')}")
    path.replace(target)
    with contextlib.suppress(FileNotFoundError):
        beside(path, "-wal").replace(beside(target, "-wal"))


def to_rescue(path: Path) -> list[Path]:
    """The files that were set aside and not yet read out, oldest first."""
    return [each for _number, each in _numbered(path, "rescue")]


def put_away(path: Path, rescued: Path) -> Path:
    """What was rescued becomes `NAME.damaged-N`; the oldest of them go. Raises `OSError`."""
    target = path.with_name(f"{path.name}.damaged-{_next_number(path, 'damaged')}")
    rescued.replace(target)
    beside(rescued, "-wal").unlink(missing_ok=True)
    for _number, old in _numbered(path, "damaged")[:-_KEPT_FILES]:
        old.unlink(missing_ok=True)
    return target


def beside(path: Path, suffix: str) -> Path:
    """The file that SQLite keeps beside another."""
    return path.with_name(path.name + suffix)


def _numbered(path: Path, word: str) -> list[tuple[int, Path]]:
    form = re.compile(re.escape(f"{path.name}.{word}-") + r"(\d{1,9})")
    found = [(form.fullmatch(each.name), each) for each in path.parent.iterdir()]
    return sorted((int(match[1]), each) for match, each in found if match)


def _next_number(path: Path, word: str) -> int:
    known = _numbered(path, word)
    return known[-1][0] + 1 if known else 1


class Wreck:
    """What can be read of a file; where nothing can, it is empty. Raises `OSError` where the file itself
    cannot be opened, never for what is in it.
    """

    def __init__(self, path: Path) -> None:
        self.state: dict[str, bytes] = {}
        wal = beside(path, "-wal")
        how = "mode=ro&vfs=unix-none" if wal.exists() else "immutable=1"  # SQLite would want to make a WAL
        name = f"file:{quote(str(path.absolute()))}?{how}"
        try:
            self._db = sqlite3.connect(name, uri=True, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as problem:
            raise OSError(f"reading ({path}): {problem}") from problem
        for pragma in (
            "locking_mode=EXCLUSIVE",
            "writable_schema=ON",
        ):  # that one looks over a damaged schema
            with contextlib.suppress(*_UNREADABLE):
                self._db.execute(f"PRAGMA {pragma}")
        with contextlib.suppress(*_UNREADABLE):
            for key, value in self._db.execute("SELECT key, value FROM state"):
                if isinstance(key, str) and isinstance(value, bytes):
                    self.state[key] = value
        written = self.state.pop(BOOK, None)
        self.book = book_of(written) if written is not None else None
        self._lived_s = self.book.lived_s if self.book else self._last_lived_s()

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def rows(self, now_s: float, *, newest_first: bool = False) -> Iterator[Row]:
        """The frames that the hub does not have, whose bytes are what was written; none of them is news."""
        acked = (self.book or Book()).acked
        for place in sorted(self._places(), reverse=newest_first):
            if is_within(acked, place):
                continue
            row = self._row(place, now_s)
            if row is not None:
                yield row

    def _row(self, place: int, now_s: float) -> Row | None:
        try:
            found = self._db.execute(
                "SELECT epoch, seq, lived, crc, payload FROM frame WHERE id=?", (place,)
            ).fetchone()
            epoch, seq, lived_s, crc, payload = found
            if zlib.crc32(payload) != crc:
                return None
            return Row(
                epoch=str(epoch), seq=int(seq), payload=payload, size=len(payload), crc=crc,
                made_s=min(now_s, now_s + float(lived_s) - self._lived_s), live=False,
            )  # fmt: skip
        except _UNREADABLE:
            return None

    def _places(self) -> set[int]:
        """Reading ends at the first damaged page: so from both ends, and what lies between one by one."""
        forward = self._walk("ASC")
        backward = self._walk("DESC")
        places = {*forward, *backward}
        if forward and backward and forward[-1] < backward[-1]:
            places.update(range(forward[-1] + 1, min(backward[-1], forward[-1] + _MOST_SINGLE_LOOKS)))
        return places

    def _walk(self, order: str) -> list[int]:
        places: list[int] = []
        with contextlib.suppress(*_UNREADABLE):
            for (place,) in self._db.execute(f"SELECT id FROM frame ORDER BY id {order}"):  # noqa: S608
                places.append(place)
        return places

    def _last_lived_s(self) -> float:
        with contextlib.suppress(*_UNREADABLE):
            return float(self._db.execute("SELECT max(lived) FROM frame").fetchone()[0])
        return 0.0
