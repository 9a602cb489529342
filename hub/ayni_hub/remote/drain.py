"""The drain: a thread that brings the spool's frames to the server and counts whether it has them.

A turn sends what waits, and looks after what was sent: a frame leaves the spool when the server, some minutes
later, has as many samples of it as were sent. What it has fewer of is sent again; so is all that is here,
whenever the server was away or has forgotten something (`Marks`). What it still does not have after several
times, although it has the marks that went along, it will not take: too old for it, or too far ahead. That is
told, and let go, so that one frame does not stop all others.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from ayni_core.wire.frame import Frame
from ayni_hub.remote.lines import how_many, lines_of
from ayni_hub.remote.marks import Mark, Marks, Times
from ayni_hub.remote.server import Server
from ayni_hub.remote.spool import Spool
from ayni_hub.store import StoreError
from ayni_io import clock

log = logging.getLogger("store")
_BATCH_BYTES, _BATCH_FRAMES = 128 * 1024, 100
_AT_ONCE = 20
"""Groups that are counted in one turn, so that news need not wait."""
_TOGETHER = 24
"""Frames of a node that are counted in one question."""
_DROPPED = 20
"""Frames that leave the spool together: whoever brings new ones waits so long."""
_TRIES = 2
_SLOWEST_S = 30.0
_IDLE_S = 0.5
_TOLD_EVERY_S = 3600.0
_MOST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sent:
    """A frame that the server was given: when (monotonic), whose, first and last tick, how much it holds."""

    number: int
    at_s: float
    node: str
    first: int
    last: int
    devices: tuple[str, ...]
    samples: int
    mark: Mark | None
    """What went with it."""


class Drain:
    """`start` and `close` may be called once each; `turn` is what the thread does. `oldest_s` is how long
    samples are to be kept."""

    def __init__(
        self,
        spool: Spool,
        server: Server,
        *,
        oldest_s: float,
        times: Times,
        monotonic_s: Callable[[], float] = clock.monotonic_s,
        wall_s: Callable[[], float] = clock.wall_s,
    ) -> None:
        self._spool = spool
        self._server = server
        self._keep_s = times.keep_s
        self._monotonic_s = monotonic_s
        self._marks = Marks(spool.own, server, oldest_s, times, wall_s)
        self._lock = threading.Lock()
        self._waiting: deque[tuple[int, int]] = deque(spool.waiting())
        self._here = {number for number, _size in self._waiting}
        self._bytes = sum(size for _number, size in self._waiting)
        self._sizes = dict(self._waiting)
        self._sent: dict[int, Sent] = {}
        self._tries: dict[int, int] = {}
        self._next_try_s = 0.0
        self._pause_s = 1.0
        self._told_s = -_TOLD_EVERY_S
        self.refused = 0
        """Samples that the server would not take, since the start."""
        self.trouble: str | None = None
        """Why nothing gets through; None while it does."""
        self._wake = threading.Event()
        self._end = False
        self._thread = threading.Thread(target=self._run, name="store-drain", daemon=True)

    # ---- from other threads

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, after what is under way; what waits, waits for the next start."""
        self._end = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(_SLOWEST_S)

    def put(self, frames: Sequence[tuple[int, int]]) -> None:
        """(number, bytes) of frames that are in the spool now."""
        with self._lock:
            for number, size in frames:
                if number not in self._here:
                    self._here.add(number)
                    self._sizes[number] = size
                    self._bytes += size
                    self._waiting.append((number, size))
        self._wake.set()

    @property
    def waiting(self) -> int:
        """Frames that the server was not given yet."""
        return len(self._waiting)

    @property
    def held(self) -> int:
        """Frames in the spool."""
        return len(self._here)

    def check(self) -> None:
        """Raise `StoreError` where nothing more may be taken."""
        trouble = self.trouble
        if trouble is not None:
            raise StoreError(trouble)
        if self._bytes > _MOST_BYTES:
            raise StoreError(
                f"{self._server.kind} at {self._server.where} takes samples in more slowly than they come:"
                f" {self._bytes >> 20} MB wait for it"
            )

    # ---- the thread

    def _run(self) -> None:
        while not self._end:
            busy = False
            try:
                busy = self.turn()
            except StoreError:  # `trouble` says so
                pass
            except Exception as error:  # a bug of ours must not pass for a server that has everything
                log.exception("the drain of %s", self._server.where)
                self._failed(f"bringing samples to {self._server.where}: {error!r}", self._monotonic_s())
            if not busy:
                self._wake.wait(_IDLE_S)
                self._wake.clear()

    def turn(self) -> bool:
        """One piece of work; whether there is more. Raises `StoreError`, then all is tried again later."""
        now = self._monotonic_s()
        if self.trouble is not None and now < self._next_try_s:
            return False
        try:
            if not self._marks.greeted:
                self._marks.greet(now)
            busy = self._send(now)
            found = self._marks.look(now)
            if found is not None:  # marks from before a trouble are not looked for
                self.trouble, self._pause_s = None, 1.0
            if found is False:
                self._send_again()
            busy |= self._count(now)
        except StoreError as error:
            self._failed(str(error), now)
            raise
        return busy

    def meet(self) -> None:
        """The first words, before anybody waits; what is wrong stands in `trouble`."""
        with contextlib.suppress(StoreError):
            self.turn()

    def _failed(self, trouble: str, now: float) -> None:
        """From now on nothing counts as kept; all that is here will be sent again."""
        self.trouble = trouble
        self._next_try_s = now + self._pause_s
        self._pause_s = min(self._pause_s * 2, _SLOWEST_S)
        self._marks.lost()
        self._send_again()

    def _send_again(self) -> None:
        with self._lock:
            for number in sorted(self._sent, reverse=True):
                self._waiting.appendleft((number, self._sizes[number]))
            self._sent.clear()

    def _send(self, now: float) -> bool:
        batch = self._next_batch()
        try:
            sent = self._write([number for number, _size in batch], now)
        except BaseException:
            with self._lock:
                self._waiting.extendleft(reversed(batch))
            raise
        self._sent |= {each.number: each for each in sent}
        empty = {number for number, _size in batch} - {each.number for each in sent}
        self._drop(sorted(empty))  # nothing in them that a server keeps
        return bool(self._waiting)

    def _write(self, numbers: Sequence[int], now: float) -> list[Sent]:
        mark = self._marks.due(now)
        lines = [self._marks.line(mark)] if mark is not None else []
        sent: list[Sent] = []
        for number, start, frame in self._spool.frames(numbers):
            found, about = self._lines(number, start, frame, now, mark)
            lines += found
            if about is not None:
                sent.append(about)
        if lines:
            self._server.write(lines)
        if mark is not None:
            self._marks.sent(mark)
        return sent

    def _next_batch(self) -> list[tuple[int, int]]:
        batch: list[tuple[int, int]] = []
        size = 0
        with self._lock:
            while self._waiting and size < _BATCH_BYTES and len(batch) < _BATCH_FRAMES:
                batch.append(self._waiting.popleft())
                size += batch[-1][1]
        return batch

    def _lines(
        self, number: int, start: int, frame: Frame, now: float, mark: Mark | None
    ) -> tuple[list[str], Sent | None]:
        lines: list[str] = []
        devices, count, first, last = [], 0, None, start
        for device, polls in frame.devices.items():
            lines += lines_of(device, polls, start, self._server.tags)
            own = how_many(polls)
            if own:
                devices.append(device)
                count += own
                begin, end = start + round(min(polls.times_s) * 100), start + round(max(polls.times_s) * 100)
                first = begin if first is None else min(first, begin)
                last = max(last, end)
        if first is None:
            return lines, None
        return lines, Sent(number, now, frame.node, first, last, tuple(devices), count, mark)

    # ---- whether it is there

    def _count(self, now: float) -> bool:
        """Whether the frames that were sent some minutes ago are there; whether more are to be counted."""
        until_s = min(now - self._keep_s, self._marks.shown_s)
        due = [each for each in self._sent.values() if each.at_s <= until_s]
        due.sort(key=lambda each: (each.node, each.first))
        groups = list(_groups(due))
        there: list[int] = []
        for group in groups[:_AT_ONCE]:
            if self._has(group):
                there += [each.number for each in group]
                continue
            for each in group:
                if len(group) > 1 and self._has([each]):
                    there.append(each.number)
                else:
                    self._again(each)
        self._drop(there)
        return len(groups) > _AT_ONCE

    def _has(self, group: Sequence[Sent]) -> bool:
        devices = sorted({device for each in group for device in each.devices})
        first, last = min(each.first for each in group), max(each.last for each in group)
        return self._server.count(devices, first, last) >= sum(each.samples for each in group)

    def _again(self, sent: Sent) -> None:
        """The server has less of a frame than it was given: it gets it again, with a mark. Where it has such
        a mark and still not the frame, and so several times, it does not want it."""
        del self._sent[sent.number]
        if sent.mark is not None and self._marks.has(sent.mark):
            self._tries[sent.number] = self._tries.get(sent.number, 0) + 1
        if self._tries.get(sent.number, 0) < _TRIES:
            self._marks.soon()
            with self._lock:
                self._waiting.append((sent.number, self._sizes[sent.number]))
            return
        missing = max(sent.samples - self._server.count(sent.devices, sent.first, sent.last), 0)
        self.refused += missing
        self._drop([sent.number])
        now = self._monotonic_s()
        if missing and now - self._told_s >= _TOLD_EVERY_S:
            self._told_s = now
            at = datetime.fromtimestamp(sent.first / 100, UTC).isoformat()
            log.error(
                "%s at %s does not keep samples node=%s of=%s missing=%d since_start=%d: %s",
                self._server.kind, self._server.where, sent.node, at, missing, self.refused,
                self._server.forgets,
            )  # fmt: skip

    def _drop(self, numbers: Sequence[int]) -> None:
        for begin in range(0, len(numbers), _DROPPED):
            part = numbers[begin : begin + _DROPPED]
            newest = self._spool.newest_in(part)
            with self._lock:  # a number may be given again as soon as it is dropped
                self._spool.drop(part, newest)
                for number in part:
                    self._here.discard(number)
                    self._bytes -= self._sizes.pop(number, 0)
                    self._sent.pop(number, None)
                    self._tries.pop(number, None)


def _groups(due: Sequence[Sent]) -> Iterator[list[Sent]]:
    """Neighbours of one node whose spans do not overlap: one question tells of them all."""
    for _node, sent in groupby(due, key=lambda each: each.node):
        group: list[Sent] = []
        for each in sent:
            if group and (len(group) >= _TOGETHER or each.first <= group[-1].last):
                yield group
                group = []
            group.append(each)
        if group:
            yield group
