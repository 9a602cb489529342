"""What devices announce is read right, and refused in one way when cut, spoilt or hostile; ranges to ask."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from ayni_core.discovery import lldp, mndp, sweep, ubnt
from ayni_core.discovery.found import Sighting
from ayni_core.discovery.octets import LONGEST_TEXT, DiscoveryError
from ayni_core.texts import TEXTS

MAC = bytes.fromhex("744d28910d2f")
ADDRESS = bytes((10, 0, 0, 20))
MNDP = mndp.encode(
    mac=MAC, identity="torre", version="7.15.3 (stable)", board="RBD52G-5HacD2HnD", address=ADDRESS
)
UBNT_1 = ubnt.encode(
    mac=bytes.fromhex("7483c2000001"),
    address=ADDRESS,
    name="Escuela",
    model="LiteBeam 5AC Gen2",
    short="LBE-5AC-Gen2",
    firmware="WA.ar934x.v8.7.11.46972.220614.0420",
)
UBNT_2 = ubnt.encode(
    mac=bytes.fromhex("7483c2000002"),
    address=ADDRESS,
    name="UAP",
    model="UAP-AC-Lite",
    firmware="6.6.55",
    version=2,
)
LLDP = lldp.encode(mac=MAC, name="switch", description="Linux 5.15", port="eth1", address=ADDRESS)
TAGGED = LLDP[:12] + b"\x81\x00\x00\x05" + LLDP[12:]

# as a RouterOS 7 sends it, with fields that we do not read, and without an address of version 4
REAL = bytes.fromhex(
    "61000000"
    "00010006744d28910d2f"
    "000500084d696b726f54696b"
    "00070006372e31352e33"
    "000800084d696b726f54696b"
    "000a0004dc150000"
    "000b0009483739322d4d584a33"
    "000c0008524244353247"
    "2d35"
    "000e000100"
    "000f0010fe80000000000000764d28fffe910d2f"
    "0010000d6272696467652f657468657232"
)

TELLS: dict[str, tuple[Callable[[bytes], Sighting | None], bytes, Sighting]] = {
    "mndp": (
        mndp.decode,
        MNDP,
        Sighting(
            heard_by="mndp",
            address="10.0.0.20",
            macs=("74:4d:28:91:0d:2f",),
            name="torre",
            maker="MikroTik",
            model="RBD52G-5HacD2HnD",
            version="7.15.3 (stable)",
        ),
    ),
    "mndp of RouterOS 7": (
        lambda data: mndp.decode(data, "192.168.88.1"),
        REAL,
        Sighting(
            heard_by="mndp",
            address="192.168.88.1",
            macs=("74:4d:28:91:0d:2f",),
            name="MikroTik",
            maker="MikroTik",
            model="RBD52G-5",
            version="7.15.3",
        ),
    ),
    "ubnt 1": (
        ubnt.decode,
        UBNT_1,
        Sighting(
            heard_by="ubnt",
            address="10.0.0.20",
            macs=("74:83:c2:00:00:01",),
            name="Escuela",
            maker="Ubiquiti",
            model="LiteBeam 5AC Gen2",
            version="WA.ar934x.v8.7.11.46972.220614.0420",
        ),
    ),
    "ubnt 2": (
        ubnt.decode,
        UBNT_2,
        Sighting(
            heard_by="ubnt",
            address="10.0.0.20",
            macs=("74:83:c2:00:00:02",),
            name="UAP",
            maker="Ubiquiti",
            model="UAP-AC-Lite",
            version="6.6.55",
        ),
    ),
    "lldp": (
        lldp.decode,
        LLDP,
        Sighting(
            heard_by="lldp",
            address="10.0.0.20",
            macs=("74:4d:28:91:0d:2f",),
            name="switch",
            maker="Linux 5.15",
            port="eth1",
        ),
    ),
    "lldp behind a VLAN tag": (
        lldp.decode,
        TAGGED,
        Sighting(
            heard_by="lldp",
            address="10.0.0.20",
            macs=("74:4d:28:91:0d:2f",),
            name="switch",
            maker="Linux 5.15",
            port="eth1",
        ),
    ),
}


@pytest.mark.parametrize("case", TELLS)
def test_an_announcement_tells_who_it_is(case: str) -> None:
    decode, data, wanted = TELLS[case]
    assert decode(data) == wanted


@pytest.mark.parametrize("case", TELLS)
def test_cut_anywhere_it_is_refused_or_a_smaller_announcement(case: str) -> None:
    """Cut between two elements MNDP cannot know that something is missing; half a value is never taken."""
    decode, data, wanted = TELLS[case]
    refused = 0
    for length in range(len(data)):
        try:
            found = decode(data[:length])
        except DiscoveryError:
            refused += 1
            continue
        if found is not None:
            for key in ("name", "model", "version", "maker"):
                assert getattr(found, key) in ("", getattr(wanted, key))
            assert set(found.macs) <= set(wanted.macs)
    assert refused >= len(data) * 0.8


@pytest.mark.parametrize("case", TELLS)
def test_spoilt_it_is_refused_in_one_way_and_never_brings_what_a_terminal_would_obey(case: str) -> None:
    decode, data, _wanted = TELLS[case]
    chance = Random(case)
    for _turn in range(1500):
        spoilt = bytearray(data)
        for _each in range(chance.randint(1, 4)):
            match chance.randrange(4):
                case 0:
                    spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
                case 1:
                    del spoilt[chance.randrange(len(spoilt)) :]
                    spoilt += chance.randbytes(chance.randrange(40))
                case 2:
                    at = chance.randrange(len(spoilt))
                    spoilt[at:at] = chance.randbytes(chance.randrange(1, 9))
                case _:
                    spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
            if not spoilt:
                spoilt = bytearray(b"\x1b")
        try:
            found = decode(bytes(spoilt))
        except DiscoveryError as error:
            assert str(error).isprintable()
            continue
        if found is None:
            continue
        for text in (found.name, found.model, found.version, found.maker, found.port):
            assert text.isprintable()
            assert len(text) <= LONGEST_TEXT
        assert len(found.macs) <= 130


def test_calls_are_no_devices() -> None:
    """We hear our own calls, and those of others."""
    assert mndp.decode(mndp.REQUEST) is None
    for request in ubnt.REQUESTS:
        assert ubnt.decode(request) is None


HOSTILE = {
    "no device behind a request": (mndp.decode, bytes(3)),
    "ten thousand empty elements": (mndp.decode, b"a\0\0\0" + b"\0\x63\0\0" * 10_000),
    "another service on that port": (ubnt.decode, b"GET / HTTP/1.0\r\n\r\n"),
    "version 3": (ubnt.decode, b"\x03\0\0\0"),
    "a length that lies": (ubnt.decode, UBNT_1[:3] + b"\x05" + UBNT_1[4:]),
    "an address of three octets": (ubnt.decode, b"\x01\0\0\x06\x02\0\x03abc"),
    "a call that is no call": (ubnt.decode, b"\x01\0\0\x03\x0b\0\0"[:7][:3] + b"\x00" + b"x"),
    "not LLDP": (lldp.decode, LLDP[:12] + b"\x08\x00" + LLDP[14:]),
    "LLDP to somebody else": (lldp.decode, MAC + LLDP[6:]),
    "LLDP out of order": (lldp.decode, LLDP[:14] + b"\x04\x02\x05e" + LLDP[14:]),
    "LLDP that ends at once": (lldp.decode, LLDP[:14] + b"\0\0"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_no_announcement_is_refused(case: str) -> None:
    decode, data = HOSTILE[case]
    with pytest.raises(DiscoveryError):
        decode(data)


def test_colours_and_line_ends_in_a_name_do_not_reach_the_terminal() -> None:
    heard = mndp.decode(mndp.encode(mac=MAC, identity="a\x1b[31mb\r\nc", version="", board=""))
    assert heard is not None
    assert heard.name == "a [31mb  c"


@pytest.mark.parametrize(
    ("text", "count", "first", "last"),
    [
        ("10.0.0.0/24", 254, "10.0.0.1", "10.0.0.254"),
        ("10.0.0.77/24", 254, "10.0.0.1", "10.0.0.254"),
        ("10.0.0.4/31", 2, "10.0.0.4", "10.0.0.5"),
        ("10.0.0.4/32", 1, "10.0.0.4", "10.0.0.4"),
        ("10.0.0.9", 1, "10.0.0.9", "10.0.0.9"),
        ("10.0.0.250-10.0.1.3", 10, "10.0.0.250", "10.0.1.3"),
        ("10.0.0.5-9", 5, "10.0.0.5", "10.0.0.9"),
        ("10.0.0.1, 10.0.0.1,10.0.0.2", 2, "10.0.0.1", "10.0.0.2"),
        ("10.0.0.0/20", 4094, "10.0.0.1", "10.0.15.254"),
    ],
)
def test_ranges_become_addresses(text: str, count: int, first: str, last: str) -> None:
    found = sweep.addresses([text])
    assert (len(found), found[0], found[-1]) == (count, first, last)


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("", "no_range"),
        ("10.0.0.0/19", "range_large"),
        ("10.0.0.0/8", "range_ceiling"),
        ("10.0.0.300", "range_bad"),
        ("10.0.0.0/33", "range_bad"),
        ("radio", "range_bad"),
        ("10.0.0.9-5", "range_backwards"),
        ("fe80::/64", "range_v6"),
        ("224.0.0.1", "range_bad"),
        ("255.255.255.255", "range_bad"),
        ("0.0.0.0", "range_bad"),
        ("-", "range_bad"),
    ],
)
def test_a_range_that_cannot_be_asked_is_refused_with_its_reason(text: str, context: str) -> None:
    with pytest.raises(sweep.RangeError) as caught:
        sweep.addresses([text])
    assert caught.value.message.context == f"discover.{context}"
    assert f"discover.{context}" in TEXTS


def test_who_insists_may_ask_more_than_a_20_but_never_without_bound() -> None:
    assert len(sweep.addresses(["10.0.0.0/19"], large=True)) == 8190
    with pytest.raises(sweep.RangeError):
        sweep.addresses(["10.0.0.0/8"], large=True)


def test_a_round_asks_everybody_once_and_neighbours_not_one_after_the_other() -> None:
    hosts = sweep.addresses(["10.0.0.0/24"])
    order = sweep.in_order(hosts)
    assert sorted(order) == sorted(hosts)
    assert "10.0.0.2" not in order[:10]
