"""Masking: what may not be shared is replaced, the same by the same, and tables still join."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ayni_core.ber import decode_oid
from ayni_core.masking import mask
from ayni_core.masking_addresses import Addresses, is_private
from ayni_core.masking_senses import MOBILE, Senses
from ayni_core.masking_texts import Texts
from ayni_core.metrics import PRIVATE
from ayni_core.profile import Profile
from ayni_core.snmprec import format_snmprec, parse_snmprec
from ayni_io.profiles import Profiles

VENDOR = "1.3.6.1.4.1.99999"


def masked(text: str, senses: Senses | None = None) -> dict[str, str]:
    """OID -> "type|value" of a recording after masking."""
    lines = format_snmprec(mask(parse_snmprec(text), senses).objects).splitlines()
    return {oid: rest for oid, _bar, rest in (line.partition("|") for line in lines)}


def ip(text: str) -> bytes:
    return bytes(map(int, text.split(".")))


# ---- addresses


@pytest.mark.parametrize(
    ("real", "stand_in"),
    [
        ("10.20.2.13", "10.0.1.1"),
        ("172.20.1.9", "172.16.1.1"),
        ("192.168.88.1", "192.168.1.1"),
        ("100.70.1.1", "100.64.1.1"),
        ("190.12.33.44", "198.18.1.1"),
        ("10.20.2.0", "10.0.1.0"),
        ("10.20.2.255", "10.0.1.255"),
    ],
)
def test_an_address_keeps_its_sort(real: str, stand_in: str) -> None:
    assert Addresses().ip4(ip(real)) == ip(stand_in)
    assert is_private(ip(real)) == is_private(ip(stand_in))


@pytest.mark.parametrize(
    "text", ["0.0.0.0", "127.0.0.1", "255.255.255.0", "255.255.255.255", "224.0.0.5", "192.0.0.0"]
)
def test_what_is_nobodys_address_stays(text: str) -> None:
    assert Addresses().ip4(ip(text)) == ip(text)


def test_neighbours_in_a_network_stay_neighbours_and_no_two_become_one() -> None:
    addresses = Addresses()
    real = [bytes((10, net, 7, host)) for net in range(40) for host in range(256)]
    real += [bytes((190, net, 7, 9)) for net in range(256)] + [bytes((8, net, 7, 9)) for net in range(256)]
    found = [addresses.ip4(each) for each in real]
    assert len(set(found)) == len(real)
    assert found == [addresses.ip4(each) for each in real], "the same every time"
    assert all(
        (a[:3] == b[:3]) == (c[:3] == d[:3])
        for a, b, c, d in zip(real, real[1:], found, found[1:], strict=False)
    )


@pytest.mark.parametrize(
    ("real", "stand_in"),
    [
        ("00156daabbcc", "00156d000001"),
        ("ffffffffffff", "ffffffffffff"),
        ("000000000000", "000000000000"),
        ("0180c2000000", "0180c2000000"),
        ("01005e0a0b0c", "01005e000001"),
    ],
)
def test_a_hardware_address_keeps_its_maker(real: str, stand_in: str) -> None:
    assert Addresses().mac(bytes.fromhex(real)).hex() == stand_in


@pytest.mark.parametrize(
    ("real", "stand_in"),
    [
        ("fe800000000000000215" "6dfffeaabbcc", "fe800000000000000000000000000001"),
        ("20010db8aaaabbbb0000000000000001", "20010db8000000010000000000000001"),
        ("fd112233445566770000000000000000", "fd000000000000010000000000000000"),
        ("00000000000000000000ffff0a140201", "00000000000000000000ffff0a000101"),
        ("00000000000000000000000000000001", "00000000000000000000000000000001"),
        ("ff020000000000000000000000000001", "ff020000000000000000000000000001"),
    ],
)  # fmt: skip
def test_ipv6(real: str, stand_in: str) -> None:
    assert Addresses().ip6(bytes.fromhex(real)).hex() == stand_in


# ---- texts


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("-63 dBm", "-63 dBm"),
        ("24.1 V", "24.1 V"),
        ("v6.49.10", "v6.49.10"),
        ("XW.v8.7.1", "text-1"),
        ("not connected", "not connected"),
        ("wlan0", "wlan0"),
        ("Chasqui", "Chasqui"),
        ("familia-perez", "text-1"),
        ("10.20.2.13", "10.0.1.1"),
        ("peer 00:15:6D:AA:BB:CC up", "peer 00:15:6D:00:00:01 up"),
        ("write to maria@perez.example", "write to person-1@example.org"),
        ("psk=hunter22", "psk=secret-1"),
        ("Password: hunter22", "Password: secret-1"),
        ("356938035643809", "serial-1"),
        ("b869f47f4170", "b869f4000001"),
        ("B869.F47F.4170", "B869.F400.0001"),
        ("0:15:6d:aa:b:c", "00:15:6d:00:00:01"),
        ("b8 69 f4 7f 41 70", "b8 69 f4 00 00 01"),
        ("10.20.2.13-eth0", "10.0.1.1-eth0"),
        ("at 10.20.2.13:161.", "at 10.0.1.1:161."),
        ("12 d 03:04:05", "12 d 03:04:05"),
        ("+591 7001 2345", "contact-1"),
        ("SIM of +591 (7) 001-2345 ready", "SIM of contact-1 ready"),
        ("IMEI: 35-693803-564380-9", "IMEI: serial-1"),
        ("modem 35-693803-564380-9", "modem serial-1"),
        ("imsi=736 01 0123456789", "imsi=serial-1"),
        ("MSISDN 7001234", "MSISDN contact-1"),
        ("ICCID 89591010000000000012", "ICCID serial-1"),
        ("+12.5 V", "+12.5 V"),
        ("phone 3", "text-1"),
        ("-13.516312", "text-1"),
        ("peer 2001:db8:1::7 up", "peer 2001:db8:0:1::1 up"),
        ("", ""),
    ],
)
def test_a_vendors_text_stays_only_where_it_is_harmless(text: str, shown: str) -> None:
    texts = Texts(Addresses(), "Chasqui Radio")
    texts.learnt()
    assert texts.vendors(text) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("ether1", "ether1"),
        ("sfp-sfpplus1", "sfp-sfpplus1"),
        ("GigabitEthernet0/1", "GigabitEthernet0/1"),
        ("br-lan", "br-lan"),
        ("ether2-Familia Perez", "ether2-name-1"),
        ("Torre", "name-1"),
    ],
)
def test_the_name_of_an_interface_loses_what_somebody_added(name: str, shown: str) -> None:
    texts = Texts(Addresses())
    texts.learnt()
    assert texts.port(name) == shown


# ---- whole recordings


def test_a_name_is_found_wherever_it_stands() -> None:
    found = masked(
        "1.3.6.1.2.1.1.1.0|4|Linux torre-sur 5.15.0 at torre-sur\n"
        "1.3.6.1.2.1.1.4.0|4|Maria <maria@perez.example>\n"
        "1.3.6.1.2.1.1.5.0|4|torre-sur\n"
        "1.3.6.1.2.1.1.6.0|4|Calle 5\n"
        "1.3.6.1.2.1.31.1.1.1.18.1|4|to Casa Perez\n"
        f"{VENDOR}.1.0|4|hello torre-sur\n"
    )
    assert found == {
        "1.3.6.1.2.1.1.1.0": "4|Linux name-1 5.15.0 at name-1",
        "1.3.6.1.2.1.1.4.0": "4|contact-1",
        "1.3.6.1.2.1.1.5.0": "4|name-1",
        "1.3.6.1.2.1.1.6.0": "4|place-1",
        "1.3.6.1.2.1.31.1.1.1.18.1": "4|text-1",
        f"{VENDOR}.1.0": "4|hello name-1",
    }


def test_an_address_in_an_index_becomes_what_the_value_becomes() -> None:
    found = masked(
        "1.3.6.1.2.1.4.20.1.1.10.20.2.13|64|10.20.2.13\n"
        "1.3.6.1.2.1.4.20.1.3.10.20.2.13|64|255.255.255.0\n"
        "1.3.6.1.2.1.4.22.1.2.3.10.20.2.14|4x|00156daabbcc\n"
        "1.3.6.1.2.1.17.4.3.1.2.0.21.109.170.187.204|2|3\n"
        f"{VENDOR}.3.1.2.0.21.109.170.187.204.7|2|-63\n"
        f"{VENDOR}.4.1.2.10.20.2.13|2|1\n"
        f"{VENDOR}.5.1.2.10.1.1.1|2|1\n"
    )
    assert set(found) == {
        "1.3.6.1.2.1.4.20.1.1.10.0.1.1",
        "1.3.6.1.2.1.4.20.1.3.10.0.1.1",
        "1.3.6.1.2.1.4.22.1.2.3.10.0.1.2",
        "1.3.6.1.2.1.17.4.3.1.2.0.21.109.0.0.1",
        f"{VENDOR}.3.1.2.0.21.109.0.0.1.7",
        f"{VENDOR}.4.1.2.10.0.1.1",
        f"{VENDOR}.5.1.2.10.1.1.1",
    }
    assert found["1.3.6.1.2.1.4.22.1.2.3.10.0.1.2"] == "4x|00156d000001"
    assert found["1.3.6.1.2.1.4.20.1.3.10.0.1.1"] == "64|255.255.255.0"


def test_a_name_in_an_index_is_covered_and_a_scripts_name_stays() -> None:
    perez = ".".join(str(letter) for letter in b"perez")
    clients = ".".join(str(letter) for letter in b"clients-wlan0")
    house = ".".join(str(letter) for letter in b"casa-perez")
    found = masked(
        f"{VENDOR}.6.1.2.5.{perez}|2|1\n{VENDOR}.6.1.2.10.{house}.7.2|2|1\n"
        f"1.3.6.1.4.1.8072.1.3.2.3.1.1.13.{clients}|4|7\n"
    )
    text = ".".join(str(letter) for letter in b"text-")
    assert set(found) == {
        f"{VENDOR}.6.1.2.6.{text}.49",
        f"{VENDOR}.6.1.2.6.{text}.50.7.2",
        f"1.3.6.1.4.1.8072.1.3.2.3.1.1.13.{clients}",
    }


def test_communities_and_users_are_left_out_and_counted() -> None:
    result = mask(parse_snmprec("1.3.6.1.6.3.18.1.1.1.2.1|4|s3cret\n1.3.6.1.6.3.16.1.2.1.3.2.1.97|4|all\n"))
    assert result.objects == {}
    assert result.counts == {"left out": 2}


def test_binary_keys_and_command_lines_are_covered_and_numbers_stay() -> None:
    found = masked(
        f"{VENDOR}.7.0|4x|{'a7' * 32}\n{VENDOR}.8.0|4x|07ea0b150c1e00\n"
        "1.3.6.1.2.1.25.4.2.1.5.12|4|--psk hunter22\n"
        f"{VENDOR}.9.0|2|-63\n{VENDOR}.10.0|70|18446744073709551615\n"
    )
    assert found[f"{VENDOR}.7.0"] == f"4x|{'00' * 32}"
    assert found["1.3.6.1.2.1.25.4.2.1.5.12"] == "4|text-1"
    assert (found[f"{VENDOR}.9.0"], found[f"{VENDOR}.10.0"]) == ("2|-63", "70|18446744073709551615")


def test_what_a_profile_knows_is_used() -> None:
    base = (1, 3, 6, 1, 4, 1, 99999)
    senses = Senses(of={(*base, 1): "ssid", (*base, 2): "own", (*base, 3): "place"})
    found = masked(f"{VENDOR}.1.0|4|casa\n{VENDOR}.2.0|4|Peculiar\n{VENDOR}.3.0|2|-13163141\n", senses)
    assert list(found.values()) == ["4|ssid-1", "4|Peculiar", "2|0"]


TELTONIKA, MIKROTIK = "1.3.6.1.4.1.48690.2.2.1", "1.3.6.1.4.1.14988.1.1.16.1.1"
CISCO, SIERRA = "1.3.6.1.4.1.9.9.661.1.3.1.1", "1.3.6.1.4.1.20542.9.1.1.1"


def test_numbers_of_modems_sim_cards_and_telephones_are_covered_whatever_their_form() -> None:
    """Texts, short ones, packed digits, plain numbers: where they stand counts, not what they look like."""
    found = masked(
        f"{TELTONIKA}.3.1|4|350000000000006\n{TELTONIKA}.7.1|4|350000000000006\n{TELTONIKA}.7.2|4|MPH22FA07\n"
        f"{TELTONIKA}.8.1|4x|0729360110325476\n{TELTONIKA}.27.1|70|89591010000000012\n"
        f"{MIKROTIK}.12.1|4|7360101\n{CISCO}.4.7|4|70012345\n{SIERRA}.17.0|4x|950710325476\n"
        f"{VENDOR}.1.0|4|call 70012345 or 350000000000006\n{TELTONIKA}.12.1|2|-71\n"
    )
    assert found == {
        f"{CISCO}.4.7": "4|contact-1",
        f"{MIKROTIK}.12.1": "4|serial-1",
        f"{SIERRA}.17.0": "4|contact-2",
        f"{TELTONIKA}.3.1": "4|serial-2",
        f"{TELTONIKA}.7.1": "4|serial-2",
        f"{TELTONIKA}.7.2": "4|serial-3",
        f"{TELTONIKA}.8.1": "4|serial-4",
        f"{TELTONIKA}.12.1": "2|-71",
        f"{TELTONIKA}.27.1": "70|0",
        f"{VENDOR}.1.0": "4|call contact-1 or serial-2",
    }


@pytest.mark.parametrize("counted", [False, True])
def test_a_long_number_in_an_index_is_covered(counted: bool) -> None:
    def arcs(text: str) -> str:
        return ".".join(map(str, ([len(text)] if counted else []) + list(text.encode())))

    found = masked(f"{VENDOR}.6.1.2.{arcs('350000000000006')}|2|1\n{VENDOR}.6.1.3.{arcs('1234')}|2|1\n")
    assert set(found) == {f"{VENDOR}.6.1.2.{arcs('serial-1')}", f"{VENDOR}.6.1.3.{arcs('1234')}"}


def test_no_profile_publishes_the_number_of_a_modem_a_sim_card_or_a_telephone() -> None:
    """Neither by its name, which stays at the site, nor as something else, such as a serial number."""
    profiles = Profiles()
    for name in profiles.names():
        private = [metric for oid, metric in everything_read(profiles.load(name)) if is_mobile(oid)]
        assert PRIVATE.issuperset(private), name


def is_mobile(oid: bytes) -> bool:
    return any(decode_oid(oid)[: len(arcs)] == arcs for arcs in MOBILE)


def everything_read(profile: Profile) -> Iterator[tuple[bytes, str]]:
    """Every OID that a profile has asked for, and what it makes of it."""
    for part in profile.parts:
        for metric, sources in part.system.items():
            for source in sources:
                yield from ((oid, metric) for oid in (source.oid, source.any_row, *source.join) if oid)
        for reading in (*part.scalars, *(each for table in part.tables for each in table.readings)):
            yield reading.source, reading.metric


def test_a_recording_is_written_as_it_is_read() -> None:
    text = (
        "1.3.6.1.2.1.1.1.0|4|Peña | two bars\n1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.1\n1.3.6.1.2.1.1.3.0|67|5\n"
        "1.3.6.1.2.1.1.4.0|4|\n1.3.6.1.2.1.1.5.0|4x|0a20\n1.3.6.1.2.1.1.6.0|4x|20\n"
        "1.3.6.1.2.1.1.7.0|5|\n1.3.6.1.2.1.1.8.0|64|10.0.0.1\n1.3.6.1.2.1.1.9.1|68x|9f7804\n"
    )
    assert format_snmprec(parse_snmprec(text), ["a note"]) == f"# a note\n{text}"
