"""Frames as bytes: the first byte tells which of the two encodings it is."""

from __future__ import annotations

from ayni_core.wire import field, plain
from ayni_core.wire import split as cutting
from ayni_core.wire.errors import WireError, load_json
from ayni_core.wire.frame import Frame, check_header
from ayni_core.wire.limits import MAX_ENCODED

ENCODINGS = ("field", "plain")


def encode(frame: Frame, encoding: str, *, dictionary: bool = True) -> bytes:
    """The frame in one of ENCODINGS. Raises `WireError` for whatever `decode` would refuse; where the frame
    is only too large (`kind` is "size"), `pieces` helps. `dictionary` matters for field frames only."""
    return plain.encode(frame) if encoding == "plain" else field.encode(frame, dictionary=dictionary)


def pieces(frame: Frame, encoding: str, most_bytes: int = MAX_ENCODED) -> list[tuple[Frame, bytes]]:
    """The frame in one of ENCODINGS, as one message or as several that are small enough."""
    return cutting.pieces(frame, lambda part: encode(part, encoding), most_bytes)


def split(frame: Frame, encoding: str = "field", most_bytes: int = MAX_ENCODED) -> list[Frame]:
    """The frames of `pieces`, without their bytes."""
    return [part for part, _data in pieces(frame, encoding, most_bytes)]


def encoding_of(data: bytes) -> str | None:
    """Which of ENCODINGS these bytes claim to be in."""
    return {b"[": "plain", b"\x78": "field"}.get(data[:1])


def name_of(data: bytes) -> tuple[str, int] | None:
    """(epoch, seq) of a frame that cannot be taken, if its header can still be read: so it can be refused."""
    try:
        value = load_json(data if data[:1] == b"[" else field.inflate(data), checked=True)
        header = value[0].get("ayni") if data[:1] == b"[" else value[1]
        named = check_header(header)
    except (WireError, LookupError, TypeError, AttributeError):
        return None
    return named["epoch"], named["seq"]


def decode(data: bytes) -> Frame:
    """The frame, in whichever encoding it comes, or `WireError`."""
    match encoding_of(data):
        case "plain":
            return plain.decode(data)
        case "field":
            return field.decode(data)
    raise WireError("neither a field nor a plain frame", kind="damaged")
