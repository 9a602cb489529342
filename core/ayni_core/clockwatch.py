"""Somebody sets the wall clock: seen against the clock that never jumps, and counted.

Theory of operation. On Linux NTP slews CLOCK_REALTIME and CLOCK_BOOTTIME together: it changes the length of
the second for both. So wall minus boottime moves only when the wall clock is *set* (by NTP at the first
contact, by `date`), and suspend does not move it, because boottime goes on counting. Each such step gets a
number. The numbers go on from boot to boot where the state is kept, so that the hub can tell which of two
boots came first.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from ayni_core.message import Message
from ayni_core.wire.messages import EarlierBoot

STEP_S = 2.0
"""A smaller change is not worth a step: a leap second, a correction by timesyncd. Several add up to one."""
EARLIEST_S = 1735689600.0
"""2025: no Ayni is older, so a clock that says so was never set."""
MOST_BOOTS = 16
"""The most that a birth message tells of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What the clocks of a machine say at one instant.

    `mono_s` is CLOCK_BOOTTIME. `step` counts how often the wall clock was set; `jump_s` says by how much, if
    that was found out just now. `trusted`: it is synchronised, or was, and nobody has set it since.
    """

    mono_s: float
    wall_s: float
    synced: bool
    step: int = 0
    jump_s: float | None = None
    trusted: bool = False

    def wall_at(self, mono_s: float) -> float:
        """What the wall clock, as it goes now, would have said then; not before 1970, which cannot travel."""
        return max(0.0, self.wall_s - (self.mono_s - mono_s))

    def dated(self) -> bool:
        """Whether the date can be used for accounts by day and month."""
        return self.wall_s >= EARLIEST_S

    def told(self) -> Message | None:
        """A sentence about the step that was found just now."""
        if self.jump_s is None:
            return None
        before, after = self.wall_s - self.jump_s, self.wall_s
        return Message("note.clock_set", {"before": _readable(before), "after": _readable(after)})


class ClockWatch:
    """Counts the steps of one machine's wall clock; `look` when convenient, at least once a frame.

    It also remembers the boots before this one, as long as frames of them may wait: the birth message tells
    the hub where they belong.
    """

    def __init__(self, boot: str) -> None:
        self.earlier: tuple[EarlierBoot, ...] = ()
        self._boot = boot
        self._first_step = self._step = 0
        self._offset_s: float | None = None
        self._trusted = False
        self._until_s = 0.0

    def look(self, mono_s: float, wall_s: float, synced: bool) -> Moment:
        """The moment, with the number of the step that it belongs to."""
        offset_s = wall_s - mono_s
        jump_s = None
        if self._offset_s is None:
            self._offset_s = offset_s
        elif abs(offset_s - self._offset_s) > STEP_S:
            jump_s = offset_s - self._offset_s
            self._offset_s = offset_s
            self._step += 1
            self._trusted = False
        self._trusted = self._trusted or synced
        self._until_s = mono_s
        return Moment(
            mono_s=mono_s,
            wall_s=wall_s,
            synced=synced,
            step=self._step,
            jump_s=jump_s,
            trusted=self._trusted,
        )

    def forget_earlier(self) -> None:
        """The hub has everything of the boots before this one."""
        self.earlier = ()

    def to_bytes(self) -> bytes:
        """What has to be kept over a restart of the agent, with every frame."""
        boots = [self._boot_so_far(), *reversed(self.earlier)]
        state = [
            self._step,
            [[b.boot, round(b.until_s, 2), round(b.offset_s, 2), b.trusted, b.step] for b in boots],
        ]
        return json.dumps(state, separators=(",", ":")).encode("ascii")

    @classmethod
    def from_bytes(cls, data: bytes | None, boot: str) -> ClockWatch:
        """Go on from there; from nothing where nothing was kept, or it is damaged."""
        watch = cls(boot)
        try:
            step, boots = _read(data)
        except (ValueError, TypeError):
            return watch
        last = boots[0]
        if last.boot == boot:
            watch.earlier = boots[:0:-1]
            watch._first_step, watch._step = last.step, step
            watch._offset_s = last.offset_s if last.until_s else None
            watch._trusted, watch._until_s = last.trusted, last.until_s
        else:
            watch.earlier = boots[::-1]
            watch._first_step = watch._step = step + 1
        return watch

    def _boot_so_far(self) -> EarlierBoot:
        return EarlierBoot(
            boot=self._boot,
            until_s=self._until_s,
            offset_s=self._offset_s or 0.0,
            trusted=self._trusted,
            step=self._first_step,
        )


def _read(data: bytes | None) -> tuple[int, tuple[EarlierBoot, ...]]:
    """What `to_bytes` wrote, the newest boot first. Raises `ValueError` or `TypeError`."""
    step, rows = json.loads(data or b"")
    boots = []
    for boot, until_s, offset_s, trusted, first_step in rows[:MOST_BOOTS]:
        numbers = (until_s, offset_s, first_step, step)
        if not isinstance(boot, str) or not all(type(n) in (int, float) and abs(n) < 1e12 for n in numbers):
            raise ValueError(boot)
        boots.append(
            EarlierBoot(
                boot=boot, until_s=until_s, offset_s=offset_s, trusted=trusted is True, step=int(first_step)
            )
        )
    if not boots or type(step) is not int or step < 0:
        raise ValueError(step)
    return step, tuple(boots)


def _readable(wall_s: float) -> str:
    """A time that people can read, to the minute, in UTC."""
    if not 0 <= wall_s < 253402300800:  # beyond the year 9999
        return "?"
    return datetime.fromtimestamp(wall_s, UTC).strftime("%Y-%m-%d %H:%M")
