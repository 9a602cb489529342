"""The hub: one loop that takes in frames, judges, publishes what people see, and answers.

Frames are gathered for a moment and committed together; they are acknowledged after the commit. When the
store or the ledger fails, nothing is acknowledged, the retained hub state says `store-down`, and the agents
keep what they have; so it is when somebody sets our clock to a time that cannot be right.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from ayni_core import __version__
from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.rules import Rule
from ayni_core.wire import WireError, topics
from ayni_core.wire.messages import Ack, Command, Event, HubState, NodeState
from ayni_core.wire.questions import Done
from ayni_core.wire.shape import pack, unpack
from ayni_hub import clock_wait
from ayni_hub.answers import Answers
from ayni_hub.commands import Desk
from ayni_hub.ingest import Arrival, Ingest
from ayni_hub.judge import Changes, Judge
from ayni_hub.ledger import Ledger, LedgerError
from ayni_hub.links_found import LinksFound
from ayni_hub.picture import Picture
from ayni_hub.questions import MOST_WAITING, Asked, Questions
from ayni_hub.store import Store, StoreError
from ayni_hub.tally import Tally
from ayni_hub.watching import Watching
from ayni_io import clock
from ayni_io.mqtt import BrokerConfig, MqttClient, MqttError, Will

log = logging.getLogger("hub")
_TICK_S = 1.0
_GATHER_S, _BREATH_S = 0.05, 0.01
_LARGEST_BATCH, _HISTORY_BYTES = 200, 64 * 1024
_HEARTBEAT_S, _SAY_AGAIN_S = 30.0, 3600.0
_LOG_EVERY_S = 60.0
_MOST_INBOX = 64 * 1024 * 1024
_DAY_S = 86400.0
_MOST_UNWRITTEN = 1000
_ALERTS = topics.alert("")


class Hub:
    """Runs until cancelled."""

    def __init__(
        self,
        name: str,
        network: Network,
        rules: tuple[Rule, ...],
        broker: BrokerConfig,
        ledger: Ledger,
        store: Store,
        retain_days: int,
    ) -> None:
        now = clock.wall_s()
        self._network = network
        self._ledger = ledger
        self._store = store
        self._retain_s = retain_days * _DAY_S
        self._judge = Judge(network, rules, ledger.tracks(), ledger.alerts())
        for device in network.devices:
            self._judge.recall(device, [(s, at, v) for s, at, v in store.latest(device) if at <= now])
        self._judge.settle()
        self._picture = Picture(self._judge, ledger.hours(int(now // 3600) - 24), now)
        self._ingest = Ingest(network, ledger, store)
        self._links_found = LinksFound(network, self._judge.known)
        self._answers = Answers(network, self._judge, store, ledger, self._watch, self._links_found)
        self._desk = Desk(
            network,
            lambda node: self._judge.nodes[node].state,
            lambda topic, payload: self._publish(topic, payload, retain=False),
            self._audit,
        )
        self._client = MqttClient(
            broker,
            f"h-{name}",
            will=Will(topic=topics.HUB, payload=pack(HubState(state="gone"))),
            window=100,
        )
        self._questions = Questions(self._answer, self._refuse)
        self._watching = Watching()
        self._odd: Tally[str] = Tally(_LOG_EVERY_S, "many")
        self._client.on_connect = self._connected
        self._client.on_disconnect = lambda reason: log.warning("broker lost cause=%s", reason)
        self._client.on_message = self._message
        self._client.subscribe(*topics.HUB_HEARS)
        self._inbox: deque[Arrival] = deque()
        self._inbox_bytes = 0
        self._arrived = asyncio.Event()
        self._state = "ready"
        self._running: set[asyncio.Task[None]] = set()
        self._retained: set[str] = set()
        self._last_beat = self._last_said = 0.0
        self._last_cleaning = 0.0
        self._unsent: set[str] = set()
        self._unwritten = Changes()

    async def run(self) -> int:
        """Work until cancelled; then say that the hub is gone."""
        self._ledger.remember({}, {}, [Event(at=clock.wall_s(), text=Message("event.hub_started"))], {})
        log.info("started devices=%d links=%d", len(self._network.devices), len(self._network.links))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._client.run())
                tasks.create_task(self._take_in())
                tasks.create_task(self._questions.run())
                tasks.create_task(self._tick())
        finally:
            totals = self._ingest.totals
            log.info(
                "stopped frames=%d samples=%d repeated=%d refused=%d",
                totals.frames, totals.samples, totals.repeated, totals.refused,
            )  # fmt: skip
        return 0

    # ---- in

    def _message(self, topic: str, payload: bytes, retained: bool) -> None:
        try:
            address = topics.parse(topic)
            match address.root:
                case "in":
                    self._receive(Arrival(topic, payload, clock.wall_s()))
                case "state" if payload and self._state != clock_wait.STATE:  # they come again
                    state, now = unpack(NodeState, payload), clock.wall_s()
                    self._judge.node_state(address.words[0], state, now)
                    self._ingest.hear(address.words[0], state, now, retained=retained)
                case "ask":
                    user, session, question = address.words
                    self._questions.put(Asked(user, topics.answer(user, session, question), payload))
                case "done" if payload and not retained:
                    node, command = address.words
                    self._desk.heard(node, command, payload)
                case "net" | "alert" if retained and payload:
                    self._retained.add(topic)
        except WireError as error:
            self._odd.add(f"not understood topic={'/'.join(topic.split('/')[:4])[:80]}", str(error))

    def _receive(self, arrival: Arrival) -> None:
        """A frame; more than we can hold is passed over: it was not acknowledged, and comes again."""
        if self._inbox_bytes + len(arrival.payload) > _MOST_INBOX:
            self._odd.add("too much at once", f"{_MOST_INBOX} bytes wait")
            return
        self._inbox_bytes += len(arrival.payload)
        self._inbox.append(arrival)
        self._arrived.set()

    async def _take_in(self) -> None:
        while True:
            await self._arrived.wait()
            await asyncio.sleep(_GATHER_S)
            self._arrived.clear()
            while self._inbox:
                batch = next_batch(self._inbox)
                self._inbox_bytes -= sum(len(arrival.payload) for arrival in batch)
                await self._take(batch)
                await asyncio.sleep(_BREATH_S)  # news come in, which go before a backlog; acks go out

    async def _take(self, batch: list[Arrival]) -> None:
        if clock_wait.is_wrong(clock.wall_s()):
            return  # not acknowledged: they come again
        try:
            outcome = self._ingest.take(batch)
        except (StoreError, LedgerError) as error:
            await self._store_failed(str(error))
            return
        if outcome.frames:  # copies for watchers write nothing, and so prove nothing
            await self._set_state("ready")
        for node, acks in outcome.acks.items():
            for ack in acks.values():
                # a lost acknowledgement is no loss: the frame comes again, and so does its acknowledgement
                self._spawn(self._publish(topics.ack(node), pack(_merged(ack)), qos=0))
        now = clock.wall_s()
        self._judge.changes.events += outcome.events
        for node in outcome.clones:
            log.error("cloned node node=%s", node)
            text = Message("event.cloned_node", {"node": node})
            self._judge.changes.events.append(Event(at=now, text=text, level="warn", kind="node", name=node))
        for placed in outcome.judge:
            if placed.kind != "history":
                frame = placed.frame
                next_by = now + frame.next_by_s if placed.kind == "live" else None
                self._judge.take(frame.node, frame.devices, placed.start, next_by)
        await self._tell(now)

    # ---- judge and tell

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            now = clock.wall_s()
            if not await self._is_dated(now):
                continue
            if self._state == "store-down":
                await self._try_again(now)
            if not self._inbox:
                await self._tell(now)
            if clock.monotonic_s() - self._last_beat >= _HEARTBEAT_S and self._client.connected:
                await self._beat()
            self._look_after(now)
            if now - self._last_cleaning >= _DAY_S / 24:
                self._last_cleaning = now
                self._forget_old(now)

    async def _is_dated(self, now: float) -> bool:
        """Whether our clock may be right; all are told when that changes."""
        wrong = clock_wait.is_wrong(now)
        if wrong and self._state != clock_wait.STATE:
            clock_wait.tell(now)
            await self._set_state(clock_wait.STATE)
        elif not wrong and self._state == clock_wait.STATE:
            await self._set_state("ready")
        return not wrong

    async def _try_again(self, now: float) -> None:
        """Agents send nothing while the store is down, so nobody but us can find out that it works again."""
        try:
            self._store.probe(now)
            self._ledger.probe(now)
        except (StoreError, LedgerError):
            return
        await self._set_state("ready")

    async def _tell(self, now: float) -> None:
        self._judge.tick(now)
        self._judge.changes.events += [*self._ingest.tell(now), *self._links_found.look(now)]
        self._questions.write(now)
        for what, count, cause in self._odd.due(now):
            log.warning("%s count=%d cause=%s", what, count, cause)
        devices = set(self._judge.changes.devices)
        news = set(self._picture.news(now, devices))
        changes = self._judge.flush()
        news |= {topics.alert(identifier) for identifier in changes.alerts}
        for event in changes.events:
            what = event.text.context
            log.info("event level=%s about=%s/%s text=%s", event.level, event.kind, event.name, what)
        await self._remember(changes)
        self._unsent |= news
        self._send_unsent()

    async def _remember(self, changes: Changes) -> None:
        """Into the ledger, with what could not be written before."""
        kept, self._unwritten = self._unwritten, Changes()
        kept.tracks |= changes.tracks
        kept.alerts |= changes.alerts
        kept.events = (kept.events + changes.events)[-_MOST_UNWRITTEN:]
        hours = self._picture.new_hours
        if not (kept.tracks or kept.alerts or kept.events or hours):
            return
        try:
            self._ledger.remember(kept.tracks, kept.alerts, kept.events, hours)
        except LedgerError as error:
            self._unwritten = kept
            await self._store_failed(str(error))
        else:
            self._picture.new_hours = {}

    def _send_unsent(self) -> None:
        if not self._client.connected:
            return
        unsent, self._unsent = self._unsent, set()
        for topic in sorted(unsent, key=lambda each: each.startswith(_ALERTS)):  # the picture first
            self._spawn(self._publish(topic, self._current(topic), retain=True))

    def _current(self, topic: str) -> bytes:
        """What a retained topic should say now: a late publication must not bring back the past."""
        if topic.startswith(_ALERTS):
            alert = self._judge.alerts.get(topic.removeprefix(_ALERTS))
            return pack(alert) if alert else b""
        return self._picture.told(topic)

    def _connected(self) -> None:
        log.info("broker found")
        self._retained.clear()
        self._spawn(self._greet())

    async def _greet(self) -> None:
        """After connecting: say ready, tell the whole picture, clear away what an older one left retained."""
        await self._say_state()
        self._unsent |= self._picture.topics()
        self._unsent |= {topics.alert(identifier) for identifier in self._judge.alerts}
        self._send_unsent()
        await asyncio.sleep(_TICK_S)
        for topic in self._retained - self._picture.topics():
            if not self._current(topic):
                await self._publish(topic, b"", retain=True)

    async def _store_failed(self, reason: str) -> None:
        if self._state != "store-down":
            log.error("store down cause=%s", reason)
        await self._set_state("store-down")

    async def _set_state(self, state: str) -> None:
        if state != self._state:
            self._state = state
            log.info("state=%s", state)
            await self._say_state()

    async def _say_state(self) -> None:
        self._last_beat = self._last_said = clock.monotonic_s()
        await self._publish(topics.HUB, pack(self._own_state()), retain=True)

    async def _beat(self) -> None:
        """Show people that we live; now and then also what is retained for nodes."""
        if self._last_beat - self._last_said >= _SAY_AGAIN_S:
            await self._say_state()
        self._last_beat = clock.monotonic_s()
        await self._publish(topics.BEAT, pack(self._own_state()), qos=0)

    def _own_state(self) -> HubState:
        return HubState(state=self._state, at=round(clock.wall_s(), 1), version=__version__)

    def _look_after(self, now: float) -> None:
        """The store's own work, a piece a second, while nobody waits for anything else."""
        if self._inbox or self._state != "ready":
            return
        try:
            self._store.upkeep(now)
        except StoreError as error:
            self._odd.add("looking after the store failed", str(error))

    def _forget_old(self, now: float) -> None:
        """What is too old, counted from the newest sample: a clock that jumps ahead costs nothing."""
        try:
            until = min(now, self._store.newest() or now) - self._retain_s
            self._judge.known.forget_before(until)
            self._store.forget_before(until)
            self._ledger.forget_before(until)
        except (StoreError, LedgerError) as error:
            log.error("forgetting failed cause=%s", error)

    # ---- out

    async def _answer(self, asked: Asked) -> None:
        if self._desk.ask(asked.payload, asked.user, asked.topic):
            return
        try:
            answer: object = self._answers.answer(asked.payload, asked.user, clock.wall_s())
        except (StoreError, LedgerError) as error:
            log.error("answering failed cause=%s", error)
            answer = Done(error=Message("answer.store_down"))
        except (ArithmeticError, ValueError) as error:  # a question made of numbers that nobody means
            self._odd.add(f"question refused user={asked.user[:48]}", str(error)[:200])
            answer = Done(error=Message("answer.bad_question", {"problem": str(error)[:80]}))
        await self._publish(asked.topic, pack(answer), retain=False)

    async def _refuse(self, topic: str) -> None:
        answer = Done(error=Message("answer.too_many", {"most": MOST_WAITING}))
        await self._publish(topic, pack(answer), retain=False)

    def _watch(self, nodes: set[str], for_s: float, user: str) -> None:
        now = clock.wall_s()
        for node in nodes:
            state = self._judge.nodes[node].state
            if state is not None and state.up and self._watching.due(node, state.epoch, for_s, now):
                command = Command(id=f"watch-{int(now)}", do="watch", epoch=state.epoch, for_s=for_s, by=user)
                self._spawn(self._publish(topics.cmd(node), pack(command), retain=False))

    def _audit(self, event: Event) -> None:
        """Who commanded what: written at once, or with what could not be written before."""
        try:
            self._ledger.remember({}, {}, [event], {})
        except LedgerError:
            self._judge.changes.events.append(event)

    async def _publish(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1) -> None:
        try:
            await self._client.publish(topic, payload, qos=qos, retain=retain)
        except MqttError as error:
            log.debug("not sent topic=%s cause=%s", topic, error)
            if retain and topic != topics.HUB:
                self._unsent.add(topic)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)


def next_batch(inbox: deque[Arrival]) -> list[Arrival]:
    """Take out what is stored next: all the news, else as much of a backlog as news can wait for."""
    news = [arrival for arrival in inbox if not arrival.topic.endswith("/history")][:_LARGEST_BATCH]
    if news:
        taken = set(map(id, news))
        rest = [arrival for arrival in inbox if id(arrival) not in taken]
        inbox.clear()
        inbox.extend(rest)
        return news
    batch: list[Arrival] = []
    size = 0
    while inbox and len(batch) < _LARGEST_BATCH and size < _HISTORY_BYTES:
        batch.append(inbox.popleft())
        size += len(batch[-1].payload)
    return batch


def _merged(ack: Ack) -> Ack:
    """Neighbouring sequence numbers as one range."""
    ranges: list[tuple[int, int]] = []
    for first, last in sorted((pair[0], pair[1]) for pair in ack.stored):
        if ranges and first <= ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], max(last, ranges[-1][1]))
        else:
            ranges.append((first, last))
    return replace(ack, stored=tuple(ranges))
