"""Which rules hold for what in a network: the shipped ones, as its `rules` sections change them."""

from __future__ import annotations

from collections.abc import Sequence

from ayni_core.inventory import Network
from ayni_core.rules import Rule
from ayni_core.rules.bench import Device, Mouth
from ayni_core.rules.law import Law
from ayni_core.rules.place import of_site


class Jurisdiction:
    """Asked at every poll: what it gives for the same thing is the same object, until the inventory
    changes."""

    def __init__(self, network: Network, rules: Sequence[Rule]) -> None:
        self.rules = {rule.name: rule for rule in rules}
        self.suspects = {rule.name: rule.suspect for rule in rules if rule.suspect is not None}
        self._network = network
        self._law = Law(rules)
        self._with_links = {end.device for link in network.links.values() for _side, end in link.ends}
        self._devices: dict[str, tuple[tuple[Mouth, ...], Device]] = {}
        self._nodes: dict[str, tuple[Rule, ...]] = {}
        self._upstreams: dict[str, tuple[Rule, ...]] = {}
        self._links: dict[tuple[str, str], tuple[Rule, ...]] = {}

    def device(self, name: str, mouths: tuple[Mouth, ...]) -> Device:
        """A device with its rules, and those for the ends of links that are heard there."""
        known = self._devices.get(name)
        if known is None or known[0] is not mouths:
            network = self._network
            device, site = network.devices[name], network.site_of(name)
            made = Device(
                name=name,
                place=of_site(site),
                rules=self._law.under(network.rules, site.rules, device.rules),
                ends={
                    mouth: self._law.under(
                        network.rules, site.rules, device.rules, network.links[mouth.link].rules
                    )
                    for mouth in mouths
                },
                has_link=name in self._with_links,
            )
            known = self._devices[name] = (mouths, made)
        return known[1]

    def of_node(self, name: str) -> tuple[Rule, ...]:
        """The rules for a monitor."""
        found = self._nodes.get(name)
        if found is None:
            network = self._network
            rules = self._law.under(network.rules, network.sites[network.nodes[name].site].rules)
            found = self._nodes[name] = tuple(rule for rule in rules if rule.scope == "node")
        return found

    def of_upstream(self, name: str) -> tuple[Rule, ...]:
        """The rules for a way out; what its device and its site say holds for it."""
        found = self._upstreams.get(name)
        if found is None:
            network = self._network
            device = network.devices[network.upstreams[name].device]
            rules = self._law.under(network.rules, network.sites[device.site].rules, device.rules)
            found = self._upstreams[name] = tuple(rule for rule in rules if rule.scope == "upstream")
        return found

    def of_link(self, name: str, metric: str) -> tuple[Rule, ...]:
        """The rules for a link as a whole that look at something."""
        found = self._links.get((name, metric))
        if found is None:
            rules = self._law.under(self._network.rules, self._network.links[name].rules)
            found = tuple(rule for rule in rules if rule.scope == "link" and rule.metric == metric)
            self._links[name, metric] = found
        return found

    def of_central(self) -> tuple[Rule, ...]:
        """The rules for the central itself; only what stands at the network changes them."""
        return tuple(rule for rule in self._law.under(self._network.rules) if rule.scope == "central")

    def holds(self, rule: str, kind: str, name: str, detail: str = "") -> bool:
        """Whether a rule is on for a thing; also where the thing is not known any more. `detail` is the
        letter of an end of a link."""
        network = self._network
        sections = [network.rules]
        if kind == "device" and name in network.devices:
            sections += [network.site_of(name).rules, network.devices[name].rules]
        elif kind == "link" and name in network.links:
            link = network.links[name]
            for side, end in link.ends:
                if side == detail:
                    sections += [network.site_of(end.device).rules, network.devices[end.device].rules]
            sections.append(link.rules)
        elif kind == "node" and name in network.nodes:
            return any(each.name == rule for each in self.of_node(name))
        elif kind == "upstream" and name in network.upstreams:
            return any(each.name == rule for each in self.of_upstream(name))
        return any(each.name == rule for each in self._law.under(*sections))
