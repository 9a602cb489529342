"""How long something worked: out of its changes of state, and of the times in which nobody looked.

What nobody saw is neither up nor down: a central that did not run knows nothing of that time, and what it
says afterwards must not look like a good month.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

UP = frozenset({"ok", "weak"})
DOWN = frozenset({"down", "silent"})
"""States of links, sites, devices and ways out; all others, `no_news` among them, say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """Seconds. `up` is the share of what is known, 0 to 1; None where nothing is."""

    up_s: float = 0.0
    down_s: float = 0.0
    unknown_s: float = 0.0

    @property
    def up(self) -> float | None:
        """Without what is not known."""
        known = self.up_s + self.down_s
        return self.up_s / known if known > 0 else None


def availability(
    changes: Iterable[tuple[float, str]], blind: Iterable[tuple[float, float]], start: float, end: float
) -> Availability:
    """Of the time from `start` to `end`. `changes` are (since when, state) in any order, with the one that
    held at `start`; before the first nothing is known. `blind` are the times (from, to) in which nobody
    looked, which may overlap."""
    if not start < end:
        return Availability()
    seen = _gaps(blind, start, end)
    up = down = 0.0
    ordered = sorted(changes, key=lambda change: change[0])
    for (since, state), until in zip(ordered, [*(at for at, _state in ordered[1:]), end], strict=False):
        if state in UP:
            up += _within(seen, since, until)
        elif state in DOWN:
            down += _within(seen, since, until)
    return Availability(up_s=up, down_s=down, unknown_s=max(end - start - up - down, 0.0))


def _gaps(blind: Iterable[tuple[float, float]], start: float, end: float) -> list[tuple[float, float]]:
    """What is left of a time without some parts of it."""
    left: list[tuple[float, float]] = []
    at = start
    for first, last in sorted(blind):
        if last <= at or first >= end:
            continue
        if first > at:
            left.append((at, first))
        at = max(at, last)
    if at < end:
        left.append((at, end))
    return left


def _within(parts: Sequence[tuple[float, float]], start: float, end: float) -> float:
    return sum(max(min(last, end) - max(first, start), 0.0) for first, last in parts)
