"""Samples of a device, from the server and the spool together: numbers are texts again where they stand for
some."""

from __future__ import annotations

from collections.abc import Sequence

from ayni_core.metrics import METRICS
from ayni_core.readings import Series, Value
from ayni_hub.embedded.tail import ticks
from ayni_hub.remote.server import Server
from ayni_hub.remote.spool import Spool

_FAR = 360 * 86_400 * 100
"""Ticks that are looked through at once."""
Samples = list[tuple[int, Value]]
"""(tick, value) in time order, each time once."""


class History:
    """Reads; may be used by several threads. Raises `StoreError`."""

    def __init__(self, spool: Spool, server: Server) -> None:
        self._spool = spool
        self._server = server

    def values(
        self, device: str, wanted: Sequence[Series] | None, first: int, end: int
    ) -> dict[Series, Samples]:
        """first <= tick < end, of some series or of all; one without a sample is not there. Where the spool
        has a sample too, it is that: it came from there."""
        known = self._spool.names(device)
        asked = [each for each in wanted if each in known] if wanted is not None else None
        if end <= first or asked == [] or not known:
            return {}
        # first what is here: what leaves the spool in the meantime is on the server
        near = self._near(device, asked, first, end)
        names = {(self._server.name(each), each.item): each for each in (known if asked is None else asked)}
        found: dict[Series, dict[int, Value]] = {}
        for each in self._server.read(device, asked, first, end):
            series = names.get((each.name, each.item))
            if series is not None:
                told = self._told(device, series, each.samples)
                found.setdefault(series, {}).update((at, value) for at, value in told if first <= at < end)
        for series, samples in near.items():
            own = found.setdefault(series, {})
            fresh: dict[int, Value] = {}
            for at, value in samples:
                fresh.setdefault(at, value)  # of two that came for the same time the first counts
            own.update(fresh)
        return {series: sorted(samples.items()) for series, samples in found.items() if samples}

    def numbers(
        self, device: str, wanted: Sequence[Series], first: int, end: int
    ) -> dict[Series, list[tuple[float, float]]]:
        """(time in seconds, number); texts are left out."""
        found = self.values(device, wanted, first, end)
        return {
            series: [
                (at / 100, value) for at, value in found.get(series, ()) if isinstance(value, int | float)
            ]
            for series in wanted
        }

    def begins(self, device: str, first: int, end: int) -> int:
        """A tick before which the server has nothing of a device in this span; `end` where it has nothing."""
        for begin in range(first, end, _FAR):
            if self._server.count([device], begin, min(begin + _FAR, end) - 1):
                return begin
        return end

    def _near(
        self, device: str, wanted: Sequence[Series] | None, first: int, end: int
    ) -> dict[Series, Samples]:
        if wanted is not None:
            return {
                series: found for series in wanted if (found := self._spool.read(device, series, first, end))
            }
        result: dict[Series, Samples] = {}
        for start, polls in self._spool.polls(device, first, end):
            for series, at_s, value in polls.samples():
                at = start + ticks(at_s)
                if first <= at < end:
                    result.setdefault(series, []).append((at, value))
        return result

    def _told(self, device: str, series: Series, samples: list[tuple[int, float]]) -> Samples:
        """Numbers as what they stand for; a text that nobody remembers is left out."""
        metric = METRICS.get(series.metric)
        only_texts = metric is not None and metric.kind == "text"
        if not only_texts and not self._spool.has_texts(device, series):
            return list(samples)
        words = self._spool.words({int(value) for _at, value in samples if value == int(value)})
        told: Samples = []
        for at, value in samples:
            text = words.get(int(value)) if value == int(value) else None
            if text is not None:
                told.append((at, text))
            elif not only_texts:
                told.append((at, value))
        return told
