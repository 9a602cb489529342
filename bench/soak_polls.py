"""The rest of the way, fed with what is spoilt: an agent's polls, the frames they make, the hub's decoder."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from random import Random

from soak_devices import NOON, samples, views
from soak_line import Fault, LineReader, at_once, connect
from soak_paths import Path
from spoil import STRANGE_VALUES, Spoiler, spoil_json, tokens

from ayni_agent.collector import Collector
from ayni_agent.poller import Poller
from ayni_core.clockwatch import Moment
from ayni_core.mibview import MibView
from ayni_core.readings import Poll
from ayni_core.snmp import GAUGE32, INTEGER, OCTET_STRING, encode_varbind
from ayni_core.survey import scalars_of, tables_of
from ayni_core.wire import WireError, codec, field
from ayni_core.wire.frame import Frame
from ayni_io.profiles import Profiles

_POLLS = 6
"""Of one device, then comes another."""
_ORDINARY = (*((INTEGER, number) for number in (1, 1, 2, 3, 40)), (OCTET_STRING, b"1.5"), (GAUGE32, 100))


class Polls(Path):
    """An agent's poller at such a device: a poll never raises, and what it brings fits a frame."""

    name = "polls"

    def __init__(self, rng: Random, tell: Callable[[bytes], None]) -> None:
        super().__init__(rng, tell)
        self._spoiler = Spoiler(rng, [answer for _, _, answer in samples()])
        self._left = 0

    def _settle(self) -> None:
        rng = self.rng
        view, family = rng.choice((views()["router"], rng.choice(list(views().values())))), None
        if rng.randrange(2):
            family = rng.choice(profiles().names())
            view = self._of_family(family)
        elif rng.randrange(2):
            view = self._strange(view)
        self._line, pace, _ = connect(rng, view, self._spoil)
        self._poller = Poller("device", LineReader(self._line, pace), profiles(), family)
        self._now_s = 0.0
        self._left = _POLLS - 1

    def _strange(self, view: MibView) -> MibView:
        """The same device, of which some values are what nobody expects, at every poll."""
        share = self.rng.choice((0.01, 0.1, 0.4))
        objects = {oid: (tag, value) for oid, tag, value in view}
        changed = {oid: self.rng.choice(STRANGE_VALUES) for oid in objects if self.rng.random() < share}
        self._note_all(changed)
        return MibView(objects | changed)

    def _of_family(self, family: str) -> MibView:
        """A device that has all that a family's profile asks for, and means nothing by it."""
        profile = profiles().load(family)
        names = list(scalars_of(profile))
        for columns in tables_of(profile):
            index = self.rng.choice(
                (b"\x01", b"\x01\x01", b"\x02\x00\x15\x6d\x01\x02\x03", b"\x8f\xff\xff\xff\x7f")
            )
            names += [column + row for column in columns for row in (index, index[:-1] + b"\x7e")]
        objects = {oid: (tag, value) for oid, tag, value in views()["router"]}
        strange = {name: self.rng.choice((*STRANGE_VALUES, *_ORDINARY)) for name in names}
        self._note_all(strange)
        return MibView(objects | strange)

    def _note_all(self, strange: dict[bytes, tuple[int, int | bytes | None]]) -> None:
        """One spoilt thing, however many values it is made of."""
        self.note(b"".join(encode_varbind(oid, *value) for oid, value in strange.items()))

    def _spoil(self, good: bytes) -> bytes:
        return self.note(self._spoiler.spoil(good))

    def feed(self) -> None:
        self._left -= 1
        if self._left < 0:
            self._settle()
        # A device that was never understood has no plan, and without a plan there is little to go wrong.
        self._line.spoilt = 0.0 if self._left == _POLLS - 1 else self.rng.choice((0.2, 0.6, 1.0))
        self._line.requests = 0
        self._now_s += self.rng.choice((60, 60, 700))
        poll: Poll = at_once(self._poller.poll(self._now_s))
        self.taken += poll.error is None
        if self.rng.randrange(4) == 0:
            check_frame(poll, self.rng.choice(codec.ENCODINGS))


def check_frame(poll: Poll, encoding: str) -> None:
    """Fault unless the hub gets what the agent collected."""
    frame = frame_of([poll])
    try:
        if codec.decode(codec.encode(frame, encoding)).count() != frame.count():
            raise Fault("a frame came out as another one")
    except WireError as error:
        raise Fault(f"one device's readings cost the whole frame: {error}") from None


def frame_of(polls: Iterable[Poll]) -> Frame:
    """The frame of these polls, as an agent makes it."""
    collector = Collector(node="node", epoch="00ff", boot="boot", flush_s=300)
    for poll in polls:
        collector.add(poll)
    frame = collector.close(Moment(mono_s=collector.opened_s or 0.0, wall_s=NOON, synced=True))
    assert frame is not None
    return frame


@lru_cache(maxsize=1)
def profiles() -> Profiles:
    """All families, read once."""
    return Profiles()


class Frames(Path):
    """The hub's decoder, both encodings; in the field encoding also what a right checksum says is whole."""

    name = "frames"

    def __init__(self, rng: Random, tell: Callable[[bytes], None]) -> None:
        super().__init__(rng, tell)
        self._frames = frames()
        self._texts = [
            tokens((each if each[:1] == b"[" else field.inflate(each)).decode()) for each in frames()
        ]
        self._spoiler = Spoiler(rng, self._frames)

    def feed(self) -> None:
        at = self.rng.randrange(len(self._frames))
        good = self._frames[at]
        if self.rng.randrange(4) == 0:
            bad = self._spoiler.spoil(good)
        else:
            bad = spoil_json(self.rng, self._texts[at]).encode()
            bad = bad if good[:1] == b"[" else zlib.compress(bad, 1)
        self.note(bad)
        codec.name_of(bad)
        try:
            frame = codec.decode(bad)
        except WireError:
            return
        self.taken += 1
        for name, polls in frame.devices.items():
            for series, at_s, _value in polls.samples():
                if not (name and series.metric and at_s >= 0):
                    raise Fault("a reading without a name or a time")


@lru_cache(maxsize=1)
def frames() -> list[bytes]:
    """Two polls of each of some devices, and one frame of both, in both encodings."""
    polls = []
    for name in ("torre-sector", "escuela-server"):
        line, pace, _ = connect(Random(1), views()[name], bytes)
        poller = Poller(name, LineReader(line, pace), profiles())
        polls.append([replace(at_once(poller.poll(60.0 * turn)), device=name) for turn in range(2)])
    made = [frame_of(each) for each in (*polls, [poll for each in polls for poll in each])]
    return [codec.encode(frame, encoding) for frame in made for encoding in codec.ENCODINGS]
