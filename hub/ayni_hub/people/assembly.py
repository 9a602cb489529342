"""Puts the people's part of a hub together: memory, senders, bot, heartbeat, as the inventory wants them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path

from ayni_core.availability import availability
from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.topology import build
from ayni_core.wire.messages import Alert, Event
from ayni_core.wire.questions import AskAck, AskNote, Deliveries, Question
from ayni_hub.alerting.memory import AlertMemory
from ayni_hub.inside import Inside
from ayni_hub.ledger import Ledger, LedgerError
from ayni_hub.people import deliveries
from ayni_hub.people.heartbeat import Heart
from ayni_hub.people.listening import Doings, Listener
from ayni_hub.people.memory import FILE, open_memory
from ayni_hub.people.people import People
from ayni_hub.people.senders import Senders
from ayni_hub.people.zones import zones_of
from ayni_io import clock

log = logging.getLogger("hub")
_AFTER_A_BUG_S = 60.0
_MOST_EVENTS = 2000
Do = Callable[[Question, str], Awaitable[Message | None]]


class Staff:
    """What a hub has for its people; `run` is a companion of it. `source` is the file of the inventory; `do`
    does what a person asks, or gives back why not. Opening raises `PeopleError` or `ConfigError`."""

    def __init__(self, network: Network, source: str, data_dir: Path, ledger: Ledger, do: Do) -> None:
        self._network = network
        self._source = source
        self._ledger = ledger
        zone, zones = zones_of(network, source)
        self._memory = open_memory(data_dir / FILE)
        self._states = AlertMemory(ledger)
        self._senders = Senders(network, source)
        self.people = People(
            network,
            build(network),
            self._memory,
            self._senders.send,
            zone=zone,
            zones=zones,
            clock=clock.wall_s,
            history=self._history,
            shares=self._shares,
        )
        self._doings = doings_of(do)
        self._heart: Heart | None = None
        self._last_bug = ""

    @staticmethod
    def wanted(network: Network) -> bool:
        """Whether there is anybody to tell, or anything to do for them."""
        told = any(person.contact.targets for person in network.people.values())
        return told or network.reach.heartbeat is not None

    def take(self, changed: Mapping[str, Alert | None], alerts: Mapping[str, Alert], now: float) -> None:
        """`People.take`; a bug in it is in the log, and ends nothing: the hub goes on."""
        self._safely(lambda: self.people.take(changed, alerts, now))

    def hear(self, events: Iterable[Event]) -> None:
        """`People.hear`, as safely."""
        self._safely(lambda: self.people.hear(events))

    def _safely(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as bug:
            if repr(bug) != self._last_bug:  # not each second
                log.exception("telling people failed")
            self._last_bug = repr(bug)

    def events(self) -> list[Event]:
        """What happened since the last call, for the ledger."""
        found = self.people.events()
        if self._heart is not None:
            found += self._heart.events
            self._heart.events = []
        return found

    def deliveries(self) -> Deliveries:
        """The answer to the question `deliveries`."""
        return deliveries.view(self._network, self.people.outbox, self._memory)

    async def run(self, inside: Inside) -> None:
        """Everything that goes on beside the hub's loop, until cancelled."""

        def well() -> bool:
            if inside.intake.state != "ready" or not inside.voice.connected:
                return False
            try:
                self._ledger.probe(clock.wall_s())
            except LedgerError:
                return False
            return True

        telegram, heartbeat = self._senders.telegram, self._network.reach.heartbeat
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_guarded(lambda: self.people.run(lambda: inside.intake.state)))
                if telegram is not None:
                    listener = Listener(self._network, telegram, self.people, self._doings, clock.wall_s)
                    tasks.create_task(_guarded(listener.run))
                if heartbeat is not None:
                    self._heart = Heart(heartbeat, self._source, well, clock.wall_s)
                    tasks.create_task(_guarded(self._heart.run))
        finally:
            self._memory.close()

    def _history(self, since: float) -> list[Event]:
        try:
            return [event for event in self._ledger.events(None, _MOST_EVENTS) if event.at >= since]
        except LedgerError:
            return []

    def _shares(self, start: float, end: float) -> dict[str, float]:
        """How much of a time links and ways out worked, by their titles."""
        things = [("link", each.name, each.title) for each in self._network.links.values()]
        things += [("upstream", each.name, each.title) for each in self._network.upstreams.values()]
        found = {}
        try:
            blind = [(each.start, each.end) for each in self._states.blind(start, end)]
            for kind, name, title in things:
                up = availability(self._states.changes(kind, name, start, end), blind, start, end).up
                if up is not None:
                    found[title] = up
        except LedgerError:
            return {}
        return found


def doings_of(do: Do) -> Doings:
    """What the bot does, by the questions of a console."""

    async def take_on(alert: str, note: str, person: str) -> Message | None:
        return await do(AskAck(alert=alert, note=note), person)

    async def write(kind: str, name: str, text: str, person: str) -> Message | None:
        return await do(AskNote(kind=kind, name=name, text=text), person)

    return Doings(take_on=take_on, write=write)


async def _guarded(work: Callable[[], Awaitable[None]]) -> None:
    """Go on after a bug: it must not end the hub, and the hub must not be the one who hides it."""
    while True:
        try:
            await work()
            return
        except Exception:
            log.exception("the people's part failed; it goes on in %g s", _AFTER_A_BUG_S)
            await asyncio.sleep(_AFTER_A_BUG_S)
