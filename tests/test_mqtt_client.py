"""The MQTT client against a real Mosquitto: what it promises about connections, acknowledgements and TLS."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import parts
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ayni_core.schema import Faults, Fields
from ayni_io import mqtt, pulse
from ayni_io.mqtt import (
    BrokerConfig,
    MqttClient,
    MqttDenied,
    MqttError,
    Will,
    broker_address,
    read_broker,
)
from ayni_io.mqtt_trouble import Address, Trouble
from ayni_io.secret import Secret


def accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
        return True
    return False


@contextlib.contextmanager
def mosquitto(folder: Path, port: int, *lines: str) -> Iterator[subprocess.Popen[bytes]]:
    config = folder / "mosquitto.conf"
    config.write_text(
        "\n".join(
            (f"listener {port} 127.0.0.1", "allow_anonymous true", f"user {getpass.getuser()}", *lines, "")
        )
    )
    with parts.running([parts.need("mosquitto"), "-c", str(config)], folder / "mosquitto.log") as process:
        parts.wait_until(lambda: accepts(port), "mosquitto listening")
        yield process


async def until(true: object, within_s: float = 30.0) -> None:
    async with asyncio.timeout(within_s):
        while not true():  # type: ignore[operator]
            await asyncio.sleep(0.02)


class Heard:
    """A client with everything that it tells."""

    def __init__(self, config: BrokerConfig, name: str, **options: object) -> None:
        self.client = MqttClient(config, name, **options)  # type: ignore[arg-type]
        self.messages: list[tuple[str, bytes, bool]] = []
        self.reasons: list[str] = []
        self.connections = 0
        self.client.on_message = lambda *message: self.messages.append(message)
        self.client.on_disconnect = self.reasons.append
        self.client.on_connect = self._connected
        self.task: asyncio.Task[None] | None = None

    def _connected(self) -> None:
        self.connections += 1

    async def __aenter__(self) -> Heard:
        self.task = asyncio.create_task(self.client.run())
        return self

    async def __aexit__(self, *_error: object) -> None:
        assert self.task is not None
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_messages_arrive_and_a_message_to_nobody_is_known_as_such(tmp_path: Path, protocol: str) -> None:
    port = parts.free_port()

    async def run() -> None:
        async with Heard(BrokerConfig(port=port, protocol=protocol), "a") as a:
            a.client.subscribe("t/+")
            await until(lambda: a.client.connected)
            assert await a.client.publish("t/1", b"one", retain=True)
            heard = await a.client.publish("elsewhere", b"x")
            assert heard is (protocol == "3.1.1"), "only MQTT 5 can tell that nobody listens"
            await asyncio.gather(*(a.client.publish("t/2", b"%d" % i) for i in range(300)))
            await until(lambda: len(a.messages) == 301)
            assert [int(p) for t, p, _ in a.messages if t == "t/2"] == list(range(300)), "in order"

    with mosquitto(tmp_path, port):
        asyncio.run(run())


def test_a_message_that_is_not_plain_arrives_as_well(tmp_path: Path) -> None:
    """With properties, at QoS 2, or at QoS 0 and empty, among large and small ones: each whole, and once."""
    port = parts.free_port()

    async def run() -> None:
        async with Heard(BrokerConfig(port=port), "a") as a:
            a.client.subscribe("t")
            await until(lambda: a.client.connected)
            other = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
            other.connect("127.0.0.1", port)
            other.loop_start()
            told = Properties(PacketTypes.PUBLISH)
            told.UserProperty = ("who", "ana")
            sent = [b"%d" % number + b"." * (number % 7 * 3000) for number in range(60)]
            await until(other.is_connected)
            for number, payload in enumerate(sent):
                kind = told if number % 3 == 0 else None
                other.publish("t", payload, qos=number % 2, properties=kind)
            other.publish("t", b"", qos=0)
            other.publish("t", b"twice", qos=2)
            await until(lambda: len(a.messages) == 62)
            got = [payload for _topic, payload, _kept in a.messages]  # QoS 0 may overtake at the broker
            assert sorted(got) == sorted([*sent, b"", b"twice"])
            other.loop_stop()
            other.disconnect()

    with mosquitto(tmp_path, port):
        asyncio.run(run())


def test_it_comes_back_after_the_broker_was_away_and_subscribes_again(tmp_path: Path) -> None:
    port = parts.free_port()

    async def run() -> None:
        async with Heard(BrokerConfig(port=port), "a") as a:
            a.client.subscribe("t")
            await until(lambda: a.reasons != [])
            assert a.reasons == [f"broker 127.0.0.1:{port}: nothing listens there"]
            with pytest.raises(MqttError, match="no connection"):
                await a.client.publish("t", b"x")
            with mosquitto(tmp_path, port) as process:
                await until(lambda: a.connections == 1)
                process.kill()
                await until(lambda: len(a.reasons) >= 2)
            with mosquitto(tmp_path, port):
                await until(lambda: a.connections == 2)
                await a.client.publish("t", b"again")
                await until(lambda: a.messages == [("t", b"again", False)])

    asyncio.run(run())


def test_a_publication_under_way_fails_when_the_connection_breaks(tmp_path: Path) -> None:
    """The peer takes CONNECT and answers nothing that follows: a broker that hangs."""
    port = parts.free_port()

    async def hanging(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"\x20\x03\x00\x00\x00")
        await reader.read(100)
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(hanging, "127.0.0.1", port)
        async with server, Heard(BrokerConfig(port=port), "a") as a:
            await until(lambda: a.client.connected)
            with pytest.raises(MqttError, match="broke before the broker had it"):
                await a.client.publish("t", b"x")

    asyncio.run(run())


def test_a_message_that_its_reader_cannot_bear_does_not_stop_the_others(tmp_path: Path) -> None:
    """Were it not acknowledged, the broker would fall silent after its window of messages."""
    port = parts.free_port()
    taken: list[bytes] = []

    def reader(_topic: str, payload: bytes, _retained: bool) -> None:
        if payload == b"bad":
            raise OverflowError("too large")
        taken.append(payload)

    async def run() -> None:
        async with Heard(BrokerConfig(port=port), "a", window=100) as a:
            a.client.on_message = reader
            a.client.subscribe("t")
            await until(lambda: a.client.connected)
            await asyncio.gather(*(a.client.publish("t", b"bad") for _ in range(150)))
            await a.client.publish("t", b"good")
            await until(lambda: taken == [b"good"])

    with mosquitto(tmp_path, port):
        asyncio.run(run())


def test_a_last_will_speaks_when_its_owner_cannot(tmp_path: Path) -> None:
    port = parts.free_port()

    async def run() -> None:
        config = BrokerConfig(port=port)
        async with Heard(config, "watcher") as watcher:
            watcher.client.subscribe("w")
            will = Will(topic="w", payload=b"gone")
            async with Heard(config, "leaving", will=will) as leaving:
                await until(lambda: leaving.client.connected and watcher.client.connected)
            await asyncio.sleep(0.3)
            assert watcher.messages == [], "a tidy leave is no death"
            async with Heard(config, "dying", will=will) as dying:
                await until(lambda: dying.client.connected)
                assert dying.client._client is not None
                dying.client._client.socket().shutdown(socket.SHUT_RDWR)
                await until(lambda: watcher.messages == [("w", b"gone", False)])

    with mosquitto(tmp_path, port):
        asyncio.run(run())


YEAR = timedelta(days=365)
NOW = datetime.now(UTC)


class Authority:
    """A private authority, as a network has one. It signs for the names that it is told."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.path = folder / f"{name}.pem"
        # valid for as long as a node may lie in a cupboard, and beyond
        certificate = (
            self._builder(self.name, self.key.public_key(), NOW - 30 * YEAR, NOW + 30 * YEAR)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        self.path.write_bytes(certificate.public_bytes(Encoding.PEM))

    def broker(self, name: str, *, host: str = "localhost", begins: datetime, ends: datetime) -> list[str]:
        """The lines of a mosquitto.conf for a broker with a certificate for `host`."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.DNSName(host)]
        certificate = (
            self._builder("broker", key.public_key(), begins, ends)
            .add_extension(x509.SubjectAlternativeName(names), critical=True)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        (self.folder / f"{name}.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
        (self.folder / f"{name}.key").write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        (self.folder / f"{name}.key").chmod(0o644)
        return [f"certfile {self.folder}/{name}.crt", f"keyfile {self.folder}/{name}.key"]

    def _builder(
        self, subject: str, key: ec.EllipticCurvePublicKey, begins: datetime, ends: datetime
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(_name(self.name))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=signs, crl_sign=signs,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def test_tls_with_a_private_ca_and_a_large_message_in_one_read(tmp_path: Path) -> None:
    port = parts.free_port()
    ca, other = Authority(tmp_path, "ca"), Authority(tmp_path, "other")
    lines = ca.broker("server", begins=NOW - YEAR, ends=NOW + YEAR)

    async def run() -> None:
        async with Heard(BrokerConfig(host="localhost", port=port, ca=ca.path), "a") as a:
            a.client.subscribe("t")
            await until(lambda: a.client.connected)
            await asyncio.gather(*(a.client.publish("t", bytes([i]) * 60_000) for i in range(10)))
            await until(lambda: len(a.messages) == 10, 5.0)
        nearer = BrokerConfig(port=parts.free_port(), also=(("localhost", port),), also_ca=ca.path)
        async with Heard(nearer, "d") as d:  # on this machine without TLS, elsewhere with it
            await until(lambda: d.client.connected, 5.0)
        async with Heard(BrokerConfig(host="localhost", port=port, ca=other.path), "b") as b:
            await until(lambda: b.reasons != [])
            assert "its certificate is not the expected one" in b.reasons[0]
        for content, words in ((None, "no such file"), ("not a certificate", "not the certificate of an")):
            wrong = tmp_path / "wrong.pem"
            if content:
                wrong.write_text(content)
            async with Heard(BrokerConfig(port=port, ca=wrong), "c") as c:
                await until(lambda c=c: c.reasons != [])  # type: ignore[misc]
                assert words in c.reasons[0]

    with mosquitto(tmp_path, port, *lines):
        asyncio.run(run())


@pytest.mark.parametrize(
    ("what", "reason_in_time", "reason_in_1970"),
    [
        ("good", None, None),
        ("future", "it is not valid yet", None),
        ("expired", "it has expired", None),
        ("stranger", "another authority signed it", "another authority signed it"),
        ("elsewhere", "it is for another name", "it is for another name"),
    ],
)
def test_who_is_on_the_other_side_is_proved_also_by_a_clock_in_1970(
    tmp_path: Path, what: str, reason_in_time: str | None, reason_in_1970: str | None
) -> None:
    """To a clock in 1970 every certificate is of the future; that of a node that slept for years expired."""
    port = parts.free_port()
    ca, other = Authority(tmp_path, "ca"), Authority(tmp_path, "other")
    begins, ends = {"future": (NOW + YEAR, NOW + 2 * YEAR), "expired": (NOW - 2 * YEAR, NOW - YEAR)}.get(
        what, (NOW - YEAR, NOW + YEAR)
    )
    signs = other if what == "stranger" else ca
    host = "hub.lan" if what == "elsewhere" else "localhost"
    config = BrokerConfig(host="localhost", port=port, ca=ca.path)

    async def run() -> None:
        for right, reason in ((True, reason_in_time), (False, reason_in_1970)):
            async with Heard(config, "a", clock_is_right=lambda right=right: right) as a:
                await until(lambda a=a: a.reasons or a.client.connected)  # type: ignore[misc]
                if reason is None:
                    assert a.client.connected, a.reasons
                else:
                    assert a.reasons[0].startswith(f"broker localhost:{port}: its certificate is not the")
                    assert reason in a.reasons[0]
                    assert a.client.trouble is not None
                    assert a.client.trouble.kind == "tls"

    with mosquitto(tmp_path, port, *signs.broker("server", host=host, begins=begins, ends=ends)):
        asyncio.run(run())


def test_a_server_without_tls_and_one_that_says_nothing_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "_ANSWER_S", 0.3)
    port, silent = parts.free_port(), parts.free_port()
    ca = Authority(tmp_path, "ca")

    async def says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(says_nothing, "127.0.0.1", silent)
        async with (
            server,
            Heard(BrokerConfig(host="localhost", port=port, ca=ca.path), "a") as a,
            Heard(BrokerConfig(port=silent), "b", keepalive_s=1) as b,
        ):
            await until(lambda: a.reasons and b.reasons)
            assert a.client.trouble is not None
            assert b.client.trouble is not None
            assert (a.client.trouble.kind, b.client.trouble.kind) == ("network", "network")
            assert a.reasons == [f"broker localhost:{port}: it hung up on us before TLS was agreed"]
            assert b.reasons == [f"broker 127.0.0.1:{silent}: no answer"]

    with mosquitto(tmp_path, port):
        asyncio.run(run())


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_refused_credentials_are_not_a_missing_network(tmp_path: Path, protocol: str) -> None:
    port = parts.free_port()

    async def run() -> None:
        config = BrokerConfig(port=port, username="n-pi", password=Secret("wrong"), protocol=protocol)
        async with Heard(config, "a") as a:
            await until(lambda: a.reasons != [])
            assert a.client.trouble == Trouble(
                kind="refused", text=f"broker 127.0.0.1:{port}: refused us: wrong user name or password"
            )

    with mosquitto(tmp_path, port, "allow_anonymous false"):
        asyncio.run(run())


def test_a_denied_publication_is_an_error_of_its_own(tmp_path: Path) -> None:
    port = parts.free_port()
    (tmp_path / "acl").write_text("topic readwrite ours/#\ntopic read #\n")
    (tmp_path / "acl").chmod(0o644)

    async def run() -> None:
        async with Heard(BrokerConfig(port=port), "a") as a:
            await until(lambda: a.client.connected)
            assert await a.client.publish("ours/x", b"1") is False
            with pytest.raises(MqttDenied, match="not ours to write"):
                await a.client.publish("theirs/x", b"1")
            assert a.client.connected

    with mosquitto(tmp_path, port, f"acl_file {tmp_path}/acl"):
        asyncio.run(run())


def test_pauses_are_longer_where_people_have_to_mend_something() -> None:
    for kind, least_s, most_s in (("network", 0.5, 30.0), ("refused", 15.0, 600.0)):
        address = Address("hub.lan", 8883)
        pauses = []
        for _ in range(20):
            address.failed(Trouble(kind=kind, text=""), 1000.0)  # type: ignore[arg-type]
            pauses.append(address.due_s - 1000.0)
        assert 0.8 * least_s <= pauses[0] <= 1.2 * least_s
        assert 0.8 * most_s <= pauses[-1] <= 1.2 * most_s


def test_the_village_comes_first_and_the_rented_server_when_it_is_away(tmp_path: Path) -> None:
    """Two brokers; whoever is left for the better one hears the will."""
    village, rented = parts.free_port(), parts.free_port()
    (tmp_path / "village").mkdir()
    (tmp_path / "rented").mkdir()
    config = BrokerConfig(port=village, also=(("127.0.0.1", rented),))

    async def run() -> None:
        will = Will(topic="w", payload=b"gone")
        with mosquitto(tmp_path / "rented", rented):
            async with (
                Heard(BrokerConfig(port=rented), "watcher") as watcher,
                Heard(config, "a", will=will, return_s=0.2) as a,
            ):
                watcher.client.subscribe("w", "t")
                await until(lambda: a.client.connected and watcher.client.connected)
                assert a.client.address == f"127.0.0.1:{rented}"
                await a.client.publish("t", b"from afar")
                with mosquitto(tmp_path / "village", village) as process:
                    await until(lambda: a.client.connected and a.client.address.endswith(f":{village}"), 20)
                    await until(lambda: ("w", b"gone", False) in watcher.messages)
                    assert a.reasons[-1].endswith("which is there again")
                    process.kill()
                    await until(lambda: a.client.connected and a.client.address.endswith(f":{rented}"), 20)
                assert a.connections == 3

    asyncio.run(run())


def test_the_reasons_of_all_addresses_are_told_once() -> None:
    first, second = parts.free_port(), parts.free_port()
    config = BrokerConfig(port=first, also=(("127.0.0.1", second),))

    async def run() -> None:
        async with Heard(config, "a") as a:
            await asyncio.sleep(1.5)
            assert a.reasons == [
                f"broker 127.0.0.1:{first}: nothing listens there; "
                f"broker 127.0.0.1:{second}: nothing listens there"
            ]

    asyncio.run(run())


def test_a_connection_that_hangs_is_noticed_quickly_while_it_matters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two stands a relay that stops passing things on; nobody closes anything."""
    monkeypatch.setattr(mqtt, "_LIVELY_TICK_S", 0.05)
    monkeypatch.setattr(pulse, "QUIET_S", 0.2)
    monkeypatch.setattr(pulse, "DEAD_S", 0.4)
    port, relay = parts.free_port(), parts.free_port()
    passing = asyncio.Event()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            await passing.wait()
            writer.write(data)
        writer.close()

    async def relayed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, back), pump(there, writer), return_exceptions=True)

    async def run() -> None:
        server = await asyncio.start_server(relayed, "127.0.0.1", relay)
        passing.set()
        async with server, Heard(BrokerConfig(port=relay), "a", keepalive_s=360) as a:
            await until(lambda: a.client.connected)
            a.client.ping_soon(1.0)
            await asyncio.sleep(1.0)
            assert a.reasons == [], "pings are answered"
            passing.clear()
            await asyncio.sleep(1.0)
            assert a.reasons == [], "nobody asked to know"
            a.client.ping_soon(60)
            await until(lambda: a.reasons == [f"broker 127.0.0.1:{relay}: it no longer answers"], 3)
            passing.set()
            await until(lambda: a.client.connected)
            passing.clear()
            with pytest.raises(MqttError, match="no longer answers"):
                await a.client.publish("t", b"who waits for an answer wants to know, too")

    with mosquitto(tmp_path, port):
        asyncio.run(run())


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        # (seconds, received so far, acknowledged so far) -> what to do
        ([(0, 1, 10), (3, 1, 10), (4, 1, 10), (8, 1, 12), (13, 1, 12), (18, 1, 12)], "..a..d"),
        ([(0, 1, 10), (4, 1, 10), (5, 2, 12), (8, 2, 12), (9, 2, 12), (10, 3, 14)], ".a..a."),
        ([(0, 1, 10), (4, 1, 10), (13, 1, 5000), (20, 1, 9000), (28, 1, 12000), (38, 1, 12000)], ".a...d"),
        ([(0, 1, None), (4, 1, None), (12, 1, None), (13, 1, None)], ".a.d"),
    ],
    ids=["gone", "answers", "a long message on a slow link", "a kernel that does not tell"],
)
def test_when_the_other_side_is_asked_and_when_it_is_given_up(
    story: list[tuple[float, int, int | None]], expected: str
) -> None:
    felt = pulse.Pulse()
    found = [felt.feel(*each) for each in story]
    assert "".join({None: ".", "ask": "a", "dead": "d"}[each] for each in found) == expected
    felt.rest()
    assert felt.feel(1000.0, 9, 9) is None, "after a rest it begins anew"


@pytest.mark.parametrize(
    ("section", "addresses", "fault"),
    [
        ({"also": ["127.0.0.1:1999"]}, (("127.0.0.1", 1883), ("127.0.0.1", 1999)), ""),
        (
            {"host": "hub.lan", "ca": "ca.pem", "also": ["vps.example.org", "[2001:db8::1]:9000"]},
            (("hub.lan", 8883), ("vps.example.org", 8883), ("2001:db8::1", 9000)),
            "",
        ),
        ({"also": ["vps.example.org"]}, (), "ca: is missing"),
        ({"also": ["hub:0"]}, (), "also"),
    ],
)
def test_further_addresses_in_a_config_file(
    section: dict[str, object], addresses: tuple[tuple[str, int], ...], fault: str
) -> None:
    faults = Faults("agent.yaml")
    reference = read_broker(Fields(section, "broker", faults))
    assert (fault in "; ".join(faults.found)) if fault else not faults.found
    if not fault:
        assert reference.resolve("agent.yaml").addresses == addresses


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hub.lan", ("hub.lan", 1883)),
        ("hub.lan:161", ("hub.lan", 161)),
        ("10.0.0.1:8883", ("10.0.0.1", 8883)),
        ("[::1]:1884", ("::1", 1884)),
        ("::1", ("::1", 1883)),
    ],
)
def test_broker_addresses(text: str, expected: tuple[str, int]) -> None:
    assert broker_address(text) == expected
