"""What was refused: one line in the log for each node and kind of fault, then at most one a minute.

People are told at most once an hour. A node whose frames cost much and bring nothing is put off for the rest
of a minute, so that the others get their turn: its frames are not acknowledged, and come again.
"""

from __future__ import annotations

import logging

from ayni_core.message import Message
from ayni_core.wire import WireError
from ayni_core.wire.messages import Event
from ayni_hub.tally import Tally

log = logging.getLogger("hub")
_LOG_EVERY_S, _TELL_EVERY_S = 60.0, 3600.0
_COSTLY = ("shape", "json", "size")
"""Found only after a megabyte was unpacked and read: up to 30 ms each."""
_COSTLY_A_MINUTE = 60
_MOST_NODES = 500
NOBODY = "?"
"""In place of a node that is not one of ours."""


class Refusals:
    """Counted by (node, kind). `node` is NOBODY for names that the inventory does not know."""

    def __init__(self) -> None:
        self._logged: Tally[tuple[str, str]] = Tally(_LOG_EVERY_S, (NOBODY, "many"))
        self._told: Tally[tuple[str, str]] = Tally(_TELL_EVERY_S, (NOBODY, "many"))
        self._costly: dict[str, int] = {}
        self._minute = 0

    def add(self, node: str, error: WireError, now: float) -> None:
        """A frame of a node was refused."""
        self._logged.add((node, error.kind), str(error)[:200])
        if error.kind != "dictionary":  # the node sends it again without one: nobody has to do anything
            self._told.add((node, error.kind), str(error)[:120])
        if error.kind in _COSTLY:
            self._turn(now)
            if node in self._costly or len(self._costly) < _MOST_NODES:
                self._costly[node] = self._costly.get(node, 0) + 1

    def puts_off(self, node: str, now: float) -> bool:
        """Whether nothing of this node is looked at for the rest of the minute; counted."""
        self._turn(now)
        if self._costly.get(node, 0) < _COSTLY_A_MINUTE:
            return False
        self._logged.add((node, "put off"), f"more than {_COSTLY_A_MINUTE} bad frames in a minute")
        return True

    def write(self, now: float) -> None:
        """What is due, into the log."""
        for (node, kind), count, cause in self._logged.due(now):
            log.warning("frames refused node=%s kind=%s count=%d cause=%s", node, kind, count, cause)

    def events(self, now: float) -> list[Event]:
        """What is due, for people; nothing about nodes that are not ours."""
        return [
            Event(
                at=now,
                text=Message("event.frames_refused", {"count": count, "node": node, "reason": cause}),
                level="warn",
                kind="node",
                name=node,
            )
            for (node, _kind), count, cause in self._told.due(now)
            if node != NOBODY
        ]

    def _turn(self, now: float) -> None:
        minute = int(now // 60)
        if minute != self._minute:
            self._minute = minute
            self._costly.clear()
