"""A site with what stands there, and a device with its readings."""

from __future__ import annotations

from typing import ClassVar

from ayni_console.feed import NoAnswer
from ayni_console.lines import Line, Span
from ayni_console.screens.page import Page
from ayni_console.view import site as view
from ayni_console.view import values
from ayni_console.view.metric import Series
from ayni_console.view.page import Look, Row, matches, text
from ayni_core.wire.questions import AskReadings, Reading, Readings
from ayni_io import words
from ayni_io.i18n import _

_AGAIN_S, _SOONEST_S = 30.0, 2.0


class SitePage(Page):
    """Devices, links, monitors and ways to the Internet of one site."""

    TOPIC = "site"
    FOOT: ClassVar[tuple[str, ...]] = ("open", "advice", "map", "events", "note", "copy", "help", "back")

    def __init__(self, name: str) -> None:
        super().__init__()
        self.site_id = name

    def crumb(self) -> str:
        """The site's title."""
        return self.app.model.title("site", self.site_id)

    def middle(self, look: Look) -> Line:
        """Its state."""
        state = self.app.model.state("site", self.site_id, look.now)
        return (Span(f"{words.symbol(state)} {words.word(state)}", words.style(state)),)

    def rows(self, look: Look) -> list[Row]:
        """What stands there."""
        site = self.app.model.sites.get(self.site_id)
        if site is None:
            return [text(" ? ", _("The central does not know this site."))]
        return view.site_rows(self.app.model, site, look)

    def subject(self) -> tuple[str, str]:
        """The selected thing if it is one that can be wrong, else the site."""
        kind, _colon, name = (self.window.key or "").partition(":")
        return (kind, name) if kind in ("link", "device", "node", "upstream") else ("site", self.site_id)

    def sites(self) -> tuple[str, ...]:
        """This one."""
        return (self.site_id,)

    def open_row(self, key: str) -> None:
        """A device or a link."""
        kind, _colon, name = key.partition(":")
        if kind in ("device", "link"):
            self.app.open_thing(kind, name)


class DevicePage(Page):
    """Every reading of a device, with its age and what the selected one means."""

    TOPIC = "device"
    FOOT: ClassVar[tuple[str, ...]] = ("open", "filter", "advice", "events", "note", "copy", "help", "back")

    def __init__(self, name: str) -> None:
        super().__init__()
        self.device_id = name
        self.readings: tuple[Reading, ...] = ()
        self.problem = ""
        self._asked_at = 0.0
        self._as_of: float | None = None

    def crumb(self) -> str:
        """The device's title."""
        return self.app.model.title("device", self.device_id)

    def rows(self, look: Look) -> list[Row]:
        """All readings that fit the filter."""
        device = self.app.model.devices.get(self.device_id)
        if device is None:
            return [text(" ? ", _("The central does not know this device."))]
        shown = [each for each in self.readings if matches(self.wanted, *_words(each))]
        return view.device_rows(self.app.model, device, look, shown, self.problem, self.window.key)

    def subject(self) -> tuple[str, str]:
        """The device."""
        return "device", self.device_id

    def sites(self) -> tuple[str, ...]:
        """The device's site."""
        site = self.app.model.site_of("device", self.device_id)
        return (site,) if site else ()

    def as_message(self, look: Look) -> str:
        """The device for a chat."""
        device = self.app.model.devices.get(self.device_id)
        return view.device_message(device, self.readings, look) if device else ""

    def meaning(self) -> str:
        """Of the selected reading."""
        if not (self.window.key or "").startswith("reading"):
            return ""
        metric = view.parse_key(self.window.key or "")[2]
        return f"{values.label(metric)}: {values.meaning(metric)}"

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
            answer = await self.app.feed.ask(AskReadings(device=self.device_id), Readings)
        except NoAnswer as problem:
            self.problem = "" if self.readings else str(problem)
        else:
            self.readings, self.problem = answer.readings, ""
            if not self.readings:
                self.problem = _("This device has never been read.")
        self.paint()

    def open_row(self, key: str) -> None:
        """A reading over time."""
        group, item, metric = view.parse_key(key)
        title = f"{item} {values.label(metric)}".strip()
        self.app.open_metric(Series(metric=metric, device=self.device_id, group=group, item=item), title)


def _words(reading: Reading) -> tuple[str, ...]:
    return (
        reading.item,
        view.group_name(reading.group, reading.item),
        reading.metric,
        values.label(reading.metric),
    )
