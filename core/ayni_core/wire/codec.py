"""Frames as bytes: the first byte tells which of the two encodings it is."""

from __future__ import annotations

from ayni_core.wire import field, plain
from ayni_core.wire.errors import WireError, load_json
from ayni_core.wire.frame import Frame, check_header

ENCODINGS = ("field", "plain")


def encode(frame: Frame, encoding: str) -> bytes:
    """The frame in one of ENCODINGS."""
    return plain.encode(frame) if encoding == "plain" else field.encode(frame)


def name_of(data: bytes) -> tuple[str, int] | None:
    """(epoch, seq) of a frame that cannot be taken, if its header can still be read: so it can be refused."""
    try:
        value = load_json(data if data[:1] == b"[" else field.inflate(data))
        header = value[0].get("ayni") if data[:1] == b"[" else value[1]
        _node, epoch, seq, *_rest = check_header(header)
    except (WireError, LookupError, TypeError, AttributeError):
        return None
    return epoch, seq


def decode(data: bytes) -> Frame:
    """The frame, in whichever encoding it comes, or `WireError`."""
    match data[:1]:
        case b"[":
            return plain.decode(data)
        case b"\x78":
            return field.decode(data)
    raise WireError("neither a field nor a plain frame")
