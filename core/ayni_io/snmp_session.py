"""The fast path: one connected socket per device, many requests in flight, no task woken in vain.

The kernel drops datagrams from elsewhere and reports refused ports. Answers are matched by request-id; late
and double ones fall on the floor. The readings of `ayni_core.snmpread` are driven from within the arrival of
an answer, so a walk of seven PDUs wakes its task once.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

from ayni_core.snmp import (
    MAX_REQUEST_ID,
    MIN_REQUEST_ID,
    RESPONSE,
    Denial,
    Envelope,
    Pdu,
    Renewal,
    SnmpDecodeError,
    VarBind,
    decode_pdu,
)
from ayni_core.snmplayout import Layouts
from ayni_core.snmpread import Ask, BadAnswer, NoAnswer, Pace, Reading
from ayni_io.snmp import ReadingSession
from ayni_io.snmp_errors import SnmpUnreachable, denied, failure, silence

MOST_RENEWALS = 2  # of one request: another engine stands there, and its time has to be learnt too
_DATAGRAM = 65535


class _Exchange:
    """A reading under way and its current request."""

    __slots__ = ("ask", "deadline", "future", "reading", "renewed", "request_id", "sent", "unanswered")

    def __init__(self, reading: Reading, future: asyncio.Future[Sequence[VarBind]]) -> None:
        self.reading = reading
        self.future = future
        self.ask: Ask
        self.request_id = 0
        self.sent = 0
        self.renewed = 0
        self.unanswered = 0
        self.deadline = 0.0


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

    async def run(self, reading: Reading, attempt: str) -> Sequence[VarBind]:
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
