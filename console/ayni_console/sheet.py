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
        self._strips: dict[int, tuple[Line, Strip]] = {}
        self._strips_for: tuple[object, ...] = ()

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

    def render_lines(self, crop: Region) -> list[Strip]:
        """What is to be seen. Textual would look for borders, padding and tints of each line each time: there
        are none. A line that was drawn before is kept."""
        if not self.lines and not self._first:
            self._first = True
            self._wanted()
            self._first = False
        width, filters, ground = self.size.width, self.get_line_filters(), self.background_colors[1]
        drawn_for = (width, ground, *filters)
        if drawn_for != self._strips_for:
            self._strips_for = drawn_for
            self._strips.clear()
        strips = []
        for y in crop.line_range:
            spans = self.lines[y] if y < len(self.lines) else ()
            drawn = self._strips.get(y)
            if drawn is None or drawn[0] != spans:
                strip = self._drawn(spans)
                for each in filters:
                    strip = strip.apply_filter(each, ground)
                drawn = self._strips[y] = (spans, strip)
            strips.append(drawn[1])
        first, last = crop.column_span
        return strips if (first, last) == (0, width) else [strip.crop(first, last) for strip in strips]

    def recolour(self) -> None:
        """The styles are others now."""
        self._strips.clear()
        self.refresh()

    def _drawn(self, spans: Line) -> Strip:
        base = self._look_of[""]
        segments = [Segment(text, self._look_of.get(style, base)) for text, style in spans]
        return Strip(segments).adjust_cell_length(self.size.width, base)
