"""Spoilt octets made of good ones: what a bad line, a bad device or somebody who means harm may send.

`Spoiler` knows where the elements of BER stand, so it lies about lengths, and exchanges values for extreme
ones with all lengths right again, besides doing what it would do to any octets. `spoil_json` does the like
to the text of a frame. All chance comes from the `random.Random` given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from ayni_core.ber import tlv
from ayni_core.snmp import (
    BIT_STRING,
    COUNTER32,
    COUNTER64,
    END_OF_MIB_VIEW,
    GAUGE32,
    INTEGER,
    IP_ADDRESS,
    NO_SUCH_INSTANCE,
    NO_SUCH_OBJECT,
    NULL,
    OCTET_STRING,
    OID,
    OPAQUE,
    TIME_TICKS,
    UINTEGER32,
    encode_value,
)

_ODD = (0x00, 0x01, 0x02, 0x04, 0x06, 0x30, 0x40, 0x46, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xA2, 0xA8, 0xFE, 0xFF)
_LIES = tuple(
    bytes.fromhex(each)
    for each in (
        "00",
        "7f",
        "80",
        "ff",
        "8100",
        "82ffff",
        "83000010",
        "84ffffffff",
        "8400000005",
        "88" + "ff" * 8,
    )
)
_TEXTS: tuple[bytes, ...] = (
    b"",
    b"9" * 255,
    b"9" * 400,
    b"-" + b"9" * 300,
    b"1e99",
    b"-1e-99",
    b"nan",
    b"inf",
    b"0x" + b"f" * 16,
)
_TEXTS += (
    bytes(20),
    b"\xff" * 6,
    b"\xff\xfe\xfd",
    "٣٤ ²".encode(),
    b"a" * 1000,
    b"/../..",
    b"%n",
    b"\r\n\x1b[2J",
)
_OPAQUES = map(bytes.fromhex, ("9f78047f800000", "9f78047fc00001", "9f79087fefffffffffffff", "9f7904", ""))
STRANGE_VALUES: tuple[tuple[int, int | bytes | None], ...] = (
    *((INTEGER, number) for number in (2**31 - 1, -(2**31), -1, 0, 400, -400)),
    *((COUNTER32, 2**32 - 1), (GAUGE32, 2**32 - 1), (TIME_TICKS, 2**32 - 1), (TIME_TICKS, 0)),
    *((COUNTER64, 2**64 - 1), (UINTEGER32, 2**32 - 1), (BIT_STRING, b"\x00\x80"), (IP_ADDRESS, b"\xff" * 4)),
    *((tag, None) for tag in (NULL, NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB_VIEW)),
    *((OID, octets) for octets in (b"\x00", b"\x2b\x8f\xff\xff\xff\x7f")),
    *((OPAQUE, octets) for octets in _OPAQUES),
    *((OCTET_STRING, octets) for octets in _TEXTS),
)
"""Tag and value: what an agent can say, and hardly means."""
_ELEMENTS = tuple(encode_value(*each) for each in STRANGE_VALUES)
_ELEMENTS += (b"\x41\x00", b"\x06\x00", b"\x06\x01\xff", b"\x40\x05" + bytes(5), b"\x80\x01\x00", b"\x07\x00")
_FILLS = (b"\x00", b"\xff", b"\x80", b"\x7f", b"0", b"9", b"-", b"e", b"%")
_LONGEST_PIECE = 64
_MOST_KNOWN = 128
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|[\[\]{},:]|true|false|null')
_STRANGE = (
    "null", "true", "0", "-1", "1e308", "-1e308", "1e999", "0.1", "18446744073709551615",
    "18446744073709551616", "-18446744073709551616", "9" * 30,
    '""', '"' + "x" * 2000 + '"', '"\\ud800"', '"NaN"', "NaN", "[]", "{}",
    "[[[[[[[[", "]", "}", ",", '"n"', '"a/b"', '"../x"', "[4,1,2,3]", '["",1,null,"x"]', "[9,1]", '"\\u0000"',
)  # fmt: skip


class Spoiler:
    """Spoils datagrams; `others` are what pieces are taken from."""

    def __init__(self, rng: Random, others: Sequence[bytes]) -> None:
        self._rng = rng
        self._others = others
        self._known: dict[bytes, list[tuple[int, int, int]]] = {}

    def spoil(self, good: bytes) -> bytes:
        """One to three changes; seldom they cancel out, or the result is a good datagram again."""
        rng = self._rng
        elements = self._elements(good)
        if elements and rng.randrange(3) == 0:
            return exchanged(good, elements, rng.choice(elements), rng.choice(_ELEMENTS))
        octets = bytearray(good)
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
            if octets:
                self._change(octets, elements)
        return bytes(octets)

    def _elements(self, good: bytes) -> list[tuple[int, int, int]]:
        found = self._known.get(good)
        if found is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            found = self._known[good] = elements(good)
        return found

    def _change(self, octets: bytearray, known: Sequence[tuple[int, int, int]]) -> None:
        """`known` are the elements of what `octets` were: a change before may have moved them."""
        rng = self._rng
        at = rng.randrange(len(octets))
        size = rng.randrange(1, min(_LONGEST_PIECE, len(octets)) + 1)
        match rng.randrange(12):
            case 0 | 1:
                octets[at] ^= 1 << rng.randrange(8)
            case 2:
                octets[at] = rng.choice(_ODD)
            case 3:
                del octets[at:]
            case 4:
                del octets[at : at + size]
            case 5:
                octets[at:at] = rng.randbytes(rng.randrange(1, 9))
            case 6:
                octets[at:at] = octets[at : at + size]
            case 7:
                other = rng.choice(self._others)
                there = rng.randrange(len(other))
                octets[at : at + rng.choice((0, size))] = other[there : there + size]
            case 8:
                other = rng.choice(self._others)
                octets[at:] = other[rng.randrange(len(other)) :]
            case _ if known:
                length_at, start, end = rng.choice(known)
                if rng.randrange(2):
                    self._lie(octets, length_at, start)
                else:
                    octets[start:end] = rng.choice(_FILLS) * (end - start)
            case _:
                octets[at] = rng.getrandbits(8)

    def _lie(self, octets: bytearray, length_at: int, start: int) -> None:
        """A length that is another one, or is written otherwise."""
        rng = self._rng
        if length_at < len(octets) and rng.randrange(2):
            octets[length_at] = (octets[length_at] + rng.choice((-5, -2, -1, 1, 2, 5))) % 256
        else:
            octets[length_at:start] = rng.choice(_LIES)


def elements(octets: bytes) -> list[tuple[int, int, int]]:
    """(place of the length, start, end) of each element of BER, and of BER inside of octet strings."""
    found: list[tuple[int, int, int]] = []
    todo = [(0, len(octets))]
    while todo:
        pos, end = todo.pop()
        within = len(found)
        while pos + 2 <= end:
            length_at, length = pos + 1, octets[pos + 1]
            start = pos + 2
            if length & 0x80:
                start += length & 0x7F
                length = int.from_bytes(octets[length_at + 1 : start], "big")
            if start + length > end:
                del found[within:]  # it only looked like BER
                break
            found.append((length_at, start, start + length))
            if octets[pos] & 0x20 or (octets[pos] == 0x04 and octets[start : start + 1] == b"\x30"):
                todo.append((start, start + length))
            pos = start + length
    return found


def exchanged(
    octets: bytes, known: Sequence[tuple[int, int, int]], old: tuple[int, int, int], new: bytes
) -> bytes:
    """The octets with one of their elements exchanged, and the lengths of all around it put right."""
    begin, end = old[0] - 1, old[2]
    around = [each for each in known if each[1] <= begin and end <= each[2] and each != old]
    for length_at, start, stop in sorted(around, reverse=True):
        content = octets[start:begin] + new + octets[end:stop]
        begin, end = length_at - 1, stop
        new = tlv(octets[begin], content)
    return octets[:begin] + new + octets[end:]


def tokens(text: str) -> list[str]:
    """The tokens of a JSON text."""
    return _TOKEN.findall(text)


def spoil_json(rng: Random, good: Sequence[str]) -> str:
    """A JSON text of these tokens, one to three of them doubled, dropped, exchanged or made strange."""
    bad = list(good)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(bad))
        match rng.randrange(6):
            case 0 | 1 | 2:
                bad[at] = rng.choice(_STRANGE)
            case 3:
                bad[at:at] = bad[at : at + rng.randrange(1, 30)]
            case 4:
                del bad[at : at + rng.randrange(1, 4)]
                bad = bad or ["null"]
            case _:
                bad[at] = rng.choice(bad)
    return "".join(bad)
