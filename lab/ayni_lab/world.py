"""A small plausible world: it moves the values of machines in time, obeying the conditions.

    world = World(network, cast, Conditions(), Random(1), now)
    world.step(now + 1)
    world.machines["torre-cerro"].radio.peers ...

It takes its network from the inventory. What homes download flows along the tree of sites while that stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from ayni_core.inventory import Network, Site
from ayni_core.topology import build
from ayni_lab import traffic
from ayni_lab.airlink import AirLink, cast_radios, distance_m
from ayni_lab.cast import Role, machine_of
from ayni_lab.conditions import Conditions
from ayni_lab.machine import Machine

_LONGEST_STEP_S = 60.0
_DAY_S = 86_400.0
_WHISPER = 0.02
"""What still flows without a way out: devices that ask in vain."""


class World:
    """All machines of a network. `machines` may be read at any time; only `step` changes them."""

    def __init__(
        self,
        network: Network,
        cast: Mapping[str, Role],
        conditions: Conditions,
        rng: Random,
        now: float,
        *,
        utc_offset_s: float = 0.0,
    ) -> None:
        self.network = network
        self.conditions = conditions
        self.machines: dict[str, Machine] = {}
        self._rng = rng
        self._utc_offset_s = utc_offset_s
        self._now = now
        self._tree = build(network)
        with_radio = {end.device for link in network.links.values() for _letter, end in link.ends}
        for device in network.devices.values():
            radio = device.name in with_radio
            role = cast.get(device.name) or Role.for_device(radio=radio)
            booted_at = now - rng.uniform(5, 90) * _DAY_S
            self.machines[device.name] = machine_of(device, role, booted_at, radio=radio)
        cast_radios(network, self.machines)
        self._air = [self._air_link(name, now - rng.uniform(1, 5) * _DAY_S) for name in network.links]
        for machine in self.machines.values():
            for port in machine.ports.values():
                port.in_octets, port.out_octets = rng.uniform(1e9, 9e10), rng.uniform(1e9, 3e10)
        self.step(now)

    @property
    def hour(self) -> float:
        """The hour of the day in the village, 0 to 24."""
        return (self._now + self._utc_offset_s) / 3600 % 24

    def step(self, now: float) -> None:
        """Move on to `now`."""
        seconds = min(max(now - self._now, 0.0), _LONGEST_STEP_S)
        self._now = max(now, self._now)
        for machine in self.machines.values():
            self._power(machine)
            self._plug(machine)
            self._age(machine)
        for link in self._air:
            link.step(self._now, seconds, self.conditions, self._rng)
        self._carry(seconds)

    def _air_link(self, name: str, up_since: float) -> AirLink:
        link = self.network.links[name]
        ends = []
        for _letter, end in link.ends:
            machine = self.machines[end.device]
            assert machine.radio is not None  # noqa: S101 (cast_radios gave it one)
            ends.append((machine, machine.radio))
        return AirLink(link, ends[0], ends[1], distance_m(self.network, link), up_since)

    def _site(self, machine: Machine) -> Site:
        return self.network.site_of(machine.name)

    def _power(self, machine: Machine) -> None:
        dark = self._site(machine).name in self.conditions.dark_sites
        restarting = self.conditions.restarts.get(machine.name, 0.0) > self._now
        on = not (dark or restarting or machine.name in self.conditions.dead_devices)
        if on and not machine.on:
            machine.boot(self._now)
        machine.on = on

    def _plug(self, machine: Machine) -> None:
        dead = {
            (upstream.device, upstream.interface)
            for upstream in self.network.upstreams.values()
            if upstream.name in self.conditions.dead_upstreams
        }
        for port in machine.ports.values():
            if port.kind == "ether":
                at = (machine.name, port.name)
                up = at not in self.conditions.unplugged and at not in dead
                port.plug(up=up, slow=at in self.conditions.slow_ports, now=self._now)

    def _age(self, machine: Machine) -> None:
        busy, sun = traffic.day_curve(self.hour), traffic.sunshine(self.hour)
        wobble = self._rng.uniform(-1, 1)
        site = self._site(machine)
        if machine.family == "routeros":
            solar = site.power == "solar"
            volts = traffic.battery_v(site.battery_v or 24.0, self.hour) - 0.1 if solar else 24.0
            machine.voltage_v = volts + 0.03 * wobble
        machine.cpu_pct = 6 + 22 * busy + 2 * wobble
        machine.temperature_c = 34 + 12 * sun + 3 * busy + wobble / 2

    def _carry(self, seconds: float) -> None:
        """Let the homes of each site download along their way out."""
        alive = {link.link.name for link in self._air if link.up_since is not None}
        ups = self.network.upstreams
        way_out_works = not ups or not set(ups) <= self.conditions.dead_upstreams
        total, flows = 0.0, dict.fromkeys(self.network.links, 0.0)
        for site in self.network.sites.values():
            way = self._way_out(site.name)
            wanted = traffic.demand_bps(site.homes, self.hour) * self._rng.uniform(0.85, 1.15)
            got = wanted if way_out_works and alive.issuperset(way) else wanted * _WHISPER
            total += got
            for link in way:
                flows[link] += got
        for each in self._air:
            behind = self._tree.behind.get(each.link.name, frozenset())
            far = "b" if self.network.devices[each.link.b.device].site in behind else "a"
            if each.up_since is not None:
                each.carry(far, flows[each.link.name] * seconds / 8)
        for upstream in ups.values():
            port = self.machines[upstream.device].ports.get(upstream.interface)
            if port is not None:
                port.count(total * seconds / 8, total * seconds / 80)

    def _way_out(self, site: str) -> list[str]:
        way: list[str] = []
        while site in self._tree.parent and len(way) < len(self.network.links):
            link = self._tree.parent[site]
            way.append(link)
            a, b = self.network.sites_of(self.network.links[link])
            site = a if site == b else b
        return way
