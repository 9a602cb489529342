"""What a `RemoteStore` asks of a time-series server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ayni_core.readings import Series
from ayni_hub.store import Step, StoreError

Numbers = list[tuple[int, float]]
"""(tick, number) in time order; a tick is a hundredth of a second since 1970."""


@dataclass(frozen=True, slots=True)
class Found:
    """One series as the server has it. The group and metric are those that its name was made of, or a guess:
    `name` is what counts."""

    device: str
    name: str
    item: str
    samples: Numbers


class RefusedError(StoreError):
    """The server is there, and does not want this: its HTTP status, and what it says."""

    def __init__(self, text: str, status: int, said: str) -> None:
        super().__init__(text)
        self.status = status
        self.said = said


class Server(Protocol):
    """Each method raises `StoreError` in one sentence where the server is away, refuses or answers garbage.
    All times are ticks."""

    kind: str
    where: str
    """Its address, for people."""
    tags: str
    """What every line carries besides device and item."""
    repeats: str
    """What to do where it keeps a sample twice."""
    forgets: str
    """What to do where it does not keep what is old."""

    def name(self, series: Series) -> str:
        """What it calls a series, its item left out."""

    def write(self, lines: Sequence[str]) -> None:
        """Hand over line protocol; that it was taken is proven by reading it back only."""

    def read(self, device: str, wanted: Sequence[Series] | None, first: int, end: int) -> Iterator[Found]:
        """Samples of some series of a device, or of all, first <= time < end, as they lie there."""

    def count(self, devices: Sequence[str], first: int, last: int) -> int:
        """How many samples it has of these devices, first <= time <= last."""

    def steps(self, device: str, series: Series, first: int, end: int, step: int) -> list[Step]:
        """A series summed up in steps from `first` on; steps without a sample are absent."""

    def close(self) -> None:
        """Let its connections go."""
