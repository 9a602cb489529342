"""The port to what remembers samples. Embedded SQLite now; time-series servers behind the same methods."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ayni_core.readings import Series, Value

Sample = tuple[str, Series, float, Value]
"""(device, series, seconds since 1970, value)"""


class StoreError(Exception):
    """The store cannot be read or written right now; nothing was half done."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a history: when it starts, and the least, mean and largest value in it."""

    at: float
    low: float
    mean: float
    high: float


class Store(Protocol):
    """What the hub needs of a store. Writing the same sample twice leaves one."""

    def write(self, samples: Iterable[Sample]) -> int:
        """Make samples durable; how many were handed in. Raises `StoreError`, then none was kept."""

    def probe(self, now: float) -> None:
        """Raise `StoreError` unless it can be written."""

    def raw(self, device: str, series: Series, start: float, end: float) -> list[tuple[float, float]]:
        """(time, number) of one series in time order, `start` <= time < `end`."""

    def steps(self, device: str, series: Series, start: float, end: float, step_s: float) -> list[Step]:
        """The same, summed up; steps without a sample are absent."""

    def latest(self, device: str) -> Sequence[tuple[Series, float, Value]]:
        """The newest value of every series of a device, texts included."""

    def names(self, device: str) -> Collection[Series]:
        """Every series of a device that something is kept of; quick to look into."""

    def forget_before(self, time: float) -> int:
        """Drop samples older than `time`; how many. A series that its device has not brought since is
        forgotten with its name, unless the device itself was silent."""
