"""Waiting by a clock that is handed in, so that a test can let an hour pass at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from ayni_io import clock

T = TypeVar("T")
_SLICE_S = 5.0


class Clock(Protocol):
    """What waiting needs of a clock."""

    def now(self) -> float:
        """Seconds since the machine was started, those that it slept through included."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Come back when so much time has passed on this clock."""
        ...


class BootClock:
    """The machine's own: CLOCK_BOOTTIME goes on while the machine is suspended, as the world does."""

    def now(self) -> float:
        """Seconds since the machine was started."""
        return clock.monotonic_s()

    async def sleep(self, seconds: float) -> None:
        """In slices, because the event loop's own clock stands still in a suspend."""
        end = self.now() + seconds
        while (left := end - self.now()) > 0:  # noqa: ASYNC110  it is time that is waited for
            await asyncio.sleep(min(left, _SLICE_S))


async def within(clock: Clock, seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What the work brings; `TimeoutError`, and the work cancelled, when it takes longer."""
    task = asyncio.ensure_future(work)
    alarm = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({task, alarm}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise TimeoutError
        return task.result()
    finally:
        task.cancel()
        alarm.cancel()
        await asyncio.gather(task, alarm, return_exceptions=True)
