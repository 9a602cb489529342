"""How many events an hour there may be about one monitor and what it polls.

Whoever holds a monitor's account can have its devices fall and rise at each report, and every time is an
event that is kept for years. What people write, and what is about nothing in particular, is always kept."""

from __future__ import annotations

from collections.abc import Iterable

from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.wire.messages import Event
from ayni_hub.tally import Tally

MOST, MOST_OF_DEVICE = 300, 20
"""An hour of one monitor: a site that loses its power several times, device by device."""
_HOUR_S = 3600.0


class EventBudget:
    """Counts by the hour of the clock that is handed in."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._hour = 0
        self._kept: dict[str, int] = {}
        self._left_out: Tally[str] = Tally(_HOUR_S, "")

    def keep(self, events: Iterable[Event], now: float) -> list[Event]:
        """Those that are written down, and what is to be said of the others."""
        hour = int(now // _HOUR_S)
        if hour != self._hour:
            self._hour = hour
            self._kept.clear()
        kept: list[Event] = []
        for event in events:
            node = "" if event.author else self._node_of(event)
            if node:
                count = self._kept[node] = self._kept.get(node, 0) + 1
                if count > MOST + MOST_OF_DEVICE * len(self._network.devices_of(node)):
                    self._left_out.add(node)
                    continue
            kept.append(event)
        return kept + [
            Event(
                at=now, text=Message("event.many_events", {"count": count, "node": node}), level="warn",
                kind="node", name=node,
            )
            for node, count, _detail in self._left_out.due(now)
            if node
        ]  # fmt: skip

    def _node_of(self, event: Event) -> str:
        """The monitor through which this is known; empty: none in particular."""
        match event.kind:
            case "node" if event.name in self._network.nodes:
                return event.name
            case "device" if event.name in self._network.devices:
                return self._network.devices[event.name].node
            case "link" if event.name in self._network.links:
                return self._network.devices[self._network.links[event.name].a.device].node
        return ""
