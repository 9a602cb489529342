"""The life of one device at the agent: wait for the turn, poll or just ask whether it lives, hand on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ayni_agent.poller import Poller
from ayni_agent.schedule import SILENT_AFTER, Turn, next_turn
from ayni_core.ber import encode_oid
from ayni_core.readings import Poll
from ayni_core.schema import ConfigError
from ayni_io import clock
from ayni_io.snmp import SnmpReader
from ayni_io.snmp_errors import SnmpError

log = logging.getLogger("agent")
_SYS_UPTIME = encode_oid("1.3.6.1.2.1.1.3.0")
_HANGS_S = 120.0


class DeviceLoop:
    """Polls one device for ever; `on_poll` gets every poll, also the failed ones.

    `flight` bounds how many devices are polled at the same time.
    """

    def __init__(
        self,
        poller: Poller,
        reader: SnmpReader,
        flight: asyncio.Semaphore,
        interval_s: float,
        on_poll: Callable[[Poll], None],
    ) -> None:
        self._poller = poller
        self._reader = reader
        self._flight = flight
        self._interval_s = interval_s
        self._on_poll = on_poll

    async def run(self, turn: Turn) -> None:
        """From the first turn on, until cancelled."""
        try:
            while True:
                await asyncio.sleep(max(0.0, turn.at_s - clock.monotonic_s()))
                async with self._flight:
                    poll = await (self._full() if turn.full else self._pulse())
                before = turn
                turn = next_turn(turn, poll.error is None, clock.monotonic_s(), self._interval_s)
                self._tell(before, turn, poll)
                self._on_poll(poll)
        finally:
            self._poller.close()

    async def _full(self) -> Poll:
        now = clock.monotonic_s()
        try:
            async with asyncio.timeout(_HANGS_S):
                return await self._poller.poll(now)
        except TimeoutError:
            error = f"the poll took longer than {_HANGS_S:.0f} s"
        except ConfigError as broken:  # this device's profile; the others go on
            error = str(broken.faults[0])
        except Exception as odd:  # whatever it is about this device, the others are polled
            log.exception("poll failed device=%s", self._poller.name)
            error = f"{type(odd).__name__}: {odd}"
        return Poll(device=self._poller.name, at_s=now, values={}, error=error)

    async def _pulse(self) -> Poll:
        now = clock.monotonic_s()
        try:
            async with asyncio.timeout(_HANGS_S):
                await self._reader.get([_SYS_UPTIME])
        except (SnmpError, TimeoutError, UnicodeError) as error:
            return Poll(device=self._poller.name, at_s=now, values={}, error=str(error) or "timed out")
        return Poll(device=self._poller.name, at_s=now, values={})

    def _tell(self, before: Turn, after: Turn, poll: Poll) -> None:
        """One line when a device falls silent, one when it is back; silence in between."""
        if before.failures < SILENT_AFTER <= after.failures and poll.error:
            log.warning("device silent device=%s cause=%s", self._poller.name, poll.error)
        elif before.failures >= SILENT_AFTER and poll.error is None:
            log.info("device answers again device=%s", self._poller.name)
