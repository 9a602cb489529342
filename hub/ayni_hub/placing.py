"""Places frames in time, and keeps in the ledger what that was decided by.

What depends on when a frame arrived is written down before its samples are stored; all else with the frame's
own record. Then a frame that comes again after a crash in between finds the same place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ayni_core.clockwatch import MOST_BOOTS
from ayni_core.message import Message
from ayni_core.wire.frame import Frame
from ayni_core.wire.messages import EarlierBoot, Event, NodeState
from ayni_hub.ledger import Ledger
from ayni_hub.timeline import BELIEVABLE_S, TELL_AFTER_S, Bound, Line, Sighting, before, place

Boot = tuple[str, str]
"""(node, boot)"""
_MOST_BOUNDS, _MOST_LINES = 10_000, 1000
_TEXTS = {
    "own": "event.clock_own",
    "arrival": "event.clock_arrival",
    "order": "event.clock_order",
}


class Placing:
    """The lines of all nodes. Raises `LedgerError`; call `forget` then: what is in memory was not written."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lines: dict[str, dict[str, Line]] = {}
        self._bounds: dict[Boot, Bound] = {}
        self._earlier: dict[str, tuple[str, tuple[EarlierBoot, ...]]] = {}
        self._last: dict[Boot, tuple[str, int]] = {}
        self._urgent: dict[Boot, Line] = {}
        self._changed: dict[Boot, Line] = {}
        self._events: list[Event] = []
        self._crowded: set[str] = set()

    def hear(self, node: str, state: NodeState, now: float, *, retained: bool) -> None:
        """A birth: what the clock of this boot says now, and which boots came before it."""
        if not (state.up and state.boot):
            return
        self._earlier[node] = state.boot, state.earlier[-MOST_BOOTS:]
        if state.mono_s and not retained:
            self._hear((node, state.boot), now - state.mono_s, now, BELIEVABLE_S)

    def place(self, frame: Frame, kind: str, now: float) -> float:
        """When the frame begins. A copy for somebody who watches leaves no trace."""
        boot = frame.node, frame.boot
        seen = Sighting.of(frame, follows=self._last.get(boot) == (frame.epoch, frame.seq - 1))
        current, earlier = self._earlier.get(frame.node, ("", ()))
        over = frame.boot in {each.boot for each in earlier}
        if kind != "history" and not over:
            self._hear(boot, now - seen.made_s, now, max(BELIEVABLE_S, 2 * frame.next_by_s))
        lines = self._of(frame.node)
        line = lines.get(frame.boot)
        if line is None and over and not seen.believed(now):
            self._recall(frame, current, earlier, now)
            line = lines.get(frame.boot)
        bound = None if over else self._bounds.get(boot)
        others = [] if line else [each for name, each in lines.items() if name != frame.boot]
        after = place(seen, now, line, bound.offset_s if bound else None, others)
        if kind != "watch":
            if after.until_s == seen.end_s:
                self._last[boot] = frame.epoch, frame.seq
            self._note(boot, line, after, sure=seen.believed(now))
        return after.anchor(frame.mono_s).offset_s + frame.mono_s

    def save(self, now: float) -> None:
        """Before samples are stored: what was decided by when frames arrived."""
        if self._urgent:
            self._ledger.keep_lines(self._urgent, now)
            self._urgent = {}

    def unsaved(self) -> dict[Boot, Line]:
        """What has to be written with the record of the frames; from now on it counts as written."""
        changed, self._changed = self._changed, {}
        for node in self._crowded:
            self._lines.pop(node, None)
        self._crowded.clear()
        return changed

    def events(self, now: float) -> list[Event]:
        """What people should know about clocks, since the last call."""
        events, self._events = [replace(event, at=now) for event in self._events], []
        return events

    def forget(self) -> None:
        """Writing failed: what is in the ledger counts."""
        self._lines, self._urgent, self._changed, self._last, self._events = {}, {}, {}, {}, []

    def _of(self, node: str) -> dict[str, Line]:
        if node not in self._lines:
            self._lines[node] = self._ledger.lines(node)
        return self._lines[node]

    def _hear(self, boot: Boot, offset_s: float, now: float, patience_s: float) -> None:
        bound = self._bounds.get(boot)
        if bound is None:
            if len(self._bounds) >= _MOST_BOUNDS:
                self._bounds.clear()
                self._last.clear()
            line = self._of(boot[0]).get(boot[1])
            if line and line.anchors and line.anchors[-1].quality != "clock":
                bound = Bound(min(offset_s, line.anchors[-1].offset_s), now)  # before the hub was started
            else:
                bound = Bound(offset_s, now)
            self._bounds[boot] = bound
        bound.hear(offset_s, now, patience_s)

    def _recall(self, frame: Frame, current: str, earlier: Sequence[EarlierBoot], now: float) -> None:
        """Make lines for the boots that the node has told of."""
        lines = self._of(frame.node)
        line, bound = lines.get(current), self._bounds.get((frame.node, current))
        start = line.anchors[0].offset_s if line and line.anchors else bound.offset_s if bound else now
        bounds = {
            each.boot: known.offset_s
            for each in earlier
            if (known := self._bounds.get((frame.node, each.boot))) is not None
        }
        for name, made in before(earlier, lines, bounds, start, frame.next_by_s).items():
            self._note((frame.node, name), None, made, sure=False)

    def _note(self, boot: Boot, line: Line | None, after: Line, *, sure: bool) -> None:
        if after.never_synchronised() and not after.told:
            quality = after.anchors[-1].quality
            if quality != "arrival" or after.until_s - after.first_s > TELL_AFTER_S:
                after = replace(after, told=True)
                text = Message(_TEXTS[quality], {"node": boot[0]})
                self._events.append(Event(at=0.0, text=text, level="note", kind="node", name=boot[0]))
        if after == line:
            return
        lines = self._of(boot[0])
        lines[boot[1]] = after
        if len(lines) > _MOST_LINES:  # of a node that invents boots; the ledger has them
            self._crowded.add(boot[0])
        self._changed[boot] = after
        if line is None or line.anchors != after.anchors or not sure:
            self._urgent[boot] = after
