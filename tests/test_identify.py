"""Which family a device belongs to: prefixes, descriptions, further questions, and what comes first."""

from __future__ import annotations

import pytest

from ayni_core.convert import Raw
from ayni_core.identify import GENERIC, SYS_DESCR, SYS_OBJECT_ID, Answers, Question, decide, holds
from ayni_core.oid_notation import parse
from ayni_core.profile import Check, Rule
from ayni_core.profile_format import read_head
from ayni_core.schema import Faults, Fields
from ayni_io import yamlfile
from ayni_io.profiles import Profiles

NET_SNMP = "1.3.6.1.4.1.8072.3.2.10"


def rules(**families: str) -> list[Rule]:
    found: list[Rule] = []
    for name, text in families.items():
        value, lines = yamlfile.load(f"about: x\nidentify:\n{text}\n", name)
        faults = Faults(name, lines)
        found += read_head(name, Fields(value, "", faults))[1]
        faults.stop()
    return found


def system(object_id: str | None, description: str = "") -> Answers:
    identity: Raw = (6, parse(object_id)) if object_id else (0x80, None)
    return Answers({SYS_OBJECT_ID: identity, SYS_DESCR: (4, description.encode())})


def family(known: list[Rule], answers: Answers, device: dict[str, str] | None = None) -> tuple[str, int]:
    """The family and how many rounds it took; `device` holds texts at further OIDs."""
    there = {parse(oid): text.encode() for oid, text in (device or {}).items()}
    for rounds in range(5):
        step = decide(known, answers)
        if isinstance(step, str):
            return step, rounds
        for oid in step.scalars:
            answers.scalars[oid] = (4, there[oid]) if oid in there else (0x80, None)
        for column in step.columns:
            answers.columns[column] = tuple(
                (4, text) for oid, text in there.items() if oid.startswith(column)
            )
    raise AssertionError("never decided")


def test_the_system_group_is_asked_first() -> None:
    assert decide([], Answers()) == Question((SYS_OBJECT_ID, SYS_DESCR))


@pytest.mark.parametrize(
    ("object_id", "name"),
    [
        ("1.3.6.1.4.1.17713.6", "six"),
        ("1.3.6.1.4.1.17713.6.1", "six"),
        ("1.3.6.1.4.1.17713.60.1", "sixty"),
        ("1.3.6.1.4.1.17713.60", GENERIC),
        ("1.3.6.1.4.1.17713.61", GENERIC),
        ("1.3.6.1.4.1.11863", GENERIC),
        ("1.3.6.1.4.1.11863.1", "below"),
        ("1.3.6.1.4.1.11863.5.3", "longer"),
        (None, GENERIC),
    ],
)
def test_prefixes_hold_for_whole_numbers_and_the_longest_wins(object_id: str | None, name: str) -> None:
    known = rules(
        six="  - object_id: 1.3.6.1.4.1.17713.6",
        sixty="  - object_id: 1.3.6.1.4.1.17713.60.1",
        below="  - object_id: 1.3.6.1.4.1.11863.",
        longer="  - object_id: 1.3.6.1.4.1.11863.5",
    )
    assert family(known, system(object_id)) == (name, 0)


@pytest.mark.parametrize(
    ("description", "device", "name", "rounds"),
    [
        ("Linux UBNT 4.9", {}, "switch", 0),
        ("Linux a 5.10", {'1.3.6.1.4.1.8072.1.3.2.3.1.1."distro"': "OpenWrt 23.05"}, "openwrt", 1),
        ("Linux a 5.10", {"1.3.6.1.4.1.48690.1.3.0": "RUTX11"}, "rutx", 1),
        ("Linux a 5.10", {}, "linux", 1),
        ("\0", {}, "linux", 1),
    ],
)
def test_further_questions_come_in_one_round_and_the_generic_family_last(
    description: str, device: dict[str, str], name: str, rounds: int
) -> None:
    known = rules(
        linux=f"  - object_id: {NET_SNMP}\n    rank: 9",
        openwrt=f"  - object_id: {NET_SNMP}\n"
        "    get: {oid: '1.3.6.1.4.1.8072.1.3.2.3.1.1.\"distro\"', matches: ^OpenWrt}",
        rutx=f"  - object_id: {NET_SNMP}\n    get: {{oid: 1.3.6.1.4.1.48690.1.3.0, matches: ^RUTX}}",
        switch=f"  - object_id: {NET_SNMP}\n    description: ^Linux UBNT",
    )
    assert family(known, system(NET_SNMP, description), device) == (name, rounds)


def test_any_row_of_a_column_can_tell() -> None:
    known = rules(ap="  - object_id: 1.3.6\n    get: {any_row: 1.2.840.1.3, matches: UAP}")
    assert family(known, system("1.3.6.1"), {"1.2.840.1.3.7": "UAP-AC"})[0] == "ap"
    assert family(known, system("1.3.6.1"), {})[0] == GENERIC


def test_negations_leave_out() -> None:
    known = rules(a="  - object_id: 1.3.6\n    not_object_id: 1.3.6.9\n    not_description: '^Not'")
    assert family(known, system("1.3.6.1", "x"))[0] == "a"
    assert family(known, system("1.3.6.9.1", "x"))[0] == GENERIC
    assert family(known, system("1.3.6.1", "Not me"))[0] == GENERIC


@pytest.mark.parametrize(
    ("test", "raw", "expected"),
    [
        (Check(exists=True), (2, 0), True),
        (Check(exists=False), (0x81, None), True),
        (Check(exists=False), (2, 0), False),
        (Check(equals=(1, 2)), (2, 2), True),
        (Check(equals=("up",)), (4, b"up\n"), True),
        (Check(equals=(1,)), (0x80, None), False),
        (Check(differs=(1,)), (0x80, None), True),
        (Check(differs=(1,)), (2, 1), False),
        (Check(above=5, below=9), (4, b"7 dB"), True),
        (Check(above=5), (4, b"no"), False),
        (Check(below=0), (2, 0), False),
    ],
)
def test_conditions(test: Check, raw: Raw, expected: bool) -> None:
    assert holds(test, raw) is expected


@pytest.mark.parametrize(
    ("object_id", "description", "device", "name"),
    [
        ("1.3.6.1.4.1.14988.1", "RouterOS RB951", {}, "routeros"),
        ("1.3.6.1.4.1.14988.2", "CSS106 SwOS v2", {}, "swos"),
        ("1.3.6.1.4.1.10002.1", "Linux 2.6.33 mips", {}, "airos"),
        ("1.3.6.1.4.1.41112.1.4", "Linux 2.6.32 mips", {}, "airos"),
        ("1.3.6.1.4.1.10002.1", "Linux 2.6", {"1.3.6.1.4.1.41112.1.3.2.1.40.1": "v4"}, "airos-af"),
        ("1.3.6.1.4.1.41112.1.4", "Linux 4", {"1.3.6.1.4.1.41112.1.11.1.2.4.1": "v3"}, "airos-af60"),
        ("1.3.6.1.4.1.10002.1", "Linux 3.3", {"1.2.840.10036.3.1.2.1.3.6": "UAP"}, "unifi"),
        ("1.3.6.1.4.1.10002.1", "Linux 3.3", {"1.3.6.1.4.1.41112.1.5.1.1.0": "EP-S16"}, "edgeos-ep"),
        (NET_SNMP, "Linux box 6.1.0 x86_64", {}, "linux"),
        (NET_SNMP, "Linux ap 5.15", {'1.3.6.1.4.1.8072.1.3.2.3.1.1."distro"': "OpenWrt 22"}, "openwrt"),
        (NET_SNMP, "Linux x", {"1.3.6.1.4.1.41112.1.10.1.3.4.0": "v2"}, "airos-af-ltu"),
        (None, "", {}, GENERIC),
        ("1.3.6.1.4.1.1", "something", {}, GENERIC),
    ],
)
def test_shipped_families_are_told_apart(
    object_id: str | None, description: str, device: dict[str, str], name: str
) -> None:
    found, rounds = family(Profiles().rules(), system(object_id, description), device)
    assert found == name
    assert rounds <= 1
