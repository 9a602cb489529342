"""What a remote store keeps on this machine: frames until the server has them, names, newest values, texts.

One SQLite file, used by the hub's loop, by the drain and by whoever reads history: a lock lets one at a time
in, and nobody waits for the network inside. Of a text the server has only the number that it travels as; the
list of texts is here. Days of counters that were summed up are kept too: it takes their samples to do so.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ayni_core.readings import UPTIME, Series, Value
from ayni_core.wire import codec
from ayni_core.wire.errors import WireError
from ayni_core.wire.frame import DevicePolls, Frame
from ayni_hub.embedded import naming, tail
from ayni_hub.embedded.naming import Register
from ayni_hub.embedded.polls import last_of
from ayni_hub.embedded.tail import Tail, ticks
from ayni_hub.remote import sums
from ayni_hub.remote.lines import number_of, texts_of
from ayni_hub.remote.sums import Sums
from ayni_hub.store import Kept, StoreError
from ayni_io.sqlite_file import SqliteFile

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS about(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS series(
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL, grp TEXT NOT NULL, item TEXT NOT NULL,
    metric TEXT NOT NULL, texts INTEGER NOT NULL DEFAULT 0, UNIQUE(device, grp, item, metric));
CREATE TABLE IF NOT EXISTS word(number INTEGER PRIMARY KEY, text TEXT NOT NULL, used INTEGER NOT NULL);
{naming.SCHEMA}{sums.SCHEMA}{tail.SCHEMA}
"""
_VERSION = 1
Newest = dict[tuple[str, Series], tuple[int, Value]]
"""(tick, value) by device and series."""
_DAY = 86_400 * 100
_EVER = 10**15


class Spool:
    """May be used by several threads. Raises `StoreError` where the disk or the file fails. `own` names this
    spool among all that write to the same server."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._texts: set[int] = set()
        self._words: dict[str, int] = {}
        self._swept = 0
        self._file = SqliteFile(path, _SCHEMA, _VERSION, StoreError, any_thread=True)
        self._db = self._file.db
        self._register, self._tail, self._sums = Register(self._db), Tail(self._db), Sums(self._db)
        with self._changing("opening the spool"):
            self._db.execute("INSERT OR IGNORE INTO about VALUES('own', ?)", (f"hub-{secrets.token_hex(4)}",))
            (self.own,) = self._db.execute("SELECT value FROM about WHERE key='own'").fetchone()
            self._recall()

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._file.close()

    def probe(self, now: float) -> None:
        """Raise `StoreError` unless it can be written."""
        with self._lock:
            self._file.probe(now)

    # ---- frames

    def keep(self, frames: Sequence[Kept]) -> list[tuple[int, int]]:
        """Keep frames, all or none; (number, bytes) of each, also of one that was here already."""
        with self._changing("writing samples"):
            for kept in frames:
                start = ticks(kept.start)
                for device, polls in kept.frame.devices.items():
                    self._know(device, polls, start)
                self._tail.add(kept.frame, start, kept.body, self._register.given)
            return [(self._number(kept.frame), len(kept.body)) for kept in frames]

    def _number(self, frame: Frame) -> int:
        (number,) = self._db.execute(
            "SELECT id FROM frame WHERE node=? AND epoch=? AND seq=?", (frame.node, frame.epoch, frame.seq)
        ).fetchone()
        return int(number)

    def waiting(self) -> list[tuple[int, int]]:
        """(number, bytes) of every frame, the oldest first."""
        with self._reading("reading the spool"):
            return self._db.execute("SELECT id, length(body) FROM frame ORDER BY id").fetchall()

    def frames(self, numbers: Sequence[int]) -> list[tuple[int, int, Frame]]:
        """(number, tick of its start, frame) of those of them that are still here."""
        with self._reading("reading the spool"):
            rows = [
                self._db.execute("SELECT id, start, body FROM frame WHERE id=?", (number,)).fetchone()
                for number in numbers
            ]
        try:  # it takes a while: others may use the file meanwhile
            return [(row[0], row[1], codec.decode(row[2])) for row in rows if row is not None]
        except WireError as damaged:
            raise StoreError(f"reading the spool: it is damaged: {damaged}") from damaged

    def newest_in(self, numbers: Sequence[int]) -> Newest:
        """What is newest in these frames, to be noted when they are dropped."""
        found: Newest = {}
        for _number, start, frame in self.frames(numbers):
            for device, polls in frame.devices.items():
                for series, at, value in _last(start, polls):
                    if found.get((device, series), (-_EVER,))[0] <= at:
                        found[device, series] = (at, value)
        return found

    def drop(self, numbers: Sequence[int], newest: Newest | None = None) -> None:
        """The server has these frames; what `newest_in` found in them is noted."""
        newest = self.newest_in(numbers) if newest is None else newest
        with self._changing("emptying the spool"):
            numbered = (
                (self._register.of(device).get(series), last) for (device, series), last in newest.items()
            )
            self._register.note((number, *last) for number, last in numbered if number is not None)
            self._tail.drop(numbers)

    def read(self, device: str, series: Series, first: int, end: int) -> list[tuple[int, Value]]:
        """(tick, value) of a series in frames that are here; not in order."""
        with self._reading("reading the spool"):
            known = self._register.of(device)
            if series not in known:
                return []
            return list(self._tail.read(self._register.number(device), device, series, first, end))

    def polls(self, device: str, first: int, end: int) -> list[tuple[int, DevicePolls]]:
        """(tick of the start, polls) of a device in every frame that reaches into a span."""
        with self._reading("reading the spool"):
            return list(self._tail.polls(self._register.number(device), device, first, end))

    def spans(self, device: str, first: int, end: int) -> list[tuple[int, int]]:
        """(first, last) tick of a device in every frame here that reaches into a span."""
        with self._reading("reading the spool"):
            return self._db.execute(
                "SELECT first, last FROM heard WHERE device=? AND first<? AND last>=? ORDER BY first",
                (self._register.number(device), end, first),
            ).fetchall()

    # ---- names, newest values, texts

    def know(self, samples: Iterable[tuple[str, Series, int, Value]]) -> None:
        """Note samples that come without frames: what they are called, what is newest, and texts."""
        with self._changing("writing names"):
            newest: dict[int, tuple[int, Value]] = {}
            days: dict[str, set[int]] = {}
            for device, series, tick, value in samples:
                number = self._register.name(device, (series,))[series]
                if newest.get(number, (-_EVER,))[0] <= tick:
                    newest[number] = (tick, value)
                if isinstance(value, str):
                    self._has_texts(number)
                    self._learn(value, tick)
                days.setdefault(device, set()).add(tick // _DAY)
            for device, found in days.items():
                self._sums.spoil(self._register.given(device), found)
            self._register.note((number, *last) for number, last in newest.items())

    def name(self, device: str, series: Series) -> None:
        """Note that there may be such a series."""
        if series not in self.names(device):
            with self._changing("writing names"):
                self._register.name(device, (series, UPTIME))

    def devices(self) -> list[str]:
        """Every device, by name."""
        with self._reading("reading the names of devices"):
            return self._register.devices()

    def names(self, device: str) -> Collection[Series]:
        """Every series of a device."""
        with self._reading("reading the names of series"):
            return self._register.of(device).names()

    def latest(self, device: str) -> list[tuple[Series, int, Value]]:
        """(series, tick, newest value), frames that are here counted in."""
        with self._reading("reading the newest values"):
            found = self._register.newest(device)
            for start, polls in self._tail.polls(self._register.number(device), device, -_EVER, _EVER):
                for series, at, value in _last(start, polls):
                    if series not in found or found[series][0] <= at:
                        found[series] = (at, value)
        return [(series, *found[series]) for series in sorted(found)]

    def newest(self) -> int | None:
        """The tick of the newest sample."""
        with self._reading("reading the newest time"):
            (at,) = self._db.execute(
                "SELECT max(at) FROM (SELECT max(at) AS at FROM latest UNION SELECT max(last) FROM heard)"
            ).fetchone()
        return None if at is None else int(at)

    def has_texts(self, device: str, series: Series) -> bool:
        """Whether numbers of a series stand for texts."""
        with self._reading("reading the names of series"):
            known = self._register.of(device)
            return series in known and known[series] in self._texts

    def words(self, numbers: Collection[int]) -> dict[int, str]:
        """The texts that these numbers stand for, as far as they are known."""
        found = {}
        with self._reading("reading texts"):
            for number in numbers:
                row = self._db.execute("SELECT text FROM word WHERE number=?", (number,)).fetchone()
                if row is not None:
                    found[number] = str(row[0])
        return found

    def forget_before(self, tick: int) -> None:
        """Forget names of what its device brings no more, texts and sums nobody can ask for; once a day."""
        if abs(tick - self._swept) < _DAY:
            return
        with self._changing("forgetting old names"):
            self._register.drop_before(tick)
            self._db.execute("DELETE FROM word WHERE used<?", (tick // _DAY - 2,))
            self._sums.forget_before(tick // _DAY)
            self._recall()
        self._swept = tick

    # ---- days of counters

    def sums(self, device: str, series: Series, first: int, end: int) -> dict[int, bytes]:
        """What is summed up of a series on days first <= day < end."""
        with self._reading("reading sums"):
            known = self._register.of(device)
            if series not in known:
                return {}
            return self._sums.read(self._register.number(device), known[series], first, end)

    def changes(self, device: str) -> int:
        """See `Sums.changes`."""
        with self._reading("reading sums"):
            return self._sums.changes(self._register.number(device))

    def keep_sums(self, device: str, series: Series, found: Mapping[int, bytes], since: int) -> None:
        """See `Sums.keep`."""
        with self._changing("writing sums"):
            number = self._register.name(device, (series,))[series]
            self._sums.keep(self._register.given(device), number, found, since)

    # ---- inside a change

    def _know(self, device: str, polls: DevicePolls, start: int) -> None:
        known = self._register.name(device, polls.values)
        for series, column in polls.values.items():
            texts = texts_of((column,))
            if texts:
                self._has_texts(known[series])
                for text in texts:
                    self._learn(text, start)
        if polls.times_s:
            first, last = start + ticks(polls.times_s[0]), start + ticks(polls.times_s[-1])
            self._sums.spoil(self._register.given(device), range(first // _DAY, last // _DAY + 1))

    def _has_texts(self, series: int) -> None:
        if series not in self._texts:
            self._db.execute("UPDATE series SET texts=1 WHERE id=?", (series,))
            self._texts.add(series)

    def _learn(self, text: str, tick: int) -> None:
        day = tick // _DAY
        if self._words.get(text, -1) < day:
            self._db.execute(
                "INSERT INTO word VALUES(?,?,?)"
                " ON CONFLICT(number) DO UPDATE SET used=max(used, excluded.used)",
                (number_of(text), text, day),
            )
            if len(self._words) > 50_000:
                self._words.clear()
            self._words[text] = day

    def _recall(self) -> None:
        """What is in memory of the file is read anew."""
        self._register.reread()
        self._words.clear()
        self._texts = {each for (each,) in self._db.execute("SELECT id FROM series WHERE texts")}
        self._sums.recall()

    @contextmanager
    def _changing(self, attempt: str) -> Iterator[None]:
        try:
            with self._reading(attempt), self._file.transaction():
                yield
        except BaseException:
            with self._lock, contextlib.suppress(sqlite3.Error):  # what failed first is what matters
                self._recall()
            raise

    @contextmanager
    def _reading(self, attempt: str) -> Iterator[None]:
        try:
            with self._lock, self._file.failing_as(attempt):
                yield
        except (WireError, TypeError, LookupError) as damaged:
            raise StoreError(f"{attempt}: the spool is damaged: {damaged}") from damaged
        except sqlite3.Error as problem:  # pragma: no cover  failing_as names these
            raise StoreError(f"{attempt}: {problem}") from problem


def _last(start: int, polls: DevicePolls) -> Iterator[tuple[Series, int, Value]]:
    """The last value of each series."""
    return (
        (series, start + ticks(at_s), value) for series, at_s, value in last_of(polls.times_s, polls.values)
    )
