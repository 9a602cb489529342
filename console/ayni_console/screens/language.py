"""The page behind `L`: Enter takes a language, or other colours, at once."""

from __future__ import annotations

from typing import ClassVar

from ayni_console.screens.page import Page
from ayni_console.view import language as view
from ayni_console.view.page import Look, Row, at_row
from ayni_io import i18n
from ayni_io.i18n import _


class LanguagePage(Page):
    """Language and colours."""

    TOPIC = "language"
    FOOT: ClassVar[tuple[str, ...]] = ("open", "home", "help", "back")

    def __init__(self) -> None:
        super().__init__()
        self.window = at_row(f"language:{i18n.language()}")

    def crumb(self) -> str:
        """Language."""
        return _("Language")

    def rows(self, look: Look) -> list[Row]:
        """What there is to choose."""
        return view.rows(i18n.language(), self.app.colours, look)

    def enter_does(self) -> str:
        """It takes what is selected."""
        return _("take it")

    def open_row(self, key: str) -> None:
        """Take it, at once."""
        kind, _colon, value = key.partition(":")
        if kind == "language":
            self.app.choose_language(value)
        else:
            self.app.choose_colours(value)
