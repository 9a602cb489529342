"""Who is told: whose turn it is, who asked for this level and these sites; and when, by their quiet hours.

Pure: `now` and the zones of people come in.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo

from ayni_core.inventory import Network, Person
from ayni_core.reach import local_time
from ayni_core.topology import Topology
from ayni_core.wire.messages import Alert
from ayni_hub.people.herald import Telling

_SAME_NIGHT_S = 12 * 3600.0


class Audience:
    """The people of one network; `zones` has the zone of each, `zone` is that of the network."""

    def __init__(
        self, network: Network, topology: Topology, zones: Mapping[str, tzinfo], zone: tzinfo
    ) -> None:
        self._network = network
        self._topology = topology
        self._zones = zones
        self._zone = zone
        self.people = {name: each for name, each in network.people.items() if each.contact.targets}

    def on_duty(self, now: float) -> tuple[str, ...]:
        """Whose turn it is and who comes next; nobody where there are no turns."""
        on_call = self._network.reach.on_call
        if on_call is None:
            return ()
        return tuple(each for each in on_call.order(local_time(now, self._zone)) if each in self.people)

    def pick(self, telling: Telling, now: float) -> list[str]:
        """Who is told that something fired, got worse, or that nobody takes it on."""
        alert, duty = telling.alert, self.on_duty(now)
        if telling.what == "nobody":
            if telling.steps == 1 and duty:
                return [duty[1 % len(duty)]]
            return [
                each.name for each in self.people.values() if _wants(each, alert) and each.role != "viewer"
            ]
        idle = set(duty[1:])
        return [
            each.name
            for each in self.people.values()
            if each.name not in idle and _wants(each, alert) and self._concerns(each, alert)
        ]

    def for_all(self, now: float) -> list[str]:
        """Who is told of the central itself: whose turn it is, else everybody who may mend something."""
        duty = self.on_duty(now)
        return [
            each.name for each in self.people.values() if each.role != "viewer" and each.name not in duty[1:]
        ]

    def due(self, person: str, now: float, *, urgent: bool) -> float:
        """When a person may be disturbed: now, or at the end of their quiet hours."""
        quiet = self.people[person].contact.quiet
        local = local_time(now, self._zones[person])
        if quiet is None or not quiet.covers(local) or (urgent and not quiet.all):
            return now
        return quiet.ends(local)

    def was_woken(self, person: str, at: float, now: float) -> bool:
        """Whether somebody was told in the same quiet hours: then they want to know how it goes on."""
        quiet = self.people[person].contact.quiet
        return (
            quiet is not None
            and 0 <= now - at < _SAME_NIGHT_S
            and quiet.covers(local_time(at, self._zones[person]))
        )

    def _concerns(self, person: Person, alert: Alert) -> bool:
        wanted = person.contact.sites
        return not wanted or bool(self.sites_of(alert) & set(wanted))

    def exists(self, alert: Alert) -> bool:
        """Whether what it is about still stands in the inventory."""
        network = self._network
        known = {
            "device": network.devices,
            "link": network.links,
            "node": network.nodes,
            "site": network.sites,
            "upstream": network.upstreams,
        }
        return alert.name in known.get(alert.kind, {alert.name: None})

    def sites_of(self, alert: Alert) -> set[str]:
        """The sites that an alert is about, or that are cut off by what it is about."""
        network = self._network
        match alert.kind:
            case "device" if alert.name in network.devices:
                return {network.devices[alert.name].site}
            case "node" if alert.name in network.nodes:
                node = network.nodes[alert.name]
                return {node.site, *(device.site for device in network.devices_of(node.name))}
            case "link" if alert.name in network.links:
                ends = network.sites_of(network.links[alert.name])
                return {*ends, *self._topology.behind.get(alert.name, ())}
            case "site":
                return {alert.name}
        return set(network.sites)


def _wants(person: Person, alert: Alert) -> bool:
    return person.contact.levels == "warn" or alert.level == "critical"
