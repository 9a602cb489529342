"""How the clock and the outbox stand, for `ayni agent status`."""

from __future__ import annotations

from collections.abc import Iterable

from ayni_agent.outbox import Statistics
from ayni_agent.outbox_file import Refusal
from ayni_agent.status import ClockStatus, OutboxStatus, RefusalStatus, age
from ayni_core.clockwatch import Moment

MOST_REFUSALS = 10


class ClockMemory:
    """When the clock was set for the last time, out of the moments that come by."""

    def __init__(self) -> None:
        self._jump: tuple[float, float] | None = None

    def take(self, moment: Moment) -> None:
        """A moment that `ClockWatch.look` gave."""
        if moment.jump_s is not None:
            self._jump = (moment.mono_s, moment.jump_s)

    def status(self, moment: Moment) -> ClockStatus:
        """As it stands now."""
        at_s, jump_s = self._jump or (None, None)
        return ClockStatus(
            wall_s=moment.wall_s,
            synchronised=moment.synced,
            trusted=moment.trusted,
            steps=moment.step,
            jump_s=jump_s,
            jump_age_s=None if at_s is None else age(moment.mono_s, at_s),
        )


def outbox_status(statistics: Statistics, refusals: Iterable[Refusal], moment: Moment) -> OutboxStatus:
    """The outbox; when something was refused is known only to a clock that can be believed."""
    oldest_s = statistics.oldest_s
    newest = list(refusals)[-MOST_REFUSALS:]
    return OutboxStatus(
        frames=statistics.frames,
        size_bytes=statistics.size_bytes,
        oldest_age_s=None if oldest_s is None else age(moment.mono_s, oldest_s),
        dropped=statistics.dropped,
        damaged=statistics.damaged,
        refused=statistics.refused,
        refusals=tuple(
            RefusalStatus(
                name=f"{each.epoch}/{each.seq}",
                reason=each.reason,
                age_s=age(moment.wall_s, each.at) if moment.trusted else None,
            )
            for each in reversed(newest)
        ),
        storage=statistics.storage,
        trouble=statistics.trouble,
        why=statistics.why,
    )
