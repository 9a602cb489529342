"""Whether the other side of a connection still lives: ask when it is quiet, give up when nothing moves.

Pure: times are monotonic seconds, handed in. A long message on a slow link is no silence: as long as the
other side acknowledges bytes, it lives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

QUIET_S = 4.0
DEAD_S = 9.0
"""With a look every second, a dead connection is known after 15 s at most."""


@dataclass(slots=True)
class Pulse:
    """What is known of one connection."""

    heard: int | None = None
    moved: int | None = None
    heard_s: float = 0.0
    moved_s: float = 0.0
    asked_s: float | None = None

    def rest(self) -> None:
        """Nobody needs to know now."""
        self.heard = None

    def feel(self, now_s: float, heard: int, acknowledged: int | None) -> Literal["ask", "dead"] | None:
        """What to do now: `heard` grows with whatever comes, `acknowledged` with what the other side has
        taken (None where that is not known)."""
        if self.heard is None:
            self.heard, self.moved, self.asked_s = heard, acknowledged, None
            self.heard_s = self.moved_s = now_s
        if heard != self.heard:
            self.heard, self.heard_s, self.moved_s, self.asked_s = heard, now_s, now_s, None
        if acknowledged != self.moved:
            self.moved, self.moved_s = acknowledged, now_s
        if self.asked_s is None:
            if now_s - self.heard_s < QUIET_S:
                return None
            self.asked_s = now_s
            return "ask"
        return "dead" if now_s - max(self.asked_s, self.moved_s) >= DEAD_S else None
