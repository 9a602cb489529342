"""Which port? Those of one device, with what they say, to be switched."""

from __future__ import annotations

from typing import ClassVar

from ayni_console.feed import NoAnswer
from ayni_console.screens.page import Page
from ayni_console.view import command as view
from ayni_console.view.page import Look, Row, matches
from ayni_core.wire.questions import AskReadings, Reading, Readings
from ayni_io.i18n import _


class PortsPage(Page):
    """Which port goes up or down, or whose power goes off and on."""

    TOPIC = "ports"
    FOOT: ClassVar[tuple[str, ...]] = ("open", "filter", "help", "back", "home")

    def __init__(self, device: str, do: str) -> None:
        super().__init__()
        self.device, self.do = device, do
        self.readings: tuple[Reading, ...] = ()
        self.problem = ""

    def crumb(self) -> str:
        """Its ports."""
        return _("Ports")

    def subject(self) -> tuple[str, str]:
        """The device."""
        return "device", self.device

    def rows(self, look: Look) -> list[Row]:
        """Every port that fits the filter."""
        shown = tuple(each for each in self.readings if matches(self.wanted, each.item))
        return view.port_rows(shown, self.do, look, self.problem)

    def on_mount(self) -> None:
        """Ask what the ports say."""
        self.fetch(self._load())

    async def _load(self) -> None:
        try:
            answer = await self.app.feed.ask(AskReadings(device=self.device), Readings)
        except NoAnswer as problem:
            self.problem = str(problem)
        else:
            self.readings = answer.readings
            self.problem = "" if self.readings else _("This device has never been read.")
        self.paint()

    def open_row(self, key: str) -> None:
        """Show what would happen."""
        kind, _colon, name = key.partition(":")
        if kind == "name":
            self.open_prompt("ask", _("Name of the port (Enter; Esc leaves):"), then=self._take)
        else:
            self._take(name)

    def _take(self, name: str) -> None:
        name = name.strip()
        if not name:
            return
        said = dict(view.ports(self.readings, self.do)).get(name, {})
        value = "" if self.do == "poe" else "up" if view.is_up(said) is False else "down"
        self.app.deeds.open_command("device", self.device, self.do, item=name, value=value)
