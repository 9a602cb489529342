"""The courier: keeps the connection to the broker, sends what the outbox holds, hears the hub.

It sends while the hub says `ready`; a frame that the broker took but nobody heard stays due. Presence is a
retained birth message and a last will on the same topic.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from typing import Any

from ayni_agent.config import AgentConfig
from ayni_agent.outbox import Outbox, Row
from ayni_core import __version__
from ayni_core.wire import WireError, topics
from ayni_core.wire.messages import Ack, Command, HubState, NodeState
from ayni_core.wire.shape import pack, unpack
from ayni_io import clock
from ayni_io.mqtt import BrokerConfig, MqttClient, MqttError, Will

log = logging.getLogger("agent")
_TICK_S = 1.0
_LONGEST_WATCH_S = 600.0


class Courier:
    """Between the outbox and the broker."""

    def __init__(
        self, config: AgentConfig, broker: BrokerConfig, epoch: str, boot: str, outbox: Outbox
    ) -> None:
        self._config = config
        self._epoch = epoch
        self._boot = boot
        self._outbox = outbox
        self._client = MqttClient(
            broker,
            f"n-{config.node}",
            keepalive_s=int(min(config.flush_s, 3600)) + 60,
            will=Will(topic=topics.state(config.node), payload=pack(self._presence(up=False))),
        )
        self._client.on_connect = self._connected
        self._client.on_disconnect = lambda reason: log.warning("broker lost cause=%s", reason)
        self._client.on_message = self._message
        self._client.subscribe(topics.ack(config.node), topics.HUB, topics.cmd(config.node))
        self._hub_ready = False
        self._wake = asyncio.Event()
        self._watch_until_s = 0.0
        self._running: set[asyncio.Task[None]] = set()

    def put(self, row: Row) -> None:
        """Take a frame to deliver."""
        self._outbox.put(row)
        self._wake.set()

    def watched(self) -> bool:
        """Whether somebody is looking at this node right now."""
        return self._client.connected and clock.monotonic_s() < self._watch_until_s

    def send_copy(self, payload: bytes) -> None:
        """Send a copy of one poll to whoever watches; if it is lost, the next one follows."""
        self._background(self._publish_quietly(topics.frame(self._config.node, "watch"), payload, qos=0))

    async def run(self) -> None:
        """Keep connected and deliver, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._client.run())
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_TICK_S if self._hub_ready else None):
                        await self._wake.wait()
                self._wake.clear()
                await self._deliver()

    async def _deliver(self) -> None:
        if not (self._hub_ready and self._client.connected):
            return
        now = clock.monotonic_s()
        for row in self._outbox.due(now):
            kind = "live" if now - row.made_s < 2 * self._config.flush_s else "history"
            try:
                heard = await self._client.publish(topics.frame(self._config.node, kind), row.payload)
            except MqttError as error:
                log.warning("frame held seq=%d cause=%s", row.seq, error)
                return
            if heard:
                self._outbox.sent(row, clock.monotonic_s())

    async def last_words(self) -> None:
        """Send what is open, give the hub a moment to take it, and tell that this is a leave, not a loss."""
        if not self._client.connected:
            return
        await self._deliver()
        while self._hub_ready and self._client.connected and len(self._outbox):
            self._wake.clear()  # an acknowledgement, or the loss of the hub, sets it
            await self._wake.wait()
        goodbye = pack(self._presence(up=False))
        await self._publish_quietly(topics.state(self._config.node), goodbye, qos=1, retain=True)

    def _connected(self) -> None:
        log.info("broker found node=%s", self._config.node)
        self._hub_ready = False
        self._background(
            self._publish_quietly(
                topics.state(self._config.node), pack(self._presence(up=True)), qos=1, retain=True
            )
        )

    def _presence(self, *, up: bool) -> NodeState:
        return NodeState(
            up=up,
            epoch=self._epoch,
            boot=self._boot,
            version=__version__,
            devices=len(self._config.devices),
            poll_s=self._config.poll_s,
            flush_s=self._config.flush_s,
            at=round(clock.wall_s(), 1),
        )

    def _message(self, topic: str, payload: bytes, _retained: bool) -> None:
        try:
            match topics.parse(topic).root:
                case "hub":
                    self._hub(unpack(HubState, payload) if payload else HubState(state="gone"))
                case "ack":
                    for reason in self._outbox.acknowledge(unpack(Ack, payload)):
                        log.error("the hub refused a frame: %s", reason)
                    self._wake.set()
                case "cmd":
                    self._command(unpack(Command, payload))
        except WireError as error:
            log.warning("not understood topic=%s cause=%s", topic, error)

    def _hub(self, state: HubState) -> None:
        ready = state.state == "ready"
        if ready and not self._hub_ready:  # not at each heartbeat: pauses between resends must grow
            self._outbox.all_due()
        if ready != self._hub_ready:
            log.info("hub state=%s", state.state)
        self._hub_ready = ready
        self._wake.set()

    def _command(self, command: Command) -> None:
        if command.epoch != self._epoch:
            log.warning("command for another start ignored do=%s by=%s", command.do, command.by)
            return
        if command.do == "watch":
            self._watch_until_s = clock.monotonic_s() + min(max(command.for_s, 0.0), _LONGEST_WATCH_S)
        else:
            log.warning("unknown command do=%s by=%s", command.do, command.by)

    async def _publish_quietly(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        try:
            await self._client.publish(topic, payload, qos=qos, retain=retain)
        except MqttError as error:
            log.debug("not sent: %s", error)

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
