"""A frame that a village's hub feeds to a server: the frame as it came, and where the village placed it in
time.

The placement stands before the frame, one line of JSON, `{"at":SECONDS}`: when the frame begins, seconds
since 1970. The frame's own bytes stay as they are, so its CRC is the same whichever way it comes, and a
server that gets it from its node as well knows it again.
"""

from __future__ import annotations

from ayni_core.wire.errors import WireError, dump_json, load_json

_LONGEST_HEAD = 64
_LATEST = 1e11


def encode(start: float, body: bytes) -> bytes:
    """A frame's bytes with its beginning in seconds since 1970."""
    return dump_json({"at": round(start, 2)}) + b"\n" + body


def decode(data: bytes) -> tuple[float, bytes]:
    """(when it begins, the frame's bytes), or `WireError`."""
    head, line, _rest = data[:_LONGEST_HEAD].partition(b"\n")
    if not line:
        raise WireError("a fed frame begins with a line that says when", kind="damaged")
    value = load_json(head)
    at = value.get("at") if isinstance(value, dict) else None
    if isinstance(at, bool) or not isinstance(at, int | float) or not 0 <= at <= _LATEST:
        raise WireError("a fed frame begins with a line that says when", kind="shape")
    return float(at), data[len(head) + 1 :]


def body(data: bytes) -> bytes:
    """The frame's bytes of what may be a fed frame, whatever stands before them."""
    head, line, _rest = data[:_LONGEST_HEAD].partition(b"\n")
    return data[len(head) + 1 :] if line else data
