"""Frames that the hub has not yet committed, in the order in which they travel.

A frame leaves the outbox only when the hub says that it has stored it, or that it never will. News go first,
the newest of them ahead, so that an alarm never waits behind a backlog; the backlog follows, oldest first.
What was sent is due again after a pause that doubles, until the hub has spoken.

`MemoryOutbox` is the line itself: it knows every frame, but a frame's bytes may lie elsewhere
(`Row.payload` None). `outbox_steady` keeps the bytes on disk behind it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from ayni_core.wire import WireError
from ayni_core.wire import field as field_encoding
from ayni_core.wire.messages import Ack

FIRST_RESEND_S, LONGEST_RESEND_S = 30.0, 3600.0
MIB = 1024 * 1024
DAY_S = 86400.0
Name = tuple[str, int]
"""(epoch, number): the name of a frame for ever."""


@dataclass(slots=True, kw_only=True)
class Row:
    """One frame on its way: `made_s` is monotonic (negative: before this boot), `due_s` is when it may be
    sent (again). `live` while it is news. `place` is its number in the file, 0 while it is in memory only.
    `bare`: the hub could not read it with our dictionary, so it goes without.
    """

    epoch: str
    seq: int
    payload: bytes | None
    size: int
    crc: int
    made_s: float
    due_s: float = 0.0
    pause_s: float = FIRST_RESEND_S
    live: bool = True
    place: int = 0
    bare: bool = False

    @property
    def name(self) -> Name:
        """The name of the frame."""
        return self.epoch, self.seq

    def fill(self, payload: bytes) -> None:
        """Take these bytes; they are in memory only."""
        self.payload, self.size, self.crc, self.place = payload, len(payload), zlib.crc32(payload), 0


def row_of(epoch: str, seq: int, payload: bytes, made_s: float, *, live: bool = True) -> Row:
    """A frame that was encoded a moment ago."""
    return Row(
        epoch=epoch, seq=seq, payload=payload, size=len(payload), crc=zlib.crc32(payload),
        made_s=made_s, live=live,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may wait: bytes and age in all, and bytes of what is in memory only."""

    size_bytes: int = 64 * MIB
    age_s: float = 30 * DAY_S
    memory_bytes: int = 8 * MIB


@dataclass(slots=True)
class Settled:
    """What the hub's word settled: frames that are safe, and frames that it will never take, with reasons."""

    stored: list[Row] = field(default_factory=list)
    refused: list[tuple[Row, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """How the outbox is. `storage` is `disk` or `memory`; `trouble` says why memory: `none` was asked for, or
    the disk is `full`, `read-only`, `denied`, `busy` (another agent has it), `failing` or `damaged`; `why`
    is the same as a sentence. `dropped`, `damaged` (could not be read any more) and `refused` count frames of
    all time; `oldest_s` is when the oldest one was made, monotonic.
    """

    frames: int
    size_bytes: int
    oldest_s: float | None
    dropped: int
    damaged: int
    refused: int
    storage: str
    trouble: str
    why: str


class Outbox(Protocol):
    """What the courier needs; `SteadyOutbox` is the one that agents use."""

    def due(self, now_s: float, most: int, *, history: bool = True) -> list[Row]:
        """What should be sent now: news first, newest ahead; then the backlog, oldest first, unless it is to
        wait.
        """

    def read(self, row: Row) -> bytes | None:
        """The bytes of a frame; may take as long as a slow card. None: not now, it is due again later."""

    def sent(self, row: Row, now_s: float) -> None:
        """A frame was handed to the broker; it is due again after its pause."""

    def acknowledge(self, ack: Ack, wall_s: float) -> list[str]:
        """Forget what the hub has stored; the reasons of what it refused."""

    def all_due(self) -> None:
        """The hub came back: everything may be sent at once."""

    def take_back(self, mark: str, for_s: float, now_s: float) -> int | None:
        """The hub was put back from a backup: what it acknowledged in the last `for_s` seconds and is still
        kept waits again, once for each `mark`; how many frames. May take as long as a slow card. None: not
        now."""

    def __len__(self) -> int:
        """How many frames the hub does not have yet."""


@dataclass(slots=True)
class MemoryOutbox:
    """The line. The oldest frames are dropped and counted when it is too long; never the newest."""

    limits: Limits = field(default_factory=Limits)
    live_s: float = 600.0
    rows: dict[Name, Row] = field(default_factory=dict)
    """In the order in which they were made."""
    size_bytes: int = 0
    dropped: int = 0

    def put(self, row: Row) -> list[Row]:
        """Take a frame; what had to go for it."""
        self.add(row)
        return self.trim()

    def add(self, row: Row) -> None:
        """Take a frame, whatever room there is."""
        self.forget(row.name)
        self.rows[row.name] = row
        self.size_bytes += row.size

    def trim(self) -> list[Row]:
        """Keep to the limits; what had to go."""
        if not self.rows:
            return []
        newest = next(reversed(self.rows.values()))
        earliest_s = newest.made_s - self.limits.age_s
        over = self.size_bytes - self.limits.size_bytes
        memory_over = 0
        if self.size_bytes > self.limits.memory_bytes:
            held = sum(row.size for row in self.rows.values() if not row.place)
            memory_over = held - self.limits.memory_bytes
        gone: list[Row] = []
        for row in self.rows.values():
            old = row.made_s < earliest_s
            if row is newest or not (old or over > 0 or memory_over > 0):
                break
            if old or over > 0 or not row.place:
                gone.append(row)
                over -= row.size
                memory_over -= 0 if row.place else row.size
        for row in gone:
            self.forget(row.name)
        self.dropped += len(gone)
        return gone

    def due(self, now_s: float, most: int = 1_000_000, *, history: bool = True) -> list[Row]:
        """See `Outbox.due`."""
        news: list[Row] = []
        for row in reversed(self.rows.values()):
            if not self._is_news(row, now_s):
                break
            if row.due_s <= now_s:
                news.append(row)
        backlog: list[Row] = []
        for row in self.rows.values() if history else ():
            if len(news) + len(backlog) >= most or self._is_news(row, now_s):
                break
            if row.due_s <= now_s:
                backlog.append(row)
        return (news + backlog)[:most]

    def _is_news(self, row: Row, now_s: float) -> bool:
        row.live = row.live and now_s - row.made_s < self.live_s
        return row.live

    def read(self, row: Row) -> bytes | None:
        """See `Outbox.read`."""
        return row.payload

    def sent(self, row: Row, now_s: float) -> None:
        """Due again after a pause that doubles each time."""
        row.due_s = now_s + row.pause_s
        row.pause_s = min(row.pause_s * 2, LONGEST_RESEND_S)

    def settle(self, ack: Ack) -> Settled:
        """Forget what is safe, and what will never be."""
        settled = Settled([self.rows[name] for name in dict.fromkeys(self._named(ack))])
        for row in settled.stored:
            self.forget(row.name)
        for refused in ack.refused:
            known = self.rows.get((ack.epoch, refused.seq))
            if known is not None:
                self.forget(known.name)
                settled.refused.append((known, refused.reason))
        return settled

    def acknowledge(self, ack: Ack, wall_s: float = 0.0) -> list[str]:
        """See `Outbox.acknowledge`."""
        return [reason for _row, reason in self.settle(ack).refused]

    def find(self, crc: int) -> Row | None:
        """The frame whose bytes have this CRC-32."""
        return next((row for row in self.rows.values() if row.crc == crc), None)

    def all_due(self) -> None:
        """Everything may be sent at once."""
        for row in self.rows.values():
            row.due_s, row.pause_s = 0.0, FIRST_RESEND_S

    def take_back(self, mark: str, for_s: float, now_s: float) -> int | None:
        """See `Outbox.take_back`: in memory nothing is kept that the hub has."""
        return 0

    def forget(self, name: Name) -> None:
        """Take a frame out of the line, if it is there."""
        row = self.rows.pop(name, None)
        if row is not None:
            self.size_bytes -= row.size

    def sort(self) -> None:
        """Bring frames that came in later into the order in which they were made."""
        self.rows = dict(sorted(self.rows.items(), key=lambda item: item[1].made_s))

    def __len__(self) -> int:
        """How many frames the hub does not have yet."""
        return len(self.rows)

    def _named(self, ack: Ack) -> Iterator[Name]:
        for pair in ack.stored:
            if len(pair) != 2:
                continue
            first, last = pair
            if last - first < len(self.rows):
                yield from (
                    (ack.epoch, seq) for seq in range(first, last + 1) if (ack.epoch, seq) in self.rows
                )
            else:
                yield from (name for name in self.rows if name[0] == ack.epoch and first <= name[1] <= last)


def without_dictionary(payload: bytes) -> bytes | None:
    """The same frame for a hub that does not know our dictionary; None if it has none to leave out."""
    if len(payload) < 2 or payload[0] != 0x78 or not payload[1] & 0x20:  # RFC 1950: FDICT
        return None
    try:
        return field_encoding.encode(field_encoding.decode(payload), dictionary=False)
    except WireError:
        return None
