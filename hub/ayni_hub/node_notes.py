"""Notes that came in a node's frames, as events: about the node, or about a device that it polls.

Whoever holds a node's account can write notes, so they are bounded, and say only what notes say. A node's own
verdict is an event only where the hub did not judge the same readings: people are told everything once.
"""

from __future__ import annotations

from collections.abc import Iterator

from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.wire.frame import Frame
from ayni_core.wire.messages import Event
from ayni_core.wire.note import VERDICT, FrameNote
from ayni_hub.tally import Tally

CONTEXTS = "note."
"""The sentences that a node may say."""
MOST_A_DAY = 2000
"""Of one node: a week without the hub brings some hundreds."""
_DAY_S = 86_400.0
_ACCOUNT = "note.meanwhile"
_MOST_ACCOUNTS, _SAME_S = 1000, 1.5


class NodeNotes:
    """Counts the notes of each node by the day of the hub."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._day = 0
        self._taken: dict[str, int] = {}
        self._told: Tally[str] = Tally(_DAY_S, "")
        self._accounts: dict[tuple[str, ...], float] = {}

    def of(self, frame: Frame, start: float, now: float, *, judged: bool = False) -> Iterator[Event]:
        """The notes of a new frame that begins at `start`; none lies in the future. `judged`: the hub has its
        own verdict of this frame."""
        day = int(now // _DAY_S)
        if day != self._day:
            self._day = day
            self._taken.clear()
        for note in frame.notes:
            verdict = note.text.context.startswith(VERDICT)
            if verdict and judged and note.at_s >= 0:
                continue
            taken = self._taken.get(frame.node, 0)
            most = MOST_A_DAY // 2 if verdict else MOST_A_DAY  # what flaps leaves room for what is rare
            if taken >= most or not note.text.context.startswith(CONTEXTS):
                self._told.add(frame.node)
                continue
            device = self._network.devices.get(note.device)
            about = ("device", note.device) if device and device.node == frame.node else ("node", frame.node)
            at = min(max(start + note.at_s, 0.0), now)
            account = note.text.context.startswith(_ACCOUNT) or (verdict and judged)
            if (verdict or account) and self._is_known(frame.node, note, at, account=account):
                continue
            self._taken[frame.node] = taken + 1
            yield Event(at=at, text=note.text, level=note.level, kind=about[0], name=about[1])

    def _is_known(self, node: str, note: FrameNote, at: float, *, account: bool) -> bool:
        """Whether the account of an outage, which comes first, has said what the history says again."""
        _before, _dot, sentence = note.text.context.rpartition("_")
        what = tuple(str(note.text.values.get(key, "")) for key in ("port", "link", "peer"))
        key = (node, note.device, sentence, *what)
        if account:
            self._accounts.pop(key, None)
            self._accounts[key] = at
            for old in list(self._accounts)[:-_MOST_ACCOUNTS]:
                del self._accounts[old]
            return False
        return abs(self._accounts.get(key, -_DAY_S) - at) < _SAME_S

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
