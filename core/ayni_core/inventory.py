"""`network.yaml`: the community, described once. Hub, console, lab and deployment read it.

People, sites, nodes (the machines that run an agent), devices, links with two ends, and upstreams.
Names are short and stable; what people read is the `title` beside them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ayni_core import low_battery, maintenance, power_tree, reach, sources
from ayni_core.address import split_address as split_address
from ayni_core.fault import UnfitError
from ayni_core.machines import Central, Shell, read_central, read_shell
from ayni_core.maintenance import Window
from ayni_core.message import Phrase
from ayni_core.power_tree import PoweredBy
from ayni_core.reach import Contact, Reach
from ayni_core.reference import read_reference
from ayni_core.rules import law
from ayni_core.rules.place import BATTERIES, POWER
from ayni_core.schema import Fields, did_you_mean
from ayni_core.snmpaccess import (
    Protected,
    WriteAccess,
    read_user,
    read_version,
    read_write,
)
from ayni_core.trapaccess import read_traps

ROLES = ("viewer", "operator", "trainer", "hub")
ENGINES = ("fast", "pysnmp")
"""What reads a device: our own SNMP, or pysnmp where the two disagree about it. The first is the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who looks or repairs. `role` decides what they may do, `contact` says how they are told.
    `shared` makes it a login of these people: there they say who they are."""

    name: str
    title: str
    role: str = "operator"
    language: str | None = None
    contact: Contact = field(default_factory=Contact)
    shared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place. `homes` counts the households served right there. `data_cap_mb_per_month` is what its link may
    carry for a monitor there. `satellite`: what is reached from it goes over one. `rules` are the rules that
    are different there."""

    name: str
    title: str
    latitude: float | None = None
    longitude: float | None = None
    homes: int = 0
    power: str = "mains"
    battery: str = BATTERIES[0]
    battery_v: float | None = None
    satellite: bool = False
    data_cap_mb_per_month: float | None = None
    rules: law.Section = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A machine that runs an agent. Its own `data_cap_mb_per_month` comes before the one of its site. Without
    `ssh` it is looked after by hand."""

    name: str
    title: str
    site: str
    ssh: Shell | None = None
    data_cap_mb_per_month: float | None = None
    traps: Mapping[str, Any] | None = None
    """The checked section of that name, where this machine listens for traps."""
    shutdown: Mapping[str, Any] | None = None
    """The checked section of that name, where this machine switches itself off with a low battery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A router, radio, switch or power box. `community` is a reference, never the secret itself.

    SNMPv3 has no community but a `user`, who is authenticated where `auth` is given, and whose messages are
    encrypted where `priv` is given too. Without `write` nothing on it can be changed. What has a `source` is
    not asked over SNMP: it is the checked section of that name, and `host` only says where that is. It is
    dead without what it is `powered_by`. `ssh`: a router with OpenWrt whose SNMP deployment may set up.
    """

    name: str
    title: str
    site: str
    node: str
    host: str
    port: int = 161
    profile: str | None = None
    version: str = "2c"
    engine: str = ENGINES[0]
    community: str | None = None
    user: str | None = None
    auth: Protected | None = None
    priv: Protected | None = None
    write: WriteAccess | None = None
    source: Mapping[str, Any] | None = None
    powered_by: PoweredBy | None = None
    ssh: Shell | None = None
    rules: law.Section = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where it is asked, for people."""
        return self.host if self.source is not None else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end of a link: a radio of a device. `radio` may stay open where the device has one only. What it
    should hear was `measured` when new, or else computed from the link's budget (`budget_dbm`)."""

    device: str
    radio: str | None = None
    expected_dbm: float | None = None
    measured: bool = False
    budget_dbm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Two ends that should hear each other."""

    name: str
    title: str
    a: End
    b: End
    frequency_mhz: float | None = None
    rules: law.Section = field(default_factory=dict)

    @property
    def ends(self) -> tuple[tuple[str, End], tuple[str, End]]:
        """Both ends with their letters."""
        return (("a", self.a), ("b", self.b))


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """A way out to the Internet: an interface of a device whose far side belongs to a provider, who may count
    what it carries in a month (both directions, GB of 10^9 bytes)."""

    name: str
    title: str
    device: str
    interface: str
    data_cap_gb_per_month: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Further addresses where the network's accounts are taken, to be tried in this order: `HOST[:PORT]`,
    over TLS by the authority whose certificate is in the file `ca`."""

    also: tuple[str, ...] = ()
    ca: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The whole community. All names in it refer to something that exists. `timezone` is an IANA name, whose
    clock `maintenance` and people go by; `training`: a pretend network, as every screen then says."""

    title: str
    language: str
    poll_s: float
    flush_s: float
    people: Mapping[str, Person]
    sites: Mapping[str, Site]
    nodes: Mapping[str, Node]
    devices: Mapping[str, Device]
    links: Mapping[str, Link]
    upstreams: Mapping[str, Upstream]
    broker: Elsewhere = Elsewhere()
    hub: Central = field(default_factory=Central)
    rules: law.Section = field(default_factory=dict)
    timezone: str = "UTC"
    maintenance: Mapping[str, Window] = field(default_factory=dict)
    reach: Reach = field(default_factory=Reach)
    training: bool = False

    _of_node: Mapping[str, tuple[Device, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        of_node: dict[str, tuple[Device, ...]] = {}
        for device in self.devices.values():
            of_node[device.node] = (*of_node.get(device.node, ()), device)
        object.__setattr__(self, "_of_node", of_node)

    def data_cap_mb_per_month(self, node: str) -> float | None:
        """What the link of a node may carry; None: as much as it will."""
        own = self.nodes[node].data_cap_mb_per_month
        return own if own is not None else self.sites[self.nodes[node].site].data_cap_mb_per_month

    def devices_of(self, node: str) -> tuple[Device, ...]:
        """The devices that one node polls."""
        return self._of_node.get(node, ())

    def site_of(self, device: str) -> Site:
        """The site where a device stands."""
        return self.sites[self.devices[device].site]

    def sites_of(self, link: Link) -> tuple[str, str]:
        """The names of the sites at both ends of a link."""
        return (self.devices[link.a.device].site, self.devices[link.b.device].site)


def parse(fields: Fields, known_rules: Collection[str] | None = None) -> Network:
    """Read `network.yaml`; faults are noted in the fields' collector. `known_rules` are the names of the
    rules that there are, where somebody knows them."""
    about = fields.child("network", required=True)
    title = about.text("title")
    language = about.text("language", "en")
    poll_s = about.number("poll_s", 60, at_least=1, at_most=3600)
    flush_s = about.number("flush_s", 300, at_least=5, at_most=86400)
    timezone = reach.read_timezone(about, None) or "UTC"
    rules = law.read(about)
    heartbeat, telegram = reach.read_heartbeat(about), reach.read_telegram(about)
    training = about.boolean("training", False)
    about.done()
    sites = fields.named("sites", _site, required=True)
    nodes = fields.named("nodes", _node)
    only_node = next(iter(nodes)) if len(nodes) == 1 else None
    network = Network(
        title=title,
        language=language,
        poll_s=poll_s,
        flush_s=flush_s,
        people=fields.named("people", _person),
        sites=sites,
        nodes=nodes,
        devices=fields.named("devices", lambda name, f: _device(name, f, only_node)),
        links=fields.named("links", _link),
        upstreams=fields.named("upstreams", _upstream),
        broker=_elsewhere(fields.child("broker")),
        hub=read_central(fields.child("hub")),
        rules=rules,
        timezone=timezone,
        maintenance=fields.named("maintenance", maintenance.parse),
        reach=Reach(
            on_call=reach.read_on_call(fields),
            escalation=reach.read_escalation(fields),
            heartbeat=heartbeat,
            telegram=telegram,
        ),
        training=training,
    )
    _check_references(network, fields)
    if known_rules is not None:
        _check_rules(network, known_rules, fields)
    return network


def expected_dbm(
    *, tx_power_dbm: float, gains_db: float, losses_db: float, distance_km: float, frequency_mhz: float
) -> float:
    """The link budget: what the far end should hear in free space (ITU-R P.525).

    Free-space loss in dB is 20 log10(km) + 20 log10(MHz) + 32.44.
    """
    loss = 20 * math.log10(max(distance_km, 0.01)) + 20 * math.log10(frequency_mhz) + 32.44
    return tx_power_dbm + gains_db - losses_db - loss


def _title(name: str, fields: Fields) -> str:
    title: str = fields.text("title", "")
    return title or name


def _person(name: str, fields: Fields) -> Person:
    person = Person(
        name=name,
        title=_title(name, fields),
        role=fields.choice("role", ROLES, "operator"),
        language=fields.text("language", None),
        contact=reach.read_contact(fields),
        shared=fields.texts("shared"),
    )
    fields.done()
    return person


def _site(name: str, fields: Fields) -> Site:
    site = Site(
        name=name,
        title=_title(name, fields),
        latitude=fields.number("latitude", None, at_least=-90, at_most=90),
        longitude=fields.number("longitude", None, at_least=-180, at_most=180),
        homes=fields.number("homes", 0, at_least=0, whole=True),
        power=fields.choice("power", POWER, "mains"),
        battery=fields.choice("battery", BATTERIES, BATTERIES[0]),
        battery_v=fields.number("battery_v", None, at_least=1, at_most=1000),
        satellite=fields.boolean("satellite", False),
        data_cap_mb_per_month=read_data_cap(fields),
        rules=law.read(fields),
    )
    fields.done()
    return site


def _node(name: str, fields: Fields) -> Node:
    node = Node(
        name=name,
        title=_title(name, fields),
        site=fields.name("site"),
        ssh=read_shell(fields),
        data_cap_mb_per_month=read_data_cap(fields),
        traps=fields.raw("traps") if read_traps(fields) is not None else None,
        shutdown=low_battery.written(fields),
    )
    fields.done()
    return node


def read_data_cap(fields: Fields) -> float | None:
    """The key `data_cap_mb_per_month`, the same in all files."""
    cap: float | None = fields.number("data_cap_mb_per_month", None, at_least=1, at_most=1_000_000)
    return cap


def _elsewhere(fields: Fields) -> Elsewhere:
    elsewhere = Elsewhere(also=fields.texts("also"), ca=fields.text("ca", None))
    for each in elsewhere.also:
        try:
            split_address(each)
        except UnfitError as error:
            fields.fault("also", error.what)
    if elsewhere.also and not elsewhere.ca:
        fields.fault("ca", "fault.missing_tls")
    fields.done()
    return elsewhere


def _device(name: str, fields: Fields, only_node: str | None) -> Device:
    if "source" in fields:
        return _beyond_snmp(name, fields, only_node)
    address = fields.text("address")
    host, port = "", 161
    if address:
        try:
            host, port = split_address(address)
        except UnfitError as error:
            fields.fault("address", error.what)
    profile = fields.text("profile", None)
    community = read_reference(fields, "community", None)
    version = read_version(fields)
    engine = fields.choice("engine", ENGINES, ENGINES[0])
    user, auth, priv = read_user(fields, version, engine)
    device = Device(
        name=name,
        title=_title(name, fields),
        site=fields.name("site"),
        node=fields.name("node", only_node) if only_node else fields.name("node"),
        host=host,
        port=port,
        profile=None if profile in (None, "auto") else profile,
        version=version,
        engine=engine,
        community=community,
        user=user,
        auth=auth,
        priv=priv,
        write=read_write(fields, version),
        powered_by=power_tree.read(fields),
        ssh=read_shell(fields),
        rules=law.read(fields),
    )
    fields.done()
    return device


def _beyond_snmp(name: str, fields: Fields, only_node: str | None) -> Device:
    source = sources.read(fields.child("source"))
    device = Device(
        name=name,
        title=_title(name, fields),
        site=fields.name("site"),
        node=fields.name("node", only_node) if only_node else fields.name("node"),
        host=source.where,
        source=fields.raw("source"),
        powered_by=power_tree.read(fields),
        rules=law.read(fields),
    )
    fields.done()
    return device


def _end(fields: Fields) -> End:
    end = End(
        device=fields.name("device"),
        radio=fields.text("radio", None),
        expected_dbm=fields.number("expected_dbm", None, at_least=-120, at_most=0),
        measured="expected_dbm" in fields,
    )
    fields.done()
    return end


def _budget(fields: Fields, frequency_mhz: float | None) -> float | None:
    if "budget" not in fields:
        return None
    below = fields.child("budget")
    if frequency_mhz is None:
        below.fault("distance_km", "fault.needs", other="frequency_mhz")
    value = expected_dbm(
        tx_power_dbm=below.number("tx_power_dbm", at_least=-30, at_most=60),
        gains_db=below.number("gains_db", at_least=-20, at_most=120),
        losses_db=below.number("losses_db", 0, at_least=0, at_most=60),
        distance_km=below.number("distance_km", at_least=0.01, at_most=500),
        frequency_mhz=frequency_mhz or 5500,
    )
    below.done()
    return round(value, 1)


def _link(name: str, fields: Fields) -> Link:
    frequency = fields.number("frequency_mhz", None, at_least=30, at_most=300000)
    budget = _budget(fields, frequency)
    ends = []
    for letter in ("a", "b"):
        end = _end(fields.child(letter, required=True))
        usual = budget if end.expected_dbm is None else end.expected_dbm
        ends.append(replace(end, expected_dbm=usual, budget_dbm=budget))
    link = Link(
        name=name, title=_title(name, fields), a=ends[0], b=ends[1], frequency_mhz=frequency,
        rules=law.read(fields),
    )  # fmt: skip
    fields.done()
    return link


def _upstream(name: str, fields: Fields) -> Upstream:
    upstream = Upstream(
        name=name,
        title=_title(name, fields),
        device=fields.name("device"),
        interface=fields.text("interface"),
        data_cap_gb_per_month=fields.number("data_cap_gb_per_month", None, at_least=0.1, at_most=1_000_000),
    )
    fields.done()
    return upstream


def _check_rules(network: Network, known: Collection[str], fields: Fields) -> None:
    law.unknown(network.rules, known, "network.rules", fields.faults)
    for kind, things in (("sites", network.sites), ("devices", network.devices), ("links", network.links)):
        for name, thing in things.items():
            law.unknown(thing.rules, known, f"{kind}.{name}.rules", fields.faults)


def _check_references(network: Network, fields: Fields) -> None:
    def check(path: str, name: str, known: Mapping[str, object], what: str) -> None:
        if name and name not in known:
            hint = did_you_mean(name, known)
            fields.faults.add(path, "fault.unknown", what=Phrase(f"word.{what}"), name=name, hint=hint)

    for person in network.people.values():
        for name in person.shared:
            path = f"people.{person.name}.shared"
            check(path, name, network.people, "person")
            if name in network.people and network.people[name].shared:
                fields.faults.add(path, "fault.shared_itself", given=name)
    for node in network.nodes.values():
        check(f"nodes.{node.name}.site", node.site, network.sites, "site")
        if node.shutdown is not None:
            own = {device.name: device for device in network.devices_of(node.name)}
            path = f"nodes.{node.name}.shutdown.device"
            check(path, str(node.shutdown.get("device") or ""), own, "own_device")
    for device in network.devices.values():
        check(f"devices.{device.name}.site", device.site, network.sites, "site")
        check(f"devices.{device.name}.node", device.node, network.nodes, "node")
    for link in network.links.values():
        for letter, end in link.ends:
            check(f"links.{link.name}.{letter}.device", end.device, network.devices, "device")
        if link.a.device and link.a.device == link.b.device:
            fields.faults.add(f"links.{link.name}", "fault.ends_same")
    power_tree.check(network.devices, fields)
    maintenance.check(network.maintenance, network, fields)
    contacts = {name: person.contact for name, person in network.people.items()}
    reach.check(network.reach, contacts, network.sites, fields.faults)
    for upstream in network.upstreams.values():
        check(f"upstreams.{upstream.name}.device", upstream.device, network.devices, "device")
