"""Tables of neighbours: what a profile may say of them, and what becomes of a device's answers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ayni_agent.poller import Poller
from ayni_core.mibview import MibView
from ayni_core.oid_notation import parse
from ayni_core.profile_format import read_part
from ayni_core.readings import Value
from ayni_core.schema import Faults, Fields
from ayni_core.snmp import INTEGER, IP_ADDRESS, OCTET_STRING, TIME_TICKS
from ayni_io import yamlfile
from ayni_io.profiles import Profiles
from ayni_io.snmp_recording import RecordedReader

UPTIME, COUNT, NAME = "1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.2.1.0", "1.3.6.1.2.1.31.1.1.1.1"
LLDP, LOCAL = "1.0.8802.1.1.2.1.4.1.1", "1.0.8802.1.1.2.1.3.7.1"
FDB, VLAN_FDB, BASE = "1.3.6.1.2.1.17.4.3.1", "1.3.6.1.2.1.17.7.1.2.2.1", "1.3.6.1.2.1.17.1.4.1"
ARP, MNDP = "1.3.6.1.2.1.4.22.1", "1.3.6.1.4.1.14988.1.1.11.1.1"
MAC = bytes.fromhex("0200000000a1")
Answer = int | str | bytes


def heard(objects: dict[str, Answer], profile: str = "generic") -> dict[str, Value]:
    """The neighbours that one poll brings, by item and metric."""
    tags = {int: INTEGER, str: OCTET_STRING, bytes: OCTET_STRING}
    base: dict[str, Answer] = {COUNT: 2, f"{NAME}.1": "eth0", f"{NAME}.2": "eth1"}
    cells = {
        parse(oid): (
            IP_ADDRESS if oid.startswith(f"{MNDP}.2.") else tags[type(value)],
            value.encode() if isinstance(value, str) else value,
        )
        for oid, value in (base | objects).items()
    }
    cells[parse(UPTIME)] = (TIME_TICKS, 100)
    poller = Poller("x", RecordedReader(MibView(cells)), Profiles(), profile)
    poll = asyncio.run(poller.poll(0))
    assert poll.error is None, poll.error
    found = {
        f"{s.item} {s.metric.removeprefix('neighbour_')}": value
        for s, value in poll.values.items()
        if s.group == "neighbour"
    }
    assert found.pop(" neighbours", None) == (len({key.split()[0] for key in found}) if objects else None)
    return found


def lldp(port: int, number: int = 1, **columns: Answer) -> dict[str, Answer]:
    return {f"{LLDP}.{column[1:]}.0.{port}.{number}": value for column, value in columns.items()}


@pytest.mark.parametrize(
    ("objects", "found"),
    [
        ({}, {}),
        (
            lldp(2, _4=4, _5=MAC, _6=5, _7="ether1", _9="torre"),
            {"lldp/eth1/1 mac": "0200000000a1", "lldp/eth1/1 name": "torre", "lldp/eth1/1 port": "ether1"},
        ),
        (  # the port by its address; the local port by what its table calls it
            lldp(7, _4=7, _5="something", _6=3, _7=MAC, _9="torre") | {f"{LOCAL}.4.7": "Port 7"},
            {"lldp/Port 7/1 name": "torre", "lldp/Port 7/1 port": "0200000000a1"},
        ),
        (  # two at one port, one without anything that tells who it is
            lldp(1, 1, _4=7, _9="one") | lldp(1, 2, _4=7, _9="two") | lldp(1, 3, _4=7, _8="eth9"),
            {"lldp/eth0/1 name": "one", "lldp/eth0/2 name": "two"},
        ),
        (lldp(0, _4=4, _5=MAC), {"lldp//1 mac": "0200000000a1"}),  # RouterOS has no numbers of ports here
        (lldp(9, _4=4, _5=MAC), {"lldp/9/1 mac": "0200000000a1"}),
        (  # a port of the bridge is no ifIndex; what was not learned is its own
            {f"{FDB}.2.2.0.0.0.0.161": 15, f"{FDB}.3.2.0.0.0.0.161": 3, f"{BASE}.2.15": 2}
            | {f"{FDB}.2.2.0.0.0.0.162": 15, f"{FDB}.3.2.0.0.0.0.162": 4},
            {"fdb/eth1/1 mac": "0200000000a1"},
        ),
        (
            {f"{VLAN_FDB}.2.{vlan}.2.0.0.0.0.161": 15 for vlan in (1, 20)}
            | {f"{VLAN_FDB}.3.{vlan}.2.0.0.0.0.161": 3 for vlan in (1, 20)}
            | {f"{BASE}.2.15": 1},
            {"fdb/eth0/1 mac": "0200000000a1"},
        ),
        (
            {f"{ARP}.2.1.10.0.0.9": MAC, f"{ARP}.4.1.10.0.0.9": 3}
            | {f"{ARP}.2.1.10.0.0.8": MAC, f"{ARP}.4.1.10.0.0.8": 2},
            {"arp/eth0/1 mac": "0200000000a1", "arp/eth0/1 ip": "10.0.0.9"},
        ),
        (  # five behind one port are a network, not neighbours
            {f"{ARP}.2.{port}.10.0.0.{n}": bytes((2, 0, 0, 0, port, n)) for port, n in
             ((1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (2, 1))},
            {"arp/eth1/1 mac": "020000000201", "arp/eth1/1 ip": "10.0.0.1"},
        ),
    ],
)  # fmt: skip
def test_what_a_device_answers_becomes_neighbours(
    objects: dict[str, Answer], found: dict[str, Value]
) -> None:
    assert heard(objects) == found


def test_what_mikrotik_hears_stands_in_a_table_of_its_own() -> None:
    """By MNDP, at the interface whose number stands in a column."""
    row: dict[str, Answer] = {f"{MNDP}.{n}.5": value for n, value in
                              ((2, bytes((10, 0, 0, 9))), (3, MAC), (6, "cerro"), (8, 2))}  # fmt: skip
    assert heard(row, "routeros") == {
        "mndp/eth1/1 mac": "0200000000a1",
        "mndp/eth1/1 name": "cerro",
        "mndp/eth1/1 ip": "10.0.0.9",
    }


def test_a_crowded_table_is_cut() -> None:
    """Sixty-four of one kind, whatever the device has."""
    rows: dict[str, Answer] = {}
    for n in range(1, 200):
        rows |= lldp(n, _4=4, _5=bytes((2, 0, 0, 0, 1, n)))
    assert len(heard(rows)) == 64


# ---- the format

HEAD = "neighbours:\n - via: lldp\n   entry: 1.3.6\n"
PORT = '   port: {index: "2"}\n'
TELLS = "   tells: {neighbour_mac: {column: 5, as: mac}}\n"


def faults_of(text: str) -> list[str]:
    value, lines = yamlfile.load(text, "x.yaml")
    faults = Faults("x.yaml", lines)
    fields = Fields(value, "", faults)
    read_part("x", fields, shared=False)
    fields.done()
    return faults.found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD + PORT + TELLS, None),
        (HEAD + "   port: {interface: {column: 2, through: 1.3.7}}\n   crowd: 3\n   most: 9\n" + TELLS, None),
        (HEAD + TELLS, "port: is missing"),
        (HEAD + PORT, "tells: is missing"),
        (HEAD.replace("lldp", "ldp") + PORT + TELLS, 'did you mean "lldp"'),
        (HEAD + PORT + '   tells: {neighbour_mak: {column: 1}}\n', 'did you mean "neighbour_mac"'),
        (HEAD + PORT + '   tells: {neighbour_mac: {colum: 1}}\n', "unknown key"),
        (HEAD + PORT + '   tells: {neighbour_mac: {index: 1-6}}\n', "there are no rows to read"),
        (HEAD + PORT + '   most: 9999\n' + TELLS, "must be at most 512"),
        (HEAD + '   port: {index: "2", through: 1.3.7}\n' + TELLS, "through: needs a lookup"),
        (HEAD + "   port: {interface: {}}\n" + TELLS, "expected index or column"),
        (HEAD + PORT + '   tells: {neighbour_name: {interface: "1"}}\n', "expected one of index"),
        (HEAD + PORT + '   tells: {neighbour_name: {column: 1, when: {column: 2}}}\n', "what it must be"),
        (HEAD + PORT + '   tells: [1]\n', "expected a mapping"),
    ],
)  # fmt: skip
def test_a_fault_in_a_table_of_neighbours_is_told(text: str, told: str | None) -> None:
    found = faults_of(text)
    assert (found == []) if told is None else any(told in fault for fault in found), found


def test_a_family_may_leave_a_table_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By `without`, as any other reading."""
    monkeypatch.setenv("AYNI_CONFIGS", str(tmp_path))
    (tmp_path / "profiles").mkdir()
    text = "about: X\nidentify:\n  - object_id: 1.3.6.1.4.1.99999\ninclude: [standard]\nwithout: [1.0.8802]\n"
    (tmp_path / "profiles" / "x.yaml").write_text(text)
    vias = [each.via for part in Profiles().load("x").parts for each in part.neighbours]
    assert vias == ["fdb", "fdb", "arp"]
