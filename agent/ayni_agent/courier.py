"""The courier: keeps the connection to the broker, sends what the outbox holds, hears the hub.

It sends while the hub says `ready`; a frame that the broker took but nobody heard stays due. Presence is a
retained birth message and a last will on the same topic.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from ayni_agent.config import AgentConfig
from ayni_agent.contact import Contact
from ayni_agent.outbox import Outbox, Row
from ayni_core import __version__
from ayni_core.wire import WireError, topics
from ayni_core.wire.messages import Ack, Command, CommandState, EarlierBoot, HubState, NodeState
from ayni_core.wire.shape import pack, unpack
from ayni_io import clock
from ayni_io.mqtt import BrokerConfig, MqttClient, MqttDenied, MqttError, Will
from ayni_io.traffic import Traffic

log = logging.getLogger("agent")
_TICK_S = 1.0
_AT_ONCE = 16
_LEAST_BYTES, _MOST_BYTES = 4 * 1024, 256 * 1024
_BURST_S = 1.5
"""A burst of the backlog is as large as the link takes in this time, so that news behind it come in time."""
_LAST_ACKS_S = 3.0
_LONGEST_WATCH_S = 600.0


class Courier:
    """Between the outbox and the broker."""

    def __init__(
        self,
        config: AgentConfig,
        broker: BrokerConfig,
        epoch: str,
        boot: str,
        outbox: Outbox,
        contact: Contact,
    ) -> None:
        self._config = config
        self._contact = contact
        self.on_back: Callable[[], Awaitable[None]] | None = None
        self.on_command: Callable[[Command, bool], None] | None = None
        self.earlier: Callable[[], tuple[EarlierBoot, ...]] = tuple
        self.history = True
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
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._message
        self._client.subscribe(topics.ack(config.node), topics.HUB, topics.cmd(config.node))
        self._hub_ready = False
        self._wake = asyncio.Event()
        self._watch_until_s = 0.0
        self._burst_bytes = 2 * _LEAST_BYTES
        self._running: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """There is something to deliver."""
        self._wake.set()

    def watched(self) -> bool:
        """Whether somebody is looking at this node right now."""
        return self._client.connected and clock.monotonic_s() < self._watch_until_s

    def watch(self, for_s: float) -> None:
        """Somebody looks at this node for so long; a longer look that lasts already stays."""
        until_s = clock.monotonic_s() + min(max(for_s, 0.0), _LONGEST_WATCH_S)
        self._watch_until_s = max(self._watch_until_s, until_s)
        self._client.ping_soon(for_s)

    def lively(self) -> None:
        """Something is wrong at the site: whether the connection lives must be known soon."""
        self._client.ping_soon()

    def traffic(self) -> Traffic:
        """What the connections to the broker have sent and received."""
        return self._client.traffic()

    async def tell(self, state: CommandState) -> bool:
        """Send how far a command is; False when the hub is not there to hear it."""
        if not (self._client.connected and self._contact.there):
            return False
        try:
            return await self._client.publish(topics.done(self._config.node, state.id), pack(state))
        except MqttError as error:
            log.debug("not sent: %s", error)
            return False

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
        """Send what is due, a few at a time, so that news never wait for a backlog."""
        while self._hub_ready and self._client.connected:
            rows = self._outbox.due(clock.monotonic_s(), _AT_ONCE, history=self.history)
            rows = _few(rows, self._burst_bytes)
            begun_s = clock.monotonic_s()
            held = await asyncio.gather(*(self._send(row) for row in rows))
            self._learn(sum(row.size for row in rows), clock.monotonic_s() - begun_s)
            for cause in held:
                if cause:
                    log.warning("frames held waiting=%d cause=%s", len(self._outbox), cause)
                    return
            if not rows or None in held:
                return

    def _learn(self, size: int, took_s: float) -> None:
        """How much the link takes in one burst. A small one tells little: it waits for its answer more than
        it travels.
        """
        fits = int(size / max(took_s, 0.001) * _BURST_S)
        if size >= self._burst_bytes / 2 or fits < self._burst_bytes:
            self._burst_bytes = min(max(fits, _LEAST_BYTES), 2 * self._burst_bytes, _MOST_BYTES)

    async def _send(self, row: Row) -> str | None:
        """Send one frame: empty, or why it was not taken; None: nobody listens."""
        now = clock.monotonic_s()
        payload = row.payload or await asyncio.to_thread(self._outbox.read, row)
        if payload is None:
            self._outbox.sent(row, now)
            return ""
        topic = topics.frame(self._config.node, "live" if row.live else "history")
        try:
            heard = await self._client.publish(topic, payload)
        except MqttError as error:
            if isinstance(error, MqttDenied):
                self._contact.denied(str(error))
            return str(error)
        if not heard:
            return None
        self._outbox.sent(row, clock.monotonic_s())
        return ""

    async def last_words(self) -> None:
        """Send what is open, give the hub a moment to take it, and tell that this is a leave, not a loss."""
        if not self._client.connected:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_ACKS_S):
                await self._deliver()
                while self._hub_ready and self._client.connected and len(self._outbox):
                    self._wake.clear()  # an acknowledgement, or the loss of the hub, sets it
                    await self._wake.wait()
        await self._say(up=False)

    def _connected(self) -> None:
        log.info("broker found node=%s", self._config.node)
        self._contact.connected(self._client.address, clock.monotonic_s())
        self._hub_ready = False
        self._background(self._say(up=True))

    def _disconnected(self, reason: str) -> None:
        log.warning("broker lost cause=%s", reason)
        kind = self._client.trouble.kind if self._client.trouble else "network"
        self._contact.lost(kind, reason, clock.monotonic_s())

    async def _say(self, *, up: bool) -> None:
        presence = pack(self._presence(up=up))
        await self._publish_quietly(topics.state(self._config.node), presence, qos=1, retain=True)

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
            mono_s=round(clock.monotonic_s(), 2),
            earlier=self.earlier(),
        )

    def _message(self, topic: str, payload: bytes, retained: bool) -> None:
        try:
            match topics.parse(topic).root:
                case "hub":
                    self._hub(unpack(HubState, payload) if payload else HubState(state="gone"))
                case "ack":
                    refused = self._outbox.acknowledge(unpack(Ack, payload), clock.wall_s())
                    self._contact.acknowledged(clock.monotonic_s())
                    if refused:
                        log.error("the hub refused frames=%d reason=%s", len(refused), refused[0])
                    self._wake.set()
                case "cmd":
                    if self.on_command is not None:
                        self.on_command(unpack(Command, payload), retained)
        except WireError as error:
            log.warning("not understood topic=%s cause=%s", topic, error)

    def _hub(self, state: HubState) -> None:
        ready = state.state == "ready"
        before = self._contact.hub(state.state)
        if ready and not self._hub_ready:  # not at each heartbeat: pauses between resends must grow
            if before != "ready":
                self._outbox.all_due()
                self._background(self._welcome())
        else:
            self._hub_ready = ready
        if before != state.state:
            log.info("hub state=%s", state.state)
        self._wake.set()

    async def _welcome(self) -> None:
        """The hub is back: what it shall hear first is made before anything is sent."""
        await self._say(
            up=True
        )  # before any frame: by it the hub knows how our monotonic clock stands to its own
        if self.on_back is not None:
            await self.on_back()
        self._hub_ready = self._contact.there
        self._wake.set()

    async def _publish_quietly(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        try:
            await self._client.publish(topic, payload, qos=qos, retain=retain)
        except MqttError as error:
            log.debug("not sent: %s", error)

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)


def _few(rows: list[Row], most_bytes: int) -> list[Row]:
    """The first of them, at least one, that a slow link takes in a moment."""
    size = 0
    for count, row in enumerate(rows):
        size += row.size
        if count and size > most_bytes:
            return rows[:count]
    return rows
