"""Messages to people: whether they arrive, and what was told."""

from __future__ import annotations

from typing import ClassVar

from ayni_console.feed import NoAnswer
from ayni_console.screens.about import TellingPage
from ayni_console.view import messages as view
from ayni_console.view.page import Look, Row
from ayni_core.wire.questions import AskDeliveries, Deliveries
from ayni_io.i18n import _

_AGAIN_S = 30.0


class MessagesPage(TellingPage):
    """The ways to people and what was told, asked anew while it is shown; the selected one whole below."""

    TOPIC = "messages"
    FOOT: ClassVar[tuple[str, ...]] = ("filter", "copy", "help", "back", "home")

    def __init__(self) -> None:
        super().__init__()
        self.told: Deliveries | None = None
        self.problem = ""
        self._asked_at = 0.0

    def crumb(self) -> str:
        """Messages."""
        return _("Messages")

    def rows(self, look: Look) -> list[Row]:
        """A line a way, a line a message."""
        return view.rows(look, self.told, self.problem, self.wanted)

    def about(self) -> str:
        """The whole of it: lines are cut."""
        return view.whole(self.told, self.window.key or "", self.app.now())

    def meaning(self) -> str:
        """What the words for a state mean."""
        return view.meaning()

    def on_mount(self) -> None:
        """Ask at once."""
        self.fetch(self._load())

    def tick(self, now: float) -> None:
        """Ask again now and then."""
        if now - self._asked_at >= _AGAIN_S:
            self.fetch(self._load())

    async def _load(self) -> None:
        self._asked_at = self.app.now()
        try:
            self.told = await self.app.feed.ask(AskDeliveries(), Deliveries)
            self.problem = ""
        except NoAnswer as problem:
            self.problem = "" if self.told is not None else str(problem)
        self.paint()
