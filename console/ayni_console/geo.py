"""Places on a flat sheet: km around their middle, the part that is seen, and who lies in which direction.

A community is small against the Earth, so a local projection keeps shapes and distances; a terminal's cell is
twice as high as wide.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Point = tuple[float, float]
"""km to the east and km to the north of the middle."""
Cell = tuple[int, int]
"""(column, row), the uppermost row being 0."""
WAYS: Mapping[str, Point] = {"up": (0.0, 1.0), "down": (0.0, -1.0), "left": (-1.0, 0.0), "right": (1.0, 0.0)}

_KM_A_DEGREE = 111.2
_TALL = 2.0
"""How much higher than wide a cell is."""
_APART_KM = 0.001
"""Sites at one place stand so far apart, to the east: else arrows would never find the second one."""
_LEAST_KM = 0.01
"""A cell is never narrower: closer than that nobody knows where a site is."""
_ALONE_KM = 0.1
"""Width of a cell where all sites stand at one place."""


def project(places: Iterable[tuple[str, float, float]]) -> dict[str, Point]:
    """(name, latitude, longitude) in degrees to points; also across the 180th meridian."""
    sorted_in = sorted(places)
    if not sorted_in:
        return {}
    middle = math.fsum(latitude for _name, latitude, _longitude in sorted_in) / len(sorted_in)
    reference = sorted_in[0][2]
    narrow = max(math.cos(math.radians(middle)), 0.01)
    found: dict[str, Point] = {}
    taken: set[Cell] = set()
    for name, latitude, longitude in sorted_in:
        east = ((longitude - reference + 540.0) % 360.0 - 180.0) * _KM_A_DEGREE * narrow
        north = (latitude - middle) * _KM_A_DEGREE
        while (spot := (round(east / _APART_KM), round(north / _APART_KM))) in taken:
            east += _APART_KM
        taken.add(spot)
        found[name] = (east, north)
    return found


@dataclass(frozen=True, slots=True)
class Sheet:
    """The part that is seen: its `middle`, how many km a cell is wide, and its size in cells."""

    middle: Point
    km_a_cell: float
    columns: int
    rows: int

    def exactly(self, point: Point) -> Point:
        """(column, row) of a point, with fractions; outside of the sheet where it is not seen."""
        return (
            (point[0] - self.middle[0]) / self.km_a_cell + self.columns // 2,
            (self.middle[1] - point[1]) / self.km_a_cell / _TALL + self.rows // 2,
        )

    def cell(self, point: Point) -> Cell:
        """The cell that a point lies in."""
        column, row = self.exactly(point)
        return math.floor(column + 0.5), math.floor(row + 0.5)

    def holds(self, point: Point, edge: int = 0) -> bool:
        """Whether a point is seen, at least `edge` cells from the left and from the right."""
        column, row = self.cell(point)
        return edge <= column < self.columns - edge and 0 <= row < self.rows


def whole(points: Iterable[Point], columns: int, rows: int, edge: int) -> Sheet:
    """A sheet that holds them all, `edge` cells free at the left and at the right."""
    west, south, east, north = _bounds(points)
    wide = (east - west) / max(2 * _half(columns, edge), 1)
    high = (north - south) / max(2 * _half(rows), 1) / _TALL
    alone = max(east - west, north - south) < _LEAST_KM
    middle = (west + east) / 2, (south + north) / 2
    return Sheet(middle, _ALONE_KM if alone else max(wide, high), columns, rows)


def zoomed(all_seen: Sheet, level: int, middle: Point, points: Iterable[Point], edge: int) -> Sheet:
    """The sheet at a zoom, each level twice as close; moved no further than there is something to see."""
    if level <= 0:
        return all_seen
    km = max(all_seen.km_a_cell / 2**level, min(_LEAST_KM, all_seen.km_a_cell))
    west, south, east, north = _bounds(points)
    across = km * _half(all_seen.columns, edge)
    along = km * _TALL * _half(all_seen.rows)
    kept = (
        _within(middle[0], west + across, east - across),
        _within(middle[1], south + along, north - along),
    )
    return Sheet(kept, km, all_seen.columns, all_seen.rows)


def closest(all_seen: Sheet) -> int:
    """The largest zoom that still shows more of what is known."""
    return max(math.ceil(math.log2(all_seen.km_a_cell / _LEAST_KM)), 0)


def neighbour(points: Mapping[str, Point], here: Point, way: str) -> str | None:
    """The nearest point in one of WAYS, within 45° of it; where none is, the one least aside of it."""
    ahead, aside = WAYS[way]
    best: tuple[bool, float, str] | None = None
    for name, (east, north) in points.items():
        right, up = east - here[0], north - here[1]
        along = right * ahead + up * aside
        if along <= 0:
            continue
        across = abs(right * aside - up * ahead)
        far = math.hypot(along, across) if across <= along else across / along
        rank = (across > along, far, name)
        if best is None or rank < best:
            best = rank
    return best[2] if best else None


def bar(km_a_cell: float, most: int) -> tuple[int, float]:
    """(cells, km) of a scale bar: the longest of 1, 2 or 5 times a power of ten within `most` cells."""
    power = 10.0 ** math.floor(math.log10(most * km_a_cell))
    km = max(factor * power for factor in (1, 2, 5) if factor * power <= most * km_a_cell * (1 + 1e-9))
    return max(round(km / km_a_cell), 1), km


def _bounds(points: Iterable[Point]) -> tuple[float, float, float, float]:
    easts, norths = zip(*points, strict=True)
    return min(easts), min(norths), max(easts), max(norths)


def _half(cells: int, edge: int = 0) -> int:
    """Cells at either side of the middle one, without the edge."""
    return max((cells - 1) // 2 - edge, 0)


def _within(value: float, least: float, most: float) -> float:
    """The nearest value between two bounds; halfway where they leave no room."""
    return (least + most) / 2 if least > most else min(max(value, least), most)
