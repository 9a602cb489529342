"""`RemoteStore`: the port `Store` over a time-series server, with a spool on this machine."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from ayni_core.metrics import METRICS
from ayni_core.readings import Series, Value
from ayni_hub.embedded.rollups import Slots, joined, summed
from ayni_hub.embedded.tail import ticks
from ayni_hub.remote.counters import Counters
from ayni_hub.remote.drain import Drain
from ayni_hub.remote.history import History
from ayni_hub.remote.lines import line_of
from ayni_hub.remote.marks import Times
from ayni_hub.remote.server import Server
from ayni_hub.remote.spool import Spool
from ayni_hub.store import Kept, Sample, Step, StoreError

_AT_ONCE = 20_000
_COUNTED = 360 * 86_400 * 100
"""Ticks that are counted in one question."""
_SHORT_S = 2 * 86_400.0
"""A history of at most so long is summed up here, from samples."""


class RemoteStore:
    """`Store` whose samples lie on a server. `gap_s` is the longest time between two samples of a counter
    that still tells a rate; `oldest_s` how long samples are to be kept. With `writes` False it is for whoever
    reads what others write: then only what is asked for by its name is found, and no texts."""

    far = True

    def __init__(
        self,
        path: Path,
        server: Server,
        *,
        gap_s: float = 900.0,
        oldest_s: float = 0.0,
        times: Times = Times(),  # noqa: B008  frozen
        writes: bool = True,
    ) -> None:
        self._server = server
        self._gap_s = gap_s
        self._spool = Spool(path)
        self._history = History(self._spool, server)
        self._counters = Counters(self._spool, self._history, gap_s)
        self._writes = writes
        self.drain = Drain(self._spool, server, oldest_s=oldest_s, times=times)
        if writes:
            self.drain.meet()
            self.drain.start()

    def close(self) -> None:
        """End the drain and give everything back; what waits is sent after the next start."""
        self.drain.close()
        self._spool.close()
        self._server.close()

    # ---- in

    def keep(self, frames: Sequence[Kept]) -> int:
        """See `Store.keep`: durable here, and on its way. Raises `StoreError` while nothing gets through."""
        if not self._writes:
            raise StoreError("writing samples: this store only reads what others write")
        self.drain.check()
        self.drain.put(self._spool.keep(frames))
        return sum(kept.frame.count() for kept in frames)

    def write(self, samples: Iterable[Sample]) -> int:
        """See `Store.write`. They go to the server at once and are not counted; when it fails in between, to
        write all of them again does no harm."""
        count = 0
        rest = iter(samples)
        while part := [
            (name, series, ticks(at), value) for name, series, at, value in islice(rest, _AT_ONCE)
        ]:
            told = [each for each in part if each[3] is not None]
            self._spool.know(told)
            self._server.write([line_of(*each, self._server.tags) for each in told])
            count += len(part)
        return count

    def upkeep(self, now: float) -> bool:
        """See `Store.upkeep`: the drain does it."""
        return False

    def probe(self, now: float) -> None:
        """See `Store.probe`."""
        self._spool.probe(now)
        self.drain.check()

    def forget_before(self, time: float) -> int:
        """See `Store.forget_before`. Samples are the server's to forget, by its own retention; here go names,
        texts and sums."""
        self._spool.forget_before(ticks(time))
        return 0

    # ---- out

    def devices(self) -> Sequence[str]:
        """See `Store.devices`."""
        return self._spool.devices()

    def names(self, device: str) -> Collection[Series]:
        """See `Store.names`."""
        return self._spool.names(device)

    def latest(self, device: str, *, quick: bool = False) -> Sequence[tuple[Series, float, Value]]:
        """See `Store.latest`."""
        return [(series, tick / 100, value) for series, tick, value in self._spool.latest(device)]

    def newest(self) -> float | None:
        """See `Store.newest`."""
        tick = self._spool.newest()
        return None if tick is None else tick / 100

    def values(self, device: str, series: Series, start: float, end: float) -> Sequence[tuple[float, Value]]:
        """See `Store.values`."""
        self._ready(device, series)
        found = self._history.values(device, (series,), ticks(start), ticks(end))
        return [(tick / 100, value) for tick, value in found.get(series, ())]

    def whole(self, device: str, start: float, end: float) -> dict[Series, list[tuple[float, Value]]]:
        """(time, value) of every series of a device, as `values` gives one."""
        self._ready()
        found = self._history.values(device, None, ticks(start), ticks(end))
        return {series: [(at / 100, value) for at, value in samples] for series, samples in found.items()}

    def count(self, device: str, start: float, end: float) -> int:
        """How many samples of a device the server itself has, `start` <= time < `end`."""
        self._ready()
        total = 0
        for begin in range(ticks(start), ticks(end), _COUNTED):
            total += self._server.count([device], begin, min(begin + _COUNTED, ticks(end)) - 1)
        return total

    def raw(self, device: str, series: Series, start: float, end: float) -> list[tuple[float, float]]:
        """See `Store.raw`."""
        return [(at, value) for at, value in self.values(device, series, start, end) if _is_number(value)]  # type: ignore[misc]  # as is seen

    def steps(self, device: str, series: Series, start: float, end: float, step_s: float) -> list[Step]:
        """See `Store.steps`. A long history of a gauge is summed up by the server, one of a counter from its
        samples, day by day; what the spool holds is summed up here."""
        self._ready(device, series)
        if series not in self._spool.names(device) or end <= start:
            return []
        if end - start <= _SHORT_S:
            return _as_steps(self._summed(device, series, start, end, start, step_s), start, step_s)
        if _is_counter(series):
            days, found = self._counters.days(device, series, start, end, step_s)
            for begin, stop in _gaps(start, end, days):
                found = joined(found, self._summed(device, series, begin, stop, start, step_s))
            return _as_steps(found, start, step_s)
        step = step_s * 100
        if step != round(step):  # not in ticks: the server would put samples elsewhere
            return _as_steps(self._summed(device, series, start, end, start, step_s), start, step_s)
        return self._gauge(device, series, start, end, step_s)

    def _ready(self, device: str = "", series: Series | None = None) -> None:
        """Before reading. Who waits for an answer of a server that is away would wait in vain."""
        if self.drain.trouble is not None:
            raise StoreError(self.drain.trouble)
        if series is not None and not self._writes:
            self._spool.name(device, series)

    def _gauge(self, device: str, series: Series, start: float, end: float, step_s: float) -> list[Step]:
        count = -int(-(end - start) // step_s)
        near: set[int] = set()
        for first, last in self._spool.spans(device, ticks(start), ticks(end)):
            begin, stop = int((first / 100 - start) // step_s), int((last / 100 - start) // step_s)
            near |= set(range(max(begin, 0), min(stop + 1, count)))
        steps: list[Step] = []
        for begin, stop, ours in _runs(count, near):
            low, high = start + begin * step_s, min(start + stop * step_s, end)
            if ours:
                found = self._summed(device, series, low, high, start, step_s)
                steps += _as_steps(found, start, step_s)
            else:
                far = self._server.steps(device, series, _up(low), _up(high), round(step_s * 100))
                shift = start - _up(start) / 100
                steps += [Step(each.at + shift, each.low, each.mean, each.high) for each in far]
        return steps

    def _summed(
        self, device: str, series: Series, begin: float, stop: float, start: float, step_s: float
    ) -> Slots:
        """A part of a history from samples, in steps that count from `start`."""
        if _is_counter(series):
            at, values = self._counters.rates(device, series, begin - self._gap_s, stop)
        else:
            found = self.raw(device, series, begin, stop)
            at, values = [time for time, _value in found], [value for _time, value in found]
        first = bisect_left(at, begin)
        return summed(at[first:], values[first:], start, step_s)


def _as_steps(found: Slots, start: float, step_s: float) -> list[Step]:
    return [
        Step(start + number * step_s, slot.low, slot.total / slot.n, slot.high)
        for number, slot in sorted(found.items())
    ]


def _runs(count: int, near: set[int]) -> Iterator[tuple[int, int, bool]]:
    """(first, end, whether they are `near`) of the steps 0 to `count`."""
    begin = 0
    for number in range(1, count + 1):
        if number == count or (number in near) != (begin in near):
            yield begin, number, begin in near
            begin = number


def _gaps(start: float, end: float, days: Collection[int]) -> Iterator[tuple[float, float]]:
    """What is left of a span without these whole days."""
    begin = start
    for day in sorted(days):
        if day * 86_400 > begin:
            yield begin, day * 86_400
        begin = max(begin, (day + 1) * 86_400)
    if begin < end:
        yield begin, end


def _up(seconds: float) -> int:
    """The first tick at or after a time."""
    return -int(-round(seconds * 1e6) // 10_000)


def _is_counter(series: Series) -> bool:
    metric = METRICS.get(series.metric)
    return metric is not None and metric.kind == "counter"


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float)
