"""MQTT on the asyncio loop: the only file that knows paho.

Theory of operation. paho keeps a queue in RAM that it resends *ahead* of live data after a reconnect, so
each connection gets a new paho client and at most `window` unacknowledged messages, fewer where the broker
says so (MQTT 5, 3.2.2.3.3: Receive Maximum, which paho passes over); what must survive a lost connection is
kept by the caller. Connecting (DNS, TCP, TLS) blocks and is done in a thread; from then on the socket belongs
to the loop. TLS may hold decrypted bytes that `select` does not see, so reads are repeated while `pending()`
says so. The kernel takes only a little more than it can send, so who waits for a message knows whether the
link is behind.

A broker may have several addresses: they are tried in order at each connection, and from a later one the
first is looked for again after a while. Nobody speaks on an idle connection until the keepalive is over;
while something waits for an answer, and while the caller asks for it (`ping_soon`), a dead one is noticed
within 15 s. What the connections cost is counted (`traffic`).
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import math
import select
import socket
import ssl
import sys
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ayni_io import clock, mqtt_trouble
from ayni_io.mqtt_config import DEFAULT_PORT as DEFAULT_PORT
from ayni_io.mqtt_config import DEFAULT_TLS_PORT as DEFAULT_TLS_PORT
from ayni_io.mqtt_config import BrokerConfig as BrokerConfig
from ayni_io.mqtt_config import BrokerReference as BrokerReference
from ayni_io.mqtt_config import broker_address as broker_address
from ayni_io.mqtt_config import read_broker as read_broker
from ayni_io.mqtt_trouble import NOT_AUTHORIZED, Address, Kind, Trouble, Why
from ayni_io.pulse import Pulse
from ayni_io.secret import Secret
from ayni_io.traffic import Meter, Traffic, in_vain

# paho asks urllib.request for a proxy where there is a SOCKS library, which a node has not; with http and
# email behind it that module would weigh 2 MB.
_stand_in = types.ModuleType("urllib.request")
if importlib.util.find_spec("socks") is None:
    sys.modules.setdefault("urllib.request", _stand_in)
# It would also take in a library for name servers, 4 MB, to look up SRV records, which we do not use: None
# makes the import fail.
_no_resolver = "dns.resolver" not in sys.modules
if _no_resolver:
    sys.modules["dns.resolver"] = None  # type: ignore[assignment]
import paho.mqtt.client as paho  # noqa: E402
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode  # noqa: E402

if TYPE_CHECKING:
    from ayni_io.certificates import Seen

if sys.modules.get("urllib.request") is _stand_in:
    del sys.modules["urllib.request"]
if _no_resolver:
    del sys.modules["dns.resolver"]

log = logging.getLogger("mqtt")
PROTOCOLS = {"5": paho.MQTTv5, "3.1.1": paho.MQTTv311}
_NO_SUBSCRIBERS = 0x10
_MOST_PASSWORDS = 6
_LASTING_S = 30.0
_ANSWER_S = 30.0
_RETURN_S = 1800.0
_LIVELY_TICK_S, _TICK_S = 1.0, 5.0
_ASLEEP_S = 5.0
_CONNECT_S = 10.0
_NOTSENT_LOWAT = getattr(socket, "TCP_NOTSENT_LOWAT", None)
_READING_S = 0.02
"""So long what has arrived is read at once, one message after the other: whoever does long work in between
would else read a few of a flood each time, and what is ours waits behind it at the broker."""
_UNSENT_BYTES = 16 * 1024
"""What the kernel keeps of what it could not send yet; without a limit that is megabytes on a slow link."""


class MqttError(Exception):
    """A publication that did not get through: refused, not connected, or the connection was lost."""


class MqttDenied(MqttError):  # noqa: N818  it is a kind of MqttError
    """The broker took the message and says that we may not write there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What the broker publishes for us, retained, when we vanish without a word."""

    topic: str
    payload: bytes


class _Paho(paho.Client):
    """A client whose connection is counted from its first byte on."""

    meter: Meter | None = None

    def _create_socket_connection(self) -> socket.socket:
        sock = super()._create_socket_connection()
        self.meter = Meter(sock, tls=self._ssl)
        return sock

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        try:
            return super()._ssl_wrap_socket(tcp_sock)
        except Exception:
            if self.meter is not None:
                self.meter.close()  # the last moment to read it
            raise


class MqttClient:
    """One logical connection that is kept up until `run` is cancelled. All callbacks run on the loop.

    `trouble` is why there is no connection, None while there is one; `address` is where it leads, and
    `certificate` what was shown there at the last connection over TLS; `at_once` is how many messages may be
    unacknowledged, by our word and the broker's.
    """

    def __init__(
        self,
        broker: BrokerConfig,
        client_id: str,
        *,
        keepalive_s: int = 60,
        will: Will | None = None,
        window: int = 20,
        clock_is_right: Callable[[], bool] = clock.synchronised,
        return_s: float = _RETURN_S,
        will_at_end: bool = False,
        longest_pause_s: float = math.inf,
    ) -> None:
        """`will_at_end`: the will speaks also when we leave by ourselves. `longest_pause_s` bounds the time
        between two tries while there is no network: for somebody who sits and waits."""
        self.broker = broker
        self.client_id = client_id
        self.keepalive_s = keepalive_s
        self.will = will
        self.window = self.at_once = window
        self.connected = False
        self.address = ""
        self.trouble: Trouble | None = None
        self.certificate: Seen | None = None
        self.on_connect: Callable[[], None] | None = None
        self.on_disconnect: Callable[[str], None] | None = None
        self.on_message: Callable[[str, bytes, bool], None] | None = None
        self.on_password: Callable[[Secret], None] | None = None
        self._clock_is_right = clock_is_right
        self._return_s = return_s
        self._will_at_end = will_at_end
        self._longest_pause_s = longest_pause_s
        self._filters: list[str] = []
        self._client: _Paho | None = None
        self._waiting: dict[int, asyncio.Future[bool]] = {}
        self._room = asyncio.Semaphore(window)
        self._lost: asyncio.Future[Trouble] | None = None
        self._pulse = Pulse()
        self._reads = 0
        self._lively_until_s = 0.0
        self._nudge = asyncio.Event()
        self._spent = Traffic()
        self._last_reason = ""
        self._passwords = [each for each in (broker.password, *broker.others) if each is not None]
        self._which = 0

    def try_also(self, password: Secret) -> None:
        """Another password, to be tried where the one that worked so far is refused."""
        if password not in self._passwords:
            self._passwords.insert(self._which + 1, password)
            del self._passwords[max(_MOST_PASSWORDS, self._which + 2) :]

    def subscribe(self, *filters: str) -> None:
        """Subscribe now and at every later connection, at QoS 1."""
        new = [each for each in filters if each not in self._filters]
        self._filters += new
        if self.connected and self._client is not None:
            for each in new:
                self._client.subscribe(each, 1)

    def ping_soon(self, for_s: float = 60.0) -> None:
        """For so long, notice within 15 s that nobody is there any more."""
        self._lively_until_s = max(self._lively_until_s, clock.monotonic_s() + for_s)
        self._nudge.set()

    def traffic(self) -> Traffic:
        """What all connections since the start have cost, IP headers and TLS in."""
        meter = self._client.meter if self._client is not None else None
        return self._spent + meter.read() if meter is not None else self._spent

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """Publish, and wait: at QoS 1 for the broker's word, at QoS 0 until it is on its way. False: the
        broker has it, but nobody listens (MQTT 5).

        Raises `MqttDenied` where the broker says that this is not ours to write, and `MqttError` when it
        refuses the message for another reason, or the connection is not there or breaks.
        """
        async with self._room:
            client = self._client
            if client is None or not self.connected:
                raise MqttError(f"publishing to {topic}: no connection to the broker {self.broker}")
            info = client.publish(topic, payload, qos, retain)
            if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                raise MqttError(f"publishing to {topic}: {paho.error_string(info.rc)}")
            if client.meter is not None:
                client.meter.sent(len(topic) + len(payload) + 8)
            future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            self._waiting[info.mid] = future
            if qos:
                self._nudge.set()
            try:
                return await future
            finally:
                self._waiting.pop(info.mid, None)

    async def run(self) -> None:
        """Connect, and connect again whenever the connection is lost, until cancelled."""
        addresses = [Address(*each) for each in self.broker.addresses]
        try:
            while True:
                now_s = clock.monotonic_s()
                due = [address for address in addresses if address.due_s <= now_s]
                if not due:
                    await asyncio.sleep(max(0.01, min(each.due_s for each in addresses) - now_s))
                elif not await self._any_of(due, addresses):
                    self._tell("; ".join(str(each.trouble) for each in addresses if each.trouble))
        finally:
            self._drop(Trouble(kind="lost", text="closed"), word=not self._will_at_end)

    async def _any_of(self, due: Sequence[Address], all_: Sequence[Address]) -> bool:
        """Try these in order until a connection came about, and live through it; whether one did."""
        for address in due:
            first = all_[0]
            # who refused us, or is not who he should be, is not worth leaving a good connection for
            better = address is not first and first.trouble is not None and first.trouble.kind == "network"
            trouble, lasted_s = await self._with_any_password(address, return_=better)
            if lasted_s is None:
                if address is not all_[-1] and str(trouble) != str(address.trouble):
                    log.warning("the next address is tried cause=%s", trouble)
                address.failed(trouble, clock.monotonic_s(), self._longest_pause_s)
                self.trouble = all_[0].trouble
                continue
            if lasted_s > _LASTING_S:
                address.pause_s = 0.0
            address.failed(trouble, clock.monotonic_s(), self._longest_pause_s)
            for other in all_:
                if other is not address and other.trouble and other.trouble.kind == "network":
                    other.due_s = other.pause_s = 0.0
            self.trouble, self._last_reason = trouble, ""
            self._tell(trouble.text)
            return True
        return False

    def _tell(self, reason: str) -> None:
        if reason != self._last_reason and self.on_disconnect:
            self.on_disconnect(reason)
        self._last_reason = reason

    async def _with_any_password(self, address: Address, *, return_: bool) -> tuple[Trouble, float | None]:
        """As `_one_connection`; a password that is refused is followed by the next one, each tried once."""
        trouble, lasted_s = await self._one_connection(address, return_=return_)
        for _ in self._passwords[1:]:
            if lasted_s is not None or trouble.why != "password":
                break
            self._which = (self._which + 1) % len(self._passwords)
            trouble, lasted_s = await self._one_connection(address, return_=return_)
        return trouble, lasted_s

    async def _one_connection(self, address: Address, *, return_: bool) -> tuple[Trouble, float | None]:
        """Live through one connection: why it ended, and how long it was up, None if it never was. With
        `return_` it is left when the first address answers again."""
        where = f"broker {address}"
        try:
            client = self._new_client(self.broker.ca_of(address.host, address.port))
        except ValueError as error:
            return Trouble(kind="tls", text=f"{where}: {error}", why="no_authority"), None
        try:
            await asyncio.to_thread(client.connect, address.host, address.port, self.keepalive_s)
        except (OSError, ValueError) as error:
            self._spend(client, error)
            return mqtt_trouble.of_error(error, where), None
        sock: Any = client.socket()
        if sock is None:
            self._spend(client)
            return Trouble(kind="network", text=f"{where}: no connection"), None
        with contextlib.suppress(OSError):
            # an acknowledgement must not wait for the one before it to be acknowledged by TCP
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if _NOTSENT_LOWAT is not None:
                sock.setsockopt(socket.IPPROTO_TCP, _NOTSENT_LOWAT, _UNSENT_BYTES)
        self._client = client
        self.certificate = _shown(sock)
        self._lost = asyncio.get_running_loop().create_future()
        self.address = str(address)
        up_s = None
        with contextlib.suppress(OSError):
            up_s = await self._live(client, sock, where, return_=return_)
        lost = self._lost.result() if self._lost.done() else None
        trouble = lost or Trouble(kind="lost", text=f"{where}: connection lost")
        if up_s is None and trouble.kind == "lost":
            text = f"{where}: it hung up on us before it answered; is that a broker for MQTT?"
            trouble = Trouble(kind="network", text=text, why="no_mqtt")
        self._drop(trouble)
        return trouble, None if up_s is None else clock.monotonic_s() - up_s

    async def _live(self, client: _Paho, sock: Any, where: str, *, return_: bool) -> float | None:
        """Until the connection is lost; since when it had been up, None if it never was."""
        assert self._lost is not None  # noqa: S101  the caller made it
        loop = asyncio.get_running_loop()
        loop.add_reader(sock, self._read, client, sock)
        self._hand_to_loop(client, loop)
        if client.want_write():
            loop.add_writer(sock, self._write, client)
        self._pulse = Pulse()
        up_s: float | None = None
        began_s = last_s = clock.monotonic_s()
        back_s = began_s + self._return_s
        while not self._lost.done():
            await self._wait(self._lost)
            now_s = clock.monotonic_s()
            if self.connected and up_s is None:
                up_s = now_s
            if now_s - last_s > 2 * _TICK_S + _ASLEEP_S:
                self.ping_soon()  # the machine was asleep, and who knows what became of the connection
            last_s = now_s
            if self._lost.done():
                break
            if up_s is None and now_s - began_s > _ANSWER_S:
                self._lose("network", f"{where}: no answer", "no_answer")
            elif not self._alive(client, now_s):
                self._lose("lost", f"{where}: it no longer answers")
            elif return_ and now_s > back_s and not self._lively(now_s):
                if await self._first_answers():
                    self._leave(client)
                back_s = now_s + self._return_s
        return up_s

    async def _wait(self, lost: asyncio.Future[Trouble]) -> None:
        """A tick: until the connection is lost, somebody wants it lively, or a moment is over."""
        lively = self._lively(clock.monotonic_s())
        if lively:
            await asyncio.wait([lost], timeout=min(_LIVELY_TICK_S, self.keepalive_s / 4))
            return
        nudged = asyncio.ensure_future(self._nudge.wait())
        ends: list[asyncio.Future[Any]] = [lost, nudged]
        try:
            await asyncio.wait(
                ends, timeout=min(_TICK_S, self.keepalive_s / 4), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            nudged.cancel()
            self._nudge.clear()

    def _lively(self, now_s: float) -> bool:
        return now_s < self._lively_until_s or bool(self._waiting)

    def _alive(self, client: _Paho, now_s: float) -> bool:
        """Whether the other side is there, as far as is known; asks it when it is time."""
        if client.loop_misc() != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return False
        if not self.connected or not self._lively(now_s):
            self._pulse.rest()
            return True
        progress = client.meter.progress() if client.meter is not None else None
        match self._pulse.feel(now_s, self._reads, progress.acknowledged if progress else None):
            case "ask":
                client._send_pingreq()  # paho itself asks only when the keepalive is over
            case "dead":
                return False
        return True

    async def _first_answers(self) -> bool:
        """Whether somebody listens at the preferred address."""
        try:
            async with asyncio.timeout(_CONNECT_S):
                _reader, writer = await asyncio.open_connection(self.broker.host, self.broker.port)
        except OSError as error:
            self._spent += in_vain(error)
            return False
        self._spent += Meter(writer.get_extra_info("socket"), tls=False).close()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    def _leave(self, client: _Paho) -> None:
        """Go to the preferred address; the will says to those here that we are gone."""
        self._lose("lost", f"broker {self.address}: left for {self.broker}, which is there again")
        self._close(client)

    def _new_client(self, ca: Path | None) -> _Paho:
        client = _Paho(
            CallbackAPIVersion.VERSION2,
            client_id=self.client_id,
            protocol=PROTOCOLS[self.broker.protocol],
            clean_session=True if self.broker.protocol != "5" else None,
        )
        client.max_inflight_messages_set(self.window)
        client.max_queued_messages_set(self.window)
        client.connect_timeout = _CONNECT_S
        if self.broker.username:
            password = self._passwords[self._which].reveal() if self._passwords else None
            client.username_pw_set(self.broker.username, password)
        if ca:
            exact = self.broker.exact and ca == self.broker.ca
            context = mqtt_trouble.tls_context(ca, check_time=self._clock_is_right(), exact=exact)
            client.tls_set_context(context)
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
        self._reads += 1
        client.loop_read()
        until_s = clock.monotonic_s() + _READING_S
        while client is self._client and sock.fileno() >= 0 and _has_more(sock):
            if clock.monotonic_s() > until_s and not _decrypted(sock):
                break
            client.loop_read()

    def _write(self, client: paho.Client) -> None:
        client.loop_write()

    def _connected(self, client: paho.Client, _u: Any, _f: Any, reason: Any, properties: Any) -> None:
        if client is not self._client:
            return
        if reason.is_failure:
            refusal = mqtt_trouble.of_refusal(reason.value, str(reason), f"broker {self.address}")
            self._lose(refusal.kind, refusal.text, refusal.why)
            return
        self.connected, self.trouble = True, None
        self._last_reason = ""
        self.at_once = min(self.window, getattr(properties, "ReceiveMaximum", self.window))
        self._room = asyncio.Semaphore(self.at_once)
        if self.on_password and self._passwords:
            self.on_password(self._passwords[self._which])
        for each in self._filters:
            client.subscribe(each, 1)
        if self.on_connect:
            self.on_connect()

    def _disconnected(self, client: paho.Client, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        if client is self._client:
            why = "connection lost" if str(reason) in ("Unspecified error", "Success") else str(reason)
            self._lose("lost", f"broker {self.address}: {why.lower()}")

    def _published(self, client: paho.Client, _u: Any, mid: int, reason: Any, _p: Any) -> None:
        future = self._waiting.get(mid)
        if client is not self._client or future is None or future.done():
            return
        if reason is None or not reason.is_failure:
            future.set_result(reason is None or reason.value != _NO_SUBSCRIBERS)
        elif reason.value == NOT_AUTHORIZED:
            future.set_exception(MqttDenied("the broker says that this is not ours to write"))
        else:
            future.set_exception(MqttError(f"the broker refused it: {str(reason).lower()}"))

    def _message(self, client: paho.Client, _u: Any, message: paho.MQTTMessage) -> None:
        if client is not self._client:
            return
        if self._client.meter is not None:
            self._client.meter.received(len(message.topic) + len(message.payload) + 8)
        if self.on_message:
            try:
                self.on_message(message.topic, bytes(message.payload), message.retain)
            except Exception:
                # without a PUBACK the broker would soon send nothing more: one bad message must not do that
                log.exception("message not taken topic=%s", message.topic[:100])

    def _lose(self, kind: Kind, text: str, why: Why = "") -> None:
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(Trouble(kind=kind, text=text, why=why))

    def _drop(self, trouble: Trouble, *, word: bool = True) -> None:
        client, self.connected = self._client, False
        if client is not None:
            # without these paho writes DISCONNECT at once; without DISCONNECT the last will would speak
            client.on_socket_register_write = client.on_socket_unregister_write = None
            client.on_socket_close = None
            self._spend(client)
            if word:
                self._close(client, client.disconnect)
            else:
                self._close(client)
        self._client = None
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(
                    MqttError(f"the connection broke before the broker had it: {trouble.text}")
                )

    def _close(self, client: _Paho, first: Callable[[], object] = lambda: None) -> None:
        """End the connection, with a word `first` or without."""
        sock = client.socket()
        with contextlib.suppress(OSError, ValueError):
            first()
        if sock is not None:
            loop = asyncio.get_running_loop()
            with contextlib.suppress(OSError, ValueError):
                loop.remove_reader(sock)
                loop.remove_writer(sock)
            with contextlib.suppress(OSError):
                sock.close()

    def _spend(self, client: _Paho, error: Exception | None = None) -> None:
        """Note what a connection cost that is over."""
        if client.meter is not None:
            self._spent += client.meter.close()
        elif isinstance(error, OSError):
            self._spent += in_vain(error)


def _shown(sock: Any) -> Seen | None:
    """The certificate of the other side, after it was proved; None without TLS."""
    der = sock.getpeercert(binary_form=True) if isinstance(sock, ssl.SSLSocket) else None
    if der:
        from ayni_io import certificates  # needed with TLS only

        with contextlib.suppress(ValueError):
            return certificates.of_der(der)
    return None


def _decrypted(sock: Any) -> int:
    """How much TLS has read that the system does not know of."""
    return sock.pending() if isinstance(sock, ssl.SSLSocket) else 0


def _has_more(sock: Any) -> bool:
    """Whether something can be read without waiting."""
    if _decrypted(sock):
        return True
    ready = select.poll()
    ready.register(sock, select.POLLIN)
    return bool(ready.poll(0))
