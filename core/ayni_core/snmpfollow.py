"""What stands behind an OID, a request's worth at a time: for walks that pause between two requests.

`snmpwalk` reads tables as fast as a device answers. A walk of all that a device has is another matter: it is
long, nobody knows how long, and a small radio has better things to do. So its caller goes on piece by piece.
"""

from __future__ import annotations

from collections.abc import Sequence

from ayni_core.ber import follows, oid_text
from ayni_core.snmp import (
    GET_BULK,
    GET_NEXT,
    NO_ERROR,
    NO_SUCH_NAME,
    NO_SUCH_OBJECT,
    Pdu,
    VarBind,
    request_template,
    status_name,
)
from ayni_core.snmpread import BadAnswer, Pace, Reading, Trouble, exchange

PIECE = 24
"""Objects to ask for at once: they fit one datagram whatever they are called."""


def read_after(start: bytes, pace: Pace) -> Reading:
    """The next objects behind `start`, a PDU's worth of them; none where the device has no more."""
    size = min(PIECE, pace.limit)
    while True:
        if pace.bulk:
            request = request_template(GET_BULK, (start,), 0, size)
        else:
            size, request = 1, request_template(GET_NEXT, (start,))
        reply = yield from exchange(pace, request, size, (GET_NEXT, start), alone=not pace.bulk)
        if isinstance(reply, Pdu):
            if reply.error_status == NO_ERROR and reply.varbinds:
                pace.bulk_seen = pace.bulk
                return _increasing(start, reply.varbinds[:size])
            if not pace.bulk:
                if reply.error_status == NO_SUCH_NAME:  # how v1 says that there is no more
                    return []
                raise BadAnswer(f"answered {status_name(reply.error_status)} behind {oid_text(start)}")
            pace.bulk = False
        elif reply is Trouble.TOO_BIG or (pace.bulk_seen and size > 1):
            pace.too_big(size)
            size //= 2
            pace.bulk = size > 0
        else:
            pace.bulk = False  # GETNEXT was answered where GETBULK was not


def _increasing(start: bytes, varbinds: Sequence[VarBind]) -> list[VarBind]:
    found: list[VarBind] = []
    last = start
    for varbind in varbinds:
        oid, tag, _value = varbind
        if tag >= NO_SUCH_OBJECT:
            break
        if not follows(last, oid):
            raise BadAnswer(f"{oid_text(oid)} does not increase after {oid_text(last)}")
        last = oid
        found.append(varbind)
    return found
