"""Frames that the hub has not yet committed. `MemoryOutbox` keeps them in RAM, bounded by bytes.

A frame leaves the outbox only when the hub says that it has stored it, or that it never will.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from ayni_core.wire.messages import Ack

FIRST_RESEND_S, LONGEST_RESEND_S = 30.0, 3600.0


@dataclass(slots=True, kw_only=True)
class Row:
    """One frame on its way: `made_s` is monotonic; `due_s` is when it may be sent (again)."""

    epoch: str
    seq: int
    payload: bytes
    made_s: float
    due_s: float = 0.0
    pause_s: float = FIRST_RESEND_S


class Outbox(Protocol):
    """The port: memory now, a journal on disk behind the same methods."""

    def put(self, row: Row) -> None:
        """Take a frame."""

    def due(self, now_s: float) -> list[Row]:
        """What should be sent now, newest first: live before backlog."""

    def sent(self, row: Row, now_s: float) -> None:
        """A frame was handed to the broker; it is due again after its pause."""

    def acknowledge(self, ack: Ack) -> list[str]:
        """Forget what the hub has stored; the reasons of what it refused."""

    def all_due(self) -> None:
        """The hub came back: everything may be sent at once."""

    def __len__(self) -> int:
        """How many frames the hub does not have yet."""


@dataclass(slots=True)
class MemoryOutbox:
    """An outbox in RAM; the oldest frames are dropped and counted when it is full."""

    limit_bytes: int = 8 * 1024 * 1024
    rows: dict[tuple[str, int], Row] = field(default_factory=dict)
    size_bytes: int = 0
    dropped: int = 0

    def put(self, row: Row) -> None:
        """Take a frame; makes room by dropping the oldest."""
        self.rows[row.epoch, row.seq] = row
        self.size_bytes += len(row.payload)
        while self.size_bytes > self.limit_bytes and len(self.rows) > 1:
            self._forget(next(iter(self.rows)))
            self.dropped += 1

    def due(self, now_s: float) -> list[Row]:
        """What should be sent now, newest first."""
        return sorted(
            (row for row in self.rows.values() if row.due_s <= now_s),
            key=lambda row: row.made_s,
            reverse=True,
        )

    def sent(self, row: Row, now_s: float) -> None:
        """Due again after a pause that doubles each time."""
        row.due_s = now_s + row.pause_s
        row.pause_s = min(row.pause_s * 2, LONGEST_RESEND_S)

    def acknowledge(self, ack: Ack) -> list[str]:
        """Forget what is safe; a refused frame is forgotten too, its reason is for the log."""
        for key in list(self._named(ack)):
            self._forget(key)
        reasons = []
        for refused in ack.refused:
            if (ack.epoch, refused.seq) in self.rows:
                self._forget((ack.epoch, refused.seq))
                reasons.append(refused.reason)
        return reasons

    def all_due(self) -> None:
        """Everything may be sent at once."""
        for row in self.rows.values():
            row.due_s, row.pause_s = 0.0, FIRST_RESEND_S

    def __len__(self) -> int:
        """How many frames the hub does not have yet."""
        return len(self.rows)

    def _named(self, ack: Ack) -> Iterator[tuple[str, int]]:
        ranges = [pair for pair in ack.stored if len(pair) == 2]
        for epoch, seq in self.rows:
            if epoch == ack.epoch and any(first <= seq <= last for first, last in ranges):
                yield epoch, seq

    def _forget(self, key: tuple[str, int]) -> None:
        self.size_bytes -= len(self.rows.pop(key).payload)
