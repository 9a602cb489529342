"""One end of a link, between the link and its numbers."""

from __future__ import annotations

from typing import ClassVar

from ayni_console.feed import NoAnswer
from ayni_console.lines import Line
from ayni_console.screens.page import Page
from ayni_console.view import end as view
from ayni_console.view import link as link_view
from ayni_console.view import readings as said
from ayni_console.view.metric import Series
from ayni_console.view.page import Look, Row, text
from ayni_core.wire.messages import EndView, LinkView
from ayni_core.wire.questions import AskEvidence, AskReadings, Evidence, Readings
from ayni_io import values
from ayni_io.i18n import _

_AGAIN_S, _RETRY_S = 30.0, 30.0
_SOONEST_S = 2.0


class EndPage(Page):
    """Tab goes to the other end; Enter opens a number over time."""

    TOPIC = "end"
    FOOT: ClassVar[tuple[str, ...]] = ("side", "open", "filter", "advice", "copy", "note", "help", "back")

    def __init__(self, link: str, side: str) -> None:
        super().__init__()
        self.link_id, self.side = link, side
        self.known = view.EndKnown()
        self._asked_at = 0.0
        self._as_of: float | None = None

    def link(self) -> LinkView | None:
        """The link, unless the central has forgotten it."""
        return self.app.model.links.get(self.link_id)

    def end(self) -> EndView | None:
        """The end that is shown."""
        link = self.link()
        return None if link is None else link.a if self.side == "a" else link.b

    def crumb(self) -> str:
        """The site at this end."""
        end = self.end()
        return self.app.model.title("site", end.site) if end else ""

    def middle(self, look: Look) -> Line:
        """The link's state and since when."""
        link = self.link()
        return (link_view.state_span(self.app.model, link, look.now),) if link else ()

    def rows(self, look: Look) -> list[Row]:
        """Its numbers."""
        end = self.end()
        if end is None:
            return [text(" ? ", _("The central no longer knows this link."))]
        return view.rows(self.app.model, end, self.side, look, self.known, self.wanted)

    def subject(self) -> tuple[str, str]:
        """The link."""
        return "link", self.link_id

    def sites(self) -> tuple[str, ...]:
        """This end's site."""
        end = self.end()
        return (end.site,) if end else ()

    def meaning(self) -> str:
        """Of the selected number."""
        key = self.window.key or ""
        if not key or key.startswith("device:"):
            return ""
        metric = said.parse_key(key)[2]
        return f"{values.label(metric)}: {values.meaning(metric)}"

    def on_mount(self) -> None:
        """Ask for what the device says, and for what is normal."""
        self._ask()
        self.fetch(self._load_normals(), "normals")

    def tick(self, now: float) -> None:
        """Ask again when it was measured anew, or after a while."""
        now = self.app.now()  # while the screen stands still, nothing is asked
        end = self.end()
        anew = end is not None and end.as_of != self._as_of and now - self._asked_at > _SOONEST_S
        if anew or now - self._asked_at > (_RETRY_S if self.known.problem else _AGAIN_S):
            self._ask()

    def _ask(self) -> None:
        end = self.end()
        self._asked_at = self.app.now()
        if end is not None:
            self._as_of = end.as_of
            self.fetch(self._load(end.device))

    async def _load(self, device: str) -> None:
        try:
            answer = await self.app.feed.ask(AskReadings(device=device, rates=True), Readings)
        except NoAnswer as problem:
            self.known.problem = str(problem)
        else:
            self.known.readings, self.known.problem = answer.readings, ""
            self.known.asked = True
        self.paint()

    async def _load_normals(self) -> None:
        try:
            answer = await self.app.feed.ask(AskEvidence(link=self.link_id), Evidence)
        except NoAnswer:
            return
        self.known.normals = {each.metric: each for each in answer.normals if each.side == self.side}
        self.paint()

    def open_row(self, key: str) -> None:
        """A number over time, or the device with all it says."""
        end = self.end()
        if end is None:
            return
        if key.startswith("device:"):
            self.app.open_thing("device", end.device)
            return
        group, item, metric = said.parse_key(key)
        if (group, item) == (end.group, end.item):
            series = Series(metric=metric, link=self.link_id, side=self.side)
        else:
            series = Series(metric=metric, device=end.device, group=group, item=item)
        self.app.open_metric(series, values.label(metric))

    def action_side(self) -> None:
        """The other end."""
        self.side = "b" if self.side == "a" else "a"
        self.known = view.EndKnown()
        self._ask()
        self.fetch(self._load_normals(), "normals")
        self.app.feed.look_at(self.sites())
        self.paint()
