"""Bring what one store has into another: device by device and day by day, counted on both sides.

It may be stopped at any time and goes on where it was: how far each device is stands in a small file beside
the store. A day is done when the other side has at least as many samples of it as were read; the same sample
twice is one, so days that were under way are written again. Sums of old days, whose samples are gone, stay
where they are: no store takes them in.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ayni_core.readings import Series, Value
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.remote.store import RemoteStore
from ayni_hub.store import Sample, StoreError
from ayni_io import files

DAY_S = 86_400
_BEGIN_DAY = 365 * 30
"""Nothing is older than 2000: a Pi that starts in 1970 is placed in time before it is stored."""
_AT_ONCE = 200_000
_SHOWN_S = 60.0
"""So long a server may need until what it was given can be read."""
_LOOK_S = 0.5
_COARSE = (360, 30, 1)
AnyStore = EmbeddedStore | RemoteStore


@dataclass(slots=True)
class Progress:
    """The first day of each device that is not done, and how many samples the days before it had."""

    path: Path
    about: str
    done: dict[str, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, about: str) -> Progress:
        """What was done before between the same two; nothing where that cannot be told."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found["about"] == about:
                done = {str(name): (int(day), int(count)) for name, (day, count) in found["done"].items()}
                return cls(path, about, done)
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            pass
        return cls(path, about)

    def write(self) -> None:
        """Keep it."""
        files.write_text(self.path, json.dumps({"about": self.about, "done": self.done}, indent=1) + "\n")


@dataclass(slots=True)
class Outcome:
    """How many samples were brought over now, and how many there are on both sides, by device."""

    brought: int = 0
    there: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def missing(self) -> list[str]:
        """Devices of which the other side has less."""
        return [name for name, (one, other) in self.there.items() if other < one]


class Migration:
    """From one store to another. `told` hears how far it is, 0 to 1. Raises `StoreError`; to begin again goes
    on from what was counted."""

    def __init__(
        self, source: AnyStore, target: AnyStore, progress: Progress, told: Callable[[float], None]
    ) -> None:
        self._source = source
        self._target = target
        self._progress = progress
        self._told = told
        self._under_way: list[tuple[str, int, int]] = []
        """(device, day, samples) that were written and not counted yet"""
        self._outcome = Outcome()

    def run(self) -> Outcome:
        """Bring everything over, and count it all once more at the end."""
        devices = self._source.devices()
        spans = {device: span for device in devices if (span := days_of(self._source, device))}
        for number, (device, (first, end)) in enumerate(spans.items()):
            begin, _count = self._progress.done.get(device, (first, 0))
            for day in range(max(first, begin), end):
                self._bring(device, day)
                self._told((number + (day + 1 - first) / (end - first)) / len(spans))
            while isinstance(self._target, EmbeddedStore) and self._target.upkeep(end * DAY_S):
                pass
        self._count()
        for device, (first, end) in spans.items():
            _day, count = self._progress.done.get(device, (0, 0))
            have = _counted(self._target, device, first * DAY_S, end * DAY_S, at_least=count)
            self._outcome.there[device] = (count, have)
            if have < count:
                del self._progress.done[device]
        self._progress.write()
        return self._outcome

    def _bring(self, device: str, day: int) -> None:
        found = whole(self._source, device, day * DAY_S, (day + 1) * DAY_S)
        count = self._target.write(_samples(device, found)) if found else 0
        self._under_way.append((device, day, count))
        # a server shows what it was given after some seconds, so many days are counted together
        if sum(each for _device, _day, each in self._under_way) >= _AT_ONCE:
            self._count()

    def _count(self) -> None:
        for device, day, expected in self._under_way:
            have = _counted(self._target, device, day * DAY_S, (day + 1) * DAY_S, at_least=expected)
            if have < expected:
                raise StoreError(
                    f"{device}: {expected} samples of {_date(day)} were written,"
                    f" and {have} of them can be read back"
                )
            _day, total = self._progress.done.get(device, (0, 0))
            self._progress.done[device] = (day + 1, total + expected)
            self._outcome.brought += expected
        self._under_way.clear()
        self._progress.write()


def days_of(store: AnyStore, device: str) -> tuple[int, int] | None:
    """The first day of a device that has a sample, and the day after the last."""
    newest = store.newest()
    if newest is None:
        return None
    if isinstance(store, EmbeddedStore):
        span = store.span(device)
        return None if span is None else (int(span[0] // DAY_S), int(span[1] // DAY_S) + 1)
    first, end = _BEGIN_DAY, int(newest // DAY_S) + 1
    for step in _COARSE:  # the first span of each length that has something
        days = range(first, end, step)
        begin = next((day for day in days if store.count(device, day * DAY_S, (day + step) * DAY_S)), None)
        if begin is None:
            return None
        first, end = begin, (end if step == 1 else min(end, begin + step))
    return first, int(newest // DAY_S) + 1


def whole(store: AnyStore, device: str, start: float, end: float) -> dict[Series, list[tuple[float, Value]]]:
    """(time, value) of every series of a device that has some."""
    if isinstance(store, RemoteStore):
        return store.whole(device, start, end)
    found = {series: list(store.values(device, series, start, end)) for series in sorted(store.names(device))}
    return {series: samples for series, samples in found.items() if samples}


def _samples(device: str, found: dict[Series, list[tuple[float, Value]]]) -> Iterator[Sample]:
    for series, samples in found.items():
        for at, value in samples:
            yield device, series, at, value


def _counted(store: AnyStore, device: str, start: float, end: float, *, at_least: int) -> int:
    """How many samples a store has; a server is asked until it shows so many, or for a minute."""
    if isinstance(store, EmbeddedStore):
        return sum(len(samples) for samples in whole(store, device, start, end).values())
    limit = time.monotonic() + _SHOWN_S
    while True:
        have = store.count(device, start, end)
        if have >= at_least or time.monotonic() > limit:
            return have
        time.sleep(_LOOK_S)


def _date(day: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(day * DAY_S))
