"""The *field* encoding: a frame transposed, zlib with a preset dictionary. For metered links.

    [1, header, {device: [times, {group: {item: {metric: column}}}]}]

`times` are centiseconds after the start, first and then differences. A column of n values is
- a bare value: all n are that value (None included);
- `[digits, first, difference, …]`: numbers times 10**digits, each after the first as the difference from
  the last one that was not null; a null slot stays null;
- `["", value, …]`: the values as they are.

Decoding is bounded: inflation, nesting, lengths and the number of values are checked before anything is
expanded (RFC 1950 for the stream: its checksum refuses damage and a wrong dictionary).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

from ayni_core.readings import Series, Value
from ayni_core.wire.dictionary import DICTIONARIES, DICTIONARY_ID
from ayni_core.wire.errors import WireError, dump_json, load_json
from ayni_core.wire.frame import DevicePolls, Frame, check_header, header

VERSION = 1
MAX_INFLATED = 2 * 1024 * 1024
MAX_POLLS = 2000
MAX_DEVICES = 500
MAX_VALUES = 1_000_000
MAX_SERIES = 5000
"""Of one device in one frame: a large switch has a tenth of it."""
MAX_ITEM, MAX_TEXT = 128, 1024
_MAX_DIGITS = 4
LARGEST = 2**64


def encode(frame: Frame, *, dictionary: bool = True) -> bytes:
    """The frame as bytes; without `dictionary` for a hub that does not know ours."""
    devices: dict[str, Any] = {}
    for name, polls in frame.devices.items():
        groups: dict[str, dict[str, dict[str, Any]]] = {}
        for series, column in polls.values.items():
            items = groups.setdefault(series.group, {})
            items.setdefault(series.item, {})[series.metric] = _encode_column(column)
        devices[name] = [_encode_times(polls.times_s), groups]
    raw = dump_json([VERSION, header(frame), devices])
    zdict = DICTIONARIES[DICTIONARY_ID] if dictionary else b""
    packer = (
        zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_DEFAULT_STRATEGY, zdict)
        if zdict
        else zlib.compressobj(9, zlib.DEFLATED, 15, 9)
    )
    return packer.compress(raw) + packer.flush()


def decode(data: bytes) -> Frame:
    """The frame out of bytes, whole, or `WireError`."""
    value = load_json(inflate(data))
    if not isinstance(value, list) or len(value) != 3 or value[0] != VERSION:
        raise WireError("not a frame of this version")
    node, epoch, seq, boot, mono_s, wall_s, synced, next_by_s = check_header(value[1])
    if not isinstance(value[2], dict) or len(value[2]) > MAX_DEVICES:
        raise WireError("too many devices")
    devices: dict[str, DevicePolls] = {}
    budget = MAX_VALUES
    for name, body in value[2].items():
        check_word(name, 48)
        if not isinstance(body, list) or len(body) != 2 or not isinstance(body[1], dict):
            raise WireError("a device is its times and its groups")
        polls = DevicePolls(times_s=_decode_times(body[0]))
        for group, items in body[1].items():
            check_word(group, 16)
            for item, metrics in _mapping(items):
                check_item(item)
                for metric, column in _mapping(metrics):
                    check_word(metric, 48)
                    budget -= len(polls.times_s)
                    if budget < 0:
                        raise WireError("too many values")
                    polls.values[Series(group, item, metric)] = _decode_column(column, len(polls.times_s))
        if len(polls.values) > MAX_SERIES:
            raise WireError(f"more than {MAX_SERIES} series of one device")
        devices[name] = polls
    return Frame(
        node=node, epoch=epoch, seq=seq, boot=boot, mono_s=mono_s, wall_s=wall_s, synced=synced,
        next_by_s=next_by_s, devices=devices,
    )  # fmt: skip


def inflate(data: bytes, limit: int = MAX_INFLATED) -> bytes:
    """Inflate within a limit; an unknown dictionary, damage, a bomb or trailing bytes are `WireError`."""
    if len(data) < 6:
        raise WireError("cut short")
    zdict = b""
    if data[1] & 0x20:  # FDICT: the identifier of the dictionary stands in the stream
        identifier = int.from_bytes(data[2:6], "big")
        if identifier not in DICTIONARIES:
            raise WireError("unknown dictionary")
        zdict = DICTIONARIES[identifier]
    opener = zlib.decompressobj(15, zdict=zdict) if zdict else zlib.decompressobj(15)
    try:
        raw = opener.decompress(data, limit)
    except zlib.error as error:
        raise WireError(f"damaged: {str(error)[:60]}") from None
    if opener.unconsumed_tail:
        raise WireError(f"larger than {limit} bytes when unpacked")
    if not opener.eof:
        raise WireError("cut short")
    if opener.unused_data:
        raise WireError("bytes after the end")
    return raw


def check_word(word: str, longest: int) -> None:
    """A name of a device, group or metric, or `WireError`."""
    if not 1 <= len(word) <= longest or not word.replace("_", "").replace("-", "").isalnum():
        raise WireError(f"not a name: {word[:20]!r}")


def check_item(item: str) -> None:
    """The name of an item, which people and devices choose, or `WireError`."""
    if len(item) > MAX_ITEM:
        raise WireError("an item's name is too long")


def _mapping(value: object) -> Sequence[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise WireError("expected a mapping")
    return list(value.items())


def _encode_times(times_s: Sequence[float]) -> list[int]:
    ticks = [round(t * 100) for t in times_s]
    return [b - a for a, b in zip([0, *ticks], ticks, strict=False)]


def _decode_times(value: object) -> list[float]:
    if not isinstance(value, list) or len(value) > MAX_POLLS:
        raise WireError("too many polls")
    ticks, result = 0, []
    for step in value:
        if type(step) is not int or not 0 <= ticks + step <= 10**10:
            raise WireError("a time is not a time")
        ticks += step
        result.append(ticks / 100)
    return result


def _encode_column(column: Sequence[Value]) -> Any:
    first = column[0]
    if all(value == first and type(value) is type(first) for value in column):
        return first
    if any(isinstance(value, str) for value in column):
        return ["", *column]
    numbers = [value for value in column if value is not None and not isinstance(value, str)]
    digits = _digits(numbers)
    if digits is None:
        return ["", *column]
    scale = 10**digits
    result: list[int | None] = [digits]
    last = 0
    for value in column:
        if value is None or isinstance(value, str):
            result.append(None)
            continue
        number = value if digits == 0 and isinstance(value, int) else round(value * scale)
        result.append(number - last)
        last = number
    return result


def _digits(numbers: Sequence[int | float]) -> int | None:
    """Decimal digits that carry all the numbers exactly; None if more than four or too large."""
    if all(isinstance(number, int) for number in numbers):
        return 0
    if any(abs(number) > 1e10 for number in numbers):
        return None
    for digits in range(1, _MAX_DIGITS + 1):
        scale = 10**digits
        if all(round(number * scale) / scale == number for number in numbers):
            return digits
    return None


def _decode_column(value: Any, n: int) -> list[Value]:
    if not isinstance(value, list):
        return [check_value(value)] * n
    if len(value) != n + 1:
        raise WireError("a column is as long as its times")
    digits = value[0]
    if digits == "":
        return [check_value(each) for each in value[1:]]
    if type(digits) is not int or not 0 <= digits <= _MAX_DIGITS:
        raise WireError("a column begins with its digits")
    result: list[Value] = []
    number, scale = 0, 10**digits
    for step in value[1:]:
        if step is None:
            result.append(None)
            continue
        if type(step) is not int:
            raise WireError("a difference is a whole number")
        number += step
        if not -LARGEST < number < LARGEST:
            raise WireError("a number is out of range")
        result.append(number / scale if digits else number)
    return result


def check_value(value: Any) -> Value:
    """A value as it may stand in a frame, or `WireError`."""
    if value is None or isinstance(value, str):
        if value is not None and len(value) > MAX_TEXT:
            raise WireError("a text is too long")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not -LARGEST < value < LARGEST:
        raise WireError("not a value")
    return value
