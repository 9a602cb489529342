"""What the maps read of mesh nodes makes links with both ends: from pages to links found."""

from __future__ import annotations

from typing import Any

import pytest

from ayni_core.inventory import Device
from ayni_core.lastknown import LastKnown
from ayni_core.neighbour_facts import seen_of
from ayni_core.neighbours import FoundLink, find
from ayni_core.webmap.apply import apply
from ayni_io import web_maps

UNO, DOS = "02:aa:00:00:00:01", "02:aa:00:00:00:02"
"""The radios; the VLAN on top of each has the same address with 12 in front."""
LINKS = {
    "uno": {
        "src_mac": UNO,
        "dst_mac": DOS,
        "signal": -60,
        "iface": "wlan1-mesh",
        "freq": 5240,
        "channel": 48,
    },
    "dos": {
        "src_mac": DOS,
        "dst_mac": UNO,
        "signal": -64,
        "iface": "wlan1-mesh",
        "freq": 5240,
        "channel": 48,
    },
}


def vlan(mac: str) -> str:
    return "12" + mac[2:]


def ports(mac: str) -> dict[str, Any]:
    return {
        "wlan1-mesh": {"macaddr": mac, "up": True, "carrier": True},
        "wlan1-mesh_29": {"macaddr": vlan(mac), "up": True, "carrier": True},
        "lan1": {"macaddr": "0a" + mac[2:], "up": True, "carrier": False},
    }


def found(pages: dict[str, tuple[str, dict[str, Any]]]) -> list[FoundLink]:
    known = LastKnown()
    seen = []
    for name, (source, answered) in pages.items():
        for series, value in apply(web_maps.load("json", source, "x"), answered, {})[0].items():
            known.learn(name, series, 60.0, value)
        device = Device(name=name, title=name, site=name, node="pi", host=f"10.0.0.{len(name)}")
        seen.append(seen_of(device, known.of(name)))
    return list(find(seen))


@pytest.mark.parametrize("shared", ["wifi", "batman", "both"])
def test_two_nodes_of_libremesh_are_one_link(shared: str) -> None:
    def node(name: str, own: str, other: str) -> tuple[str, dict[str, Any]]:
        pages: dict[str, Any] = {"board": {"hostname": name}, "ports": ports(own)}
        if shared in ("wifi", "both"):
            pages["wifi"] = {"data": {name: {"links": {"k": link}} for name, link in LINKS.items()}}
        if shared in ("batman", "both"):
            row = {"dst_mac": vlan(other), "src_mac": vlan(own), "iface": "wlan1-mesh_29", "tq": 250}
            pages["batman"] = {"data": {name: [row]}}
        return "libremesh", pages

    links = found({"uno": node("uno", UNO, DOS), "dos": node("dos", DOS, UNO)})
    assert len(links) == 1, links
    assert {links[0].a.device, links[0].b.device} == {"uno", "dos"}
    assert links[0].kind == ("radio" if shared == "wifi" else "mesh")
    assert links[0].sure >= 0.9


def test_babel_neighbours_are_known_by_the_address_within_their_link_local_one() -> None:
    def node(own: str, other_ip: str) -> tuple[str, dict[str, Any]]:
        heard = {"IPv6": {other_ip: {"dev": "wlan1-mesh", "txcost": 256, "rxcost": 256}}, "IPv4": []}
        return "libremesh", {"board": {"hostname": own}, "ports": ports(own), "babel": {"data": {own: [
            {"dst_ip": ip, "iface": each["dev"]} for ip, each in heard["IPv6"].items()  # type: ignore[attr-defined]
        ]}}}  # fmt: skip

    links = found({"uno": node(UNO, "fe80::aa:ff:fe00:2"), "dos": node(DOS, "fe80::aa:ff:fe00:1")})
    assert [(link.kind, {link.a.device, link.b.device}) for link in links] == [("mesh", {"uno", "dos"})]
