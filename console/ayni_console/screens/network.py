"""The map: the tree of sites, or the sites by place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from textual import events
from textual.geometry import Offset

from ayni_console.lines import Line, line
from ayni_console.screens.about import TellingPage
from ayni_console.view import drawn, roots
from ayni_console.view import network as view
from ayni_console.view.page import Look, Row, at_row, room_for
from ayni_io.i18n import _


@dataclass(slots=True)
class MapView:
    """How somebody looks at the map: it is found again as it was left."""

    by_place: bool = False
    place: drawn.Place = field(default_factory=drawn.Place)
    folded: set[str] = field(default_factory=set)


class MapPage(TellingPage):
    """`v` changes between who is behind whom and where things lie; `z` and `Z` look closer or further."""

    TOPIC = "map"
    FOOT: ClassVar[tuple[str, ...]] = (
        "open",
        "advice",
        "do",
        "other_view",
        "zoom",
        "help",
        "zoom_out",
        "filter",
        "back",
        "events",
        "copy",
    )

    def __init__(self, seen: MapView | None = None, site: str | None = None) -> None:
        super().__init__()
        self.seen = seen or MapView()
        self._start = site

    def crumb(self) -> str:
        """The map."""
        return _("Map")

    def middle(self, look: Look) -> Line:
        """How much of it is seen."""
        if not self.seen.by_place:
            return ()
        return line(drawn.seen(self.app.model, self.seen.place))

    def rows(self, look: Look) -> Sequence[Row]:
        """Tree or drawing."""
        model = self.app.model
        self._choose_first(look)
        if self.seen.by_place:
            return drawn.drawn_rows(model, look, self.seen.place, self.wanted)
        return view.tree_rows(model, look, self.wanted, self.seen.folded)

    def _choose_first(self, look: Look) -> None:
        """The site that was asked for, else the one that needs somebody most."""
        model = self.app.model
        if self._start is None and not self.window.moved:
            self._start = next(iter(roots.ranked(model, look.now)), None)
        if self._start is not None and self._start in model.sites:
            self._select(self._start)
            self._start = None

    def _select(self, site: str) -> None:
        self.seen.place.selected = site
        top, at = self.window.top, self.window.at
        self.window = at_row(f"site:{site}")
        self.window.top, self.window.at = top, at

    def selected(self) -> str | None:
        """The selected site."""
        if self.seen.by_place:
            return self.seen.place.selected
        kind, _colon, name = (self.window.key or "").partition(":")
        return name if kind == "site" else None

    def subject(self) -> tuple[str, str] | None:
        """The selected site."""
        site = self.selected()
        return ("site", site) if site else None

    def about(self) -> str:
        """What there is to say of the selected site."""
        return view.about(self.app.model, self.selected() or "", self.app.now())

    def told_lines(self, look: Look) -> int:
        """The map by place has its own line for the selected site."""
        return 0 if self.seen.by_place else super().told_lines(look)

    def as_message(self, look: Look) -> str:
        """The tree for a chat."""
        return view.as_message(self.app.model, look)

    def paint(self) -> None:
        """The terminal's cursor stands at the selected site: screen readers follow it."""
        super().paint()
        drawing = self.seen.place.drawing
        if self.seen.by_place and drawing is not None and self.prompt is None and self.is_attached:
            cell = drawing.cell_of(self.seen.place.selected)
            if cell is not None:
                self.app.cursor_position = Offset(cell[0], self._above(self.look()) + cell[1])

    def _above(self, look: Look) -> int:
        """Lines above the sheet."""
        return look.height - room_for(look) - 2

    def on_click(self, event: events.Click) -> None:
        """On a site of the sheet: select it, or open it; the rest is as on any page."""
        drawing, look, selected = self.seen.place.drawing, self.look(), self.seen.place.selected
        if not self.seen.by_place or drawing is None or self.prompt is not None:
            return
        site = drawing.site_near((int(event.screen_x), int(event.screen_y) - self._above(look)), selected)
        if site is not None and site == selected:
            self.action_open()
        elif site is not None:
            self.seen.place.selected = site
            self.paint()

    # moving

    def action_move(self, step: int) -> None:
        """The next line of the tree; on the sheet the nearest site above or below, or all of it."""
        if not self.seen.by_place:
            super().action_move(step)
        elif abs(step) == 1:
            self._go("up" if step < 0 else "down")
        else:
            self._end(first=step < 0)

    def action_page(self, way: int) -> None:
        """A screenful; on the sheet several steps up or down."""
        if not self.seen.by_place:
            super().action_page(way)
            return
        for _each in range(3):
            self._step("up" if way < 0 else "down")
        self.paint()

    def action_aside(self, way: int) -> None:
        """The nearest site left or right; in the tree fold a branch, or unfold it."""
        if self.seen.by_place:
            self._go("left" if way < 0 else "right")
        elif way > 0:
            self._unfold()
        else:
            self._fold()

    def _go(self, way: str) -> None:
        self._step(way)
        self.paint()

    def _step(self, way: str) -> None:
        self.seen.place.go(way, drawn.fitting(self.app.model, self.app.now(), self.wanted))

    def _end(self, *, first: bool) -> None:
        """The site that needs somebody most, or least."""
        points = self.seen.place.points
        names = [
            name for name in drawn.fitting(self.app.model, self.app.now(), self.wanted) if name in points
        ]
        if names:
            self.seen.place.selected = names[0 if first else -1]
        self.paint()

    def _fold(self) -> None:
        """What is behind the selected site; where nothing is to be folded, to the site above it."""
        model, site = self.app.model, self.selected()
        if site is None or self.wanted:
            return
        if site not in self.seen.folded and view.below(model, site):
            self.seen.folded.add(site)
        else:
            higher = roots.above(model, model.sites[site])
            if higher is not None:
                self._select(higher.id)
        self.paint()

    def _unfold(self) -> None:
        """What is behind the selected site; where that is seen, to the first of it."""
        site = self.selected()
        if site is None or self.wanted:
            return
        behind = view.below(self.app.model, site)
        if site in self.seen.folded:
            self.seen.folded -= {site, *behind}
        elif behind:
            self._select(behind[0])
        self.paint()

    # keys

    def action_zoom(self) -> None:
        """Closer; in the tree unfold."""
        if self.seen.by_place:
            self.seen.place.zoom(1)
            self.paint()
        else:
            self._unfold()

    def action_zoom_out(self) -> None:
        """Further away; in the tree fold."""
        if self.seen.by_place:
            self.seen.place.zoom(-1)
            self.paint()
        else:
            self._fold()

    def action_other_view(self) -> None:
        """Tree, drawing; the same site stays selected."""
        site = self.selected()
        self.seen.by_place = not self.seen.by_place
        if site is not None:
            self._show(site)
        self.paint()

    def _show(self, site: str) -> None:
        """Select a site, and unfold the way to it."""
        self._select(site)
        model = self.app.model
        higher = roots.above(model, model.sites[site]) if site in model.sites else None
        for _each in range(len(model.sites)):
            if higher is None:
                break
            self.seen.folded.discard(higher.id)
            higher = roots.above(model, higher)

    def open_row(self, key: str) -> None:
        """The site."""
        self.app.open_thing("site", key.partition(":")[2])

    def action_open(self) -> None:
        """The selected site."""
        site = self.selected()
        if site is not None:
            self.app.open_thing("site", site)

    def action_advice(self) -> None:
        """On what is wrong at the selected site, or on what cuts it off; else on the worst there is."""
        model = self.app.model
        item = roots.explains(model, self.selected() or "", roots.begins(model, self.app.now()))
        self.app.open_advice((item.kind, item.name) if item else None)

    def action_events(self) -> None:
        """Of everything."""
        self.app.open_events(None)
