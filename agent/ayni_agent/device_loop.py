"""The life of one device at the agent: wait for the turn, poll or just ask whether it lives, hand on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Protocol

from ayni_agent.flight import Flight, errand_of, is_slow
from ayni_agent.schedule import SILENT_AFTER, Turn, hastened, next_turn
from ayni_core.readings import Poll
from ayni_core.schema import ConfigError
from ayni_io import clock

log = logging.getLogger("agent")
_HANGS_S = 120.0


class Asks(Protocol):
    """Asks one device; neither question raises for what the device or the network does."""

    name: str

    async def poll(self, now_s: float) -> Poll:
        """Everything it says now; `now_s` is monotonic."""
        ...

    async def pulse(self, now_s: float) -> Poll:
        """Whether it answers at all, as cheaply as that can be known; without values."""
        ...

    def close(self) -> None:
        """Give back what it takes to ask."""
        ...


class DeviceLoop:
    """Polls one device for ever; `on_poll` gets every poll, also the failed ones.

    `flight` has seats for so many devices at the same time.
    """

    def __init__(
        self,
        poller: Asks,
        flight: Flight,
        interval_s: float,
        on_poll: Callable[[Poll], None],
    ) -> None:
        self._poller = poller
        self._flight = flight
        self._interval_s = interval_s
        self._on_poll = on_poll
        self._asked: list[asyncio.Future[Poll]] = []
        self._hurry = asyncio.Event()
        self._haste_until_s = 0.0
        self._polled_s = 0.0
        self._in_vain = 0
        self._alive = False

    async def run(self, turn: Turn) -> None:
        """From the first turn on, until cancelled."""
        slow = False
        try:
            while True:
                regular = turn
                turn = await self._comes(turn)
                early = turn is not regular and regular.full and regular.at_s > clock.monotonic_s()
                errand = errand_of(turn, slow=slow)
                poll = await self._flight.take(errand, partial(self._ask, full=turn.full))
                if poll is None:
                    slow = True
                    continue
                before, now = turn, clock.monotonic_s()
                self._polled_s = now
                if turn.full:
                    slow = is_slow(slow, now - poll.at_s, self._flight.patience_s)
                turn = next_turn(turn, poll.error is None, now, self._interval_s)
                if early and poll.error is None:
                    turn = regular  # it comes all the same
                self._tell(before, turn, poll)
                self._on_poll(poll)
                if before.full:
                    self._answer(poll)
        finally:
            self._poller.close()
            gone = Poll(
                device=self._poller.name, at_s=clock.monotonic_s(), values={}, error="no longer polled"
            )
            self._answer(gone)

    async def now(self) -> Poll:
        """A full poll at once, without waiting for the turn; `on_poll` gets it, too."""
        asked: asyncio.Future[Poll] = asyncio.get_running_loop().create_future()
        self._asked.append(asked)
        self._hurry.set()
        return await asked

    def hasten(self, until_s: float) -> None:
        """Poll every few seconds until then, on the monotonic clock."""
        self._haste_until_s = max(self._haste_until_s, until_s)
        self._hurry.set()

    async def _comes(self, turn: Turn) -> Turn:
        """Wait for the turn, or until somebody cannot, or would not wait so long."""
        soon, waits = turn, not self._asked
        while waits:
            soon = hastened(turn, self._polled_s, self._haste_until_s)
            try:
                async with asyncio.timeout(max(0.0, soon.at_s - clock.monotonic_s())):
                    await self._hurry.wait()
            except TimeoutError:
                waits = False
            else:
                self._hurry.clear()
                waits = not self._asked
        self._hurry.clear()
        return replace(soon, full=True) if self._asked else soon

    def _answer(self, poll: Poll) -> None:
        asked, self._asked = self._asked, []
        for each in asked:
            if not each.done():
                each.set_result(poll)

    async def _ask(self, *, full: bool) -> Poll:
        now = clock.monotonic_s()
        try:
            async with asyncio.timeout(_HANGS_S):
                return await (self._poller.poll(now) if full else self._poller.pulse(now))
        except TimeoutError:
            error = f"the poll took longer than {_HANGS_S:.0f} s"
        except UnicodeError as cause:  # an address may be no name of a host
            error = str(cause)
        except ConfigError as broken:  # this device's profile; the others go on
            error = str(broken.faults[0])
        except Exception as odd:  # whatever it is about this device, the others are polled
            log.exception("poll failed device=%s", self._poller.name)
            error = f"{type(odd).__name__}: {odd}"
        return Poll(device=self._poller.name, at_s=now, values={}, error=error)

    def _tell(self, before: Turn, after: Turn, poll: Poll) -> None:
        """One line when a device falls silent, one when it is back; silence in between. So for one that still
        answers when it is asked whether it lives, and nothing else.
        """
        name = self._poller.name
        if not before.full:
            self._alive = self._alive or poll.error is None
        elif poll.error is None:
            if self._in_vain >= SILENT_AFTER and self._alive:
                log.info("device can be polled again device=%s", name)
            self._in_vain, self._alive = 0, False
        else:
            self._in_vain += 1
            if self._in_vain == SILENT_AFTER and self._alive:
                log.warning("device answers, but no poll of it succeeds device=%s cause=%s", name, poll.error)
        if before.failures < SILENT_AFTER <= after.failures and poll.error:
            log.warning("device silent device=%s cause=%s", name, poll.error)
        elif before.failures >= SILENT_AFTER and poll.error is None:
            log.info("device answers again device=%s", name)
