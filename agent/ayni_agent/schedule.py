"""When to poll: staggered phases, quick re-checks after a failure, one GET an interval for the dead.

All pure: times are monotonic seconds, handed in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

SILENT_AFTER = 3
"""Failures in a row after which a device counts as silent."""
SLOW_POLLS = 5
"""What moves slowly is asked with every fifth poll."""
HASTE_S, LONGEST_HASTE_S = 5.0, 600.0
"""How often a device is polled while somebody turns its antenna, and for how long at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The next thing to do with a device: at `at_s`, a full poll or only a GET of sysUpTime.

    `slot_s` is the regular time slot that this turn belongs to.
    """

    at_s: float
    slot_s: float
    full: bool = True
    failures: int = 0


def first_turn(start_s: float, index: int, count: int, interval_s: float) -> Turn:
    """The first poll of device `index` of `count`: spread over the interval, the very first round quicker.

    A node that just started has nothing to show: its first round is squeezed into at most 2 s.
    """
    spread = min(interval_s, 2.0)
    return Turn(
        at_s=start_s + spread * index / max(count, 1), slot_s=start_s + interval_s * index / max(count, 1)
    )


def next_turn(turn: Turn, answered: bool, now_s: float, interval_s: float) -> Turn:
    """What follows a turn that was just done.

    A failed poll is checked again at 1/6 and 1/3 of the interval; the third failure makes the device
    silent, and a silent device keeps one GET an interval. An answer to such a GET calls for a full poll;
    where that fails too, the device answers GETs and nothing more, and the next try waits for its slot.
    """
    if answered:
        if not turn.full:
            return replace(turn, at_s=now_s, full=True, failures=0)
        return _next_slot(turn, now_s, interval_s, failures=0)
    failures = turn.failures + 1
    if turn.full and turn.at_s > turn.slot_s:  # only what an answered GET called for is behind its slot
        return _next_slot(turn, now_s, interval_s, failures=failures)
    if failures < SILENT_AFTER:
        at_s = turn.slot_s + interval_s * failures / 6
        return replace(turn, at_s=max(at_s, now_s), full=False, failures=failures)
    return _next_slot(turn, now_s, interval_s, failures=failures)


def _next_slot(turn: Turn, now_s: float, interval_s: float, failures: int) -> Turn:
    behind = max(0.0, now_s - turn.slot_s)
    slot_s = turn.slot_s + interval_s * (int(behind // interval_s) + 1)
    return Turn(at_s=slot_s, slot_s=slot_s, full=failures < SILENT_AFTER, failures=failures)


def hastened(turn: Turn, polled_s: float, haste_until_s: float) -> Turn:
    """The same turn, or an earlier one while there is haste; a device that fails is asked as ever."""
    at_s = polled_s + HASTE_S
    if turn.full and not turn.failures and at_s < min(turn.at_s, haste_until_s):
        return replace(turn, at_s=at_s)
    return turn


def timeout_s(interval_s: float) -> float:
    """How long one try waits, so that a failed poll and both re-checks fit into the interval."""
    return min(2.0, max(0.25, interval_s / 12))


def patience_s(interval_s: float) -> float:
    """How long a poll may take before its device counts as slow: longer than a dead one takes to fail.

    For a poll every minute that is 5 s, a usual look-over of 16 requests at a round trip of 0.3 s.
    """
    return 2.5 * timeout_s(interval_s)


def source_patience_s(interval_s: float) -> float:
    """How long what is not SNMP may take to read: a plugin or a slow serial line takes seconds."""
    return min(30.0, max(2.0, interval_s / 2))


def look_over_s(interval_s: float) -> float:
    """How often names, speeds and what was plugged in are read: every ten minutes, and at the quick pace
    of a lesson, where nobody waits ten minutes, every third poll."""
    return 600.0 if interval_s >= 15 else 3 * interval_s
