"""What a device was found to be is remembered, until it says something else of itself."""

from __future__ import annotations

import asyncio

import pytest

from ayni_agent import identities
from ayni_agent.poller import Poller
from ayni_core.identify import GENERIC, Identity
from ayni_core.mibview import MibView
from ayni_core.snmprec import parse_snmprec
from ayni_io.profiles import Profiles
from ayni_io.snmp_recording import RecordedReader

SYSTEM = "1.3.6.1.2.1.1.1.0|4|{}\n1.3.6.1.2.1.1.2.0|6|{}\n1.3.6.1.2.1.1.3.0|67|4200\n"
LINUX = SYSTEM.format("Linux a 5.10", "1.3.6.1.4.1.8072.3.2.10")
MIKROTIK = SYSTEM.format("RouterOS hAP", "1.3.6.1.4.1.14988.1")


def poller(objects: str, remembered: Identity | None = None) -> Poller:
    return Poller("x", RecordedReader(MibView(parse_snmprec(objects))), Profiles(), remembered=remembered)


def test_what_is_remembered_is_not_asked_again() -> None:
    fresh = poller(LINUX)
    assert asyncio.run(fresh.poll(0)).error is None
    again = poller(LINUX, identities.unpack(identities.pack({"x": fresh.identity}))["x"])
    asyncio.run(again.poll(0))
    assert (again.family, fresh.family) == ("linux", "linux")
    assert again.cost.pdus < fresh.cost.pdus


def test_another_device_in_its_place_is_asked_what_it_is() -> None:
    known = poller(LINUX)
    asyncio.run(known.poll(0))
    swapped = poller(MIKROTIK, known.identity)
    assert asyncio.run(swapped.poll(0)).error is None
    assert (swapped.family, swapped.identity.family) == ("routeros", "routeros")


def test_what_was_not_recognised_is_not_remembered() -> None:
    raw = (4, b"?")
    assert identities.unpack(identities.pack({"x": Identity(GENERIC, raw, raw)})) == {}


@pytest.mark.parametrize(
    "data",
    [
        None,
        b"",
        b"nonsense",
        b"[]",
        b"[1, 2, 3]",
        b'["0.0.0", {"x": ["linux", [4, "00"], [4, "00"]]}]',
        b"\xff",
    ],
)
def test_what_cannot_be_used_is_forgotten(data: bytes | None) -> None:
    assert identities.unpack(data) == {}


@pytest.mark.parametrize("entry", ["[]", '["linux", [4, "zz"], [4, "00"]]', '["linux", ["a", "00"], 3]', "7"])
def test_a_damaged_entry_is_no_error(entry: str) -> None:
    version = identities.pack({}).split(b'"')[1].decode()
    assert identities.unpack(f'["{version}", {{"x": {entry}}}]'.encode()) == {}
