"""A sorted view of objects that answers requests as a good agent does.

RFC 1157 for v1, RFC 3416 section 4.2 for v2c, RFC 3584 section 4.2 for Counter64, which v1 cannot carry.
Behind it stand recordings, simulated devices and the fakes of tests. The var-bind of an object is encoded
when first asked for and kept until its value changes, so an answer is mostly a join of octets.

Whether the community is right is the caller's question: an agent stays silent if it is not.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping

from ayni_core.ber import decode_oid, encode_oid
from ayni_core.snmp import (
    COUNTER64,
    END_OF_MIB_VIEW,
    GET,
    GET_BULK,
    GET_NEXT,
    NO_ERROR,
    NO_SUCH_INSTANCE,
    NO_SUCH_NAME,
    NO_SUCH_OBJECT,
    NOT_WRITABLE,
    RESPONSE,
    SET,
    TOO_BIG,
    V1,
    Message,
    VarBind,
    check_value,
    encode_response,
    encode_varbind,
    frame_message,
    frame_pdu,
)

Value = int | bytes | None
_HEADERS = 40  # most that headers, version, request-id, status and index add to community and var-binds


class _Entry:
    __slots__ = ("arcs", "body", "encoded", "tag", "value")

    def __init__(self, body: bytes, tag: int, value: Value) -> None:
        check_value(tag, value)
        self.arcs = decode_oid(body)
        self.body = body
        self.tag = tag
        self.value = value
        self.encoded: bytes | None = None

    def varbind(self) -> bytes:
        if self.encoded is None:
            self.encoded = encode_varbind(self.body, self.tag, self.value)
        return self.encoded


class MibView:
    """Objects by OID (body or arcs), each a tag and a value. BerError if one cannot be sent."""

    def __init__(
        self, objects: Mapping[bytes, tuple[int, Value]] | Mapping[tuple[int, ...], tuple[int, Value]]
    ) -> None:
        self._at: dict[bytes, _Entry] = {}
        for oid, (tag, value) in objects.items():
            body = oid if isinstance(oid, bytes) else encode_oid(oid)
            self._at[body] = _Entry(body, tag, value)
        self._entries = sorted(self._at.values(), key=lambda entry: entry.arcs)
        self._arcs = [entry.arcs for entry in self._entries]

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, oid: object) -> bool:
        return oid in self._at

    def __iter__(self) -> Iterator[VarBind]:
        """All objects in OID order."""
        return ((entry.body, entry.tag, entry.value) for entry in self._entries)

    def get(self, oid: bytes) -> VarBind | None:
        """The object of exactly this OID."""
        entry = self._at.get(oid)
        return None if entry is None else (entry.body, entry.tag, entry.value)

    def next(self, oid: bytes) -> VarBind | None:
        """The first object behind this OID."""
        at = bisect_right(self._arcs, decode_oid(oid))
        if at == len(self._entries):
            return None
        entry = self._entries[at]
        return entry.body, entry.tag, entry.value

    def set(self, oid: bytes, value: Value) -> None:
        """Change the value of an object that is there (KeyError if not); its type stays."""
        entry = self._at[oid]
        if value != entry.value:
            check_value(entry.tag, value)
            entry.value = value
            entry.encoded = None

    def put(self, oid: bytes, tag: int, value: Value) -> None:
        """Add an object, or replace one with its type."""
        entry = self._at.get(oid)
        if entry is not None:
            check_value(tag, value)
            entry.tag, entry.value, entry.encoded = tag, value, None
            return
        entry = _Entry(oid, tag, value)
        at = bisect_left(self._arcs, entry.arcs)
        self._at[oid] = entry
        self._entries.insert(at, entry)
        self._arcs.insert(at, entry.arcs)

    def remove(self, oid: bytes) -> None:
        """Take an object out (KeyError if it is not there)."""
        entry = self._at.pop(oid)
        at = bisect_left(self._arcs, entry.arcs)
        del self._entries[at], self._arcs[at]

    def answer(self, request: Message, max_size: int = 65507) -> bytes | None:
        """The datagram that answers, of `max_size` octets at most; None for a PDU that no agent answers."""
        asked = request.pdu.varbinds
        v1 = request.version == V1
        kind = request.pdu.kind
        status = NO_ERROR
        varbinds: list[bytes] = []
        if kind == GET:
            for index, varbind in enumerate(asked, 1):
                entry = self._at.get(varbind[0])
                if v1 and (entry is None or entry.tag == COUNTER64):
                    return _error(request, NO_SUCH_NAME, index)
                varbinds.append(self._missing(varbind[0]) if entry is None else entry.varbind())
        elif kind == GET_NEXT:
            for index, varbind in enumerate(asked, 1):
                entry = self._entry(self._behind(varbind[0], v1=v1))
                if v1 and entry is None:
                    return _error(request, NO_SUCH_NAME, index)
                varbinds.append(_end_of_view(varbind[0]) if entry is None else entry.varbind())
        elif kind == GET_BULK and not v1:
            varbinds = self._bulk(request, max_size - _HEADERS - len(request.community))
            if asked and not varbinds and (request.pdu.error_status > 0 or request.pdu.error_index > 0):
                status = TOO_BIG
        elif kind == SET:
            return _error(request, NO_SUCH_NAME if v1 else NOT_WRITABLE, 1)
        else:
            return None
        pdu = frame_pdu(RESPONSE, request.pdu.request_id, status, 0, varbinds)
        answer = frame_message(request.version, request.community, pdu)
        return _error(request, TOO_BIG, 0) if len(answer) > max_size else answer

    def _behind(self, oid: bytes, *, v1: bool = False) -> int:
        at = bisect_right(self._arcs, decode_oid(oid))
        if v1:
            while at < len(self._entries) and self._entries[at].tag == COUNTER64:
                at += 1
        return at

    def _entry(self, at: int) -> _Entry | None:
        return self._entries[at] if at < len(self._entries) else None

    def _missing(self, oid: bytes) -> bytes:
        # Close enough for recordings: an object is known where anything stands beside the instance.
        parent = decode_oid(oid)[:-1]
        beside = self._entry(bisect_left(self._arcs, parent))
        known = beside is not None and beside.arcs[: len(parent)] == parent
        return encode_varbind(oid, NO_SUCH_INSTANCE if known else NO_SUCH_OBJECT, None)

    def _bulk(self, request: Message, room: int) -> list[bytes]:
        """RFC 3416 section 4.2.3: cut off where `room` ends, or when a round brought nothing but ends."""
        names = [varbind[0] for varbind in request.pdu.varbinds]
        once = min(max(request.pdu.error_status, 0), len(names))
        places = [self._behind(name) for name in names]
        varbinds: list[bytes] = []
        columns = range(once)
        repetitions = max(request.pdu.error_index, 0)
        for turn in range(repetitions + 1):
            ended = 0
            for column in columns:
                entry = self._entry(places[column])
                if entry is None:
                    ended += 1
                    varbind = _end_of_view(names[column])
                else:
                    varbind = entry.varbind()
                    names[column] = entry.body
                    places[column] += 1
                room -= len(varbind)
                if room < 0:
                    return varbinds
                varbinds.append(varbind)
            if turn and ended == len(columns):
                break
            columns = range(once, len(names))
        return varbinds


def _end_of_view(oid: bytes) -> bytes:
    return encode_varbind(oid, END_OF_MIB_VIEW, None)


def _error(request: Message, status: int, index: int) -> bytes:
    """An error repeats the request's var-binds, but for v2c's tooBig (RFC 3416 section 4.2.1)."""
    repeats = status != TOO_BIG or request.version == V1
    return encode_response(request, status, index, request.pdu.varbinds if repeats else ())
