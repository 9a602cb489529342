"""The past as people saw it: the judge and the picture once more over what was stored, from a moment on.

What nobody can read from samples is left out: who took an alert on, windows of maintenance, and times when
the central was blind. Of what is normal the newest is taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from time import monotonic

from ayni_core.inventory import Network
from ayni_core.rules import Rule
from ayni_core.wire import topics
from ayni_core.wire.questions import AskEvidence, AskReadings, Evidence, Readings
from ayni_core.wire.shape import pack
from ayni_hub import readings_now
from ayni_hub.judge import Judge
from ayni_hub.looking_back import LookingBack
from ayni_hub.picture import Picture
from ayni_hub.rerun.recorded import Recorded
from ayni_hub.rerun.rounds import Reports, Rounds, tell
from ayni_hub.store import Store

WARM_S = 2 * 3600.0
"""So long before the moment that is wanted the judge begins: most rules need no longer to fire."""
_AT_ONCE = 200_000
"""Samples that are read at once, about."""
_LEAST_POLLS = 20
_HELD_S = 600.0
"""What holds so soon after the judge began may hold for longer: events tell since when."""


class Past:
    """Begins before `start`; `advance` brings it to `start` and beyond. Raises `StoreError`."""

    def __init__(
        self, network: Network, rules: Sequence[Rule], store: Store, recorded: Recorded, start: float
    ) -> None:
        self._recorded, self._store = recorded, store
        self._begin, self._start = start - WARM_S, start
        self.at = self._begin
        self._judge = Judge(network, rules)
        for wanted, value, _at in recorded.baselines():
            if wanted.device in network.devices:
                self._judge.learn_normal(wanted, value)
        hour = int(self._begin // 3600)
        self._picture = Picture(self._judge, recorded.hours(hour - 24, hour), self._begin)
        self._rounds = Rounds(network, store, lambda series: True)
        series = sum(len(store.names(device)) for device in network.devices)
        self._span_s = max(network.poll_s, 1.0) * max(_LEAST_POLLS, _AT_ONCE // max(series, 1))
        self._told: dict[str, bytes] = {}
        self._open: Iterator[tuple[float, Reports]] = iter(())
        self._open_until = self._begin
        self._traced = False

    def advance(self, to: float, newest: float, within_s: float) -> bool:
        """Go on to the first poll at `to` or later, for about so many seconds; whether it is reached. Nothing
        is stored yet that is later than `newest`, and `to` is not."""
        end = monotonic() + within_s
        while self.at < to and monotonic() < end:
            for at, reports in self._open:
                tell(self._judge, reports, at)
                self._look(at)
                self.at = at
                if at >= to or monotonic() > end:
                    break
            else:
                begin = self._open_until
                self._open_until = max(min(begin + self._span_s, newest), to)
                self._open = self._rounds.read(begin, self._open_until)
        if self.at >= self._start:
            self._trace()
        return self.at >= to

    def _look(self, at: float) -> None:
        self._picture.news(at, set(self._judge.changes.devices))
        self._judge.flush()

    def _trace(self) -> None:
        """Since when holds what held already as the judge began."""
        if self._traced:
            return
        self._traced = True
        alerts = self._judge.book.alerts
        for identifier, alert in list(alerts.items()):
            if alert.since < self._begin + _HELD_S:
                began = self._recorded.began(alert.kind, alert.name, alert.text.context, alert.since)
                if began is not None:
                    alerts[identifier] = replace(alert, since=began)
        self._look(self.at)

    def news(self, *, whole: bool = False) -> dict[str, bytes]:
        """Retained topics and what they say now, as far as it changed since the last time; an empty payload
        ends one."""
        if whole:
            self._told = {}
        now = {topic: self._picture.told(topic) for topic in self._picture.topics()}
        now |= {topics.alert(name): pack(alert) for name, alert in self._judge.alerts.items()}
        news = {topic: payload for topic, payload in now.items() if self._told.get(topic) != payload}
        news |= dict.fromkeys(self._told.keys() - now.keys(), b"")
        self._told = now
        return news

    def evidence(self, asked: AskEvidence) -> Evidence:
        """What was normal of a link then, and the signs of what was probable. Raises `StoreError`."""
        looking = LookingBack(self._judge.network, self._judge, self._store, self._picture.around)
        return asyncio.run(looking.evidence(asked, self.at))

    def readings(self, asked: AskReadings) -> Readings:
        """What was newest of a device then. Raises `StoreError`."""
        known, groups = self._judge.known.of(asked.device), asked.groups
        per_s = None
        if asked.rates:
            poll_s = self._judge.network.poll_s
            per_s = readings_now.rates_of(self._store, asked.device, known.values, groups, poll_s)
        return Readings(readings=readings_now.readings(known, groups, per_s))
