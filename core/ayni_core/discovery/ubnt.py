"""Ubiquiti's discovery: UDP port 10001; version 1 (airOS, EdgeOS) and 2 (UniFi).

A device is called by broadcast, multicast or unicast: four octets, `01 00 00 00` or `02 08 00 00`. The answer
has a version, a command, the length of what follows (big-endian), and elements with one octet of type and two
of length. Source: Wireshark's packet-ubdp.c, Nmap's ubiquiti-discovery.nse.
"""

from __future__ import annotations

import struct

from ayni_core.discovery.found import Sighting
from ayni_core.discovery.octets import DiscoveryError, elements, ipv4_text, mac_text, text

PORT = 10001
GROUP = "233.89.188.1"
"""The multicast group that UniFi devices listen to."""

REQUESTS = (b"\x01\x00\x00\x00", b"\x02\x08\x00\x00")
_MAC, _MAC_AND_IP, _FIRMWARE, _NAME, _SHORT, _LONG, _MODEL_2, _VERSION_2 = 1, 2, 3, 11, 12, 0x14, 0x15, 0x16
_ANSWERS = {1: (0,), 2: (0, 6, 9, 11)}
"""Commands of an answer, by version."""


def decode(data: bytes, sender: str = "") -> Sighting | None:
    """What a device tells of itself; None for a call. `sender`: the address it came from, where the answer
    has none that is the device's. Raises `DiscoveryError`.
    """
    if len(data) < 4:
        raise DiscoveryError("shorter than a header")
    version, command, length = struct.unpack_from("!BBH", data)
    if version not in _ANSWERS:
        raise DiscoveryError(f"version {version}; expected 1 or 2")
    if length == 0 and len(data) == 4:
        return None
    if command not in _ANSWERS[version]:
        raise DiscoveryError(f"command {command} is no answer in version {version}")
    if length != len(data) - 4:
        raise DiscoveryError(f"promises {length} octets, {len(data) - 4} are there")
    found: dict[int, bytes] = {}
    macs: dict[str, None] = {}
    addresses: dict[str, None] = {}
    for kind, value in elements(data, 4, type_octets=1):
        if kind == _MAC:
            macs[mac_text(value)] = None
        elif kind == _MAC_AND_IP:
            if len(value) != 10:
                raise DiscoveryError(f"an address of {len(value)} octets; expected 10")
            macs[mac_text(value[:6])] = None
            addresses[ipv4_text(value[6:])] = None
        else:
            found.setdefault(kind, value)
    macs.pop("", None)
    addresses.pop("", None)
    if not macs and not found:
        raise DiscoveryError("nothing that a device tells of itself")
    own = sender if sender in addresses or not addresses else next(iter(addresses))
    version_text = text(found.get(_VERSION_2, b"")) or text(found.get(_FIRMWARE, b""))
    return Sighting(
        heard_by="ubnt",
        address=own,
        macs=tuple(macs),
        name=text(found.get(_NAME, b"")),
        maker="Ubiquiti",
        model=text(found.get(_LONG, b"")) or text(found.get(_MODEL_2, b"")) or text(found.get(_SHORT, b"")),
        version=version_text,
    )


def encode(
    *, mac: bytes, address: bytes, name: str, model: str, firmware: str, short: str = "", version: int = 1
) -> bytes:
    """An answer, for simulated devices."""
    values = [(_MAC_AND_IP, mac + address), (_MAC, mac), (_FIRMWARE, firmware.encode()), (10, bytes(4))]
    values += [(_NAME, name.encode()), (_SHORT, short.encode())]
    values += [(_LONG, model.encode())] if version == 1 else [(_MODEL_2, model.encode())]
    body = b"".join(struct.pack("!BH", kind, len(value)) + value for kind, value in values if value)
    return struct.pack("!BBH", version, 0 if version == 1 else 6, len(body)) + body
