"""Which sightings are one device: tables of what was seen, and what it must become."""

from __future__ import annotations

import json

import pytest

from ayni_core.discovery.found import FoundDevice, Sighting, merge


def seen(heard_by: str, address: str = "", *macs: str, **more: str) -> Sighting:
    return Sighting(heard_by=heard_by, address=address, macs=macs, **more)


A, B, C = "74:4d:28:00:00:0a", "74:4d:28:00:00:0b", "02:00:00:00:00:01"

CASES: dict[str, tuple[list[Sighting], list[tuple[tuple[str, ...], str, str]]]] = {
    "announced, in the ARP table, and silent to SNMP": (
        [seen("arp", "10.0.0.1", A), seen("mndp", "10.0.0.1", A, name="torre"),
         seen("snmp", "10.0.0.1", snmp="closed")],
        [(("10.0.0.1",), "torre", "closed")],
    ),
    "a router that answers at two addresses": (
        [seen("snmp", "10.0.0.1", A, B, name="r", snmp="open"),
         seen("snmp", "10.0.1.1", A, B, name="r", snmp="open")],
        [(("10.0.0.1", "10.0.1.1"), "r", "open")],
    ),
    "the address that answers comes first": (
        [seen("mndp", "10.9.0.1", A, name="r"), seen("snmp", "10.0.0.1", A, snmp="open")],
        [(("10.0.0.1", "10.9.0.1"), "r", "open")],
    ),
    "two fresh from the factory, both at the same address": (
        [seen("ubnt", "192.168.1.20", A, name="one"), seen("ubnt", "192.168.1.20", B, name="two")],
        [(("192.168.1.20",), "one", "unknown"), (("192.168.1.20",), "two", "unknown")],
    ),
    "a router on the way answers ARP for all behind it": (
        [seen("arp", "10.0.0.1", A), seen("arp", "10.0.0.2", A), seen("arp", "10.0.0.3", A),
         seen("mndp", "10.0.0.1", A, name="router"), seen("ubnt", "10.0.0.2", B, name="radio")],
        [(("10.0.0.1",), "router", "unknown"), (("10.0.0.2",), "radio", "unknown"),
         (("10.0.0.3",), "", "unknown")],
    ),
    "bridges of two devices with the same locally given address": (
        [seen("snmp", "10.0.0.1", A, C, name="a", snmp="open"),
         seen("snmp", "10.0.0.2", B, C, name="b", snmp="open")],
        [(("10.0.0.1",), "a", "open"), (("10.0.0.2",), "b", "open")],
    ),
    "two protocols with different MAC addresses of one device": (
        [seen("mndp", "10.0.0.1", A, name="a"), seen("lldp", "10.0.0.1", B, name="a2")],
        [(("10.0.0.1",), "a", "unknown")],
    ),
    "heard on the cable, but without an address": (
        [seen("lldp", "", A, name="switch")],
        [((), "switch", "unknown")],
    ),
    "nothing": ([], []),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_sightings_become_devices(case: str) -> None:
    sightings, wanted = CASES[case]
    for given in (sightings, sightings[::-1], sightings * 2):
        found = [(device.addresses, device.name, device.snmp) for device in merge(given)]
        assert sorted(found) == sorted(wanted)


def test_a_found_device_survives_json_and_what_is_none_is_refused() -> None:
    (device,) = merge([seen("mndp", "10.0.0.1", A, name="tórre", model="hAP", snmp="unknown")])
    assert FoundDevice.from_json(json.loads(json.dumps(device.as_json()))) == device
    for spoilt in (
        None, [], {}, {**device.as_json(), "snmp": "ajar"}, {**device.as_json(), "name": 1},
        {**device.as_json(), "macs": "aa"}, {**device.as_json(), "addresses": [1]},
    ):  # fmt: skip
        assert FoundDevice.from_json(spoilt) is None
