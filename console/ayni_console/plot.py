"""A small plot in text: the mean as `█`, the band from least to largest as `░`, a level as `─`.

Where the terminal has braille, a cell holds two columns of four dots: the mean is a line, the band a haze.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ayni_console.lines import Line, Span, cells
from ayni_core.wire.questions import Bucket

STEPS = (1, 2, 5)
_DOTS = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
"""Bits of a braille cell: of its left and its right column, from the lowest dot up (Unicode, U+2800)."""
_FIRST_BRAILLE = 0x2800


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One line of a plot: its steps, and how long each lasts."""

    steps: Sequence[Bucket]
    step_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What a plot shows: from when to when, on how many cells, and what the values are called. A steady value
    does not look wild, for the scale spans `least_span` at least; `levels` are drawn straight across."""

    start: float
    end: float
    columns: int
    rows: int
    label: Callable[[float], str] = field(default=str)
    least_span: float = 0.0
    levels: Sequence[float] = ()
    braille: bool = False


def resample(
    buckets: Sequence[Bucket], start: float, end: float, columns: int, step_s: float = 0.0
) -> list[Bucket | None]:
    """One value a column: least, mean of means, largest of what begins in it; None where nothing does.

    A bucket lasts `step_s`: columns that it reaches into and where none begins show it too.
    """
    if columns < 1 or end <= start:
        return []
    cell = (end - start) / columns
    sorted_in: list[list[Bucket]] = [[] for _each in range(columns)]
    for bucket in buckets:
        at = math.floor((bucket.at - start) / cell + 1e-6)
        if 0 <= at < columns:
            sorted_in[at].append(bucket)
    found = [_joined(group) for group in sorted_in]
    last: Bucket | None = None
    for column, here in enumerate(found):
        last = here or last
        if here is None and last is not None and start + column * cell < last.at + step_s - cell * 1e-6:
            found[column] = last
    return found


def _joined(group: list[Bucket]) -> Bucket | None:
    if len(group) < 2:
        return group[0] if group else None
    return Bucket(
        at=group[-1].at,
        low=min(bucket.low for bucket in group),
        mean=sum(bucket.mean for bucket in group) / len(group),
        high=max(bucket.high for bucket in group),
    )


def scale(low: float, high: float, rows: int) -> tuple[float, float]:
    """(value of the lowest row, step between rows): round numbers that hold everything from low to high."""
    rows = max(rows, 3)  # with two, no step holds what lies on both sides of 0
    least = max((high - low) / (rows - 1), abs(high) * 1e-6, 1e-9)
    power = 10.0 ** math.floor(math.log10(least))
    for factor in (*STEPS, 10, 20, 50):
        step = factor * power
        base = math.floor(low / step + 1e-9) * step
        spare = rows - 1 - math.ceil((high - base) / step - 1e-9)
        if spare >= 0:  # in the middle, but a value that is never below 0 has no axis below it
            below = spare // 2 if low < 0 else min(spare // 2, round(base / step))
            return base - below * step, step
    raise AssertionError("a step of fifty times the least always holds")


@dataclass(frozen=True, slots=True)
class _Scale:
    """Which row a value stands in; the lowest is 0."""

    base: float
    step: float
    rows: int

    def row(self, value: float) -> int:
        return round((value - self.base) / self.step)

    def dot(self, value: float) -> int:
        """Of four a row."""
        return min(max(math.floor(((value - self.base) / self.step + 0.5) * 4), 0), self.rows * 4 - 1)


def draw(curves: Sequence[Curve], frame: Frame) -> list[Line]:
    """`frame.rows` lines, the largest value on top; each begins with its value and `│`. Nothing at all where
    nothing is known.

    Two curves are drawn over each other, the first in front, without their bands.
    """
    marks, found = _filled(
        tuple((tuple(curve.steps), curve.step_s) for curve in curves), frame.start, frame.end,
        frame.columns, frame.rows, frame.least_span, tuple(frame.levels), frame.braille,
    )  # fmt: skip
    if not marks:
        return []
    labels = [frame.label(found.base + row * found.step) for row in range(frame.rows)]
    margin = max(map(cells, labels))
    names = (" " * (margin - cells(each)) + each for each in labels)
    lines = [(Span(f"{name} │", "plot"), *row) for name, row in zip(names, marks, strict=True)]
    return lines[::-1]


_Steps = tuple[tuple[Bucket, ...], float]


@functools.lru_cache(8)
def _filled(
    curves: tuple[_Steps, ...], start: float, end: float, columns: int, rows: int,
    least_span: float, levels: tuple[float, ...], braille: bool,
) -> tuple[list[Line], _Scale]:  # fmt: skip
    """The rows without their values, the lowest first; kept, for a screen is painted once a second."""
    wide = columns * (2 if braille else 1)
    sampled = [resample(steps, start, end, wide, step_s) for steps, step_s in curves]
    known = [column for each in sampled for column in each if column is not None]
    if not known or rows < 3:
        return [], _Scale(0.0, 1.0, 0)
    found = _scaled(known, len(curves) > 1, rows, least_span, levels)
    fill = _braille if braille else _blocks
    return fill(sampled, found, levels), found


def _scaled(
    known: Sequence[Bucket], lines_only: bool, rows: int, least_span: float, levels: Sequence[float]
) -> _Scale:
    lows = [each.mean if lines_only else each.low for each in known]
    highs = [each.mean if lines_only else each.high for each in known]
    low, high = min([*lows, *levels]), max([*highs, *levels])
    if high - low < least_span:
        low, high = (low + high - least_span) / 2, (low + high + least_span) / 2
    return _Scale(*scale(low, high, rows), rows)


_STYLES = {"█": "plot", "▒": "meaning", "░": "dim", "─": "rule", " ": ""}


def _blocks(
    sampled: Sequence[Sequence[Bucket | None]], scaled: _Scale, levels: Sequence[float]
) -> list[Line]:
    """A cell a column: the mean of the first curve wins, then that of the second, a level, the band."""
    grid = [[" "] * len(sampled[0]) for _row in range(scaled.rows)]
    if len(sampled) == 1:
        for x, column in enumerate(sampled[0]):
            if column is not None:
                for row in range(
                    max(scaled.row(column.low), 0), min(scaled.row(column.high) + 1, scaled.rows)
                ):
                    grid[row][x] = "░"
    for row in {scaled.row(level) for level in levels} & set(range(scaled.rows)):
        grid[row] = ["─"] * len(sampled[0])
    for sign, columns in reversed(list(zip("█▒", sampled, strict=False))):
        for x, column in enumerate(columns):
            if column is not None and 0 <= (row := scaled.row(column.mean)) < scaled.rows:
                grid[row][x] = sign
    return [_joined_marks([(mark, _STYLES[mark]) for mark in marks]) for marks in grid]


class _Dots:
    """A grid of dots, two across and four up in a cell; row 0 is the lowest."""

    def __init__(self, rows: int, wide: int) -> None:
        self.cells = [[0] * wide for _row in range(rows)]

    def add(self, x: int, y: int) -> None:
        self.cells[y // 4][x // 2] |= _DOTS[x % 2][y % 4]


def _braille(
    sampled: Sequence[Sequence[Bucket | None]], scaled: _Scale, levels: Sequence[float]
) -> list[Line]:
    """The first curve is a line, the second is dotted, a band has every other dot, a level is sparse."""
    wide = len(sampled[0]) // 2
    front, behind, level, haze = (_Dots(scaled.rows, wide) for _layer in range(4))
    _trace(front, sampled[0], scaled)
    for columns in sampled[1:]:
        for x, column in enumerate(columns[: 2 * wide : 2]):
            if column is not None:
                behind.add(2 * x, scaled.dot(column.mean))
    for value in levels:
        for x in range(0, 2 * wide, 4):
            level.add(x, scaled.dot(value))
    for x, column in enumerate(sampled[0][: 2 * wide] if len(sampled) == 1 else ()):
        if column is not None:
            for y in range(scaled.dot(column.low), scaled.dot(column.high) + 1):
                if (x + y) % 2 == 0:
                    haze.add(x, y)
    made = []
    for layers in zip(front.cells, behind.cells, level.cells, haze.cells, strict=True):
        marks = []
        for curve, other, straight, band in zip(*layers, strict=True):
            bits = curve | other or straight | band
            style = "plot" if curve else "meaning" if other else "rule" if straight else "dim"
            marks.append((chr(_FIRST_BRAILLE + bits), style) if bits else (" ", ""))
        made.append(_joined_marks(marks))
    return made


def _trace(dots: _Dots, columns: Sequence[Bucket | None], scaled: _Scale) -> None:
    """A curve as one line: where it jumps, the dots between are filled."""
    before: int | None = None
    for x, column in enumerate(columns[: 2 * len(dots.cells[0])]):
        if column is None:
            before = None
            continue
        here = scaled.dot(column.mean)
        first = here if before is None or before >= here else before + 1
        last = here if before is None or before <= here else before - 1
        for y in range(first, last + 1):
            dots.add(x, y)
        before = here


def _joined_marks(marks: Sequence[tuple[str, str]]) -> Line:
    """Neighbours of one style as one span."""
    made: list[Span] = []
    for mark, style in marks:
        if made and (made[-1].style == style or mark == " "):
            made[-1] = Span(made[-1].text + mark, made[-1].style)
        else:
            made.append(Span(mark, style))
    return tuple(made)


def axis(marks: Sequence[tuple[float, str]], start: float, end: float, columns: int, last: str = "") -> str:
    """The line below a plot, ending in `last`: each mark's name begins under its moment; what does not fit is
    left out."""
    room = columns - cells(last)
    text = ""
    for at, name in marks:
        column = round((at - start) / (end - start) * columns)
        if column >= len(text) and column + len(name) <= room:
            text = text.ljust(column) + name + " "
    return text[:room].ljust(room) + last
