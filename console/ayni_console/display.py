"""Only cells that really changed go to the terminal: what makes the console bearable over a slow link.

Theory of operation. Textual sends whole regions again whenever a widget is laid out or a screen is shown:
some kilobytes for a key. Here every update is first drawn into a picture of the terminal, and only the
differences are written. `Picture` is that picture and knows nothing of Textual; `ThriftyDisplay` hooks it
into `App._display`, which is private: Textual is pinned, and tests/test_console_slow.py compares what a
terminal shows with what Textual composed, and fails where Textual becomes another one.

A terminal forgets what it showed when its size changes or when the console comes back from the background.
So the picture is forgotten then too, and what Textual does not send again by itself is sent a moment later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.strip import Strip

from ayni_console.lines import char_cells


class Shade(NamedTuple):
    """How a cell is shown, as SGR codes: bold and the like, the colour in front, the one behind."""

    attributes: str = ""
    front: str = ""
    back: str = ""


PLAIN = Shade()
Cell = tuple[str, Shade]
"""A character and its shade; the right half of a wide character is ("", shade)."""

Piece = tuple[int, int, Iterable[Segment]]
"""(line, first column, segments)."""

_SETTLED_S = 0.05
"""After a change of size Textual draws within this time, where it draws at all."""

_BRIDGE = 5
"""Equal cells between two changes that cost less to send than another cursor movement."""


class Picture:
    """What the terminal shows, cell by cell."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._lines: list[list[Cell | None]] = [[None] * width for _each in range(height)]
        self._newest: list[tuple[int, list[Segment]] | None] = [None] * height
        self._shades: dict[Style | None, Shade] = {None: PLAIN}

    @property
    def whole(self) -> bool:
        """Whether it is known of every cell what the terminal shows there."""
        return all(None not in row for row in self._lines)

    def update(self, pieces: Iterable[Piece], colours: ColorSystem | None) -> str:
        """Draw the pieces in; what to write so that the terminal shows them too."""
        written: list[str] = []
        shade = PLAIN
        for y, x, segments in pieces:
            if 0 <= y < self.height:
                piece = (x, list(segments))
                if piece != self._newest[y]:  # Textual draws a line several times where once is enough
                    self._newest[y] = piece
                    shade = self._draw(y, x, self._cells(piece[1], colours), written, shade)
        if shade != PLAIN:
            written.append("\x1b[0m")
        return "".join(written)

    def _cells(self, segments: Iterable[Segment], colours: ColorSystem | None) -> list[Cell]:
        made: list[Cell] = []
        for text, style, control in segments:
            if control:
                continue
            shade = self._shades.get(style)
            if shade is None:
                shade = self._shades[style] = shade_of(style, colours) if style else PLAIN
            if text.isascii():
                made += [(char, shade) for char in text]
                continue
            for char in text:
                size = char_cells(char)
                if size == 0 and made:
                    made[-1] = (made[-1][0] + char, shade)
                elif size:
                    made.append((char, shade))
                    made += [("", shade)] * (size - 1)
        return made

    def _draw(self, y: int, x: int, fresh: list[Cell], written: list[str], shade: Shade) -> Shade:
        row = self._lines[y]
        count = min(len(fresh), self.width - x)
        if row[x : x + count] == fresh[:count]:
            return shade
        at = 0
        while at < count:
            if row[x + at] == fresh[at]:
                at += 1
                continue
            end = look = at
            while look < count and look - end <= _BRIDGE:
                if row[x + look] != fresh[look]:
                    end = look + 1
                look += 1
            while at > 0 and fresh[at][0] == "":
                at -= 1
            while end < count and fresh[end][0] == "":
                end += 1
            written.append(f"\x1b[{y + 1};{x + at + 1}H")
            for char, wanted in fresh[at:end]:
                if wanted != shade:
                    written.append(change(shade, wanted))
                    shade = wanted
                written.append(char)
            row[x + at : x + end] = fresh[at:end]
            at = end
        return shade


def shade_of(style: Style, colours: ColorSystem | None) -> Shade:
    """A style's codes, sorted."""
    tokens = (
        style.render("\0", color_system=colours).partition("\0")[0].removeprefix("\x1b[").removesuffix("m")
    )
    found: dict[str, list[str]] = {"attributes": [], "front": [], "back": []}
    words = [word for word in tokens.split(";") if word]
    while words:
        first = int(words[0])
        size = (5 if words[1] == "2" else 3) if first in (38, 48) else 1
        behind = first in range(40, 50) or first in range(100, 108)
        ahead = first in range(30, 40) or first in range(90, 98)
        found["back" if behind else "front" if ahead else "attributes"] += words[:size]
        words = words[size:]
    return Shade(*(";".join(found[part]) for part in Shade._fields))


def change(old: Shade, new: Shade) -> str:
    """The shortest codes that lead from one shade to another."""
    whole = ";".join(("0", *filter(None, new)))
    added = old.attributes in ("", new.attributes)
    if not added or (old.front and not new.front) or (old.back and not new.back):
        return f"\x1b[{whole}m"
    parts = (part for part, before in zip(new, old, strict=True) if part and part != before)
    return f"\x1b[{';'.join(parts)}m"


class _Written(CompositorUpdate):
    """An update that was turned into text already."""

    def __init__(self, text: str) -> None:
        self._text = text

    def render_segments(self, console: Console) -> str:
        return self._text


class ThriftyDisplay(App[None]):
    """An app that sends differences only; with `full_frames`, all that Textual would send by itself.

    `forget_display` makes the next update a full one, `show_all` sends everything at once.
    """

    full_frames = False
    _picture: Picture | None = None

    def forget_display(self) -> None:
        """The terminal may show anything: trust nothing that was sent before."""
        self._picture = None

    def show_all(self) -> None:
        """Send everything again."""
        self.forget_display()
        if self.screen_stack and self._running and not self._batch_count:
            self._display(self.screen, self.screen._compositor.render_update(full=True))

    def on_resize(self, event: events.Resize) -> None:
        """The terminal was resized, or is ours again: this comes too when a stopped console goes on.

        Textual draws nothing where the size is the same in the end, so what is not known is sent later.
        """
        self.forget_display()
        self.set_timer(_SETTLED_S, self._fill)

    def _fill(self) -> None:
        known = self._picture is not None and self._picture.whole
        if not known and not self.is_headless:
            self.show_all()

    def _display(self, screen: Any, renderable: Any) -> None:
        ready = self._running and not self._batch_count and self._driver is not None
        updates = isinstance(renderable, ChopsUpdate | LayoutUpdate)
        if ready and updates and not self.full_frames and not self.is_headless:
            width, height = self.size
            if self._picture is None or (self._picture.width, self._picture.height) != (width, height):
                self._picture = Picture(width, height)
            text = self._picture.update(pieces_of(renderable), self.console._color_system)
            if not text:
                return
            renderable = _Written(text)
        super()._display(screen, renderable)


def pieces_of(update: ChopsUpdate | LayoutUpdate) -> Iterator[Piece]:
    """What an update of Textual draws, and where."""
    if isinstance(update, LayoutUpdate):
        for y, strips in enumerate(update.strips, update.region.y):
            x = update.region.x
            for each in strips:
                yield y, x, each
                x += each.cell_length
        return
    for y, first, last in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is not None and x <= last and end > first:
                yield y, x, _cut(strip, end - x, last - x)


def _cut(strip: Strip, whole: int, room: int) -> Strip:
    return strip if whole <= room else strip.crop(0, room)
