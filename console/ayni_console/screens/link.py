"""One link: both ends, probable cause, past."""

from __future__ import annotations

import statistics
from typing import ClassVar

from ayni_console.feed import NoAnswer
from ayni_console.lines import Line
from ayni_console.screens.page import Page
from ayni_console.view import link as view
from ayni_console.view import values
from ayni_console.view.metric import Series, step_s
from ayni_console.view.page import Look, Row, text
from ayni_core.metrics import METRICS
from ayni_core.wire.messages import LinkView
from ayni_core.wire.questions import AskHistory, History
from ayni_io.i18n import _

_RETRY_S = 30.0


class LinkPage(Page):
    """Tab changes the end whose past is plotted, `z` how far back; Enter opens a number."""

    TOPIC = "link"
    FOOT: ClassVar[tuple[str, ...]] = (
        "advice",
        "side",
        "zoom",
        "open",
        "help",
        "back",
        "copy",
        "note",
        "events",
        "pause",
    )

    def __init__(self, name: str) -> None:
        super().__init__()
        self.link_id = name
        self.past = view.LinkPast()
        self._loaded_at = 0.0

    def link(self) -> LinkView | None:
        """The link, unless the central has forgotten it."""
        return self.app.model.links.get(self.link_id)

    def crumb(self) -> str:
        """The link's title."""
        return self.app.model.title("link", self.link_id)

    def middle(self, look: Look) -> Line:
        """Its state and since when."""
        link = self.link()
        return (view.state_span(self.app.model, link, look.now),) if link else ()

    def rows(self, look: Look) -> list[Row]:
        """Both ends and the plot."""
        link = self.link()
        if link is None:
            return [text(" ? ", _("The central no longer knows this link."))]
        return view.rows(self.app.model, link, look, self.past)

    def subject(self) -> tuple[str, str]:
        """The link."""
        return "link", self.link_id

    def sites(self) -> tuple[str, ...]:
        """Both ends' sites."""
        link = self.link()
        return (link.a.site, link.b.site) if link else ()

    def as_message(self, look: Look) -> str:
        """The link for a chat."""
        link = self.link()
        return view.as_message(self.app.model, link, look) if link else ""

    def meaning(self) -> str:
        """Of the selected number."""
        metric = (self.window.key or "").removeprefix("metric:")
        return f"{values.label(metric)}: {values.meaning(metric)}" if metric in METRICS else ""

    def on_mount(self) -> None:
        """Ask for the past, then for what is normal."""
        self.fetch(self._load())
        self.fetch(self._load_usual(), "usual")

    def tick(self, now: float) -> None:
        """The plot moves on by a column; a question without an answer is asked again."""
        pause = _RETRY_S if self.past.problem else max(view.ZOOMS[self.past.zoom] / 60, 60.0)
        if now - self._loaded_at > pause:
            self.fetch(self._load())

    async def _load(self) -> None:
        now = self._loaded_at = self.app.now()
        past, zoom = self.past, self.past.zoom
        start = now - view.ZOOMS[zoom]
        step = step_s(zoom, self.app.size.width - 11, self.app.model.community.poll_s)
        question = AskHistory(
            start=start, end=now, step_s=step, metric="signal_dbm", link=self.link_id, side=past.side
        )
        try:
            answer = await self.app.feed.ask(question, History)
        except NoAnswer as problem:
            past.problem = str(problem)
        else:
            past.steps, past.start, past.end, past.step_s, past.problem = answer.steps, start, now, step, ""
        self.paint()

    async def _load_usual(self) -> None:
        """What was normal last week, for the numbers whose normal the judge does not give."""
        now = self.app.now()
        for side in view.SIDES:
            for metric in view.USUAL:
                question = AskHistory(
                    start=now - 7 * 86400,
                    end=now,
                    step_s=86400.0,
                    metric=metric,
                    link=self.link_id,
                    side=side,
                )
                try:
                    answer = await self.app.feed.ask(question, History)
                except NoAnswer:
                    continue
                if answer.steps:
                    self.past.usual[side, metric] = statistics.median(step.mean for step in answer.steps)
        self.paint()

    def open_row(self, key: str) -> None:
        """A number over time, at the marked end."""
        metric = key.removeprefix("metric:")
        link = self.link()
        if link is None:
            return
        end = link.a if self.past.side == "a" else link.b
        title = f"{self.app.model.title('site', end.site)}: {values.label(metric)}"
        series = Series(metric=metric, link=self.link_id, side=self.past.side)
        if metric == "voltage_v":  # of which supply, the device's own screen says
            self.app.open_thing("device", end.device)
            return
        if metric == "uptime_s":
            series = Series(metric=metric, device=end.device, group="system", item="")
        elif metric == "speed_bps":
            series = Series(metric=metric, device=end.device, group="interface", item=end.port or "")
        self.app.open_metric(series, title)

    def action_side(self) -> None:
        """The other end."""
        self.past.side = "b" if self.past.side == "a" else "a"
        self.past.end = 0.0
        self.fetch(self._load())
        self.paint()

    def action_zoom(self) -> None:
        """Hour, day, week."""
        zooms = list(view.ZOOMS)
        self.past.zoom = zooms[(zooms.index(self.past.zoom) + 1) % len(zooms)]
        self.past.end = 0.0
        self.fetch(self._load())
        self.paint()
