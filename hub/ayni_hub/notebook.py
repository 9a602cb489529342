"""What people write into the notebook: who may, about what, and how much at a time."""

from __future__ import annotations

from collections import deque

from ayni_core import commands
from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.wire.messages import Event
from ayni_core.wire.questions import AskNote
from ayni_hub.who import Who

LONGEST = 2000
LATE_S = 30 * 86_400.0
"""A note that was written without contact may be so late; its time counts then."""
_AHEAD_S = 60.0
MOST, WITHIN_S = 30, 600.0
"""Notes of one person; a class on one login writes fewer."""


class Notebook:
    """Looks at a note before it is kept. Notes are about what the inventory has, or about nothing (kind and
    name empty): about the network."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.who = Who(network)
        """Who writes: on a shared login people say so, and no PIN is asked for."""
        self._written: dict[str, deque[float]] = {}

    def write(self, asked: AskNote, user: str, now: float) -> Event | Message:
        """The note as it will be kept, or why not."""
        actor = self.who.actor(user, asked.author)
        if isinstance(actor, Message):
            return actor
        if not commands.at_least(actor.role, "operator"):
            return Message("answer.not_allowed", {"user": actor.name})
        words = asked.text.strip()[:LONGEST]
        if not words:
            return Message("answer.empty_note")
        if not self._exists(asked.kind, asked.name):
            return Message("answer.not_found", {"name": asked.name[:80] or asked.kind[:80]})
        if not self._may_write_more(user, now):
            return Message("answer.too_many_notes", {"most": MOST, "minutes": int(WITHIN_S // 60)})
        text = Message("event.note", {"author": actor.shown, "text": words})
        late = asked.at is not None and now - LATE_S <= asked.at <= now + _AHEAD_S
        at = asked.at if late and asked.at is not None else now
        return Event(at=at, text=text, level="note", kind=asked.kind, name=asked.name, author=user)

    def _exists(self, kind: str, name: str) -> bool:
        if not kind and not name:
            return True
        known = {
            "link": self._network.links,
            "site": self._network.sites,
            "device": self._network.devices,
            "node": self._network.nodes,
            "upstream": self._network.upstreams,
        }
        return name in known.get(kind, {})

    def _may_write_more(self, user: str, now: float) -> bool:
        written = self._written.setdefault(user, deque())
        while written and not 0 <= now - written[0] < WITHIN_S:
            written.popleft()
        if len(written) >= MOST:
            return False
        written.append(now)
        return True
