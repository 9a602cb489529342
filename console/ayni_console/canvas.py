"""A sheet of characters to draw on: strokes between places, and labels that do not overlap."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from ayni_console.geo import Cell
from ayni_console.lines import Line, Span, cells, clean, clip

DIRECTED = ""
"""A pattern that follows the way it goes: `─`, `│`, `/` or `\\`."""
_SHORTER = (20, 12, 7)
"""Cells that a label may take: a shorter one stands where the longer one finds no room."""
_AWKWARD = {"right": 0.0, "left": 0.5, "below": 1.5, "above": 1.5}
"""How much worse a place beside a mark is, in cells of strokes that are covered."""


@dataclass(frozen=True, slots=True)
class Label:
    """A text at a place: where it begins, and the cells it keeps free, one more at its end."""

    column: int
    row: int
    text: str

    def cells(self) -> set[Cell]:
        """What it covers."""
        return {(self.column + at, self.row) for at in range(cells(self.text) + 1)}


class Canvas:
    """Cells with a character and a style each. What is drawn later covers what was there."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._chars = [[" "] * columns for _row in range(rows)]
        self._styles = [[""] * columns for _row in range(rows)]

    def put(self, column: int, row: int, text: str, style: str = "") -> None:
        """A text from one cell on; what does not fit is left out."""
        if not 0 <= row < self.rows:
            return
        for char in clean(text):
            size = cells(char)
            if size and column >= 0 and column + size <= self.columns:
                self._chars[row][column] = char
                self._styles[row][column] = style
                for behind in range(1, size):
                    self._chars[row][column + behind] = ""
                    self._styles[row][column + behind] = style
            column += size

    def stroke(self, path: Sequence[tuple[Cell, str]], pattern: str, style: str) -> None:
        """Along a path; a pattern is repeated, and what is blank in it leaves what is below."""
        marks = itertools.cycle(pattern) if pattern else None
        for (column, row), directed in path:
            mark = next(marks) if marks else directed
            if mark != " ":
                self._chars[row][column] = mark
                self._styles[row][column] = style

    def lines(self) -> list[Line]:
        """All rows, neighbours of one style in one span."""
        made: list[Line] = []
        for chars, styles in zip(self._chars, self._styles, strict=True):
            runs = itertools.groupby(zip(chars, styles, strict=True), key=lambda cell: cell[1])
            made.append(tuple(Span("".join(char for char, _style in run), style) for style, run in runs))
        return made


def path(begin: Cell, stop: Cell, columns: int, rows: int) -> list[tuple[Cell, str]]:
    """The cells between two, with the character that goes along; of what lies outside nothing is drawn, the
    ends are left out."""
    seen = _clipped(begin, stop, columns, rows)
    if seen is None:
        return []
    across, down = stop[0] - begin[0], stop[1] - begin[1]
    steps = max(abs(across), abs(down))
    first, last = max(int(seen[0] * steps) - 1, 1), min(int(seen[1] * steps) + 1, steps - 1)
    found: list[tuple[Cell, str]] = []
    before = _at(begin, across, down, first - 1, steps)
    for step in range(first, last + 1):
        here = _at(begin, across, down, step, steps)
        if 0 <= here[0] < columns and 0 <= here[1] < rows:
            found.append((here, _along(here[0] - before[0], here[1] - before[1])))
        before = here
    return found


def place(
    mark: Cell, title: str, taken: Set[Cell], under: Set[Cell], columns: int, rows: int
) -> Label | None:
    """Where a label of a mark finds room without covering what is `taken`, and as little as may be of what
    lies `under` it; None where there is none, even if it is cut short."""
    for size in _SHORTER:
        if size != _SHORTER[0] and cells(title) <= size:
            continue
        text = clip(title, size)
        best: tuple[float, Label] | None = None
        for where, label in sides(mark, text, columns, rows):
            if not _free(label, mark, taken):
                continue
            price = _AWKWARD[where] + len(under & label.cells())
            if best is None or price < best[0]:
                best = price, label
        if best is not None:
            return best[1]
    return None


def _free(label: Label, mark: Cell, taken: Set[Cell]) -> bool:
    """Whether nothing that is taken is covered, but for what belongs to the mark itself."""
    row = label.row
    for column in range(label.column, label.column + cells(label.text) + 1):
        if (column, row) in taken and not (row == mark[1] and abs(column - mark[0]) <= 1):
            return False
    return True


def surroundings(mark: Cell) -> set[Cell]:
    """A mark, and a cell at either side: the left one holds the sign of what is selected."""
    return {(mark[0] + aside, mark[1]) for aside in (-1, 0, 1)}


def sides(mark: Cell, text: str, columns: int, rows: int) -> Iterable[tuple[str, Label]]:
    """The places beside a mark where a text stays on the sheet."""
    column, row = mark
    size = cells(text)
    middle = min(max(column - size // 2, 0), max(columns - size, 0))
    places = {
        "right": (column + 2, row),
        "left": (column - 1 - size, row),
        "below": (middle, row + 1),
        "above": (middle, row - 1),
    }
    for where, (at, line) in places.items():
        if at >= 0 and at + size <= columns and 0 <= line < rows:
            yield where, Label(at, line, text)


def _at(begin: Cell, across: int, down: int, step: int, steps: int) -> Cell:
    """The cell after so many of so many steps, rounded half up."""
    half = 2 * steps if steps else 1
    return (
        begin[0] + (2 * across * step + steps) // half,
        begin[1] + (2 * down * step + steps) // half,
    )


def _along(across: int, down: int) -> str:
    if not down:
        return "─"
    if not across:
        return "│"
    return "\\" if across * down > 0 else "/"


def _clipped(start: Cell, end: Cell, columns: int, rows: int) -> tuple[float, float] | None:
    """From and to which share of the way it is on the sheet (Liang and Barsky); None where never."""
    first, last = 0.0, 1.0
    across = (start[0], end[0] - start[0], columns - 1)
    down = (start[1], end[1] - start[1], rows - 1)
    for at, span, most in (across, down):
        for moved, room in ((-span, at), (span, most - at)):
            if not moved:
                if room < 0:
                    return None
                continue
            share = room / moved
            first, last = (max(first, share), last) if moved < 0 else (first, min(last, share))
    return (first, last) if first <= last else None
