"""OIDs as people write them in profiles: dotted numbers, a leading dot continues a root, quoted text inside.

`1.3.6.1.2.1.1.5.0` stands for itself, `.4.3.0` for root + 4.3.0, and `."distro"` for the length of the text
and one arc per character, which is how a string is written inside an index (RFC 2578 section 7.7).
"""

from __future__ import annotations

import re

from ayni_core.ber import BerError, decode_oid, encode_oid
from ayni_core.fault import UnfitError

_PART = re.compile(r'\.?(?:(\d+)|"([\x20-\x21\x23-\x7e]*)")')


class OidError(UnfitError):
    """A text is no OID; whoever wrote the profile can mend it."""


def parse(text: str, root: bytes = b"") -> bytes:
    """The OID body of a text; `root` is what a leading dot continues. Raises `OidError`."""
    arcs: list[int] = []
    if text.startswith("."):
        if not root:
            raise OidError("fault.oid_no_root", given=text)
        arcs.extend(decode_oid(root))
    elif not text[:1].isdigit():
        raise OidError("fault.oid", given=text)
    end = 0
    while end < len(text):
        part = _PART.match(text, end)
        if part is None or (end and text[end] != "."):
            raise OidError("fault.oid", given=text)
        if part[1] is not None:
            arcs.append(int(part[1]))
        else:
            arcs += [len(part[2]), *part[2].encode("ascii")]
        end = part.end()
    try:
        return encode_oid(arcs)
    except BerError as error:
        raise OidError("fault.oid_cannot", given=text, cause=str(error)) from None


def index_arcs(index: bytes) -> tuple[int, ...]:
    """The arcs of an index, the octets that follow a column's body."""
    arcs: list[int] = []
    value = 0
    for octet in index:
        value = value << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(value)
            value = 0
    return tuple(arcs)


def index_body(arcs: tuple[int, ...]) -> bytes:
    """The octets of an index, to be put behind a column's body."""
    return encode_oid((0, 0, *arcs))[1:]
