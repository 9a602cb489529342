"""Room for what is in flight: few devices at once, and those that answer never wait for those that do not.

Theory of operation. Waiting for an answer costs a seat and nothing else, so a few devices that take seconds
to each request, or never answer, could hold every seat. Three things prevent it. Some seats are kept for
quick polls. Slow polls get half of all seats at most, so that checks find one too. And as nobody knows
beforehand who has become slow, a poll that outlasts the patience gives way, but only where somebody waits for
its seat; it begins anew as a slow one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import TypeVar

from ayni_agent.schedule import Turn

SEATS = 16
KEPT_FOR_QUICK = 4
MOST_SLOW = 8

_T = TypeVar("_T")


class Errand(Enum):
    """What a seat is wanted for."""

    QUICK = "poll"
    SLOW = "poll of a device that was slow"
    CHECK = "one GET of a device that did not answer"


def errand_of(turn: Turn, *, slow: bool) -> Errand:
    """What this turn of a device that was `slow` at its last poll asks for."""
    if not turn.full:
        return Errand.CHECK
    return Errand.SLOW if slow else Errand.QUICK


def may_start(errand: Errand, flying: Mapping[Errand, int]) -> bool:
    """Whether there is a seat for one more; `flying` counts those taken."""
    free = SEATS - sum(flying.values())
    if errand is Errand.QUICK:
        return free > 0
    return free > KEPT_FOR_QUICK and (errand is Errand.CHECK or flying.get(errand, 0) < MOST_SLOW)


def is_slow(before: bool, took_s: float, patience_s: float) -> bool:
    """Whether a device counts as slow after a poll of `took_s`; half the patience makes it quick again."""
    return took_s > (patience_s / 2 if before else patience_s)


class Flight:
    """The seats of one agent. A quick poll gives way after `patience_s`, if somebody waits."""

    def __init__(self, patience_s: float) -> None:
        self.patience_s = patience_s
        self._flying: Counter[Errand] = Counter()
        self._waiting: list[tuple[Errand, asyncio.Future[None]]] = []
        self._started: dict[asyncio.Timeout, float] = {}  # the quick ones, by what ends them

    async def take(self, errand: Errand, poll: Callable[[], Awaitable[_T]]) -> _T | None:
        """Wait for a seat, then what `poll` returns; None if it was ended because it had to give way."""
        await self._sit_down(errand)
        limit = asyncio.timeout(None)
        try:
            async with limit:
                if errand is Errand.QUICK:
                    self._started[limit] = asyncio.get_running_loop().time()
                    self._press()
                return await poll()
        except TimeoutError:
            if limit.expired():
                return None
            raise
        finally:
            self._started.pop(limit, None)
            self._stand_up(errand)

    async def _sit_down(self, errand: Errand) -> None:
        if may_start(errand, self._flying):  # whoever waits could not: seats are given on as they become free
            self._flying[errand] += 1
            return
        seat: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((errand, seat))
        self._press()
        try:
            await seat
        except asyncio.CancelledError:
            if seat.cancelled():
                self._waiting.remove((errand, seat))
                self._press()
            else:  # given and cancelled at the same moment
                self._stand_up(errand)
            raise

    def _stand_up(self, errand: Errand) -> None:
        self._flying[errand] -= 1
        for waiting in self._waiting[:]:
            wanted, seat = waiting
            if not seat.done() and may_start(wanted, self._flying):
                self._waiting.remove(waiting)
                self._flying[wanted] += 1
                seat.set_result(None)
        self._press()

    def _press(self) -> None:
        for limit, started_s in self._started.items():
            if not limit.expired():
                limit.reschedule(started_s + self.patience_s if self._waiting else None)
