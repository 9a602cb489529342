"""One number over time, and its samples."""

from __future__ import annotations

from typing import ClassVar

from ayni_console.feed import NoAnswer
from ayni_console.screens.page import Page
from ayni_console.view import metric as view
from ayni_console.view import values
from ayni_console.view.link import ZOOMS
from ayni_console.view.page import Look, Row
from ayni_core.wire.questions import History
from ayni_io.i18n import _

_RETRY_S = 30.0


class MetricPage(Page):
    """`z` zooms: hour, day, week."""

    TOPIC = "metric"
    FOOT: ClassVar[tuple[str, ...]] = ("zoom", "copy", "events", "help", "back")

    def __init__(self, series: view.Series, title: str) -> None:
        super().__init__()
        self.series, self.title_shown = series, title
        self.past = view.Past()
        self._loaded_at = 0.0

    def crumb(self) -> str:
        """What is looked at."""
        return self.title_shown

    def rows(self, look: Look) -> list[Row]:
        """Plot and samples."""
        return view.rows(self.series, self.past, look)

    def subject(self) -> tuple[str, str] | None:
        """The link or device it belongs to."""
        if self.series.link:
            return "link", self.series.link
        return ("device", self.series.device) if self.series.device else None

    def meaning(self) -> str:
        """What the number means."""
        return values.meaning(self.series.metric)

    def on_mount(self) -> None:
        """Ask for it."""
        self.fetch(self._load())

    def tick(self, now: float) -> None:
        """A new column, or a retry."""
        if now - self._loaded_at > (_RETRY_S if self.past.problem else max(ZOOMS[self.past.zoom] / 60, 15.0)):
            self.fetch(self._load())

    async def _load(self) -> None:
        now = self._loaded_at = self.app.now()
        start = now - ZOOMS[self.past.zoom]
        step = view.step_s(self.past.zoom, self.app.size.width - 11, self.app.model.community.poll_s)
        try:
            answer = await self.app.feed.ask(self.series.ask(start, now, step), History)
        except NoAnswer as problem:
            self.past.problem = str(problem)
        else:
            self.past.steps, self.past.start, self.past.end = answer.steps, start, now
            self.past.step_s, self.past.problem = step, ""
            if not answer.steps:
                self.past.problem = _("Nothing was measured in this time.")
        self.paint()

    def action_zoom(self) -> None:
        """Hour, day, week."""
        zooms = list(ZOOMS)
        self.past.zoom = zooms[(zooms.index(self.past.zoom) + 1) % len(zooms)]
        self.past.end = 0.0
        self.past.problem = ""
        self.fetch(self._load())
        self.paint()
