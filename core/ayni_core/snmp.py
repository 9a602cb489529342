"""SNMP v1 and v2c messages in both directions: RFC 1157, RFC 3416, RFC 1901, in the BER of X.690.

Theory of operation. A *PDU* is decoded and encoded by itself (`decode_pdu`, `frame_pdu`), and an *envelope*
puts it into a message and takes it out again: `CommunityEnvelope` in v1 and v2c, the security of v3 around
the very same PDU. A request is a `RequestTemplate`: its octets are built once, cached, and only the
request-id is written in for each use; no template holds a community, so devices share them.

The law of the file: octets from the network come out as a whole `Pdu` or as `SnmpDecodeError`, nothing else.
All lengths are bounded by the datagram, nothing recurses, and a value has the size its type allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import lru_cache
from typing import NamedTuple, Protocol, overload

from ayni_core.ber import BerError, encode_integer, encode_length, long_length, read_header, tlv, valid_oid

V1, V2C, V3 = 0, 1, 3

SEQUENCE = 0x30
INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x02, 0x03, 0x04, 0x05, 0x06
IP_ADDRESS, COUNTER32, GAUGE32, TIME_TICKS, OPAQUE = 0x40, 0x41, 0x42, 0x43, 0x44
NSAP_ADDRESS, COUNTER64, UINTEGER32 = 0x45, 0x46, 0x47  # the first and last: SMIv1 leftovers still met
NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB_VIEW = 0x80, 0x81, 0x82

GET, GET_NEXT, RESPONSE, SET, GET_BULK, INFORM, TRAP, REPORT = 0xA0, 0xA1, 0xA2, 0xA3, 0xA5, 0xA6, 0xA7, 0xA8
_PDU_KINDS = frozenset((GET, GET_NEXT, RESPONSE, SET, GET_BULK, INFORM, TRAP, REPORT))
_REQUEST_KINDS = frozenset((GET, GET_NEXT, SET, GET_BULK))

NO_ERROR, TOO_BIG, NO_SUCH_NAME, BAD_VALUE, READ_ONLY, GEN_ERR, NO_ACCESS = range(7)
RESOURCE_UNAVAILABLE, NOT_WRITABLE = 13, 17
_STATUS_NAMES = (  # noqa: SIM905  a list of 19 strings would fill the page
    "noError tooBig noSuchName badValue readOnly genErr noAccess wrongType wrongLength wrongEncoding "
    "wrongValue noCreation inconsistentValue resourceUnavailable commitFailed undoFailed "
    "authorizationError notWritable inconsistentName"
).split()

MAX_REQUEST_ID = 2**31 - 1
MIN_REQUEST_ID = 2**23  # the smallest that fills the template's four octets (X.690, 8.3.2)
_U32 = 2**32 - 1

_OCTETS = frozenset((OCTET_STRING, IP_ADDRESS, OPAQUE, OID, BIT_STRING, NSAP_ADDRESS))
_NOTHING = frozenset((NULL, NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB_VIEW))
_NUMBERS = {
    INTEGER: (-(2**31), 2**31 - 1),
    COUNTER32: (0, _U32),
    GAUGE32: (0, _U32),
    TIME_TICKS: (0, _U32),
    UINTEGER32: (0, _U32),
    COUNTER64: (0, 2**64 - 1),
}

VarBind = tuple[bytes, int, int | bytes | None]
"""OID body, tag, value: int for numbers, bytes for octets, addresses and OIDs, None for Null, exceptions."""


class SnmpDecodeError(ValueError):
    """Octets from the network are no SNMP message; `request_id` is set where at least that could be read."""

    def __init__(self, cause: str, request_id: int | None = None) -> None:
        super().__init__(cause)
        self.request_id = request_id


class Renewal(SnmpDecodeError):  # noqa: N818  what happened, named as such
    """No answer yet, but the agent said what a good request needs: seal this one again, once or twice."""


class Denial(SnmpDecodeError):  # noqa: N818
    """The agent refuses this request for good; `why` says what of the credentials it does not take."""

    def __init__(self, why: Refusal, cause: str, request_id: int | None = None) -> None:
        super().__init__(cause, request_id)
        self.why = why


class Refusal(Enum):
    """What an agent does not accept, as far as SNMPv3 lets one know."""

    USER = auto()
    AUTH = auto()
    PRIV = auto()
    LEVEL = auto()
    OTHER = auto()


class Pdu(NamedTuple):  # a tuple is made in a third of the time that a frozen dataclass takes
    """One PDU. In a GETBULK the error fields are non-repeaters and max-repetitions (RFC 3416 section 3)."""

    kind: int
    request_id: int
    error_status: int
    error_index: int
    varbinds: Sequence[VarBind]


class Shape(Protocol):
    """What the var-binds of many answers have in common."""

    @property
    def names(self) -> tuple[bytes, ...]:
        """OID bodies."""
        ...

    @property
    def tags(self) -> tuple[int, ...]:
        """The types of the values."""
        ...


class Binds(Sequence[VarBind]):
    """The var-binds of an answer of known shape. Pairs are made when somebody looks at them."""

    __slots__ = ("shape", "values")

    def __init__(self, shape: Shape, values: Sequence[int | bytes | None]) -> None:
        self.shape = shape
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[VarBind]:
        return zip(self.shape.names, self.shape.tags, self.values, strict=True)

    @overload
    def __getitem__(self, at: int) -> VarBind: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[VarBind]: ...

    def __getitem__(self, at: int | slice) -> VarBind | Sequence[VarBind]:
        return list(self)[at]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Message:
    """A PDU with what a community message says about its sender."""

    version: int
    community: bytes = field(repr=False)
    pdu: Pdu


@dataclass(frozen=True, slots=True, eq=False)
class RequestTemplate:
    """A request PDU but for its request-id, four octets between `head` and `tail`; `objects` var-binds.

    Compared by identity: `request_template` gives the same one for the same request, as long as it is in use.
    """

    head: bytes = field(repr=False)
    tail: bytes = field(repr=False)
    objects: int

    def with_id(self, request_id: int) -> bytes:
        """The PDU; `request_id` from MIN_REQUEST_ID to MAX_REQUEST_ID."""
        return self.head + request_id.to_bytes(4, "big") + self.tail


class Envelope(Protocol):
    """Makes datagrams of requests, and finds the PDU in those that answer."""

    @property
    def version(self) -> int:
        """V1 has no GETBULK, no Counter64 and no exceptions."""
        ...

    @property
    def surplus(self) -> int:
        """Octets that it puts around a PDU beyond what a community message does."""
        ...

    def seal(self, request: RequestTemplate, request_id: int) -> bytes:
        """The datagram to send next, to have this request answered."""
        ...

    def open(self, datagram: bytes) -> tuple[bytes, int, int]:
        """Where the PDU of an answer stands: octets, start, end.

        SnmpDecodeError if it is no answer; of these `Renewal` and `Denial` concern one request.
        """
        ...

    def unanswered(self) -> Denial | None:
        """A request went unanswered in all its tries; what the agent said before may tell why."""
        ...


class CommunityEnvelope:
    """v1 and v2c (RFC 1157 section 4, RFC 1901 section 3). Its repr keeps the community to itself."""

    __slots__ = ("_head", "_openings", "version")

    surplus = 0

    def __init__(self, version: int, community: bytes) -> None:
        if version not in (V1, V2C):
            raise BerError(f"no community message has version {version}")
        self.version = version
        self._head = tlv(INTEGER, bytes((version,))) + tlv(OCTET_STRING, community)
        self._openings: dict[int, bytes] = {}  # by length of the PDU, so there are few

    def __repr__(self) -> str:
        return f"CommunityEnvelope(version={self.version})"

    def seal(self, request: RequestTemplate, request_id: int) -> bytes:
        """The datagram to send."""
        length = len(request.head) + len(request.tail)
        opening = self._openings.get(length)
        if opening is None:
            opening = b"\x30" + encode_length(len(self._head) + length + 4) + self._head
            self._openings[length] = opening
        return b"%b%b%b%b" % (opening, request.head, request_id.to_bytes(4, "big"), request.tail)

    def open(self, datagram: bytes) -> tuple[bytes, int, int]:
        """Where the PDU of an answer stands. Agents echo the community, nobody need check it."""
        if datagram.startswith(self._head, 4) and datagram[:2] == b"\x30\x82":  # the usual long answer
            end = 4 + int.from_bytes(datagram[2:4], "big")
            if end <= len(datagram):
                return datagram, 4 + len(self._head), end
        version, _, pos, end = open_message(datagram)
        if version != self.version:
            raise SnmpDecodeError(f"answered in version {version} to a request in version {self.version}")
        return datagram, pos, end

    def unanswered(self) -> Denial | None:
        """A wrong community is silence, as much as a dead device."""
        return None


def status_name(status: int) -> str:
    """Name of an error-status as RFC 3416 gives it."""
    return _STATUS_NAMES[status] if 0 <= status < len(_STATUS_NAMES) else f"error-status {status}"


# ---- out


def check_value(tag: int, value: int | bytes | None) -> None:
    """BerError unless SNMP has the type and the type allows the value."""
    if tag in _OCTETS:
        if not isinstance(value, bytes):
            raise BerError(f"tag 0x{tag:02x} carries octets, not {type(value).__name__}")
        if tag == IP_ADDRESS and len(value) != 4:
            raise BerError(f"an IpAddress has 4 octets, this one {len(value)}")
        if tag == OID and not valid_oid(value):
            raise BerError(f"not an OID body: {value[:40].hex()}")
    elif tag in _NUMBERS:
        low, high = _NUMBERS[tag]
        if not isinstance(value, int) or not low <= value <= high:
            raise BerError(f"tag 0x{tag:02x} carries a number from {low} to {high}, not {value!r:.40}")
    elif tag not in _NOTHING:
        raise BerError(f"no SNMP type has tag 0x{tag:02x}")
    elif value is not None:
        raise BerError(f"tag 0x{tag:02x} carries no value")


def encode_value(tag: int, value: int | bytes | None) -> bytes:
    """One value with tag and length; BerError if SNMP does not allow it."""
    check_value(tag, value)
    if value is None:
        return bytes((tag, 0))
    return tlv(tag, value if isinstance(value, bytes) else encode_integer(value))


def encode_varbind(oid: bytes, tag: int, value: int | bytes | None) -> bytes:
    """One var-bind of an OID body and a value."""
    return tlv(SEQUENCE, tlv(OID, oid) + encode_value(tag, value))


def frame_pdu(kind: int, request_id: int, status: int, index: int, varbinds: Iterable[bytes]) -> bytes:
    """A PDU around var-binds that are encoded already."""
    body = (
        tlv(INTEGER, encode_integer(request_id))
        + tlv(INTEGER, encode_integer(status))
        + tlv(INTEGER, encode_integer(index))
        + tlv(SEQUENCE, b"".join(varbinds))
    )
    return tlv(kind, body)


def frame_message(version: int, community: bytes, pdu: bytes) -> bytes:
    """A v1 or v2c message around a PDU."""
    return tlv(SEQUENCE, tlv(INTEGER, bytes((version,))) + tlv(OCTET_STRING, community) + pdu)


def encode_response(request: Message, status: int, index: int, varbinds: Iterable[VarBind]) -> bytes:
    """The answer to `request`: its version, community and request-id, this status and these var-binds."""
    pdu = frame_pdu(
        RESPONSE, request.pdu.request_id, status, index, [encode_varbind(*varbind) for varbind in varbinds]
    )
    return frame_message(request.version, request.community, pdu)


@lru_cache(maxsize=512)  # a poll repeats its requests, and devices of one kind share them
def request_template(kind: int, oids: tuple[bytes, ...], status: int = 0, index: int = 0) -> RequestTemplate:
    """A request for these OID bodies; for GETBULK, `status` = non-repeaters, `index` = max-repetitions."""
    varbinds = b"".join([tlv(SEQUENCE, tlv(OID, oid) + b"\x05\x00") for oid in oids])
    tail = (
        tlv(INTEGER, encode_integer(status)) + tlv(INTEGER, encode_integer(index)) + tlv(SEQUENCE, varbinds)
    )
    head = bytes((kind,)) + encode_length(6 + len(tail)) + b"\x02\x04"
    return RequestTemplate(head, tail, len(oids))


# ---- in


def decode_response(data: bytes) -> Pdu:
    """The Response-PDU of a community message."""
    _, _, pos, end = open_message(data)
    pdu = decode_pdu(data, pos, end)
    if pdu.kind != RESPONSE:
        raise SnmpDecodeError(f"PDU 0x{pdu.kind:02x} is no response", pdu.request_id)
    return pdu


def decode_request(data: bytes) -> Message:
    """A GET, GETNEXT, GETBULK or SET with its version and community, as an agent receives it."""
    version, community, pos, end = open_message(data)
    pdu = decode_pdu(data, pos, end)
    if pdu.kind not in _REQUEST_KINDS or (version == V1 and pdu.kind == GET_BULK):
        raise SnmpDecodeError(f"PDU 0x{pdu.kind:02x} is no request of version {version}", pdu.request_id)
    return Message(version, community, pdu)


def open_message(data: bytes) -> tuple[int, bytes, int, int]:
    """(version, community, start, end of the PDU).

    Octets behind the message are let pass, as net-snmp does: some agents pad their datagrams.
    """
    try:
        tag, pos, end = read_header(data, 0, len(data))
        if tag != SEQUENCE:
            raise SnmpDecodeError(f"a message begins with 0x30, not 0x{tag:02x}")
        version, pos = _integer(data, pos, end)
        if version not in (V1, V2C):
            raise SnmpDecodeError(f"no community message has version {version}")
        tag, pos, stop = read_header(data, pos, end)
    except BerError as error:
        raise SnmpDecodeError(str(error)) from None
    if tag != OCTET_STRING:
        raise SnmpDecodeError("no community")
    return version, data[pos:stop], stop, end


def decode_pdu(data: bytes, pos: int, end: int) -> Pdu:
    """The PDU that fills `data[pos:end]` exactly."""
    request_id: int | None = None
    try:
        kind, pos, stop = read_header(data, pos, end)
        if kind not in _PDU_KINDS:
            raise SnmpDecodeError(f"PDU of unknown kind 0x{kind:02x}")
        if stop != end:
            raise SnmpDecodeError("octets behind the PDU")
        request_id, pos = _integer(data, pos, end)
        status, pos = _integer(data, pos, end)
        index, pos = _integer(data, pos, end)
        tag, pos, stop = read_header(data, pos, end)
        if tag != SEQUENCE or stop != end:
            raise SnmpDecodeError("no var-bind list where it should be", request_id)
        return Pdu(kind, request_id, status, index, _varbinds(data, pos, end))
    except BerError as error:
        raise SnmpDecodeError(str(error), request_id) from None
    except IndexError:
        raise SnmpDecodeError("var-bind cut off", request_id) from None


def _integer(data: bytes, pos: int, end: int) -> tuple[int, int]:
    tag, pos, stop = read_header(data, pos, end)
    if tag != INTEGER or not 0 < stop - pos <= 4:
        raise BerError("no INTEGER of 1 to 4 octets where it should be")
    return int.from_bytes(data[pos:stop], "big", signed=True), stop


def _varbinds(data: bytes, pos: int, end: int) -> list[VarBind]:
    """The var-binds of `data[pos:end]`; raises BerError or IndexError.

    Reading is inlined: this loop is most of what a poll costs. `pos` only ever grows, so whatever reaches
    past the frame is caught by the last line at the latest.
    """
    out: list[VarBind] = []
    add = out.append
    number = int.from_bytes
    while pos < end:
        if data[pos] != 0x30:
            raise BerError(f"a var-bind begins with 0x30, not 0x{data[pos]:02x}")
        length = data[pos + 1]
        pos += 2
        if length & 0x80:
            length, pos = long_length(data, pos, length)
        frame_end = pos + length

        if data[pos] != 0x06:
            raise BerError(f"a var-bind names an OID, not tag 0x{data[pos]:02x}")
        length = data[pos + 1]
        pos += 2
        if length & 0x80:
            length, pos = long_length(data, pos, length)
        stop = pos + length
        oid = data[pos:stop]
        if not (oid.isascii() and 0 < length < 128) and not valid_oid(oid):
            raise BerError("a var-bind names no OID")

        tag = data[stop]
        length = data[stop + 1]
        pos = stop + 2
        if length & 0x80:
            length, pos = long_length(data, pos, length)
        stop = pos + length
        if stop != frame_end:
            raise BerError("a value does not fill its var-bind")

        # The commonest types in the commonest sizes; the rules stand in decode_value.
        value: int | bytes | None
        if tag == 0x04:
            value = data[pos:stop]
        elif (tag == 0x46 and 0 < length <= 8) or (0x41 <= tag <= 0x43 and 0 < length <= 4):
            value = number(data[pos:stop], "big")
        elif tag == 0x02 and 0 < length <= 4:
            value = number(data[pos:stop], "big", signed=True)
        else:
            value = decode_value(tag, data[pos:stop])
        add((oid, tag, value))
        pos = stop
    if pos != end:
        raise BerError("var-binds reach past their list")
    return out


def decode_value(tag: int, octets: bytes) -> int | bytes | None:
    """One value; BerError where its type is unknown or does not allow these octets."""
    length = len(octets)
    if tag in _NUMBERS:
        # One octet more than the type needs, if it says nothing new: unsigned numbers have it where their
        # high bit is set (agents that leave it out mean the large number, not a negative), and pyasn1 writes
        # -2**31 so.
        most = 8 if tag == COUNTER64 else 4
        number = int.from_bytes(octets, "big", signed=tag == INTEGER)
        if not 0 < length <= most + 1 or (length > most and not _fits(tag, number)):
            raise BerError(f"number of type 0x{tag:02x} in {length} octets")
        return number
    if tag in _OCTETS:
        if tag == IP_ADDRESS and length != 4:
            raise BerError(f"IpAddress of {length} octets")
        if tag == OID and not valid_oid(octets):
            raise BerError("a value is no OID")
        return octets
    if tag not in _NOTHING:
        raise BerError(f"value of unknown type 0x{tag:02x}")
    if length:
        raise BerError(f"type 0x{tag:02x} with content")
    return None


def _fits(tag: int, number: int) -> bool:
    low, high = _NUMBERS[tag]
    return low <= number <= high
