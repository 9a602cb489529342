"""SNMPv3 by both engines with net-snmp, what goes wrong told apart, and how it is configured."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from parts import UdpAgent, free_port, need, running, wait_until

from ayni_agent import command_poll, command_record
from ayni_agent import config as agent_config
from ayni_agent.command_run import prepare
from ayni_core import inventory, slices, usm_engine
from ayni_core.ber import encode_oid
from ayni_core.mibview import MibView
from ayni_core.schema import ConfigError
from ayni_core.slices import BrokerFacts
from ayni_core.snmp import INTEGER, OCTET_STRING, VarBind
from ayni_core.snmprec import parse_snmprec
from ayni_core.usm_agent import UsmAgent
from ayni_core.usm_keys import UsmUser
from ayni_hub import command_network
from ayni_io import yamlfile, yamlwrite
from ayni_io.aes import CryptographyAes
from ayni_io.profiles import Profiles
from ayni_io.snmp import Cost, open_session
from ayni_io.snmp_errors import (
    SnmpDenied,
    SnmpError,
    SnmpLevelRefused,
    SnmpProtocolError,
    SnmpRefused,
    SnmpTimeout,
    SnmpUnknownUser,
    SnmpWrongAuth,
    SnmpWrongPriv,
)
from ayni_io.snmp_session import MOST_RENEWALS

LOCATION = encode_oid("1.3.6.1.2.1.1.6.0")
INTERFACES = [encode_oid(f"1.3.6.1.2.1.2.2.1.{column}") for column in (1, 2, 3, 7, 8)]
AUTH_PASSWORD, PRIV_PASSWORD = b"mango-tree", b"under-it-all"


def user(name: str, auth: str | None = None, priv: str | None = None, *, wrong: str | None = None) -> UsmUser:
    """A user with the right passwords, but for the one that is `wrong`."""
    return UsmUser(
        name=name.encode(),
        auth=auth,
        auth_password=b"" if auth is None else b"wrong-password" if wrong == "auth" else AUTH_PASSWORD,
        priv=priv,
        priv_password=b"" if priv is None else b"wrong-password" if wrong == "priv" else PRIV_PASSWORD,
    )


USERS = {
    "plain": user("plain"),
    "md5": user("md5", "MD5"),
    "sha224": user("sha224", "SHA-224"),
    "sha-aes": user("sha-aes", "SHA", "AES"),
    "sha256-aes": user("sha256-aes", "SHA-256", "AES"),
    "sha384-aes192": user("sha384-aes192", "SHA-384", "AES-192"),
    "sha512-aes256": user("sha512-aes256", "SHA-512", "AES-256"),
    # Where the hash is shorter than the key, which of the two ways it is stretched by makes a difference.
    "md5-aes192": user("md5-aes192", "MD5", "AES-192"),
    "md5-aes192c": user("md5-aes192c", "MD5", "AES-192-C"),
    "md5-aes256": user("md5-aes256", "MD5", "AES-256"),
    "md5-aes256c": user("md5-aes256c", "MD5", "AES-256-C"),
    "sha-aes192": user("sha-aes192", "SHA", "AES-192"),
    "sha-aes192c": user("sha-aes192c", "SHA", "AES-192-C"),
    "sha-aes256": user("sha-aes256", "SHA", "AES-256"),
    "sha-aes256c": user("sha-aes256c", "SHA", "AES-256-C"),
    "sha224-aes256": user("sha224-aes256", "SHA-224", "AES-256"),
    "sha224-aes256c": user("sha224-aes256c", "SHA-224", "AES-256-C"),
    "sha512-aes256c": user("sha512-aes256c", "SHA-512", "AES-256-C"),
    "sha-des": user("sha-des", "SHA", "DES"),
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """net-snmp's agent with all USERS."""
    number = free_port(socket.SOCK_DGRAM)
    with net_snmp(tmp_path_factory.mktemp("snmpd"), number, *USERS.values()):
        yield number


@contextlib.contextmanager
def net_snmp(folder: Path, number: int, *users: UsmUser, boots: int = 1) -> Iterator[None]:
    """net-snmp's agent on this port, always the same engine."""
    program = need("snmpd")
    lines = ["sysLocation under the mango tree", f"[snmp] persistentDir {folder / 'persistent'}", "[snmpd]"]
    engine = "0x80001f88047363686f6f6c"
    lines += [f"exactEngineID {engine}", f"oldEngineID {engine}", f"engineBoots {boots - 1}"]
    for each in users:
        words = ["createUser", each.name.decode()]
        if each.auth:
            words += [each.auth, AUTH_PASSWORD.decode()]
        if each.priv:
            words += [each.priv, PRIV_PASSWORD.decode()]
        lines += [" ".join(words), f"rouser {each.name.decode()} noauth"]
    config = folder / "snmpd.conf"
    config.write_text("\n".join(lines) + "\n")
    command = [program, "-f", "-Lo", "-C", "-c", str(config), "-I", "-smux", f"udp:127.0.0.1:{number}"]
    with running(command, folder / "snmpd.log") as process:
        log = folder / "snmpd.log"
        wait_until(lambda: "NET-SNMP version" in log.read_text() or process.poll() is not None, "snmpd up")
        assert process.poll() is None, log.read_text()[-500:]
        yield


def read(port: int, who: UsmUser, *, engine: str = "fast", times: int = 1) -> tuple[list[VarBind], Cost]:
    """The location and five columns, `times` times by one session."""

    async def run() -> tuple[list[VarBind], Cost]:
        session = open_session(
            "127.0.0.1", port, version="3", user=who, timeout_s=0.3, tries=2, engine=engine
        )
        with contextlib.closing(session):
            for _ in range(times):
                found = [*await session.get([LOCATION]), *await session.columns(INTERFACES)]
            return found, session.cost

    return asyncio.run(run())


# ---- net-snmp


@pytest.mark.real("snmpd")
@pytest.mark.parametrize("name", [name for name in USERS if name != "sha-des"])
def test_both_engines_read_the_same_from_net_snmp(port: int, name: str) -> None:
    found, cost = read(port, USERS[name], times=2)
    assert found[0] == (LOCATION, OCTET_STRING, b"under the mango tree")
    assert len(found) > 5
    assert cost.timeouts == cost.ignored == 0
    assert read(port, USERS[name], engine="pysnmp")[0] == found


@pytest.mark.real("snmpd")
def test_des_is_read_by_pysnmp_only(port: int) -> None:
    found, _ = read(port, USERS["sha-des"], engine="pysnmp")
    assert found[0] == (LOCATION, OCTET_STRING, b"under the mango tree")
    with pytest.raises(ValueError, match="AES"):
        read(port, USERS["sha-des"])


@pytest.mark.real("snmpd")
@pytest.mark.parametrize("engine", inventory.ENGINES)
@pytest.mark.parametrize(
    ("who", "error"),
    [
        (user("nobody"), SnmpUnknownUser),
        (user("nobody", "SHA", "AES"), SnmpUnknownUser),
        (user("sha-aes", "SHA", "AES", wrong="auth"), SnmpWrongAuth),
        (user("sha-aes", "SHA-256", "AES"), SnmpWrongAuth),
        (user("sha-aes", "SHA", "AES", wrong="priv"), SnmpWrongPriv),
        (user("sha-aes256", "SHA", "AES-256-C"), SnmpWrongPriv),
        (user("md5", "MD5", "AES"), SnmpLevelRefused),
        (user("plain", "SHA"), SnmpLevelRefused),
    ],
    ids=lambda value: value.name.decode() if isinstance(value, UsmUser) else value.__name__,
)
def test_what_is_wrong_with_a_user_is_told_apart(
    port: int, who: UsmUser, error: type[SnmpError], engine: str
) -> None:
    """pysnmp does not say that it was authenticated, so a wrong privacy password is silence to it."""
    if engine == "pysnmp" and error is SnmpWrongPriv:
        error = SnmpTimeout
    with pytest.raises(error) as failure:
        read(port, who, engine=engine)
    told = str(failure.value)
    assert told.startswith(f"reading 1 object from 127.0.0.1:{port}: ")
    assert "\n" not in told
    assert not any(secret in told for secret in ("mango", "under-it", "wrong-password"))


@pytest.mark.real("snmpd")
@pytest.mark.parametrize("engine", inventory.ENGINES)
def test_net_snmp_is_recorded_by_a_user_and_the_file_tells_of_no_user(
    port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], engine: str
) -> None:
    """authPriv with keys that had to be stretched; users and engine stand in branches that are left out."""
    path = tmp_path / "this.snmprec"
    (tmp_path / "auth").write_bytes(AUTH_PASSWORD + b"\n")
    (tmp_path / "priv").write_bytes(PRIV_PASSWORD + b"\n")
    words = [f"127.0.0.1:{port}", "-o", str(path), "--rate", "500", "--most", "1500", "--engine", engine]
    words += ["--version", "3", "--user", "sha-aes256c", "--auth-password", f"@{tmp_path / 'auth'}"]
    words += ["--priv-protocol", "AES-256-C", "--priv-password", f"@{tmp_path / 'priv'}"]
    assert command_record.main(words) in (0, 1)
    recorded = path.read_text(encoding="utf-8")
    assert len(parse_snmprec(recorded)) > 100
    told = recorded + "".join(capsys.readouterr())
    assert not [secret for secret in ("mango", "under-it", "sha-aes256c") if secret in told]


@pytest.mark.real("snmpd")
def test_the_command_reads_with_passwords_of_files_and_of_the_environment(
    port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "auth").write_bytes(AUTH_PASSWORD + b"\n")
    words = [f"127.0.0.1:{port}", "--version", "3", "--user", "sha256-aes", "--json"]
    words += ["--auth-protocol", "SHA-256", "--auth-password", f"@{tmp_path / 'auth'}"]
    words += ["--priv-protocol", "AES"]
    monkeypatch.setenv("AYNI_SNMP_PRIV_PASSWORD", PRIV_PASSWORD.decode())
    for engine in inventory.ENGINES:
        assert command_poll.main([*words, "--engine", engine]) == 0
        assert json.loads(capsys.readouterr().out)
    monkeypatch.setenv("AYNI_SNMP_PRIV_PASSWORD", "something-else")
    assert command_poll.main([*words, "--timeout", "0.2", "--retries", "1"]) == 1
    told = capsys.readouterr().err
    assert "privacy password or protocol is wrong" in told
    assert "something-else" not in told


@pytest.mark.real("snmpd")
def test_net_snmp_after_a_factory_reset_is_read_again_without_our_starting_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its engine ID, users and keys are what they were; its boots, which count to 3, begin at 1."""
    monkeypatch.setattr(usm_engine, "INSISTED_S", 0.5)
    number = free_port(socket.SOCK_DGRAM)

    async def run() -> None:
        session = open_session("127.0.0.1", number, version="3", user=USERS["sha-aes"], timeout_s=0.3)
        with contextlib.closing(session):
            with net_snmp(tmp_path, number, USERS["sha-aes"], boots=3):
                assert await session.get([LOCATION])
            with net_snmp(tmp_path, number, USERS["sha-aes"]):
                began, said = time.monotonic(), set()
                while len(said) < 2 and time.monotonic() < began + 5:
                    try:
                        said.add(str(list(await session.get([LOCATION]))))
                    except SnmpDenied as denied:
                        assert "counts 1 boots after 3 before" in str(denied)
                        said.add("denied")
                    await asyncio.sleep(0.05)
                assert said == {"denied", str([(LOCATION, OCTET_STRING, b"under the mango tree")])}
                assert time.monotonic() - began >= 0.5
                await session.get([LOCATION])

    asyncio.run(run())


# ---- a session with a small agent


def with_agent(
    answer: Callable[[UsmAgent, bytes], bytes | None], *, reads: int = 1, tries: int = 2
) -> tuple[list[VarBind], Cost]:
    """Read the location from an agent whose answers `answer` makes."""
    agent = UsmAgent(
        bytes.fromhex("80000000047465737431"), [USERS["sha-aes"]], clock=time.monotonic, aes=CryptographyAes
    )

    async def run() -> tuple[list[VarBind], Cost]:
        def told(datagram: bytes) -> list[bytes]:
            found = answer(agent, datagram)
            return [] if found is None else [found]

        async with UdpAgent.serving(told) as served:
            session = open_session(
                "127.0.0.1", served.port, version="3", user=USERS["sha-aes"], timeout_s=0.1, tries=tries
            )
            with contextlib.closing(session):
                for _ in range(reads):
                    found = list(await session.get([LOCATION]))
                return found, session.cost

    return asyncio.run(run())


VIEW = MibView({LOCATION: (INTEGER, 7)})


def respond(agent: UsmAgent, datagram: bytes) -> bytes | None:
    return agent.answer(datagram, lambda message: VIEW.answer(message, 1472))


def test_renewals_are_no_tries_and_cost_two_exchanges_once() -> None:
    found, cost = with_agent(respond, reads=5, tries=1)
    assert found == [(LOCATION, INTEGER, 7)]
    assert cost.pdus == 2 + 5
    assert cost.timeouts == 0


def test_an_agent_that_reboots_before_every_request_is_left_alone_soon() -> None:
    asked = []

    def answer(agent: UsmAgent, datagram: bytes) -> bytes | None:
        asked.append(datagram)
        agent.reboot()
        return respond(agent, datagram)

    with pytest.raises(SnmpProtocolError, match="asking for another"):
        with_agent(answer)
    assert len(asked) == MOST_RENEWALS + 1


def test_an_agent_that_leaves_the_user_unanswered_is_not_called_dead() -> None:
    def answer(agent: UsmAgent, datagram: bytes) -> bytes | None:
        return None if agent.reports else respond(agent, datagram)

    with pytest.raises(SnmpDenied, match="leaves user"):
        with_agent(answer)


def test_nobody_there_is_silence_or_refusal_as_ever() -> None:
    with pytest.raises(SnmpTimeout):
        with_agent(lambda agent, datagram: None)
    with pytest.raises(SnmpRefused):
        read(free_port(socket.SOCK_DGRAM), USERS["sha-aes"])


# ---- configuration

V3 = {"address": "10.0.0.1", "version": "3", "user": "monitor"}
AUTH = {"protocol": "SHA", "password": "env:A"}
PRIV = {"protocol": "AES", "password": "env:P"}


def load(folder: Path, device: dict[str, object]) -> agent_config.AgentConfig:
    path = folder / "agent.yaml"
    broker = {"username": "n-pi", "password": "env:B"}
    yamlwrite.write(path, {"node": "pi", "broker": broker, "devices": {"radio": device}})
    return agent_config.load(path)


@pytest.mark.parametrize(
    ("device", "fault"),
    [
        ({**V3, "priv": PRIV}, "priv: needs auth too"),
        ({**V3, "community": "env:X"}, "community: belongs to versions 1 and 2c"),
        ({**V3, "user": None}, "user: is missing"),
        ({**V3, "user": "u" * 33}, "user: must be at most 32"),
        ({**V3, "version": 3}, 'version: must be a text; write it in quotes: "3"'),
        ({**V3, "auth": {**AUTH, "protocol": "SHA-1"}}, 'auth.protocol: unknown value "SHA-1"'),
        ({**V3, "auth": {**AUTH, "password": "mango-tree"}}, "auth.password: must be file:PATH"),
        ({**V3, "auth": {**AUTH, "pass": "env:A"}}, "auth.pass: unknown key"),
        ({**V3, "auth": AUTH, "priv": {**PRIV, "protocol": "DES"}}, "DES needs engine: pysnmp"),
        ({"address": "10.0.0.1", "community": "env:X", "user": "u"}, 'user: belongs to version: "3"'),
        ({"address": "10.0.0.1", "community": "env:X", "auth": AUTH}, 'auth: belongs to version: "3"'),
    ],
)
def test_faults_of_a_v3_device_are_told(tmp_path: Path, device: dict[str, object], fault: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, device)
    assert fault in str(error.value)
    assert "mango" not in str(error.value)


def test_passwords_are_found_and_their_length_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = load(tmp_path, {**V3, "auth": AUTH, "priv": PRIV})
    monkeypatch.setenv("A", "mango-tree")
    monkeypatch.setenv("P", "short")
    with pytest.raises(ConfigError, match=r"^f: devices.radio.priv.password: .* at least 8") as error:
        prepare(config, Profiles(), "f")
    assert "short" not in str(error.value).replace("too short", "")
    monkeypatch.setenv("P", "under-it-all")
    access = prepare(config, Profiles(), "f")["radio"]
    assert access.user == UsmUser(
        name=b"monitor", auth="SHA", auth_password=b"mango-tree", priv="AES", priv_password=b"under-it-all"
    )
    assert "mango" not in repr(access)


def test_an_agents_slice_hands_the_user_on(tmp_path: Path) -> None:
    path = tmp_path / "network.yaml"
    devices = {"radio": {**V3, "site": "torre", "auth": AUTH, "priv": PRIV}}
    raw = {"network": {"title": "T"}, "sites": {"torre": {}}, "nodes": {"pi": {"site": "torre"}}}
    yamlwrite.write(path, {**raw, "devices": devices})
    network = yamlfile.read(path, inventory.parse)
    given = slices.agent(network, "pi", BrokerFacts(secrets="/srv"))["devices"]["radio"]
    assert given == {**V3, "address": "10.0.0.1:161", "auth": AUTH, "priv": PRIV}
    assert load(tmp_path, given).devices["radio"].user == "monitor"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--version", "3"], "--user: SNMP version 3 needs"),
        (["--user", "u"], "--user: belongs to --version 3"),
        (["--version", "3", "--user", "u", "--community", "x"], "--community: belongs to"),
        (["--version", "3", "--user", "u", "--auth-protocol", "SHA"], "AYNI_SNMP_AUTH_PASSWORD"),
        (["--version", "3", "--user", "u", "--auth-password", "1234567"], "at least 8"),
        (["--version", "3", "--user", "u", "--priv-password", "12345678"], "needs --auth-password"),
        (["--version", "3", "--user", "u", "--auth-password", "@/no/such"], "/no/such: cannot be read"),
    ],
)
def test_what_is_wrong_with_the_options_is_one_line(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_poll.main(["127.0.0.1", *words]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1
    assert "1234567" not in said


@pytest.mark.real("snmpd")
def test_a_device_is_added_with_its_user(
    port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = {"network": {"title": "T"}, "sites": {"torre": {}}, "nodes": {"pi": {"site": "torre"}}}
    yamlwrite.write(tmp_path / "network.yaml", {**raw, "devices": {}})
    (tmp_path / "auth").write_bytes(AUTH_PASSWORD + b"\n")
    (tmp_path / "priv").write_bytes(PRIV_PASSWORD + b"\n")
    words = ["add", f"127.0.0.1:{port}", "--name", "radio", "--version", "3", "--user", "sha-aes"]
    words += ["--auth-password", f"@{tmp_path / 'auth'}", "--priv-password", f"@{tmp_path / 'priv'}"]
    assert command_network.main([*words, "--dir", str(tmp_path)]) == 0
    assert "Added radio; it answers." in capsys.readouterr().out
    device = yamlfile.read(tmp_path / "network.yaml", inventory.parse).devices["radio"]
    assert (device.version, device.user, device.community) == ("3", "sha-aes", None)
    assert device.auth is not None and device.priv is not None
    kept = Path(device.priv.password.removeprefix("file:"))
    assert kept.read_text().strip() == PRIV_PASSWORD.decode()
    assert kept.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConfigError, match="--auth-password: expected @FILE"):
        command_network.main(
            ["add", "10.0.0.9", "--version", "3", "--user", "u", "--auth-password", "12345678"]
        )


_WITHOUT = """
import sys
sys.modules["cryptography"] = None
from ayni_io.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.real("snmpd")
def test_without_cryptography_authentication_works_and_privacy_names_the_extra(port: int) -> None:
    words = ["agent", "poll", f"127.0.0.1:{port}", "--version", "3"]
    words += ["--user", "sha-aes", "--auth-password", AUTH_PASSWORD.decode()]
    plain = subprocess.run([sys.executable, "-c", _WITHOUT, *words], capture_output=True, timeout=60)
    assert plain.returncode == 0, plain.stderr
    words += ["--priv-password", PRIV_PASSWORD.decode()]
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT, *words], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (
        2,
        'ayni agent poll: cryptography is missing; get the extra "snmpv3": pip install "ayni[snmpv3]"\n',
    )
