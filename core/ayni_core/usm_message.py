"""The SNMPv3 message with the user-based security model: its parts, and how they stand on the wire.

Sources: RFC 3412 section 6 (message and scoped PDU), RFC 3414 section 2.4 (security parameters).

The law of the file: octets from the network come out whole, or as `SnmpDecodeError`. What the parts are
worth is decided elsewhere (`usm.py`); nothing here has been authenticated.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from ayni_core.ber import BerError, encode_integer, encode_length, read_header, tlv
from ayni_core.snmp import INTEGER, OCTET_STRING, SEQUENCE, V3, SnmpDecodeError

AUTH_FLAG, PRIV_FLAG, REPORTABLE = 1, 2, 4
LEVEL_FLAGS = AUTH_FLAG | PRIV_FLAG
USM = 3  # msgSecurityModel
MAX_SIZE = 65507  # of a datagram over IPv4, which is what we take
MAX_31 = 2**31 - 1

_VERSION = tlv(INTEGER, bytes((V3,)))
_MAX_SIZE = tlv(INTEGER, encode_integer(MAX_SIZE))
_MODEL = tlv(INTEGER, bytes((USM,)))


class UsmMessage(NamedTuple):
    """The parts of `data`; authenticated is `data[:end]` with zeros from `digest_from` to `digest_to`.

    `data[body:end]` is the scoped PDU, or the OCTET STRING that holds it encrypted.
    """

    data: bytes
    msg_id: int
    flags: int
    engine: bytes
    boots: int
    time: int
    user: bytes
    digest_from: int
    digest_to: int
    salt: bytes
    body: int
    end: int
    id_to: int
    time_to: int

    @property
    def digest(self) -> bytes:
        """msgAuthenticationParameters."""
        return self.data[self.digest_from : self.digest_to]

    def with_zeros(self) -> bytes:
        """The message as its digest is computed (RFC 3414 section 6.3.2)."""
        zeros = bytes(self.digest_to - self.digest_from)
        return b"%b%b%b" % (self.data[: self.digest_from], zeros, self.data[self.digest_to : self.end])


def parse_message(data: bytes) -> UsmMessage:
    """Take a message apart. Octets behind it are let pass, as in v2c."""
    try:
        tag, pos, end = read_header(data, 0, len(data))
        if tag != SEQUENCE:
            raise BerError(f"a message begins with 0x30, not 0x{tag:02x}")
        version, pos = _number(data, pos, end)
        if version != V3:
            raise BerError(f"version {version}, not {V3}")
        tag, pos, stop = read_header(data, pos, end)
        if tag != SEQUENCE:
            raise BerError("no msgGlobalData")
        msg_id, id_to = _number(data, pos, stop)
        _, pos = _number(data, id_to, stop)
        flags, pos = _octets(data, pos, stop)
        model, pos = _number(data, pos, stop)
        if pos != stop or len(flags) != 1 or model != USM:
            raise BerError("msgGlobalData of another security model")
        tag, pos, body = read_header(data, stop, end)
        if tag != OCTET_STRING:
            raise BerError("no msgSecurityParameters")
        tag, pos, stop = read_header(data, pos, body)
        if tag != SEQUENCE or stop != body:
            raise BerError("no UsmSecurityParameters")
        engine, pos = _octets(data, pos, stop)
        boots, pos = _number(data, pos, stop)
        time, time_to = _number(data, pos, stop)
        user, pos = _octets(data, time_to, stop)
        digest, digest_to = _octets(data, pos, stop)
        salt, pos = _octets(data, digest_to, stop)
        if pos != stop:
            raise BerError("octets behind UsmSecurityParameters")
        _, _, stop = read_header(data, body, end)
        if stop != end:
            raise BerError("octets behind the scoped PDU")
    except BerError as error:
        raise SnmpDecodeError(str(error)) from None
    digest_from = digest_to - len(digest)
    return UsmMessage(
        data,
        msg_id,
        flags[0],
        engine,
        boots,
        time,
        user,
        digest_from,
        digest_to,
        salt,
        body,
        end,
        id_to,
        time_to,
    )


class HeaderShape:
    """Headers that look like the last one, taken apart in one stroke.

    Answer after answer only the numbers move: msgID, time, digest, salt and the length of the whole. If all
    other octets are what they were when `parse_message` took a header apart, so is what they mean.
    """

    __slots__ = ("_fixed", "_header", "_like", "_unpack")

    def __init__(self, like: UsmMessage) -> None:
        data, id_to, time_to = like.data, like.id_to, like.time_to
        time = len(encode_integer(like.time))
        salt = len(like.salt)
        if (
            data[:2] != b"\x30\x82"
            or data[id_to - 6 : id_to - 4] != b"\x02\x04"
            or data[time_to - time - 1] != time
        ):
            raise BerError("a header of unusual lengths")
        sizes = (
            (id_to - 8, 4),
            (time_to - time - id_to, time),
            (like.digest_from - time_to, like.digest_to - like.digest_from),
            (like.body - salt - like.digest_to, salt),
        )
        shape = struct.Struct(">2sH" + "".join(f"{fixed}s{moving}s" for fixed, moving in sizes))
        self._unpack = shape.unpack_from
        self._header = shape.size
        self._fixed = shape.unpack_from(data)[::2]
        self._like = like

    def read(self, data: bytes) -> UsmMessage | None:
        """The message in `data` if its header has this shape."""
        if len(data) <= self._header:
            return None
        fields = self._unpack(data)
        if fields[::2] != self._fixed:
            return None
        _, length, _, msg_id, _, time, _, _, _, salt = fields
        end = 4 + length
        body = self._header
        if end > len(data) or msg_id[0] & 0x80 or time[0] & 0x80:
            return None
        try:
            if read_header(data, body, end)[2] != end:
                return None
        except BerError:
            return None
        number = int.from_bytes
        like = self._like
        return UsmMessage(
            data, number(msg_id, "big"), like.flags, like.engine, like.boots, number(time, "big"), like.user,
            like.digest_from, like.digest_to, salt, body, end, like.id_to, like.time_to,
        )  # fmt: skip


def encrypted_body(message: UsmMessage) -> bytes:
    """The octets to decrypt."""
    data, pos, end = message.data, message.body, message.end
    if data[pos : pos + 2] == b"\x04\x82":  # the usual long answer, whose length has been looked at
        return data[pos + 4 : end]
    tag, pos, end = read_header(data, pos, end)
    if tag != OCTET_STRING:
        raise SnmpDecodeError("flagged as encrypted, but is not")
    return data[pos:end]


def parse_scoped(data: bytes, pos: int, end: int) -> tuple[bytes, bytes, int, int]:
    """(contextEngineID, contextName, start, end of the PDU). Octets behind it are padding of a cipher."""
    try:
        tag, pos, end = read_header(data, pos, end)
        if tag != SEQUENCE:
            raise BerError("no scoped PDU")
        engine, pos = _octets(data, pos, end)
        name, pos = _octets(data, pos, end)
        if pos >= end:
            raise BerError("a scoped PDU without a PDU")
    except BerError as error:
        raise SnmpDecodeError(str(error)) from None
    return engine, name, pos, end


def _number(data: bytes, pos: int, end: int) -> tuple[int, int]:
    """An INTEGER from 0 to 2**31 - 1, as all numbers of a v3 header are."""
    tag, pos, stop = read_header(data, pos, end)
    if tag != INTEGER or not 0 < stop - pos <= 5:
        raise BerError("no INTEGER where it should be")
    value = int.from_bytes(data[pos:stop], "big", signed=True)
    if not 0 <= value <= MAX_31:
        raise BerError(f"a number of the header is {value}")
    return value, stop


def _octets(data: bytes, pos: int, end: int) -> tuple[bytes, int]:
    tag, pos, stop = read_header(data, pos, end)
    if tag != OCTET_STRING:
        raise BerError("no OCTET STRING where it should be")
    return data[pos:stop], stop


class Frame:
    """A message but for msgID, digest, salt and body: what stays the same while the second lasts."""

    __slots__ = ("_after_id", "_before_id", "_salted", "_zeros")

    def __init__(
        self, flags: int, engine: bytes, boots: int, time: int, user: bytes, digest: int, salt: int
    ) -> None:
        params = (
            tlv(OCTET_STRING, engine)
            + tlv(INTEGER, encode_integer(boots))
            + tlv(INTEGER, encode_integer(time))
            + tlv(OCTET_STRING, user)
            + bytes((OCTET_STRING, digest))
        )
        self._salted = bytes((OCTET_STRING, salt))
        self._zeros = bytes(digest)
        length = len(params) + digest + 2 + salt
        header = bytes((SEQUENCE,)) + encode_length(length)
        security = bytes((OCTET_STRING,)) + encode_length(len(header) + length) + header + params
        fixed = _MAX_SIZE + tlv(OCTET_STRING, bytes((flags,))) + _MODEL
        self._before_id = _VERSION + bytes((SEQUENCE, 6 + len(fixed), INTEGER, 4))
        self._after_id = fixed + security

    def message(self, msg_id: int, salt: bytes, body: bytes) -> tuple[bytes, bytes, bytes]:
        """(what is before the digest, zeros in its place, what is behind). `msg_id` fills 4 octets."""
        behind = b"%b%b%b" % (self._salted, salt, body)
        length = len(self._before_id) + 4 + len(self._after_id) + len(self._zeros) + len(behind)
        before = b"\x30%b%b%b%b" % (
            encode_length(length),
            self._before_id,
            msg_id.to_bytes(4, "big"),
            self._after_id,
        )
        return before, self._zeros, behind
