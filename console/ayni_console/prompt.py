"""The line that people type into; imported when one is opened: the first screen comes sooner without."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Input


class Prompt(Input):
    """The line at the bottom for a filter, a note or a command."""

    DEFAULT_CSS = """
    Prompt {
        dock: bottom; height: 1; border: none; padding: 0 1; background: $background; color: $foreground;
        background-tint: $foreground 5%;
    }
    """

    @property
    def _value(self) -> Text:
        """A hidden word as stars: Textual's dots are not in every font."""
        return Text("*" * len(self.value), no_wrap=True, end="") if self.password else super()._value

    def watch_has_focus(self, _has_focus: bool) -> None:
        """It has the keys as long as it is there: no look of its own without them has to be worked out."""

    def validate(self, value: str) -> None:
        """Whoever asked says what is wrong; there is no look for it."""
