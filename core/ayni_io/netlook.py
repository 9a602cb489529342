"""What this machine knows of its own networks: addresses of its interfaces, and the ARP table.

Addresses come from the kernel by netlink (rtnetlink(7)), because Python's library cannot list them; the ARP
table is a file. Neither needs rights. Where the kernel is another one than Linux's, nothing is known.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ROUTE, _GET_ADDRESS, _NEW_ADDRESS, _DONE, _ERROR = 0, 22, 20, 3, 2
_REQUEST_DUMP = 0x301
_LOCAL, _BROADCAST = 2, 4
_HEADER, _ADDRESS, _ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BBBBI"), struct.Struct("=HH")
_MOST_READS = 256
_ARP, _COMPLETE = Path("/proc/net/arp"), 0x2


@dataclass(frozen=True, slots=True)
class OwnAddress:
    """An IPv4 address of this machine; `index` is its interface's. `broadcast`: others share the network."""

    index: int
    interface: ipaddress.IPv4Interface
    broadcast: bool

    @property
    def text(self) -> str:
        """The address alone."""
        return str(self.interface.ip)


def own_addresses() -> tuple[OwnAddress, ...]:
    """The IPv4 addresses of this machine's interfaces, loopback left out."""
    try:
        found = tuple(_dumped())
    except (OSError, AttributeError, struct.error):
        return ()
    return tuple(address for address in found if not address.interface.ip.is_loopback)


def _dumped() -> Iterator[OwnAddress]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _ROUTE) as kernel:
        kernel.settimeout(2)
        body = _ADDRESS.pack(socket.AF_INET, 0, 0, 0, 0)
        kernel.sendto(_HEADER.pack(_HEADER.size + 8, _GET_ADDRESS, _REQUEST_DUMP, 1, 0) + body, (0, 0))
        for _read in range(_MOST_READS):
            data = kernel.recv(65536)
            at = 0
            while at + _HEADER.size <= len(data):
                length, kind, _flags, _number, _port = _HEADER.unpack_from(data, at)
                if kind in (_DONE, _ERROR) or length < _HEADER.size:
                    return
                if kind == _NEW_ADDRESS:
                    yield from _one(data[at + _HEADER.size : at + length])
                at += (length + 3) & ~3


def _one(message: bytes) -> Iterator[OwnAddress]:
    family, prefix, _flags, _scope, index = _ADDRESS.unpack_from(message)
    if family != socket.AF_INET:
        return
    given: dict[int, bytes] = {}
    at = _ADDRESS.size
    while at + _ATTRIBUTE.size <= len(message):
        length, kind = _ATTRIBUTE.unpack_from(message, at)
        if length < _ATTRIBUTE.size:
            break
        given[kind] = message[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
    local = given.get(_LOCAL)
    if local is not None and len(local) == 4:
        interface = ipaddress.IPv4Interface((local, prefix))
        yield OwnAddress(index, interface, _BROADCAST in given and prefix < 31)


def is_near(host: str) -> bool:
    """Whether an address is in a network that this machine is in."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or any(address in each.interface.network for each in own_addresses())


def arp_table() -> dict[str, str]:
    """MAC addresses of neighbours by IPv4 address, those that answered only."""
    try:
        lines = _ARP.read_text(encoding="ascii", errors="replace").splitlines()[1:]
    except OSError:
        return {}
    found = {}
    for line in lines:
        words = line.split()
        with contextlib.suppress(ValueError, IndexError):
            if int(words[2], 16) & _COMPLETE and words[3] != "00:00:00:00:00:00":
                found[words[0]] = words[3].lower()
    return found


def address_toward(host: str) -> str | None:
    """This machine's own address on the way to a host; None where there is no way. No packet is sent."""
    with contextlib.suppress(OSError, ValueError):
        family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((host, 9))
            return str(probe.getsockname()[0])
    return None
