"""What can be broken: a fault is a kind and a place, and a change of the conditions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ayni_core.inventory import Network
from ayni_core.message import Message, Phrase
from ayni_core.schema import Fields, did_you_mean
from ayni_lab.conditions import Conditions

KINDS = ("power", "antenna", "interference", "unplugged", "slow_cable", "dead_device", "upstream")
MOVED_DB, STRANGER_DB = 12.0, 18.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a fault is or a repair is tried. Only what matters for the kind is set."""

    site: str = ""
    link: str = ""
    end: str = ""
    device: str = ""
    port: str = ""
    upstream: str = ""

    def words(self, network: Network) -> dict[str, str]:
        """The titles of what is set, for the places of a text."""
        found = {
            "site": network.sites[self.site].title if self.site else "",
            "link": network.links[self.link].title if self.link else "",
            "device": network.devices[self.device].title if self.device else "",
            "upstream": network.upstreams[self.upstream].title if self.upstream else "",
            "port": self.port,
        }
        return {key: text for key, text in found.items() if text}

    def about(self, network: Network) -> tuple[tuple[str, str], ...]:
        """(kind, name) of everything that can be well or not at this place."""
        if self.upstream:
            return (("upstream", self.upstream),)
        if self.link:
            return (("link", self.link),)
        devices = [d.name for d in network.devices.values() if self.device in ("", d.name)]
        devices = [name for name in devices if self.device or network.devices[name].site == self.site]
        links = [
            link.name for link in network.links.values() if {link.a.device, link.b.device} & set(devices)
        ]
        return (*(("device", name) for name in devices), *(("link", name) for name in links))


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """One thing that a scenario can break; `active`: it is broken from the start."""

    name: str
    kind: str
    place: Place
    active: bool = False

    def title(self, network: Network) -> Message:
        """What breaks, as an offer."""
        return Message(f"lab.fault.{self.kind}", self.place.words(network))

    def strike(self, conditions: Conditions) -> None:
        """Break it."""
        at = self.place
        match self.kind:
            case "power":
                conditions.dark_sites.add(at.site)
            case "antenna":
                conditions.moved_db[at.link] = MOVED_DB
            case "interference":
                conditions.noise_db[at.link, at.end] = STRANGER_DB
            case "unplugged":
                conditions.unplugged.add((at.device, at.port))
            case "slow_cable":
                conditions.slow_ports.add((at.device, at.port))
            case "dead_device":
                conditions.dead_devices.add(at.device)
            case "upstream":
                conditions.dead_upstreams.add(at.upstream)

    def is_active(self, conditions: Conditions) -> bool:
        """Whether it is broken now."""
        at = self.place
        match self.kind:
            case "power":
                return at.site in conditions.dark_sites
            case "antenna":
                return at.link in conditions.moved_db
            case "interference":
                return (at.link, at.end) in conditions.noise_db
            case "unplugged":
                return (at.device, at.port) in conditions.unplugged
            case "slow_cable":
                return (at.device, at.port) in conditions.slow_ports
            case "dead_device":
                return at.device in conditions.dead_devices
        return at.upstream in conditions.dead_upstreams


def read_fault(name: str, fields: Fields, network: Network) -> FaultPlan:
    """One entry of a scenario's `faults:`."""
    kind = fields.choice("kind", KINDS)
    link = end = device = port = site = upstream = ""
    if kind == "power":
        site = _known(fields, "site", network.sites)
    elif kind in ("antenna", "interference"):
        link, end = _known(fields, "link", network.links), fields.choice("end", ("a", "b"))
        if link in network.links:
            site = network.sites_of(network.links[link])[0 if end == "a" else 1]
    elif kind == "upstream":
        upstream = _known(fields, "upstream", network.upstreams)
        device = network.upstreams[upstream].device if upstream in network.upstreams else ""
    else:
        device = _known(fields, "device", network.devices)
        port = fields.text("port") if kind in ("unplugged", "slow_cable") else ""
    if device in network.devices:
        site = network.devices[device].site
    active = fields.boolean("active", False)
    fields.done()
    place = Place(site=site, link=link, end=end, device=device, port=port, upstream=upstream)
    return FaultPlan(name=name, kind=kind, place=place, active=active)


def _known(fields: Fields, key: str, known: Iterable[str]) -> str:
    name: str = fields.text(key)
    names = tuple(known)
    if name and name not in names:
        hint = did_you_mean(name, names)
        fields.fault(key, "fault.unknown", what=Phrase(f"word.{key}"), name=name, hint=hint)
    return name
