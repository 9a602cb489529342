"""`network.yaml`: the community, described once. Hub, console, lab and deployment read it.

People, sites, nodes (the machines that run an agent), devices, links with two ends, and upstreams.
Names are short and stable; what people read is the `title` beside them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ayni_core import sources
from ayni_core.schema import Fields, did_you_mean
from ayni_core.snmpaccess import (
    Protected,
    WriteAccess,
    read_reference,
    read_user,
    read_version,
    read_write,
)
from ayni_core.trapaccess import read_traps

ROLES = ("viewer", "operator", "trainer", "hub")
POWER = ("mains", "solar", "none")
ENGINES = ("fast", "pysnmp")
"""What reads a device: our own SNMP, or pysnmp where the two disagree about it. The first is the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who looks or repairs. `role` decides what they may do."""

    name: str
    title: str
    role: str = "operator"
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place. `homes` counts the households served right there. `data_cap_mb_per_month` is what its link may
    carry for a monitor there."""

    name: str
    title: str
    latitude: float | None = None
    longitude: float | None = None
    homes: int = 0
    power: str = "mains"
    battery_v: float | None = None
    data_cap_mb_per_month: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A machine that runs an agent. Its own `data_cap_mb_per_month` comes before the one of its site."""

    name: str
    title: str
    site: str
    data_cap_mb_per_month: float | None = None
    traps: Mapping[str, Any] | None = None
    """The checked section of that name, where this machine listens for traps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A router, radio, switch or power box. `community` is a reference, never the secret itself.

    SNMPv3 has no community but a `user`, who is authenticated where `auth` is given, and whose messages are
    encrypted where `priv` is given too. Without `write` nothing on it can be changed. What has a `source` is
    not asked over SNMP: it is the checked section of that name, and `host` only says where that is.
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

    @property
    def address(self) -> str:
        """Where it is asked, for people."""
        return self.host if self.source is not None else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end of a link: a radio of a device. `radio` may stay open where the device has one only."""

    device: str
    radio: str | None = None
    expected_dbm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Two ends that should hear each other."""

    name: str
    title: str
    a: End
    b: End
    frequency_mhz: float | None = None

    @property
    def ends(self) -> tuple[tuple[str, End], tuple[str, End]]:
        """Both ends with their letters."""
        return (("a", self.a), ("b", self.b))


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """A way out to the Internet: an interface of a device whose far side belongs to a provider."""

    name: str
    title: str
    device: str
    interface: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Further addresses where the network's accounts are taken, to be tried in this order: `HOST[:PORT]`,
    over TLS by the authority whose certificate is in the file `ca`."""

    also: tuple[str, ...] = ()
    ca: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The whole community. All names in it refer to something that exists."""

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

    def data_cap_mb_per_month(self, node: str) -> float | None:
        """What the link of a node may carry; None: as much as it will."""
        own = self.nodes[node].data_cap_mb_per_month
        return own if own is not None else self.sites[self.nodes[node].site].data_cap_mb_per_month

    def devices_of(self, node: str) -> tuple[Device, ...]:
        """The devices that one node polls."""
        return tuple(device for device in self.devices.values() if device.node == node)

    def site_of(self, device: str) -> Site:
        """The site where a device stands."""
        return self.sites[self.devices[device].site]

    def sites_of(self, link: Link) -> tuple[str, str]:
        """The names of the sites at both ends of a link."""
        return (self.devices[link.a.device].site, self.devices[link.b.device].site)


def parse(fields: Fields) -> Network:
    """Read `network.yaml`; faults are noted in the fields' collector."""
    about = fields.child("network", required=True)
    title = about.text("title")
    language = about.text("language", "en")
    poll_s = about.number("poll_s", 60, at_least=1, at_most=3600)
    flush_s = about.number("flush_s", 300, at_least=5, at_most=86400)
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
    )
    _check_references(network, fields)
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
        battery_v=fields.number("battery_v", None, at_least=1, at_most=1000),
        data_cap_mb_per_month=read_data_cap(fields),
    )
    fields.done()
    return site


def _node(name: str, fields: Fields) -> Node:
    node = Node(
        name=name,
        title=_title(name, fields),
        site=fields.name("site"),
        data_cap_mb_per_month=read_data_cap(fields),
        traps=fields.raw("traps") if read_traps(fields) is not None else None,
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
        except ValueError as error:
            fields.fault("also", str(error))
    if elsewhere.also and not elsewhere.ca:
        fields.fault("ca", "is missing: off this machine the broker is reached over TLS only")
    fields.done()
    return elsewhere


def split_address(address: str) -> tuple[str, int]:
    """`10.0.0.1`, `name:1161`, `[fe80::1]:161` -> (host, port). Raises `ValueError` with a reason."""
    host, port = address.strip(), 161
    if host.startswith("["):
        host, bracket, rest = host[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f'"{address}": expected [ADDRESS] or [ADDRESS]:PORT')
        text = rest[1:]
    elif host.count(":") == 1:
        host, _, text = host.partition(":")
    else:
        text = ""
    if text:
        if not text.isdecimal() or not 1 <= int(text) <= 65535:
            raise ValueError(f'"{address}": the port must be 1 to 65535')
        port = int(text)
    labels = host.rstrip(".").split(".")
    if ":" not in host and not all(0 < len(label) < 64 for label in labels):
        raise ValueError(f'"{address}": expected an address or a name, with no empty part in it')
    if not host or any(c.isspace() or not c.isprintable() for c in host):
        raise ValueError(f'"{address}": expected an address or a name')
    return host, port


def _device(name: str, fields: Fields, only_node: str | None) -> Device:
    if "source" in fields:
        return _beyond_snmp(name, fields, only_node)
    address = fields.text("address")
    host, port = "", 161
    if address:
        try:
            host, port = split_address(address)
        except ValueError as error:
            fields.fault("address", str(error))
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
    )
    fields.done()
    return device


def _end(fields: Fields) -> End:
    end = End(
        device=fields.name("device"),
        radio=fields.text("radio", None),
        expected_dbm=fields.number("expected_dbm", None, at_least=-120, at_most=0),
    )
    fields.done()
    return end


def _budget(fields: Fields, frequency_mhz: float | None) -> float | None:
    if "budget" not in fields:
        return None
    below = fields.child("budget")
    if frequency_mhz is None:
        below.fault("distance_km", "a budget needs the link's frequency_mhz")
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
        if end.expected_dbm is None and budget is not None:
            end = End(device=end.device, radio=end.radio, expected_dbm=budget)
        ends.append(end)
    link = Link(name=name, title=_title(name, fields), a=ends[0], b=ends[1], frequency_mhz=frequency)
    fields.done()
    return link


def _upstream(name: str, fields: Fields) -> Upstream:
    upstream = Upstream(
        name=name,
        title=_title(name, fields),
        device=fields.name("device"),
        interface=fields.text("interface"),
    )
    fields.done()
    return upstream


def _check_references(network: Network, fields: Fields) -> None:
    def check(path: str, name: str, known: Mapping[str, object], what: str) -> None:
        if name and name not in known:
            fields.faults.add(path, f'unknown {what} "{name}"{did_you_mean(name, known)}')

    for node in network.nodes.values():
        check(f"nodes.{node.name}.site", node.site, network.sites, "site")
    for device in network.devices.values():
        check(f"devices.{device.name}.site", device.site, network.sites, "site")
        check(f"devices.{device.name}.node", device.node, network.nodes, "node")
    for link in network.links.values():
        for letter, end in link.ends:
            check(f"links.{link.name}.{letter}.device", end.device, network.devices, "device")
        if link.a.device and link.a.device == link.b.device:
            fields.faults.add(f"links.{link.name}", "both ends are the same device")
    for upstream in network.upstreams.values():
        check(f"upstreams.{upstream.name}.device", upstream.device, network.devices, "device")
