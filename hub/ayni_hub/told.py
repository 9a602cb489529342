"""Events that happened at one part of a hub, told to the one that leads: each once, whoever is killed when.

The events of a ledger have numbers. A part tells those above the last number that was heard; who leads writes
them down together with the number, and says so. A ledger that begins anew gets a new name, so that its
numbers are not taken for old ones.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from ayni_core.wire.messages import Event, Heard, Told, ToldEvent
from ayni_core.wire.shape import pack, unpack
from ayni_hub.ledger import Ledger

_SCHEMA = """
CREATE TABLE IF NOT EXISTS telling(
    id INTEGER PRIMARY KEY CHECK(id=1), memory TEXT NOT NULL, heard INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS told(
    part TEXT NOT NULL, memory TEXT NOT NULL, number INTEGER NOT NULL, at REAL NOT NULL,
    PRIMARY KEY(part, memory)) WITHOUT ROWID;
"""
_AT_ONCE = 50
_AGAIN_S = 20.0
_MOST_MEMORIES = 100


def take(ledger: Ledger, part: str, news: Told) -> Heard:
    """Write down what is new of it; how far it is known now. Raises `LedgerError`."""
    file = ledger.file
    with file.failing_as("taking events"), file.transaction():
        _prepare(ledger)
        row = file.db.execute(
            "SELECT number FROM told WHERE part=? AND memory=?", (part, news.memory)
        ).fetchone()
        known = row[0] if row else 0
        fresh = [each for each in news.events if each.number > known]
        if fresh:
            ledger.put_events(each.event for each in fresh)
            known = max(each.number for each in fresh)
            at = max(each.event.at for each in fresh)
            file.db.execute("INSERT OR REPLACE INTO told VALUES(?,?,?,?)", (part, news.memory, known, at))
            file.db.execute(
                "DELETE FROM told WHERE part=?1 AND memory NOT IN"
                " (SELECT memory FROM told WHERE part=?1 ORDER BY at DESC LIMIT ?2)",
                (part, _MOST_MEMORIES),
            )
    return Heard(memory=news.memory, number=known)


def _prepare(ledger: Ledger) -> None:
    for statement in _SCHEMA.split(";\n"):
        ledger.file.db.execute(statement)


class Teller:
    """Tells what stands in a ledger and was not heard yet, a few events at a time. `tell` does the rest of
    the way; what gets lost on it is told again."""

    def __init__(self, ledger: Ledger, tell: Callable[[bytes], None]) -> None:
        self._ledger = ledger
        self._tell = tell
        self._last = 0
        self._told_s = 0.0
        with ledger.file.failing_as("preparing to tell"), ledger.file.transaction():
            _prepare(ledger)

    def look(self, now_s: float) -> None:
        """Tell what is new; `now_s` is monotonic. Raises `LedgerError`."""
        if self._last and now_s - self._told_s < _AGAIN_S:
            return
        memory, events = self._waiting()
        if events:
            told = Told(memory=memory, events=tuple(ToldEvent(number=n, event=event) for n, event in events))
            self._last, self._told_s = events[-1][0], now_s
            self._tell(pack(told))

    def heard(self, word: Heard) -> None:
        """What was told is known there. Raises `LedgerError`."""
        file = self._ledger.file
        with file.failing_as("noting what was heard"):
            file.db.execute(
                "UPDATE telling SET heard=max(heard, ?) WHERE memory=?", (word.number, word.memory)
            )
        self._last = 0

    def _waiting(self) -> tuple[str, list[tuple[int, Event]]]:
        file = self._ledger.file
        with file.failing_as("reading events to tell"), file.transaction():
            row = file.db.execute("SELECT memory, heard FROM telling").fetchone()
            (newest,) = file.db.execute("SELECT max(id) FROM event").fetchone()
            if row is None or (newest or 0) < row[1]:  # new, or all was forgotten and the numbers begin anew
                row = (secrets.token_hex(8), 0)
                file.db.execute("INSERT OR REPLACE INTO telling VALUES(1,?,?)", row)
            found = file.db.execute(
                "SELECT id, body FROM event WHERE id>? ORDER BY id LIMIT ?", (row[1], _AT_ONCE)
            ).fetchall()
        return row[0], [(number, unpack(Event, body)) for number, body in found]


def pass_on(old: Ledger, new: Ledger) -> None:
    """Events of a part that may never tell them itself any more, to another one. Raises `LedgerError`."""
    with old.file.failing_as("reading events to tell"), old.file.transaction():
        _prepare(old)
        row = old.file.db.execute("SELECT heard FROM telling").fetchone()
        rows = old.file.db.execute(
            "SELECT id, body FROM event WHERE id>? ORDER BY id", (row[0] if row else 0,)
        ).fetchall()
    if not rows:
        return
    with new.file.failing_as("passing on events"), new.file.transaction():
        new.put_events(unpack(Event, body) for _number, body in rows)
    with old.file.failing_as("passing on events"), old.file.transaction():
        if row is None:
            old.file.db.execute("INSERT INTO telling VALUES(1,?,0)", (secrets.token_hex(8),))
        old.file.db.execute("UPDATE telling SET heard=?", (rows[-1][0],))
