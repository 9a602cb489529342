"""The two engines beside each other: the same results from net-snmp, and what only the second one does.

That both pass the same tests with small, flawed agents stands in test_snmp_session.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import random
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import pytest
from parts import SNMPD_COMMUNITY, UdpAgent, free_port

from ayni_agent import command_poll
from ayni_agent import config as agent_config
from ayni_core import inventory, slices
from ayni_core.ber import encode_oid
from ayni_core.inventory import ENGINES
from ayni_core.mibview import MibView
from ayni_core.schema import ConfigError
from ayni_core.slices import BrokerFacts
from ayni_core.snmp import (
    COUNTER32,
    COUNTER64,
    GAUGE32,
    INTEGER,
    IP_ADDRESS,
    NULL,
    OCTET_STRING,
    OID,
    OPAQUE,
    TIME_TICKS,
    V1,
    V2C,
    VarBind,
    decode_request,
    encode_response,
)
from ayni_io import yamlfile, yamlwrite
from ayni_io.snmp import SnmpReader, open_session
from ayni_io.snmp_errors import SnmpProtocolError, SnmpRefused, SnmpTimeout

NAME = encode_oid("1.3.6.1.2.1.1.5.0")
UPTIME = encode_oid("1.3.6.1.2.1.1.3.0")
INTERFACES = [encode_oid(f"1.3.6.1.2.1.2.2.1.{column}") for column in range(1, 23)]
STORAGE = [encode_oid(f"1.3.6.1.2.1.25.2.3.1.{column}") for column in range(1, 7)]
DEVICES = [encode_oid(f"1.3.6.1.2.1.25.3.2.1.{column}") for column in range(1, 7)]

Read = Callable[[SnmpReader], Awaitable[list[VarBind]]]

READINGS: dict[str, Read] = {
    "objects": lambda reader: reader.get(
        [NAME, encode_oid("1.3.6.1.2.1.1.99.0"), UPTIME, INTERFACES[1] + b"\x7f", NAME]
    ),
    "many objects": lambda reader: reader.get([NAME, UPTIME] * 60),
    "system": lambda reader: reader.walk(encode_oid("1.3.6.1.2.1.1")),
    "interfaces": lambda reader: reader.columns(INTERFACES),
    "interfaces, one row": lambda reader: reader.columns(INTERFACES[:5], 1),
    "storage": lambda reader: reader.columns(STORAGE),
    "host devices": lambda reader: reader.columns(DEVICES),
    "limited": lambda reader: reader.walk(encode_oid("1.3.6.1.2.1"), 77),
    "nothing there": lambda reader: reader.walk(encode_oid("1.3.6.1.3.77")),
}


def with_agent(
    answer: Callable[[bytes], Iterable[bytes]],
    use: Read,
    *,
    version: str = "2c",
    timeout_s: float = 0.1,
    tries: int = 2,
) -> list[VarBind]:
    """What pysnmp reads from a small agent."""

    async def run() -> list[VarBind]:
        async with UdpAgent.serving(answer) as agent:
            session = open_session(
                "127.0.0.1",
                agent.port,
                version=version,
                community=b"s3cret",
                timeout_s=timeout_s,
                tries=tries,
                engine="pysnmp",
            )
            with contextlib.closing(session):
                return await use(session)

    return asyncio.run(run())


# ---- net-snmp


@pytest.mark.real("snmpd")
@pytest.mark.parametrize("version", ["1", "2c"])
@pytest.mark.parametrize("what", READINGS)
def test_both_read_the_same_from_net_snmp(snmpd_port: int, what: str, version: str) -> None:
    """Counters go on, so a value has to agree only where the fast path reads it alike before and after."""

    async def run() -> tuple[list[VarBind], ...]:
        found = []
        for engine in ("fast", "pysnmp", "fast"):
            session = open_session(
                "127.0.0.1", snmpd_port, version=version, community=SNMPD_COMMUNITY, engine=engine
            )
            with contextlib.closing(session):
                found.append(await READINGS[what](session))
                assert session.cost.timeouts == session.cost.ignored == 0
        return tuple(found)

    before, second, after = asyncio.run(run())
    assert [varbind[:2] for varbind in second] == [varbind[:2] for varbind in before]
    assert bool(second) == (what != "nothing there")
    steady = [one for one, other in zip(before, after, strict=True) if one == other]
    assert [varbind for varbind in second if varbind in steady] == steady
    assert {type(value) for _, _, value in second} <= {int, bytes, type(None)}


@pytest.mark.real("snmpd")
@pytest.mark.parametrize("version", ["1", "2c"])
def test_both_pay_alike(snmpd_port: int, version: str) -> None:
    async def run(engine: str) -> tuple[int, int]:
        session = open_session(
            "127.0.0.1", snmpd_port, version=version, community=SNMPD_COMMUNITY, engine=engine
        )
        with contextlib.closing(session):
            await session.columns(INTERFACES, 1)
            await session.get([NAME] * 120)
            return session.cost.pdus, session.cost.bytes_received

    (fast, fast_bytes), (second, second_bytes) = (asyncio.run(run(engine)) for engine in ENGINES)
    assert fast == second
    assert abs(fast_bytes - second_bytes) < 100


@pytest.mark.real("snmpd")
def test_a_poll_by_a_profile_gives_the_same(snmpd_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    def poll(engine: str) -> dict[str, object]:
        community = SNMPD_COMMUNITY.decode()
        words = [f"127.0.0.1:{snmpd_port}", "--community", community, "--json", "--engine", engine]
        assert command_poll.main(words) == 0
        told: dict[str, object] = json.loads(capsys.readouterr().out)
        return told

    fast, second = poll("fast"), poll("pysnmp")
    assert fast.keys() == second.keys()
    assert shape(fast) == shape(second)


def shape(value: object) -> object:
    """The names in a JSON value, without what changes from poll to poll."""
    if isinstance(value, dict):
        return {name: shape(below) for name, below in value.items()}
    return len(value) if isinstance(value, list) else type(value) in (int, float)


@pytest.mark.real("snmpd")
def test_a_wrong_community_is_the_same_silence(snmpd_port: int) -> None:
    async def run(engine: str) -> str:
        session = open_session(
            "127.0.0.1", snmpd_port, community=b"wrong", timeout_s=0.1, tries=2, engine=engine
        )
        with contextlib.closing(session), pytest.raises(SnmpTimeout) as failure:
            await session.get([NAME])
        return str(failure.value)

    told = {asyncio.run(run(engine)) for engine in ENGINES}
    assert told == {f"reading 1 object from 127.0.0.1:{snmpd_port}: no answer after 2 tries of 0.1 s"}


def test_a_refused_port_is_the_same_refusal() -> None:
    port = free_port(socket.SOCK_DGRAM)

    async def run(engine: str) -> str:
        session = open_session("127.0.0.1", port, community=b"x", timeout_s=5, engine=engine)
        with contextlib.closing(session), pytest.raises(SnmpRefused) as failure:
            await session.walk(NAME)
        return str(failure.value)

    start = time.monotonic()
    told = {asyncio.run(run(engine)) for engine in ENGINES}
    assert told == {f"walking 1.3.6.1.2.1.1.5.0 of 127.0.0.1:{port}: nothing listens on that port"}
    assert time.monotonic() - start < 2


# ---- values and octets


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (INTEGER, -(2**31)),
        (INTEGER, -1),
        (INTEGER, 2**31 - 1),
        (OCTET_STRING, b""),
        (OCTET_STRING, bytes(range(256))),
        (NULL, None),
        (OID, encode_oid("0.0")),
        (OID, encode_oid((1, 3, 6, 1, 4, 1, 2**32 - 1))),
        (OID, encode_oid((2, 2**32 - 1, 5))),
        (IP_ADDRESS, bytes((192, 0, 2, 1))),
        (COUNTER32, 2**32 - 1),
        (GAUGE32, 2**32 - 1),
        (TIME_TICKS, 0),
        (OPAQUE, b"\x9f\x78\x04\x42\xf6\x00\x00"),
        (COUNTER64, 2**64 - 1),
    ],
)
def test_a_value_is_what_the_fast_path_makes_of_it(tag: int, value: int | bytes | None) -> None:
    view = MibView({NAME: (tag, value)})
    for version in ("1", "2c"):
        if version == "1" and tag == COUNTER64:  # v1 has none
            continue
        found = with_agent(
            lambda data: [view.answer(decode_request(data)) or b""],
            lambda reader: reader.get([NAME]),
            version=version,
        )
        assert found == [(NAME, tag, value)]


def test_an_answer_in_the_other_version_is_taken() -> None:
    """Some agents answer v2c in v1; the fast path does not believe them."""

    def answer(data: bytes) -> list[bytes]:
        request = decode_request(data)
        assert request.version == V2C
        good = encode_response(request, 0, 0, [(NAME, OCTET_STRING, b"school")])
        return [good.replace(bytes((INTEGER, 1, V2C)), bytes((INTEGER, 1, V1)), 1)]

    assert with_agent(answer, lambda reader: reader.get([NAME])) == [(NAME, OCTET_STRING, b"school")]


def test_octets_that_pysnmp_cannot_read_say_so_and_hold_no_secret() -> None:
    """A counter without the zero that its high bit needs: the fast path takes it."""

    def answer(data: bytes) -> list[bytes]:
        good = encode_response(decode_request(data), 0, 0, [(NAME, COUNTER32, 2**31)])
        return [good.replace(b"\x41\x05\x00\x80\x00\x00\x00", b"\x40\x05\x00\x80\x00\x00\x00")]

    with pytest.raises(SnmpProtocolError, match="cannot be decoded: pysnmp gives up with ") as failure:
        with_agent(answer, lambda reader: reader.get([NAME]))
    assert "s3cret" not in str(failure.value)


def test_hostile_octets_are_ignored_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    """Cut, flipped and deeply nested: nothing but a good answer reaches the reading, nothing the log."""
    rng = random.Random(5)
    nested = b"\x30\x80\x02\x01\x01" + b"\x24\x80" * 5000

    def answer(data: bytes) -> list[bytes]:
        good = encode_response(decode_request(data), 0, 0, [(NAME, OCTET_STRING, b"school")])
        bad = [good[:end] for end in range(len(good))] + [nested, b"\x30\x84\xff\xff\xff\xff" + good]
        for _ in range(300):
            flipped = bytearray(good)
            flipped[rng.randrange(15)] ^= 1 << rng.randrange(8)  # no further: a value may be anything
            bad.append(bytes(flipped))
        return [octets for octets in bad if octets and octets[2:] != good[2:]] + [good]

    with caplog.at_level(logging.DEBUG):
        found = with_agent(answer, lambda reader: reader.get([NAME]), timeout_s=5)
    assert found == [(NAME, OCTET_STRING, b"school")]
    assert not [record for record in caplog.records if record.levelno >= logging.INFO]


# ---- time


@pytest.mark.parametrize("version", ["1", "2c"])
def test_a_device_that_dies_mid_walk_ends_the_walk_in_time(version: str) -> None:
    view = MibView({NAME + bytes((row,)): (INTEGER, row) for row in range(1, 128)})
    answered = itertools.count()

    def answer(data: bytes) -> list[bytes]:
        return [view.answer(decode_request(data), 1472) or b""] if next(answered) < 1 else []

    start = time.monotonic()
    with pytest.raises(SnmpTimeout, match=r"^walking 1\.3\.6\.1 of .*: no answer after 2 tries of 0.1 s$"):
        with_agent(answer, lambda reader: reader.walk(encode_oid("1.3.6.1")), version=version)
    assert time.monotonic() - start < 2


def test_a_clock_that_steps_back_stops_no_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = itertools.count()
    monkeypatch.setattr(time, "time", lambda: 1e9 - 60 * next(steps))
    start = time.monotonic()
    with pytest.raises(SnmpTimeout):
        with_agent(lambda data: [], lambda reader: reader.get([NAME]))
    assert time.monotonic() - start < 2


def test_a_session_may_be_closed_after_its_loop_and_read_anew_in_it() -> None:
    view = MibView({NAME: (OCTET_STRING, b"school")})

    async def use(reader: SnmpReader) -> list[VarBind]:
        sessions.append(reader)
        first = await reader.get([NAME])
        reader.close()
        return [*first, *await reader.get([NAME])]

    sessions: list[SnmpReader] = []
    found = with_agent(lambda data: [view.answer(decode_request(data)) or b""], use)
    assert found == [(NAME, OCTET_STRING, b"school")] * 2
    sessions[0].close()


# ---- choosing it

_FAST_ONLY = """
import asyncio, sys
from ayni_agent import agent, command_check, command_poll, command_run
from ayni_io.snmp import load_engine, open_session
from ayni_io.snmp_errors import SnmpError
load_engine("fast")
session = open_session("127.0.0.1", 9, community=b"x", timeout_s=0.01, tries=1)
try:
    asyncio.run(session.get([b"+\\x06\\x01"]))
except SnmpError:
    pass
sys.exit(any(name.partition(".")[0] in ("pysnmp", "pyasn1") for name in sys.modules))
"""
_WITHOUT = """
import sys
sys.modules["pysnmp"] = None
from ayni_io.cli import main
sys.exit(main(sys.argv[1:]))
"""


def python(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60)


def test_pysnmp_is_imported_only_where_it_is_asked_for() -> None:
    assert python(_FAST_ONLY).returncode == 0


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """An agent.yaml with one device that asks for pysnmp."""
    (tmp_path / "secret").write_text("s3cret\n")
    secret = f"file:{tmp_path / 'secret'}"
    path = tmp_path / "agent.yaml"
    device = {"address": "127.0.0.1:1161", "community": secret, "engine": "pysnmp"}
    broker = {"username": "n-pi", "password": secret}
    yamlwrite.write(path, {"node": "pi", "broker": broker, "devices": {"radio": device}})
    return path


def test_without_pysnmp_one_sentence_names_the_extra(config_file: Path) -> None:
    for words in (
        ["agent", "check", str(config_file)],
        ["agent", "run", "--config", str(config_file)],
        ["agent", "poll", "127.0.0.1", "--engine", "pysnmp"],
    ):
        done = python(_WITHOUT, *words)
        assert done.returncode == 2
        told = (
            f'ayni {words[0]} {words[1]}: pysnmp is missing; get the extra "agent": pip install "ayni[agent]"'
        )
        assert done.stderr.splitlines() == [told]
    assert python(_WITHOUT, "agent", "poll", "127.0.0.1:9", "--timeout", "0.1").returncode == 1


def test_the_engine_of_a_device_is_read_and_checked(config_file: Path) -> None:
    assert agent_config.load(config_file).devices["radio"].engine == "pysnmp"
    text = config_file.read_text()
    config_file.write_text(text.replace("engine: pysnmp", "engine: pysmnp"))
    with pytest.raises(ConfigError, match='engine: unknown value "pysmnp"; did you mean "pysnmp"'):
        agent_config.load(config_file)
    config_file.write_text(text.replace("engine: pysnmp", "version: 2c"))
    assert agent_config.load(config_file).devices["radio"].engine == "fast"


def test_an_agents_slice_names_the_engine_only_where_it_is_not_the_usual_one(tmp_path: Path) -> None:
    path = tmp_path / "network.yaml"
    device = {"site": "torre", "address": "10.0.0.1", "community": "env:X"}
    devices = {"a": device, "b": {**device, "engine": "fast"}, "c": {**device, "engine": "pysnmp"}}
    raw = {"network": {"title": "T"}, "sites": {"torre": {}}, "nodes": {"pi": {"site": "torre"}}}
    yamlwrite.write(path, {**raw, "devices": devices})
    network = yamlfile.read(path, inventory.parse)
    given = slices.agent(network, "pi", BrokerFacts(secrets="/srv"))["devices"]
    assert [given[name].get("engine") for name in "abc"] == [None, None, "pysnmp"]
    assert [network.devices[name].engine for name in "abc"] == ["fast", "fast", "pysnmp"]
