"""What each monitor may cost: work, room on the disk, readings. Who has used it up is not looked at for a
while.

A budget is a vessel that leaks: what a monitor costs is poured in, and runs out at a steady rate; while it is
full, its frames are dropped before anything of them is read. They are not acknowledged, so an honest monitor
loses nothing. The vessels are large: the whole outbox of a monitor (64 MiB) after a month without us, and all
that the central remembers of it asked for again, fit in. How fast they run out goes by the devices that the
inventory gives it, not by what it says itself, so one bad monitor can store a few times what an honest one
stores, and no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ayni_core.message import Message
from ayni_core.wire.messages import Event
from ayni_hub.tally import Tally

MIB = 1024 * 1024
_DAY_S = 86_400.0
_TELL_EVERY_S = 3600.0
_WORK_S, _WORK_SHARE = 120.0, 0.25
"""Seconds of work at once, and then this share of a core."""
_BYTES, _BYTES_A_DAY, _BYTES_OF_DEVICE = 128 * MIB, 8 * MIB, 2 * MIB
_READINGS, _READINGS_OF_DEVICE = 20_000_000, 5_000_000
_A_DAY, _A_DAY_OF_DEVICE = 500_000, 1_500_000
"""A device of the reference site gives 80,000 a day at one poll a minute, a switch with 48 ports a
million."""
FRAME_BYTES = 512
"""What a frame costs beside its own bytes: its names in the ledger."""
_MOST_NODES = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """How much each vessel holds, and how much runs out of it in a second."""

    work_s: float
    work_rate: float
    size_bytes: float
    bytes_rate: float
    readings: float
    readings_rate: float


def allowed(devices: int, poll_s: float = 60.0) -> Allowed:
    """For a monitor that polls so many devices so often."""
    often = max(1.0, 60.0 / max(poll_s, 1.0))
    return Allowed(
        work_s=_WORK_S,
        work_rate=_WORK_SHARE,
        size_bytes=_BYTES,
        bytes_rate=often * (_BYTES_A_DAY + devices * _BYTES_OF_DEVICE) / _DAY_S,
        readings=often * (_READINGS + devices * _READINGS_OF_DEVICE),
        readings_rate=often * (_A_DAY + devices * _A_DAY_OF_DEVICE) / _DAY_S,
    )


@dataclass(slots=True)
class _Vessels:
    at: float
    work_s: float = 0.0
    size_bytes: float = 0.0
    readings: float = 0.0

    def leak(self, by: Allowed, now: float) -> None:
        for_s = max(now - self.at, 0.0)
        self.at = now
        self.work_s = max(self.work_s - for_s * by.work_rate, 0.0)
        self.size_bytes = max(self.size_bytes - for_s * by.bytes_rate, 0.0)
        self.readings = max(self.readings - for_s * by.readings_rate, 0.0)

    def full(self, by: Allowed) -> str:
        """Of what there was too much; empty: of nothing."""
        if self.work_s >= by.work_s:
            return "work"
        if self.size_bytes >= by.size_bytes:
            return "bytes"
        return "readings" if self.readings >= by.readings else ""


class Toll:
    """Of all monitors. `of` says what one is allowed; `now` is any clock that does not jump."""

    def __init__(self, of: Callable[[str], Allowed]) -> None:
        self._of = of
        self._vessels: dict[str, _Vessels] = {}
        self._told: Tally[str] = Tally(_TELL_EVERY_S, "")

    def closed(self, node: str, now: float) -> bool:
        """Whether nothing of it is looked at just now; counted, and told."""
        vessels = self._vessels.get(node)
        if vessels is None:
            return False
        by = self._of(node)
        vessels.leak(by, now)
        reason = vessels.full(by)
        if reason:
            self._told.add(node, reason)
        return bool(reason)

    def charge(self, node: str, now: float, *, work_s: float, size_bytes: int = 0, readings: int = 0) -> None:
        """What it has cost."""
        vessels = self._vessels.get(node)
        if vessels is None:
            if len(self._vessels) >= _MOST_NODES:
                self._forget(now)
            vessels = self._vessels.setdefault(node, _Vessels(now))
        vessels.leak(self._of(node), now)
        vessels.work_s += work_s
        vessels.size_bytes += size_bytes
        vessels.readings += readings

    def _forget(self, now: float) -> None:
        """Those that hold nothing any more."""
        for node, vessels in list(self._vessels.items()):
            vessels.leak(self._of(node), now)
            if not (vessels.work_s or vessels.size_bytes or vessels.readings):
                del self._vessels[node]

    def events(self, now: float, nobody: str) -> list[Event]:
        """What is due to be told to people, once an hour for each monitor."""
        return [
            Event(
                at=now,
                text=Message("event.monitor_floods", {"count": count, "reason": reason, "node": node}),
                level="warn",
                kind="node",
                name=node,
            )
            for node, count, reason in self._told.due(now)
            if node not in ("", nobody)
        ]
