"""Baselines: what is normal, worked out of what the store remembers, one series in each quiet second.

The *reference* is the median of the first good week and is kept for ever: a radio that is swapped, or a link
that is heard by another name, gets one of its own. What was normal *last week* and lately (*own*) is worked
out anew each day. Also counted here: how much of its month's data a way out has carried. All of it stands in
the ledger, so that a restart forgets nothing.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator
from datetime import UTC, datetime
from statistics import median
from typing import Any

from ayni_core.inventory import Upstream
from ayni_core.readings import Series
from ayni_hub.inside import Inside
from ayni_hub.judge import Judge
from ayni_hub.ledger import Ledger, LedgerError
from ayni_hub.normals import Wanted
from ayni_hub.reading_aside import ReadingAside
from ayni_hub.store import Store, StoreError
from ayni_io import clock

log = logging.getLogger("baselines")

HOUR_S, DAY_S = 3600.0, 86_400.0
_WEEK_S, _LONGEST_S = 7 * DAY_S, 400 * DAY_S
GOOD_DAYS, GOOD_HOURS = 5, 84
"""Of the first week so many days must have samples, and so many of its hours."""
_FEW_HOURS = {"last_week": 6, "own": 24}
_AGAIN_S = {"reference": DAY_S / 4, "last_week": DAY_S, "own": DAY_S}
"""How often one is worked out, or tried again where there was too little."""
_SCHEMA = "CREATE TABLE IF NOT EXISTS baseline(key TEXT PRIMARY KEY, value REAL NOT NULL, at REAL NOT NULL)"

Baseline = tuple[Wanted, float, float]
"""What is normal of a series, and when that was worked out."""


def baselines_in(rows: Iterable[tuple[Any, ...]]) -> Iterator[Baseline]:
    """Those of a ledger's rows (key, value, at)."""
    for key, value, at in rows:
        device, group, item, metric, baseline = json.loads(key)
        yield Wanted(device, Series(group, item, metric), baseline), value, at


class Baselines:
    """Works for a judge. `run` is a companion of the hub; `look` is one piece of it."""

    def __init__(self, judge: Judge, store: Store, ledger: Ledger) -> None:
        self._judge = judge
        self._store = store
        self._aside = ReadingAside(store)
        self._ledger = ledger
        self._queue: deque[Wanted] = deque()
        self._tried: dict[Wanted, float] = {}
        self._capped = [each for each in judge.network.upstreams.values() if each.data_cap_gb_per_month]
        self._counted: dict[str, float] = {}
        self._recall()

    def _recall(self) -> None:
        file = self._ledger.file
        with file.failing_as("reading baselines"):
            file.db.execute(_SCHEMA)
            rows = file.db.execute("SELECT key, value, at FROM baseline").fetchall()
        for wanted, value, at in baselines_in(rows):
            if wanted.device in self._judge.network.devices:
                self._judge.learn_normal(wanted, value)
                self._tried[wanted] = at

    async def run(self, quiet: Callable[[], bool] = lambda: True) -> None:
        """A piece a second while `quiet`; troubles of the disk are told once until they are over."""
        trouble = ""
        while True:
            await asyncio.sleep(1.0)
            if not quiet():
                continue
            try:
                await self._look_aside(clock.wall_s())
                trouble = ""
            except (StoreError, LedgerError) as error:
                if str(error) != trouble:
                    trouble = str(error)
                    log.warning("not worked out cause=%s", trouble)

    def look(self, now: float) -> bool:
        """Work out one thing that is due; False: nothing is."""
        due = self._next(now)
        if due is not None:
            self._done(due, _read(self._store, due, now), now)
        return due is not None

    async def _look_aside(self, now: float) -> None:
        """The same, while nobody waits for a store that is far away."""
        due = self._next(now)
        if due is not None:
            self._done(due, await self._aside.read(lambda store: _read(store, due, now)), now)

    def _next(self, now: float) -> Upstream | Wanted | None:
        for upstream in self._capped:
            if not 0 <= now - self._counted.get(upstream.name, -HOUR_S) < HOUR_S:
                self._counted[upstream.name] = now
                return upstream
        if not self._queue:
            self._queue.extend(wanted for wanted in self._judge.normals.wanted if self._is_due(wanted, now))
        if not self._queue:
            return None
        wanted = self._queue.popleft()
        self._tried[wanted] = now
        return wanted

    def _done(self, due: Upstream | Wanted, value: float | None, now: float) -> None:
        if isinstance(due, Upstream):
            share = 100e-9 * (value or 0.0) / (due.data_cap_gb_per_month or 1.0)
            self._judge.data_used(due.name, share, now)
        elif value is not None:
            self._keep(due, round(value, 1), now)

    def _is_due(self, wanted: Wanted, now: float) -> bool:
        if wanted.baseline == "reference" and self._judge.normals.knows(wanted):
            return False
        return not 0 <= now - self._tried.get(wanted, -_WEEK_S) < _AGAIN_S[wanted.baseline]

    def _keep(self, wanted: Wanted, value: float, now: float) -> None:
        key = json.dumps([wanted.device, *wanted.series, wanted.baseline])
        file = self._ledger.file
        with file.failing_as("keeping a baseline"), file.transaction():
            file.db.execute("INSERT OR REPLACE INTO baseline VALUES(?,?,?)", (key, value, now))
        self._judge.learn_normal(wanted, value)


def companion(inside: Inside, store: Store, ledger: Ledger) -> Callable[[], Coroutine[Any, Any, None]]:
    """What a hub runs beside its loop."""
    made = Baselines(inside.judge, store, ledger)
    return lambda: made.run(lambda: not inside.intake.inbox)


def _read(store: Store, due: Upstream | Wanted, now: float) -> float | None:
    return carried_bytes(store, due, now) if isinstance(due, Upstream) else worked_out(store, due, now)


def carried_bytes(store: Store, upstream: Upstream, now: float) -> float:
    """What went through a way out since the month began, both ways: rates of its counters, hour by hour."""
    start = month_start(now)
    total = 0.0
    for metric in ("in_octets", "out_octets"):
        series = Series("interface", upstream.interface, metric)
        for step in store.steps(upstream.device, series, start, now, HOUR_S):
            total += step.mean * min(HOUR_S, now - step.at)
    return total


def worked_out(store: Store, wanted: Wanted, now: float) -> float | None:
    """What is normal, as far as was measured before `now`; None where that is too little."""
    device, series, baseline = wanted
    match baseline:
        case "reference":
            return first_good_week(store, device, series, now)
        case "last_week":
            start, end = now - _WEEK_S - DAY_S / 2, now - _WEEK_S + DAY_S / 2
        case _:
            start, end = now - _WEEK_S, now
    hours = store.steps(device, series, start, end, HOUR_S)
    return median(step.mean for step in hours) if len(hours) >= _FEW_HOURS[baseline] else None


def month_start(now: float) -> float:
    """Midnight, UTC, of the first day of the month."""
    at = datetime.fromtimestamp(now, UTC)
    return at.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()


def first_good_week(store: Store, device: str, series: Series, now: float) -> float | None:
    """The median of the first week that has enough samples; None while there is none."""
    days = [step.at for step in store.steps(device, series, now - _LONGEST_S, now, DAY_S)]
    for first in days:
        if first + _WEEK_S > now:
            return None
        if sum(1 for day in days if first <= day < first + _WEEK_S) < GOOD_DAYS:
            continue
        hours = store.steps(device, series, first, first + _WEEK_S, HOUR_S)
        if len(hours) >= GOOD_HOURS:
            return median(step.mean for step in hours)
    return None
