"""The ledger: which frames are safe, how clocks relate, what the judge remembers, what happened.

Small and precious, beside the judge, in a SQLite file of its own. Ranges of frames make a resend harmless;
a CRC of the recent ones tells a resend from a second machine with the same name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ayni_core.rules import Track
from ayni_core.rules.track import of_row
from ayni_core.wire.messages import Alert, Event
from ayni_core.wire.shape import pack, unpack
from ayni_hub.timeline import NEVER, Anchor, Line
from ayni_io.sqlite_file import SqliteFile

_SCHEMA = """
CREATE TABLE IF NOT EXISTS frames(
    node TEXT NOT NULL, epoch TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY(node, epoch, first)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS crc(
    node TEXT NOT NULL, epoch TEXT NOT NULL, seq INTEGER NOT NULL, crc INTEGER NOT NULL, at REAL NOT NULL,
    PRIMARY KEY(node, epoch, seq)) WITHOUT ROWID;
DROP TABLE IF EXISTS anchor;
CREATE TABLE IF NOT EXISTS line(node TEXT NOT NULL, boot TEXT NOT NULL, body TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY(node, boot)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS track(key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alert(id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS event(
    id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS event_at ON event(at);
CREATE TABLE IF NOT EXISTS hour(link TEXT NOT NULL, hour INTEGER NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY(link, hour)) WITHOUT ROWID;
"""
_SPAN = """
SELECT body FROM event WHERE at<?1 AND at>=?2 AND (?3 IS NULL OR kind=?3) AND (?4 IS NULL OR name=?4)
    AND (?5='' OR (?5='notes' AND instr(body, '"text":["event.note",')>0)
        OR (?5='alarms' AND (instr(body, '"level":"critical"')>0 OR instr(body, '"level":"warn"')>0
            OR instr(body, '"level":"clear"')>0)))
    ORDER BY at DESC, id DESC
"""
"""In the JSON of an event these stand so only where they are meant: in a text quotes are escaped."""
_VERSION = 1
ONLY = ("", "notes", "alarms")
_CRC_KEPT_S = 7 * 86400
_MOST_LINES = 200
_MOST_RANGES, _MOST_BOOTS = 2000, 1000
"""Of one node, before those are forgotten that nothing came for in a week, and the oldest boots."""
_END_OF_TIME = 1e18


class LedgerError(Exception):
    """The ledger cannot be read or written; nothing was half done."""


class Ledger:
    """One file. Every public method is one transaction; `LedgerError` where the disk or the file fails."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, _SCHEMA, _VERSION, LedgerError)
        self._db = self._file.db

    @property
    def file(self) -> SqliteFile:
        """For what lies in the same file and is written in the same transactions (`told`, `handover`)."""
        return self._file

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def probe(self, now: float) -> None:
        """Raise `LedgerError` unless it can be written."""
        self._file.probe(now)

    # ---- frames

    def seen(self, node: str, epoch: str, seq: int) -> bool:
        """Whether this frame is already safe."""
        with self._file.failing_as("reading frames"):
            row = self._db.execute(
                "SELECT last FROM frames WHERE node=? AND epoch=? AND first<=? ORDER BY first DESC LIMIT 1",
                (node, epoch, seq),
            ).fetchone()
        return row is not None and row[0] >= seq

    def crc_of(self, node: str, epoch: str, seq: int) -> int | None:
        """The CRC of a recent frame, to tell a resend from a clone."""
        with self._file.failing_as("reading frames"):
            row = self._db.execute(
                "SELECT crc FROM crc WHERE node=? AND epoch=? AND seq=?", (node, epoch, seq)
            ).fetchone()
        return int(row[0]) if row else None

    def record(
        self,
        frames: Iterable[tuple[str, str, int, int]],
        now: float,
        lines: Mapping[tuple[str, str], Line] = MappingProxyType({}),
        events: Iterable[Event] = (),
    ) -> None:
        """Frames (node, epoch, seq, crc) that are safe from now on, the lines of time that they lie on, and
        what their notes tell, so once; neighbouring ranges grow together."""
        with self._file.failing_as("recording frames"), self._file.transaction():
            self._put_lines(lines, now)
            self._put_events(events)
            for node, epoch, seq, crc in frames:
                self._db.execute("INSERT OR REPLACE INTO crc VALUES(?,?,?,?,?)", (node, epoch, seq, crc, now))
                self._add_to_ranges(node, epoch, seq)
            self._db.execute("DELETE FROM crc WHERE at<?", (now - _CRC_KEPT_S,))

    def _add_to_ranges(self, node: str, epoch: str, seq: int) -> None:
        self.add_range(node, epoch, seq, seq)

    def add_range(self, node: str, epoch: str, first: int, last: int) -> None:
        """Frames from `first` to `last` are safe, within a transaction of the caller's; neighbouring ranges
        grow together."""
        rows = self._db.execute(
            "SELECT first, last FROM frames WHERE node=? AND epoch=? AND first<=? AND last>=?",
            (node, epoch, last + 1, first - 1),
        ).fetchall()
        for row in rows:
            self._db.execute("DELETE FROM frames WHERE node=? AND epoch=? AND first=?", (node, epoch, row[0]))
        first, last = min([first, *(row[0] for row in rows)]), max([last, *(row[1] for row in rows)])
        self._db.execute("INSERT INTO frames VALUES(?,?,?,?)", (node, epoch, first, last))

    # ---- clocks

    def lines(self, node: str) -> dict[str, Line]:
        """How the clocks of a node's boots relate to ours, by boot; of very many the newest."""
        with self._file.failing_as("reading the lines of time"):
            rows = self._db.execute(
                "SELECT boot, body FROM line WHERE node=? ORDER BY at DESC LIMIT ?", (node, _MOST_LINES)
            ).fetchall()
        return {boot: _line_in(json.loads(body)) for boot, body in rows}

    def keep_lines(self, lines: Mapping[tuple[str, str], Line], now: float) -> None:
        """Lines by (node, boot), as they are now."""
        with self._file.failing_as("keeping the lines of time"), self._file.transaction():
            self._put_lines(lines, now)

    def _put_lines(self, lines: Mapping[tuple[str, str], Line], now: float) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO line VALUES(?,?,?,?)",
            [(node, boot, json.dumps(_line_out(line)), now) for (node, boot), line in lines.items()],
        )

    # ---- what the judge remembers

    def tracks(self) -> dict[str, Track]:
        """Every track of every rule, by its key."""
        with self._file.failing_as("reading tracks"):
            rows = self._db.execute("SELECT key, body FROM track").fetchall()
        return {key: of_row(json.loads(body)) for key, body in rows}

    def alerts(self) -> dict[str, Alert]:
        """The alerts that hold."""
        with self._file.failing_as("reading alerts"):
            rows = self._db.execute("SELECT id, body FROM alert").fetchall()
        return {identifier: unpack(Alert, body) for identifier, body in rows}

    def hours(self, since_hour: int) -> dict[str, dict[int, str]]:
        """The worst state of each link by hour since 1970."""
        with self._file.failing_as("reading hours"):
            rows = self._db.execute(
                "SELECT link, hour, state FROM hour WHERE hour>=?", (since_hour,)
            ).fetchall()
        result: dict[str, dict[int, str]] = {}
        for link, hour, state in rows:
            result.setdefault(link, {})[hour] = state
        return result

    def remember(
        self,
        tracks: Mapping[str, Track],
        alerts: Mapping[str, Alert | None],
        events: Iterable[Event],
        hours: Mapping[tuple[str, int], str],
    ) -> None:
        """What changed in the judge's mind; an alert of None is over."""
        with self._file.failing_as("remembering the verdict"), self._file.transaction():
            self._db.executemany(
                "INSERT OR REPLACE INTO track VALUES(?,?)",
                [(key, json.dumps(track.to_row())) for key, track in tracks.items()],
            )
            for identifier, alert in alerts.items():
                if alert is None:
                    self._db.execute("DELETE FROM alert WHERE id=?", (identifier,))
                else:
                    self._db.execute("INSERT OR REPLACE INTO alert VALUES(?,?)", (identifier, pack(alert)))
            self._put_events(events)
            self._db.executemany(
                "INSERT OR REPLACE INTO hour VALUES(?,?,?)",
                [(link, hour, state) for (link, hour), state in hours.items()],
            )

    # ---- what happened

    def put_events(self, events: Iterable[Event]) -> None:
        """The same within a transaction of the caller's."""
        self._put_events(events)

    def _put_events(self, events: Iterable[Event]) -> None:
        self._db.executemany(
            "INSERT INTO event(at, kind, name, body) VALUES(?,?,?,?)",
            [(event.at, event.kind, event.name, pack(event)) for event in events],
        )

    def events(
        self, before: float | None, limit: int, kind: str | None = None, name: str | None = None
    ) -> list[Event]:
        """The newest `limit` events before a time, newest first, of one thing or of all."""
        with self._file.failing_as("reading events"):
            rows = self._db.execute(
                "SELECT body FROM event WHERE (?1 IS NULL OR at<?1) AND (?2 IS NULL OR kind=?2)"
                " AND (?3 IS NULL OR name=?3) ORDER BY at DESC, id DESC LIMIT ?4",
                (before, kind, name, limit),
            ).fetchall()
        return [unpack(Event, row[0]) for row in rows]

    def has_event(self, event: Event) -> bool:
        """Whether the very same event is remembered."""
        with self._file.failing_as("reading events"):
            rows = self._db.execute("SELECT body FROM event WHERE at=?", (event.at,)).fetchall()
        return any(unpack(Event, row[0]) == event for row in rows)

    def event_span(
        self,
        before: float | None,
        count: int,
        kind: str | None = None,
        name: str | None = None,
        only: str = "",
    ) -> tuple[list[Event], float | None]:
        """Of the newest `count` events before a time, and all others of the moment of the last one, those
        that are of one thing and sort (`only` is one of ONLY), newest first; and when that last one was, None
        where none is older. So one look takes a while that is known, and passes over nothing."""
        before = _END_OF_TIME if before is None else before
        with self._file.failing_as("reading events"):
            last = self._db.execute(
                "SELECT at FROM event WHERE at<? ORDER BY at DESC LIMIT 1 OFFSET ?", (before, count - 1)
            ).fetchone()
            floor = last[0] if last else None
            low = -_END_OF_TIME if floor is None else floor
            rows = self._db.execute(_SPAN, (before, low, kind, name, only)).fetchall()
        return [unpack(Event, row[0]) for row in rows], floor

    def forget_before(self, time: float, lines: float) -> None:
        """Drop events and hours older than `time`, and lines of time that nothing came for since `lines`."""
        with self._file.failing_as("forgetting old events"), self._file.transaction():
            self._db.execute("DELETE FROM event WHERE at<?", (time,))
            self._db.execute("DELETE FROM hour WHERE hour<?", (int(time // 3600),))
            self._db.execute("DELETE FROM line WHERE at<?", (lines,))
            self._forget_strange()

    def _forget_strange(self) -> None:
        """A node that invents epochs and boots does not fill the disk with their names. What is forgotten of
        an honest one is older than anything that it might send again."""
        for (node,) in self._db.execute(
            "SELECT node FROM frames GROUP BY node HAVING count(*)>?", (_MOST_RANGES,)
        ).fetchall():
            self._db.execute(
                "DELETE FROM frames WHERE node=?1 AND epoch NOT IN (SELECT epoch FROM crc WHERE node=?1)",
                (node,),
            )
        for (node,) in self._db.execute(
            "SELECT node FROM line GROUP BY node HAVING count(*)>?", (_MOST_BOOTS,)
        ).fetchall():
            self._db.execute(
                "DELETE FROM line WHERE node=?1 AND boot NOT IN"
                " (SELECT boot FROM line WHERE node=?1 ORDER BY at DESC LIMIT ?2)",
                (node, _MOST_BOOTS),
            )


def _line_out(line: Line) -> list[object]:
    anchors = [[each.from_s, each.offset_s, each.quality] for each in line.anchors]
    return [line.step, line.first_s, line.until_s if line.until_s > NEVER else None, line.told, anchors]


def _line_in(body: list[Any]) -> Line:
    step, first_s, until_s, told, anchors = body
    return Line(
        anchors=tuple(Anchor(from_s=f, offset_s=offset, quality=quality) for f, offset, quality in anchors),
        step=step,
        first_s=first_s,
        until_s=NEVER if until_s is None else until_s,
        told=told,
    )
