"""One link: both ends, what is normal, probable cause and its signs, past."""

from __future__ import annotations

from typing import ClassVar

from ayni_console.feed import NoAnswer
from ayni_console.lines import Line
from ayni_console.screens.align import AlignPage
from ayni_console.screens.end import EndPage
from ayni_console.screens.page import Page
from ayni_console.view import link as view
from ayni_console.view import past as times
from ayni_console.view.metric import Series
from ayni_console.view.page import Look, Row, text
from ayni_core.metrics import METRICS
from ayni_core.wire.messages import LinkView
from ayni_core.wire.questions import AskEvidence, AskHistory, Evidence, History
from ayni_io import values
from ayni_io.i18n import _

_RETRY_S = 30.0
_SOON_S, _LATER_S = 20.0, 600.0
"""What is normal is asked for again: soon, for it may just be worked out, then now and then."""
_KEPT = 24


class LinkPage(Page):
    """Tab changes the marked end, `v` what is plotted, `z` and `Z` how far back; Enter opens a number."""

    TOPIC = "link"
    FOOT: ClassVar[tuple[str, ...]] = (
        "advice",
        "do",
        "side",
        "other_view",
        "zoom",
        "zoom_out",
        "align",
        "open",
        "help",
        "back",
        "note",
        "copy",
        "events",
        "pause",
    )

    def __init__(self, name: str) -> None:
        super().__init__()
        self.link_id = name
        self.past = view.LinkPast()
        self._asked_at: dict[tuple[str, str, str], float] = {}
        self._evidence_at = 0.0
        self._evidence_of: tuple[str, str] | None = None
        self._evidence_times = 0

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
        """Both ends, the plot, the signs."""
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
        self._load_past()
        self._load_evidence()

    def tick(self, now: float) -> None:
        """The plot moves on by a column; a question without an answer is asked again."""
        now = self.app.now()  # while the screen stands still, nothing is asked
        step = times.ZOOMS[self.past.zoom] / 60
        pause = _RETRY_S if self.past.problem else max(step, 60.0)
        if now - min((self._asked_at.get(key, 0.0) for key in self.past.wanted()), default=0.0) > pause:
            self._load_past(anew=True)
        link = self.link()
        cause = link.cause.context if link is not None and link.cause is not None else ""
        about = (link.state if link is not None else "", cause)
        soon = self._evidence_times < 3 or about != self._evidence_of
        if now - self._evidence_at > (_SOON_S if soon else _LATER_S):
            self._load_evidence()

    def _load_past(self, *, anew: bool = False) -> None:
        """Ask for what is plotted, as far as it is not known."""
        keys = [key for key in self.past.wanted() if anew or key not in self.past.known]
        if keys:
            self.fetch(self._load(keys))

    async def _load(self, keys: list[tuple[str, str, str]]) -> None:
        past, look = self.past, self.look()
        for key in keys:
            metric, side, zoom = key
            now = self._asked_at[key] = self.app.now()
            start = now - times.ZOOMS[zoom]
            step = times.step_s(zoom, look, self.app.model.community.poll_s)
            question = AskHistory(
                start=start, end=now, step_s=step, metric=metric, link=self.link_id, side=side
            )
            try:
                answer = await self.app.feed.ask(question, History)
            except NoAnswer as problem:
                past.problem = str(problem)
                break
            past.known.pop(key, None)
            past.known[key] = view.Stretch(steps=answer.steps, start=start, end=now, step_s=step)
            past.problem = ""
            while len(past.known) > _KEPT:
                del past.known[next(iter(past.known))]
        self.paint()

    def _load_evidence(self) -> None:
        link = self.link()
        self._evidence_at = self.app.now()
        self._evidence_times += 1
        if link is not None:
            self._evidence_of = (link.state, link.cause.context if link.cause else "")
        self.fetch(self._ask_evidence(), "evidence")

    async def _ask_evidence(self) -> None:
        try:
            self.past.take(await self.app.feed.ask(AskEvidence(link=self.link_id), Evidence))
        except NoAnswer:
            return  # the link's own normal is shown, and it is asked again
        self.paint()

    def open_row(self, key: str) -> None:
        """A number over time, at the marked end; or that end with all it says."""
        metric = key.removeprefix("metric:")
        link = self.link()
        if link is None:
            return
        if key == view.END or metric == "signal_chain_dbm":  # each chain is a series of its own
            self.app.push_screen(EndPage(self.link_id, self.past.side))
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
        self._show_past()

    def action_other_view(self) -> None:
        """Plot another number, or both ends."""
        link = self.link()
        if link is None:
            return
        plots = view.plots_of(link)
        at = plots.index(self.past.what) if self.past.what in plots else -1
        self.past.what = plots[(at + 1) % len(plots)]
        self._show_past()

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
        self.past.zoom = zoom
        self._show_past()

    def _show_past(self) -> None:
        self._load_past()
        self.paint()

    def action_align(self) -> None:
        """Turn an antenna with a live number."""
        if self.link() is not None:
            self.app.push_screen(AlignPage(self.link_id, self.past.side))
