"""MQTT on the asyncio loop: the only file that knows paho.

Theory of operation. paho keeps a queue in RAM that it resends *ahead* of live data after a reconnect, so
each connection gets a new paho client and at most `window` unacknowledged messages; what must survive a
lost connection is kept by the caller. Connecting (DNS, TCP, TLS) blocks and is done in a thread; from
then on the socket belongs to the loop. TLS may hold decrypted bytes that `select` does not see, so reads
are repeated while `pending()` says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from ayni_core.inventory import split_address
from ayni_core.schema import Fields
from ayni_io import secret
from ayni_io.secret import Secret

log = logging.getLogger("mqtt")
PROTOCOLS = {"5": paho.MQTTv5, "3.1.1": paho.MQTTv311}
DEFAULT_PORT, DEFAULT_TLS_PORT = 1883, 8883
_NO_SUBSCRIBERS = 0x10
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0


class MqttError(Exception):
    """A publication that did not get through: refused, not connected, or the connection was lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerConfig:
    """Where the broker is and who we are there. TLS is used when `ca` is set."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    username: str | None = None
    password: Secret | None = None
    ca: Path | None = None
    protocol: str = "5"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What the broker publishes for us, retained, when we vanish without a word."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerReference:
    """The `broker:` section of a config file; the password is still a reference."""

    host: str
    port: int
    username: str | None
    password: str | None
    ca: str | None
    protocol: str

    def resolve(self, where: str) -> BrokerConfig:
        """Fetch the password. Raises `ConfigError`."""
        return BrokerConfig(
            host=self.host,
            port=self.port,
            username=self.username,
            password=secret.resolve(self.password, f"{where}: broker.password") if self.password else None,
            ca=Path(self.ca) if self.ca else None,
            protocol=self.protocol,
        )


def read_broker(fields: Fields) -> BrokerReference:
    """Read the `broker:` section of agent.yaml and hub.yaml."""
    ca = fields.text("ca", None)
    reference = BrokerReference(
        host=fields.text("host", "127.0.0.1"),
        port=fields.number(
            "port", DEFAULT_TLS_PORT if ca else DEFAULT_PORT, at_least=1, at_most=65535, whole=True
        ),
        username=fields.text("username", None),
        password=secret.check_reference(fields, "password", "") or None,
        ca=ca,
        protocol=fields.choice("protocol", PROTOCOLS, "5"),
    )
    if not ca and reference.host not in ("127.0.0.1", "::1", "localhost"):
        fields.fault("ca", "is missing: off this machine the broker is reached over TLS only")
    fields.done()
    return reference


def broker_address(text: str, default_port: int = DEFAULT_PORT) -> tuple[str, int]:
    """`HOST[:PORT]` -> (host, port). Raises `ValueError` with a reason."""
    host, port = split_address(text)
    has_port = text.strip().endswith(f":{port}") and (not text.strip().startswith("[") or "]:" in text)
    return host, port if has_port else default_port


class MqttClient:
    """One logical connection that is kept up until `run` is cancelled. All callbacks run on the loop."""

    def __init__(
        self,
        broker: BrokerConfig,
        client_id: str,
        *,
        keepalive_s: int = 60,
        will: Will | None = None,
        window: int = 20,
    ) -> None:
        self.broker = broker
        self.client_id = client_id
        self.keepalive_s = keepalive_s
        self.will = will
        self.window = window
        self.connected = False
        self.on_connect: Callable[[], None] | None = None
        self.on_disconnect: Callable[[str], None] | None = None
        self.on_message: Callable[[str, bytes, bool], None] | None = None
        self._filters: list[str] = []
        self._client: paho.Client | None = None
        self._waiting: dict[int, asyncio.Future[bool]] = {}
        self._room = asyncio.Semaphore(window)
        self._lost: asyncio.Future[str] | None = None
        self._last_reason = ""

    def subscribe(self, *filters: str) -> None:
        """Subscribe now and at every later connection, at QoS 1."""
        new = [each for each in filters if each not in self._filters]
        self._filters += new
        if self.connected and self._client is not None:
            for each in new:
                self._client.subscribe(each, 1)

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """Publish; at QoS 1 wait for the broker's word. False: it has it, but nobody listens (MQTT 5).

        Raises `MqttError` when the broker refuses it, or the connection is not there or breaks.
        """
        async with self._room:
            client = self._client
            if client is None or not self.connected:
                raise MqttError(f"publishing to {topic}: no connection to the broker {self.broker}")
            info = client.publish(topic, payload, qos, retain)
            if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                raise MqttError(f"publishing to {topic}: {paho.error_string(info.rc)}")
            if qos == 0:
                return True
            future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            self._waiting[info.mid] = future
            try:
                return await future
            finally:
                self._waiting.pop(info.mid, None)

    async def run(self) -> None:
        """Connect, and connect again whenever the connection is lost, until cancelled."""
        pause = _FIRST_PAUSE_S
        try:
            while True:
                reason, was_up = await self._one_connection()
                if was_up:
                    pause = _FIRST_PAUSE_S
                if (was_up or reason != self._last_reason) and self.on_disconnect:
                    self.on_disconnect(reason)
                self._last_reason = reason
                await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311
                pause = min(pause * 2, _LONGEST_PAUSE_S)
        finally:
            self._drop("closed")

    async def _one_connection(self) -> tuple[str, bool]:
        """Live through one connection: (why it ended, whether it ever was up)."""
        loop = asyncio.get_running_loop()
        try:
            client = self._new_client()
            await asyncio.to_thread(client.connect, self.broker.host, self.broker.port, self.keepalive_s)
        except (OSError, ssl.SSLError, ValueError) as error:
            return f"broker {self.broker}: {_plain(error)}", False
        sock: Any = client.socket()
        if sock is None:
            return f"broker {self.broker}: no connection", False
        # an acknowledgement must not wait for the one before it to be acknowledged by TCP
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = client
        self._lost = loop.create_future()
        was_up = False
        with contextlib.suppress(OSError):
            loop.add_reader(sock, self._read, client, sock)
            self._hand_to_loop(client, loop)
            if client.want_write():
                loop.add_writer(sock, self._write, client)
            while not self._lost.done():
                await asyncio.wait([self._lost], timeout=min(5.0, self.keepalive_s / 4))
                was_up = was_up or self.connected
                if client.loop_misc() != MQTTErrorCode.MQTT_ERR_SUCCESS and not self._lost.done():
                    self._lost.set_result(f"broker {self.broker}: it no longer answers")
        reason = self._lost.result() if self._lost.done() else f"broker {self.broker}: connection lost"
        self._drop(reason)
        return reason, was_up

    def _new_client(self) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self.client_id,
            protocol=PROTOCOLS[self.broker.protocol],
            clean_session=True if self.broker.protocol != "5" else None,
        )
        client.max_inflight_messages_set(self.window)
        client.max_queued_messages_set(self.window)
        client.connect_timeout = 10.0
        if self.broker.username:
            password = self.broker.password.reveal() if self.broker.password else None
            client.username_pw_set(self.broker.username, password)
        if self.broker.ca:
            if not self.broker.ca.is_file():
                raise ValueError(f"{self.broker.ca}: no such file")
            client.tls_set_context(ssl.create_default_context(cafile=str(self.broker.ca)))
        if self.will:
            client.will_set(self.will.topic, self.will.payload, 1, True)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_message = self._message
        return client

    def _hand_to_loop(self, client: paho.Client, loop: asyncio.AbstractEventLoop) -> None:
        def want_write(_client: Any, _userdata: Any, sock: Any) -> None:
            loop.add_writer(sock, self._write, client)

        def written(_client: Any, _userdata: Any, sock: Any) -> None:
            loop.remove_writer(sock)

        def closing(_client: Any, _userdata: Any, sock: Any) -> None:
            loop.remove_reader(sock)
            loop.remove_writer(sock)

        client.on_socket_register_write = want_write
        client.on_socket_unregister_write = written
        client.on_socket_close = closing

    def _read(self, client: paho.Client, sock: Any) -> None:
        client.loop_read()
        while client is self._client and isinstance(sock, ssl.SSLSocket) and sock.fileno() >= 0:
            if not sock.pending():
                break
            client.loop_read()

    def _write(self, client: paho.Client) -> None:
        client.loop_write()

    def _connected(self, client: paho.Client, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        if client is not self._client:
            return
        if reason.is_failure:
            self._lose(f"broker {self.broker}: refused us: {_refusal(str(reason))}")
            return
        self.connected = True
        self._last_reason = ""
        for each in self._filters:
            client.subscribe(each, 1)
        if self.on_connect:
            self.on_connect()

    def _disconnected(self, client: paho.Client, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        if client is self._client:
            why = "connection lost" if str(reason) in ("Unspecified error", "Success") else str(reason)
            self._lose(f"broker {self.broker}: {why.lower()}")

    def _published(self, client: paho.Client, _u: Any, mid: int, reason: Any, _p: Any) -> None:
        future = self._waiting.get(mid)
        if client is not self._client or future is None or future.done():
            return
        if reason is not None and reason.is_failure:
            future.set_exception(MqttError(f"the broker refused it: {str(reason).lower()}"))
        else:
            future.set_result(reason is None or reason.value != _NO_SUBSCRIBERS)

    def _message(self, client: paho.Client, _u: Any, message: paho.MQTTMessage) -> None:
        if client is self._client and self.on_message:
            try:
                self.on_message(message.topic, bytes(message.payload), message.retain)
            except Exception:
                # without a PUBACK the broker would soon send nothing more: one bad message must not do that
                log.exception("message not taken topic=%s", message.topic[:100])

    def _lose(self, reason: str) -> None:
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(reason)

    def _drop(self, reason: str) -> None:
        client, self._client, self.connected = self._client, None, False
        if client is not None:
            loop = asyncio.get_running_loop()
            sock = client.socket()
            # without these paho writes DISCONNECT at once; without DISCONNECT the last will would speak
            client.on_socket_register_write = client.on_socket_unregister_write = None
            client.on_socket_close = None
            with contextlib.suppress(OSError, ValueError):
                client.disconnect()
            if sock is not None:
                with contextlib.suppress(OSError, ValueError):
                    loop.remove_reader(sock)
                    loop.remove_writer(sock)
                with contextlib.suppress(OSError):
                    sock.close()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(MqttError(f"the connection broke before the broker had it: {reason}"))


def _plain(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not the expected one: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    text = getattr(error, "strerror", None) or str(error)
    return text[:1].lower() + text[1:]


def _refusal(reason: str) -> str:
    if reason in ("Not authorized", "Bad user name or password"):
        return "wrong user name or password"
    return reason.lower()
