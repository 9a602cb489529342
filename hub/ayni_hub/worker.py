"""A worker: stores what comes in for the buckets that it owns, acknowledges it, and tells its judge how it
is.

It judges nothing and answers nobody. What happened to it (reports that it refused, clocks that were wrong,
notes of its nodes) it writes down and tells the judge, who shows it to people.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from ayni_core import __version__
from ayni_core.inventory import Network
from ayni_core.wire import WireError, topics
from ayni_core.wire.messages import Ack, Event, Heard, NodeState, PartState
from ayni_core.wire.shape import pack, unpack
from ayni_hub import clock_wait, roles
from ayni_hub.crew import in_words
from ayni_hub.ingest import Arrival, Ingest, Outcome
from ayni_hub.intake import DAY_S, Intake
from ayni_hub.ledger import Ledger, LedgerError
from ayni_hub.retention import Retention
from ayni_hub.store import Store
from ayni_hub.tally import Tally
from ayni_hub.told import Teller
from ayni_hub.voice import Voice
from ayni_io import clock
from ayni_io.mqtt import BrokerConfig, MqttClient, Will
from ayni_io.service import STUCK_S, Service, Vitals, keep_watch

log = logging.getLogger("hub")
_TICK_S = 1.0
_LOG_EVERY_S = 60.0
_MOST_UNWRITTEN = 1000


class Worker:
    """Runs until cancelled."""

    def __init__(
        self,
        name: str,
        buckets: Sequence[int],
        network: Network,
        broker: BrokerConfig,
        ledger: Ledger,
        store: Store,
        retain: Retention,
    ) -> None:
        self._name = name
        self._buckets = tuple(buckets)
        self._ledger = ledger
        self._retain = retain
        self._odd: Tally[str] = Tally(_LOG_EVERY_S, "many")
        self._intake = Intake(
            Ingest(network, ledger, store), ledger, store, self._odd,
            taken=self._taken, acknowledge=self._acknowledge, changed=self._say_state,
        )  # fmt: skip
        will = Will(topic=topics.part(name), payload=pack(self._own_state("gone")))
        self._voice = Voice(MqttClient(broker, f"w-{name}", will=will, window=100, will_at_end=True))
        client = self._voice.client
        client.on_connect = self._connected
        client.on_disconnect = lambda reason: log.warning("broker lost cause=%s", reason)
        client.on_message = self._message
        client.subscribe(*roles.hears(roles.WORKER, self._buckets), topics.heard(name))
        self._teller = Teller(ledger, lambda told: self._later(topics.told(name), told))
        self._events: list[Event] = []
        self._last_cleaning = 0.0
        self.service = Service({})
        """Who wants signs of life; nobody, unless somebody says so."""
        self._vitals = Vitals()

    async def run(self) -> int:
        """Work until cancelled; then say that this worker is gone."""
        log.info("started role=worker name=%s buckets=%s", self._name, in_words(self._buckets))
        try:
            async with asyncio.TaskGroup() as tasks:
                self._vitals.sign("tick", STUCK_S)
                tasks.create_task(keep_watch(self.service, self._vitals))
                tasks.create_task(self._voice.client.run())
                tasks.create_task(self._intake.run())
                tasks.create_task(self._tick())
                self.service.ready(self._intake.state)
        finally:
            self.service.stopping()
            self._intake.end()
        return 0

    def _message(self, topic: str, payload: bytes, retained: bool) -> None:
        try:
            address = topics.parse(topic)
            match address.root:
                case "in" | "fed" if address.words[-1] != "watch":  # copies are for the judge alone
                    self._intake.receive(Arrival(topic, payload, clock.wall_s()))
                case "state" if payload and self._is_ours(address.words[0]):
                    state = unpack(NodeState, payload)
                    self._intake.ingest.hear(address.words[0], state, clock.wall_s(), retained=retained)
                case "heard" if not retained:
                    self._teller.heard(unpack(Heard, payload))
        except (WireError, LedgerError) as error:
            self._odd.add(f"not understood topic={'/'.join(topic.split('/')[:4])[:80]}", str(error))

    def _is_ours(self, node: str) -> bool:
        return topics.bucket(node) in self._buckets and self._intake.state != clock_wait.STATE

    def _acknowledge(self, node: str, ack: Ack) -> None:
        self._voice.spawn(self._voice.say(topics.ack(node), pack(ack), qos=0))

    async def _taken(self, outcome: Outcome, now: float) -> None:
        self._events += outcome.events

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            self._vitals.sign("tick", STUCK_S)
            self.service.status(self._intake.state)
            now = clock.wall_s()
            if not await self._intake.is_dated(now):
                continue
            await self._intake.try_again(now)
            await self._tell(now)
            self._intake.look_after(now)
            if now - self._last_cleaning >= DAY_S / 24:
                self._last_cleaning = now
                self._intake.forget_old(now, self._retain)

    async def _tell(self, now: float) -> None:
        self._events += self._intake.ingest.tell(now)
        for what, count, cause in self._odd.due(now):
            log.warning("%s count=%d cause=%s", what, count, cause)
        try:
            if self._events:
                self._ledger.remember({}, {}, self._events[-_MOST_UNWRITTEN:], {})
                self._events = []
            if self._voice.connected:
                self._teller.look(clock.monotonic_s())
        except LedgerError as error:
            await self._intake.failed(str(error))

    # ---- how we are

    def _connected(self) -> None:
        log.info("broker found")
        self._voice.spawn(self._say_state())

    async def _say_state(self) -> None:
        await self._voice.keep(topics.part(self._name), pack(self._own_state(self._intake.state)))

    def _own_state(self, state: str) -> PartState:
        at = round(clock.wall_s(), 1)
        return PartState(role="worker", state=state, at=at, version=__version__, buckets=self._buckets)

    def _later(self, topic: str, payload: bytes) -> None:
        self._voice.spawn(self._voice.say(topic, payload))
