"""Marks: samples of our own with a running number, which prove what a server does with samples.

With some batches goes a mark. One that can be read back proves that the server keeps what it is given, up to
the time when the mark was sent; one that cannot, while a later one can, that it has forgotten something, as
when it is killed. None for a while: it is as good as away, whatever it answers. The first mark is sent twice,
with an old one beside it: whether they are there once, and at all, is told to people.
"""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ayni_core.readings import Series
from ayni_hub.remote.lines import line_of
from ayni_hub.remote.server import Server
from ayni_hub.store import StoreError

log = logging.getLogger("store")
MARK = Series("ayni", "", "batch")
"""What a mark is called; its device is the name of the spool."""
OLD_MARK = Series("ayni", "", "oldest")
_AGAIN = 4
"""A mark that cannot be read back after so many times what it needs to settle is followed by another."""
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds: how long a frame stays after it was sent, when a mark is looked for at first and from when on
    it is missed, and how often to send one."""

    keep_s: float = 300.0
    settle_s: float = 3.0
    missed_s: float = 60.0
    mark_every_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark: its number and tick, and when it was sent (monotonic)."""

    number: int
    tick: int
    at_s: float


class Marks:
    """Those of one spool at one server. `oldest_s` is how long samples are to be kept. What asks the server
    raises `StoreError`."""

    def __init__(
        self, own: str, server: Server, oldest_s: float, times: Times, wall_s: Callable[[], float]
    ) -> None:
        self._own = own
        self._server = server
        self._oldest_s = oldest_s
        self._times = times
        self._wall_s = wall_s
        self._number = self._tick = 0
        self._next_s = 0.0
        self._open: deque[Mark] = deque()
        """Sent, and not seen yet."""
        self._met = False
        self.greeted = False
        self.shown_s = 0.0
        """What was sent by then can be read back, if it was kept."""

    def greet(self, now: float) -> None:
        """The first words of a connection."""
        mark = self._made(now)
        told = self.line(mark)
        self._server.write([told])
        old = self._old(mark.tick)
        if not self._met and old:
            with contextlib.suppress(StoreError):  # a server may say at once that this is too old
                self._server.write([line_of(self._own, OLD_MARK, old, 1, self._server.tags)])
        self._server.write([told])
        self.sent(mark)
        self.greeted = True

    def due(self, now: float) -> Mark | None:
        """The mark that goes with the next batch, when it is time for one."""
        return self._made(now) if now >= self._next_s else None

    def soon(self) -> None:
        """The next batch shall have one."""
        self._next_s = 0.0

    def line(self, mark: Mark) -> str:
        """A mark as it travels."""
        return line_of(self._own, MARK, mark.tick, mark.number, self._server.tags)

    def sent(self, mark: Mark) -> None:
        """It is on its way."""
        self._open.append(mark)

    def lost(self) -> None:
        """There was trouble: what was sent before proves nothing any more."""
        self._open.clear()
        self.greeted = False

    def has(self, mark: Mark) -> bool:
        """Whether the server has a mark."""
        return mark.number in self._read(MARK, mark.tick)

    def look(self, now: float) -> bool | None:
        """Whether all is well: True, the newest that could be here is, and those before it; False, the server
        has forgotten some; None, nothing new is known."""
        ripe = [mark for mark in self._open if now - mark.at_s >= self._times.settle_s]
        for at in reversed(range(len(ripe))):
            if self.has(ripe[at]):
                for _ in range(at + 1):
                    self._open.popleft()
                self.shown_s = ripe[at].at_s
                if not self._met:
                    self._meet(ripe[at])
                return all(map(self.has, ripe[:at]))
        if self._open and now - self._open[0].at_s >= self._times.missed_s:
            raise StoreError(
                f"{self._server.kind} at {self._server.where} says that it keeps samples,"
                f" but they cannot be read back after {self._times.missed_s:g} s"
            )
        if ripe:
            self._next_s = min(self._next_s, ripe[-1].at_s + _AGAIN * self._times.settle_s)
        return None

    def _meet(self, mark: Mark) -> None:
        """The first mark is there: once, and the old one, too?"""
        self._met = True
        where = f"{self._server.kind} at {self._server.where}"
        if self._read(MARK, mark.tick).count(mark.number) > 1:
            log.warning("%s keeps a sample that is sent twice as two: %s", where, self._server.repeats)
        old = self._old(mark.tick)
        if old and not self._read(OLD_MARK, old):
            days = self._oldest_s / _DAY_S
            log.warning("%s does not keep samples for %.0f days: %s", where, days, self._server.forgets)

    def _made(self, now: float) -> Mark:
        """A new mark; no two are of the same time."""
        self._number += 1
        self._tick = max(round(self._wall_s() * 100), self._tick + 1)
        self._next_s = now + self._times.mark_every_s
        return Mark(self._number, self._tick, now)

    def _old(self, tick: int) -> int:
        """When an old mark belongs to: a day less than what is to be kept, because that is where it ends."""
        return max(tick - round((self._oldest_s - _DAY_S) * 100), 0) if self._oldest_s > _DAY_S else 0

    def _read(self, series: Series, tick: int) -> list[float]:
        found = self._server.read(self._own, (series,), tick, tick + 1)
        return [value for each in found for _tick, value in each.samples]
