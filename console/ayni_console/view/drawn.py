"""The sites at their places, north up: what of them is seen, which is selected, and the lines below."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial

from ayni_console import geo
from ayni_console.geo import Point, Sheet
from ayni_console.lines import Line, Span, clean, line, spread, width
from ayni_console.view import network, roots
from ayni_console.view.drawing import Drawing, Scene, Spot, draw
from ayni_console.view.page import Look, Row, matches, room_for, text
from ayni_core.onlooking.attention import Item
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import LINK_STATES, SiteView
from ayni_io import words
from ayni_io.i18n import _, _n

_SHOWN = {"ok": "───", "weak": "-.-", "down": "x x", "no_news": "? ?"}
_EDGE = 7
"""Cells at the left and at the right of the sites: labels of the outermost need room."""
_NEAR_EDGE = 2
"""A selected site that comes so near to the edge moves the sheet."""
_LONGEST_BAR = 12


@dataclass(slots=True)
class Place:
    """How somebody looks at the map: the zoom, its middle, the site that is selected; and what was drawn."""

    level: int = 0
    middle: Point = (0.0, 0.0)
    selected: str | None = None
    points: dict[str, Point] = field(default_factory=dict)
    drawing: Drawing | None = None
    placed: tuple[tuple[str, float, float], ...] = ()
    _told: tuple[object, ...] = ()
    _parts: tuple[tuple[Spot, ...], tuple[tuple[str, str, str], ...]] = ((), ())

    def learn(self, model: Model, now: float) -> None:
        """Where the sites are now; until one is chosen the worst is selected."""
        placed = tuple(
            (site.id, site.latitude, site.longitude)
            for site in model.sites.values()
            if site.latitude is not None and site.longitude is not None
        )
        if placed != self.placed:
            self.placed, self.points = placed, geo.project(placed)
        if self.selected not in self.points:
            self.selected = next((name for name in roots.ranked(model, now) if name in self.points), None)

    def sheet(self, look: Look) -> Sheet:
        """What is seen; it follows the selected site."""
        points = self.points.values()
        whole = geo.whole(points, look.width, sheet_rows(look), _EDGE)
        self.level = min(self.level, geo.closest(whole))
        sheet = geo.zoomed(whole, self.level, self.middle, points, _EDGE)
        here = self.points.get(self.selected or "")
        if here is not None and not sheet.holds(here, _NEAR_EDGE):
            sheet = geo.zoomed(whole, self.level, here, points, _EDGE)
        self.middle = sheet.middle
        return sheet

    def scene(
        self, model: Model, look: Look, known: Mapping[str, Item], through: Collection[str] | None
    ) -> Scene:
        """What is to be drawn; `through` are the sites that a filter lets through, None is all."""
        states = model.link_states(look.now)
        told = (model.version, states, tuple(known), through if through is None else tuple(through))
        if told != self._told:
            self._told = told
            self._parts = _spots(model, self.points, known, through), _edges(model, self.points, states)
        spots, links = self._parts
        return Scene(self.sheet(look), tuple(self.points.items()), spots, links)

    def zoom(self, by: int) -> None:
        """Closer or further away, about the selected site."""
        self.level = max(self.level + by, 0)
        self.middle = self.points.get(self.selected or "", self.middle)

    def go(self, way: str, among: Collection[str]) -> None:
        """To the nearest site in a direction, among some."""
        here = self.points.get(self.selected or "")
        others = {name: self.points[name] for name in among if name in self.points and name != self.selected}
        if here is not None:
            self.selected = geo.neighbour(others, here, way) or self.selected


def sheet_rows(look: Look) -> int:
    """Lines of the sheet itself; below stand what is selected, and the legend."""
    return max(room_for(look) - 2, 4)


def fitting(model: Model, now: float, wanted: str) -> list[str]:
    """The sites that a filter lets through, the worst first."""
    names = roots.ranked(model, now)
    if not wanted.strip():
        return names
    known = roots.begins(model, now)
    return [name for name in names if matches(wanted, *network.site_words(model, model.sites[name], known))]


def drawn_rows(model: Model, look: Look, at: Place | None = None, wanted: str = "") -> list[Row]:
    """The body of the map: the sheet, the selected site in a line, the legend with a scale."""
    at = at or Place()
    at.learn(model, look.now)
    if not at.points:
        return [
            text(" ? ", _("No site has a place yet. Places stand in network.yaml.")),
            text("   ", _("v shows who is behind whom.")),
        ]
    known = roots.begins(model, look.now)
    through: Collection[str] | None = None
    if wanted.strip():
        through = [name for name in fitting(model, look.now, wanted) if name in at.points]
        at.selected = at.selected if at.selected in through or not through else through[0]
    scene = at.scene(model, look, known, through)
    if at.drawing is None or at.drawing.scene != scene:
        at.drawing = draw(scene)
    made = [Row(partial(_same, each)) for each in at.drawing.lines(at.selected)]
    site = model.sites.get(at.selected or "")
    made.append(Row(partial(_selected_line, model, site, known, look)))
    made.append(Row(partial(_legend, at.drawing, look)))
    return made


def _same(each: Line) -> Line:
    return each


def seen(model: Model, at: Place) -> str:
    """How much of the network is on the sheet, where that is not all: in a few words, for the head."""
    if at.drawing is not None and at.level:
        sheet = at.drawing.scene.sheet
        count = sum(sheet.holds(point) for point in at.points.values())
        return _("{n} of {all} sites", n=count, all=len(model.sites))
    without = len(model.sites) - len(at.points)
    return _n("{n} site has no place", "{n} sites have no place", without) if without else ""


def _spots(
    model: Model, points: Collection[str], known: Mapping[str, Item], through: Collection[str] | None
) -> tuple[Spot, ...]:
    inside = through if through is None else set(through)
    return tuple(
        Spot(
            aside=inside is not None and site.id not in inside,
            calm=site.id not in known,
            rank=LINK_STATES.index(site.state) if site.state in LINK_STATES else len(LINK_STATES),
            homes=-max(site.homes_behind, site.homes),
            id=site.id,
            title=site.title,
            state=site.state,
        )
        for site in model.sites.values()
        if site.id in points
    )


def _edges(
    model: Model, points: Collection[str], states: Mapping[str, str]
) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (link.a.site, link.b.site, states[link.id])
        for link in model.links.values()
        if link.a.site in points and link.b.site in points and link.a.site != link.b.site
    )


def _selected_line(model: Model, site: SiteView | None, known: Mapping[str, Item], look: Look) -> Line:
    """`■ Escuela DOWN   ■ DOWN  begins here: no power   46 homes`."""
    if site is None:
        return ()
    style = words.style(site.state)
    who = line(
        ">",
        Span(words.symbol(site.state), style),
        " ",
        Span(clean(site.title), "head"),
        " ",
        Span(words.word(site.state), style),
    )
    why = network.link_and_why(model, network.Place(0, "", site), known, look)
    count = max(site.homes_behind, site.homes)
    homes = line("   ", Span(_n("{n} home", "{n} homes", count), "dim"))
    gap, link = line("   ") if why else (), model.links.get(site.parent or "")
    by = line(Span(f"{clean(link.title)} ", "dim")) if link is not None else ()
    for parts in ((*who, *gap, *by, *why, *homes), (*who, *gap, *why, *homes)):
        if width(parts) <= look.width:
            return parts
    return (*who, *gap, *why)


def _legend(drawing: Drawing, look: Look) -> Line:
    """`─── OK  -.- WEAK  x x DOWN  ? ? NO NEWS          │─────│ 2 km`."""
    cells, km = geo.bar(drawing.scene.sheet.km_a_cell, _LONGEST_BAR)
    far = _("{n} km", n=words.number(km)) if km >= 1 else _("{n} m", n=words.number(km * 1000))
    scale = line(Span(f"│{'─' * max(cells - 1, 1)}│ {far} ", "dim"))
    parts: list[Span] = []
    room = look.width - width(scale) - 2
    for state, shown in _SHOWN.items():
        word = _("OK: not drawn") if state == "ok" and drawing.thinned else f"{shown} {words.word(state)}"
        part = Span(f" {word} ", "dim" if state == "ok" else words.style(state))
        if width((part,)) <= room:
            parts.append(part)
            room -= width((part,))
    return spread(tuple(parts), (), scale, look.width)
