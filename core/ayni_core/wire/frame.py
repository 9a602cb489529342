"""A frame: everything a node polled since the last one, with what the hub needs to place it in time.

Times in a frame are seconds after its start; the start is given twice, on the monotonic clock of the
node's boot (CLOCK_BOOTTIME: suspend counts) and on its wall clock, and `synced` says whether that wall clock
can be believed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ayni_core.readings import Series, Value
from ayni_core.wire import node_health
from ayni_core.wire.errors import WireError
from ayni_core.wire.node_health import NodeHealth
from ayni_core.wire.note import FrameNote

ANSWERED = Series("system", "", "answered")
"""1 when a device answered a poll, 0 when not: the one reading that every poll has."""


@dataclass(slots=True)
class DevicePolls:
    """The polls of one device: `values[series][i]` belongs to `times_s[i]`; None where it had none."""

    times_s: list[float] = field(default_factory=list)
    values: dict[Series, list[Value]] = field(default_factory=dict)

    def add(self, at_s: float, values: Mapping[Series, Value]) -> None:
        """Append one poll, `at_s` seconds after the start of the frame."""
        before = len(self.times_s)
        self.times_s.append(at_s)
        for series, column in self.values.items():
            column.append(values.get(series))
        if len(self.values) < len(values) or any(series not in self.values for series in values):
            for series, value in values.items():
                if series not in self.values:
                    self.values[series] = [None] * before + [value]

    def samples(self) -> Iterator[tuple[Series, float, Value]]:
        """Every value that there is: (series, seconds after the start, value)."""
        for series, column in self.values.items():
            for at_s, value in zip(self.times_s, column, strict=True):
                if value is not None:
                    yield series, at_s, value


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """(node, epoch, seq) names a frame for ever; a resend has the same name and the same bytes.

    `wall_s` belongs to `mono_s` as the node believed when it closed the frame, at `made_s` on the same clock
    as `mono_s`; `step` counts how often the wall clock was set. `health` is there now and then.
    """

    node: str
    epoch: str
    seq: int
    boot: str
    mono_s: float
    wall_s: float
    synced: bool
    next_by_s: float
    devices: Mapping[str, DevicePolls]
    notes: tuple[FrameNote, ...] = ()
    step: int = 0
    made_s: float | None = None
    health: NodeHealth | None = None

    def count(self) -> int:
        """The number of samples in it."""
        return sum(
            len(column) - column.count(None)
            for polls in self.devices.values()
            for column in polls.values.values()
        )

    def span_s(self) -> float:
        """Seconds from the start of the frame to its last poll."""
        return max((polls.times_s[-1] for polls in self.devices.values() if polls.times_s), default=0.0)


def check_header(header: object) -> dict[str, Any]:
    """The fields of a `Frame` that stand in its header, by their names, or `WireError`."""
    if not isinstance(header, dict):
        raise WireError("a frame begins with its header")

    def text(key: str, longest: int) -> str:
        value = header.get(key)
        if not isinstance(value, str) or not 1 <= len(value) <= longest:
            raise WireError(f"header {key}: expected a short text")
        return value

    def number(key: str, low: float, high: float) -> float:
        value = header.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise WireError(f"header {key}: expected a number from {low} to {high}")
        return value

    seq = number("q", 0, 2**53)
    if not isinstance(seq, int):
        raise WireError("header q: expected a whole number")
    return {
        "node": text("n", 48),
        "epoch": text("e", 32),
        "seq": seq,
        "boot": text("b", 64),
        "mono_s": float(number("m", 0, 1e10)),
        "wall_s": float(number("w", 0, 1e11)),
        "synced": bool(number("y", 0, 1)),
        "next_by_s": float(number("x", 1, 1e6)),
        "step": _step(header.get("s", 0)),
        "made_s": float(number("c", 0, 1e10)) if "c" in header else None,
        "health": node_health.decode(header["h"]) if "h" in header else None,
    }


def _step(value: object) -> int:
    if type(value) is not int or not 0 <= value <= 10**9:
        raise WireError("header s: expected a whole number")
    return value


def header(frame: Frame) -> dict[str, object]:
    """The header as it travels: n node, e epoch, q seq, b boot, m mono, w wall, y synced, x next by; s step,
    c made and h health only where they say something.
    """
    fields: dict[str, object] = {
        "n": frame.node,
        "e": frame.epoch,
        "q": frame.seq,
        "b": frame.boot,
        "m": round(frame.mono_s, 2),
        "w": round(frame.wall_s, 2),
        "y": int(frame.synced),
        "x": round(frame.next_by_s, 1),
    }
    if frame.step:
        fields["s"] = frame.step
    if frame.made_s is not None:
        fields["c"] = round(frame.made_s, 2)
    if frame.health is not None:
        fields["h"] = node_health.encode(frame.health)
    return fields
