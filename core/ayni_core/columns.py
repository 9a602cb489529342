"""Many values of one series in few bytes, for the store: a column, packed and unpacked as a whole.

The first byte says how it is packed:
- `=` all values are the one that follows as JSON;
- `T` texts and what else JSON holds, as deflated JSON;
- `D` floats as they are (IEEE 754), deflated;
- `0` to `4` numbers with so many decimal digits: a byte with the width of differences (1, 2, 4 or 8), the
  first number (8 bytes), and the differences, deflated. Wider ones lie byte plane by byte plane, because high
  bytes are alike.
A column with gaps has `?` in front, then the length of what packs a bit for each value, and that.
Deflated bytes are raw (RFC 1951); what holds columns has a checksum of its own. Integers are little-endian.
"""

from __future__ import annotations

import json
import sys
import zlib
from array import array
from collections.abc import Sequence
from itertools import accumulate, compress
from operator import sub

from ayni_core.readings import Value

_TYPES = {1: "b", 2: "h", 4: "i", 8: "q"}
_LIMITS = {1: 2**7, 2: 2**15, 4: 2**31, 8: 2**63}
_MOST_DIGITS = 4
_EXACT = 1e10
"""Up to here a number of four decimals survives being scaled."""
_LARGEST = 16 * 1024 * 1024
_SWAP = sys.byteorder != "little"


class ColumnError(Exception):
    """These bytes are no column, or not one of this length."""


def pack(values: Sequence[Value]) -> bytes:
    """The column as bytes. Whole numbers stay whole; what SQLite or JSON cannot tell apart is kept apart."""
    first = values[0]
    if values.count(first) == len(values) and len(set(map(type, values))) == 1:
        return b"=" + _json(first)
    if None not in values:
        return _pack_dense(values)
    there = [value is not None for value in values]
    bits = _deflate(_bits(there))
    return b"?" + len(bits).to_bytes(2, "little") + bits + _pack_dense(list(compress(values, there)))


def unpack(data: bytes, n: int) -> list[Value]:
    """The `n` values. Raises `ColumnError`."""
    try:
        return _unpack(data, n)
    except (zlib.error, ValueError, IndexError, OverflowError) as error:
        raise ColumnError(f"not a column: {str(error)[:60]}") from None


def _unpack(data: bytes, n: int) -> list[Value]:
    kind = data[:1]
    if kind == b"=":
        value: Value = json.loads(data[1:])
        return [value] * n
    if kind == b"?":
        size = int.from_bytes(data[1:3], "little")
        there = _unbits(_inflate(data[3 : 3 + size]), n)
        dense = iter(_unpack(data[3 + size :], sum(there)))
        return [next(dense) if each else None for each in there]
    if kind == b"T":
        found: list[Value] = json.loads(_inflate(data[1:]))
        if not isinstance(found, list):
            raise ColumnError("not a column: no list")
    elif kind == b"D":
        found = _array("d", _inflate(data[1:])).tolist()
    else:
        found = _numbers(data)
    if len(found) != n:
        raise ColumnError(f"not a column of {n} values but of {len(found)}")
    return found


def _numbers(data: bytes) -> list[Value]:
    digits, width = int(data[:1]), data[1]
    if digits > _MOST_DIGITS or width not in _TYPES or len(data) < 10:
        raise ColumnError("not a column: no such kind")
    first = int.from_bytes(data[2:10], "little", signed=True)
    planes = _inflate(data[10:])
    count = len(planes) // width
    if width > 1:
        raw = bytearray(len(planes))
        for plane in range(width):
            raw[plane::width] = planes[plane * count : (plane + 1) * count]
        planes = bytes(raw)
    whole = list(accumulate(_array(_TYPES[width], planes), initial=first))
    if not digits:
        return whole
    divisor = 10**digits
    return [number / divisor for number in whole]


def _pack_dense(values: Sequence[Value]) -> bytes:
    kinds = set(map(type, values))
    if len(values) == 1 or not kinds <= {int, float}:
        if len(values) == 1:
            return b"=" + _json(values[0])
        return b"T" + _deflate(_json(list(values)))
    if kinds == {int}:
        packed = _pack_whole(values, 0)  # type: ignore[arg-type]  # they are whole
        if packed is not None:
            return packed
    elif kinds == {float}:
        digits = _digits(values)  # type: ignore[arg-type]  # they are floats
        if digits is not None:
            scale = 10**digits
            packed = _pack_whole([round(value * scale) for value in values], digits)
            if packed is not None:
                return packed
        return b"D" + _deflate(_bytes(array("d", values)))
    return b"T" + _deflate(_json(list(values)))


def _pack_whole(numbers: Sequence[int], digits: int) -> bytes | None:
    """Whole numbers as differences; None where 64 bits do not hold them."""
    if not -(2**63) <= numbers[0] < 2**63:
        return None
    steps = list(map(sub, numbers[1:], numbers))
    largest = max(max(steps), -min(steps) - 1)
    width = next((width for width, limit in _LIMITS.items() if largest < limit), None)
    if width is None:
        return None
    raw = _bytes(array(_TYPES[width], steps))
    if width > 1:
        raw = b"".join(raw[plane::width] for plane in range(width))
    first = numbers[0].to_bytes(8, "little", signed=True)
    return b"%d%c" % (digits, width) + first + _deflate(raw)


def _digits(values: Sequence[float]) -> int | None:
    """How many decimals make these numbers whole, if few do."""
    if max(map(abs, values)) > _EXACT:
        return None
    for digits in range(1, _MOST_DIGITS + 1):
        scale = 10**digits
        if all(round(value * scale) / scale == value for value in values):
            return digits
    return None


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _deflate(data: bytes) -> bytes:
    # a column is short: more memory packs no better, and setting it up took most of the time
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 6, zlib.Z_FILTERED)
    return packer.compress(data) + packer.flush()


def _inflate(data: bytes) -> bytes:
    opener = zlib.decompressobj(-15)
    raw = opener.decompress(data, _LARGEST)
    if not opener.eof:
        raise ColumnError("not a column: cut short, or too large")
    return raw


def _bits(there: Sequence[bool]) -> bytes:
    return int("1" + "".join("1" if each else "0" for each in there), 2).to_bytes(len(there) // 8 + 1, "big")


def _unbits(data: bytes, n: int) -> list[bool]:
    text = bin(int.from_bytes(data, "big"))[3:]
    if len(text) != n:
        raise ColumnError(f"not a column of {n} values but of {len(text)}")
    return [bit == "1" for bit in text]


def _array(kind: str, data: bytes) -> array:  # type: ignore[type-arg]
    result = array(kind)
    result.frombytes(data)
    if _SWAP:
        result.byteswap()
    return result


def _bytes(values: array) -> bytes:  # type: ignore[type-arg]
    if _SWAP:
        values.byteswap()
    return values.tobytes()
