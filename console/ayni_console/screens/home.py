"""Home: what to do first, and every link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ayni_console import verify
from ayni_console.lines import Line
from ayni_console.screens.page import Page
from ayni_console.view import home
from ayni_console.view.page import Look, Row
from ayni_core.onlooking import attention
from ayni_core.onlooking.model import Model
from ayni_core.onlooking.ranking import Ranking
from ayni_io.i18n import _


class HomePage(Page):
    """The first screen; Enter opens, `a` gives advice on the selected line."""

    TOPIC = "home"
    FOOT: ClassVar[tuple[str, ...]] = (
        "open",
        "advice",
        "do",
        "map",
        "filter",
        "sort",
        "help",
        "events",
        "pause",
        "lab",
        "leave",
    )

    def __init__(self) -> None:
        super().__init__()
        self.sort = home.SORTS[0]
        self._ranking, self._drawn = Ranking(), home.DrawnLinks()
        self._worked_out: tuple[Model, int, float] | None = None
        self._items: list[attention.Item] = []

    def crumb(self) -> str:
        """The root of all ways."""
        return _("Home")

    def _worklist(self, look: Look) -> list[attention.Item]:
        model = self.app.model
        if self._worked_out != (model, model.version, look.now):
            self._worked_out = (model, model.version, look.now)
            self._items = attention.items(model, look.now)
        return self._items

    def head(self, look: Look) -> Line:
        """The community and the three numbers."""
        counted = attention.counts(self.app.model, look.now, self._worklist(look))
        return home.head(self.app.model, look, counted, paused=self.app.paused)

    def banner(self, look: Look) -> str:
        """Nothing: the first line of its body says it."""
        return ""

    def rows(self, look: Look) -> Sequence[Row]:
        """DO FIRST and ALL LINKS."""
        return home.rows(
            self.app.model, look, self._worklist(look), self.sort, self.wanted, self._ranking, self._drawn
        )

    def subject(self) -> tuple[str, str] | None:
        """What the selected line speaks of."""
        kind, _colon, name = (self.window.key or "").partition(":")
        if kind == "link":
            return kind, name
        for item in self._worklist(self.look()):
            if item.key == self.window.key:
                return item.kind, item.name
        return None

    def as_message(self, look: Look) -> str:
        """The worklist for a chat."""
        worklist = self._worklist(look)
        return home.as_message(
            self.app.model, look, worklist, attention.counts(self.app.model, look.now, worklist)
        )

    def open_row(self, key: str) -> None:
        """The thing of the line."""
        subject = self.subject()
        if subject is not None:
            self.app.open_thing(*subject)

    def action_advice(self) -> None:
        """On the selected line if something is wrong with it, else on the worst there is."""
        subject = self.subject()
        wrong = subject is not None and subject in verify.troubled(self.app.model, self.app.now())
        self.app.open_advice(subject if wrong else None)

    def action_events(self) -> None:
        """From Home: the events of everything."""
        self.app.open_events(None)

    def action_sort(self) -> None:
        """The next order."""
        self.sort = home.SORTS[(home.SORTS.index(self.sort) + 1) % len(home.SORTS)]
        names = {"worst": _("the worst first"), "name": _("by name"), "signal": _("the weakest signal first"),
                 "repeats": _("the most repeats first")}  # fmt: skip
        self.app.tell(_("Links {order}", order=names[self.sort]))
