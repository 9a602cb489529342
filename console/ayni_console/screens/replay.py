"""The past: from when on it is shown, how fast it goes by, and the way back to now."""

from __future__ import annotations

from typing import ClassVar

from textual.widgets import Input

from ayni_console.feed import NoAnswer
from ayni_console.screens.page import Page
from ayni_console.view import replay as view
from ayni_console.view.page import Look, Row
from ayni_core.wire.messages import Event
from ayni_core.wire.questions import AskEvents, Events
from ayni_io.i18n import _

_MOST_ALARMS = 100


class ReplayPage(Page):
    """Enter begins where the line says."""

    TOPIC = "replay"
    FOOT: ClassVar[tuple[str, ...]] = ("open", "faster", "pause", "home", "help", "back")

    def __init__(self) -> None:
        super().__init__()
        self.alarms: tuple[Event, ...] = ()
        self.problem = ""
        self.asked = False

    def crumb(self) -> str:
        """The past."""
        return _("The past")

    def rows(self, look: Look) -> list[Row]:
        """Moments to begin at."""
        replay = self.app.replay
        return view.rows(
            look, self.alarms, self.problem, asked=self.asked,
            speed=replay.speed if replay else None, stopped=replay is not None and replay.stopped,
        )  # fmt: skip

    def enter_does(self) -> str:
        """It shows the past."""
        return _("show it")

    def on_mount(self) -> None:
        """Ask for the alarms there were."""
        self.fetch(self._load())

    async def _load(self) -> None:
        try:
            answer = await self.app.feed.ask(AskEvents(limit=_MOST_ALARMS, only="alarms"), Events)
            self.alarms = tuple(event for event in answer.events if event.level in ("warn", "critical"))
        except NoAnswer as problem:
            self.problem = str(problem)
        self.asked = True
        self.paint()

    def open_row(self, key: str) -> None:
        """Begin there, or what else the line says."""
        kind, _colon, at = key.partition(":")
        match kind:
            case "at":
                self.app.look_back(float(at))
            case "now":
                self.app.back_to_now()
            case "stop":
                self.app.pause()
            case "faster":
                self.action_faster()
            case _:
                self.open_prompt("moment", _("When? 14:30, 2026-01-31 14:30, or 3 h or 2 d ago:"))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """A time was typed."""
        if self.prompt_action != "moment":
            super().on_input_submitted(event)
            return
        self.close_prompt()
        at = view.moment(event.value, self.app.now())
        if at is None:
            self.app.tell(_("That is no time of the past: {typed}", typed=event.value[:30]))
        else:
            self.app.look_back(at)
        self.paint()
