"""MikroTik's neighbour discovery (MNDP): UDP port 5678, broadcast; RouterOS and SwOS, and what imitates them.

A device announces itself every minute, and at once when it hears a request, which is four zero octets. Four
octets of header (the last two count) and then elements with two octets of type and two of length, big-endian;
only the uptime is little-endian. Source: Wireshark's packet-mndp.c and what devices send.
"""

from __future__ import annotations

import struct

from ayni_core.discovery.found import Sighting
from ayni_core.discovery.octets import DiscoveryError, elements, ipv4_text, mac_text, text

PORT = 5678
REQUEST = bytes(4)
_MAC, _IDENTITY, _VERSION, _PLATFORM, _BOARD, _IPV4 = 1, 5, 7, 8, 12, 17
_KNOWN = frozenset((_MAC, _IDENTITY, _VERSION, _PLATFORM, 10, 11, _BOARD, 14, 15, 16, _IPV4))


def decode(data: bytes, sender: str = "") -> Sighting | None:
    """What a device announces; None for a request. `sender`: the address it came from, where the announcement
    has none. Raises `DiscoveryError`.
    """
    if len(data) < 4:
        raise DiscoveryError("shorter than a header")
    if len(data) == 4 or not any(data):
        return None
    found: dict[int, bytes] = {}
    for kind, value in elements(data, 4, type_octets=2):
        found.setdefault(kind, value)
    if not _KNOWN & found.keys():
        raise DiscoveryError("no element that a neighbour announces")
    mac = mac_text(found.get(_MAC, b""))
    return Sighting(
        heard_by="mndp",
        address=ipv4_text(found.get(_IPV4, b"")) or sender,
        macs=(mac,) if mac else (),
        name=text(found.get(_IDENTITY, b"")),
        maker=text(found.get(_PLATFORM, b"")),
        model=text(found.get(_BOARD, b"")),
        version=text(found.get(_VERSION, b"")),
    )


def encode(
    *, mac: bytes, identity: str, version: str, board: str, address: bytes = b"", platform: str = "MikroTik"
) -> bytes:
    """An announcement, for simulated devices."""
    values = {
        _MAC: mac,
        _IDENTITY: identity.encode(),
        _VERSION: version.encode(),
        _PLATFORM: platform.encode(),
        10: struct.pack("<I", 86400),
        _BOARD: board.encode(),
        _IPV4: address,
    }
    body = b"".join(struct.pack("!HH", kind, len(value)) + value for kind, value in values.items() if value)
    return b"\x61\x00\x00\x01" + body
