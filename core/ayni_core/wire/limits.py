"""What a frame may hold. Both encodings refuse the rest when it comes, and never let it go.

The numbers bound what a hostile frame can cost the hub (about 25 MB for a moment) and stay far above what an
honest one needs: a frame of five rounds of 3,250 samples has 16,250 values in 20 kB.
"""

from __future__ import annotations

from typing import Any

from ayni_core.metrics import METRICS
from ayni_core.readings import LARGEST, MAX_TEXT, Value
from ayni_core.wire.errors import WireError
from ayni_core.wire.frame import Frame, check_header, header
from ayni_core.wire.note import MAX_NOTES

MAX_ENCODED = 128 * 1024
"""Bytes of a frame as it is sent: at 256 kbit/s four seconds, so that an alarm behind it is not late. What
arrives may be larger, up to MAX_INFLATED."""
MAX_INFLATED = 1024 * 1024
MAX_DEVICES = 500
MAX_POLLS = 2000
"""Of one device."""
MAX_SERIES = 5000
"""Of one device: a large switch has a tenth of it."""
MAX_NAMES = 50_000
"""Series of all devices together."""
MAX_VALUES = 250_000
MAX_ITEM = 128
"""Characters of an item's name."""
MAX_DEVICE, MAX_GROUP, MAX_METRIC = 48, 16, 48
_LATEST_TICK = 10**10


def check_word(word: str, longest: int) -> None:
    """A name of a device, group or metric, or `WireError`."""
    if not 1 <= len(word) <= longest or not word.replace("_", "").replace("-", "").isalnum():
        raise WireError(f"not a name: {word[:20]!r}")


def check_metric(metric: str) -> None:
    """The name of a metric, or `WireError`; one that a newer agent knows is fine."""
    if metric not in METRICS:
        check_word(metric, MAX_METRIC)


def check_item(item: object) -> None:
    """The name of an item, which people and devices choose, or `WireError`."""
    if not isinstance(item, str) or len(item) > MAX_ITEM:
        raise WireError("an item's name is too long, or no text")


def check_value(value: Any) -> Value:
    """A value as it may stand in a frame, or `WireError`."""
    if value is None:
        return None
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise WireError("a text is too long")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not -LARGEST < value < LARGEST:
        raise WireError("not a value")  # also not-a-number, which compares with nothing
    return value


def check_tick(tick: object) -> int:
    """Hundredths of a second after the start of a frame, or `WireError`."""
    if type(tick) is not int or not 0 <= tick <= _LATEST_TICK:
        raise WireError("a time is not a time")
    return tick


def too_large(frame: Frame) -> bool:
    """Whether a frame has more of something than a frame may have; its bytes are another matter."""
    series = [len(polls.values) for polls in frame.devices.values()]
    return (
        len(frame.devices) > MAX_DEVICES
        or len(frame.notes) > MAX_NOTES
        or max(series, default=0) > MAX_SERIES
        or sum(series) > MAX_NAMES
        or any(len(polls.times_s) > MAX_POLLS for polls in frame.devices.values())
        or count(frame) > MAX_VALUES
    )


def count(frame: Frame) -> int:
    """Places for values in a frame, those that hold nothing included."""
    return sum(len(polls.times_s) * len(polls.values) for polls in frame.devices.values())


def check_size(frame: Frame) -> None:
    """What is about to be encoded has a good header, names and times, and not too much of anything; else
    `WireError`."""
    check_header(header(frame))
    if too_large(frame):
        raise WireError("too large for one frame", kind="size")
    for name, polls in frame.devices.items():
        check_word(name, MAX_DEVICE)
        for at_s in polls.times_s:
            if not 0 <= at_s * 100 <= _LATEST_TICK:
                raise WireError("a time is not a time")


def check_frame(frame: Frame) -> None:
    """The same of all that is in it: whatever passes would be taken."""
    check_size(frame)
    for polls in frame.devices.values():
        for (group, item, metric), column in polls.values.items():
            check_word(group, MAX_GROUP)
            check_metric(metric)
            check_item(item)
            if len(column) != len(polls.times_s):
                raise WireError("a column is as long as its times")
            for value in column:
                check_value(value)
