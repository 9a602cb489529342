"""What monitors told of themselves: what waits there, what they cost, how their clocks are.

In memory only: a monitor tells all of it again when the central comes back.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ayni_core.wire.frame import Frame
from ayni_core.wire.health import MonitorHealth
from ayni_core.wire.node_health import NodeHealth
from ayni_hub.timeline import BELIEVABLE_S, Bound


@dataclass(slots=True)
class Clock:
    """Of one boot of a monitor. `own_s` is what its wall clock is ahead of its monotonic one; `least` is the
    most that ours can be ahead of that, as in `timeline`: a report is never heard before it was made."""

    boot: str
    least: Bound
    own_s: float = 0.0
    synced: bool = False
    at: float = 0.0

    def hear(self, frame: Frame, now: float) -> None:
        """News that came just now."""
        self.least.hear(now - _made_s(frame), now, max(BELIEVABLE_S, 2 * frame.next_by_s))
        self.own_s, self.synced, self.at = frame.wall_s - frame.mono_s, frame.synced, now


@dataclass(slots=True)
class Known:
    """Of one monitor."""

    clock: Clock | None = None
    health: NodeHealth = field(default_factory=NodeHealth)
    told_at: float | None = None


class Monitors:
    """Of all monitors."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}

    def take(self, frame: Frame, now: float, *, itself: bool = True) -> None:
        """Live news of a monitor. What somebody else brought (not `itself`) says nothing of its clock: who
        knows how long it was on its way."""
        known = self._known.setdefault(frame.node, Known())
        if itself:
            if known.clock is None or known.clock.boot != frame.boot:
                known.clock = Clock(frame.boot, Bound(now - _made_s(frame), now))
            known.clock.hear(frame, now)
        if frame.health is not None:
            known.health, known.told_at = frame.health, now

    def of(self, node: str) -> MonitorHealth:
        """What is known of one."""
        known = self._known.get(node, Known())
        health, clock, told = known.health, known.clock, known.told_at is not None
        sure = (clock is not None and clock.synced) or (told and health.trusted)
        return MonitorHealth(
            id=node,
            clock="" if clock is None and not told else "right" if sure else "unsure",
            ahead_s=None if clock is None else round(clock.own_s - clock.least.offset_s, 1),
            clock_at=None if clock is None else round(clock.at, 1),
            told_at=None if known.told_at is None else round(known.told_at, 1),
            waiting=health.waiting,
            waiting_bytes=health.waiting_bytes,
            room_days=health.room_days,
            lost=health.lost,
            on_disk=health.on_disk,
            today_bytes=health.today_bytes,
            month_bytes=health.month_bytes,
            cap_bytes=health.cap_bytes,
            forecast_bytes=health.forecast_bytes,
            saving=health.saving,
        )


def _made_s(frame: Frame) -> float:
    """When a frame was closed, on the monotonic clock of its boot."""
    return frame.mono_s + frame.span_s() if frame.made_s is None else frame.made_s
