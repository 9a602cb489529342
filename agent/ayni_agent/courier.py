"""The courier: keeps the connection to the broker, sends what the outbox holds, hears the hub.

It sends while the hub says `ready`; a frame that the broker took but nobody heard stays due. As much is on
its way as the link takes in a moment (`window`), and whenever something arrived, more follows: news at once,
waiting only for other news, the backlog behind them. Presence is a retained birth message and a last will on
the same topic.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

from ayni_agent.config import AgentConfig
from ayni_agent.contact import Contact
from ayni_agent.outbox import Name, Outbox, Row
from ayni_agent.renewals import Renewals
from ayni_core import __version__
from ayni_core.window import Window
from ayni_core.wire import WireError, topics
from ayni_core.wire.keys import Renewal
from ayni_core.wire.messages import Ack, Command, CommandState, EarlierBoot, HubState, NodeState
from ayni_core.wire.shape import pack, unpack
from ayni_io import clock
from ayni_io.mqtt import BrokerConfig, MqttClient, MqttDenied, MqttError, Will
from ayni_io.traffic import Traffic

log = logging.getLogger("agent")
_TICK_S = 1.0
_FOR_NEWS, _FOR_WORDS = 2, 2
"""Of the messages that may be unacknowledged at once, so many are left to news, and to words about us."""
_LAST_ACKS_S = 3.0
_LONGEST_WATCH_S = 600.0
_LONGEST_BACK_S, _BACK_MARGIN_S = 400 * 86_400.0, 2 * 3600.0
"""The hub says anew only each hour how old its backup is; and its clock may have been wrong a little."""


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
        self._client.subscribe(
            topics.ack(config.node), topics.HUB, topics.cmd(config.node), topics.renew(config.node)
        )
        self._renewals = Renewals(self._client, config.broker.keyring(config.state_dir))
        self._hub_ready = False
        self._restored = ""
        self._wake = asyncio.Event()
        self._watch_until_s = 0.0
        self._window = Window()
        self._flying: dict[Name, Row] = {}
        self._copies_bytes = 0
        self._held_until_s = 0.0
        self._held_cause = ""
        self._delivering = asyncio.Lock()
        self._flights = asyncio.TaskGroup()
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
            return await self._client.publish(topics.done(self._config.node), pack(state))
        except MqttError as error:
            log.debug("not sent: %s", error)
            return False

    def send_copy(self, payload: bytes) -> None:
        """Send a copy of one poll to whoever watches; if it is lost, the next one follows. A link that is
        behind with copies gets no more of them: news would have to wait for them.
        """
        if self._window.has_room(self._copies_bytes, len(payload)):
            self._copies_bytes += len(payload)
            self._background(self._copy(payload))

    async def _copy(self, payload: bytes) -> None:
        try:
            await self._publish_quietly(topics.frame(self._config.node, "watch"), payload, qos=0)
        finally:
            self._copies_bytes -= len(payload)

    async def run(self) -> None:
        """Keep connected and deliver, until cancelled."""
        async with self._flights:
            self._flights.create_task(self._client.run())
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_TICK_S if self._hub_ready else None):
                        await self._wake.wait()
                self._wake.clear()
                await self._deliver()

    def _may_send(self) -> bool:
        return self._hub_ready and self._client.connected and clock.monotonic_s() >= self._held_until_s

    async def _deliver(self) -> None:
        """Send what is due, as far as there is room; what lands sets `_wake`, and then more follows."""
        async with self._delivering:
            while self._may_send() and (row := self._next()) is not None:
                payload = row.payload or await asyncio.to_thread(self._outbox.read, row)
                if payload is None:
                    self._outbox.sent(row, clock.monotonic_s())
                elif self._may_send():
                    self._flying[row.name] = row
                    self._flights.create_task(self._fly(row, payload, _bytes(self._flying.values())))

    def _next(self) -> Row | None:
        """What is to be sent now, None if there is nothing or no room for it. News do not wait for the
        backlog that is on its way, the backlog waits for all.
        """
        due = self._outbox.due(clock.monotonic_s(), len(self._flying) + 1, history=self.history)
        row = next((each for each in due if each.name not in self._flying), None)
        if row is None:
            return None
        left = self._client.at_once - _FOR_WORDS - (0 if row.live else _FOR_NEWS)
        ahead = _bytes(each for each in self._flying.values() if each.live or not row.live)
        room = len(self._flying) < max(left, 1) and self._window.has_room(ahead, row.size)
        return row if room else None

    async def _fly(self, row: Row, payload: bytes, flying_bytes: int) -> None:
        """See one frame to the broker; the window learns from it."""
        window, begun_s = self._window, clock.monotonic_s()
        topic = topics.frame(self._config.node, "live" if row.live else "history")
        try:
            heard = await self._client.publish(topic, payload)
            now_s = clock.monotonic_s()
            window.landed(len(payload), flying_bytes, now_s - begun_s)
            if heard:
                self._outbox.sent(row, now_s)
            else:
                self._held_until_s = now_s + _TICK_S
        except MqttError as error:
            self._hold(error)
        finally:
            del self._flying[row.name]
            self._wake.set()

    def _hold(self, error: MqttError) -> None:
        """The broker did not take a frame: not at once again, and told once."""
        self._held_until_s = clock.monotonic_s() + _TICK_S
        if isinstance(error, MqttDenied):
            self._contact.denied(str(error))
        if str(error) != self._held_cause:
            self._held_cause = str(error)
            log.warning("frames held waiting=%d cause=%s", len(self._outbox), error)

    async def last_words(self) -> None:
        """Send what is open, give the hub a moment to take it, and tell that this is a leave, not a loss."""
        if not self._client.connected:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_ACKS_S):
                await self._deliver()
                while self._hub_ready and self._client.connected and len(self._outbox):
                    self._wake.clear()  # a landing, an acknowledgement, or the loss of the hub, sets it
                    await self._wake.wait()
                    await self._deliver()
        await self._say(up=False)

    def _connected(self) -> None:
        log.info("broker found node=%s", self._config.node)
        certificate = self._client.certificate
        ends = certificate.ends if certificate is not None else None
        self._contact.connected(self._client.address, clock.monotonic_s(), ends)
        self._hub_ready = False
        self._window = Window()
        self._held_cause = ""
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
                case "renew" if payload and not retained:
                    self._background(self._renew(unpack(Renewal, payload)))
        except WireError as error:
            log.warning("not understood topic=%s cause=%s", topic, error)

    async def _renew(self, renewal: Renewal) -> None:
        answer = await self._renewals.take(renewal)
        await self._publish_quietly(topics.renewed(self._config.node), pack(answer), qos=1)

    def _hub(self, state: HubState) -> None:
        if state.state == "ready" and topics.bucket(self._config.node) in state.closed:
            state = HubState(state="store-down")  # for us: the part of the hub that would store it is away
        ready = state.state == "ready"
        before = self._contact.hub(state.state)
        if ready and state.restored and state.restored != self._restored:
            self._restored = state.restored
            self._background(self._send_again(state))
        if ready and not self._hub_ready:  # not at each heartbeat: pauses between resends must grow
            if before != "ready":
                self._outbox.all_due()
                self._background(self._welcome())
        else:
            self._hub_ready = ready
        if before != state.state:
            log.info("hub state=%s", state.state)
        self._wake.set()

    async def _send_again(self, state: HubState) -> None:
        """The hub was put back from a backup: what it had taken since goes to it once more."""
        mark = (state.restored or "")[:64]
        for_s = min(max(state.missing_s or 0.0, 0.0), _LONGEST_BACK_S) + _BACK_MARGIN_S
        count = await asyncio.to_thread(self._outbox.take_back, mark, for_s, clock.monotonic_s())
        if count is None:  # the hub says it again, and the disk may work then
            self._restored = ""
        elif count:
            log.warning("the hub was put back from a backup: sending again frames=%d", count)
            self._wake.set()

    async def _welcome(self) -> None:
        """The hub is back: what it shall hear first is made before anything is sent."""
        await self._say(
            up=True
        )  # before any frame: by it the hub knows how our monotonic clock stands to its own
        if self.on_back is not None:
            await self.on_back()
        self._hub_ready = self._contact.there
        self._held_until_s = 0.0
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


def _bytes(rows: Iterable[Row]) -> int:
    return sum(row.size for row in rows)
