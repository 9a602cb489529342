"""`ayni agent discover` and `card`: what is there is found, closed is told from open, nobody is flooded."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import closed_device
import parts
import pytest

from ayni_agent import command_card, command_discover
from ayni_agent.discovery.asking import neighbours, who_is
from ayni_agent.discovery.probing import Probing
from ayni_agent.discovery.search import Search, Wanted
from ayni_core.discovery.cards import PLACES, card_for, read_card
from ayni_core.discovery.found import FoundDevice
from ayni_core.discovery.sweep import MOST_TO_ONE_PER_S
from ayni_core.mibview import MibView
from ayni_core.schema import ConfigError
from ayni_core.snmprec import parse_snmprec
from ayni_io import cards, netlook, yamlfile
from ayni_io.i18n import LANGUAGES
from ayni_io.profiles import Profiles
from ayni_io.secret import Secret
from ayni_io.snmp_access import Access, of_user
from ayni_io.snmp_recording import RecordedReader

AYNI = [sys.executable, "-P", "-m", "ayni_io.cli"]
RANGE = tuple(f"127.0.0.{last}" for last in range(10, 26))
PASSWORD = "el-perro-duerme"


@pytest.fixture
def ports() -> tuple[int, int, int]:
    """SNMP, MNDP, Ubiquiti's."""
    return tuple(parts.free_port(socket.SOCK_DGRAM) for _each in range(3))  # type: ignore[return-value]


@contextlib.asynccontextmanager
async def village(
    folder: Path, ports: tuple[int, int, int]
) -> AsyncIterator[list[closed_device.ClosedDevice]]:
    """A router and two radios, all closed; file N in the folder opens the Nth."""
    devices = [
        closed_device.ClosedDevice(kind, f"127.0.0.{11 + at}", name, opened=folder / str(at), ports=ports)
        for at, (kind, name) in enumerate((("routeros", "torre"), ("airos", "Escuela"), ("airos", "Cerro")))
    ]
    tasks = [asyncio.ensure_future(device.serve()) for device in devices]
    await asyncio.sleep(0.15)
    try:
        yield devices
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def search(ports: tuple[int, int, int], access: Access) -> tuple[FoundDevice, ...]:
    wanted = Wanted(
        hosts=RANGE,
        whole=False,
        access=access,
        listen_s=0,
        rate=500,
        round_s=0.25,
        port=ports[0],
        mndp_port=ports[1],
        ubnt_port=ports[2],
    )
    one = Search(wanted, Profiles(), lambda: None)
    await one.run()
    return one.devices()


def test_closed_devices_tell_of_themselves_and_open_ones_say_what_they_are(
    tmp_path: Path, ports: tuple[int, int, int]
) -> None:
    """First all are closed; then one answers this community, one another, one a user of version 3."""

    async def walk() -> None:
        async with village(tmp_path, ports) as devices:
            public = Access(version="2c", community=b"public")
            found = {device.address: device for device in await search(ports, public)}
            told = {(each.name, each.maker, each.snmp, each.family) for each in found.values() if each.name}
            assert told == {
                ("torre", "MikroTik", "closed", ""),
                ("Escuela", "Ubiquiti", "closed", ""),
                ("Cerro", "Ubiquiti", "closed", ""),
            }
            known = cards.load()
            suited = {card.name for each in found.values() if each.name and (card := card_for(known, each))}
            assert suited == {"routeros", "airos"}

            (tmp_path / "0").write_text("public")
            (tmp_path / "1").write_text("secret")
            (tmp_path / "2").write_text(f"ayni {PASSWORD}")
            await asyncio.sleep(0.15)
            for device in devices:
                device.asked.clear()
            found = {device.name: device for device in await search(ports, public)}
            torre = found["torre"]
            assert (torre.snmp, torre.family, torre.version) == ("open", "routeros", "7.15.3")
            assert torre.macs == (devices[0].mac.hex(":"),)
            assert set(torre.heard_by) >= {"snmp"}
            assert found["Escuela"].snmp == "closed", "a wrong community of v2c is silence"
            assert found["Cerro"].snmp == "denied", "an engine of version 3 says that it is there"
            for device in devices:
                times = device.asked
                busiest = max(sum(at <= each < at + 1 for each in times) for at in times)
                assert busiest <= MOST_TO_ONE_PER_S

            user = of_user("ayni", ("SHA", Secret(PASSWORD)), ("AES", Secret(PASSWORD)))
            found = {device.name: device for device in await search(ports, user)}
            assert (found["Cerro"].snmp, found["Cerro"].family) == ("open", "airos")
            wrong = of_user("ayni", ("SHA", Secret("not-the-password")), None)
            found = {device.address: device for device in await search(ports, wrong)}
            assert found["127.0.0.13"].snmp == "denied"

    asyncio.run(walk())


def run(*words: str, status: int | None = 0) -> str:
    done = subprocess.run(
        [*AYNI, *words], capture_output=True, text=True, timeout=60, env={**os.environ, "AYNI_LANG": "en"}
    )
    said = done.stdout + done.stderr
    assert "Traceback" not in said, said
    if status is not None:
        assert done.returncode == status, said
    return said


def test_the_command_finds_a_real_agent_and_prints_json(snmpd_port: int, tmp_path: Path) -> None:
    community = tmp_path / "c"
    community.write_bytes(parts.SNMPD_COMMUNITY)
    words = (
        "agent",
        "discover",
        "127.0.0.1",
        "--port",
        str(snmpd_port),
        "--for",
        "0",
        "--round",
        "0.2",
        "--json",
    )
    found = json.loads(run(*words, "--community", f"@{community}"))
    (device,) = found["devices"]
    assert (device["snmp"], device["family"], device["name"]) == ("open", "linux", "school-router")
    assert found["finished"] is True
    assert 3 < found["packets"] < 40
    said = run(*words[:-1])  # the community "public": snmpd speaks version 3, so it is known to be there
    assert "SNMP refuses us" in said
    assert "1 device; SNMP answers on 0." in said


def test_interrupted_it_keeps_what_was_found(tmp_path: Path, ports: tuple[int, int, int]) -> None:
    """Ctrl+C while it listens: the object is printed all the same, and says that it is not finished."""

    async def walk() -> None:
        async with village(tmp_path, ports):
            process = await asyncio.create_subprocess_exec(
                *AYNI, "agent", "discover", "127.0.0.11-13", "--json", "--for", "600", "--round", "0.2",
                "--port", str(ports[0]), "--mndp-port", str(ports[1]), "--ubnt-port", str(ports[2]),
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            await asyncio.sleep(3.5)
            process.send_signal(signal.SIGINT)
            out, err = await asyncio.wait_for(process.communicate(), 10)
            assert process.returncode == 130, err
            found = json.loads(out)
            assert found["finished"] is False
            assert {device["name"] for device in found["devices"]} == {"torre", "Escuela", "Cerro"}

    asyncio.run(walk())


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("10.0.0.0/8",), "too many"),
        (("10.0.0.0/19",), "--yes"),
        (("10.0.0.9-3",), "before its beginning"),
        (("torre",), "expected 10.0.0.0/24"),
        (("10.0.0.1", "--community", "public"), "@FILE"),
        (("10.0.0.1", "--user", "ana"), "--version 3"),
        (("10.0.0.1", "--from", "10.0.0.2"), "not both"),
    ],
)
def test_a_mistake_is_told_in_a_line_and_nothing_is_sent(words: tuple[str, ...], hint: str) -> None:
    with pytest.raises(ConfigError, match=hint):
        command_discover.main(words)


ROUTER = """\
1.3.6.1.2.1.1.1.0|4|RouterOS \x1b[31mRB951
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.14988.1
1.3.6.1.2.1.1.5.0|4|tor\x1b[2Jre
1.3.6.1.2.1.4.22.1.2.1.10.0.0.5|4x|744d28000001
1.3.6.1.2.1.4.22.1.2.1.10.0.0.200|4x|744d28000002
1.3.6.1.2.1.4.22.1.2.1.224.0.0.1|4x|01005e000001
1.3.6.1.2.1.4.22.1.2.9|4x|744d28000009
1.3.6.1.4.1.14988.1.1.11.1.1.2.1|64|192.168.88.7
1.3.6.1.4.1.14988.1.1.11.1.1.2.2|64|0.0.0.0
"""


def test_the_tables_of_a_device_name_others_and_its_texts_are_harmless() -> None:
    """Only addresses of hosts; a name cannot draw on the terminal."""
    view = MibView(parse_snmprec(ROUTER))
    found = asyncio.run(neighbours(RecordedReader(view)))
    assert {one.address: one.macs for one in found} == {
        "10.0.0.5": ("74:4d:28:00:00:01",),
        "10.0.0.200": ("74:4d:28:00:00:02",),
        "192.168.88.7": (),
    }
    who = asyncio.run(who_is("10.0.0.1", RecordedReader(view), Profiles()))
    assert (who.family, who.snmp, who.name) == ("routeros", "open", "tor [2Jre")
    assert who.model.isprintable()


def test_whatever_answers_on_the_port_nothing_is_believed_that_is_not_snmp() -> None:
    """Random octets, our own request echoed, an answer to another request: the device is there, no more."""
    chance = Random(7)

    def answer(data: bytes) -> list[bytes]:
        other = data[:-30] + chance.randbytes(30)
        return [chance.randbytes(chance.randrange(1, 90)), data, other, b""]

    async def walk() -> None:
        async with parts.UdpAgent.serving(answer) as agent:
            for access in (Access(version="2c", community=b"public"), of_user("ayni", None, None)):
                probing = Probing(access, agent.port, round_s=0.1)
                try:
                    await probing.rounds(["127.0.0.1"], lambda: None, lambda _hosts: set())
                finally:
                    probing.close()
                assert "127.0.0.1" not in probing.outcomes

    asyncio.run(walk())


# ---- cards


def test_every_card_is_complete_in_its_languages_and_speaks_of_this_monitor() -> None:
    """All texts in every language of Ayni, the same places in each; a way that can be limited names the
    monitor."""
    families = set(Profiles().names())
    for card in cards.load().values():
        assert set(card.families) <= families, card.name
        texts = [*card.notes, *(text for way in card.ways for text in (way.where, *way.steps))]
        for text in texts:
            assert set(text) == set(LANGUAGES), (card.name, text)
            places = {
                language: {each for each in PLACES if f"{{{each}}}" in said}
                for language, said in text.items()
            }
            assert len(set(map(frozenset, places.values()))) == 1, (card.name, text)
        for way in card.ways:
            said = " ".join([*way.lines, *(step["en"] for step in way.steps)])
            secret = "{auth}" if way.version == "3" else "{community}"
            assert secret in said, (card.name, way.version)


def test_the_needed_families_have_a_card() -> None:
    words = "routeros airos airfiber-ltu unifi edgeos uisp openwrt epmp pmp mimosa tplink teltonika ligowave"
    needed = {*words.split(), "linux", "generic"}
    assert needed <= set(cards.load())


@pytest.mark.parametrize(
    ("device", "name"),
    [
        (FoundDevice(heard_by=("mndp",), maker="MikroTik", model="RB951"), "routeros"),
        (FoundDevice(heard_by=("mndp",), maker="MikroTik", model="CSS326-24G", version="SwOS 2.13"), "swos"),
        (FoundDevice(heard_by=("mndp",), maker="Mimosa", model="B5c"), "mimosa"),
        (FoundDevice(heard_by=("ubnt",), maker="Ubiquiti", model="LiteBeam 5AC Gen2"), "airos"),
        (
            FoundDevice(heard_by=("ubnt",), maker="Ubiquiti", model="N5N", version="XM.ar7240.v5.6.15"),
            "airos",
        ),
        (FoundDevice(heard_by=("ubnt",), maker="Ubiquiti", model="AF-5XHD"), "airfiber-ltu"),
        (FoundDevice(heard_by=("ubnt",), maker="Ubiquiti", model="LTU-Rocket"), "airfiber-ltu"),
        (FoundDevice(heard_by=("ubnt",), maker="Ubiquiti", model="EdgeRouter X 5-Port"), "edgeos"),
        (FoundDevice(heard_by=("ubnt",), maker="Ubiquiti", model="UAP-AC-Lite"), "unifi"),
        (FoundDevice(heard_by=("snmp",), family="airos", snmp="open"), "airos"),
        (FoundDevice(heard_by=("lldp",), maker="Teltonika RUTX11"), "teltonika"),
        (FoundDevice(heard_by=("arp",), macs=("00:1e:42:00:00:01",)), "teltonika"),
        (FoundDevice(heard_by=("arp",), macs=("00:00:00:00:00:01",)), None),
    ],
)
def test_a_device_gets_the_card_that_suits_it(device: FoundDevice, name: str | None) -> None:
    card = card_for(cards.load(), device)
    assert (card.name if card else None) == name


BROKEN = """\
title: X
know: {says: ["("], heard_by: [smoke], oui: ["AA:BB:CC"]}
ways:
  - version: "4"
    where: {es: "Aquí"}
    steps: [{en: "type {passwort}"}]
  - version: "3"
    where: {en: "here"}
colour: red
"""


def test_every_fault_of_a_card_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(BROKEN)
    with pytest.raises(ConfigError) as caught:
        yamlfile.read(path, lambda fields: read_card("x", fields), "x.yaml")
    for hint in (
        "no regular expression",
        '"smoke"',
        '"AA:BB:CC"',
        'unknown value "4"',
        "in English",
        "{passwort}",
        "or lines to type",
        "colour: unknown key",
    ):
        assert hint in str(caught.value)
    assert all(fault.startswith("x.yaml:") for fault in caught.value.faults)


def test_a_card_names_the_addresses_of_both_sides(capsys: pytest.CaptureFixture[str]) -> None:
    def said(*words: str) -> str:
        assert command_card.main(words) == 0
        return capsys.readouterr().out

    card = said("routeros", "--device", "127.0.0.9")
    assert "addresses=127.0.0.1/32" in card
    assert max(map(len, (line for line in card.splitlines() if not line.startswith("    /")))) <= 80
    assert "https://127.0.0.9" in said("airos", "--device", "127.0.0.9")
    assert "airfiber-ltu" in said("--list")
    assert "airFiber" in said("airos-af"), "a profile's name leads to its card"
    with pytest.raises(ConfigError, match='did you mean "routeros"'):
        command_card.main(["routeros2"])


def test_this_machine_knows_its_own_addresses() -> None:
    assert netlook.address_toward("127.0.0.9") == "127.0.0.1"
    for each in netlook.own_addresses():
        assert not each.interface.ip.is_loopback
        assert each.text in str(each.interface)
