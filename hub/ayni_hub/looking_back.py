"""Answers out of the past of one series or link: samples as they were measured, and what is normal.

What is normal comes from where the rules have it: the inventory's budget, the reference of the first good
week, the day a week ago. What no rule has asked for yet is noted, so that it is worked out in a quiet second;
until then, and in a network of a few hours, what was usual lately stands in for the week.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from statistics import median

from ayni_core import ends, signs
from ayni_core.diagnosis import apart_db
from ayni_core.inventory import Link, Network
from ayni_core.message import Message
from ayni_core.metrics import METRICS
from ayni_core.readings import Series
from ayni_core.rules.bench import Mouth
from ayni_core.wire.questions import (
    AskEvidence,
    AskHistory,
    AskSamples,
    Evidence,
    Normal,
    Sample,
    Samples,
    Sign,
)
from ayni_hub.judge import Judge
from ayni_hub.picture import Suspicion
from ayni_hub.reading_aside import ReadingAside
from ayni_hub.store import Store

NORMAL_METRICS = ("signal_dbm", "noise_dbm", "tx_rate_bps", "rx_rate_bps", "retry_pct", "ccq_pct")
MOST_SAMPLES = 500
_MINUTE_S, _HOUR_S, _DAY_S, _WEEK_S = 60.0, 3600.0, 86_400.0, 604_800.0
_FIRST_LOOK_S, _LONGEST_S = 2 * _HOUR_S, 400 * _DAY_S
_LATELY_S, _MOST_LATELY = 600.0, 1000
_FEW_HOURS, _FEW_MINUTES = 6, 5
_WET, _MOST_CHAINS = "connector", 4


def series_of(network: Network, judge: Judge, asked: AskHistory | AskSamples) -> tuple[str, Series] | None:
    """The device and series that a question names; None where there is none."""
    if asked.link is None:
        if asked.device is None or asked.group is None or asked.device not in network.devices:
            return None
        return asked.device, Series(asked.group, asked.item or "", asked.metric)
    link = network.links.get(asked.link)
    if link is None or asked.side not in ("a", "b"):
        return None
    end = link.a if asked.side == "a" else link.b
    series = _of_end(judge, link, asked.side, asked.metric)
    return (end.device, series) if series is not None else None


def _of_end(judge: Judge, link: Link, side: str, metric: str) -> Series | None:
    """The series that a number of an end is; None while nothing tells."""
    end, where = link.a if side == "a" else link.b, judge.ends[link.name, side].where
    return ends.series(end, judge.known.of(end.device), where, metric)


class LookingBack:
    """Reads the store without holding up the loop. `around` says what is known around a link."""

    def __init__(
        self,
        network: Network,
        judge: Judge,
        store: Store,
        around: Callable[[Link], Suspicion],
    ) -> None:
        self._network = network
        self._judge = judge
        self._aside = ReadingAside(store)
        self._around = around
        self._lately: dict[tuple[str, Series, int], float] = {}

    async def samples(self, asked: AskSamples, now: float) -> Samples:
        """Newest first. Raises `StoreError`."""
        found = series_of(self._network, self._judge, asked)
        metric = METRICS.get(asked.metric)
        if found is None or metric is None:
            name = asked.link or asked.device or asked.metric
            return Samples(error=Message("answer.not_found", {"name": name}))
        before, limit = min(max(asked.before, 0.0), now + _DAY_S), max(1, min(asked.limit, MOST_SAMPLES))
        read = await self._aside.read(lambda store: newest_before(store, *found, before, limit))
        return Samples(
            unit=metric.unit,
            samples=tuple(read),
            until=read[-1].at if len(read) == limit else None,
        )

    async def evidence(self, asked: AskEvidence, now: float) -> Evidence:
        """What is normal at both ends, and the signs of the probable cause. Raises `StoreError`."""
        link = self._network.links.get(asked.link)
        if link is None:
            return Evidence(error=Message("answer.not_found", {"name": asked.link}))
        known, cause, since = self._around(link)
        until = now if since is None else min(since, now)
        normals = [
            await self._normal(link, side, metric, until) for side in ("a", "b") for metric in NORMAL_METRICS
        ]
        past = {side: await self._past(link, side, now) for side in ("a", "b")} if cause else {}
        wet = {side: await self._apart(link, side, now) for side in ("a", "b")} if cause == _WET else {}
        around = signs.Around(
            known=known,
            normals={
                (each.side, each.metric): usual
                for each in normals
                if (usual := usually(each)) is not None
            },
            past=past,
            apart=wet,
        )  # fmt: skip
        return Evidence(
            normals=tuple(each for each in normals if (each.plan, each.new, each.week) != (None, None, None)),
            signs=tuple(
                Sign(text=Message(f"sign.{name}"), seen=seen) for name, seen in signs.of_cause(cause, around)
            ),
        )

    async def _normal(self, link: Link, side: str, metric: str, until: float) -> Normal:
        """What is normal for a number. What is wrong since `until` is no norm."""
        await asyncio.sleep(0)  # others have their turn: a store at hand is read on the loop
        end = link.a if side == "a" else link.b
        signal = metric == "signal_dbm"
        plan = end.budget_dbm if signal else None
        new = end.expected_dbm if signal and end.measured else None
        where = self._judge.ends[link.name, side].where
        series = _of_end(self._judge, link, side, metric)
        if where is None or series is None:
            return Normal(side=side, metric=metric, plan=plan, new=new)
        mouth = Mouth(*where, link.name, side)
        if self._judge.known.of(end.device).number(series) is None:
            return Normal(side=side, metric=metric, plan=plan, new=new)
        normals = self._judge.normals
        if new is None:
            new = normals.of("reference", end.device, series, mouth)
        week = normals.of("last_week", end.device, series, mouth)
        if week is None:
            week = await self._usual_lately(end.device, series, until)
        return Normal(side=side, metric=metric, plan=plan, new=new, week=week)

    async def _usual_lately(self, device: str, series: Series, until: float) -> float | None:
        """Worked out once in ten minutes: a screen that is looked at asks again and again."""
        key = (device, series, int(until // _LATELY_S))
        if key in self._lately:
            return self._lately[key]
        found = await self._aside.read(lambda store: lately(store, device, series, until))
        if found is not None:
            if len(self._lately) >= _MOST_LATELY:
                self._lately.clear()
            self._lately[key] = found
        return found

    async def _past(self, link: Link, side: str, now: float) -> tuple[float, ...]:
        """The signal, as far back as the trouble may reach."""
        series = _of_end(self._judge, link, side, "signal_dbm")
        if series is None:
            return ()
        device = (link.a if side == "a" else link.b).device
        steps = await self._aside.read(lambda store: lately_steps(store, device, series, now))
        return tuple(steps.values())

    async def _apart(self, link: Link, side: str, now: float) -> tuple[float, ...]:
        """How far the halves of the signal were apart meanwhile; of more than two, any of them."""
        end, where = link.a if side == "a" else link.b, self._judge.ends[link.name, side].where
        if where is None:
            return ()
        told = self._judge.known.of(end.device).items(where[0], "signal_chain_dbm")
        items = sorted(item for item, _value in told if item.startswith(where[1]))[:_MOST_CHAINS]
        pasts = []
        for item in items:
            series = Series(where[0], item, "signal_chain_dbm")
            look = partial(lately_steps, device=end.device, series=series, now=now)
            pasts.append(await self._aside.read(look))
        times = sorted(set().union(*pasts))
        apart = (apart_db([past[at] for past in pasts if at in past]) for at in times)
        return tuple(each for each in apart if each is not None)


def lately_steps(store: Store, device: str, series: Series, now: float) -> dict[float, float]:
    """(time, mean) hour by hour, for some days; minute by minute where there are a few hours only."""
    steps = store.steps(device, series, now - _WEEK_S - _DAY_S, now, _HOUR_S)
    if len(steps) < signs.FEW_STEPS:
        steps = store.steps(device, series, now - signs.FEW_STEPS * _HOUR_S, now, _MINUTE_S)
    return {step.at: step.mean for step in steps}


def usually(normal: Normal) -> float | None:
    """The one that a change is measured against: for a signal what it was when new, for others last week."""
    first = (normal.new, normal.plan, normal.week)
    found = first if normal.metric == "signal_dbm" else (normal.week, normal.new)
    return next((each for each in found if each is not None), None)


def lately(store: Store, device: str, series: Series, until: float) -> float | None:
    """What was usual in the week before a time, or in the hours; None where there are not even minutes."""
    found = store.steps(device, series, until - _WEEK_S, until, _HOUR_S)
    if len(found) < _FEW_HOURS:
        found = store.steps(device, series, until - _FEW_HOURS * _HOUR_S, until, _MINUTE_S)
    return round(median(step.mean for step in found), 1) if len(found) >= _FEW_MINUTES else None


def newest_before(store: Store, device: str, series: Series, before: float, limit: int) -> list[Sample]:
    """At most `limit` samples, newest first: looked for in spans that grow until there are enough."""
    found: list[Sample] = []
    end, span = before, _FIRST_LOOK_S
    while len(found) < limit and before - end < _LONGEST_S and end > 0:
        start = max(end - span, 0.0)
        some = store.values(device, series, start, end)
        found += [Sample(at=at, value=value) for at, value in reversed(some)]
        end, span = start, 2 * span
    return found[:limit]
