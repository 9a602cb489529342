"""What the central is told of this node itself (`NodeHealth`), and when: often enough to be of use, seldom
enough to cost next to nothing.

With the first report, once an hour, with each report while a backlog waits, at once when something turned for
the worse or was mended, and anew when the central may have forgotten it.
"""

from __future__ import annotations

from collections.abc import Callable

from ayni_agent.outbox import Limits, Statistics
from ayni_agent.status import BudgetStatus
from ayni_core.clockwatch import Moment
from ayni_core.wire.node_health import NodeHealth

EVERY_S = 3600.0
BACKLOG = 3
"""More frames than this on their way are a backlog."""
PACE_S = 3600.0
"""After so long it is known how many bytes a day brings."""
_DAY_S = 86_400.0


class HealthReport:
    """One agent's. `outbox` and `budget` say how these stand; `limits` is the room of the outbox."""

    def __init__(
        self,
        outbox: Callable[[], Statistics],
        budget: Callable[[], BudgetStatus],
        limits: Limits,
        started_s: float,
    ) -> None:
        self._outbox = outbox
        self._budget = budget
        self._limits = limits
        self._started_s = started_s
        self._made_bytes = 0
        self._told: NodeHealth | None = None
        self._told_s = 0.0

    def made(self, size: int) -> None:
        """A frame of so many bytes was closed."""
        self._made_bytes += size

    def again(self) -> None:
        """The central was away and may know nothing any more."""
        self._told = None

    def due(self, at: Moment) -> NodeHealth | None:
        """What a frame that is closed now should tell; None: nothing new."""
        now = self._look(at)
        if self._told is not None and not _is_news(self._told, now) and at.mono_s - self._told_s < EVERY_S:
            return None
        self._told, self._told_s = now, at.mono_s
        return now

    def _look(self, at: Moment) -> NodeHealth:
        outbox, budget = self._outbox(), self._budget()
        return NodeHealth(
            waiting=outbox.frames,
            waiting_bytes=outbox.size_bytes,
            room_days=self._room_days(outbox, at.mono_s),
            lost=outbox.dropped + outbox.damaged + outbox.refused,
            on_disk=outbox.storage == "disk",
            trusted=at.trusted,
            today_bytes=budget.today_bytes,
            month_bytes=budget.month_bytes,
            cap_bytes=budget.cap_bytes,
            forecast_bytes=budget.forecast_bytes,
            saving=budget.saving,
        )

    def _room_days(self, outbox: Statistics, now_s: float) -> int | None:
        """For how many days more frames can wait, at the pace of this run, before the oldest has to go."""
        lasted_s = now_s - self._started_s
        if lasted_s < PACE_S or not self._made_bytes:
            return None
        limits = self._limits
        left = max(
            0, (limits.size_bytes if outbox.storage == "disk" else limits.memory_bytes) - outbox.size_bytes
        )
        waited_s = 0.0 if outbox.oldest_s is None else max(0.0, now_s - outbox.oldest_s)
        room_s = min(left / self._made_bytes * lasted_s, max(0.0, limits.age_s - waited_s))
        return int(room_s / _DAY_S)


def _is_news(told: NodeHealth, now: NodeHealth) -> bool:
    backlog = max(told.waiting, now.waiting) > BACKLOG and told.waiting != now.waiting
    counted = (
        not told.month_bytes and now.month_bytes > 0
    )  # the first report leaves before anything is counted
    before = (told.lost, told.on_disk, told.trusted, told.saving, told.cap_bytes)
    return backlog or counted or before != (now.lost, now.on_disk, now.trusted, now.saving, now.cap_bytes)
