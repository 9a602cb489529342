"""Counters become rates: one function that knows wraps, reboots and gaps.

Counters travel as the device gave them. A smaller value after a larger one is a wrap of a 32-bit counter
if the device did not restart in between and the step is plausible, else a reset; neither is ever negative.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_WRAP = 2**32
_PLAUSIBLE_STEP = 2**31
"""A 32-bit octet counter that moved by more than half its range between polls says nothing."""


def rate(
    before: tuple[float, float], now: tuple[float, float], *, max_gap_s: float, rebooted: bool = False
) -> float | None:
    """Units per second between two samples (time, counter); None where they say nothing."""
    elapsed = now[0] - before[0]
    if elapsed <= 0 or elapsed > max_gap_s or rebooted:
        return None
    delta: float | None = now[1] - before[1]
    if delta is not None and delta < 0:
        delta = _wrapped(before[1], delta)
    return None if delta is None else delta / elapsed


def rates(
    samples: Iterable[tuple[float, float]], *, max_gap_s: float, reboots: Iterable[float] = ()
) -> Iterator[tuple[float, float]]:
    """(time, units per second) for each pair of neighbours in `samples` ((time, counter), in time order).

    A pair further apart than `max_gap_s`, or with a reboot between, gives nothing.
    """
    restarts = sorted(reboots)
    last: tuple[float, float] | None = None
    for at, value in samples:
        if last is not None:
            before, old = last
            elapsed = at - before
            if elapsed <= 0:
                continue
            rebooted = bool(restarts) and any(before < restart <= at for restart in restarts)
            delta: float | None = value - old
            if delta is not None and delta < 0:
                delta = _wrapped(old, delta)
            if delta is not None and not rebooted and elapsed <= max_gap_s:
                yield at, delta / elapsed
        last = (at, value)


def _wrapped(old: float, delta: float) -> float | None:
    """By how much a counter moved that seems to have gone back; None where it was reset."""
    wrapped = old < _WRAP and delta + _WRAP < _PLAUSIBLE_STEP
    return delta + _WRAP if wrapped else None


def restarted(before: tuple[float, float], now: tuple[float, float], *, slack_s: float = 30.0) -> bool:
    """Whether a device restarted between two samples (time, uptime_s).

    sysUpTime wraps after 497 days (RFC 3418): from near its end to near 0 is a wrap, not a restart.
    """
    if now[1] + slack_s >= before[1] + (now[0] - before[0]):
        return False
    return not (before[1] > _WRAP / 100 - 86_400 and now[1] < 86_400 * 2)


def reboots(uptimes: Iterable[tuple[float, float]], *, slack_s: float = 30.0) -> Iterator[float]:
    """Times at which a device restarted, out of its (time, uptime_s) samples in time order."""
    last: tuple[float, float] | None = None
    for at, uptime in uptimes:
        if last is not None and restarted(last, (at, uptime), slack_s=slack_s):
            yield at - min(uptime, at - last[0])
        last = (at, uptime)
