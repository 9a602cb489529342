"""Sightings of devices, and which of them are one device.

A device may be seen many times: it announces itself, this machine knows its MAC address, it answers SNMP, and
a router does so at each of its addresses. Sightings belong together when the device itself names the same
MAC address in both, or when they have the same address. Two exceptions: two devices that leave the factory
with the same address (192.168.1.20) both announce it and stay two; and a MAC address that stands for many
addresses in an ARP table is that of a router on the way (proxy ARP), not of all that is behind it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

SNMP_STATES = ("open", "denied", "closed", "unknown")
"""What is known of a device's SNMP, surest first: it answers; it answers others only; it is silent or its
port is closed; nobody asked."""

HEARD_BY = ("snmp", "mndp", "ubnt", "lldp", "table", "arp")
"""How a device was noticed, best teller first. `table`: it stands in a table of another device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What one protocol told of one device; empty texts: it did not say. `port`: its port for the cable."""

    heard_by: str
    address: str = ""
    macs: tuple[str, ...] = ()
    name: str = ""
    maker: str = ""
    model: str = ""
    version: str = ""
    family: str = ""
    port: str = ""
    snmp: str = "unknown"

    def __post_init__(self) -> None:
        """A word outside its list is a mistake of ours."""
        if self.heard_by not in HEARD_BY or self.snmp not in SNMP_STATES:
            raise ValueError(f"{self.heard_by}, {self.snmp}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDevice:
    """One device. `addresses`: the one to ask first, then further ones. `family`: the profile that fits it,
    known only where it answers SNMP.
    """

    addresses: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    name: str = ""
    maker: str = ""
    model: str = ""
    version: str = ""
    family: str = ""
    heard_by: tuple[str, ...] = ()
    snmp: str = "unknown"

    @property
    def address(self) -> str:
        """Where it is asked; empty where it told no address."""
        return self.addresses[0] if self.addresses else ""

    @property
    def title(self) -> str:
        """What to call it while nobody has given it a name."""
        return self.name or self.model or self.maker or self.address or (self.macs[0] if self.macs else "")

    def as_json(self) -> dict[str, object]:
        """As `--json` prints it."""
        return {
            "address": self.address,
            "addresses": list(self.addresses),
            "macs": list(self.macs),
            "name": self.name,
            "maker": self.maker,
            "model": self.model,
            "version": self.version,
            "family": self.family,
            "heard_by": list(self.heard_by),
            "snmp": self.snmp,
        }

    @staticmethod
    def from_json(value: object) -> FoundDevice | None:
        """What `as_json` made; None for anything else."""
        if not isinstance(value, Mapping):
            return None
        texts = {key: value.get(key, "") for key in ("name", "maker", "model", "version", "family")}
        lists = {key: value.get(key, []) for key in ("addresses", "macs", "heard_by")}
        if not all(isinstance(each, str) for each in texts.values()):
            return None
        for each in lists.values():
            if not isinstance(each, list) or not all(isinstance(one, str) for one in each):
                return None
        snmp = value.get("snmp")
        if snmp not in SNMP_STATES:
            return None
        return FoundDevice(
            addresses=tuple(lists["addresses"]),
            macs=tuple(lists["macs"]),
            heard_by=tuple(lists["heard_by"]),
            snmp=snmp,
            **texts,
        )


def merge(sightings: Iterable[Sighting]) -> tuple[FoundDevice, ...]:
    """The devices behind sightings, by address."""
    seen = sorted(
        dict.fromkeys(sightings),
        key=lambda one: (HEARD_BY.index(one.heard_by), _number(one.address), one.macs, one.name),
    )
    groups = _Groups(len(seen))
    _join_by_mac(seen, groups)
    _join_by_address(seen, groups)
    devices = [_device([seen[at] for at in members]) for members in groups.all()]
    return tuple(sorted(devices, key=_order))


def _join_by_mac(seen: Sequence[Sighting], groups: _Groups) -> None:
    """Whoever names the same MAC address as its own is the same; `arp` and `table` are only hearsay."""
    first: dict[str, int] = {}
    for at, one in enumerate(seen):
        if one.heard_by not in ("arp", "table"):
            for mac in one.macs:
                # Locally given ones repeat from device to device: those of bridges, of second SSIDs.
                if one.heard_by != "snmp" or not int(mac[:2], 16) & 2:
                    groups.join(first.setdefault(mac, at), at)
    heard: dict[str, set[str]] = {}
    for one in seen:
        if one.heard_by in ("arp", "table"):
            for mac in one.macs:
                heard.setdefault(mac, set()).add(one.address)
    for at, one in enumerate(seen):
        if one.heard_by in ("arp", "table"):
            for mac in one.macs:
                if len(heard[mac]) == 1:
                    groups.join(first.setdefault(mac, at), at)


def _join_by_address(seen: Sequence[Sighting], groups: _Groups) -> None:
    at_address: dict[str, list[int]] = {}
    for at, one in enumerate(seen):
        if one.address:
            at_address.setdefault(one.address, []).append(at)
    for places in at_address.values():
        told: dict[str, int] = {}  # by protocol, which group it told of here
        anchor: int | None = None
        for at in places:
            protocol = seen[at].heard_by
            group = groups.of(at)
            announced = protocol in ("mndp", "ubnt", "lldp") and seen[at].macs
            if announced and told.setdefault(protocol, group) != group:
                continue  # two devices announce one address: they stay two
            if anchor is None:
                anchor = at
            groups.join(anchor, at)
            told = {name: groups.of(each) for name, each in told.items()}


class _Groups:
    """Which places of a list belong together."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def of(self, at: int) -> int:
        while self._parent[at] != at:
            self._parent[at] = self._parent[self._parent[at]]
            at = self._parent[at]
        return at

    def join(self, one: int, other: int) -> None:
        a, b = self.of(one), self.of(other)
        self._parent[max(a, b)] = min(a, b)

    def all(self) -> list[list[int]]:
        found: dict[int, list[int]] = {}
        for at in range(len(self._parent)):
            found.setdefault(self.of(at), []).append(at)
        return list(found.values())


def _device(seen: Sequence[Sighting]) -> FoundDevice:
    """One device out of its sightings, best teller first."""

    def first(key: str) -> str:
        return next((value for one in seen if (value := getattr(one, key))), "")

    # Where it answers SNMP it is asked; after that what it says of itself, and what others have noted.
    by_use = sorted(seen, key=lambda one: SNMP_STATES.index(one.snmp))
    addresses = dict.fromkeys(one.address for one in by_use if one.address)
    return FoundDevice(
        addresses=tuple(addresses),
        macs=tuple(dict.fromkeys(mac for one in seen for mac in one.macs)),
        name=first("name"),
        maker=first("maker"),
        model=first("model"),
        version=first("version"),
        family=first("family"),
        heard_by=tuple(dict.fromkeys(one.heard_by for one in seen)),
        snmp=by_use[0].snmp,
    )


def _order(device: FoundDevice) -> tuple[int, str]:
    return _number(device.address), device.title


def _number(address: str) -> int:
    """For sorting; what is no address comes last."""
    try:
        return int(ipaddress.ip_address(address))
    except ValueError:
        return 2**128
