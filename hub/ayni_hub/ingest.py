"""Frames come in: decoded, checked, placed in time, stored, recorded, and only then acknowledged.

The order is the promise: samples, ledger, ack. Whatever fails before the ack leaves the frame in the
agent's outbox, and a frame that comes twice is acknowledged again without being stored again.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ayni_core.inventory import Network
from ayni_core.wire import WireError, codec, topics
from ayni_core.wire.frame import Frame
from ayni_core.wire.messages import Ack, Refused
from ayni_hub.ledger import Ledger
from ayni_hub.store import Sample, Store

log = logging.getLogger("hub")
_BELIEVABLE_S = 600.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """A frame as it came: its topic, its bytes, and when."""

    topic: str
    payload: bytes
    at: float


@dataclass(frozen=True, slots=True)
class Placed:
    """A decoded frame with its kind, and when on the hub's time line it begins."""

    frame: Frame
    kind: str
    start: float
    crc: int


@dataclass(slots=True)
class Outcome:
    """What came of a batch: acknowledgements by node, frames to judge, and counts."""

    acks: dict[str, dict[str, Ack]] = field(default_factory=dict)
    judge: list[Placed] = field(default_factory=list)
    clones: list[str] = field(default_factory=list)
    frames: int = 0
    samples: int = 0


@dataclass(slots=True)
class Totals:
    """Since the start of the hub."""

    frames: int = 0
    samples: int = 0
    repeated: int = 0
    refused: int = 0


class Ingest:
    """Takes batches of arrivals. Raises `StoreError` or `LedgerError` when nothing may be acknowledged."""

    def __init__(self, network: Network, ledger: Ledger, store: Store) -> None:
        self._network = network
        self._ledger = ledger
        self._store = store
        self.totals = Totals()

    def take(self, arrivals: Sequence[Arrival]) -> Outcome:
        """Store what can be stored; what cannot is refused for good, and says why."""
        outcome = Outcome()
        keep: dict[tuple[str, str, int], Placed] = {}
        for arrival in arrivals:
            try:
                placed = self._place(arrival)
            except WireError as error:
                self._refuse(outcome, arrival, str(error))
                continue
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
            outcome.samples = self._store.write(_samples(keep.values()))
            self._ledger.record(
                [(node, epoch, seq, placed.crc) for (node, epoch, seq), placed in keep.items()],
                arrivals[-1].at,
            )
        outcome.frames = len(keep)
        self.totals.frames += outcome.frames
        self.totals.samples += outcome.samples
        return outcome

    def _place(self, arrival: Arrival) -> Placed:
        address = topics.parse(arrival.topic)
        _bucket, node, kind = address.words
        frame = codec.decode(arrival.payload)
        if frame.node != node:
            raise WireError(f"a frame of {frame.node} on the topic of {node}")
        if node not in self._network.nodes:
            raise WireError(f"the inventory has no node {node}")
        for device in frame.devices:
            known = self._network.devices.get(device)
            if known is None or known.node != node:
                raise WireError(f"{node} does not poll {device}")
        return Placed(frame, kind, self._start(frame, arrival.at), zlib.crc32(arrival.payload))

    def _start(self, frame: Frame, now: float) -> float:
        """When the frame begins. A synchronised clock is believed, unless it runs ahead of ours; any other is
        anchored once per boot: to itself if it agrees with ours, else to the arrival of the first frame.
        Nothing is placed in the future, where it would hide all that follows.
        """
        if frame.synced and frame.wall_s + frame.span_s() < now + _BELIEVABLE_S:
            return frame.wall_s
        own = frame.wall_s - frame.mono_s
        arrival = now - (frame.mono_s + frame.span_s())
        proposed = own if abs(own - arrival) < _BELIEVABLE_S else arrival
        anchored = self._ledger.anchor(frame.node, frame.boot, proposed) + frame.mono_s
        return min(anchored, now - frame.span_s())

    def _is_new(self, placed: Placed, outcome: Outcome) -> bool:
        frame = placed.frame
        if not self._ledger.seen(frame.node, frame.epoch, frame.seq):
            return True
        crc = self._ledger.crc_of(frame.node, frame.epoch, frame.seq)
        if crc is None or crc == placed.crc:
            return False
        outcome.clones.append(frame.node)
        return True

    def _refuse(self, outcome: Outcome, arrival: Arrival, reason: str) -> None:
        self.totals.refused += 1
        if self.totals.refused < 20 or self.totals.refused % 1000 == 0:
            log.warning(
                "frame refused topic=%s count=%d cause=%s", arrival.topic, self.totals.refused, reason
            )
        named = codec.name_of(arrival.payload)
        if named is None:
            return  # it has no name by which its sender could be told
        epoch, seq = named
        node = arrival.topic.split("/")[-2]
        ack = outcome.acks.setdefault(node, {}).get(epoch, Ack(epoch=epoch))
        refused = (*ack.refused, Refused(seq=seq, reason=reason))
        outcome.acks[node][epoch] = Ack(epoch=epoch, stored=ack.stored, refused=refused)


def _acknowledge(outcome: Outcome, node: str, epoch: str, seq: int) -> None:
    acks = outcome.acks.setdefault(node, {})
    ack = acks.get(epoch, Ack(epoch=epoch))
    acks[epoch] = Ack(epoch=epoch, stored=(*ack.stored, (seq, seq)), refused=ack.refused)


def _samples(placed: Iterable[Placed]) -> Iterator[Sample]:
    for each in placed:
        for device, polls in each.frame.devices.items():
            for series, at_s, value in polls.samples():
                yield device, series, each.start + at_s, value
