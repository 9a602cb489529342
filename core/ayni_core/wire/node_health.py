"""How a monitor itself is, in the header of a frame: what waits there, what it costs, whether its clock is
right.

`[waiting, kB, days of room, lost, on disk, clock, kB today, kB this month, cap in kB, forecast in kB,
saving]`, the last ones left out where they say nothing. It changes slowly and every byte counts, so an agent
sends it now and then, not with every frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ayni_core.wire.errors import WireError

MOST_SAVING = 9
_KB = 1000
_LARGEST = 10**12
_MOST_DAYS = 100_000
_ABSENT: tuple[int | None, ...] = (0, 0, None, 0, 0, 0, 0, 0, None, None, 0)
"""What a number is that was left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeHealth:
    """`waiting` frames of `waiting_bytes` lay in the outbox when this was said, and there is room for so many
    days more at the usual pace (None: not known); `lost` were dropped, damaged or refused, ever. `on_disk`: a
    power cut would not lose what waits. `trusted`: the clock is right, or was and nobody has set it since.
    Bytes count both ways; they travel as whole kB, rounded up. `saving` is the step of saving data, 0 none.
    """

    waiting: int = 0
    waiting_bytes: int = 0
    room_days: int | None = None
    lost: int = 0
    on_disk: bool = True
    trusted: bool = True
    today_bytes: int = 0
    month_bytes: int = 0
    cap_bytes: int | None = None
    forecast_bytes: int | None = None
    saving: int = 0


def encode(health: NodeHealth) -> list[int | None]:
    """As it travels."""
    whole: list[int | None] = [
        health.waiting,
        _kb(health.waiting_bytes),
        health.room_days,
        health.lost,
        int(health.on_disk),
        int(health.trusted),
        _kb(health.today_bytes),
        _kb(health.month_bytes),
        None if health.cap_bytes is None else _kb(health.cap_bytes),
        None if health.forecast_bytes is None else _kb(health.forecast_bytes),
        health.saving,
    ]
    while whole and whole[-1] == _ABSENT[len(whole) - 1]:
        whole.pop()
    return whole


def _kb(size: int) -> int:
    return -(-size // _KB)


def decode(value: object) -> NodeHealth:
    """Out of decoded JSON, or `WireError`."""
    if not isinstance(value, list) or len(value) > len(_ABSENT):
        raise WireError("header h: expected a short list")
    found: list[Any] = [*value, *_ABSENT[len(value) :]]
    for each, absent in zip(found, _ABSENT, strict=True):
        if each is None and absent is None:
            continue
        if type(each) is not int or not 0 <= each <= _LARGEST:
            raise WireError("header h: expected whole numbers")
    waiting, size, room, lost, on_disk, trusted, today, month, cap, forecast, saving = found
    if (room or 0) > _MOST_DAYS or saving > MOST_SAVING or on_disk > 1 or trusted > 1:
        raise WireError("header h: a number is out of its range")
    return NodeHealth(
        waiting=waiting,
        waiting_bytes=_KB * size,
        room_days=room,
        lost=lost,
        on_disk=bool(on_disk),
        trusted=bool(trusted),
        today_bytes=_KB * today,
        month_bytes=_KB * month,
        cap_bytes=None if cap is None else _KB * cap,
        forecast_bytes=None if forecast is None else _KB * forecast,
        saving=saving,
    )
