"""One number over time, and below that the values as they were measured."""

from __future__ import annotations

from typing import ClassVar

from ayni_console.feed import NoAnswer
from ayni_console.screens.page import Page
from ayni_console.view import metric as view
from ayni_console.view import past as times
from ayni_console.view.link import usually
from ayni_console.view.page import Look, Row
from ayni_core.wire.questions import AskEvidence, Evidence, History, Samples
from ayni_io import values
from ayni_io.i18n import _

_RETRY_S = 30.0
_MOST_KEPT = 5000
_NEAR_THE_END = 20


class MetricPage(Page):
    """`z` and `Z` zoom from an hour to a year; Enter opens what was measured then."""

    TOPIC = "metric"
    FOOT: ClassVar[tuple[str, ...]] = ("zoom", "zoom_out", "open", "copy", "events", "help", "back")

    def __init__(self, series: view.Series, title: str) -> None:
        super().__init__()
        self.series, self.title_shown = series, title
        self.past = view.Past()
        self._loaded_at = 0.0

    def crumb(self) -> str:
        """What is looked at."""
        return self.title_shown

    def rows(self, look: Look) -> list[Row]:
        """Plot and steps."""
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
        """Ask for it, and for what is normal."""
        self.fetch(self._load())
        if self.series.link is not None:
            self.fetch(self._load_levels(self.series.link), "levels")

    def tick(self, now: float) -> None:
        """A new column, or a retry."""
        now = self.app.now()  # while the screen stands still, nothing is asked
        pause = _RETRY_S if self.past.problem else max(times.ZOOMS[self.past.zoom] / 60, 15.0)
        if now - self._loaded_at > pause:
            self.fetch(self._load())

    async def _load(self) -> None:
        now = self._loaded_at = self.app.now()
        start = now - times.ZOOMS[self.past.zoom]
        step = times.step_s(self.past.zoom, self.look(), self.app.model.community.poll_s)
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

    async def _load_levels(self, link: str) -> None:
        try:
            answer = await self.app.feed.ask(AskEvidence(link=link), Evidence)
        except NoAnswer:
            return
        own = (self.series.side, self.series.metric)
        found = [usually(each) for each in answer.normals if (each.side, each.metric) == own]
        self.past.levels = [each for each in found if each is not None]
        self.paint()

    def open_row(self, key: str) -> None:
        """What was measured in a step, and before."""
        at = float(key.removeprefix("at:"))
        self.app.push_screen(SamplesPage(self.series, at + self.past.step_s))

    def action_zoom(self) -> None:
        """A shorter time."""
        self._zoom(-1)

    def action_zoom_out(self) -> None:
        """A longer time."""
        self._zoom(1)

    def _zoom(self, way: int) -> None:
        zoom = times.zoomed(self.past.zoom, way)
        if zoom == self.past.zoom:
            self.app.tell(times.at_the_end(way))
            return
        self.past.zoom, self.past.end, self.past.problem = zoom, 0.0, ""
        self.fetch(self._load())
        self.paint()


class SamplesPage(Page):
    """Values as they were measured, newest first; older ones come as one goes down."""

    TOPIC = "samples"
    FOOT: ClassVar[tuple[str, ...]] = ("copy", "events", "help", "back")

    def __init__(self, series: view.Series, before: float) -> None:
        super().__init__()
        self.series = series
        self.measured = view.Measured()
        self._before = before
        self._asking = False
        self._again_at = 0.0

    def crumb(self) -> str:
        """What it shows."""
        return _("as measured")

    def rows(self, look: Look) -> list[Row]:
        """Every value."""
        return view.sample_rows(self.series, self.measured, look)

    def meaning(self) -> str:
        """What the number means."""
        return values.meaning(self.series.metric)

    def subject(self) -> tuple[str, str] | None:
        """The link or device it belongs to."""
        if self.series.link:
            return "link", self.series.link
        return ("device", self.series.device) if self.series.device else None

    def on_mount(self) -> None:
        """Ask for the newest of them."""
        self._more(self._before)

    def tick(self, now: float) -> None:
        """Older ones, where somebody is near the last; a question without an answer is asked again."""
        now = self.app.now()  # while the screen stands still, nothing is asked
        if now < self._again_at:
            return
        if not self.measured.asked:
            self._more(self._before)
            return
        key = self.window.key or ""
        at = int(key.removeprefix("sample:")) if key.startswith("sample:") else 0
        until = self.measured.until
        if until is not None and at >= len(self.measured.samples) - _NEAR_THE_END:
            self._more(until)

    def _more(self, before: float) -> None:
        if not self._asking:
            self._asking = True
            self.fetch(self._load(before))

    async def _load(self, before: float) -> None:
        try:
            answer = await self.app.feed.ask(self.series.ask_samples(before), Samples)
        except NoAnswer as problem:
            self.measured.problem, self._again_at = str(problem), self.app.now() + _RETRY_S
        else:
            kept = (*self.measured.samples, *answer.samples)[:_MOST_KEPT]
            self.measured = view.Measured(
                samples=kept, until=answer.until if len(kept) < _MOST_KEPT else None, asked=True
            )
        finally:
            self._asking = False
        self.paint()
