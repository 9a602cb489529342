"""The hub: one loop that takes in frames, judges, publishes what people see, and answers.

The way of a frame into the store is `intake`, what is retained for people stands on a `board`. A hub of the
role `all` does everything; a judge leaves storing for good to its workers, a mirror judging to the village
(`roles`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from ayni_core import __version__
from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.rules import Rule
from ayni_core.wire import WireError, topics
from ayni_core.wire.messages import Ack, Command, Event, HubState, NodeState, PartState, Told
from ayni_core.wire.questions import Done, Question
from ayni_core.wire.shape import pack, unpack
from ayni_hub import clock_wait, roles, told
from ayni_hub import who as who_acts
from ayni_hub.alerting.life import Life
from ayni_hub.answers import Answers
from ayni_hub.backups.mark import Mark
from ayni_hub.board import ALERTS, Board
from ayni_hub.commands import Desk
from ayni_hub.crew import Crew
from ayni_hub.event_budget import EventBudget
from ayni_hub.feeding import Feeder
from ayni_hub.health import HealthDesk
from ayni_hub.ingest import Arrival, Ingest, Outcome
from ayni_hub.inside import Companion, Inside
from ayni_hub.intake import DAY_S, Intake
from ayni_hub.judge import Judge
from ayni_hub.ledger import Ledger, LedgerError
from ayni_hub.links_found import LinksFound
from ayni_hub.looking_back import LookingBack
from ayni_hub.monitors import Monitors
from ayni_hub.people.assembly import Staff
from ayni_hub.picture import Picture
from ayni_hub.pin_tries import PinTries
from ayni_hub.pins import Pins
from ayni_hub.presence import Presence
from ayni_hub.questions import MOST_WAITING, Asked, Questions
from ayni_hub.rerun.players import Players
from ayni_hub.retention import Retention
from ayni_hub.roles import Role
from ayni_hub.store import Store, StoreError
from ayni_hub.tally import Tally
from ayni_hub.verdict_memory import VerdictMemory
from ayni_hub.voice import Voice
from ayni_hub.watching import Watching
from ayni_hub.who import Who
from ayni_io import clock, timezones
from ayni_io.mqtt import BrokerConfig, MqttClient, Will
from ayni_io.service import STUCK_S, Service, Vitals, keep_watch

log = logging.getLogger("hub")
_TICK_S = 1.0
_LOG_EVERY_S = 60.0
_MANY_DEVICES = 1000
"""Of more the start looks less closely at what waits in the store: it would take minutes."""


class Hub:
    """Runs until cancelled. `feeder`: a server that is to have all this too."""

    def __init__(
        self,
        name: str,
        network: Network,
        rules: tuple[Rule, ...],
        broker: BrokerConfig,
        ledger: Ledger,
        store: Store,
        retain: Retention,
        role: Role = roles.ALL,
        feeder: Feeder | None = None,
        pins: Pins | None = None,
        pin_tries: PinTries | None = None,
    ) -> None:
        now = clock.wall_s()
        self._network = network
        self._ledger = ledger
        self._store = store
        self._role = role
        self._feeder = feeder
        self._retain = retain
        self._judge = Judge(network, rules if role.judges else (), ledger.tracks(), ledger.alerts())
        quick = len(network.devices) > _MANY_DEVICES
        for device in network.devices:
            newest = store.latest(device, quick=quick)
            self._judge.recall(device, [(s, at, v) for s, at, v in newest if at <= now])
        self._judge.settle()
        self._picture = Picture(self._judge, ledger.hours(int(now // 3600) - 24), now)
        self._odd: Tally[str] = Tally(_LOG_EVERY_S, "many")
        self._intake = Intake(
            Ingest(network, ledger, store, feed=feeder.keep if feeder else None),
            ledger, store, self._odd,
            taken=self._taken, acknowledge=self._acknowledge, changed=lambda: self._presence.say(),
        )  # fmt: skip
        self._links_found = LinksFound(network, self._judge.known)
        self._answers = Answers(network, self._judge, store, ledger, self._watch, self._links_found)
        self._monitors = Monitors()
        self.health = HealthDesk(network, self._intake, self._monitors, self._judge.nodes, retain, now)
        self.health.server = feeder.health if feeder else None
        self._answers.health = self.health
        self._answers.hasten = self._hasten
        self._answers.looking_back = LookingBack(network, self._judge, store, self._picture.around)
        zone = timezones.find(network.timezone, "network.timezone")
        self._life = (
            Life(network, self._judge, self._picture, ledger, zone, now, clock.monotonic_s())
            if role.judges
            else None
        )
        if self._life is not None:
            self._answers.alerts = self._life.desk
            self._picture.blind_s = self._life.blind_s
        who = Who(network, pins or Pins(), tell=self._tell_of_login, tries=pin_tries or PinTries())
        self._answers.know(who)
        self._voice = Voice(
            MqttClient(
                broker,
                f"h-{name}",
                will=Will(topic=topics.HUB, payload=pack(HubState(state="gone"))),
                window=100,
                will_at_end=True,
            )
        )
        self._desk = Desk(
            network,
            lambda node: self._judge.nodes[node].state,
            lambda topic, payload: self._say(topic, payload),
            self._audit,
            who=who,
        )
        self._questions = Questions(self._answer, self._refuse)
        self._watching = Watching()
        self._board = Board(
            self._current, self._voice.keep, self._voice.spawn, lambda: self._voice.client.at_once
        )
        self._events_kept = EventBudget(network)
        self._crew = Crew(network, shares=not role.acknowledges)
        client = self._voice.client
        client.on_connect = self._connected
        client.on_disconnect = lambda reason: log.warning("broker lost cause=%s", reason)
        client.on_message = self._message
        client.subscribe(*roles.hears(role))
        self._presence = Presence(self._voice, self._own_state)
        self._memory = VerdictMemory(ledger, self._picture)
        self._last_cleaning = 0.0
        self._blind = False
        self.companions: list[Companion] = []
        self.staff: Staff | None = None
        self.restored: Mark | None = None
        """That we came back from a backup, and monitors are to send again what came since."""
        self.service = Service({})
        """Who wants signs of life; nobody, unless somebody says so."""
        self._vitals = Vitals()

    @property
    def inside(self) -> Inside:
        """What companions look at."""
        return Inside(
            network=self._network, judge=self._judge, picture=self._picture,
            intake=self._intake, voice=self._voice,
        )  # fmt: skip

    async def run(self) -> int:
        """Work until cancelled; then say that the hub is gone."""
        self._ledger.remember({}, {}, [Event(at=clock.wall_s(), text=Message("event.hub_started"))], {})
        log.info(
            "started role=%s devices=%d links=%d",
            self._role.name, len(self._network.devices), len(self._network.links),
        )  # fmt: skip
        try:
            async with asyncio.TaskGroup() as tasks:
                self._vitals.sign("tick", STUCK_S)
                tasks.create_task(keep_watch(self.service, self._vitals))
                tasks.create_task(self._voice.client.run())
                tasks.create_task(self._intake.run())
                tasks.create_task(self._questions.run())
                tasks.create_task(self._tick())
                for companion in self.companions:
                    tasks.create_task(companion())
                if self._feeder is not None:
                    tasks.create_task(self._feeder.run(self._current, self._topics))
                self.service.ready(self._intake.state)
        finally:
            self.service.stopping()
            self._intake.end()
        return 0

    # ---- in

    def _message(self, topic: str, payload: bytes, retained: bool) -> None:
        try:
            address = topics.parse(topic)
            match address.root:
                case "in" | "fed":
                    self._intake.receive(Arrival(topic, payload, clock.wall_s()))
                case "state" if payload and self._intake.state != clock_wait.STATE:  # they come again
                    state, now = unpack(NodeState, payload), clock.wall_s()
                    self._judge.node_state(address.words[0], state, now)
                    self._intake.ingest.hear(address.words[0], state, now, retained=retained)
                case "ask":
                    user, session, question = address.words
                    self._questions.put(Asked(user, topics.answer(user, session, question), payload))
                case "done" if payload and not retained:
                    self._desk.heard(address.words[0], payload)
                case "net" | "alert" if retained and payload:
                    self._board.found(topic)
                case "part":
                    part = unpack(PartState, payload) if payload else None
                    self._crew.hear(address.words[0], part)
                    self.health.hear(address.words[0], part, clock.wall_s())
                case "told" if not retained:
                    self._hear_of(address.words[0], unpack(Told, payload))
        except WireError as error:
            self._odd.add(f"not understood topic={'/'.join(topic.split('/')[:4])[:80]}", str(error))

    def _hear_of(self, part: str, news: Told) -> None:
        """What happened at a worker or in a village: written down once, and said so."""
        try:
            word = told.take(self._ledger, part, news)
        except LedgerError as error:
            self._odd.add(f"events not taken part={part}", str(error))
        else:
            self._voice.spawn(self._voice.say(topics.heard(part), pack(word)))

    def _acknowledge(self, node: str, ack: Ack) -> None:
        if self._role.acknowledges:
            # a lost acknowledgement is no loss: the frame comes again, and so does its acknowledgement
            self._voice.spawn(self._voice.say(topics.ack(node), pack(ack), qos=0))

    async def _taken(self, outcome: Outcome, now: float) -> None:
        events = outcome.events
        if self._role.acknowledges:  # what a judge could tell of them its workers tell
            self._judge.changes.events += events
        for placed in outcome.judge:
            if placed.kind != "history":
                frame = placed.frame
                next_by = now + frame.next_by_s if placed.kind == "live" else None
                self._judge.take(frame.node, frame.devices, placed.start, next_by, frame.synced)
            if placed.kind == "live":
                self._monitors.take(placed.frame, now, itself=not placed.village)
        await self._tell(now)

    # ---- judge and tell

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            now = clock.wall_s()
            self._vitals.sign("tick", STUCK_S)
            self.service.status(self._intake.state)
            dated = await self._intake.is_dated(now)
            self.health.look(now)
            self._see(now)
            if not dated:
                continue
            await self._intake.try_again(now)
            if not self._intake.inbox:
                await self._tell(now)
            if self._role.leads:
                await self._lead(now)
            await self._presence.beat()
            self._intake.look_after(now)
            if now - self._last_cleaning >= DAY_S / 24:
                self._last_cleaning = now
                self._forget_old(now)

    def _see(self, now: float) -> None:
        """Notice when nothing can reach us: nobody is late then."""
        causes = {"store-down": "store", clock_wait.STATE: "clock"}
        cause = causes.get(self._intake.state) or ("" if self._voice.connected else "broker")
        if self._life is not None and self._life.look(now, clock.monotonic_s(), cause):
            self._blind = bool(cause)
            self._judge.excuse(set(self._network.nodes) if cause else self._crew.waiting(), now)

    async def _lead(self, now: float) -> None:
        """See how the other parts are; the agents are told whose reports have to wait."""
        self._judge.changes.events += self._crew.events(now)
        if self._excuse(now):
            await self._presence.say()

    def _excuse(self, now: float) -> bool:
        """Whose reports have to wait is not called silent; whether that changed."""
        turned = self._crew.turned()
        if turned and not self._blind:
            self._judge.excuse(self._crew.waiting(), now)
        return turned

    async def _tell(self, now: float) -> None:
        self._judge.tick(now)
        told_by_us = self._intake.ingest.tell(now)
        self._judge.changes.events += told_by_us if self._role.acknowledges else ()
        self._judge.changes.events += self._links_found.look(now)
        self._judge.changes.events += self._feeder.events(now) if self._feeder else ()
        self._judge.changes.events += self.staff.events() if self.staff else ()
        self._questions.write(now)
        for what, count, cause in self._odd.due(now):
            log.warning("%s count=%d cause=%s", what, count, cause)
        devices = set(self._judge.changes.devices)
        news = set(self._picture.news(now, devices))
        changes = self._judge.flush()
        changes.events[:] = self._events_kept.keep(changes.events, now)
        news |= {topics.alert(identifier) for identifier in changes.alerts}
        for event in changes.events:
            what = event.text.context
            log.info("event level=%s about=%s/%s text=%s", event.level, event.kind, event.name, what)
        try:
            self._memory.write(changes)
        except LedgerError as error:
            await self._intake.failed(str(error))
        await self._note(now)
        self._show(news)
        if self.staff is not None:
            self.staff.take(changes.alerts, self._judge.alerts, now)

    def _show(self, news: set[str]) -> None:
        """Put on the board what changed; a mirror has none: what is retained there is the village's."""
        if not self._role.judges:
            return
        self._board.put(news)
        if self._voice.connected:
            self._board.send()
        if self._feeder is not None:
            self._feeder.show(news)

    async def _note(self, now: float) -> None:
        """That we see, and what else outlives a restart."""
        if self._life is None:
            return
        try:
            events = self._life.write(now, clock.monotonic_s())
        except LedgerError as error:
            await self._intake.failed(str(error))
            return
        for event in events:
            log.warning("event level=%s text=%s", event.level, event.text.context)
        if self.staff is not None:
            self.staff.hear(events)

    def _current(self, topic: str) -> bytes:
        """What a retained topic should say now: a late publication must not bring back the past."""
        if topic.startswith(ALERTS):
            alert = self._judge.alerts.get(topic.removeprefix(ALERTS))
            return pack(alert) if alert else b""
        return self._picture.told(topic)

    def _topics(self) -> set[str]:
        """Every topic that has something to say now."""
        return self._picture.topics() | {topics.alert(identifier) for identifier in self._judge.alerts}

    def _connected(self) -> None:
        log.info("broker found")
        self._board.connected()
        self._voice.spawn(self._greet())

    async def _greet(self) -> None:
        """After connecting: say ready, tell the whole picture, clear away what an older one left retained."""
        if self._crew.shares:
            await asyncio.sleep(_TICK_S)  # how the workers are is retained, and comes first
            self._excuse(clock.wall_s())
        await self._presence.say()
        if self._role.judges:
            await self._board.tell_all(self._topics())

    def _own_state(self) -> HubState:
        state, closed = self._intake.state, self._crew.closed()
        if state == "ready" and self._crew.none_is_ready():
            state, closed = "store-down", ()
        now, mark = clock.wall_s(), self.restored
        missing_s = mark.missing_s(now) if mark is not None else None
        return HubState(
            state=state, at=round(now, 1), version=__version__, closed=closed,
            restored=mark.id if mark is not None and missing_s else None, missing_s=missing_s,
        )  # fmt: skip

    def _forget_old(self, now: float) -> None:
        until = self._intake.forget_old(now, self._retain)
        if until is not None:
            self._judge.known.forget_before(until)

    # ---- out

    async def _answer(self, asked: Asked) -> None:
        if self._role.judges and self._desk.ask(asked.payload, asked.user, asked.topic):
            return
        try:
            answer: object = await self._answers.answered(asked.payload, asked.user, clock.wall_s())
        except (StoreError, LedgerError) as error:
            log.error("answering failed cause=%s", error)
            answer = Done(error=Message("answer.store_down"))
        except (ArithmeticError, ValueError) as error:  # a question made of numbers that nobody means
            self._odd.add(f"question refused user={asked.user[:48]}", str(error)[:200])
            answer = Done(error=Message("answer.bad_question", {"problem": str(error)[:80]}))
        await self._show_what_was_done()
        await self._say(asked.topic, pack(answer))

    async def _show_what_was_done(self) -> None:
        """Whoever took an alert on sees it before the answer."""
        if self._life is not None and self._life.desk.acted:
            self._life.desk.acted = False
            self._see(clock.wall_s())
            await self._tell(clock.wall_s())
            await asyncio.sleep(0)  # that it is on its way before the answer is

    async def do(self, question: Question, user: str) -> Message | None:
        """What a person asks for otherwise than at a console, done as if asked there; why not, or None."""
        try:
            answer = self._answers.answer(pack(question), user, clock.wall_s())
        except (StoreError, LedgerError):
            return Message("answer.store_down")
        await self._show_what_was_done()
        return answer.error

    def employ(self, staff: Staff) -> None:
        """People are told from now on."""
        self.staff = staff
        self._answers.deliveries = staff.deliveries
        staff.take({}, self._judge.alerts, clock.wall_s())
        self.companions.append(lambda: staff.run(self.inside))

    def look_back(self, players: Players) -> None:
        """The past can be looked at from now on."""
        self._answers.players = players
        self.companions.append(players.run)

    async def _refuse(self, topic: str) -> None:
        await self._say(topic, pack(Done(error=Message("answer.too_many", {"most": MOST_WAITING}))))

    def _watch(self, nodes: set[str], for_s: float, user: str) -> None:
        now = clock.wall_s()
        for node in nodes:
            state = self._judge.nodes[node].state
            if state is not None and state.up and self._watching.due(node, state.epoch, for_s, now):
                command = Command(id=f"watch-{int(now)}", do="watch", epoch=state.epoch, for_s=for_s, by=user)
                self._voice.spawn(self._say(topics.cmd(node), pack(command)))

    def _hasten(self, devices: Sequence[str], for_s: float, user: str) -> None:
        """A watch of one device: its monitor polls it every few seconds."""
        now = clock.wall_s()
        for device in devices:
            node = self._network.devices[device].node
            state = self._judge.nodes[node].state
            if state is None or not state.up:
                continue
            if self._watching.due(f"{node}/{device}", state.epoch, for_s, now):
                command = Command(
                    id=f"watch-{int(now)}", do="watch", epoch=state.epoch, device=device, for_s=for_s, by=user
                )
                self._voice.spawn(self._say(topics.cmd(node), pack(command)))

    def _audit(self, event: Event) -> None:
        """Who commanded what: written at once, or with what could not be written before."""
        try:
            self._ledger.remember({}, {}, [event], {})
        except LedgerError:
            self._judge.changes.events.append(event)

    def present(self) -> dict[str, str]:
        """The nodes that are there now, each with the epoch of its start."""
        states = {name: node.state for name, node in self._judge.nodes.items()}
        return {name: state.epoch for name, state in states.items() if state is not None and state.up}

    def tell(self, event: Event) -> None:
        """Something of a companion's happened."""
        self._judge.changes.events.append(event)

    def _tell_of_login(self, text: Message, login: str) -> None:
        self._audit(who_acts.event(text, login, clock.wall_s()))

    async def _say(self, topic: str, payload: bytes) -> None:
        await self._voice.say(topic, payload)
