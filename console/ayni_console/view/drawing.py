"""A scene of the map as it is drawn: marks, links by state, and as many names as find room.

Theory of operation. What stands where depends on the network, the zoom and the size of the terminal, never
on what is selected: so a step to the next site changes a few cells. Only the label of the selected site is
always shown, and those that it covers are not meanwhile. Sites in one cell share a mark, that of the worst.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ayni_console.canvas import Canvas, Label, path, place, sides, surroundings
from ayni_console.geo import Cell, Point, Sheet
from ayni_console.lines import Line
from ayni_io import words

PATTERNS = {"down": "x ", "weak": "-.", "no_news": "? ", "unknown": "? ", "ok": ""}
"""How a link is drawn, the worst first; none is a line that follows its way."""
_CROWDED = 12
"""Where a mark has fewer cells for itself, links that are well are not drawn: they would cover the rest."""
_MOST_TRIED = 300
"""Names that may find no room before no more are tried."""
_NEAR = 2
"""Columns beside a mark that a finger may miss it by."""
Way = list[tuple[Cell, str]]


class Spot(NamedTuple):
    """What the drawing needs of a site; the smallest matters most. One `aside` does not fit the filter, at a
    `calm` one no trouble begins, `homes` are counted below 0."""

    aside: bool
    calm: bool
    rank: int
    homes: int
    id: str
    title: str
    state: str


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a drawing depends on, but for the selection; the same scene is drawn once."""

    sheet: Sheet
    points: tuple[tuple[str, Point], ...]
    spots: tuple[Spot, ...]
    links: tuple[tuple[str, str, str], ...]


@dataclass(slots=True)
class Drawing:
    """A scene as it was drawn: links with their way, the sites of each cell, the labels that found room."""

    scene: Scene
    ways: list[tuple[str, Way]]
    marks: dict[Cell, list[Spot]]
    labels: dict[Cell, Label]
    thinned: bool
    shown: tuple[str | None, list[Line]] | None = None

    def cell_of(self, site: str | None) -> Cell | None:
        """Where a site is marked."""
        at = (cell for cell, spots in self.marks.items() if any(spot.id == site for spot in spots))
        return next(at, None)

    def site_near(self, cell: Cell, selected: str | None = None) -> str | None:
        """The site whose mark or name is seen at a cell while one is `selected`, or whose mark is next to it.
        Of several in a cell it is the selected one, else the one that is named; none that a filter keeps
        back."""
        if cell in self.marks:
            return self._named(cell, selected)
        for mark, label in self.labels_with(selected).items():
            if cell in label.cells():
                return self._named(mark, selected)
        near = [
            (abs(mark[0] - cell[0]) + 2 * abs(mark[1] - cell[1]), named)
            for mark in self.marks
            if abs(mark[0] - cell[0]) <= _NEAR and abs(mark[1] - cell[1]) <= 1
            and (named := self._named(mark, selected)) is not None
        ]  # fmt: skip
        return min(near)[1] if near else None

    def _named(self, mark: Cell, selected: str | None) -> str | None:
        fitting = [spot.id for spot in self.marks[mark] if not spot.aside]
        return selected if selected in fitting else next(iter(fitting), None)

    def labels_with(self, selected: str | None) -> dict[Cell, Label]:
        """The names that are shown while a site is selected: its own always, in place of what it covers."""
        labels, chosen = dict(self.labels), self.cell_of(selected)
        if chosen is not None:
            spots = self.marks[chosen]
            named = next(spot for spot in spots if spot.id == selected)
            if chosen not in labels or named is not spots[0]:
                labels.pop(chosen, None)
                _make_room(labels, self, chosen, _title(spots, named))
        return labels

    def lines(self, selected: str | None) -> list[Line]:
        """The sheet with one site selected."""
        if self.shown is None or self.shown[0] != selected:
            self.shown = selected, _lines(self, selected)
        return self.shown[1]


def draw(scene: Scene) -> Drawing:
    """Marks first, for what they cover is taken; then links; then labels, the most urgent first."""
    sheet = scene.sheet
    cells = {name: sheet.cell(point) for name, point in scene.points}
    marks: dict[Cell, list[Spot]] = {}
    for spot in sorted(scene.spots):
        cell = cells[spot.id]
        if 0 <= cell[0] < sheet.columns and 0 <= cell[1] < sheet.rows:
            marks.setdefault(cell, []).append(spot)
    thinned = len(marks) * _CROWDED > sheet.columns * sheet.rows
    ways: list[tuple[str, Way]] = []
    for state in reversed(PATTERNS):
        for begin, end, how in scene.links:
            if how == state and not (thinned and state == "ok"):
                way = path(cells[begin], cells[end], sheet.columns, sheet.rows)
                if way:
                    near = surroundings(cells[begin]) | surroundings(cells[end])
                    ways.append((state, [step for step in way if step[0] not in near]))
    return Drawing(scene, ways, marks, _labels(sheet, marks, ways), thinned)


def _labels(
    sheet: Sheet, marks: Mapping[Cell, list[Spot]], ways: Sequence[tuple[str, Way]]
) -> dict[Cell, Label]:
    """As many names as find room. In a crowd most do not: it is not tried for ever."""
    under = {cell for _state, way in ways for cell, _char in way}
    taken = {cell for mark in marks for cell in surroundings(mark)}
    found: dict[Cell, Label] = {}
    failed = 0
    for cell, spots in marks.items():
        if spots[0].aside or failed > _MOST_TRIED:
            continue
        label = place(cell, _title(spots, spots[0]), taken, under, sheet.columns, sheet.rows)
        if label is None:
            failed += 1
        else:
            found[cell] = label
            taken |= label.cells()
    return found


def _title(spots: Collection[Spot], named: Spot) -> str:
    return named.title if len(spots) == 1 else f"{named.title} +{len(spots) - 1}"


def _lines(drawing: Drawing, selected: str | None) -> list[Line]:
    sheet = drawing.scene.sheet
    canvas = Canvas(sheet.columns, sheet.rows)
    for state, way in drawing.ways:
        canvas.stroke(way, PATTERNS[state], "rule" if state == "ok" else words.style(state))
    chosen = drawing.cell_of(selected)
    for cell, label in drawing.labels_with(selected).items():
        style = "selected" if cell == chosen else _label_style(drawing.marks[cell][0])
        canvas.put(label.column - 1, label.row, " ")
        canvas.put(label.column, label.row, label.text, style)
    for cell, spots in drawing.marks.items():
        first = spots[0]
        sign, style = ("·", "dim") if first.aside else (words.symbol(first.state), words.style(first.state))
        canvas.put(*cell, sign, "selected" if cell == chosen else style)
    if chosen is not None:
        canvas.put(chosen[0] - 1, chosen[1], ">", "selected")
    return canvas.lines()


def _label_style(spot: Spot) -> str:
    return "" if spot.state == "ok" else words.style(spot.state)


def _make_room(labels: dict[Cell, Label], drawing: Drawing, cell: Cell, title: str) -> None:
    """A label for the selected site: where there is no room, those that it covers go meanwhile."""
    sheet = drawing.scene.sheet
    marks = {each for mark in drawing.marks for each in surroundings(mark)}
    under = {each for label in labels.values() for each in label.cells()}
    label = place(cell, title, marks, under, sheet.columns, sheet.rows)
    if label is None:
        around = [each for _where, each in sides(cell, title, sheet.columns, sheet.rows)]
        label = around[0] if around else None
    if label is not None:
        covered = label.cells()
        for each in [each for each, other in labels.items() if other.cells() & covered]:
            del labels[each]
        labels[cell] = label
