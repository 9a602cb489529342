"""How many names of series a device may bring: one that invents new ones for ever must not fill the disk."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from ayni_core.message import Message
from ayni_core.readings import Series
from ayni_core.wire.frame import DevicePolls, Frame
from ayni_core.wire.messages import Event
from ayni_hub.tally import Tally

MOST_NAMES = 20_000
"""Of one device: a switch has 700; an access point with random hardware addresses brings some ten for each
telephone, and they are forgotten like samples when nothing comes for them any more."""
_TELL_EVERY_S = 3600.0


class Names:
    """Keeps frames within MOST_NAMES. `stored` gives the names of a device that the store has.

    A batch sees its own new names too: call `begin` before each, because a batch may fail as a whole. Copies
    for watchers are not stored, but what they name is remembered by the judge: it counts as well.
    """

    def __init__(self, stored: Callable[[str], Collection[Series]], most: int = MOST_NAMES) -> None:
        self._stored = stored
        self._most = most
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
            refused = self._refused(device, known, new, copy) if new else ()
            if refused:
                changed[device] = _without(polls, refused)
        return replace(frame, devices={**frame.devices, **changed}) if changed else frame

    def _refused(
        self, device: str, known: Collection[Series], new: list[Series], copy: bool
    ) -> Collection[Series]:
        fresh = self._fresh.setdefault(device, set())
        copied = self._copied.setdefault(device, set())
        copied.difference_update(known)
        others = fresh | copied
        unheard = [series for series in new if series not in others]
        room = max(0, self._most - len(known) - len(others))
        (copied if copy else fresh).update(unheard[:room])
        if len(unheard) > room:
            self._told.add(device, count=len(unheard) - room)
        return set(unheard[room:])

    def events(self, now: float) -> list[Event]:
        """What is due to be told about names that were not taken."""
        return [
            Event(
                at=now,
                text=Message("event.names_refused", {"count": count, "device": device, "most": self._most}),
                level="warn",
                kind="device",
                name=device,
            )
            for device, count, _detail in self._told.due(now)
            if device
        ]


def _without(polls: DevicePolls, refused: Collection[Series]) -> DevicePolls:
    kept = {series: column for series, column in polls.values.items() if series not in refused}
    return DevicePolls(times_s=polls.times_s, values=kept)
