"""Changes of state of links, sites, devices and ways out, as they are kept for reports over years.

What looks like a change while nothing is seen, or in the first moments after that, is none: after a start
everything is unknown until its news are in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ayni_core.inventory import Network

STEADY_S = 10.0


class Change(NamedTuple):
    """A thing has another state since `at`."""

    kind: str
    name: str
    at: float
    state: str


class States:
    """`known` is the last state of each (kind, name) that was kept."""

    def __init__(self, known: Mapping[tuple[str, str], str]) -> None:
        self._known = dict(known)
        self._waiting: dict[tuple[str, str], tuple[float, str]] = {}
        self._sees_since: float | None = None

    def look(self, changes: Iterable[tuple[str, str, str]], now: float, mono_s: float, *, sees: bool) -> None:
        """Take in (kind, name, state); `sees`: whether news reach us."""
        if not sees:
            self._sees_since = None
        elif self._sees_since is None:
            self._sees_since = mono_s
        for kind, name, state in changes:
            self._waiting[kind, name] = (now, state)

    def due(self, mono_s: float) -> list[Change]:
        """What is to be kept now; `kept` says that it was."""
        if not self._waiting or self._sees_since is None or mono_s - self._sees_since < STEADY_S:
            return []
        return [
            Change(kind, name, round(at, 1), state)
            for (kind, name), (at, state) in self._waiting.items()
            if self._known.get((kind, name)) != state
        ]

    def kept(self, changes: Iterable[Change]) -> None:
        """These are on the disk."""
        self._known |= {(change.kind, change.name): change.state for change in changes}
        self._waiting.clear()

    def gone(self, network: Network) -> list[tuple[str, str]]:
        """What was kept last of things that the inventory has no more, and is not yet said to be gone."""
        there = {
            "link": network.links,
            "site": network.sites,
            "device": network.devices,
            "node": network.nodes,
            "upstream": network.upstreams,
        }
        return [
            (kind, name)
            for (kind, name), state in self._known.items()
            if state != "unknown" and name not in there.get(kind, {})
        ]
