"""When a frame was measured, on the hub's line of time.

Theory of operation. Within one boot a node's monotonic clock orders everything, whatever its wall clock
does. So each boot has a line: anchors, each "from this monotonic second on, hub time is monotonic plus so
much". A frame is placed by the last anchor that begins at or before it, else by the first: monotonic time
runs through a step of the wall clock, so an anchor learnt late places right what was measured before.
Anchors are only added behind everything that was placed, and never so far back that two frames would change
their order. So a resend finds its old place, for ever.

Where an anchor comes from, best first: the node's synchronised clock; the arrival, because no frame was made
after it came. A boot that ended before it could be heard lies before the next one: where its own clock says,
if that fits in between, else directly before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ayni_core.wire.frame import Frame
from ayni_core.wire.messages import EarlierBoot

Quality = Literal["clock", "own", "arrival", "order"]
"""By its synchronised clock; by its clock, unconfirmed; by the arrival; by where the next boot begins."""

BELIEVABLE_S = 600.0
"""A synchronised clock that runs further ahead of ours is not believed."""
TOLERANCE_S = 2.0
"""What an anchor may be behind by before another one follows it; ahead, half of that. Going back so little
changes no order, because the polls of one device lie further apart."""
TELL_AFTER_S = 3600.0
"""Most clocks are synchronised soon after the start; people are told only when it takes longer."""
_LONGEST_S = 40 * 86400.0
"""Nothing waits longer than this to be sent."""
_DRIFT = 1e-4
"""The most by which two clocks drift apart, as a share of the time."""
_SURE_S = 1800.0
_LEAST_S = 0.05
_AT_LAST = ("clock", "arrival")
NEVER = float("-inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """From `from_s` on, hub time is monotonic time plus `offset_s`."""

    from_s: float
    offset_s: float
    quality: Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One boot of a node: its anchors in order, and the first and last monotonic second that were placed.

    `step` is the last step of the wall clock that was seen of this boot; it grows from boot to boot where
    the node keeps it. `told`: people know that this clock was not synchronised.
    """

    anchors: tuple[Anchor, ...] = ()
    step: int = 0
    first_s: float = 0.0
    until_s: float = NEVER
    told: bool = False

    def anchor(self, mono_s: float) -> Anchor:
        """What places this second; there must be an anchor."""
        return next((each for each in reversed(self.anchors) if each.from_s <= mono_s), self.anchors[0])

    def end(self) -> float:
        """The last second that was placed, on the hub's line; there must be an anchor."""
        return self.until_s + self.anchor(self.until_s).offset_s

    def never_synchronised(self) -> bool:
        """Whether no anchor came from a synchronised clock."""
        return all(each.quality != "clock" for each in self.anchors)


@dataclass(slots=True)
class Bound:
    """The most that a boot's offset can be: the least "now minus made" of what arrived.

    It rises by what clocks may drift; and where everything arrived far above it for half an hour, our own
    clock was set.
    """

    offset_s: float
    at: float
    above: tuple[float, float] | None = None

    def hear(self, offset_s: float, now: float, patience_s: float) -> None:
        """Something arrived that was made at `now - offset_s` on the monotonic clock."""
        risen = self.offset_s + _DRIFT * max(0.0, now - self.at)
        if offset_s > risen + patience_s:
            since, least = self.above or (now, offset_s)
            self.above = since, min(least, offset_s)
            if now - since > _SURE_S:
                risen, self.above = self.above[1], None
        else:
            self.above = None
        self.offset_s, self.at = min(risen, offset_s), now


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What a frame says about time: its first poll, last poll and closing on the monotonic clock, and how its
    own wall clock relates to that. `follows`: it is the next one after what was placed last."""

    mono_s: float
    end_s: float
    made_s: float
    own_s: float
    synced: bool
    step: int
    follows: bool

    @classmethod
    def of(cls, frame: Frame, *, follows: bool) -> Sighting:
        """Out of a frame; what it says of its closing is believed within a day."""
        end_s = frame.mono_s + frame.span_s()
        made_s = end_s if frame.made_s is None else min(max(frame.made_s, end_s), end_s + 86400)
        return cls(
            mono_s=frame.mono_s,
            end_s=end_s,
            made_s=made_s,
            own_s=round(frame.wall_s - frame.mono_s, 2),
            synced=frame.synced,
            step=frame.step,
            follows=follows,
        )

    def believed(self, now: float) -> bool:
        """Whether its wall clock places it."""
        return self.synced and self.own_s + self.made_s <= now + BELIEVABLE_S


def place(
    seen: Sighting, now: float, line: Line | None, bound_s: float | None, others: Sequence[Line]
) -> Line:
    """The line with this frame placed on it.

    `bound_s` is what live news of this boot say, None if there are none; `others` are the other boots of the
    node.
    """
    if line is None or not line.anchors:
        first = _first(seen, now, bound_s, [other for other in others if other.anchors])
        return Line(anchors=(first,), step=seen.step, first_s=seen.mono_s, until_s=seen.end_s)
    anchors = line.anchors
    if seen.mono_s > line.until_s:
        better = _better(seen, now, line, bound_s)
        if better:
            anchors = (*_needed(anchors, line.until_s), better)
    return replace(
        line,
        anchors=anchors,
        step=max(line.step, seen.step),
        first_s=min(line.first_s, seen.mono_s),
        until_s=max(line.until_s, seen.end_s),
    )


def before(
    earlier: Sequence[EarlierBoot],
    lines: Mapping[str, Line],
    bounds: Mapping[str, float],
    start: float,
    gap_s: float,
) -> dict[str, Line]:
    """Lines for boots of which no frame came while they lasted, as far as they have none.

    `earlier` are the boots before the one that began at `start`, oldest first; `bounds` is what was heard of
    them otherwise. `gap_s` is left between boots of which only the order is known: what a power cut took may
    have been measured in it.
    """
    made: dict[str, Line] = {}

    def make(boot: EarlierBoot, offset_s: float, quality: Quality) -> None:
        anchor = Anchor(from_s=0.0, offset_s=round(offset_s, 2), quality=quality)
        made[boot.boot] = Line(anchors=(anchor,), step=boot.step, first_s=boot.until_s)

    new = [boot for boot in earlier if boot.boot not in lines or not lines[boot.boot].anchors]
    for boot in new:
        if boot.trusted and boot.offset_s + boot.until_s <= start + BELIEVABLE_S:
            make(boot, boot.offset_s, "clock")
        elif boot.boot in bounds:
            make(boot, bounds[boot.boot], "arrival")
    floors = _floors(earlier, lines, made, gap_s)
    for boot in reversed(earlier):
        if boot in new and boot.boot not in made:
            floor, latest = floors[boot.boot], start - boot.until_s
            if max(floor, start - _LONGEST_S) <= boot.offset_s <= latest:
                make(boot, boot.offset_s, "own")
            else:
                make(boot, max(latest - gap_s, min(floor, latest - 0.01)), "order")
        line = made.get(boot.boot) or lines[boot.boot]
        start = min(start, line.anchors[0].offset_s)
    return made


def _floors(
    earlier: Sequence[EarlierBoot], lines: Mapping[str, Line], made: Mapping[str, Line], gap_s: float
) -> dict[str, float]:
    """The earliest that each boot can have begun: after those before it, each of which took its time."""
    names = {boot.boot for boot in earlier}
    others = [(line.step, line.end()) for name, line in lines.items() if line.anchors and name not in names]
    floors: dict[str, float] = {}
    floor = NEVER
    for boot in earlier:
        floor = floors[boot.boot] = max([floor, *(end for step, end in others if step < boot.step)])
        line = made.get(boot.boot)
        if line is not None:
            floor = max(floor, line.anchors[0].offset_s + boot.until_s)
        elif boot.boot in lines and lines[boot.boot].anchors:
            floor = max(floor, lines[boot.boot].end())
        else:
            floor += boot.until_s + gap_s
    return floors


def _better(seen: Sighting, now: float, line: Line, bound_s: float | None) -> Anchor | None:
    """An anchor to follow the last one, where that is wrong by now."""
    last = line.anchors[-1]
    quality: Quality = "clock" if seen.believed(now) else "arrival"
    target = seen.own_s if quality == "clock" else bound_s
    if target is None:
        return None
    back_s = last.offset_s - target
    if quality == "arrival" and last.quality == "clock":
        wrong = back_s > BELIEVABLE_S  # it was right once; only a far future speaks against it
    else:
        wrong = back_s > TOLERANCE_S / 2 or -back_s > TOLERANCE_S or (quality, last.quality) == _AT_LAST
    if not wrong:
        return None
    if back_s > TOLERANCE_S:
        if not seen.follows:
            return None  # what lies between may still come
        target = max(target, min(last.offset_s, line.end() - seen.mono_s + 0.01))
        if target > last.offset_s - _LEAST_S and quality == last.quality:
            return None
    return Anchor(from_s=seen.mono_s, offset_s=round(target, 2), quality=quality)


def _needed(anchors: tuple[Anchor, ...], until_s: float) -> tuple[Anchor, ...]:
    """Those that may still place something that waited."""
    old = sum(each.from_s < until_s - _LONGEST_S for each in anchors)
    return anchors[max(0, old - 1) :]


def _first(seen: Sighting, now: float, bound_s: float | None, others: Sequence[Line]) -> Anchor:
    """The first anchor of a boot."""
    if seen.believed(now):
        return Anchor(from_s=0.0, offset_s=seen.own_s, quality="clock")
    if bound_s is not None:
        return Anchor(from_s=0.0, offset_s=round(bound_s, 2), quality="arrival")
    later = [other.anchors[0].offset_s for other in others if other.step >= seen.step]
    if not later:
        return Anchor(from_s=0.0, offset_s=round(now - seen.made_s, 2), quality="arrival")
    ceiling = min(now, *later)
    floor = max([other.end() for other in others if other.step < seen.step], default=ceiling - _LONGEST_S)
    if floor <= seen.own_s + seen.mono_s and seen.own_s + seen.made_s <= ceiling:
        return Anchor(from_s=0.0, offset_s=seen.own_s, quality="own")
    return Anchor(from_s=0.0, offset_s=round(ceiling - seen.made_s - 0.01, 2), quality="order")
