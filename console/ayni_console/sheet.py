"""The one widget that shows lines: it compares what it is given with what it shows and sends the difference.

On a slow link every byte counts, so only the cells between the first and the last that changed on a line
are refreshed, and nothing when nothing changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from ayni_console.lines import Line, changed, displayed


class Sheet(Widget):
    """Lines over its whole area. `show` replaces them; `wanted` is called when it is drawn before that."""

    DEFAULT_CSS = "Sheet { width: 1fr; height: 1fr; }"

    def __init__(self, styles: Mapping[str, Style], ascii_only: bool, wanted: Callable[[], None]) -> None:
        super().__init__()
        self._look_of = styles
        self._ascii_only = ascii_only
        self._wanted = wanted
        self._first = False
        self.lines: list[Line] = []

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines; only cells that differ from those shown are sent."""
        fresh = [displayed(each, self._ascii_only) for each in lines]
        old, self.lines = self.lines, fresh
        width, height = self.size
        if len(old) != len(fresh):
            if not self._first:
                self.refresh()
            return
        regions = []
        for y, (before, after) in enumerate(zip(old, fresh, strict=True)):
            part = changed(before, after)
            if part and y < height:
                regions.append(Region(part[0], y, min(part[1], width) - part[0], 1))
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        """One line as Textual wants it."""
        if not self.lines and not self._first:
            self._first = True
            self._wanted()
            self._first = False
        base = self._look_of[""]
        if y >= len(self.lines):
            return Strip.blank(self.size.width, base)
        segments = [Segment(text, self._look_of.get(style, base)) for text, style in self.lines[y]]
        return Strip(segments).adjust_cell_length(self.size.width, base)
