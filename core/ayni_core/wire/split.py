"""A frame that is too large for one message becomes several, which say together what it said.

Cut by time where that helps, then by device, at last by series. The parts have numbers that follow each
other, the same start, and each can be read alone; notes and health go with the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ayni_core.wire.errors import WireError
from ayni_core.wire.frame import DevicePolls, Frame
from ayni_core.wire.limits import MAX_DEVICES, MAX_ENCODED, MAX_NAMES, MAX_SERIES, too_large
from ayni_core.wire.note import MAX_NOTES, FrameNote

_LARGEST_NUMBER = 2**53 - 10**6

Encoder = Callable[[Frame], bytes]


def pieces(frame: Frame, encode: Encoder, most_bytes: int = MAX_ENCODED) -> list[tuple[Frame, bytes]]:
    """The frame as one or several that fit, each with its bytes; the next free number is the last one's + 1.

    Raises `WireError` for what no cutting helps: names and values that may not stand in a frame.
    """
    whole = _fits(frame, encode, most_bytes)
    if whole is not None:
        return [(frame, whole)]
    waiting, found = [replace(frame, seq=_LARGEST_NUMBER)], []
    while waiting:
        part = waiting.pop()
        if _fits(part, encode, most_bytes) is None:
            waiting += reversed(_halves(part))
        else:
            found.append(part)
    numbered = [replace(part, seq=frame.seq + i) for i, part in enumerate(found)]
    return [(part, encode(part)) for part in numbered]


def _fits(frame: Frame, encode: Encoder, most_bytes: int) -> bytes | None:
    if too_large(frame):
        return None
    try:
        data = encode(frame)
    except WireError as error:
        if error.kind != "size":
            raise
        return None
    return data if len(data) <= most_bytes else None


def _halves(frame: Frame) -> list[Frame]:
    if len(frame.notes) > (MAX_NOTES if frame.devices else 1):
        cut = MAX_NOTES if frame.devices else len(frame.notes) // 2
        return [replace(frame, notes=frame.notes[:cut]), _rest(frame, {}, frame.notes[cut:])]
    series = [len(polls.values) for polls in frame.devices.values()]
    crowded = len(series) > MAX_DEVICES or sum(series) > MAX_NAMES or max(series, default=0) > MAX_SERIES
    for cut_by in (_by_device, _by_series, _by_time) if crowded else (_by_time, _by_device, _by_series):
        halves = cut_by(frame)
        if halves is not None:
            first, second = halves
            return [replace(frame, devices=first), _rest(frame, second)]
    if frame.notes and frame.devices:
        return [replace(frame, devices={}), _rest(frame, frame.devices)]
    raise WireError("one value that is too large for a frame", kind="size")


Devices = dict[str, DevicePolls]


def _rest(frame: Frame, devices: Mapping[str, DevicePolls], notes: tuple[FrameNote, ...] = ()) -> Frame:
    return replace(frame, devices=devices, notes=notes, health=None)


def _by_time(frame: Frame) -> tuple[Devices, Devices] | None:
    """Before and from the moment that halves the values."""
    weights: dict[float, int] = {}
    for polls in frame.devices.values():
        for at_s in polls.times_s:
            weights[at_s] = weights.get(at_s, 0) + len(polls.values) + 1
    moments = sorted(weights)
    if len(moments) < 2:
        return None
    half, before, cut = sum(weights.values()) / 2, 0, moments[1]
    for moment in moments[1:]:
        cut = moment
        before += weights[moment]
        if before >= half:
            break
    return _while(frame, lambda at_s: at_s < cut), _while(frame, lambda at_s: at_s >= cut)


def _while(frame: Frame, within: Callable[[float], bool]) -> Devices:
    devices = {}
    for name, polls in frame.devices.items():
        kept = [i for i, at_s in enumerate(polls.times_s) if within(at_s)]
        if kept:
            columns = ((series, [column[i] for i in kept]) for series, column in polls.values.items())
            devices[name] = DevicePolls(
                times_s=[polls.times_s[i] for i in kept],
                values={series: column for series, column in columns if column.count(None) < len(column)},
            )
    return devices


def _by_device(frame: Frame) -> tuple[Devices, Devices] | None:
    names = list(frame.devices)
    if len(names) < 2:
        return None
    return _some(frame, names[: len(names) // 2]), _some(frame, names[len(names) // 2 :])


def _some(frame: Frame, names: Iterable[str]) -> Devices:
    return {name: frame.devices[name] for name in names}


def _by_series(frame: Frame) -> tuple[Devices, Devices] | None:
    ((name, polls),) = frame.devices.items() if len(frame.devices) == 1 else (("", DevicePolls()),)
    columns = list(polls.values.items())
    if len(columns) < 2:
        return None
    half = len(columns) // 2
    return (
        {name: DevicePolls(times_s=polls.times_s, values=dict(columns[:half]))},
        {name: DevicePolls(times_s=polls.times_s, values=dict(columns[half:]))},
    )
