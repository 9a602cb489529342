"""The second engine: pysnmp reads a device where the fast path disagrees with it. Same port, same results.

Theory of operation. What to ask next is decided by the readings of `ayni_core.snmpread`, as for every engine.
Below them nothing is shared with the fast path: pysnmp makes the requests and takes the answers apart,
asyncio sends and waits. It takes about a hundred times the CPU. The differences: an answer may come in the
other version than the request; a number without the leading zero that its high bit needs, or a Counter64 in
v1, is refused.

Of pysnmp only the messages are used (`pysnmp.proto.api`, no MIBs). What it stacks on them has holes: its
`bulk_walk_cmd` never ends when a device dies mid-walk; its time-outs follow the wall clock and stop when that
steps back; its one socket takes answers from anywhere and never hears that a port is closed; an `SnmpEngine`
blocks for 45 ms.

The law of the file: only this one and `snmp_pysnmp_v3` know pysnmp, only this one pyasn1 beneath it. No word
of theirs reaches a message, because they quote octets, the community among them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pysnmp.proto import api  # first: where the extra is missing, pysnmp is named and not what it brings
from pysnmp.proto.api import verdec

# isort: split
from pyasn1.codec.ber import decoder, encoder
from pyasn1.type import univ

from ayni_core.ber import decode_oid, encode_oid
from ayni_core.snmp import (
    GAUGE32,
    GET,
    GET_BULK,
    GET_NEXT,
    INTEGER,
    MAX_REQUEST_ID,
    MIN_REQUEST_ID,
    OCTET_STRING,
    RESPONSE,
    SET,
    V2C,
    Denial,
    Pdu,
    SnmpDecodeError,
    VarBind,
    check_value,
    decode_pdu,
)
from ayni_core.snmpread import Ask, BadAnswer, NoAnswer, Pace, Reading
from ayni_core.usm_keys import UsmUser
from ayni_io.snmp import ReadingSession
from ayni_io.snmp_errors import SnmpUnreachable, denied, failure, silence


@dataclass(slots=True, eq=False)
class _Waiting:
    """A request under way; `garbled` is set when something came meanwhile that cannot be decoded."""

    future: asyncio.Future[Pdu | SnmpDecodeError]
    garbled: SnmpDecodeError | None = None


class PysnmpSession(ReadingSession, asyncio.DatagramProtocol):
    """`SnmpReader` by pysnmp. It connects when first used, and anew after a failure."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        version: int,
        community: bytes = b"",
        user: UsmUser | None = None,
        timeout_s: float = 2.0,
        tries: int = 3,
    ) -> None:
        super().__init__(host, port, Pace(version=version, tries=tries))
        self._version = version
        self._community = community
        self._user = None
        if user is not None:
            from ayni_io.snmp_pysnmp_v3 import PysnmpUser  # its engine takes longer than the messages alone

            self._user = PysnmpUser(user, self._send, timeout_s=timeout_s)
        self._timeout_s = timeout_s
        self._connecting = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop
        self._transport: asyncio.DatagramTransport | None = None
        self._pending: dict[int, _Waiting] = {}
        self._readings = 0

    def close(self) -> None:
        """Give the socket back; what is under way fails."""
        self._disconnect(self._closed())

    async def run(self, reading: Reading, attempt: str) -> Sequence[VarBind]:
        """See `ReadingSession.run`."""
        unanswered = 0
        outcome: Pdu | SnmpDecodeError | None = None
        self._readings += 1
        try:
            transport = await self._connect()
            while True:
                if isinstance(outcome, Denial):
                    raise outcome
                if isinstance(outcome, SnmpDecodeError):
                    ask = reading.throw(outcome)
                else:
                    ask = reading.send(outcome)
                outcome = await self._exchange(transport, ask)
                unanswered = unanswered + ask.tries if outcome is None else 0
        except StopIteration as done:
            found: Sequence[VarBind] = done.value
            return found
        except NoAnswer:
            if self._readings == 1:  # the socket goes too: its own address may have changed, or the name's
                self._disconnect(None)
            raise silence(f"{attempt} {self.address}", unanswered, self._timeout_s) from None
        except Denial as denial:
            raise denied(f"{attempt} {self.address}", denial) from None
        except (BadAnswer, OSError) as error:
            if isinstance(error, OSError) and not isinstance(error, ConnectionRefusedError):
                self._disconnect(error)
            raise failure(f"{attempt} {self.address}", error) from None
        finally:
            self._readings -= 1

    async def _connect(self) -> asyncio.DatagramTransport:
        async with self._connecting:
            if self._transport is None or self._transport.is_closing():
                self._loop = asyncio.get_running_loop()
                self._transport, _ = await self._loop.create_datagram_endpoint(
                    lambda: self, remote_addr=(self._host, self._port)
                )
            return self._transport

    def _disconnect(self, error: Exception | None) -> None:
        if self._transport is not None:
            if not self._loop.is_closed():
                self._transport.abort()
            self._transport = None
        if error is not None:
            self._fail_all(error)

    def _closed(self) -> SnmpUnreachable:
        return SnmpUnreachable(f"reading from {self.address}: the session was closed")

    def _fail_all(self, error: Exception) -> None:
        for waiting in self._pending.values():
            if not waiting.future.done():
                waiting.future.set_exception(error)

    async def _exchange(self, transport: asyncio.DatagramTransport, ask: Ask) -> Pdu | SnmpDecodeError | None:
        """What came of a request: None when all its tries went unanswered. Tries share the request-id."""
        self._request_id = request_id = max(MIN_REQUEST_ID, (self._request_id + 1) % (MAX_REQUEST_ID + 1))
        template = ask.request.with_id(request_id)
        request = decode_pdu(template, 0, len(template))
        waiting = self._pending[request_id] = _Waiting(self._loop.create_future())
        try:
            for _ in range(ask.tries):
                if transport.is_closing():
                    raise self._closed()
                if self._user is not None:
                    self._user.request(_pdu(V2C, request), self._answered(waiting), self._loop.time())
                else:
                    self._send(_encode(self._version, self._community, request))
                try:
                    async with asyncio.timeout(self._timeout_s):
                        return await asyncio.shield(waiting.future)
                except TimeoutError:
                    if waiting.future.done():  # taking it apart took long, but it came in time
                        return waiting.future.result()
                    self._timeouts += 1
                if waiting.garbled is not None:
                    return waiting.garbled
            return None
        finally:
            del self._pending[request_id]

    def _send(self, datagram: bytes) -> None:
        if self._transport is not None:
            self._transport.sendto(datagram)
            self._pdus += 1
            self._bytes_sent += len(datagram)

    def _answered(self, waiting: _Waiting) -> Callable[[Any], None]:
        """Takes what the v3 engine makes of the answer to one request."""

        def answered(found: Any) -> None:
            if waiting.future.done():
                self._ignored += 1
                return
            try:
                outcome = found if isinstance(found, SnmpDecodeError) else _read(V2C, found)
            except Exception as error:  # as in `_decode`
                outcome = SnmpDecodeError(f"pysnmp gives up with {type(error).__name__}")
            waiting.future.set_result(outcome)

        return answered

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Whatever the device sends: the socket is connected, so nobody else does."""
        self._bytes_received += len(data)
        if self._user is not None:
            try:
                self._user.receive(data, self._loop.time())
            except SnmpDecodeError:
                self._ignored += 1
            return
        try:
            pdu = _decode(data)
        except SnmpDecodeError as error:
            self._ignored += 1
            for waiting in self._pending.values():  # whose answer it was nobody can say
                waiting.garbled = error
            return
        answered = self._pending.get(pdu.request_id)
        if answered is None or answered.future.done():
            self._ignored += 1
        else:
            answered.future.set_result(pdu)

    def error_received(self, exc: Exception) -> None:
        """ICMP, or this machine's own network, says that nobody is there."""
        self._fail_all(exc)


def _encode(version: int, community: bytes, request: Pdu) -> bytes:
    """A request in a community message, as pysnmp writes it."""
    module = api.PROTOCOL_MODULES[version]
    message = module.Message()
    module.apiMessage.set_defaults(message)
    module.apiMessage.set_community(message, community)
    module.apiMessage.set_pdu(message, _pdu(version, request))
    return bytes(encoder.encode(message))


def _pdu(version: int, request: Pdu) -> Any:
    """A request as pysnmp's own PDU."""
    module = api.PROTOCOL_MODULES[version]
    if request.kind == GET_BULK:
        pdu = module.GetBulkRequestPDU()
        module.apiBulkPDU.set_defaults(pdu)
        module.apiBulkPDU.set_non_repeaters(pdu, request.error_status)
        module.apiBulkPDU.set_max_repetitions(pdu, request.error_index)
    else:
        pdus = {GET: module.GetRequestPDU, GET_NEXT: module.GetNextRequestPDU, SET: module.SetRequestPDU}
        pdu = pdus[request.kind]()
        module.apiPDU.set_defaults(pdu)
    module.apiPDU.set_request_id(pdu, request.request_id)
    varbinds = [(decode_oid(name), _value(module, tag, value)) for name, tag, value in request.varbinds]
    module.apiPDU.set_varbinds(pdu, varbinds)
    return pdu


def _value(module: Any, tag: int, value: int | bytes | None) -> Any:
    """What a SET carries, as pysnmp's own; in other requests it is nothing."""
    if value is None:
        return module.null
    if tag == GAUGE32:
        return (module.Gauge if module is api.v1 else module.Gauge32)(value)
    return {INTEGER: module.Integer, OCTET_STRING: module.OctetString}[tag](value)


def _decode(datagram: bytes) -> Pdu:
    """An answer as pysnmp understands it."""
    try:
        version = int(verdec.decode_message_version(datagram))
        module = api.PROTOCOL_MODULES[version]
        message, _ = decoder.decode(datagram, asn1Spec=module.Message())
        return _read(version, module.apiMessage.get_pdu(message))
    except SnmpDecodeError:
        raise
    except Exception as error:  # on hostile octets pyasn1 also fails by IndexError, RecursionError and others
        raise SnmpDecodeError(f"pysnmp gives up with {type(error).__name__}") from None


def _read(version: int, pdu: Any) -> Pdu:
    """pysnmp's Response-PDU as ours; it fails in many ways where a value is none of SNMP's."""
    module = api.PROTOCOL_MODULES[version]
    if not isinstance(pdu, module.GetResponsePDU):
        raise SnmpDecodeError("no Response-PDU")
    request_id, status, index = (int(pdu[place]) for place in range(3))
    varbinds = [varbind(name, value) for name, value in module.apiPDU.get_varbinds(pdu)]
    return Pdu(RESPONSE, request_id, status, index, varbinds)


def varbind(name: univ.ObjectIdentifier, value: univ.Any) -> VarBind:
    """pysnmp's var-bind as ours."""
    outermost = value.tagSet.superTags[-1]  # SNMP tags implicitly: this one stands on the wire
    tag = outermost.tagClass | outermost.tagId
    plain: int | bytes | None
    match value:
        case univ.Null():
            plain = None
        case univ.Integer():
            plain = int(value)
        case univ.ObjectIdentifier():
            plain = encode_oid(tuple(value))
        case _:
            plain = bytes(value)
    check_value(tag, plain)
    return encode_oid(tuple(name)), tag, plain
