"""Help for a screen, and the palette that finds commands and things by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from textual.widgets import Input

from ayni_console import keys
from ayni_console.lines import Line, Span, fit, line
from ayni_console.screens.page import Page
from ayni_console.view import help as help_view
from ayni_console.view.page import Look, Row, matches, text
from ayni_io.i18n import _
from ayni_io.phrases import thing

_MOST_THINGS = 50


class HelpPage(Page):
    """Help for one screen."""

    TOPIC = "help"
    FOOT: ClassVar[tuple[str, ...]] = ("back", "home", "palette", "leave")

    def __init__(self, topic: str, meaning: str, shown: Sequence[str]) -> None:
        super().__init__()
        self.topic, self.selected_means, self.shown_keys = topic, meaning, shown

    def crumb(self) -> str:
        """Help."""
        return _("Help")

    def rows(self, look: Look) -> list[Row]:
        """What the screen is for, its keys, the signs."""
        return help_view.rows(self.topic, self.selected_means, self.shown_keys, look)

    def action_help(self) -> None:
        """The same key closes it."""
        self.app.go_back()


class PalettePage(Page):
    """Commands of the screen it was opened from, by their names in the language in use or in English."""

    TOPIC = "palette"
    FOOT: ClassVar[tuple[str, ...]] = ("open", "back")

    def __init__(self, below: Page) -> None:
        super().__init__()
        self.below = below

    def crumb(self) -> str:
        """Commands."""
        return _("Commands")

    def on_mount(self) -> None:
        """Typing begins at once."""
        self.open_prompt("palette", _("Part of a name (Enter starts it, Esc leaves):"))

    def rows(self, look: Look) -> list[Row]:
        """What fits."""
        made: list[Row] = []
        own, english = keys.texts(_), keys.texts(str)
        allowed = {*keys.EVERYWHERE, *self.below.foot_keys()} - {"open", "palette"}
        for action, (word, sentence) in own.items():
            if action in allowed and matches(self.wanted, sentence, word, *english[action]):
                made.append(Row(partial(_command_line, action, sentence, look), f"action:{action}"))
        if self.wanted.strip("! "):
            made += self._things()
        return made or [text("   ", _("Nothing has this name."))]

    def _things(self) -> list[Row]:
        model = self.app.model
        tables: tuple[tuple[str, Sequence[str]], ...] = (
            ("link", list(model.links)), ("site", list(model.sites)), ("device", list(model.devices)),
            ("node", list(model.nodes)),
        )  # fmt: skip
        named = ((kind, name, thing(model, kind, name)) for kind, names in tables for name in names)
        found = [each for each in named if matches(self.wanted, each[2], each[1])][:_MOST_THINGS]
        return [Row(partial(line, "   ", title), f"{kind}:{name}") for kind, name, title in found]

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Start what is selected."""
        self.action_open()

    def action_back(self) -> None:
        """Leave the palette."""
        self.app.go_back()

    def open_row(self, key: str) -> None:
        """Leave the palette, then do it there."""
        kind, _colon, name = key.partition(":")
        self.app.go_back()
        if kind != "action":
            self.app.open_thing(kind, name)
            return
        start: Callable[[], None] = getattr(self.below, f"action_{name}")
        self.app.call_later(start)


def _command_line(action: str, sentence: str, look: Look) -> Line:
    return line(
        "   ", Span(fit(keys.twin(keys.BY_ACTION[action]), 8), "key"), " ", fit(sentence, look.width - 13)
    )
