"""Alignment: two huge numbers, and a bell that hastens as the signal grows."""

from __future__ import annotations

from typing import ClassVar

from ayni_console.feed import NoAnswer
from ayni_console.lines import Line
from ayni_console.screens.page import Page
from ayni_console.view import align as view
from ayni_console.view import link as link_view
from ayni_console.view.page import Look, Row, text
from ayni_core.wire.messages import LinkView
from ayni_core.wire.questions import AskWatch, Done
from ayni_io.i18n import _

_WATCH_S, _RENEW_S, _RETRY_S = 60.0, 25.0, 10.0
_LISTEN_S = 0.5
"""While the bell is silent, how often it is looked whether it may sound again."""


class AlignPage(Page):
    """Tab chooses the end that the bell follows, `q` makes it quiet. While it is open, both ends are polled
    every few seconds."""

    TOPIC = "align"
    FOOT: ClassVar[tuple[str, ...]] = ("side", "sound", "back", "help", "note", "copy", "pause")

    def __init__(self, link: str, side: str) -> None:
        super().__init__()
        self.link_id = link
        self.aligning = view.Aligning(side=side)
        self._asked_at = 0.0

    def link(self) -> LinkView | None:
        """The link, unless the central has forgotten it."""
        return self.app.model.links.get(self.link_id)

    def crumb(self) -> str:
        """What is done here."""
        return _("Align")

    def middle(self, look: Look) -> Line:
        """The link's state and since when."""
        link = self.link()
        return (link_view.state_span(self.app.model, link, look.now),) if link else ()

    def rows(self, look: Look) -> list[Row]:
        """Both ends."""
        link = self.link()
        if link is None:
            return [text(" ? ", _("The central no longer knows this link."))]
        self.aligning.take(link)
        return view.rows(self.app.model, link, look, self.aligning)

    def subject(self) -> tuple[str, str]:
        """The link."""
        return "link", self.link_id

    def sites(self) -> tuple[str, ...]:
        """Both ends' sites."""
        link = self.link()
        return (link.a.site, link.b.site) if link else ()

    def as_message(self, look: Look) -> str:
        """Where both ends stand."""
        link = self.link()
        return view.as_message(self.app.model, link, self.aligning, look.now) if link else ""

    def on_mount(self) -> None:
        """Have both ends polled quickly, and begin to sound."""
        self._hasten()
        self.set_timer(_LISTEN_S, self._ring)

    def tick(self, now: float) -> None:
        """The monitors go on measuring quickly for as long as somebody looks."""
        now = self.app.now()  # while the screen stands still, nothing is asked
        if now - self._asked_at > (_RETRY_S if self.aligning.problem else _RENEW_S):
            self._hasten()

    def _hasten(self) -> None:
        self._asked_at = self.app.now()
        self.fetch(self._ask_for_haste(), "haste")

    async def _ask_for_haste(self) -> None:
        link = self.link()
        if link is None:
            return
        devices = tuple(dict.fromkeys((link.a.device, link.b.device)))
        question = AskWatch(sites=self.sites(), devices=devices, for_s=_WATCH_S)
        try:
            await self.app.feed.ask(question, Done)
        except NoAnswer as problem:
            self.aligning.problem = str(problem)
        else:
            self.aligning.problem = ""
        self.paint()

    def stroke_s(self) -> float | None:
        """Seconds from a stroke of the bell to the next; None while it is silent."""
        link = self.link()
        if link is None or not self.aligning.sound or self.app.paused or self.app.screen is not self:
            return None
        side = self.aligning.side
        return view.bell_s(view.ends_of(link)[side], self.aligning.best.get(side), self.app.now())

    def _ring(self) -> None:
        """A stroke, if there is a number of this moment; then the next one."""
        pause_s = self.stroke_s()
        if pause_s is not None:
            self.app.bell()
        self.set_timer(_LISTEN_S if pause_s is None else pause_s, self._ring)

    def action_side(self) -> None:
        """The bell follows the other end."""
        self.aligning.side = "b" if self.aligning.side == "a" else "a"
        self.paint()

    def action_sound(self) -> None:
        """Quiet, or not."""
        self.aligning.sound = not self.aligning.sound
        self.paint()
