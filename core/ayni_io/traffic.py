"""What a TCP connection costs on the link: every byte and header of it, as the kernel counted them.

Theory of operation. TCP_INFO (include/uapi/linux/tcp.h) tells how many bytes of payload a connection sent,
what was sent again included, how many it received, and how many segments went each way. Payload here is TLS
and all that is in it; each segment has an IP and a TCP header besides. The structure grew over the years, so
what an old kernel does not give is missing at its end: then the bytes that were acknowledged are taken, and
where there is no TCP_INFO at all, the messages are counted and the rest is estimated.

A meter only knows the number of the file that the socket is: TLS wraps the socket into another object, and
a handle of our own would keep the connection open when others close it.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from dataclasses import dataclass
from typing import Literal

Counted = Literal["tcp_info", "estimated"]

_TCP_INFO = getattr(socket, "TCP_INFO", None)
_LONGEST = 512
_OPTIONS_AT, _TIMESTAMPS = 5, 1
_TOTAL_RETRANS_AT, _MSS_AT = 100, 16
_ACKED_RECEIVED_SEGMENTS_AT = 120  # u64 bytes_acked, u64 bytes_received, u32 segs_out, u32 segs_in: since 4.2
_SENT_AT = 200  # u64 bytes_sent, with what was sent again: since 4.19
_TCP, _TCP_TIMESTAMPS, _IPV4, _IPV6 = 20, 12, 20, 40
_SYN_OPTIONS = 8
"""What a SYN has on top of the options of all segments: largest segment, SACK, window."""
_ENDING = 2
"""Segments each way that follow the last look: a last word, the FIN of each side, what acknowledges it."""
_SYNS_IN_VAIN = 4  # within ten seconds (RFC 6298: at 0, 1, 3 and 7 s)
_TLS_RECORD, _TLS_GREETING_SENT, _TLS_GREETING_RECEIVED = 22, 700, 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Bytes on the link, IP headers in; link layers below (Ethernet, PPP) add to it. `counted` says how."""

    sent_bytes: int = 0
    received_bytes: int = 0
    counted: Counted = "tcp_info"

    def __add__(self, other: Traffic) -> Traffic:
        counted: Counted = "tcp_info" if self.counted == other.counted == "tcp_info" else "estimated"
        return Traffic(
            sent_bytes=self.sent_bytes + other.sent_bytes,
            received_bytes=self.received_bytes + other.received_bytes,
            counted=counted,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a connection has come: bytes that the other side has acknowledged, and bytes that came."""

    acknowledged: int
    received: int


class Meter:
    """Counts one connection, until it is closed; `tls` matters only where the kernel does not count."""

    def __init__(self, sock: socket.socket, *, tls: bool) -> None:
        self._file = sock.fileno()
        self._ends = _ends(sock)
        self._open = True
        self._ip = _IPV6 if sock.family == socket.AF_INET6 else _IPV4
        self._messages = [0, 0]
        self._tls = tls
        self._sent = _TLS_GREETING_SENT if tls else 0
        self._received = _TLS_GREETING_RECEIVED if tls else 0
        self._last = Traffic()

    def sent(self, size: int) -> None:
        """A message of so many bytes was handed over: for the estimate."""
        self._sent += size
        self._messages[0] += 1

    def received(self, size: int) -> None:
        """A message of so many bytes came: for the estimate."""
        self._received += size
        self._messages[1] += 1

    def read(self) -> Traffic:
        """What the connection has cost so far."""
        if self._open:
            info = self._info()
            if info is not None:
                self._last = _traffic(info, self._ip)
            elif _TCP_INFO is None or self._last == Traffic() or self._last.counted == "estimated":
                self._last = self._estimate()
        return self._last

    def progress(self) -> Progress | None:
        """How far it has come, None where the kernel does not tell."""
        info = self._info()
        if info is None:
            return None
        acknowledged, received = struct.unpack_from("=QQ", info, _ACKED_RECEIVED_SEGMENTS_AT)
        return Progress(acknowledged=acknowledged, received=received)

    def close(self) -> Traffic:
        """What it cost in all, asked just before the socket is closed."""
        total = self.read()
        if self._open:
            self._open = False
            ending = _ENDING * (self._ip + _TCP + _TCP_TIMESTAMPS)
            self._last = total = Traffic(
                sent_bytes=total.sent_bytes + ending,
                received_bytes=total.received_bytes + ending,
                counted=total.counted,
            )
        return total

    def _info(self) -> bytes | None:
        if not self._open or _TCP_INFO is None:
            return None
        with contextlib.suppress(OSError, ValueError):
            sock = socket.socket(fileno=self._file)
            try:
                if _ends(sock) == self._ends:  # else somebody closed it, and its number is another's now
                    info = sock.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _LONGEST)
                    return info if len(info) >= _ACKED_RECEIVED_SEGMENTS_AT + 24 else None
            finally:
                sock.detach()
        return None

    def _estimate(self) -> Traffic:
        header = self._ip + _TCP + _TCP_TIMESTAMPS
        record = _TLS_RECORD if self._tls else 0
        # a message and what acknowledges it; three segments each way at the beginning
        segments = sum(self._messages) + 3
        return Traffic(
            sent_bytes=self._sent + self._messages[0] * record + segments * header,
            received_bytes=self._received + self._messages[1] * record + segments * header,
            counted="estimated",
        )


def _ends(sock: socket.socket) -> object:
    """Where a socket is bound: no two connections of a program have the same."""
    return sock.getsockname()


def _traffic(info: bytes, ip: int) -> Traffic:
    acked, received, segments_out, segments_in = struct.unpack_from(
        "=QQII", info, _ACKED_RECEIVED_SEGMENTS_AT
    )
    if len(info) >= _SENT_AT + 8:
        (sent,) = struct.unpack_from("=Q", info, _SENT_AT)
    else:
        (again,) = struct.unpack_from("=I", info, _TOTAL_RETRANS_AT)
        (segment,) = struct.unpack_from("=I", info, _MSS_AT)
        sent = acked + again * segment
    header = ip + _TCP + (_TCP_TIMESTAMPS if info[_OPTIONS_AT] & _TIMESTAMPS else 0)
    return Traffic(
        sent_bytes=sent + segments_out * header + _SYN_OPTIONS,
        received_bytes=received + segments_in * header + _SYN_OPTIONS,
    )


def in_vain(error: OSError) -> Traffic:
    """What it costs to find nobody: SYNs without an answer, or one that is refused."""
    syn = _IPV4 + _TCP + _TCP_TIMESTAMPS + _SYN_OPTIONS
    if isinstance(error, ConnectionRefusedError):
        return Traffic(sent_bytes=syn, received_bytes=_IPV4 + _TCP)
    if isinstance(error, TimeoutError):
        return Traffic(sent_bytes=_SYNS_IN_VAIN * syn)
    return Traffic()
