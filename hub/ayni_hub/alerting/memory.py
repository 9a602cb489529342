"""What alerts need to outlive a restart, beside the ledger's tracks and alerts and in the same file.

When alerts fired lately, windows of maintenance, when the central last saw, times of blindness, and changes
of state for reports over years: a row a change, some 60 bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ayni_core.maintenance import Window
from ayni_core.wire import WireError
from ayni_core.wire.messages import Alert, Event
from ayni_core.wire.shape import pack, unpack
from ayni_hub.alerting.blindness import Blind
from ayni_hub.alerting.states import Change
from ayni_hub.ledger import Ledger

_SCHEMA = """
CREATE TABLE IF NOT EXISTS fired(id TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY(id, at)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS maintenance(id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen(id INTEGER PRIMARY KEY CHECK(id=1), at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS blind(start REAL NOT NULL, end REAL NOT NULL, cause TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS span(
    kind TEXT NOT NULL, name TEXT NOT NULL, at REAL NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY(kind, name, at)) WITHOUT ROWID;
"""
KEPT_S = 10 * 366 * 86_400.0
"""How long changes of state and times of blindness are kept: reports compare years."""


class AlertMemory:
    """Every method is one transaction; raises `LedgerError`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._file = ledger.file
        self._db = ledger.file.db
        with self._file.failing_as("preparing the memory of alerts"), self._file.transaction():
            for statement in _SCHEMA.split(";\n"):
                self._db.execute(statement)

    # ---- alerts

    def fired(self) -> dict[str, tuple[float, ...]]:
        """When alerts fired lately."""
        with self._file.failing_as("reading when alerts fired"):
            rows = self._db.execute("SELECT id, at FROM fired ORDER BY at").fetchall()
        found: dict[str, tuple[float, ...]] = {}
        for identifier, at in rows:
            found[identifier] = (*found.get(identifier, ()), at)
        return found

    def keep_alert(self, alert: Alert, event: Event) -> None:
        """What a person did about an alert: written before it is answered."""
        self._ledger.remember({}, {alert.id: alert}, [event], {})

    # ---- maintenance

    def windows(self) -> list[Window]:
        """Windows that people made."""
        with self._file.failing_as("reading maintenance"):
            rows = self._db.execute("SELECT body FROM maintenance ORDER BY id").fetchall()
        found = []
        for (body,) in rows:
            try:
                found.append(unpack(Window, body))
            except WireError:  # of a version after this one
                continue
        return found

    def keep_window(self, window: Window, event: Event) -> None:
        """A new window, and who made it."""
        with self._file.failing_as("keeping maintenance"), self._file.transaction():
            self._db.execute("INSERT OR REPLACE INTO maintenance VALUES(?,?)", (window.id, pack(window)))
            self._ledger.put_events([event])

    def drop_windows(self, identifiers: Iterable[str], events: Iterable[Event] = ()) -> None:
        """Windows that are over."""
        with self._file.failing_as("ending maintenance"), self._file.transaction():
            self._db.executemany("DELETE FROM maintenance WHERE id=?", [(each,) for each in identifiers])
            self._ledger.put_events(events)

    # ---- what was seen

    def seen(self) -> float | None:
        """When the central last saw."""
        with self._file.failing_as("reading when we last saw"):
            row = self._db.execute("SELECT at FROM seen").fetchone()
        return float(row[0]) if row else None

    def keep(
        self,
        *,
        fired: Mapping[str, tuple[float, ...]],
        changes: Iterable[Change] = (),
        blind: Iterable[Blind] = (),
        seen: float | None = None,
        events: Iterable[Event] = (),
    ) -> None:
        """What is new since the last call."""
        with self._file.failing_as("keeping what was seen"), self._file.transaction():
            self._db.executemany("DELETE FROM fired WHERE id=?", [(each,) for each in fired])
            self._db.executemany(
                "INSERT OR REPLACE INTO fired VALUES(?,?)",
                [(each, at) for each, times in fired.items() for at in times],
            )
            self._db.executemany("INSERT OR REPLACE INTO span VALUES(?,?,?,?)", list(changes))
            self._ledger.put_events(events)
            self._db.executemany(
                "INSERT INTO blind VALUES(?,?,?)", [(each.start, each.end, each.cause) for each in blind]
            )
            if seen is not None:
                self._db.execute("INSERT OR REPLACE INTO seen VALUES(1,?)", (seen,))

    def blind(self, start: float, end: float) -> list[Blind]:
        """Times of blindness that lie at least in part between two moments, oldest first."""
        with self._file.failing_as("reading when we saw nothing"):
            rows = self._db.execute(
                "SELECT start, end, cause FROM blind WHERE end>? AND start<? ORDER BY start", (start, end)
            ).fetchall()
        return [Blind(start=first, end=last, cause=cause) for first, last, cause in rows]

    def last_states(self) -> dict[tuple[str, str], str]:
        """The last state of each thing that was kept."""
        with self._file.failing_as("reading states"):
            rows = self._db.execute(
                "SELECT kind, name, max(at), state FROM span GROUP BY kind, name"
            ).fetchall()
        return {(kind, name): state for kind, name, _at, state in rows}

    def changes(self, kind: str, name: str, start: float, end: float) -> list[tuple[float, str]]:
        """(since when, state) of one thing as `availability` takes it: with what held at `start`."""
        with self._file.failing_as("reading states"):
            rows = self._db.execute(
                "SELECT at, state FROM span WHERE kind=?1 AND name=?2 AND at<?4 AND at>=coalesce("
                "(SELECT max(at) FROM span WHERE kind=?1 AND name=?2 AND at<=?3), ?3) ORDER BY at",
                (kind, name, start, end),
            ).fetchall()
        return [(at, state) for at, state in rows]

    def forget_before(self, time: float) -> None:
        """Drop what is older; of each thing the last state before stays, for it still held."""
        with self._file.failing_as("forgetting old states"), self._file.transaction():
            self._db.execute("DELETE FROM blind WHERE end<?", (time,))
            self._db.execute(
                "DELETE FROM span WHERE at<?1 AND at<(SELECT max(at) FROM span AS later"
                " WHERE later.kind=span.kind AND later.name=span.name AND later.at<=?1)",
                (time,),
            )
