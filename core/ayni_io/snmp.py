"""SNMP over UDP: the port `SnmpReader`, and the fast path behind it. `open_session` chooses the engine.

One connected socket per device: the kernel drops datagrams from elsewhere and reports refused ports. Answers
are matched by request-id; late and double ones fall on the floor. The readings of `ayni_core.snmpread` are
driven from within the arrival of an answer, so a walk of seven PDUs wakes its task once.

A community is held by the envelope alone and stands in no message, repr or exception.
"""

from __future__ import annotations

import asyncio
import importlib
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ayni_core.ber import oid_text
from ayni_core.snmp import (
    MAX_REQUEST_ID,
    MIN_REQUEST_ID,
    RESPONSE,
    V1,
    V2C,
    V3,
    CommunityEnvelope,
    Denial,
    Envelope,
    Pdu,
    Refusal,
    Renewal,
    SnmpDecodeError,
    VarBind,
    decode_pdu,
)
from ayni_core.snmplayout import Layouts
from ayni_core.snmpread import Ask, BadAnswer, NoAnswer, Pace, Reading, read_objects
from ayni_core.snmpwalk import read_columns
from ayni_core.usm import UsmEnvelope
from ayni_core.usm_keys import Aes, UsmUser
from ayni_io.clock import monotonic_s

MOST_RENEWALS = 2  # of one request: another engine stands there, and its time has to be learnt too
_DATAGRAM = 65535


class SnmpError(Exception):
    """A device could not be read."""


class SnmpTimeout(SnmpError):  # noqa: N818
    """No answer: the device is dead or cut off, or the community is wrong (an agent is silent then)."""


class SnmpUnreachable(SnmpError):  # noqa: N818
    """The network of this machine says that nothing can be sent there, or the name has no address."""


class SnmpRefused(SnmpUnreachable):
    """The device is alive, but nothing listens on that port (ICMP port unreachable)."""


class SnmpProtocolError(SnmpError):
    """The agent answers, but not as the protocol has it."""


class SnmpDenied(SnmpError):  # noqa: N818
    """The agent is there and speaks SNMPv3, but not with this user."""


class SnmpUnknownUser(SnmpDenied):
    """It has no user of that name."""


class SnmpWrongAuth(SnmpDenied):
    """The authentication password, or its protocol, is another one there."""


class SnmpWrongPriv(SnmpDenied):
    """The privacy password, or its protocol, is another one there."""


class SnmpLevelRefused(SnmpDenied):
    """It does not offer the user this security level."""


_DENIED = {
    Refusal.USER: SnmpUnknownUser,
    Refusal.AUTH: SnmpWrongAuth,
    Refusal.PRIV: SnmpWrongPriv,
    Refusal.LEVEL: SnmpLevelRefused,
    Refusal.OTHER: SnmpDenied,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What reading has cost since the reader was made: requests sent, and octets of UDP payload."""

    pdus: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    timeouts: int = 0
    ignored: int = 0  # late, double or undecodable datagrams


class SnmpReader(Protocol):
    """Reads objects of one device: a session, or a recording."""

    @property
    def cost(self) -> Cost:
        """What it has cost so far."""
        ...

    async def get(self, oids: Sequence[bytes]) -> list[VarBind]:
        """These objects, any number, in their order; what is missing comes with value None and its reason
        as tag, 0x80 where an object spoils the PDU it is asked in.
        """
        ...

    async def columns(
        self, columns: Sequence[bytes], expected_rows: int | None = None, max_rows: int = 4096
    ) -> list[VarBind]:
        """Columns of tables with the same index, up to `expected_rows` where their number is known.

        Increasing within a column; how columns are interleaved is not promised. Ends at `max_rows`.
        """
        ...

    async def walk(self, root: bytes, max_objects: int = 4096) -> list[VarBind]:
        """Everything below `root` in order, `max_objects` at most."""
        ...

    def close(self) -> None:
        """Give the socket back; what is under way fails."""
        ...


class _Exchange:
    """A reading under way and its current request."""

    __slots__ = ("ask", "deadline", "future", "reading", "renewed", "request_id", "sent", "unanswered")

    def __init__(self, reading: Reading, future: asyncio.Future[list[VarBind]]) -> None:
        self.reading = reading
        self.future = future
        self.ask: Ask
        self.request_id = 0
        self.sent = 0
        self.renewed = 0
        self.unanswered = 0
        self.deadline = 0.0


class ReadingSession:
    """What every session is: it names its device, counts its cost, and runs readings of the core.

    A session adds `run`, which drives one reading to its end over the network.
    """

    def __init__(self, host: str, port: int, pace: Pace) -> None:
        self._host = host
        self._port = port
        self._pace = pace
        # Begins anywhere: whoever forges an answer has to guess it.
        self._request_id = MIN_REQUEST_ID + secrets.randbelow(MAX_REQUEST_ID - MIN_REQUEST_ID)
        self._pdus = self._bytes_sent = self._bytes_received = self._timeouts = self._ignored = 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address})"

    async def run(self, reading: Reading, attempt: str) -> list[VarBind]:
        """Drive a reading; `attempt` says in errors what was tried. Raises `SnmpError`."""
        raise NotImplementedError

    @property
    def address(self) -> str:
        """Host and port as messages give them."""
        return address_text(self._host, self._port)

    @property
    def cost(self) -> Cost:
        """What it has cost so far."""
        return Cost(
            pdus=self._pdus,
            bytes_sent=self._bytes_sent,
            bytes_received=self._bytes_received,
            timeouts=self._timeouts,
            ignored=self._ignored,
        )

    async def get(self, oids: Sequence[bytes]) -> list[VarBind]:
        """See `SnmpReader.get`."""
        return await self.run(read_objects(oids, self._pace), get_text(oids))

    async def columns(
        self, columns: Sequence[bytes], expected_rows: int | None = None, max_rows: int = 4096
    ) -> list[VarBind]:
        """See `SnmpReader.columns`."""
        reading = read_columns(columns, self._pace, expected_rows=expected_rows, max_rows=max_rows)
        return await self.run(reading, columns_text(columns))

    async def walk(self, root: bytes, max_objects: int = 4096) -> list[VarBind]:
        """See `SnmpReader.walk`."""
        reading = read_columns([root], self._pace, max_rows=max_objects)
        return await self.run(reading, walk_text(root))


class SnmpSession(ReadingSession):
    """`SnmpReader` over UDP. It connects when first used, and anew after a failure."""

    def __init__(
        self, host: str, port: int, envelope: Envelope, *, timeout_s: float = 2.0, tries: int = 3
    ) -> None:
        super().__init__(host, port, Pace(version=envelope.version, tries=tries, surplus=envelope.surplus))
        self._envelope = envelope
        self._timeout_s = timeout_s
        self._layouts = Layouts()
        self._socket: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop
        self._timer: asyncio.TimerHandle | None = None
        self._pending: dict[int, _Exchange] = {}

    def close(self) -> None:
        """Give the socket back; what is under way fails."""
        self._disconnect(SnmpUnreachable(f"reading from {self.address}: the session was closed"))

    async def run(self, reading: Reading, attempt: str) -> list[VarBind]:
        """See `ReadingSession.run`."""
        try:
            if self._socket is None:
                await self._connect()
            exchange = _Exchange(reading, self._loop.create_future())
            self._advance(exchange, None)
            try:
                return await exchange.future
            finally:
                self._pending.pop(exchange.request_id, None)
        except NoAnswer:
            # The socket goes too: its own address may be what has changed, or the name's.
            if not self._pending:
                self._disconnect(None)
            denial = self._envelope.unanswered()
            if denial is not None:
                raise denied(f"{attempt} {self.address}", denial) from None
            raise silence(f"{attempt} {self.address}", exchange.unanswered, self._timeout_s) from None
        except Denial as denial:
            raise denied(f"{attempt} {self.address}", denial) from None
        except (BadAnswer, OSError) as error:
            if isinstance(error, OSError) and not isinstance(error, ConnectionRefusedError):
                self._disconnect(error)
            raise failure(f"{attempt} {self.address}", error) from None

    async def _connect(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            found = socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
            )
        except socket.gaierror:
            found = await self._loop.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)
            if self._socket is not None:  # another reading was faster
                return
        family, kind, protocol, _, address = found[0]
        connection = socket.socket(family, kind, protocol)
        try:
            connection.setblocking(False)
            connection.connect(address)
        except OSError:
            connection.close()
            raise
        self._socket = connection
        self._loop.add_reader(connection, self._on_readable, connection)

    def _disconnect(self, error: Exception | None) -> None:
        if self._socket is not None:
            if not self._loop.is_closed():
                self._loop.remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if error is not None:
            self._fail_all(error)

    def _fail_all(self, error: Exception) -> None:
        pending, self._pending = self._pending, {}
        for exchange in pending.values():
            if not exchange.future.done():
                exchange.future.set_exception(error)

    def _advance(self, exchange: _Exchange, outcome: Pdu | SnmpDecodeError | None) -> None:
        """Tell the reading what came of its request, and send the next one."""
        try:
            if isinstance(outcome, SnmpDecodeError):
                exchange.ask = exchange.reading.throw(outcome)
            else:
                exchange.ask = exchange.reading.send(outcome)
        except StopIteration as done:
            exchange.future.set_result(done.value)
            return
        except Exception as error:
            exchange.future.set_exception(error)
            return
        request_id = self._request_id + 1
        if request_id > MAX_REQUEST_ID:
            request_id = MIN_REQUEST_ID
        self._request_id = exchange.request_id = request_id
        self._pending[request_id] = exchange
        exchange.sent = exchange.renewed = 0
        self._send(exchange)

    def _renew(self, request_id: int | None) -> None:
        """Seal a request anew, with what the envelope has learnt; that is no further try, but bounded."""
        exchange = self._pending.get(request_id)  # type: ignore[arg-type]
        if exchange is None or exchange.future.done():
            self._ignored += 1
            return
        exchange.renewed += 1
        if exchange.renewed > MOST_RENEWALS:
            exchange.future.set_exception(BadAnswer("answered every request by asking for another"))
            return
        exchange.unanswered = 0
        exchange.sent -= 1
        self._send(exchange)

    def _send(self, exchange: _Exchange) -> None:
        """A repeated request keeps its request-id: a late answer to the first try is still welcome."""
        connection = self._socket
        if connection is None:
            return
        datagram = self._envelope.seal(exchange.ask.request, exchange.request_id)
        exchange.sent += 1
        self._pdus += 1
        self._bytes_sent += len(datagram)
        exchange.deadline = self._loop.time() + self._timeout_s
        if self._timer is None:
            self._timer = self._loop.call_at(exchange.deadline, self._on_timer)
        try:
            connection.send(datagram)
        except BlockingIOError:
            pass  # a full buffer loses a datagram as the network does
        except OSError as error:
            self._fail_all(error)

    def _on_readable(self, connection: socket.socket) -> None:
        try:
            datagram = connection.recv(_DATAGRAM)
        except BlockingIOError:
            return
        except OSError as error:  # ICMP told the kernel that nobody is there
            self._fail_all(error)
            return
        self._bytes_received += len(datagram)
        outcome: Pdu | SnmpDecodeError
        try:
            data, pos, end = self._envelope.open(datagram)
            if len(self._pending) == 1:
                (expected,) = self._pending.values()
                outcome = self._layouts.decode(expected.ask.request, data, pos, end)
            else:
                outcome = decode_pdu(data, pos, end)
            if outcome.kind != RESPONSE:
                raise SnmpDecodeError("no Response-PDU")
        except Renewal as renewal:
            self._renew(renewal.request_id)
            return
        except Denial as denial:
            self._deny(denial)
            return
        except SnmpDecodeError as error:
            outcome = error
        exchange = self._pending.pop(outcome.request_id, None)  # type: ignore[arg-type]
        if exchange is None or exchange.future.done():
            self._ignored += 1
            return
        exchange.unanswered = 0
        self._advance(exchange, outcome)

    def _deny(self, denial: Denial) -> None:
        exchange = self._pending.pop(denial.request_id, None)  # type: ignore[arg-type]
        if exchange is None or exchange.future.done():
            self._ignored += 1
        else:
            exchange.future.set_exception(denial)

    def _on_timer(self) -> None:
        """One timer for the session, not one per request: it looks who is due and sleeps until the next."""
        self._timer = None
        now = self._loop.time()
        for exchange in [due for due in self._pending.values() if due.deadline <= now]:
            if exchange.future.done():  # cancelled, or failed with one before it
                continue
            self._timeouts += 1
            exchange.unanswered += 1
            if exchange.sent < exchange.ask.tries:
                self._send(exchange)
            else:
                del self._pending[exchange.request_id]
                self._advance(exchange, None)
        if self._pending and self._timer is None:
            earliest = min(exchange.deadline for exchange in self._pending.values())
            self._timer = self._loop.call_at(earliest, self._on_timer)


def address_text(host: str, port: int) -> str:
    """Host and port as messages give them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def get_text(oids: Sequence[bytes]) -> str:
    """What a `get` attempts, as messages give it."""
    return "reading 1 object from" if len(oids) == 1 else f"reading {len(oids)} objects from"


def columns_text(columns: Sequence[bytes]) -> str:
    """What a reading of columns attempts."""
    return "walking 1 column of" if len(columns) == 1 else f"walking {len(columns)} columns of"


def walk_text(root: bytes) -> str:
    """What a `walk` attempts."""
    return f"walking {oid_text(root)} of"


def silence(attempt: str, tries: int, timeout_s: float) -> SnmpTimeout:
    """The error for an attempt that nobody answered."""
    counted = "1 try" if tries == 1 else f"{tries} tries"
    return SnmpTimeout(f"{attempt}: no answer after {counted} of {timeout_s:g} s")


def denied(attempt: str, denial: Denial) -> SnmpDenied:
    """The error for an attempt that the agent does not grant to this user."""
    return _DENIED[denial.why](f"{attempt}: {denial}")


def failure(attempt: str, error: BadAnswer | OSError) -> SnmpError:
    """The error for an attempt that the agent or the network failed."""
    if isinstance(error, BadAnswer):
        return SnmpProtocolError(f"{attempt}: {error}")
    if isinstance(error, ConnectionRefusedError):
        return SnmpRefused(f"{attempt}: nothing listens on that port")
    return SnmpUnreachable(f"{attempt}: {error.strerror or error}")


def load_engine(engine: str, *, encrypted: bool = False) -> None:
    """Import what an engine needs, which takes a while; `ModuleNotFoundError` where the extra is missing."""
    if engine == "pysnmp":
        importlib.import_module("ayni_io.snmp_pysnmp")
    if encrypted:
        importlib.import_module("ayni_io.aes")


def open_session(
    host: str,
    port: int = 161,
    *,
    version: str = "2c",
    community: bytes = b"",
    user: UsmUser | None = None,
    timeout_s: float = 2.0,
    tries: int = 3,
    engine: str = "fast",
) -> SnmpReader:
    """A session with a device: by `community` in version "1" or "2c", by `user` in version "3".

    No packet is sent before the first reading. `engine` is one of `inventory.ENGINES`: this module, or pysnmp
    where the two disagree about a device. `ModuleNotFoundError` where what the user needs is not installed.
    """
    load_engine(engine, encrypted=user is not None and user.priv is not None)
    if engine == "pysnmp":
        from ayni_io.snmp_pysnmp import PysnmpSession  # where a device asks for it: it takes a while

        return PysnmpSession(
            host,
            port,
            version={"1": V1, "2c": V2C, "3": V3}[version],
            community=community,
            user=user,
            timeout_s=timeout_s,
            tries=tries,
        )
    return SnmpSession(host, port, _envelope(version, community, user), timeout_s=timeout_s, tries=tries)


def _envelope(version: str, community: bytes, user: UsmUser | None) -> Envelope:
    if version != "3":
        return CommunityEnvelope({"1": V1, "2c": V2C}[version], community)
    if user is None:
        raise ValueError("SNMPv3 needs a user")
    aes: Aes | None = None
    if user.priv is not None:
        from ayni_io.aes import CryptographyAes  # where privacy is used: it takes a while

        aes = CryptographyAes
    return UsmEnvelope(
        user,
        clock=monotonic_s,
        first_id=secrets.randbits(31),
        first_salt=secrets.randbits(64),
        aes=aes,
    )
