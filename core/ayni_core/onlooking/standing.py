"""The states of many things at a moment, kept from one look to the next: only what changed is asked again.

A state changes with a message, or by time alone when news that was promised does not come. With a thousand
links a screen that asked each of them several times a second would be busy with nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import compress
from operator import is_not
from typing import Generic, NamedTuple, Protocol, TypeVar


class Promised(Protocol):
    """A view with a state, and a time by which there is to be news of it."""

    @property
    def state(self) -> str:
        """What was told of it."""
        ...

    @property
    def next_by(self) -> float | None:
        """When the next news of it is due."""
        ...


View = TypeVar("View", bound=Promised)


class _Seen(NamedTuple):
    """What a look at a `version` found. By itself it holds later than `since`, and until `until`."""

    version: int = -1
    views: Mapping[str, Promised] = {}
    states: Mapping[str, str] = {}
    grace_s: float = 0.0
    since: float = -math.inf
    until: float = math.inf


class Standing(Generic[View]):
    """The states of a table of views. A view never changes: it is replaced."""

    def __init__(self, views: Mapping[str, View]) -> None:
        self._views = views
        self._seen = _Seen()

    def states(self, now: float, grace_s: float, version: int) -> Mapping[str, str]:
        """Each state by name, `no_news` where news is late by more than `grace_s` seconds.

        `version` is another one whenever a view was replaced. As long as no state is another one, it is the
        same mapping that was given before.
        """
        seen = self._seen
        if grace_s != seen.grace_s or not seen.since < now <= seen.until:
            seen = _Seen(states=seen.states, grace_s=grace_s)
        elif version == seen.version and len(seen.views) == len(self._views):
            return seen.states
        changed = replaced(seen.views, self._views)
        if changed or len(seen.views) != len(self._views):
            seen = _look(seen, dict(self._views), changed, now)
        self._seen = seen._replace(version=version)
        return seen.states


def replaced(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """The names of `now` that stand for another object than before; of a thousand in a few microseconds."""
    if len(before) != len(now):
        return [name for name, view in now.items() if before.get(name) is not view]
    # side by side: where a name went and another came, all that moved up is named, too
    return list(compress(now, map(is_not, before.values(), now.values())))


def _look(seen: _Seen, views: Mapping[str, Promised], changed: Iterable[str], now: float) -> _Seen:
    """The same with some names looked at anew; what was handed out before is not touched."""
    since, until = seen.since, seen.until
    found: dict[str, str] = {}
    for name in changed:
        view = views[name]
        found[name] = view.state
        if view.next_by is not None:
            late_at = view.next_by + seen.grace_s
            if now > late_at:
                found[name], since = "no_news", max(since, late_at)
            else:
                until = min(until, late_at)
    states = seen.states
    if len(views) != len(states) or any(states.get(name) != state for name, state in found.items()):
        states = {name: found[name] if name in found else states[name] for name in views}
    return seen._replace(views=views, states=states, since=since, until=until)
