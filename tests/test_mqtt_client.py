"""The MQTT client against a real Mosquitto: what it promises about connections, acknowledgements and TLS."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import parts
import pytest

from ayni_io.mqtt import BrokerConfig, MqttClient, MqttError, Will, broker_address


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


async def until(true: object, within_s: float = 10.0) -> None:
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


def _certificates(folder: Path) -> None:
    openssl = parts.need("openssl")

    def make(*words: str) -> None:
        subprocess.run([openssl, *words], cwd=folder, check=True, capture_output=True)

    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    for name in ("ca", "other"):
        make("req", "-x509", *new, "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
             "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", f"{name}.crt")  # fmt: skip
    make("req", *new, "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
    # Python 3.13 holds certificates to RFC 5280 strictly: key usage of the CA, key identifiers
    (folder / "names").write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nauthorityKeyIdentifier=keyid,issuer\n"
        "subjectKeyIdentifier=hash\nbasicConstraints=CA:FALSE\n"
    )
    make("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
         "-days", "2", "-extfile", "names", "-out", "server.crt")  # fmt: skip


def test_tls_with_a_private_ca_and_a_large_message_in_one_read(tmp_path: Path) -> None:
    port = parts.free_port()
    _certificates(tmp_path)
    lines = (f"cafile {tmp_path}/ca.crt", f"certfile {tmp_path}/server.crt", f"keyfile {tmp_path}/server.key")

    async def run() -> None:
        async with Heard(BrokerConfig(port=port, ca=tmp_path / "ca.crt"), "a") as a:
            a.client.subscribe("t")
            await until(lambda: a.client.connected)
            await asyncio.gather(*(a.client.publish("t", bytes([i]) * 60_000) for i in range(10)))
            await until(lambda: len(a.messages) == 10, 5.0)
        async with Heard(BrokerConfig(port=port, ca=tmp_path / "other.crt"), "b") as b:
            await until(lambda: b.reasons != [])
            assert "its certificate is not the expected one" in b.reasons[0]
        async with Heard(BrokerConfig(port=port, ca=tmp_path / "nowhere.crt"), "c") as c:
            await until(lambda: c.reasons != [])
            assert "nowhere.crt: no such file" in c.reasons[0]

    with mosquitto(tmp_path, port, *lines):
        asyncio.run(run())


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
