"""What a judge remembers of samples: the newest days of news in a file of its own, the rest where it is
stored.

A judge needs the newest values at its start, and must not wait for another machine to have them. So it keeps
what it hears for a few days; older history it reads from what its workers write.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Protocol, TypeVar

from ayni_core.readings import Series, Value
from ayni_hub import places
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.store import Kept, Sample, Step, Store, StoreError, is_far

RECENT_S = 3 * 86_400.0
Found = TypeVar("Found")


class History(Protocol):
    """The reading half of `Store`."""

    def values(self, device: str, series: Series, start: float, end: float) -> Sequence[tuple[float, Value]]:
        """See `Store.values`."""

    def raw(self, device: str, series: Series, start: float, end: float) -> list[tuple[float, float]]:
        """See `Store.raw`."""

    def steps(self, device: str, series: Series, start: float, end: float, step_s: float) -> list[Step]:
        """See `Store.steps`."""


class JudgeStore:
    """`Store` of a judge: `own` has the news, `history` everything that workers have stored."""

    def __init__(self, own: Store, history: History) -> None:
        self._own = own
        self._history = history
        self.far = is_far(history)

    def keep(self, frames: Sequence[Kept]) -> int:
        """See `Store.keep`."""
        return self._own.keep(frames)

    def write(self, samples: Iterable[Sample]) -> int:
        """See `Store.write`."""
        return self._own.write(samples)

    def upkeep(self, now: float) -> bool:
        """See `Store.upkeep`."""
        return self._own.upkeep(now)

    def probe(self, now: float) -> None:
        """See `Store.probe`."""
        self._own.probe(now)

    def devices(self) -> Sequence[str]:
        """See `Store.devices`."""
        return self._own.devices()

    def latest(self, device: str, *, quick: bool = False) -> Sequence[tuple[Series, float, Value]]:
        """See `Store.latest`."""
        return self._own.latest(device, quick=quick)

    def names(self, device: str) -> Collection[Series]:
        """See `Store.names`."""
        return self._own.names(device)

    def newest(self) -> float | None:
        """See `Store.newest`."""
        return self._own.newest()

    def forget_before(self, time: float) -> int:
        """See `Store.forget_before`; of its own it keeps a few days only."""
        return self._own.forget_before(max(time, (self._own.newest() or 0.0) - RECENT_S))

    def values(self, device: str, series: Series, start: float, end: float) -> Sequence[tuple[float, Value]]:
        """See `Store.values`."""
        return self._history.values(device, series, start, end)

    def raw(self, device: str, series: Series, start: float, end: float) -> list[tuple[float, float]]:
        """See `Store.raw`."""
        return self._history.raw(device, series, start, end)

    def steps(self, device: str, series: Series, start: float, end: float, step_s: float) -> list[Step]:
        """See `Store.steps`."""
        return self._history.steps(device, series, start, end, step_s)


class Folders:
    """`History` over the embedded stores of workers on this machine. They write while we read, so each is
    opened for one question: what it knew before may have been compacted since.

    After a handover a device has samples in two of them. Both are read; a step in which both have some takes
    the mean of their means.
    """

    def __init__(self, folders: Sequence[Path], gap_s: float) -> None:
        self._paths = [folder / places.STORE for folder in folders]
        self._gap_s = gap_s

    def values(self, device: str, series: Series, start: float, end: float) -> Sequence[tuple[float, Value]]:
        """See `Store.values`."""
        found: dict[float, Value] = {}
        for part in self._each(lambda store: store.values(device, series, start, end)):
            for at, value in part:
                found.setdefault(at, value)
        return sorted(found.items(), key=lambda pair: pair[0])

    def raw(self, device: str, series: Series, start: float, end: float) -> list[tuple[float, float]]:
        """See `Store.raw`."""
        parts = self._each(lambda store: store.raw(device, series, start, end))
        return sorted({at: value for part in parts for at, value in part}.items())

    def steps(self, device: str, series: Series, start: float, end: float, step_s: float) -> list[Step]:
        """See `Store.steps`."""
        found: dict[float, list[Step]] = {}
        for part in self._each(lambda store: store.steps(device, series, start, end, step_s)):
            for step in part:
                found.setdefault(step.at, []).append(step)
        return [
            Step(
                at,
                min(each.low for each in steps),
                sum(each.mean for each in steps) / len(steps),
                max(each.high for each in steps),
            )
            for at, steps in sorted(found.items())
        ]

    def _each(self, ask: Callable[[EmbeddedStore], Found]) -> list[Found]:
        with ExitStack() as stack:
            found = []
            for path in self._paths:
                if not path.is_file():
                    raise StoreError(f"reading samples ({path}): no worker keeps its store there")
                store = stack.enter_context(closing(EmbeddedStore(path, gap_s=self._gap_s)))
                with store.at_one_moment():
                    found.append(ask(store))
            return found
