"""What objects are, as far as masking cares: names, addresses, secrets, and how tables are numbered.

The standard MIBs are written down here, and where vendors keep the numbers of modems and SIM cards; of the
rest of a vendor's branch a profile tells what it knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ayni_core.ber import decode_oid
from ayni_core.profile import Profile

Arcs = tuple[int, ...]


def _arcs(text: str) -> Arcs:
    return tuple(map(int, text.split(".")))


LEFT_OUT = {
    _arcs("1.3.6.1.6.3.12"),
    _arcs("1.3.6.1.6.3.13"),
    _arcs("1.3.6.1.6.3.14"),
    _arcs("1.3.6.1.6.3.15"),
    _arcs("1.3.6.1.6.3.16"),
    _arcs("1.3.6.1.6.3.18"),
}
"""SNMP's own targets, users, views and communities: nothing but secrets and names, and no reading."""

_STANDARD = {
    "1.3.6.1.2.1.1.1": "own",  # sysDescr
    "1.3.6.1.2.1.1.4": "contact",
    "1.3.6.1.2.1.1.5": "name",
    "1.3.6.1.2.1.1.6": "place",
    "1.3.6.1.2.1.2.2.1.2": "port",  # ifDescr
    "1.3.6.1.2.1.2.2.1.6": "mac",
    "1.3.6.1.2.1.3.1.1.2": "mac",
    "1.3.6.1.2.1.4.22.1.2": "mac",
    "1.3.6.1.2.1.4.35.1.4": "mac",
    "1.3.6.1.2.1.17.1.1": "mac",
    "1.3.6.1.2.1.17.4.3.1.1": "mac",
    "1.3.6.1.2.1.31.1.1.1.1": "port",  # ifName
    "1.3.6.1.2.1.31.1.1.1.18": "text",  # ifAlias
    "1.3.6.1.2.1.17.7.1.4.3.1.1": "text",  # dot1qVlanStaticName
    "1.3.6.1.2.1.25.3.8.1.3": "text",  # hrFSRemoteMountPoint
    "1.3.6.1.2.1.25.4.2.1.5": "text",  # hrSWRunParameters: command lines hold passwords
    "1.3.6.1.2.1.47.1.1.1.1.11": "serial",
    "1.3.6.1.2.1.47.1.1.1.1.14": "text",
    "1.3.6.1.2.1.47.1.1.1.1.15": "text",
    "1.2.840.10036.1.1.1.9": "ssid",
    "1.2.840.10036.1.2.1.2": "secret",  # dot11WEPDefaultKeyValue
    "1.0.8802.1.1.2.1.3.3": "name",
    "1.0.8802.1.1.2.1.4.1.1.8": "text",
    "1.0.8802.1.1.2.1.4.1.1.9": "name",
    "1.3.6.1.4.1.2021.8.1.3": "text",  # commands of net-snmp's extTable and extendTable
    "1.3.6.1.4.1.8072.1.3.2.2.1.2": "text",
    "1.3.6.1.4.1.8072.1.3.2.2.1.3": "text",
    "1.3.6.1.4.1.8072.1.3.2.2.1.4": "text",
}
_MOBILE = {
    "1.3.6.1.4.1.9.9.661.1.3.1.1.1": "serial",  # CISCO-WAN-3G-MIB: IMSI, IMEI, ICCID, telephone
    "1.3.6.1.4.1.9.9.661.1.3.1.1.2": "serial",
    "1.3.6.1.4.1.9.9.661.1.3.1.1.3": "serial",
    "1.3.6.1.4.1.9.9.661.1.3.1.1.4": "contact",
    "1.3.6.1.4.1.14988.1.1.16.1.1.11": "serial",  # MIKROTIK-MIB: IMEI, IMSI, ICCID
    "1.3.6.1.4.1.14988.1.1.16.1.1.12": "serial",
    "1.3.6.1.4.1.14988.1.1.16.1.1.13": "serial",
    "1.3.6.1.4.1.20542.9.1.1.1.17": "contact",  # Sierra Wireless: telephone
    "1.3.6.1.4.1.23695.200.1.12.2.1.1.2": "serial",  # Peplink: IMEI
    "1.3.6.1.4.1.48690.2.2.1.3": "serial",  # TELTONIKA-RUTX-MIB: IMEI, "serial" (the IMEI again), IMSI, ICCID
    "1.3.6.1.4.1.48690.2.2.1.7": "serial",
    "1.3.6.1.4.1.48690.2.2.1.8": "serial",
    "1.3.6.1.4.1.48690.2.2.1.27": "serial",
}
_OF_METRIC = {
    "ssid": "ssid", "name": "name", "station_name": "name", "location": "place", "serial": "serial",
    "imei": "serial", "imsi": "serial", "if_alias": "text", "latitude_deg": "place", "longitude_deg": "place",
    "cell_id": "place", "if_mac": "mac", "peer_mac": "mac", "radio_mac": "mac", "station_ip": "ip",
}  # fmt: skip
_NUMBERED = {
    "1.3.6.1.2.1.3.1.1": "xii4", "1.3.6.1.2.1.4.20.1": "x4", "1.3.6.1.2.1.4.21.1": "x4",
    "1.3.6.1.2.1.4.22.1": "xi4", "1.3.6.1.2.1.4.24.2.1": "x4ii4", "1.3.6.1.2.1.4.24.4.1": "x44i4",
    "1.3.6.1.2.1.4.24.7.1": "xAinA", "1.3.6.1.2.1.4.32.1": "xiA", "1.3.6.1.2.1.4.34.1": "xA",
    "1.3.6.1.2.1.4.35.1": "xiA", "1.3.6.1.2.1.4.37.1": "xA", "1.3.6.1.2.1.6.13.1": "x4i4i",
    "1.3.6.1.2.1.6.19.1": "xAiAi", "1.3.6.1.2.1.6.20.1": "xAi", "1.3.6.1.2.1.7.5.1": "x4i",
    "1.3.6.1.2.1.7.7.1": "xAiAii", "1.3.6.1.2.1.14.2.1": "x4", "1.3.6.1.2.1.14.4.1": "x4i44",
    "1.3.6.1.2.1.14.7.1": "x4i", "1.3.6.1.2.1.14.8.1": "x4ii", "1.3.6.1.2.1.14.10.1": "x4i",
    "1.3.6.1.2.1.15.3.1": "x4", "1.3.6.1.2.1.15.6.1": "x4i4", "1.3.6.1.2.1.17.4.3.1": "xm",
    "1.3.6.1.2.1.17.7.1.2.2.1": "xim", "1.3.6.1.2.1.17.7.1.3.1.1": "ximi", "1.3.6.1.2.1.55.1.8.1": "xi6",
    "1.3.6.1.2.1.55.1.12.1": "xi6", "1.0.8802.1.1.2.1.3.8.1": "xA", "1.0.8802.1.1.2.1.4.2.1": "xiiiA",
}  # fmt: skip
"""How tables are numbered: x the column, i a number, 4 and 6 addresses, m a hardware address, n an OID,
A an address with type and length in front (RFC 4001)."""

MOBILE = {_arcs(oid): sense for oid, sense in _MOBILE.items()}
"""Numbers of modems, SIM cards and telephones lead to a person; no profile publishes them either."""
STANDARD = {_arcs(oid): sense for oid, sense in _STANDARD.items()} | MOBILE
SHAPES = {_arcs(oid): shape for oid, shape in _NUMBERED.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Senses:
    """What objects of a device mean, by the arcs they begin with, and how its own tables are numbered."""

    of: Mapping[Arcs, str] = field(default_factory=dict)
    shapes: Mapping[Arcs, str] = field(default_factory=dict)


def senses_of(profile: Profile) -> Senses:
    """What a profile knows: columns that hold names, texts that are states, where an index is an address."""
    of: dict[Arcs, str] = {}
    shapes: dict[Arcs, str] = {}
    for part in profile.parts:
        for metric, sources in part.system.items():
            for source in sources:
                for oid in (source.oid, source.any_row, *source.join):
                    if oid:
                        of.setdefault(decode_oid(oid), _OF_METRIC.get(metric, "own"))
        for reading in (*part.scalars, *(each for table in part.tables for each in table.readings)):
            of[decode_oid(reading.source)] = _OF_METRIC.get(reading.metric, "own")
            for item in reading.items:
                if item.as_ in ("mac", "ip"):
                    if item.column:
                        of.setdefault(decode_oid(item.column), item.as_)
                    elif item.index:
                        entry = decode_oid(reading.source)[:-1]
                        shapes[entry] = "x" + "i" * (item.index.first - 1) + "m4"[item.as_ == "ip"]
    return Senses(of=of, shapes=shapes)
