"""The open frame: polls go in, a `Frame` with its name and place in time comes out."""

from __future__ import annotations

from dataclasses import dataclass, field

from ayni_core.readings import Poll, Series, Value
from ayni_core.wire.field import LARGEST, MAX_ITEM, MAX_SERIES, MAX_TEXT
from ayni_core.wire.frame import ANSWERED, DevicePolls, Frame


@dataclass(slots=True, kw_only=True)
class Collector:
    """Collects the polls of a node. `epoch` is new at every start: a cloned card never collides."""

    node: str
    epoch: str
    boot: str
    flush_s: float
    seq: int = 0
    opened_s: float | None = None
    opened_wall_s: float = 0.0
    devices: dict[str, DevicePolls] = field(default_factory=dict)

    def add(self, poll: Poll, wall_s: float) -> None:
        """Take one poll, made at `wall_s` on the wall clock; a failed one is a reading too."""
        if self.opened_s is None:
            self.opened_s, self.opened_wall_s = poll.at_s, wall_s
        put(self.devices, poll, poll.at_s - self.opened_s)

    def close(self, synced: bool) -> Frame | None:
        """The frame with everything since the last one; None if nothing was polled."""
        if self.opened_s is None:
            return None
        self.seq += 1
        frame = self.frame(self.seq, self.opened_s, self.opened_wall_s, synced, self.devices)
        self.opened_s, self.devices = None, {}
        return frame

    def copy(self, poll: Poll, wall_s: float, synced: bool) -> Frame:
        """A frame of this one poll, for somebody who is watching: never stored, so it has no number."""
        devices: dict[str, DevicePolls] = {}
        put(devices, poll, 0.0)
        return self.frame(0, poll.at_s, wall_s, synced, devices)

    def frame(
        self, seq: int, mono_s: float, wall_s: float, synced: bool, devices: dict[str, DevicePolls]
    ) -> Frame:
        """A frame of this node."""
        return Frame(
            node=self.node,
            epoch=self.epoch,
            seq=seq,
            boot=self.boot,
            mono_s=mono_s,
            wall_s=wall_s,
            synced=synced,
            next_by_s=self.flush_s + 10,
            devices=devices,
        )


def put(devices: dict[str, DevicePolls], poll: Poll, at_s: float) -> None:
    """Add a poll to the devices of a frame, with the reading that says whether there was an answer."""
    polls = devices.setdefault(poll.device, DevicePolls())
    values: dict[Series, Value] = {ANSWERED: 0} if poll.error else {ANSWERED: 1}
    for series, value in poll.values.items():
        if len(values) < MAX_SERIES:
            values[_fitting(series)] = _fitting_value(value)
    polls.add(max(0.0, at_s), values)


def _fitting(series: Series) -> Series:
    """What a device calls a thing may be longer than the wire takes."""
    return series if len(series.item) <= MAX_ITEM else series._replace(item=series.item[:MAX_ITEM])


def _fitting_value(value: Value) -> Value:
    """One odd value must not cost the whole frame: the hub would refuse it."""
    if isinstance(value, str):
        return value[:MAX_TEXT]
    if isinstance(value, int | float) and not -LARGEST < value < LARGEST:
        return None  # also not-a-number, which compares with nothing
    return value
