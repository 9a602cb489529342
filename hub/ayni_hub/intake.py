"""From the inbox into the store: in batches, acknowledged after the commit, or not at all.

The way in is the same for a hub alone, for a worker and for a judge; what is told of it is theirs. It has a
state that they publish: `ready`, `store-down` while store or ledger fail, `clock-wrong` while our clock
cannot be right. In both of these nothing is acknowledged, and the agents keep what they have.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from ayni_core.message import Message
from ayni_core.wire.messages import Ack, Event
from ayni_hub import clock_wait
from ayni_hub.inbox import MOST_BYTES, Inbox
from ayni_hub.ingest import Arrival, Ingest, Outcome
from ayni_hub.ledger import Ledger, LedgerError
from ayni_hub.retention import Retention
from ayni_hub.store import Store, StoreError
from ayni_hub.tally import Tally
from ayni_io import clock

log = logging.getLogger("hub")
_CARE_S = 0.05
DAY_S = 86400.0
_GATHER_S, _BREATH_S = 0.05, 0.01
_CLONES_EVERY_S = 3600.0


class Intake:
    """`taken` gets every outcome and its time, after the commit; `acknowledge` every word for a node;
    `changed` is awaited when the state has changed."""

    def __init__(
        self,
        ingest: Ingest,
        ledger: Ledger,
        store: Store,
        odd: Tally[str],
        *,
        taken: Callable[[Outcome, float], Awaitable[None]],
        acknowledge: Callable[[str, Ack], None],
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self.ingest = ingest
        self.state = "ready"
        self.inbox = Inbox(MOST_BYTES)
        self._ledger, self._store, self._odd = ledger, store, odd
        self._taken, self._acknowledge, self._changed = taken, acknowledge, changed
        self._arrived = asyncio.Event()
        self._clones: Tally[str] = Tally(_CLONES_EVERY_S, "")

    def receive(self, arrival: Arrival) -> None:
        """A frame; what its sender may not cost, and more than we can hold, is passed over before anything of
        it is read: it was not acknowledged, and comes again."""
        sender = self.ingest.sender(arrival.topic)
        if self.ingest.toll.closed(sender, clock.monotonic_s()):
            return
        if not self.inbox.put(sender, arrival):
            self._odd.add("too much at once", f"{self.inbox.size_bytes} bytes wait")
            return
        self._arrived.set()

    async def run(self) -> None:
        """Take in what arrives, until cancelled."""
        while True:
            await self._arrived.wait()
            await asyncio.sleep(_GATHER_S)
            self._arrived.clear()
            while self.inbox:
                await self.take(self.inbox.take())
                await asyncio.sleep(_BREATH_S)  # news come in, which go before a backlog; acks go out

    async def take(self, batch: list[Arrival]) -> None:
        """One batch: stored, recorded, acknowledged, told."""
        if clock_wait.is_wrong(clock.wall_s()):
            return  # not acknowledged: they come again
        try:
            outcome = self.ingest.take(batch)
        except (StoreError, LedgerError) as error:
            await self.failed(str(error))
            return
        now = clock.wall_s()
        if outcome.frames:  # copies for watchers write nothing, and so prove nothing
            await self.set_state("ready")
        for node, acks in outcome.acks.items():
            for ack in acks.values():
                self._acknowledge(node, _merged(ack))
        for node in outcome.clones:
            self._clones.add(node)
        for node, count, _detail in self._clones.due(now):
            log.error("cloned node node=%s frames=%d", node, count)
            cloned = Message("event.cloned_node", {"node": node})
            outcome.events.append(Event(at=now, text=cloned, level="warn", kind="node", name=node))
        begun_s = clock.monotonic_s()
        await self._taken(outcome, now)
        outcome.share(clock.monotonic_s() - begun_s)
        self.ingest.charge(outcome)
        self.inbox.charge({name: (cost.count, cost.work_s) for name, cost in outcome.costs.items()})

    def end(self) -> None:
        """The last word in the log: what came in since the start."""
        totals = self.ingest.totals
        log.info(
            "stopped frames=%d samples=%d repeated=%d refused=%d",
            totals.frames, totals.samples, totals.repeated, totals.refused,
        )  # fmt: skip

    # ---- state

    async def set_state(self, state: str) -> None:
        """What is said from now on."""
        if state != self.state:
            self.state = state
            log.info("state=%s", state)
            await self._changed()

    async def failed(self, reason: str) -> None:
        """Store or ledger cannot be written."""
        if self.state != "store-down":
            log.error("store down cause=%s", reason)
        await self.set_state("store-down")

    async def is_dated(self, now: float) -> bool:
        """Whether our clock may be right; all are told when that changes."""
        wrong = clock_wait.is_wrong(now)
        if wrong and self.state != clock_wait.STATE:
            clock_wait.tell(now)
            await self.set_state(clock_wait.STATE)
        elif not wrong and self.state == clock_wait.STATE:
            await self.set_state("ready")
        return not wrong

    async def try_again(self, now: float) -> None:
        """Agents send nothing while the store is down, so nobody but us can find out that it works again."""
        if self.state != "store-down":
            return
        try:
            self._store.probe(now)
            self._ledger.probe(now)
        except (StoreError, LedgerError):
            return
        await self.set_state("ready")

    # ---- quiet moments

    def look_after(self, now: float) -> None:
        """The store's own work, for a moment each second, while nobody waits for anything else."""
        if self.inbox or self.state != "ready":
            return
        begun = clock.monotonic_s()
        try:
            while self._store.upkeep(now) and clock.monotonic_s() - begun < _CARE_S:
                pass
        except StoreError as error:
            self._odd.add("looking after the store failed", str(error))

    def forget_old(self, now: float, retain: Retention) -> float | None:
        """Drop what is too old, counted from the newest sample: a clock that jumps ahead costs nothing. The
        time before which all was forgotten, None when that failed."""
        try:
            newest = min(now, self._store.newest() or now)
            until = newest - retain.samples_s
            self._store.forget_before(until)
            self._ledger.forget_before(newest - retain.events_s, until)
        except (StoreError, LedgerError) as error:
            log.error("forgetting failed cause=%s", error)
            return None
        return until


def _merged(ack: Ack) -> Ack:
    """Neighbouring sequence numbers as one range."""
    ranges: list[tuple[int, int]] = []
    for first, last in sorted((pair[0], pair[1]) for pair in ack.stored):
        if ranges and first <= ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], max(last, ranges[-1][1]))
        else:
            ranges.append((first, last))
    return replace(ack, stored=tuple(ranges))
