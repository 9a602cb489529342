"""Frames come in: decoded, checked, placed in time, stored, recorded, and only then acknowledged.

The order is the promise: samples, ledger, ack. Whatever fails before the ack leaves the frame in the
agent's outbox, and a frame that comes twice is acknowledged again without being stored again.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.wire import WireError, codec, fed, topics
from ayni_core.wire.frame import Frame
from ayni_core.wire.messages import Ack, Event, NodeState, Refused, Unread
from ayni_hub.ledger import Ledger, LedgerError
from ayni_hub.names import Names
from ayni_hub.node_notes import NodeNotes
from ayni_hub.placing import Placing
from ayni_hub.refusals import NOBODY, Refusals
from ayni_hub.store import Kept, Store, StoreError
from ayni_hub.tally import Tally
from ayni_hub.timeline import BELIEVABLE_S
from ayni_hub.toll import FRAME_BYTES, Allowed, Toll, allowed
from ayni_io import clock

_TELL_EVERY_S = 3600.0
_ENCODED = 2
"""Bytes of a reading at most, of a frame that we encode anew ourselves."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A frame as it came: its topic, its bytes, and when."""

    topic: str
    payload: bytes
    at: float


@dataclass(frozen=True, slots=True)
class Placed:
    """A decoded frame with its kind, and when on the hub's time line it begins. `village`: whose hub brought
    it, empty for one that came from its node."""

    frame: Frame
    kind: str
    start: float
    crc: int
    payload: bytes
    village: str = ""

    def kept(self) -> Kept:
        """As the store wants it: the bytes as they came, if they still say the same."""
        return Kept(self.frame, self.start, self.payload or codec.encode(self.frame, "field"))


@dataclass(slots=True)
class Cost:
    """What one sender cost in a batch: arrivals, seconds of work, and what was stored for good."""

    count: int = 0
    work_s: float = 0.0
    size_bytes: int = 0
    readings: int = 0


@dataclass(slots=True)
class Outcome:
    """What came of a batch: acknowledgements by node, frames to judge, and counts."""

    acks: dict[str, dict[str, Ack]] = field(default_factory=dict)
    judge: list[Placed] = field(default_factory=list)
    clones: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    frames: int = 0
    samples: int = 0
    costs: dict[str, Cost] = field(default_factory=dict)

    def spend(self, sender: str, work_s: float) -> None:
        """Work was done for one arrival of a sender."""
        cost = self.costs.get(sender)
        if cost is None:
            cost = self.costs[sender] = Cost()
        cost.count += 1
        cost.work_s += work_s

    def store(self, frame: Frame, size_bytes: int) -> None:
        """A frame was stored; `size_bytes` 0: its bytes were made anew."""
        cost = self.costs.setdefault(frame.node, Cost())
        count = sum(len(polls.times_s) * len(polls.values) for polls in frame.devices.values())
        cost.readings += count
        cost.size_bytes += (size_bytes or _ENCODED * count) + FRAME_BYTES

    def share(self, spent_s: float) -> None:
        """Work was done for all that was stored, as much for each as it has readings."""
        whole = sum(cost.readings for cost in self.costs.values())
        for cost in self.costs.values():
            cost.work_s += spent_s * cost.readings / whole if whole else 0.0


@dataclass(slots=True)
class Totals:
    """Since the start of the hub."""

    frames: int = 0
    samples: int = 0
    repeated: int = 0
    refused: int = 0


class Ingest:
    """Takes batches of arrivals. Raises `StoreError` or `LedgerError` when nothing may be acknowledged.

    `feed` gets every new frame after it was stored and before it is recorded as safe: a frame that comes
    again after a crash in between is handed over twice, never not at all."""

    def __init__(
        self,
        network: Network,
        ledger: Ledger,
        store: Store,
        feed: Callable[[Sequence[Placed], float], None] | None = None,
    ) -> None:
        self._feed = feed
        self._network = network
        self._ledger = ledger
        self._store = store
        self._placing = Placing(ledger)
        self._names = Names(store.names, lambda node: [device.name for device in network.devices_of(node)])
        self._notes = NodeNotes(network)
        self._refusals = Refusals()
        self.toll = Toll(self._allowed)
        self._allowances: dict[str, Allowed] = {}
        self._unknown: Tally[str] = Tally(_TELL_EVERY_S, "")
        self._ahead: Tally[str] = Tally(_TELL_EVERY_S, "")
        self.totals = Totals()

    def hear(self, node: str, state: NodeState, now: float, *, retained: bool) -> None:
        """A monitor came: what its clock says helps to place what it sends."""
        self._placing.hear(node, state, now, retained=retained)

    def take(self, arrivals: Sequence[Arrival]) -> Outcome:
        """Store what can be stored; what cannot is refused for good, and says why."""
        outcome = Outcome()
        keep: dict[tuple[str, str, int], Placed] = {}
        self._names.begin()
        for arrival in arrivals:
            sender = self.sender(arrival.topic)
            if self._refusals.puts_off(sender, arrival.at):
                self.totals.refused += 1
                continue
            begun_s = clock.monotonic_s()
            try:
                placed = self._place(arrival)
            except WireError as error:
                self._refuse(outcome, arrival, error)
                continue
            finally:
                outcome.spend(sender, clock.monotonic_s() - begun_s)
            frame = placed.frame
            outcome.judge.append(placed)
            if placed.kind == "watch":
                continue
            if self._is_new(placed, outcome):
                keep[frame.node, frame.epoch, frame.seq] = placed
            else:
                self.totals.repeated += 1
            _acknowledge(outcome, frame.node, frame.epoch, frame.seq)
        if keep:
            begun_s = clock.monotonic_s()
            outcome.samples = self._keep(keep, arrivals[-1].at)
            for placed in keep.values():
                outcome.store(placed.frame, len(placed.payload))
            outcome.share(clock.monotonic_s() - begun_s)
            outcome.events += self._placing.events(arrivals[-1].at)
        outcome.frames = len(keep)
        self.totals.frames += outcome.frames
        self.totals.samples += outcome.samples
        return outcome

    def tell(self, now: float) -> list[Event]:
        """What was refused and is due to be told, into the log and for people."""
        self._refusals.write(now)
        ahead = [
            _warning(now, "event.fed_ahead", name=village, minutes=minutes)
            for village, _count, minutes in self._ahead.due(now)
        ]
        unknown = [
            _warning(now, "event.fed_unknown", count=count, name=village, reason=reason)
            for village, count, reason in self._unknown.due(now)
        ]
        floods = self.toll.events(now, NOBODY)
        found = [*floods, *self._refusals.events(now), *self._names.events(now), *self._notes.events(now)]
        return [*ahead, *unknown, *found]

    def charge(self, outcome: Outcome) -> None:
        """Put down to each sender what a batch has cost; whoever takes batches in calls it after each."""
        now_s = clock.monotonic_s()
        for sender, cost in outcome.costs.items():
            self.toll.charge(
                sender, now_s, work_s=cost.work_s, size_bytes=cost.size_bytes, readings=cost.readings
            )

    def _allowed(self, node: str) -> Allowed:
        found = self._allowances.get(node)
        if found is None:
            count = len(self._network.devices_of(node)) if node in self._network.nodes else 0
            found = self._allowances[node] = allowed(count, self._network.poll_s)
        return found

    def sender(self, topic: str) -> str:
        """The node on whose topic something came; NOBODY for one that is not ours."""
        words = topic.split("/")
        node = words[4] if len(words) > 4 else ""
        return node if node in self._network.nodes else NOBODY

    def _place(self, arrival: Arrival) -> Placed:
        address = topics.parse(arrival.topic)
        node, kind = address.words[1], address.words[-1]
        body, start, village = arrival.payload, None, ""
        if address.root == "fed":
            village = address.words[2]
            start, body = fed.decode(arrival.payload)
        frame = codec.decode(body)
        if frame.node != node:
            raise WireError(f"a frame of {frame.node} on the topic of {node}", kind="foreign")
        if node not in self._network.nodes:
            raise WireError(f"the inventory has no node {node}", kind="foreign")
        for device in frame.devices:
            known = self._network.devices.get(device)
            if known is None or known.node != node:
                raise WireError(f"{node} does not poll {device}", kind="foreign")
        bound = self._names.bound(frame, copy=kind == "watch")
        as_it_came = bound is frame and codec.encoding_of(body) == "field"
        if start is None:
            start = self._placing.place(bound, kind, arrival.at)
        elif start > arrival.at + BELIEVABLE_S:  # it stays where the village placed it
            self._ahead.add(village, f"{(start - arrival.at) / 60:.0f}")
        return Placed(bound, kind, start, zlib.crc32(body), body if as_it_came else b"", village)

    def _keep(self, frames: Mapping[tuple[str, str, int], Placed], now: float) -> int:
        """Samples, then the ledger; how many samples."""
        try:
            self._placing.save(now)
            samples = self._store.keep([placed.kept() for placed in frames.values()])
            if self._feed is not None:
                self._feed(list(frames.values()), now)
            self._ledger.record(
                [(node, epoch, seq, placed.crc) for (node, epoch, seq), placed in frames.items()],
                now,
                self._placing.unsaved(),
                [
                    event
                    for placed in frames.values()
                    if not placed.village  # it tells of them itself
                    for event in self._notes.of(placed.frame, placed.start, now, judged=placed.kind == "live")
                ],
            )
        except (StoreError, LedgerError):
            self._placing.forget()
            raise
        return samples

    def _is_new(self, placed: Placed, outcome: Outcome) -> bool:
        frame = placed.frame
        if not self._ledger.seen(frame.node, frame.epoch, frame.seq):
            return True
        crc = self._ledger.crc_of(frame.node, frame.epoch, frame.seq)
        if crc is None or crc == placed.crc:
            return False
        outcome.clones.append(frame.node)
        return True

    def _refuse(self, outcome: Outcome, arrival: Arrival, error: WireError) -> None:
        """Count it, and tell its sender by the name of the frame; by its bytes where that cannot be read."""
        self.totals.refused += 1
        words = arrival.topic.split("/")
        if words[2] == "fed" and error.kind == "foreign":
            # the village has grown, and our inventory has not yet: what it brings waits there until it has
            self._unknown.add(words[5], str(error))
            return
        self._refusals.add(self.sender(arrival.topic), error, arrival.at)
        if arrival.topic.endswith("/watch"):
            return  # a copy is never waited for
        node = words[4]
        body = fed.body(arrival.payload) if words[2] == "fed" else arrival.payload
        named = None if error.kind in ("dictionary", "damaged") else codec.name_of(body)
        epoch = named[0] if named else ""
        acks = outcome.acks.setdefault(node, {})
        ack = acks.get(epoch, Ack(epoch=epoch))
        if named:
            acks[epoch] = replace(ack, refused=(*ack.refused, Refused(seq=named[1], reason=str(error)[:200])))
            return
        reason = "dictionary" if error.kind == "dictionary" else str(error)[:200]
        unread = Unread(crc=zlib.crc32(body), reason=reason)
        acks[epoch] = replace(ack, unread=(*ack.unread, unread))


def _acknowledge(outcome: Outcome, node: str, epoch: str, seq: int) -> None:
    acks = outcome.acks.setdefault(node, {})
    ack = acks.get(epoch, Ack(epoch=epoch))
    acks[epoch] = replace(ack, stored=(*ack.stored, (seq, seq)))


def _warning(now: float, context: str, **values: str | int) -> Event:
    return Event(at=now, text=Message(context, values), level="warn")
