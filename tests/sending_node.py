"""A monitor without devices: the real courier over an outbox in memory, fed with numbered frames."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType

from ayni_agent.config import AgentConfig
from ayni_agent.contact import Contact
from ayni_agent.courier import Courier
from ayni_agent.outbox import MemoryOutbox, row_of
from ayni_core.readings import Series
from ayni_core.wire import codec
from ayni_core.wire.frame import ANSWERED, DevicePolls, Frame
from ayni_io import clock
from ayni_io.mqtt import BrokerConfig, BrokerReference

COUNT = Series("interface", "e", "in_octets")
"""Each poll brings the number of its frame in it."""
SIGNAL = Series("radio", "w", "signal_dbm")


class SendingNode:
    """One node with one device, `NODE-ap`. Its clock is synchronised, but for `synced` False."""

    def __init__(
        self, node: str, broker: BrokerConfig, *, epoch: str = "e1", step_s: float = 60.0, synced: bool = True
    ) -> None:
        config = AgentConfig(
            node=node,
            broker=BrokerReference(
                host="127.0.0.1", port=broker.port, username=None, password=None, ca=None, protocol="5"
            ),
            poll_s=60,
            flush_s=300,
            encoding="field",
            state_dir=None,
            runtime_dir=None,
            devices={},
        )
        self.node, self.epoch, self.synced = node, epoch, synced
        self.outbox = MemoryOutbox()
        self.sent = 0
        self._step_s = step_s
        self._begun_s = clock.wall_s() - 86_400.0
        self.courier = Courier(
            config, broker, epoch, "boot-" + epoch, self.outbox, Contact("here", clock.monotonic_s())
        )
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> SendingNode:
        self._task = asyncio.create_task(self.courier.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def time_of(self, number: int) -> float:
        """When frame `number` (1, 2, …) was measured."""
        return self._begun_s + number * self._step_s

    def send(self, *, live: bool = True, answered: bool = True) -> int:
        """Make the next frame and give it to the courier; its number."""
        self.sent += 1
        polls = DevicePolls()
        told = {ANSWERED: 1, COUNT: self.sent, SIGNAL: -60 - self.sent % 7}
        polls.add(0.0, told if answered else {ANSWERED: 0})
        wall_s = self.time_of(self.sent)
        frame = Frame(
            node=self.node, epoch=self.epoch, seq=self.sent, boot=f"boot-{self.epoch}",
            mono_s=1000.0 + self.sent * self._step_s, wall_s=wall_s if self.synced else self.sent,
            synced=self.synced, next_by_s=310, devices={f"{self.node}-ap": polls},
        )  # fmt: skip
        payload = codec.encode(frame, "field")
        self.outbox.put(row_of(self.epoch, self.sent, payload, clock.monotonic_s(), live=live))
        self.courier.wake()
        return self.sent
