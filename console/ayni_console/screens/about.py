"""Screens with lines about the selected row, just above the keys: what it means, in words."""

from __future__ import annotations

from ayni_console.lines import Line, Span, line, wrap
from ayni_console.screens.page import Page
from ayni_console.view.page import Look

_WIDE = 100


class TellingPage(Page):
    """Two lines above the keys (one on a wide screen) say more of what is selected."""

    def about(self) -> str:
        """What there is to say."""
        return ""

    def meaning(self) -> str:
        """The same, for the help screen."""
        return self.about()

    def told_lines(self, look: Look) -> int:
        """How many lines are for that."""
        return 1 if look.width >= _WIDE else 2

    def _foot(self, look: Look) -> list[Line]:
        first, last = super()._foot(look)
        count = self.told_lines(look)
        if self.prompt is not None or not count:
            return [first, last]
        told = wrap(self.about(), look.width - 2)
        if len(told) > count:
            told = wrap(self.about(), look.width - 4)[:count]
            told[-1] += " …"
        told += [""] * (count - len(told))
        return [first, *(line(" ", Span(each, "meaning")) for each in told), last]
