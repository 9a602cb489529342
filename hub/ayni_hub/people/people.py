"""The people's part of the hub: fed by the judge each second, it decides who is told what, and has it sent.

take(changed, alerts, now)   after the ledger has remembered; quick, one commit, never raises for the disk
hear(events)                 that the central was blind
run(state)                   sends, tells digests; until cancelled
events()                     what happened on the way, for the ledger
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo

from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.reach import Target, local_time
from ayni_core.topology import Topology
from ayni_core.wire.messages import Alert, Event
from ayni_hub.people.audience import Audience
from ayni_hub.people.digest import MOST_LATE_S, Digests, Period, is_open
from ayni_hub.people.herald import Herald, Telling
from ayni_hub.people.mailroom import WITHIN_S, Letter, Mailroom
from ayni_hub.people.memory import GATHERED, MOOT, TOLD, WAITING, Memory
from ayni_hub.people.outbox import Outbox
from ayni_hub.people.postman import Postman, Send
from ayni_hub.people.wording import Facts, Reader, Text, fit

log = logging.getLogger("hub")
_SAY_STATE_AFTER_S = 60.0
_BLIND = ("event.blind_stopped", "event.blind_broker", "event.blind_asleep")
_FORGET_EVERY_S = 86400.0
_LOOK_S = 1.0
_STATES = {"store-down": "tell.store_down", "clock-wrong": "tell.clock_wrong"}


@dataclass(slots=True)
class _Central:
    """How the central is, since when, and whether people were told."""

    state: str = "ready"
    since: float = 0.0
    told: bool = False


class People:
    """One network's people. `zones` has the zone of each, `zone` that of the network."""

    def __init__(
        self,
        network: Network,
        topology: Topology,
        memory: Memory,
        send: Send,
        *,
        zone: tzinfo,
        zones: Mapping[str, tzinfo],
        clock: Callable[[], float],
        history: Callable[[float], Iterable[Event]],
        shares: Callable[[float, float], Mapping[str, float]] = lambda _start, _end: {},
    ) -> None:
        self._network = network
        self._clock = clock
        self._zones = zones
        self.audience = Audience(network, topology, zones, zone)
        self.outbox = Outbox(memory)
        self.herald = Herald(network.reach.escalation, memory.told())
        people = self.audience.people
        self.readers = {
            name: Reader(each.language or network.language, zones[name]) for name, each in people.items()
        }
        self._digests = Digests(network, history, shares)
        self.alerts: Mapping[str, Alert] = {}
        self._recalled = False
        recent = memory.since(clock() - WITHIN_S)
        self.mailroom = Mailroom(self.outbox, self.audience, self.readers, self.open_count, recent)
        self.postman = Postman(
            self.outbox,
            people,
            send,
            clock,
            again=lambda person: self.readers[person].say("tell.again"),
            may_go=self.mailroom.may_go,
        )
        self._central = _Central()
        self._wake = asyncio.Event()
        self.postman.on_free = self._wake.set
        self._forgot_at = 0.0

    # ---- what the hub says

    def take(self, changed: Mapping[str, Alert | None], alerts: Mapping[str, Alert], now: float) -> None:
        """What changed among the alerts, and all that hold."""
        self.alerts = alerts
        if not self._recalled:
            self._recalled = True
            self.herald.recall(alerts, now)
        for telling in self.herald.take(changed, alerts, now):
            self._tell(telling, now)
        for identifier in self.herald.changed:
            self.outbox.remember({identifier: self.herald.told.get(identifier)})
        self.herald.changed.clear()
        self.mailroom.release(now)
        self._commit()

    def state(self, state: str) -> None:
        """How the central is from now on: `ready`, `store-down`, `clock-wrong`."""
        now, before = self._clock(), self._central
        if state == before.state:
            return
        if before.told and state == "ready":
            self._tell_all(Message("tell.hub_ready"), now, start=before.since, end=now)
        self._central = _Central(state=state, since=now if state != "ready" else 0.0)
        self._commit()

    def hear(self, events: Iterable[Event]) -> None:
        """Events of the central itself: people are told that it was blind, unless they heard why already."""
        for event in events:
            if event.text.context in _BLIND:
                self._tell_all(event.text, self._clock())
        self._commit()

    def events(self) -> list[Event]:
        """What happened since the last call."""
        happened, self.postman.events = self.postman.events, []
        return happened

    # ---- its own loop

    async def run(self, state: Callable[[], str]) -> None:
        """Send what waits, until cancelled; `state` is how the central is."""
        try:
            while True:
                self.state(state())
                self.look(self._clock())
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _LOOK_S)
                self._wake.clear()
        finally:
            await self.postman.stop()

    def look(self, now: float) -> None:
        """What a second brings: the central's own troubles, digests, what may be sent."""
        central = self._central
        if not central.told and central.state in _STATES and now - central.since >= _SAY_STATE_AFTER_S:
            central.told = True
            self._tell_all(Message(_STATES[central.state]), now, urgent=True, time=central.since)
        self._tell_digests(now)
        self.mailroom.release(now)
        if abs(now - self._forgot_at) >= _FORGET_EVERY_S:
            self._forgot_at = now
            self.outbox.forget(now)
        self.postman.pump(now)

    def _commit(self) -> None:
        self.outbox.commit()
        self._wake.set()

    # ---- who is told what

    def _tell(self, telling: Telling, now: float) -> None:
        if telling.what in ("over", "taken"):
            self._tell_those_who_know(telling, now)
            return
        alert = telling.alert
        facts = Facts(number=self.outbox.number(alert.id, self.alerts))
        people = self.audience.pick(telling, now)
        if not people and self.audience.people and alert.level == "critical":
            text = Message("event.nobody_to_tell")
            event = Event(at=now, text=text, level="warn", kind=alert.kind, name=alert.name)
            self.postman.events.append(event)
        for person in people:
            self._write(person, telling, facts, now, urgent=alert.level == "critical")

    def _tell_those_who_know(self, telling: Telling, now: float) -> None:
        alert = telling.alert
        reached: dict[str, dict[str, float]] = {}
        for notice in self.outbox.of(alert.id):
            if notice.state in TOLD:
                reached.setdefault(notice.person, {})[notice.target] = notice.made
            elif telling.what == "over" and notice.state in (WAITING, GATHERED):
                self.outbox.change(replace(notice, state=MOOT, changed=now))
        if not self.audience.exists(alert):
            return
        facts = Facts(who=alert.acked_by or "")
        for name, targets in reached.items():
            person = self.audience.people.get(name)
            if person is None or (telling.what == "taken" and person.title == alert.acked_by):
                continue
            woken = self.audience.was_woken(name, max(targets.values()), now)
            self._write(name, telling, facts, now, urgent=woken, only=frozenset(targets))

    def _write(
        self,
        person: str,
        telling: Telling,
        facts: Facts,
        now: float,
        *,
        urgent: bool,
        only: frozenset[str] | None = None,
    ) -> None:
        reader = self.readers[person]

        def text(target: Target) -> Text:
            return reader.tell(telling, facts, now, bot=target.kind == "telegram")

        letter = Letter(
            person=person, what=telling.what, text=text, alert=telling.alert.id, urgent=urgent, only=only
        )
        self.mailroom.put(letter, now)

    def open_count(self) -> int:
        """How many alerts hold that no other explains."""
        return sum(is_open(alert) for alert in self.alerts.values())

    def _tell_all(self, what: Message, now: float, *, urgent: bool = False, **times: float) -> None:
        """Something about the central, to those who may mend it; `times` fill places in it."""
        for person in self.audience.for_all(now):
            reader = self.readers[person]
            shown = {name: reader.time(at, now) for name, at in times.items()}
            line = reader.text(Message(what.context, {**what.values, **shown}))
            self._put_text(
                person, "central", Text(title=line, body="", short=fit([line])), now, urgent=urgent
            )

    def _put_text(
        self, person: str, what: str, said: Text, now: float, *, urgent: bool = False, asked: bool = False
    ) -> None:
        """The same words for every target of a person."""
        letter = Letter(person=person, what=what, text=lambda _target: said, urgent=urgent, asked=asked)
        self.mailroom.put(letter, now)

    def _tell_digests(self, now: float) -> None:
        for person in self.audience.people.values():
            contact = person.contact
            plans = (
                (Period.DAY, contact.daily_min, None),
                (Period.WEEK, contact.weekly and contact.weekly[1], contact.weekly and contact.weekly[0]),
            )
            for period, minute, weekday in plans:
                if minute is None:
                    continue
                mark = f"digest/{period.value}/{person.name}"
                last = float(self.outbox.marks.get(mark) or 0)
                if not last or last > now:
                    self.outbox.mark(mark, repr(now))
                    continue
                due = self._digests.due(local_time(last, self._zones[person.name]), minute, weekday)
                if due > now:
                    continue
                self.outbox.mark(mark, repr(now))
                if now - due <= MOST_LATE_S:
                    said = self._digests.text(period, self.readers[person.name], self.alerts, now)
                    self._put_text(person.name, "digest", said, now, asked=True)
