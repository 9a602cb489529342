"""The port to what remembers samples: embedded SQLite, or a time-series server behind the same methods."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ayni_core.readings import Series, Value
from ayni_core.wire.frame import Frame

Sample = tuple[str, Series, float, Value]
"""(device, series, seconds since 1970, value)"""


class StoreError(Exception):
    """The store cannot be read or written right now; nothing was half done."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A frame to keep: decoded, when it begins in seconds since 1970, and its bytes in the field encoding."""

    frame: Frame
    start: float
    body: bytes

    def samples(self) -> Iterator[Sample]:
        """What it holds."""
        for device, polls in self.frame.devices.items():
            for series, at_s, value in polls.samples():
                yield device, series, self.start + at_s, value


class Step(NamedTuple):
    """One step of a history: when it starts, and the least, mean and largest value in it."""

    at: float
    low: float
    mean: float
    high: float


def is_far(store: object) -> bool:
    """Whether reading history from it goes over the network, so that a thread must wait for it."""
    return bool(getattr(store, "far", False))


class Store(Protocol):
    """What the hub needs of a store. Writing the same sample twice leaves one."""

    def keep(self, frames: Sequence[Kept]) -> int:
        """Make frames durable, all or none; how many samples are in them. Raises `StoreError`."""

    def write(self, samples: Iterable[Sample]) -> int:
        """Make samples durable that come without frames; how many were handed in. Raises `StoreError`, then
        none was kept."""

    def upkeep(self, now: float) -> bool:
        """Do one small piece of what a store has to do in quiet moments; False: nothing was to be done."""

    def probe(self, now: float) -> None:
        """Raise `StoreError` unless it can be written."""

    def devices(self) -> Sequence[str]:
        """Every device that something is kept of."""

    def values(self, device: str, series: Series, start: float, end: float) -> Sequence[tuple[float, Value]]:
        """(time, value) of one series in time order, texts too, `start` <= time < `end`."""

    def raw(self, device: str, series: Series, start: float, end: float) -> list[tuple[float, float]]:
        """(time, number) of one series in time order, `start` <= time < `end`."""

    def steps(self, device: str, series: Series, start: float, end: float, step_s: float) -> list[Step]:
        """The same, summed up, and of a counter its rate a second; steps without a sample are absent."""

    def latest(self, device: str, *, quick: bool = False) -> Sequence[tuple[Series, float, Value]]:
        """The newest value of every series of a device, texts included. Quick: of what is read seldom it may
        be the one before, where looking for it takes long."""

    def names(self, device: str) -> Collection[Series]:
        """Every series of a device that something is kept of; quick to look into."""

    def newest(self) -> float | None:
        """The time of the newest sample; None while there is none."""

    def forget_before(self, time: float) -> int:
        """Drop samples older than `time`, by the week at least; how many polls of devices they were. A series
        that its device has not brought since is forgotten with its name, unless the device itself was
        silent."""
