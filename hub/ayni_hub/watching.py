"""Who is being watched, so that a node hears of it only when it has to: its link may be metered.

A console asks again every half minute, and many consoles may look at the same site.
"""

from __future__ import annotations

from dataclasses import dataclass

SHORTEST_S, LONGEST_S = 15.0, 300.0
_PAUSE_S = 10.0
_ENOUGH = 0.75


@dataclass(frozen=True, slots=True)
class _Watch:
    epoch: str
    sent_at: float
    until: float

    def enough(self, for_s: float, now: float) -> bool:
        """Whether the node need not hear of it again; a clock that was set back ends all that was known."""
        recent = 0 <= now - self.sent_at < _PAUSE_S
        return recent or (self.sent_at <= now and self.until - now >= _ENOUGH * for_s)


class Watching:
    """The last command to each node."""

    def __init__(self) -> None:
        self._watches: dict[str, _Watch] = {}

    def due(self, node: str, epoch: str, for_s: float, now: float) -> bool:
        """Whether a node has to be told that somebody looks for `for_s` seconds more; counts as told then."""
        watch = self._watches.get(node)
        if watch is not None and watch.epoch == epoch and watch.enough(for_s, now):
            return False
        self._watches[node] = _Watch(epoch, now, now + for_s)
        return True
