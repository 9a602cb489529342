"""What a hub is for: all at once on one machine; or one of several that share the work.

A *worker* stores what comes in for the buckets that it owns, and acknowledges it. One *judge* hears all news,
judges, answers and commands, and acknowledges nothing. A *mirror* stores what a village's hub feeds it, and
what monitors that lost their village bring; it answers, but the verdict is the village's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ayni_core.wire import topics

PARTS = (f"{topics.PREFIX}/part/+", f"{topics.PREFIX}/told/+")
"""Where workers and villages say how they are and what happened."""


@dataclass(frozen=True, slots=True)
class Role:
    """`acknowledges`: what was stored here is safe; `judges`: says what holds; `leads`: hears other parts."""

    name: str
    acknowledges: bool = True
    judges: bool = True
    leads: bool = False


ALL = Role("all")
WORKER = Role("worker", judges=False)
JUDGE = Role("judge", acknowledges=False, leads=True)
MIRROR = Role("mirror", judges=False, leads=True)
ROLES = {role.name: role for role in (ALL, WORKER, JUDGE, MIRROR)}


def hears(role: Role, buckets: Sequence[int] = ()) -> tuple[str, ...]:
    """What a hub of this role subscribes to."""
    below = topics.PREFIX
    match role.name:
        case "worker":
            frames = tuple(f"{below}/{root}/{bucket:02d}/#" for root in ("in", "fed") for bucket in buckets)
            return (*frames, f"{below}/state/+", topics.HUB)
        case "judge":
            news = tuple(f"{below}/in/+/+/{kind}" for kind in ("live", "watch"))
            others = tuple(each for each in topics.HUB_HEARS if each != f"{below}/in/#")
            return (*news, *others, *PARTS)
        case "mirror":
            roots = ("in", "fed", "state", "ask")
            return (*(f"{below}/{root}/#" for root in roots), *PARTS)
    return topics.HUB_HEARS
