"""The map: the tree of sites, or the sites by place."""

from __future__ import annotations

from typing import ClassVar

from ayni_console.screens.page import Page
from ayni_console.view import network as view
from ayni_console.view.page import Look, Row
from ayni_io.i18n import _


class MapPage(Page):
    """`z` changes between who is behind whom and where things lie."""

    TOPIC = "map"
    FOOT: ClassVar[tuple[str, ...]] = ("open", "zoom", "filter", "copy", "events", "help", "back")

    def __init__(self) -> None:
        super().__init__()
        self.by_place = False

    def crumb(self) -> str:
        """The map."""
        return _("Map")

    def rows(self, look: Look) -> list[Row]:
        """Tree or drawing."""
        if self.by_place:
            return view.drawn_rows(self.app.model, look)
        return view.tree_rows(self.app.model, look, self.wanted)

    def subject(self) -> tuple[str, str] | None:
        """The selected site."""
        kind, _colon, name = (self.window.key or "").partition(":")
        return (kind, name) if name else None

    def as_message(self, look: Look) -> str:
        """The tree for a chat."""
        return view.as_message(self.app.model, look)

    def open_row(self, key: str) -> None:
        """The site."""
        self.app.open_thing("site", key.partition(":")[2])

    def action_events(self) -> None:
        """Of everything."""
        self.app.open_events(None)

    def action_zoom(self) -> None:
        """Tree, drawing."""
        self.by_place = not self.by_place
        self.paint()
