"""Frames as bytes: the first byte tells which of the two encodings it is."""

from __future__ import annotations

from ayni_core.wire import field, plain
from ayni_core.wire.errors import WireError
from ayni_core.wire.frame import Frame

ENCODINGS = ("field", "plain")


def encode(frame: Frame, encoding: str) -> bytes:
    """The frame in one of ENCODINGS."""
    return plain.encode(frame) if encoding == "plain" else field.encode(frame)


def decode(data: bytes) -> Frame:
    """The frame, in whichever encoding it comes, or `WireError`."""
    match data[:1]:
        case b"[":
            return plain.decode(data)
        case b"\x78":
            return field.decode(data)
    raise WireError("neither a field nor a plain frame")
