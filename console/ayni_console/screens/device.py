"""A device with all that it says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from ayni_console import state_names
from ayni_console.feed import NoAnswer
from ayni_console.lines import Line, Span
from ayni_console.screens.about import TellingPage
from ayni_console.view import device as view
from ayni_console.view import readings as said
from ayni_console.view.metric import Series
from ayni_console.view.page import Look, Row, at_row, text
from ayni_core.wire.questions import AskReadings, Reading, Readings
from ayni_io import values, words
from ayni_io.i18n import _
from ayni_io.readings import Part

_AGAIN_S, _SOONEST_S = 30.0, 2.0


class DevicePage(TellingPage):
    """Every reading of a device, with its age. Enter on a number shows it over time, on a port all of it."""

    TOPIC = "device"
    FOOT: ClassVar[tuple[str, ...]] = (
        "open",
        "filter",
        "advice",
        "do",
        "help",
        "back",
        "map",
        "events",
        "note",
        "copy",
        "pause",
    )

    def __init__(self, name: str) -> None:
        super().__init__()
        self.device_id = name
        self.readings: tuple[Reading, ...] = ()
        self.opened: set[Part] = set()
        self.problem = ""
        self._asked_at = 0.0
        self._as_of: float | None = None

    def crumb(self) -> str:
        """The device's title."""
        return self.app.model.title("device", self.device_id)

    def middle(self, look: Look) -> Line:
        """Its state."""
        state = self.app.model.state("device", self.device_id, look.now)
        return (Span(f"{words.symbol(state)} {words.word(state)}", words.style(state)),)

    def rows(self, look: Look) -> list[Row]:
        """All readings that fit the filter."""
        model = self.app.model
        device = model.devices.get(self.device_id)
        if device is None:
            return [text(" ? ", _("The central does not know this device."))]
        return view.device_rows(model, device, look, self.readings, self.problem, self.wanted, self.opened)

    def about(self) -> str:
        """What the selected line means."""
        return view.about(self.app.model, self.window.key or "", self.readings, self.app.now())

    def subject(self) -> tuple[str, str]:
        """The selected link or what an alarm is about; else the device."""
        kind, _colon, name = (self.window.key or "").partition(":")
        if kind == "link":
            return kind, name
        return "device", self.device_id

    def enter_does(self) -> str:
        """A port or a neighbour opens in place, and closes again."""
        part = said.parse_part(self.window.key or "")
        if part is None:
            return ""
        return _("less") if part in self.opened else _("more")

    def sites(self) -> tuple[str, ...]:
        """The device's site."""
        site = self.app.model.site_of("device", self.device_id)
        return (site,) if site else ()

    def as_message(self, look: Look) -> str:
        """The device for a chat."""
        device = self.app.model.devices.get(self.device_id)
        return view.device_message(device, self.readings, look) if device else ""

    def on_mount(self) -> None:
        """Ask for the readings."""
        self.fetch(self._load())

    def tick(self, now: float) -> None:
        """Ask again when the device was measured anew, or nothing came for a while."""
        device = self.app.model.devices.get(self.device_id)
        renewed = device is not None and device.as_of != self._as_of
        if now - self._asked_at > (_SOONEST_S if renewed else _AGAIN_S):
            self.fetch(self._load())

    async def _load(self) -> None:
        self._asked_at = self.app.now()
        device = self.app.model.devices.get(self.device_id)
        self._as_of = device.as_of if device else None
        try:
            answer = await self.app.feed.ask(AskReadings(device=self.device_id, rates=True), Readings)
        except NoAnswer as problem:
            self.problem = "" if self.readings else str(problem)
        else:
            profile = (device.profile if device else None) or _profile_of(answer.readings)
            names = await asyncio.to_thread(state_names.of_profile, profile) if profile else {}
            self.readings, self.problem = state_names.named(answer.readings, names), ""
            if not self.readings:
                self.problem = _("This device has never been read.")
            elif not self.window.moved:
                self._begin()
        self.paint()

    def _begin(self) -> None:
        """Select the first number, below alarms and links. What a radio hears is open if it is only one."""
        heard = {part for part in view.parts_of(self.readings) if part[0] == "station"}
        self.opened |= heard if len(heard) == 1 else set()
        keys = [row.key for row in self.rows(self.look()) if row.key and said.is_reading(row.key)]
        numbers = [key for key in keys if said.parse_part(key) is None]
        opened = keys[:1] if len(heard) > 1 else numbers[:1] or keys[:1]
        if opened:
            self.window = at_row(opened[0])

    def open_row(self, key: str) -> None:
        """A reading over time; all of a port; the advice on an alarm; a link or another device."""
        part = said.parse_part(key)
        if part is not None:
            self.opened ^= {part}
            self.paint()
        elif key.startswith("reading"):
            group, item, metric = said.parse_key(key)
            title = f"{item} {values.label(metric)}".strip()
            self.app.open_metric(Series(metric=metric, device=self.device_id, group=group, item=item), title)
        else:
            kind, _colon, name = key.partition(":")
            self.app.open_line(kind, name)

    def action_aside(self, way: int) -> None:
        """Right opens a port, left closes it."""
        part = said.parse_part(self.window.key or "")
        if part is not None:
            self.opened = self.opened | {part} if way > 0 else self.opened - {part}
            self.paint()


def _profile_of(readings: Sequence[Reading]) -> str:
    """The profile that the monitor reads the device by, where network.yaml names none."""
    value = (each.value for each in readings if (each.group, each.metric) == ("system", "profile"))
    return str(next(value, None) or "")
