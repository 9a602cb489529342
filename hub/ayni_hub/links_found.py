"""Links that devices tell of, out of the newest readings: for whoever asks, and events where they changed.

What was found lives in memory: after a restart it is found again, and a radio that was swapped meanwhile is
taken as it is.
"""

from __future__ import annotations

from ayni_core.inventory import Link, Network
from ayni_core.lastknown import LastKnown
from ayni_core.message import Message, Plain
from ayni_core.neighbour_compare import Comparison, compare
from ayni_core.neighbour_facts import seen_of
from ayni_core.neighbours import FoundLink, Seen, find
from ayni_core.wire.messages import Event
from ayni_core.wire.questions import Found, FoundEndView, FoundView

LOOK_EVERY_S = 600.0
_AT_ONCE = 32
"""Devices that are looked at in one go, so that nobody has to wait for a large network."""
MISSING_FOR_S = 24 * 3600.0
"""A link that is down raises an alarm within minutes; this is about what is in network.yaml alone."""


class LinksFound:
    """Finds them whenever asked, and looks by itself now and then."""

    def __init__(self, network: Network, known: LastKnown) -> None:
        self._network = network
        self._known = known
        self._looked_at: float | None = None
        self._looking: dict[str, Seen] | None = None
        self._to_look_at: list[str] = []
        self._answer: tuple[float, Found] = (-1.0, Found())
        self._macs: dict[tuple[str, str], str] = {}
        self._missing_since: dict[str, float] = {}
        self._told: set[str] = set()

    def answer(self) -> Found:
        """Every link: found, written down, or both; the same answer until something new was heard."""
        heard = sum(self._known.of(name).full_at for name in self._network.devices)
        if heard != self._answer[0]:
            self._answer = heard, self._found({name: self._seen(name) for name in self._network.devices})
        return self._answer[1]

    def _found(self, devices: dict[str, Seen]) -> Found:
        found = self._compare(devices)
        links = self._network.links
        views = [_view(link, "seen", name) for name, link in found.seen.items()]
        views += [_view(link, "new") for link in found.new]
        views += [_declared(links[name], "missing") for name in found.missing]
        views += [_declared(links[name], "untold") for name in found.untold]
        return Found(links=tuple(views))

    def look(self, now: float) -> list[Event]:
        """What changed since it was looked at last: radios that were swapped, links that are nowhere.

        To be called every second or so; a large network is looked through in several calls.
        """
        if self._looking is None:
            if self._looked_at is not None and 0 <= now - self._looked_at < LOOK_EVERY_S:
                return []
            self._looked_at, self._looking = now, {}
            self._to_look_at = list(self._network.devices)[::-1]
        for _ in range(min(_AT_ONCE, len(self._to_look_at))):
            name = self._to_look_at.pop()
            self._looking[name] = self._seen(name)
        if self._to_look_at:
            return []
        devices, self._looking = self._looking, None
        found = self._compare(devices)
        return [*self._swapped(found, devices, now), *self._nowhere(found, now)]

    def _seen(self, name: str) -> Seen:
        return seen_of(self._network.devices[name], self._known.of(name))

    def _compare(self, devices: dict[str, Seen]) -> Comparison:
        telling = {name for name, seen in devices.items() if seen.macs or seen.heard}
        return compare(self._network.links.values(), find(tuple(devices.values())), telling)

    def _swapped(self, found: Comparison, devices: dict[str, Seen], now: float) -> list[Event]:
        events = []
        for name, link in found.seen.items():
            for end in (link.a, link.b):
                before = self._macs.get((name, end.device))
                if end.mac:
                    self._macs[name, end.device] = end.mac
                if before and end.mac and before != end.mac and before not in devices[end.device].macs:
                    values = {
                        "link": self._network.links[name].title,
                        "end": self._network.site_of(end.device).title,
                    }
                    text = Message("event.radio_swapped", values)
                    events.append(Event(at=now, text=text, kind="link", name=name))
        return events

    def _nowhere(self, found: Comparison, now: float) -> list[Event]:
        events = []
        for name in [*self._missing_since]:
            if name not in found.missing:
                del self._missing_since[name]
                self._told.discard(name)
        for name in found.missing:
            since = self._missing_since.setdefault(name, now)
            if now - since >= MISSING_FOR_S and name not in self._told:
                self._told.add(name)
                hours = round((now - since) / 3600)
                values: dict[str, Plain] = {"link": self._network.links[name].title, "hours": hours}
                text = Message("event.link_not_found", values)
                events.append(Event(at=now, text=text, level="warn", kind="link", name=name))
        return events


def _view(link: FoundLink, state: str, name: str = "") -> FoundView:
    return FoundView(
        state=state,
        a=FoundEndView(device=link.a.device, port=link.a.port, mac=link.a.mac),
        b=FoundEndView(device=link.b.device, port=link.b.port, mac=link.b.mac),
        link=name,
        kind=link.kind,
        sure=round(link.sure, 2),
        evidence=link.evidence,
    )


def _declared(link: Link, state: str) -> FoundView:
    return FoundView(
        state=state,
        a=FoundEndView(device=link.a.device, port=link.a.radio or ""),
        b=FoundEndView(device=link.b.device, port=link.b.radio or ""),
        link=link.name,
    )
