"""Addresses that stand for others: always the same one for the same, so that whatever belonged together does.

Nothing is computed from the real address; stand-ins are counted out in the order of first sight, so they tell
nothing but that order. Kept is what a reader needs: the maker of a hardware address (its first three octets),
which addresses share a network of 256, and whether an address is private.
"""

from __future__ import annotations

_RANGES = (
    (0x0A0000, 0x10000),  # 10.0.0.0/8
    (0xAC1000, 0x1000),  # 172.16.0.0/12
    (0xC0A800, 0x100),  # 192.168.0.0/16
    (0xA9FE00, 0x100),  # 169.254.0.0/16, link-local
    (0x644000, 0x4000),  # 100.64.0.0/10, carrier-grade NAT
)
_PUBLIC = (0xC61200, 0x200)  # 198.18.0.0/15, set aside for measurements (RFC 2544)
_MORE_PUBLIC = 0xF00000  # 240.0.0.0/4, in nobody's use
_V4_MAPPED = bytes(10) + b"\xff\xff"
_SOLICITED = bytes.fromhex("ff0200000000000000000001ff")


class Addresses:
    """The stand-ins given so far; `macs` and `ips` hold the real ones that were met."""

    def __init__(self) -> None:
        self.macs: set[bytes] = set()
        self.ips: set[bytes] = set()
        self._tails: dict[bytes, int] = {}
        self._networks: dict[int, dict[int, int]] = {}
        self._hosts: dict[int, dict[int, int]] = {}
        self._prefixes: dict[bytes, int] = {}
        self._hosts6: dict[bytes, dict[bytes, int]] = {}

    def mac(self, octets: bytes) -> bytes:
        """The maker stays. What a maker's radios share (two networks of one radio) is in the tail, so equal
        tails stay equal. All zeros, all ones and the groups of IEEE 802.1 are nobody's.
        """
        if octets in (bytes(6), b"\xff" * 6) or octets.startswith(b"\x01\x80\xc2"):
            return octets
        self.macs.add(octets)
        return octets[:3] + self._tail(octets[3:])

    def _tail(self, tail: bytes) -> bytes:
        return self._tails.setdefault(tail, len(self._tails) + 1).to_bytes(3, "big")

    def ip4(self, octets: bytes) -> bytes:
        """Network and host are counted out apart; masks, loopback, groups and 0.0.0.0 stay."""
        number = int.from_bytes(octets, "big")
        if not is_address(octets):
            return octets
        self.ips.add(octets)
        network, host = number >> 8, number & 0xFF
        first, size = next((each for each in _RANGES if each[0] <= network < each[0] + each[1]), _PUBLIC)
        known = self._networks.setdefault(first, {})
        place = known.setdefault(network, len(known) + 1)
        if first == _PUBLIC[0] and place >= size:
            first, size = _MORE_PUBLIC, 1 << 20
        if host not in (0, 255):
            hosts = self._hosts.setdefault(network, {})
            host = hosts.setdefault(host, len(hosts) + 1)
        return (first + place % size << 8 | host).to_bytes(4, "big")

    def ip6(self, octets: bytes) -> bytes:
        """Link-local, private and global addresses stay of their sort; networks of 64 bits stay together."""
        if octets.startswith(_V4_MAPPED):
            return _V4_MAPPED + self.ip4(octets[12:])
        if octets.startswith(_SOLICITED):
            return _SOLICITED + self._tail(octets[13:])
        if octets[0] == 0xFF or octets[:15] == bytes(15):
            return octets
        self.ips.add(octets)
        prefix, host = octets[:8], octets[8:]
        if octets[0] == 0xFE and octets[1] & 0xC0 == 0x80:
            front = bytes.fromhex("fe80000000000000")
        else:
            sort = b"\xfd\x00" if octets[0] & 0xFE == 0xFC else b"\x20\x01\x0d\xb8"
            place = self._prefixes.setdefault(prefix, len(self._prefixes) + 1)
            front = sort + place.to_bytes(8 - len(sort), "big")
        if host == bytes(8):
            return front + host
        hosts = self._hosts6.setdefault(prefix, {})
        return front + hosts.setdefault(host, len(hosts) + 1).to_bytes(8, "big")


def is_address(octets: bytes) -> bool:
    """Whether four octets can be somebody's address: not a mask, loopback, a group or 0.x."""
    number = int.from_bytes(octets, "big")
    mask = number >= 0xC0000000 and (~number & 0xFFFFFFFF) & ((~number & 0xFFFFFFFF) + 1) == 0
    return len(octets) == 4 and octets[0] not in (0, 127) and octets[0] < 224 and not mask


def is_private(octets: bytes) -> bool:
    """Whether four octets are an address of a private range."""
    network = int.from_bytes(octets[:3], "big")
    return any(first <= network < first + size for first, size in _RANGES)
