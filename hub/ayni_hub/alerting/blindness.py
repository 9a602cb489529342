"""When the central saw nothing: it did not run, its broker was away, it could not write, its clock was wrong.

How long is measured by a clock that never jumps; only for the time before the start by the wall clock, which
is all that is left of it.
"""

from __future__ import annotations

from dataclasses import dataclass

LEAST_S = 120.0
"""Shorter is not told: a restart, a broker that was updated. Nobody misses a poll over it."""
HEARTBEAT_S = 60.0
CAUSES = ("stopped", "broker", "store", "clock", "asleep")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blind:
    """From when to when nothing was seen, and why."""

    start: float
    end: float
    cause: str


class Blindness:
    """`seen` is when a central before this one saw last, by the wall clock; None: there was none."""

    def __init__(self, seen: float | None, now: float, mono_s: float) -> None:
        self._mono_s = mono_s
        self._cause = ""
        if seen is not None and now - seen >= LEAST_S:
            self._mono_s -= now - seen
            self._cause = "stopped"

    def look(self, now: float, mono_s: float, cause: str) -> Blind | None:
        """Called about each second; `cause` is empty while we see. A time of blindness that just ended."""
        if cause:
            self._cause = self._cause or cause
            return None
        gap_s, was = mono_s - self._mono_s, self._cause or "asleep"
        self._mono_s, self._cause = mono_s, ""
        return Blind(start=now - gap_s, end=now, cause=was) if gap_s >= LEAST_S else None
