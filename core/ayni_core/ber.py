"""BER primitives for SNMP: lengths, integers and object identifiers, bounded and without recursion.

Source: ITU-T X.690 and the restrictions of RFC 3417 section 8 (definite lengths only; a length may take more
octets than it needs, and real agents make use of that). An OID is kept as its *body*, the content octets
without tag and length: that is what the network carries, what a dict finds fastest, and what is sent back.

Body order is not OID order: 16,383 is `ff 7f` and 16,384 is `81 80 00`. Whoever sorts decodes first, or asks
`follows`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

MAX_SUBID = 2**32 - 1
MAX_ARCS = 128  # RFC 2578 section 3.5
_MAX_LENGTH_OCTETS = 4

# Sub-identifiers in base 128, high bit = "more follows", at most 2**32 - 1, never padded in front with 0x80
# (X.690, 8.19.2). The first one carries two arcs, 80 + x under 2, so it alone may exceed 2**32 - 1 by 80.
_VALID_BODY = re.compile(
    rb"(?:\x90\x80\x80\x80[\x00-\x4f])?"
    rb"(?:[\x00-\x7f]|[\x81-\xff][\x80-\xff]{0,2}[\x00-\x7f]|[\x81-\x8f][\x80-\xff]{3}[\x00-\x7f])*",
    re.DOTALL,
).fullmatch
_LAST_OCTETS = bytes(range(0x80, 0x100))


class BerError(ValueError):
    """What should be encoded cannot be, or octets are no BER that SNMP allows."""


def encode_length(length: int) -> bytes:
    """Length octets in the shortest definite form."""
    if length < 0x80:
        return bytes((length,))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(octets),)) + octets


def tlv(tag: int, content: bytes) -> bytes:
    """One element: tag, length, content."""
    return bytes((tag,)) + encode_length(len(content)) + content


def encode_integer(value: int) -> bytes:
    """Content octets of a signed INTEGER in the shortest form; an unsigned value gets its leading zero."""
    return value.to_bytes((value + (value < 0)).bit_length() // 8 + 1, "big", signed=True)


def read_header(data: bytes, pos: int, end: int) -> tuple[int, int, int]:
    """(tag, start of content, end of content) of the element at `pos`, which must lie within `end`."""
    if pos + 2 > end:
        raise BerError("element cut off in its header")
    tag = data[pos]
    length = data[pos + 1]
    pos += 2
    if length & 0x80:
        length, pos = long_length(data, pos, length)
    if pos + length > end:
        raise BerError(f"element of {length} octets reaches past its frame")
    return tag, pos, pos + length


def long_length(data: bytes, pos: int, first: int) -> tuple[int, int]:
    """(length, position behind it) of a length whose first octet had the high bit set."""
    count = first & 0x7F
    if count == 0:
        raise BerError("indefinite length")
    if count > _MAX_LENGTH_OCTETS:
        raise BerError(f"length in {count} octets")
    stop = pos + count
    if stop > len(data):
        raise BerError("length cut off")
    return int.from_bytes(data[pos:stop], "big"), stop


def encode_oid(oid: str | Sequence[int]) -> bytes:
    """Body of an OID given as text (`1.3.6.1`, a leading dot allowed) or as arcs; at least two arcs."""
    if isinstance(oid, str):
        text = oid.removeprefix(".")
        arcs: list[int] = []
        for part in text.split("."):
            # isdecimal() alone would let digits of other scripts through.
            if not (part.isascii() and part.isdecimal() and len(part) <= 10):
                raise BerError(f"not an OID: {oid[:80]!r}")
            arcs.append(int(part))
    else:
        arcs = list(oid)
    if not 2 <= len(arcs) <= MAX_ARCS:
        raise BerError(f"an OID has 2 to {MAX_ARCS} arcs, this one {len(arcs)}")
    first, second = arcs[0], arcs[1]
    if not 0 <= first <= 2 or (first < 2 and second > 39):
        raise BerError(f"no OID begins with {first}.{second}")
    out = bytearray()
    for number, arc in enumerate(arcs[1:]):
        if not 0 <= arc <= MAX_SUBID:
            raise BerError(f"sub-identifier {arc} is not within 0 to {MAX_SUBID}")
        value = arc + 40 * first if number == 0 else arc
        if value < 0x80:
            out.append(value)
        else:
            shift = (value.bit_length() - 1) // 7 * 7
            while shift:
                out.append(0x80 | (value >> shift & 0x7F))
                shift -= 7
            out.append(value & 0x7F)
    return bytes(out)


def valid_oid(body: bytes) -> bool:
    """Whether `body` is a well-formed OID body within SNMP's bounds: what `decode_oid` accepts."""
    if body.isascii() and 0 < len(body) < MAX_ARCS:
        return True  # every sub-identifier in one octet: the usual case costs no regular expression
    if not body or not _VALID_BODY(body):
        return False
    return len(body.translate(None, _LAST_OCTETS)) < MAX_ARCS


def decode_oid(body: bytes) -> tuple[int, ...]:
    """Arcs of an OID body."""
    if not valid_oid(body):
        raise BerError(f"not an OID body: {body[:40].hex()}")
    subids: list[int] = []
    value = 0
    for octet in body:
        value = value << 7 | octet & 0x7F
        if octet < 0x80:
            subids.append(value)
            value = 0
    head = min(subids[0] // 40, 2)
    return (head, subids[0] - 40 * head, *subids[1:])


def oid_text(body: bytes) -> str:
    """Dotted text of an OID body, no leading dot."""
    return ".".join(map(str, decode_oid(body)))


def follows(earlier: bytes, later: bytes) -> bool:
    """Whether body (or suffix of a body) `later` stands behind `earlier` in OID order.

    Octet order is OID order where `later` has single-octet sub-identifiers only: at the first difference it
    then has a whole arc below 128, against a whole arc or the large first octet of a larger one.
    """
    if later.isascii():
        return later > earlier
    return _follows(earlier, later)


@lru_cache(maxsize=4096)  # the columns of a table share their suffixes
def _follows(earlier: bytes, later: bytes) -> bool:
    return _subids(later) > _subids(earlier)


def _subids(octets: bytes) -> list[int]:
    subids: list[int] = []
    value = 0
    for octet in octets:
        value = value << 7 | octet & 0x7F
        if octet < 0x80:
            subids.append(value)
            value = 0
    return subids
