"""Notes that came in a node's frames, as events: about the node, or about a device that it polls.

Whoever holds a node's account can write notes, so they are bounded, and say only what notes say.
"""

from __future__ import annotations

from collections.abc import Iterator

from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.wire.frame import Frame
from ayni_core.wire.messages import Event
from ayni_hub.tally import Tally

CONTEXTS = "note."
"""The sentences that a node may say."""
MOST_A_DAY = 2000
"""Of one node: a week without the hub brings some hundreds."""
_DAY_S = 86_400.0


class NodeNotes:
    """Counts the notes of each node by the day of the hub."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._day = 0
        self._taken: dict[str, int] = {}
        self._told: Tally[str] = Tally(_DAY_S, "")

    def of(self, frame: Frame, start: float, now: float) -> Iterator[Event]:
        """The notes of a new frame that begins at `start`; none lies in the future."""
        day = int(now // _DAY_S)
        if day != self._day:
            self._day = day
            self._taken.clear()
        for note in frame.notes:
            taken = self._taken.get(frame.node, 0)
            if taken >= MOST_A_DAY or not note.text.context.startswith(CONTEXTS):
                self._told.add(frame.node)
                continue
            self._taken[frame.node] = taken + 1
            device = self._network.devices.get(note.device)
            about = ("device", note.device) if device and device.node == frame.node else ("node", frame.node)
            at = min(max(start + note.at_s, 0.0), now)
            yield Event(at=at, text=note.text, level=note.level, kind=about[0], name=about[1])

    def events(self, now: float) -> list[Event]:
        """What is due to be told about notes that were not taken."""
        return [
            Event(
                at=now,
                text=Message("event.notes_refused", {"count": count, "node": node}),
                level="warn",
                kind="node",
                name=node,
            )
            for node, count, _detail in self._told.due(now)
            if node
        ]
