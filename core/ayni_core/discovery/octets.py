"""What the datagrams of all discovery protocols have in common: elements of type, length and value, hostile.

Whoever is on the same cable can send anything. So lengths are checked before they are believed, there are
at most `MOST_ELEMENTS` elements, texts are cut to `LONGEST_TEXT` characters that can be printed, and there is
one error.
"""

from __future__ import annotations

from collections.abc import Iterator

MOST_ELEMENTS = 128
LONGEST_TEXT = 128


class DiscoveryError(ValueError):
    """A datagram that is not what its port or its address promises; the text says how."""


def elements(data: bytes, at: int, *, type_octets: int) -> Iterator[tuple[int, bytes]]:
    """(type, value) from offset `at` on; a length is two octets, big-endian. Raises `DiscoveryError`."""
    for _count in range(MOST_ELEMENTS):
        if at == len(data):
            return
        head = at + type_octets + 2
        if head > len(data):
            raise DiscoveryError("an element is cut off in its head")
        kind = int.from_bytes(data[at : at + type_octets], "big")
        length = int.from_bytes(data[at + type_octets : head], "big")
        if head + length > len(data):
            raise DiscoveryError(f"element {kind} promises {length} octets, {len(data) - head} are there")
        yield kind, data[head : head + length]
        at = head + length
    if at != len(data):
        raise DiscoveryError(f"more than {MOST_ELEMENTS} elements")


def text(value: bytes) -> str:
    """A text as devices send them: UTF-8 or what looks like it, perhaps with zeros behind; never a control
    character, which would reach a terminal.
    """
    return printable(value[: 4 * LONGEST_TEXT].split(b"\0", 1)[0].decode("utf-8", "replace"))


def printable(given: str) -> str:
    """What a terminal may be given of a text from outside: one line, bounded."""
    return "".join(c if c.isprintable() else " " for c in given[: 4 * LONGEST_TEXT])[:LONGEST_TEXT].strip()


def mac_text(value: bytes) -> str:
    """`00:15:6d:…`, or nothing for what names no single device: all zero, a group, or VRRP's shared ones."""
    if len(value) != 6 or not any(value) or value[0] & 1 or value[:5] == b"\0\0\x5e\0\x01":
        return ""
    return value.hex(":")


def ipv4_text(value: bytes) -> str:
    """`10.0.0.1`, or nothing for what is no address of a host."""
    if len(value) != 4 or value[0] in (0, 127) or value[0] >= 224:
        return ""
    return ".".join(map(str, value))
