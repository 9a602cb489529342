"""LLDP (IEEE 802.1AB): what a neighbour on the same cable says every 30 seconds.

Frames of Ethernet to a group address that bridges do not pass on, type 0x88cc, perhaps behind a VLAN tag.
An element has seven bits of type and nine of length; the first three are chassis, port and time to live, in
this order, and element 0 ends the frame.
"""

from __future__ import annotations

import struct

from ayni_core.discovery.found import Sighting
from ayni_core.discovery.octets import MOST_ELEMENTS, DiscoveryError, ipv4_text, mac_text, text

ETHERTYPE = 0x88CC
GROUPS = tuple(bytes.fromhex(f"0180c20000{last}") for last in ("0e", "03", "00"))
"""Group addresses of LLDP: nearest bridge, nearest bridge that is no two-port relay, nearest customer's."""

_END, _CHASSIS, _PORT, _TTL, _NAME, _DESCRIPTION, _MANAGEMENT = 0, 1, 2, 3, 5, 6, 8
_VLAN = (0x8100, 0x88A8)
_BY_MAC, _BY_ADDRESS = 4, 5


def decode(frame: bytes) -> Sighting:
    """The neighbour that sent a frame (Ethernet header included). Raises `DiscoveryError`."""
    if len(frame) < 14:
        raise DiscoveryError("shorter than a header of Ethernet")
    sender, at = frame[6:12], 12
    (kind,) = struct.unpack_from("!H", frame, at)
    if kind in _VLAN:
        at += 4
        if len(frame) < at + 2:
            raise DiscoveryError("cut off behind its VLAN tag")
        (kind,) = struct.unpack_from("!H", frame, at)
    if kind != ETHERTYPE:
        raise DiscoveryError(f"type {kind:#06x} is not LLDP")
    if frame[:6] not in GROUPS:
        raise DiscoveryError("sent to an address that is not LLDP's")
    found = _elements(frame, at + 2)
    macs = dict.fromkeys((mac_text(sender),))
    chassis = found[_CHASSIS]
    address = ""
    if chassis[:1] == bytes((_BY_MAC,)):
        macs = {mac_text(chassis[1:]): None, **macs}
    elif chassis[:2] == bytes((_BY_ADDRESS, 1)):
        address = ipv4_text(chassis[2:])
    macs.pop("", None)
    description = text(found.get(_DESCRIPTION, b""))
    return Sighting(
        heard_by="lldp",
        address=_address(found.get(_MANAGEMENT, b"")) or address,
        macs=tuple(macs),
        name=text(found.get(_NAME, b"")),
        maker=description,
        version="",
        port=_port(found[_PORT]),
    )


def _elements(frame: bytes, at: int) -> dict[int, bytes]:
    """The elements of one frame; of those that may stand more than once the first."""
    found: dict[int, bytes] = {}
    for count in range(MOST_ELEMENTS):
        if at + 2 > len(frame):
            if count >= 3 and at == len(frame):
                break  # some leave the end out
            raise DiscoveryError("an element is cut off in its head")
        (head,) = struct.unpack_from("!H", frame, at)
        kind, length = head >> 9, head & 0x1FF
        value = frame[at + 2 : at + 2 + length]
        if len(value) != length:
            raise DiscoveryError(f"element {kind} promises {length} octets, {len(value)} are there")
        if count < 3 and kind != (_CHASSIS, _PORT, _TTL)[count]:
            raise DiscoveryError("does not begin with chassis, port and time to live")
        if kind == _END:
            break
        found.setdefault(kind, value)
        at += 2 + length
    else:
        raise DiscoveryError(f"more than {MOST_ELEMENTS} elements")
    if len(found[_CHASSIS]) < 2 or len(found[_PORT]) < 2 or len(found[_TTL]) != 2:
        raise DiscoveryError("chassis, port or time to live is too short")
    return found


def _address(value: bytes) -> str:
    """The IPv4 address of a management element: length, kind of address, address."""
    if len(value) >= 6 and value[0] == 5 and value[1] == 1:
        return ipv4_text(value[2:6])
    return ""


def _port(value: bytes) -> str:
    return mac_text(value[1:]) if value[0] == 3 else text(value[1:])


def encode(*, mac: bytes, name: str, description: str, port: str, address: bytes = b"") -> bytes:
    """A frame, for simulated devices."""
    values = [(_CHASSIS, bytes((_BY_MAC,)) + mac), (_PORT, b"\x05" + port.encode()), (_TTL, b"\0\x78")]
    values += [(_NAME, name.encode()), (_DESCRIPTION, description.encode())]
    if address:
        values.append((_MANAGEMENT, b"\x05\x01" + address + b"\x02\0\0\0\x01\0"))
    body = b"".join(struct.pack("!H", kind << 9 | len(value)) + value for kind, value in values)
    return GROUPS[0] + mac + struct.pack("!H", ETHERTYPE) + body + b"\0\0"
