"""Traps: what they mean, how many are told, and real ones sent by net-snmp to a listener and to an agent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from parts import free_port, need, running, snmpd, wait_until

from ayni_agent import config as agent_config
from ayni_agent.command_run import set_up
from ayni_agent.reload import read_again
from ayni_agent.traps import settings
from ayni_agent.traps.listener import Traps
from ayni_agent.traps.settings import TrapAccess
from ayni_core import inventory, slices
from ayni_core.readings import Poll, Row, Series
from ayni_core.schema import ConfigError, Faults, Fields
from ayni_core.slices import BrokerFacts
from ayni_core.texts import TEXTS
from ayni_core.trapaccess import TrapsConfig
from ayni_core.traps import PER_MINUTE, Teller, Trap, read_meanings
from ayni_core.usm_keys import UsmUser
from ayni_core.wire.note import FrameNote
from ayni_io import sockets, trap_maps
from ayni_io.snmp_access import Access

LINK_DOWN, COLD_START = "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.6.3.1.1.5.1"
ALARM = "1.3.6.1.2.1.33.1.6.2.1.2.9"
IF_INDEX_3 = ("1.3.6.1.2.1.2.2.1.1.3", "3")
USER = UsmUser(
    name=b"guard", auth="SHA", auth_password=b"quite long secret", priv="AES", priv_password=b"another secret"
)


# ---- what they mean


def told(teller: Teller, trap: Trap, now_s: float = 0.0, **ports: str) -> tuple[str, Mapping[str, object]]:
    note = teller.take("cerro", trap, now_s, {key.removeprefix("i"): name for key, name in ports.items()})
    return (note.text.context, note.text.values) if note else ("", {})


def test_a_link_trap_names_the_interface_as_the_polls_do_or_as_it_brings_it() -> None:
    meanings = trap_maps.load()
    down = Trap(oid=LINK_DOWN, binds=(IF_INDEX_3,))
    assert told(Teller(meanings), down, i3="ether3") == (
        "note.trap_link_down", {"device": "cerro", "port": "ether3"},
    )  # fmt: skip
    assert told(Teller(meanings), down)[1]["port"] == "port 3"
    named = Trap(oid=LINK_DOWN, binds=(("1.3.6.1.2.1.31.1.1.1.1.3", "wlan1"),))
    assert told(Teller(meanings), named)[1]["port"] == "wlan1"


@pytest.mark.parametrize(
    ("oid", "binds", "says", "level"),
    [
        (COLD_START, (), "cold_start", "warn"),
        ("1.3.6.1.6.3.1.1.5.5", (), "auth", "note"),
        ("1.3.6.1.4.1.318.0.5", (), "on_battery", "warn"),
        ("1.3.6.1.4.1.318.0.7", (), "battery_low", "critical"),
        ("1.3.6.1.2.1.33.2.0.1", (), "on_battery", "warn"),
        ("1.3.6.1.2.1.33.2.3", ((ALARM, "1.3.6.1.2.1.33.1.6.3.3"),), "battery_low", "critical"),
        ("1.3.6.1.2.1.33.2.4", ((ALARM, "1.3.6.1.2.1.33.1.6.3.2"),), "on_mains", "clear"),
        ("1.3.6.1.2.1.33.2.3", ((ALARM, "1.3.6.1.4.1.9.9"),), "alarm", "warn"),
        ("1.3.6.1.4.1.99999.0.1", (), "unknown", "info"),
    ],
)  # fmt: skip
def test_known_traps_say_what_happened(
    oid: str, binds: tuple[tuple[str, str], ...], says: str, level: str
) -> None:
    note = Teller(trap_maps.load()).take("cerro", Trap(oid=oid, binds=binds), 1.0, {})
    assert note is not None
    assert (note.text.context, note.level, note.device) == (f"note.trap_{says}", level, "cerro")
    TEXTS[note.text.context].format(**note.text.values)  # every place is filled


def test_every_fault_of_a_file_is_told() -> None:
    faults = Faults("own.yaml")
    given = {
        "about": "x",
        "traps": [
            {"oid": "1.3.6.x", "says": "cold_start"},
            {"oid": "1.3.6.1", "says": "cold_strat", "levle": "warn"},
            {"says": "alarm"},
            {"oid": ["1.3.6.2", "1.3.6.2"], "says": "fan", "value": "7"},
        ],
    }
    read_meanings(fields := Fields(given, "", faults))
    fields.done()
    told = "\n".join(faults.found)
    for part in (
        "traps[0].oid", 'did you mean "cold_start"', "traps[1].levle: unknown key",
        "traps[2].what: is missing", "traps[2].oid: is missing", "traps[3].value: needs what",
        "traps[3].oid: 1.3.6.2 stands above already",
    ):  # fmt: skip
        assert part in told, part


# ---- how many are told


def test_a_device_that_flaps_is_told_ten_times_a_minute_and_the_rest_in_one_line() -> None:
    teller = Teller(trap_maps.load())
    notes = [
        teller.take("cerro", Trap(oid=LINK_DOWN, binds=((IF_INDEX_3[0], str(n)),)), n / 10, {})
        for n in range(500)
    ]
    assert sum(note is not None for note in notes) == PER_MINUTE
    assert teller.due(50.0) == []
    [line] = teller.due(70.0)
    assert line.text.values == {"device": "cerro", "n": 490}
    assert teller.due(200.0) == []
    assert teller.take("valle", Trap(oid=COLD_START), 5.0, {}) is not None


def test_a_flood_of_many_hours_takes_a_bounded_number_of_lines() -> None:
    teller = Teller(trap_maps.load())
    lines = 0
    for second in range(4 * 3600):
        for device in ("a", "b", "c", "d"):
            trap = Trap(oid=LINK_DOWN, binds=((IF_INDEX_3[0], str(second)),))
            lines += teller.take(device, trap, float(second), {}) is not None
        lines += len(teller.due(float(second)))
    assert lines <= 4 * (120 + 4 * 6)


def test_the_same_trap_again_and_an_unknown_one_are_told_once() -> None:
    teller = Teller(trap_maps.load())
    trap, odd = Trap(oid=LINK_DOWN, binds=(IF_INDEX_3,)), Trap(oid="1.3.6.1.4.1.5.0.1")
    told = [teller.take("a", each, at_s, {}) for each, at_s in ((trap, 0), (trap, 5), (trap, 30))]
    assert [note is not None for note in told] == [True, False, True]
    told = [teller.take("a", odd, at_s, {}) for at_s in (0, 100, 9000)]
    assert [note is not None for note in told] == [True, False, False]
    many = [teller.take("b", Trap(oid=f"1.3.6.1.4.1.5.0.{n}"), 600.0 * n, {}) for n in range(100)]
    assert sum(note is not None for note in many) == 32


def test_strangers_are_counted_and_told_once_an_hour_and_take_no_room() -> None:
    teller = Teller({})
    for number in range(10_000):
        teller.stranger(f"10.0.{number // 256 % 256}.{number % 256}", 1.0)
    teller.stranger("10.0.0.7", 2.0)
    assert teller.due(3000.0) == []
    [line] = teller.due(3700.0)
    assert line.text.context == "note.trap_strangers"
    assert (line.text.values["n"], str(line.text.values["addresses"])[:9]) == (10_001, "10.0.0.7,")
    assert teller.due(9000.0) == []


# ---- configuration


def test_the_section_goes_from_a_node_of_the_network_into_its_agents_file() -> None:
    section = {
        "listen": "[::]:1162",
        "communities": ["file:/s/traps"],
        "users": [{"user": "guard", "auth": {"protocol": "SHA", "password": "file:/s/guard"}}],
    }
    network = {
        "network": {"title": "Red"},
        "sites": {"torre": {}},
        "nodes": {"torre-pi": {"site": "torre", "traps": section}},
        "devices": {"a": {"site": "torre", "address": "10.0.0.1", "community": "file:/s/public"}},
    }
    faults = Faults("network.yaml")
    found = inventory.parse(Fields(network, "", faults))
    faults.stop()
    sliced = slices.agent(found, "torre-pi", BrokerFacts(secrets="/s"))
    assert sliced["traps"] == section
    config = agent_config.parse(Fields(sliced, "", faults))
    faults.stop()
    assert config.traps is not None
    assert (config.traps.host, config.traps.port, config.traps.users[0].user) == ("::", 1162, "guard")
    with pytest.raises(ConfigError) as caught:
        settings.resolve(config.traps, "agent.yaml")
    assert [fault.split(": ")[1] for fault in caught.value.faults] == [
        "traps.communities[0]", "traps.users[0].auth.password",
    ]  # fmt: skip


def test_faults_of_the_section_are_told() -> None:
    faults = Faults("agent.yaml")
    given = {"traps": {"listen": "162", "communities": ["public"], "user": []}}
    agent_config.read_traps(Fields(given, "", faults))
    assert len(faults.found) == 3
    assert "public" not in "".join(faults.found)


# ---- real ones


class Ear:
    """A listener on loopback whose device stands at 127.0.0.1."""

    def __init__(self, traps: Traps) -> None:
        self.traps = traps
        self.notes: list[FrameNote] = []
        self.polled: list[str] = []

    def says(self) -> list[str]:
        return [note.text.context.removeprefix("note.trap_") for note in self.notes]

    async def send(self, program: str, *options: str) -> int:
        """net-snmp's own program; its exit status."""
        nowhere = {"SNMP_PERSISTENT_DIR": "/nonexistent", "SNMPCONFPATH": "/nonexistent", "MIBS": ""}
        process = await asyncio.create_subprocess_exec(
            need(program), *options, env=os.environ | nowhere, stderr=subprocess.DEVNULL
        )
        return await process.wait()

    async def hears(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.notes) < count:
                await asyncio.sleep(0.01)


def device(host: str = "127.0.0.1", name: str = "cerro") -> agent_config.DeviceConfig:
    faults = Faults("agent.yaml")
    given = {"node": "n", "broker": {}, "devices": {name: {"address": host, "community": "file:/s"}}}
    return agent_config.parse(Fields(given, "", faults)).devices[name]


@contextlib.asynccontextmanager
async def listening(
    access: Access | None = None,
    more: TrapAccess | None = None,
    host: str = "127.0.0.1",
    listen: str = "127.0.0.1",
) -> AsyncIterator[Ear]:
    port = free_port(socket.SOCK_DGRAM)

    async def hurry(name: str) -> None:
        ear.polled.append(name)

    traps = Traps(TrapsConfig(host=listen, port=port), lambda note: ear.notes.append(note), hurry)
    ear = Ear(traps)
    access = access or Access(version="2c", community=b"village")
    traps.use({"cerro": device(host)}, {"cerro": access}, more)
    task = asyncio.create_task(traps.run())
    while not traps.port:
        await asyncio.sleep(0.001)
    try:
        yield ear
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def at(ear: Ear) -> str:
    return f"127.0.0.1:{ear.traps.port}"


def test_traps_and_informs_of_v1_and_v2c_are_told_and_the_device_is_polled() -> None:
    async def work() -> None:
        async with listening() as ear:
            names = {Series("interface", "ether3", "if_index"): 3}
            ear.traps.seen(Poll(device="cerro", at_s=0.0, values=Row.of(names)))
            v2 = ("-v", "2c", "-c", "village")
            bind = (IF_INDEX_3[0], "i", "3")
            assert await ear.send("snmptrap", *v2, at(ear), "", LINK_DOWN, *bind) == 0
            await ear.hears(1)
            assert ear.notes[0].text.values == {"device": "cerro", "port": "ether3"}
            assert await ear.send("snmpinform", *v2, "-t", "2", at(ear), "", COLD_START) == 0  # acknowledged
            v1 = ("-v", "1", "-c", "village")
            own = ("1.3.6.1.4.1.318", "127.0.0.1", "6", "5", "55")
            assert await ear.send("snmptrap", *v1, at(ear), *own) == 0
            await ear.hears(3)
            assert ear.says() == ["link_down", "cold_start", "on_battery"]
            assert ear.polled == ["cerro"]  # three traps at once are one reason

    asyncio.run(work())


V3 = (
    "-v", "3", "-u", "guard", "-l", "authPriv", "-a", "SHA", "-A", "quite long secret", "-x", "AES",
    "-X", "another secret",
)  # fmt: skip


@pytest.mark.parametrize("whose", ["device", "listed"])
def test_traps_and_informs_of_v3_are_believed_by_keys_of_either_engine(whose: str) -> None:
    async def work() -> None:
        user = Access(version="3", user=USER)
        access = user if whose == "device" else None
        more = None if whose == "device" else TrapAccess(users=(user,))
        async with listening(access, more) as ear:
            for engine, oid in (("0x8000000001020304", COLD_START), ("0x80000000ffee0011", LINK_DOWN)):
                assert await ear.send("snmptrap", *V3, "-e", engine, at(ear), "7", oid) == 0
            await ear.hears(2)
            assert await ear.send("snmpinform", *V3, "-t", "2", at(ear), "7", "1.3.6.1.6.3.1.1.5.5") == 0
            await ear.hears(3)
            assert sorted(ear.says()) == ["auth", "cold_start", "link_down"]

    asyncio.run(work())


def test_a_socket_for_both_families_hears_and_answers_over_ipv4() -> None:
    """So is the one of systemd: it sees an address such as ::ffff:10.0.0.1."""

    async def work() -> None:
        async with listening(Access(version="3", user=USER), listen="::") as ear:
            assert await ear.send("snmpinform", *V3, "-t", "2", at(ear), "7", COLD_START) == 0
            await ear.hears(1)
            assert ear.says() == ["cold_start"]

    asyncio.run(work())


def test_what_cannot_be_believed_is_counted_and_never_told() -> None:
    """Wrong community, wrong password, less protection than agreed, an unknown user, nonsense."""

    async def work() -> None:
        async with listening(Access(version="3", user=USER)) as ear:
            wrong = [*V3[:9], "not the secret at all", *V3[10:]]
            weak = ["-v", "3", "-u", "guard", "-l", "noAuthNoPriv"]
            stranger = ["-v", "3", "-u", "nobody", "-l", "noAuthNoPriv"]
            engine = ["-e", "0x8000000001020304", at(ear), "7", COLD_START]
            for options in (wrong, weak, stranger, ["-v", "2c", "-c", "public"]):
                rest = engine if options[1] == "3" else [at(ear), "", COLD_START]
                assert await ear.send("snmptrap", *options, *rest) == 0
            some = random.Random(11)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for size in (0, 1, 2, 50, 1400, 8000):
                    sender.sendto(some.randbytes(size), ("127.0.0.1", ear.traps.port))
                sender.sendto(b"\x30\x82\xff\xff\x02\x01\x01", ("127.0.0.1", ear.traps.port))
            await ear.send("snmptrap", *V3, *engine)
            await ear.hears(1)
            assert ear.says() == ["cold_start"]
            [line] = ear.traps._teller.due(1e9)
            assert line.text.context == "note.trap_refused"
            assert 9 <= int(str(line.text.values["n"])) <= 11

    asyncio.run(work())


def test_a_message_from_elsewhere_is_counted_and_not_looked_into() -> None:
    async def work() -> None:
        async with listening(host="127.0.0.9") as ear:
            assert await ear.send("snmptrap", "-v", "2c", "-c", "village", at(ear), "", COLD_START) == 0
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.bind(("127.0.0.3", 0))
                for _ in range(100):
                    sender.sendto(b"x", ("127.0.0.1", ear.traps.port))
            async with asyncio.timeout(5):
                while ear.traps._teller._strangers.get("127.0.0.3", 0) < 100:
                    await asyncio.sleep(0.01)
            assert ear.traps._teller._strangers["127.0.0.1"] == 1
            assert ear.notes == []

    asyncio.run(work())


def test_a_device_known_by_name_and_one_of_another_configuration_are_known() -> None:
    async def work() -> None:
        async with listening(host="localhost") as ear:
            v2 = ("-v", "2c", "-c", "village")
            async with asyncio.timeout(5):
                while "127.0.0.1" not in ear.traps._at:
                    await asyncio.sleep(0.01)
            await ear.send("snmptrap", *v2, at(ear), "", COLD_START)
            await ear.hears(1)
            other = Access(version="2c", community=b"changed")
            ear.traps.use({"valle": device(name="valle")}, {"valle": other}, None)
            await ear.send("snmptrap", *v2, at(ear), "", LINK_DOWN)
            await ear.send("snmptrap", "-v", "2c", "-c", "changed", at(ear), "", LINK_DOWN)
            await ear.hears(2)
            assert [note.device for note in ear.notes] == ["cerro", "valle"]
            assert ear.polled == ["cerro", "valle"]

    asyncio.run(work())


def test_a_flood_of_a_device_is_taken_apart_in_part_only() -> None:
    async def work() -> None:
        async with listening() as ear:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for _ in range(20):
                    for _ in range(50):
                        sender.sendto(b"\x30\x03\x02\x01\x01", ("127.0.0.1", ear.traps.port))
                    await asyncio.sleep(0)
            await asyncio.sleep(0.1)
            told = ear.traps._teller._told["cerro"]
            assert (told.refused, told.more >= 100) == (60, True)
            assert ear.notes == []

    asyncio.run(work())


def test_a_port_that_is_taken_is_told_and_the_agent_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            config = TrapsConfig(host="127.0.0.1", port=taken.getsockname()[1])

            async def hurry(_name: str) -> None:
                return

            traps = Traps(config, lambda _note: None, hurry)
            task = asyncio.create_task(traps.run())
            await asyncio.sleep(0.05)
            assert not task.done()
            task.cancel()

    asyncio.run(work())
    assert "another program listens there" in caplog.text


def test_a_socket_of_systemd_is_taken_over() -> None:
    code = (
        "import os, socket, sys\n"
        "one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "one.bind(('127.0.0.1', 0))\n"
        "os.dup2(one.fileno(), 3)\n"
        "os.environ |= {'LISTEN_PID': str(os.getpid()), 'LISTEN_FDS': '1'}\n"
        "from ayni_io import sockets\n"
        "found = sockets.inherited()\n"
        "assert [each.getsockname() for each in found] == [one.getsockname()]\n"
        "os.environ['LISTEN_PID'] = '1'\n"
        "assert sockets.inherited() == []\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert sockets.inherited({}) == []


# ---- in a running agent


AGENT = """\
node: torre-pi
broker: {{ port: {broker} }}
poll_s: 3600
flush_s: 7200
state_dir: {folder}/state
runtime_dir: {folder}/run
devices:
  cerro: {{ address: "127.0.0.1:{device}", community: "file:{folder}/community" }}
"""


def memory_mb(pid: int) -> float:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private")) / 1024


def test_an_agent_listens_only_where_it_is_told_to_and_tells_of_a_trap(tmp_path: Path) -> None:
    (tmp_path / "community").write_text("lookhere\n")
    used: list[float] = []
    with snmpd(tmp_path) as port:
        plain = AGENT.format(broker=free_port(), folder=tmp_path, device=port)
        ear = free_port(socket.SOCK_DGRAM)
        for name, text in (("without", plain), ("with", plain + f"traps: {{ listen: '127.0.0.1:{ear}' }}\n")):
            (tmp_path / "agent.yaml").write_text(text)
            log = tmp_path / f"{name}.log"
            command = [str(Path(sys.executable).parent / "ayni"), "agent", "run", "--config"]
            with running([*command, str(tmp_path / "agent.yaml")], log) as process:
                wait_until(lambda log=log: b"started" in log.read_bytes(), "the agent")  # type: ignore[misc]
                if name == "with":
                    wait_until(lambda log=log: b"listening for traps" in log.read_bytes(), "its ear")  # type: ignore[misc]
                    subprocess.run(
                        [need("snmptrap"), "-v", "2c", "-c", "lookhere", f"127.0.0.1:{ear}", "", COLD_START],
                        check=True,
                    )
                    wait_until(lambda log=log: b"says=note.trap_cold_start" in log.read_bytes(), "the note")  # type: ignore[misc]
                used.append(memory_mb(process.pid))
    print(f"private memory without traps {used[0]:.1f} MB, with {used[1]:.1f} MB")
    assert b"pysnmp" not in (tmp_path / "without.log").read_bytes()
    assert used[1] - used[0] < 30


def test_another_place_to_listen_takes_a_restart_and_another_secret_does_not(tmp_path: Path) -> None:
    (tmp_path / "community").write_text("lookhere\n")
    text = AGENT.format(broker=1883, folder=tmp_path, device=161)
    path = tmp_path / "agent.yaml"
    path.write_text(text + f"traps: {{ communities: ['file:{tmp_path}/community'] }}\n")
    old = set_up(path)
    (tmp_path / "community").write_text("changed\n")
    assert read_again(lambda: set_up(path), old)[1].settings == ("traps",)
    path.write_text(text + "traps: { listen: '127.0.0.1:1999' }\n")
    with pytest.raises(ConfigError, match="traps: changes with a restart only"):
        read_again(lambda: set_up(path), old)


def test_every_fault_of_the_section_and_of_the_files_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "community").write_text("lookhere\n")
    text = AGENT.format(broker=1883, folder=tmp_path, device=161)
    (tmp_path / "agent.yaml").write_text(text + "traps: { communities: ['file:/nonexistent/x'] }\n")
    (tmp_path / "own" / "traps").mkdir(parents=True)
    (tmp_path / "own" / "traps" / "mine.yaml").write_text(
        "about: x\ntraps: [{oid: 1.3.6.1, says: nothing}]\n"
    )
    monkeypatch.setenv("AYNI_CONFIGS", str(tmp_path / "own"))
    with pytest.raises(ConfigError) as caught:
        set_up(tmp_path / "agent.yaml")
    told = str(caught.value)
    assert "traps.communities[0]: /nonexistent/x: cannot be read" in told
    assert 'traps/mine.yaml:2: traps[0].says: unknown value "nothing"' in told
