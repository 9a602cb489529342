"""Who are you? The list of those who share a login."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from ayni_console.acting import role_word
from ayni_console.lines import Line, Span, fit, line, wrap
from ayni_console.screens.page import Page
from ayni_console.view.page import BLANK, Look, Row, matches, text
from ayni_core.wire.questions import Colleague
from ayni_io.i18n import _

_LOOK = "look"


class WhoPage(Page):
    """Enter says who it is; `then` goes on with what was begun."""

    TOPIC = "who"
    FOOT: ClassVar[tuple[str, ...]] = ("open", "filter", "help", "back")

    def __init__(self, then: Callable[[], None] | None = None) -> None:
        super().__init__()
        self.then = then

    def crumb(self) -> str:
        """The question."""
        return _("Who are you?")

    def _people(self) -> tuple[Colleague, ...]:
        me = self.app.deeds.acting.me
        return me.people if me is not None else ()

    def rows(self, look: Look) -> list[Row]:
        """Everybody who shares this login, and nobody."""
        me = self.app.deeds.acting.me
        about = _("Several people use the login {name}. Notes and what you do carry your name.",
                  name=me.title if me is not None else "")  # fmt: skip
        made = [text(" ", piece) for piece in wrap(about, look.width - 2)] + [BLANK]
        people = [each for each in self._people() if matches(self.wanted, each.title, each.name)]
        made += [Row(partial(_person_line, each, look), f"person:{each.name}") for each in people]
        return [*made, BLANK, Row(partial(line, "   ", _("I only look on")), _LOOK)]

    def enter_does(self) -> str:
        """It chooses."""
        return _("that is me")

    def open_row(self, key: str) -> None:
        """Somebody says who they are."""
        chosen = next((each for each in self._people() if key == f"person:{each.name}"), None)
        self.app.deeds.acting.choose(chosen)
        self.app.go_back()
        if chosen is not None:
            self.app.tell(_("You are {name}.", name=chosen.title))
            if self.then is not None:
                self.app.call_later(self.then)

    def action_back(self) -> None:
        """Whoever does not say it looks on."""
        if not self.wanted and self.prompt is None and self.app.deeds.acting.person is None:
            self.app.deeds.acting.choose(None)
        super().action_back()


def _person_line(person: Colleague, look: Look) -> Line:
    aside = role_word(person.role) if person.pin or person.role == "viewer" else _("has no PIN yet")
    return line("   ", fit(person.title, max(look.width // 2, 20)), " ", Span(aside, "dim"))
