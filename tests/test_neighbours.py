"""Which links follow from what devices say of their neighbours, and which do not."""

from __future__ import annotations

import pytest

from ayni_core.inventory import Device, End, Link
from ayni_core.lastknown import LastKnown
from ayni_core.neighbour_compare import compare
from ayni_core.neighbour_facts import mac_of, seen_of
from ayni_core.neighbours import FoundLink, Heard, Seen, find
from ayni_core.readings import NEIGHBOURS, Series, Value

A1, A2, B1, B2, C1 = (f"0200000000{n}" for n in ("a1", "a2", "b1", "b2", "c1"))


def seen(
    device: str, *heard: Heard, macs: dict[str, str], radios: str = "", site: str = "", **more: str
) -> Seen:
    return Seen(
        device=device,
        site=site or device,
        macs=macs,
        radios=frozenset(radios.split()),
        names=frozenset(filter(None, [more.get("name")])),
        ips=frozenset(filter(None, [more.get("ip")])),
        aliases={more["alias"]: more["of"]} if "alias" in more else {},
        heard=heard,
    )


def station(mac: str, **more: str) -> Heard:
    return Heard(via="station", mac=mac, **more)


def peer(port: str, mac: str) -> Heard:
    return Heard(via="peer", port=port, mac=mac)


def lldp(port: str, mac: str = "", **more: str) -> Heard:
    return Heard(via="lldp", port=port, mac=mac, **more)


def told(link: FoundLink) -> str:
    return f"{link.kind} {link.a.device}/{link.a.port} {link.b.device}/{link.b.port}"


AP = {A1: "wlan1"}
TWO = {A1: "wlan1", A2: "wlan2"}
ST = {B1: "ath0"}
CASES: list[tuple[str, list[Seen], list[str]]] = [
    (
        "an access point and its station tell of each other",
        [seen("a", station(B1), macs=AP, radios="wlan1"), seen("b", peer("1", A1), macs=ST, radios="1")],
        ["radio a/wlan1 b/1"],
    ),
    (
        "the access point alone tells: its registration is a link",
        [seen("a", station(B1), macs=AP, radios="wlan1"), seen("b", macs=ST, radios="1")],
        ["radio a/wlan1 b/1"],
    ),
    (
        "which of two radios the station is at, the station tells",
        [
            seen("a", station(B1), macs=TWO, radios="wlan1 wlan2"),
            seen("b", peer("1", A2), macs=ST, radios="1"),
        ],
        ["radio a/wlan2 b/1"],
    ),
    (
        "which of two radios is open while the station says nothing",
        [seen("a", station(B1), macs=TWO, radios="wlan1 wlan2"), seen("b", macs=ST, radios="1")],
        ["radio a/ b/1"],
    ),
    (
        "two links between the same two devices are two",
        [
            seen("a", station(B1), station(B2), macs=TWO, radios="wlan1 wlan2"),
            seen("b", peer("r1", A1), peer("r2", A2), macs={B1: "r1", B2: "r2"}, radios="r1 r2"),
        ],
        ["radio a/wlan1 b/r1", "radio a/wlan2 b/r2"],
    ),
    (
        "a controller lists stations of its access points: the station says where it is",
        [
            seen("a", station(B1), macs={A1: "ether1"}),
            seen("b", peer("1", C1), macs=ST, radios="1"),
            seen("c", station(B1), macs={C1: "wlan1"}, radios="wlan1"),
        ],
        ["radio b/1 c/wlan1"],
    ),
    (
        "an address that two devices have belongs to nobody",
        [
            seen("a", station(B1), macs=AP, radios="wlan1"),
            seen("b", macs=ST, radios="1"),
            seen("c", macs=ST, radios="1"),
        ],
        [],
    ),
    ("a stranger is no device", [seen("a", station(C1), macs=AP, radios="wlan1")], []),
    (
        "a station known by its address of IP alone",
        [
            seen("a", station(C1, ip="10.0.0.2"), macs=AP, radios="wlan1"),
            seen("b", macs={}, radios="1", ip="10.0.0.2"),
        ],
        ["radio a/wlan1 b/1"],
    ),
    (
        "LLDP at both ends is a cable with both its ports",
        [seen("a", lldp("eth0", B1), macs={A1: "eth0"}), seen("b", lldp("eth1", A1), macs={B1: "eth1"})],
        ["cable a/eth0 b/eth1"],
    ),
    (
        "LLDP names the port at the other end: by its address",
        [seen("a", lldp("eth0", B1, far_port=B2), macs=AP), seen("b", macs={B1: "br0", B2: "eth4"})],
        ["cable a/eth0 b/eth4"],
    ),
    (
        "… by its description, or behind the name of its bridge",
        [
            seen("a", lldp("eth0", B1, far_port="to the roof"), macs=AP),
            seen("b", macs={B1: "ether1"}, alias="to the roof", of="ether1"),
            seen("c", lldp("eth2", A1, far_port="bridge/wlan1"), macs={C1: "eth2"}),
        ],
        ["cable a/eth0 b/ether1", "cable a/wlan1 c/eth2"],
    ),
    (
        "LLDP by name, where only one device has it",
        [seen("a", lldp("eth0", name="switch"), macs=AP), seen("b", macs=ST, name="switch")],
        ["cable a/eth0 b/"],
    ),
    (
        "… and not where two have it",
        [
            seen("a", lldp("eth0", name="MikroTik"), macs=AP),
            seen("b", macs=ST, name="MikroTik"),
            seen("c", macs={C1: "ether1"}, name="MikroTik"),
        ],
        [],
    ),
    (
        "a port that hears several by LLDP has something between that passes it on",
        [
            seen("a", lldp("eth0", B1), lldp("eth0", C1), macs={A1: "eth0"}),
            seen("b", lldp("eth0", A1), lldp("eth0", C1), macs={B1: "eth0"}),
            seen("c", lldp("eth0", A1), lldp("eth0", B1), macs={C1: "eth0"}),
        ],
        [],
    ),
    (
        "LLDP without a port of its own (RouterOS) proves nothing by itself",
        [seen("a", lldp("", B1), macs=AP), seen("b", lldp("", A1), macs=ST)],
        [],
    ),
    (
        "… but confirms what the other end says",
        [seen("a", lldp("", B1), macs={A1: "ether1"}), seen("b", lldp("eth3", A1), macs={B1: "eth3"})],
        ["cable a/ b/eth3"],
    ),
    (
        "LLDP through a radio link between two sites is no cable",
        [
            seen("a", lldp("eth0", B1), macs={A1: "eth0"}, site="torre"),
            seen("b", lldp("eth0", A1), macs={B1: "eth0"}, site="cerro"),
            seen("x", station(C1), macs={A2: "wlan1"}, radios="wlan1", site="torre"),
            seen("y", macs={C1: "wlan1"}, radios="wlan1", site="cerro"),
        ],
        ["radio x/wlan1 y/wlan1"],
    ),
    (
        "LLDP over the air is the radios' own link",
        [
            seen("a", station(B1), lldp("wlan1", B1), macs=AP, radios="wlan1"),
            seen("b", peer("wlan2", A1), macs={B1: "wlan2"}, radios="wlan2"),
        ],
        ["radio a/wlan1 b/wlan2"],
    ),
    *(
        (
            f"{via} is heard across a whole bridge: it never makes a link",
            [
                seen("a", Heard(via=via, port="eth0", mac=B1), macs={A1: "eth0"}),
                seen("b", Heard(via=via, port="eth0", mac=A1), macs={B1: "eth0"}),
            ],
            [],
        )
        for via in ("mndp", "cdp", "fdb", "arp")
    ),
    (
        "… and names the port of a cable that the other end tells of",
        [
            seen("a", Heard(via="mndp", port="ether2", mac=B1), macs={A1: "bridge"}),
            seen("b", lldp("eth3", A1), macs={B1: "eth3"}),
        ],
        ["cable a/ether2 b/eth3"],
    ),
    (
        "mesh neighbours make a link on the air",
        [
            seen("a", Heard(via="batman", port="wlan0", mac=B1), macs={A1: "wlan0"}),
            seen("b", Heard(via="batman", port="wlan0", mac=A1), macs={B1: "wlan0"}),
        ],
        ["mesh a/wlan0 b/wlan0"],
    ),
    (
        "… over the link that the radios tell of it is the same one",
        [
            seen("a", station(B1), Heard(via="babel", port="wlan1-mesh", mac=B1), macs=AP, radios="wlan1"),
            seen("b", macs={B1: "wlan0"}, radios="wlan0"),
        ],
        ["mesh a/wlan1 b/wlan0"],
    ),
    (
        "… and over a cable port it may have come through bridging radios",
        [
            seen("a", Heard(via="batman", port="eth0", mac=B1), macs={A1: "eth0"}),
            seen("b", Heard(via="batman", port="eth0", mac=A1), macs={B1: "eth0"}),
        ],
        [],
    ),
]


@pytest.mark.parametrize(("devices", "links"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_links_out_of_evidence(devices: list[Seen], links: list[str]) -> None:
    """The order in which devices are looked at makes no difference."""
    assert [told(link) for link in find(devices)] == links
    assert find(devices[::-1]) == find(devices)


def test_more_evidence_makes_surer() -> None:
    ap, st = seen("a", station(B1), macs=AP, radios="wlan1"), seen("b", macs=ST, radios="1")
    both = seen("b", peer("1", A1), macs=ST, radios="1")
    one, two = find([ap, st])[0], find([ap, both])[0]
    assert (one.evidence, two.evidence) == (("station a",), ("peer b", "station a"))
    assert 0.5 < one.sure < two.sure < 1
    assert (two.a.mac, two.b.mac) == (A1, B1)


# ---- beside what is written down


def declared(name: str, a: tuple[str, str | None], b: tuple[str, str | None]) -> Link:
    ends = [End(device=device, radio=radio) for device, radio in (a, b)]
    return Link(name=name, title=name, a=ends[0], b=ends[1])


def test_what_is_written_down_is_compared_with_what_is_found() -> None:
    """Named radios go to their own link, whatever stands first; who says nothing is not accused."""
    found = find(
        [
            seen("a", station(B1), station(B2), macs=TWO, radios="wlan1 wlan2"),
            seen("b", peer("r1", A1), peer("r2", A2), macs={B1: "r1", B2: "r2"}, radios="r1 r2"),
            seen("c", peer("1", A1), macs={C1: "ath0"}, radios="1"),
        ]
    )
    links = [
        declared("open", ("b", None), ("a", None)),
        declared("first", ("a", "wlan1"), ("b", "r1")),
        declared("gone", ("b", None), ("c", None)),
        declared("silent", ("a", None), ("d", None)),
    ]
    compared = compare(links, found, {"a", "b", "c"})
    assert {name: link.a.port for name, link in compared.seen.items()} == {"first": "wlan1", "open": "wlan2"}
    assert (compared.missing, compared.untold) == (("gone",), ("silent",))
    assert [told(link) for link in compared.new] == ["radio a/wlan1 c/1"]


# ---- out of readings

DEVICE = Device(name="a", title="A", site="torre", node="pi", host="10.0.0.1")
INTERFACE = "interface"


def known(*polls: dict[tuple[str, str, str], Value]) -> LastKnown:
    result = LastKnown()
    for minute, poll in enumerate(polls):
        for (group, item, metric), value in poll.items():
            result.learn("a", Series(group, item, metric), 60.0 * minute, value)
    return result


BASE: dict[tuple[str, str, str], Value] = {
    ("system", "", "name"): "torre",
    (INTERFACE, "bridge", "if_mac"): A1,
    (INTERFACE, "ether1", "if_mac"): A1,
    (INTERFACE, "wlan1", "if_mac"): A2,
    (INTERFACE, "lo", "if_mac"): "000000000000",
    ("radio", "wlan1", "signal_dbm"): -60,
    ("radio", "wlan1", "peer_mac"): B1,
    ("radio", "wlan1 chain 0", "signal_dbm"): -62,
}


def test_a_device_as_its_readings_show_it() -> None:
    """The port of an address is the port itself, not the bridge on top of it."""
    shown = seen_of(DEVICE, known(BASE).of("a"))
    assert shown.macs == {A1: "ether1", A2: "wlan1"}
    assert (shown.radios, shown.names, shown.ips) == ({"wlan1"}, {"torre"}, {"10.0.0.1"})
    assert shown.heard == (Heard(via="peer", port="wlan1", mac=B1),)


def test_who_was_heard_once_is_not_heard_for_ever() -> None:
    """Stations and peers are those of the newest poll, neighbours those of their last reading."""
    station_row = {("station", C1, "signal_dbm"): -70}
    neighbour: dict[tuple[str, str, str], Value] = {
        ("neighbour", "lldp/ether1/1", "neighbour_mac"): B1,
        ("neighbour", "lldp/ether1/1", "neighbour_port"): "eth0",
        tuple(NEIGHBOURS): 1,  # type: ignore[dict-item]
    }
    later = {key: value for key, value in BASE.items() if key[2] != "signal_dbm"}
    first = seen_of(DEVICE, known({**BASE, **station_row, **neighbour}).of("a"))
    second = seen_of(DEVICE, known({**BASE, **station_row, **neighbour}, later).of("a"))
    assert [heard.via for heard in first.heard] == ["station", "peer", "lldp"]
    assert second.heard == (Heard(via="lldp", port="ether1", mac=B1, far_port="eth0"),)
    memory = known({**BASE, **neighbour}, {**BASE, tuple(NEIGHBOURS): 0})  # type: ignore[dict-item]
    assert all(each.via == "peer" for each in seen_of(DEVICE, memory.of("a")).heard)
    assert [s for s in memory.of("a").values if s.group == "neighbour"] == [NEIGHBOURS]


@pytest.mark.parametrize(
    ("item", "ip", "heard"),
    [
        ("batman/wlan0/0200000000b1", None, Heard(via="batman", port="wlan0", mac=B1)),
        ("lldp/0/1/2", "10.0.0.9", Heard(via="lldp", port="0/1", ip="10.0.0.9")),
        (
            "babel/wlan0/1",
            "fe80::ff:fe00:b1",
            Heard(via="babel", port="wlan0", mac=B1, ip="fe80::ff:fe00:b1"),
        ),
        ("arp//1", "10.0.0.9", Heard(via="arp", ip="10.0.0.9")),
    ],
)
def test_the_item_of_a_neighbour(item: str, ip: str | None, heard: Heard) -> None:
    """VIA/PORT/REMOTE: a port may have slashes; a link-local address may hold the one of the hardware."""
    readings: dict[tuple[str, str, str], Value] = {("neighbour", item, "neighbour_ip"): ip or ""}
    assert seen_of(DEVICE, known(readings).of("a")).heard == (heard,)


@pytest.mark.parametrize(
    "odd", ["", "000000000000", "ffffffffffff", "01005e000001", "02:00:00:00:00:01", 7, None]
)
def test_what_is_nobody_s_hardware_address(odd: Value) -> None:
    """Zeros, groups, and other spellings."""
    assert mac_of(odd) == ""
