"""The way to a host, hop by hop, as a plain user.

Theory of operation. Datagrams to UDP ports where nobody listens, with a growing time to live: the router that
drops one says so by ICMP, and the host itself says that the port is closed. Linux hands that message to the
very socket that sent the datagram, with its sender (IP_RECVERR, ip(7)), so no rights are needed.
"""

from __future__ import annotations

import asyncio
import errno
import select
import socket
import struct
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from ayni_io.ping import Address

TIMEOUT_S = 1.5
_TRIES = 2
_FIRST_PORT = 33434
_IP_RECVERR, _IPV6_RECVERR = 11, 25
_ORIGIN_ICMP, _ORIGIN_ICMP6 = 2, 3
_EXTENDED = struct.Struct("=IBBBBII")  # struct sock_extended_err (linux/errqueue.h)


@dataclass(frozen=True, slots=True)
class Hop:
    """Who answered at one distance, and how fast; `address` is None where nobody did. `last`: the host itself
    answered, or somebody said that there is no way on (`cause`)."""

    number: int
    address: str | None = None
    ms: float | None = None
    last: bool = False
    cause: str = ""


async def traceroute(address: Address, *, most: int) -> AsyncIterator[Hop]:
    """The hops to an address, `most` of them at most. Raises `OSError`."""
    for number in range(1, most + 1):
        hop = Hop(number)
        for turn in range(_TRIES):
            port = _FIRST_PORT + (number - 1) * _TRIES + turn
            hop = await asyncio.to_thread(_probe, address, number, port)
            if hop.address is not None:
                break
        yield hop
        if hop.last:
            return


def _probe(address: Address, number: int, port: int) -> Hop:
    with socket.socket(address.family, socket.SOCK_DGRAM) as probe:
        if address.family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, number)
            probe.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        else:
            probe.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, number)
            probe.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        probe.connect((address.text, port))
        probe.setblocking(False)
        begun = time.monotonic()
        probe.send(b"ayni" * 8)
        poller = select.poll()
        poller.register(probe, select.POLLIN)  # and POLLERR, always
        while (left := begun + TIMEOUT_S - time.monotonic()) > 0:
            for _descriptor, event in poller.poll(left * 1000):
                ms = (time.monotonic() - begun) * 1000
                if event & select.POLLERR and (hop := _told(probe, number, ms)):
                    return hop
                if event & select.POLLIN:
                    return Hop(number, address.text, ms, last=True)
    return Hop(number)


def _told(probe: socket.socket, number: int, ms: float) -> Hop | None:
    """What the error queue of the socket says; None if that is no word of ICMP."""
    try:
        _data, ancillary, _flags, _sender = probe.recvmsg(512, 512, socket.MSG_ERRQUEUE)
    except BlockingIOError:
        return None
    for _level, _kind, octets in ancillary:
        if len(octets) < _EXTENDED.size:
            continue
        code, origin, _type, _code, _pad, _info, _data = _EXTENDED.unpack_from(octets)
        if origin not in (_ORIGIN_ICMP, _ORIGIN_ICMP6):
            continue
        offender = _offender(octets[_EXTENDED.size :])
        if code == errno.ECONNREFUSED:
            return Hop(number, offender, ms, last=True)
        if code == errno.EHOSTUNREACH and (origin, _type) in ((_ORIGIN_ICMP, 11), (_ORIGIN_ICMP6, 3)):
            return Hop(number, offender, ms)  # its time to live was over there
        return Hop(number, offender, ms, last=True, cause=errno.errorcode.get(code, str(code)))
    return None


def _offender(octets: bytes) -> str | None:
    """The address in a struct sockaddr."""
    family = int.from_bytes(octets[:2], sys.byteorder)
    if family == socket.AF_INET and len(octets) >= 8:
        return socket.inet_ntop(socket.AF_INET, octets[4:8])
    if family == socket.AF_INET6 and len(octets) >= 24:
        return socket.inet_ntop(socket.AF_INET6, octets[8:24])
    return None
