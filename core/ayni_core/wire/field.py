"""The *field* encoding: a frame transposed, zlib with a preset dictionary. For metered links.

    [1, header, {device: [times, {group: [items, metrics, …]}]}, [[column, …], …], notes]

Names first, numbers last: what devices have in common packs to next to nothing that way. `times` are
hundredths of a second after the start, first and then differences. A group lists items and their metrics in
turn; its columns follow metric by metric, item by item. `notes` is left out where there is none. A column of
n values is
- a bare value: all n are that value (None included);
- n whole numbers: the first, then each as the difference from the last one that was not null;
- a scale and then n such numbers: 1 to 4 are decimal digits, from 10 on a unit to multiply with;
- `""` and then n values as they are.

Decoding is bounded: inflation, nesting, lengths and the number of values are checked before anything is
expanded (RFC 1950 for the stream: its checksum refuses damage and a wrong dictionary).
"""

from __future__ import annotations

import marshal
import math
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from itertools import accumulate, repeat
from operator import sub
from typing import Any

from ayni_core.metrics import METRICS
from ayni_core.readings import GROUPS, LARGEST, Series, Value
from ayni_core.wire.dictionary import DICTIONARIES, DICTIONARY_ID
from ayni_core.wire.errors import WireError, dump_json, load_json
from ayni_core.wire.frame import DevicePolls, Frame, check_header, header
from ayni_core.wire.limits import (
    MAX_DEVICE,
    MAX_DEVICES,
    MAX_GROUP,
    MAX_INFLATED,
    MAX_NAMES,
    MAX_POLLS,
    MAX_SERIES,
    MAX_VALUES,
    check_item,
    check_metric,
    check_size,
    check_tick,
    check_value,
    check_word,
)
from ayni_core.wire.note import decode_notes, encode_notes

VERSION = 1
_MAX_DIGITS = 4
_LEAST_UNIT = 10
_WORTH_A_UNIT = 100
_series = partial(tuple.__new__, Series)
"""A series out of (group, item, metric) at half the price: a frame names hundreds."""
_EXACT = 1e10
"""Up to here a number of four decimals survives being scaled."""
_GROUP_ORDER = {group: i for i, group in enumerate(GROUPS)}
_METRIC_ORDER = {metric: i for i, metric in enumerate(METRICS)}


def encode(frame: Frame, *, dictionary: bool = True) -> bytes:
    """The frame as bytes; without `dictionary` for a hub that does not know ours. Raises `WireError` for
    what `decode` would refuse."""
    check_size(frame)
    shapes: dict[str, Any] = {}
    columns: list[list[Any]] = []
    for name, polls in frame.devices.items():
        if polls.times_s:
            own, order = _shape(tuple(polls.values))
            found = list(polls.values.values())
            shapes[name] = [_encode_times(polls.times_s), own]
            columns.append([_encode_column(found[at], len(polls.times_s)) for at in order])
    names = dump_json([VERSION, header(frame), shapes])[:-1]
    numbers = dump_json([columns, encode_notes(frame.notes)] if frame.notes else [columns])[1:]
    if len(names) + len(numbers) >= MAX_INFLATED:
        raise WireError("too large for one frame", kind="size")
    return _deflate(names + b",", numbers, DICTIONARIES[DICTIONARY_ID] if dictionary else b"")


def _deflate(names: bytes, numbers: bytes, zdict: bytes) -> bytes:
    """The two halves packed apart: digits and words have other frequencies. Z_FILTERED leaves short matches
    alone, which in random digits cost more than they save (a tenth of the frame)."""
    settings = (9, zlib.DEFLATED, 15, 9, zlib.Z_FILTERED)
    packer = zlib.compressobj(*settings, zdict) if zdict else zlib.compressobj(*settings)
    packed = packer.compress(names) + packer.flush(zlib.Z_PARTIAL_FLUSH)
    return packed + packer.compress(numbers) + packer.flush()


@lru_cache(maxsize=64)  # frame after frame a device has the same series
def _shape(series: tuple[Series, ...]) -> tuple[dict[str, Any], tuple[int, ...]]:
    """The names of a device's series, and the order that these names give its columns. Groups and metrics
    stand in the order of their lists, so that devices of one family look alike."""
    groups: dict[str, dict[str, dict[str, int]]] = {}
    for at, (group, item, metric) in enumerate(series):
        groups.setdefault(group, {}).setdefault(item, {})[metric] = at
    names: dict[str, Any] = {}
    order: list[int] = []
    for group in sorted(groups, key=lambda group: _GROUP_ORDER.get(group, len(_GROUP_ORDER))):
        check_word(group, MAX_GROUP)
        alike: dict[tuple[str, ...], list[str]] = {}
        for item, found in groups[group].items():
            check_item(item)
            metrics = tuple(sorted(found, key=lambda metric: _METRIC_ORDER.get(metric, len(_METRIC_ORDER))))
            alike.setdefault(metrics, []).append(item)
        parts = names[group] = []
        for metrics, items in alike.items():
            for metric in metrics:
                check_metric(metric)
            parts += [items, metrics]
            order += [groups[group][item][metric] for metric in metrics for item in items]
    return names, tuple(order)


def decode(data: bytes) -> Frame:
    """The frame out of bytes, whole, or `WireError`."""
    value = load_json(inflate(data), checked=True)
    if not isinstance(value, list) or not 4 <= len(value) <= 5 or value[0] != VERSION:
        raise WireError("not a frame of this version")
    named = check_header(value[1])
    shapes, columns = value[2], value[3]
    if not isinstance(shapes, dict) or not isinstance(columns, list) or len(shapes) != len(columns):
        raise WireError("a frame is the names of its devices, then their columns")
    if len(shapes) > MAX_DEVICES:
        raise WireError("too many devices", kind="size")
    devices: dict[str, DevicePolls] = {}
    room, budget = MAX_NAMES, MAX_VALUES
    for (name, shape), own in zip(shapes.items(), columns, strict=True):
        check_word(name, MAX_DEVICE)
        if not isinstance(shape, list) or len(shape) != 2 or not isinstance(own, list):
            raise WireError("a device is its times and its names")
        times_s = _decode_times(shape[0])
        names = _NAMES.of(shape[1])
        room -= len(names)
        budget -= len(names) * len(times_s)
        if room < 0 or budget < 0:
            raise WireError("too many values", kind="size")
        if len(own) != len(names):
            raise WireError("a column for each name")
        values = {
            series: _decode_column(column, len(times_s)) for series, column in zip(names, own, strict=True)
        }
        if len(values) != len(names):
            raise WireError("a series stands twice")
        devices[name] = DevicePolls(times_s=times_s, values=values)
    return Frame(**named, devices=devices, notes=decode_notes(value[4]) if len(value) == 5 else ())


def inflate(data: bytes, limit: int = MAX_INFLATED) -> bytes:
    """Inflate within a limit; an unknown dictionary, damage, a bomb or trailing bytes are `WireError`."""
    if len(data) < 6:
        raise WireError("cut short", kind="damaged")
    zdict = b""
    if data[1] & 0x20:  # FDICT: the identifier of the dictionary stands in the stream
        identifier = int.from_bytes(data[2:6], "big")
        if identifier not in DICTIONARIES:
            raise WireError(f"unknown dictionary {identifier:08x}", kind="dictionary")
        zdict = DICTIONARIES[identifier]
    opener = zlib.decompressobj(15, zdict=zdict) if zdict else zlib.decompressobj(15)
    try:
        raw = opener.decompress(data, limit)
    except zlib.error as error:
        raise WireError(f"damaged: {str(error)[:60]}", kind="damaged") from None
    if opener.unconsumed_tail:
        raise WireError(f"larger than {limit} bytes when unpacked", kind="size")
    if not opener.eof:
        raise WireError("cut short", kind="damaged")
    if opener.unused_data:
        raise WireError("bytes after the end", kind="damaged")
    return raw


def _encode_times(times_s: Sequence[float]) -> list[int]:
    ticks = [round(t * 100) for t in times_s]
    return [b - a for a, b in zip([0, *ticks], ticks, strict=False)]


def _decode_times(value: object) -> list[float]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_POLLS:
        raise WireError("too many polls, or none", kind="size")
    tick, result = 0, []
    for step in value:
        if type(step) is not int:
            raise WireError("a time is not a time")
        tick = check_tick(tick + step)
        result.append(tick / 100)
    return result


class _Known:
    """Names that were decoded before: report after report a device has the same ones. Of those that were not
    met for long, so many are forgotten that what is kept stays small, whatever strangers send.
    """

    def __init__(self, most: int) -> None:
        self._room = most
        self._names: OrderedDict[bytes, list[Series]] = OrderedDict()

    def of(self, value: object) -> list[Series]:
        """What `_decode_names` says; not to be changed."""
        key = marshal.dumps(value, 2)  # type: ignore[arg-type]  # it came out of JSON; 2: no references
        names = self._names.get(key)
        if names is not None:
            self._names.move_to_end(key)
            return names
        names = self._names[key] = _decode_names(value)
        self._room -= len(names)
        while self._room < 0:
            self._room += len(self._names.popitem(last=False)[1])
        return names


_NAMES = _Known(most=100_000)


def _decode_names(value: object) -> list[Series]:
    if not isinstance(value, dict):
        raise WireError("expected the groups of a device")
    names: list[Series] = []
    for group, parts in value.items():
        check_word(group, MAX_GROUP)
        if not isinstance(parts, list) or len(parts) % 2:
            raise WireError("a group is items and metrics in turn")
        for items, metrics in zip(parts[::2], parts[1::2], strict=True):
            if not isinstance(items, list) or not isinstance(metrics, list):
                raise WireError("a group is items and metrics in turn")
            if len(names) + len(items) * len(metrics) > MAX_SERIES:
                raise WireError(f"more than {MAX_SERIES} series of one device", kind="size")
            for item in items:
                check_item(item)
            for metric in metrics:
                if not isinstance(metric, str):
                    raise WireError("a metric is a name")
                check_metric(metric)
                names += map(_series, zip(repeat(group), items, repeat(metric)))
    return names


def _encode_column(column: Sequence[Value], n: int) -> Any:
    if len(column) != n:
        raise WireError("a column is as long as its times")
    first = column[0]
    kinds = set(map(type, column))
    if len(kinds) == 1 and column.count(first) == n:
        return check_value(first)
    if kinds == {int}:  # most of them
        numbers: Any = column
        if min(numbers) <= -LARGEST or max(numbers) >= LARGEST:
            raise WireError("not a value")
        unit = math.gcd(*numbers)
        if unit < _WORTH_A_UNIT:
            return [first, *map(sub, numbers[1:], numbers)]
        numbers = [number // unit for number in numbers]
        return [unit, numbers[0], *map(sub, numbers[1:], numbers)]
    for value in column:
        check_value(value)
    return _encode_mixed(column)


def _encode_mixed(column: Sequence[Value]) -> list[Any]:
    """A column that is not of whole numbers alone."""
    scale = _scale([value for value in column if value is not None])
    if scale is None:
        return ["", *column]
    result: list[Any] = [scale] if scale else []
    last = 0
    for value in column:
        if value is None or isinstance(value, str):
            result.append(None)
            continue
        if not scale:
            number = int(value)
        elif scale <= _MAX_DIGITS:
            number = round(value * 10**scale)
        else:
            number = int(value) // scale
        result.append(number - last)
        last = number
    return result


def _scale(values: Iterable[int | float | str]) -> int | None:
    """What makes these numbers whole and short: 0 nothing, 1 to 4 decimal digits, more a common unit. None
    for texts, and where digits would not do."""
    numbers = [value for value in values if not isinstance(value, str)]
    if len(numbers) != len(list(values)):
        return None
    if all(type(number) is int for number in numbers):
        unit = math.gcd(*numbers)  # type: ignore[arg-type]  # they are whole
        return unit if unit >= _WORTH_A_UNIT else 0
    if any(abs(number) > _EXACT for number in numbers):
        return None
    for digits in range(1, _MAX_DIGITS + 1):
        scale = 10**digits
        if all(round(number * scale) / scale == number for number in numbers):
            return digits
    return None


def _decode_column(value: Any, n: int) -> list[Value]:
    if type(value) is int and -LARGEST < value < LARGEST:
        return [value] * n
    if not isinstance(value, list):
        return [check_value(value)] * n
    if len(value) == n:
        return _sums(value, 1)
    if len(value) != n + 1:
        raise WireError("a column is as long as its times")
    scale, rest = value[0], value[1:]
    if scale == "":
        return [check_value(each) for each in rest]
    if type(scale) is not int or not 1 <= scale < LARGEST or _MAX_DIGITS < scale < _LEAST_UNIT:
        raise WireError("a column begins with its scale")
    if scale >= _LEAST_UNIT:
        return _sums(rest, scale)
    divisor = 10**scale
    return [each / divisor if isinstance(each, int) else None for each in _sums(rest, 1)]


def _sums(steps: list[Any], unit: int) -> list[Value]:
    """Numbers out of their differences."""
    if set(map(type, steps)) != {int}:
        return _sums_with_gaps(steps, unit)
    numbers = list(accumulate(steps))
    if sum(map(abs, steps)) * unit >= LARGEST:
        _check_range(numbers, unit)
    return numbers if unit == 1 else [number * unit for number in numbers]


def _sums_with_gaps(steps: list[Any], unit: int) -> list[Value]:
    numbers: list[Value] = []
    number = 0
    for step in steps:
        if step is None:
            numbers.append(None)
            continue
        if type(step) is not int:
            raise WireError("a difference is a whole number")
        number += step
        numbers.append(number * unit)
    _check_range([each for each in numbers if each is not None], 1)
    return numbers


def _check_range(numbers: Sequence[Any], unit: int) -> None:
    if numbers and not (min(numbers) * unit > -LARGEST and max(numbers) * unit < LARGEST):
        raise WireError("a number is out of range")
