"""A site with what stands there."""

from __future__ import annotations

from typing import ClassVar

from ayni_console import verify
from ayni_console.feed import NoAnswer
from ayni_console.lines import Line, Span
from ayni_console.screens.about import TellingPage
from ayni_console.view import roots
from ayni_console.view import site as view
from ayni_console.view.metric import Series
from ayni_console.view.page import Look, Row, at_row, text
from ayni_core.wire.questions import AskReadings, Readings
from ayni_io import values, words
from ayni_io.i18n import _

_AGAIN_S, _SOONEST_S = 60.0, 5.0
_MOST_ASKED = 24
"""Devices of a site that are asked for their power, one after the other."""


class SitePage(TellingPage):
    """Alarms, devices, links, monitors, ways to the Internet and the power of one site."""

    TOPIC = "site"
    FOOT: ClassVar[tuple[str, ...]] = (
        "open",
        "advice",
        "do",
        "map",
        "help",
        "back",
        "filter",
        "events",
        "note",
        "copy",
        "pause",
    )

    def __init__(self, name: str) -> None:
        super().__init__()
        self.site_id = name
        self.power = view.Power()
        self._asked_at = 0.0
        self._as_of: tuple[float | None, ...] = ()

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
        return view.site_rows(self.app.model, site, look, self.power, self.wanted)

    def about(self) -> str:
        """What there is to say of the selected line."""
        return view.about(self.app.model, self.window.key or "", self.power, self.app.now())

    def subject(self) -> tuple[str, str]:
        """The selected thing if it is one that can be wrong, else the site."""
        kind, _colon, name = (self.window.key or "").partition(":")
        if kind == "alert" and name in self.app.model.alerts:
            alert = self.app.model.alerts[name]
            return alert.kind, alert.name
        return (kind, name) if kind in ("link", "device", "node", "upstream") else ("site", self.site_id)

    def sites(self) -> tuple[str, ...]:
        """This one."""
        return (self.site_id,)

    def on_mount(self) -> None:
        """Select the first device, below the alarms; ask for what the devices say of power."""
        devices = view.devices_of(self.app.model, self.site_id)
        if devices:
            self.window = at_row(f"device:{devices[0].id}")
        self.fetch(self._load())

    def tick(self, now: float) -> None:
        """Ask again when a device was measured anew, or nothing came for a while."""
        renewed = self._as_of != self._measured()
        if now - self._asked_at > (_SOONEST_S if renewed else _AGAIN_S):
            self.fetch(self._load())

    def _measured(self) -> tuple[float | None, ...]:
        return tuple(device.as_of for device in view.devices_of(self.app.model, self.site_id))

    async def _load(self) -> None:
        self._asked_at = self.app.now()
        self._as_of = self._measured()
        for device in view.devices_of(self.app.model, self.site_id)[:_MOST_ASKED]:
            try:
                answer = await self.app.feed.ask(AskReadings(device=device.id, groups=view.POWER), Readings)
            except NoAnswer as problem:
                self.power.problem = "" if self.power.readings else str(problem)
                break
            self.power.readings[device.id] = [each for each in answer.readings if each.group in view.POWER]
            self.power.problem = ""
        self.paint()

    def action_advice(self) -> None:
        """On the selected thing where it is not well, else on what is wrong at the site."""
        now = self.app.now()
        subject = self.subject()
        if subject not in verify.troubled(self.app.model, now):
            item = roots.explains(self.app.model, self.site_id, roots.begins(self.app.model, now))
            subject = (item.kind, item.name) if item else subject
        self.app.open_advice(subject)

    def open_row(self, key: str) -> None:
        """A device, a link, the advice on an alarm, a number over time."""
        of_power = view.parse_power(key)
        if of_power is None:
            kind, _colon, name = key.partition(":")
            self.app.open_line(kind, name)
            return
        device, (group, item, metric) = of_power
        title = f"{self.app.model.title('device', device)} {values.label(metric)}"
        self.app.open_metric(Series(metric=metric, device=device, group=group, item=item), title)
