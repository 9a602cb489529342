"""How many names of series a device may bring, and all devices of a node: one that invents new ones for ever
must not fill the disk."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from ayni_core.message import Message
from ayni_core.readings import Series
from ayni_core.wire.frame import DevicePolls, Frame
from ayni_core.wire.messages import Event
from ayni_hub.tally import Tally

MOST_NAMES = 20_000
"""Of one device: a switch has 700; an access point with random hardware addresses brings some ten for each
telephone, and they are forgotten like samples when nothing comes for them any more."""
MOST_OF_NODE = 100_000
"""Of all devices of one node: a hundred large switches, and a few such access points."""
_TELL_EVERY_S = 3600.0


class Names:
    """Keeps frames within MOST_NAMES and MOST_OF_NODE. `stored` gives the names of a device that the store
    has, `devices_of` the devices of a node.

    A batch sees its own new names too: call `begin` before each, because a batch may fail as a whole. Copies
    for watchers are not stored, but what they name is remembered by the judge: it counts as well.
    """

    def __init__(
        self,
        stored: Callable[[str], Collection[Series]],
        devices_of: Callable[[str], Iterable[str]] = lambda _node: (),
        most: int = MOST_NAMES,
        most_of_node: int = MOST_OF_NODE,
    ) -> None:
        self._stored = stored
        self._devices_of = devices_of
        self._most, self._most_of_node = most, most_of_node
        self._full: Tally[str] = Tally(_TELL_EVERY_S, "")
        self._fresh: dict[str, set[Series]] = {}
        self._copied: dict[str, set[Series]] = {}
        self._told: Tally[str] = Tally(_TELL_EVERY_S, "")

    def begin(self) -> None:
        """A new batch."""
        self._fresh.clear()

    def bound(self, frame: Frame, *, copy: bool = False) -> Frame:
        """The frame without the series that are too many; `copy`: it will not be stored."""
        changed: dict[str, DevicePolls] = {}
        for device, polls in frame.devices.items():
            known = self._stored(device)
            new = [series for series in polls.values if series not in known]
            refused = self._refused(frame.node, device, known, new, copy) if new else ()
            if refused:
                changed[device] = _without(polls, refused)
        return replace(frame, devices={**frame.devices, **changed}) if changed else frame

    def _refused(
        self, node: str, device: str, known: Collection[Series], new: list[Series], copy: bool
    ) -> Collection[Series]:
        fresh = self._fresh.setdefault(device, set())
        copied = self._copied.setdefault(device, set())
        copied.difference_update(known)
        others = fresh | copied
        unheard = [series for series in new if series not in others]
        room, room_of_node = self._most - len(known) - len(others), self._most_of_node - self._count(node)
        fit = max(0, min(room, room_of_node))
        (copied if copy else fresh).update(unheard[:fit])
        refused = set(unheard[fit:])
        if refused:
            tally, name = (self._full, node) if room_of_node < room else (self._told, device)
            tally.add(name, count=len(refused))
        return refused

    def _count(self, node: str) -> int:
        """The names of all devices of a node."""
        return sum(
            len(self._stored(device)) + len(self._fresh.get(device, set()) | self._copied.get(device, set()))
            for device in self._devices_of(node)
        )

    def events(self, now: float) -> list[Event]:
        """What is due to be told about names that were not taken."""
        found = [
            ("device", device, "event.names_refused", count, self._most)
            for device, count, _detail in self._told.due(now)
        ]
        found += [
            ("node", node, "event.names_refused_node", count, self._most_of_node)
            for node, count, _detail in self._full.due(now)
        ]
        return [
            Event(
                at=now,
                text=Message(text, {"count": count, kind: name, "most": most}),
                level="warn",
                kind=kind,
                name=name,
            )
            for kind, name, text, count, most in found
            if name
        ]


def _without(polls: DevicePolls, refused: Collection[Series]) -> DevicePolls:
    kept = {series: column for series, column in polls.values.items() if series not in refused}
    return DevicePolls(times_s=polls.times_s, values=kept)
