"""The agent: device loops feed the open frame; frames wait in the outbox until the hub has them.

Theory of operation. Polls go into the `Collector` and through the local `Verdicts`. A frame is closed when
the flush is due, when the first round is complete, or early on a transition: critical ones always, others
at most twelve times an hour. A short pause before closing lets the neighbours' failures of the same event
travel in the same frame. `Courier` sends; only the hub's acknowledgement empties the outbox.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections import deque
from collections.abc import Iterable, Mapping

from ayni_agent.collector import Collector
from ayni_agent.config import AgentConfig, DeviceConfig
from ayni_agent.courier import Courier
from ayni_agent.device_loop import DeviceLoop
from ayni_agent.outbox import MemoryOutbox, Row
from ayni_agent.poller import Families, Poller
from ayni_agent.schedule import first_turn, look_over_s, timeout_s
from ayni_agent.verdict import Transition, Verdicts
from ayni_core.readings import Poll
from ayni_core.rules import Rule
from ayni_core.wire import codec
from ayni_io import clock
from ayni_io.mqtt import BrokerConfig
from ayni_io.snmp import SnmpReader, open_session
from ayni_io.snmp_access import Access

log = logging.getLogger("agent")
IN_FLIGHT = 16
EARLY_PER_HOUR = 12
_GATHER_S = 0.5
_LAST_WORDS_S = 5.0


class Agent:
    """One node's agent. `run` goes on until it is cancelled, then says good-bye."""

    def __init__(
        self,
        config: AgentConfig,
        broker: BrokerConfig,
        access: Mapping[str, Access],
        families: Families,
        rules: Iterable[Rule],
    ) -> None:
        self._config = config
        self._access = access
        self._families = families
        self._collector = Collector(
            node=config.node, epoch=secrets.token_hex(8), boot=clock.boot_id(), flush_s=config.flush_s
        )
        expected = {name: device.expected_dbm for name, device in config.devices.items()}
        self._verdicts = Verdicts.over(rules, expected)
        self._courier = Courier(config, broker, self._collector.epoch, self._collector.boot, MemoryOutbox())
        self._close_soon = asyncio.Event()
        self._early: deque[float] = deque()
        self._waiting = set(config.devices)
        self._last_close_s = clock.monotonic_s()

    async def run(self) -> int:
        """Poll and report until cancelled; then send what is open, and leave."""
        log.info("started node=%s devices=%d", self._config.node, len(self._config.devices))
        courier = asyncio.create_task(self._courier.run())  # it must outlive the polling, to say good-bye
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_die_with(courier))
                tasks.create_task(self._flush_loop())
                self._start_devices(tasks)
        finally:
            await self._good_bye()
            courier.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await courier
        return 0

    def _start_devices(self, tasks: asyncio.TaskGroup) -> None:
        flight = asyncio.Semaphore(IN_FLIGHT)
        start_s = clock.monotonic_s()
        for index, (name, device) in enumerate(self._config.devices.items()):
            reader = self._reader(device)
            poller = Poller(
                name, reader, self._families, device.profile, look_over_s=look_over_s(self._config.poll_s)
            )
            loop = DeviceLoop(poller, reader, flight, self._config.poll_s, self._on_poll)
            tasks.create_task(
                loop.run(first_turn(start_s, index, len(self._config.devices), self._config.poll_s))
            )

    def _reader(self, device: DeviceConfig) -> SnmpReader:
        access = self._access[device.name]
        return open_session(
            device.host,
            device.port,
            version=access.version,
            community=access.community,
            user=access.user,
            timeout_s=timeout_s(self._config.poll_s),
            tries=2,
            engine=device.engine,
        )

    def _on_poll(self, poll: Poll) -> None:
        now_wall = clock.wall_s() - (clock.monotonic_s() - poll.at_s)
        self._collector.add(poll, now_wall)
        for transition in self._verdicts.judge(poll):
            self._consider(transition)
        if self._courier.watched():
            copy = self._collector.copy(poll, now_wall, clock.synchronised())
            self._courier.send_copy(codec.encode(copy, self._config.encoding))
        if self._waiting:
            self._waiting.discard(poll.device)
            if not self._waiting:
                self._close_soon.set()

    def _consider(self, transition: Transition) -> None:
        log.info(
            "verdict device=%s rule=%s item=%s level=%s",
            transition.device, transition.rule, transition.item or "-", transition.level or "clear",
        )  # fmt: skip
        now = clock.monotonic_s()
        while self._early and now - self._early[0] > 3600:
            self._early.popleft()
        if transition.critical or len(self._early) < EARLY_PER_HOUR:
            self._close_soon.set()

    async def _flush_loop(self) -> None:
        while True:
            left = self._config.flush_s - (clock.monotonic_s() - self._last_close_s)
            try:
                async with asyncio.timeout(max(0.0, left)):
                    await self._close_soon.wait()
                await asyncio.sleep(_GATHER_S)
                self._early.append(clock.monotonic_s())
            except TimeoutError:
                pass
            self._close_soon.clear()
            self._close_frame()

    def _close_frame(self) -> None:
        self._last_close_s = clock.monotonic_s()
        frame = self._collector.close(clock.synchronised())
        if frame is not None:
            payload = codec.encode(frame, self._config.encoding)
            self._courier.put(
                Row(epoch=frame.epoch, seq=frame.seq, payload=payload, made_s=self._last_close_s)
            )

    async def _good_bye(self) -> None:
        self._close_frame()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                await self._courier.last_words()
        log.info("stopped node=%s", self._config.node)


async def _die_with(task: asyncio.Task[None]) -> None:
    await asyncio.shield(task)
