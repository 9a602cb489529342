"""Before a pretend village is left: my devices, teach with this, leave."""

from __future__ import annotations

from typing import ClassVar

from ayni_console.screens.page import Page
from ayni_console.view import farewell as view
from ayni_console.view.page import Look, Row
from ayni_io.i18n import _
from ayni_io.process import OWN_DEVICES


class FarewellPage(Page):
    """Enter chooses; Ctrl+Q leaves at once."""

    TOPIC = "farewell"
    FOOT: ClassVar[tuple[str, ...]] = ("open", "lab", "home", "help", "back", "leave")

    def __init__(self) -> None:
        super().__init__()
        self.teaching = False

    def crumb(self) -> str:
        """The question."""
        return _("What now?")

    def rows(self, look: Look) -> list[Row]:
        """The choices, or the lesson."""
        return view.rows(self.app.model, look, teaching=self.teaching)

    def enter_does(self) -> str:
        """It chooses."""
        return _("choose")

    def open_row(self, key: str) -> None:
        """Go on as chosen."""
        match key:
            case view.DEVICES:
                self.app.exit(return_code=OWN_DEVICES)
            case view.TEACH:
                self.teaching = True
                self.paint()
            case view.LEAVE:
                self.app.exit()

    def action_back(self) -> None:
        """From the lesson back to the choices."""
        if self.teaching and self.prompt is None:
            self.teaching = False
            self.paint()
        else:
            super().action_back()
