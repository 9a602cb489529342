"""A small plot in text: one column a step, the mean as `█`, the band from least to largest as `░`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ayni_core.wire.questions import Bucket

STEPS = (1, 2, 5)


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
    if not group:
        return None
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
        if base + step * (rows - 1) >= high - step * 1e-9:
            return base, step
    raise AssertionError("a step of fifty times the least always holds")


def plot(
    columns: Sequence[Bucket | None], rows: int, *, label: Callable[[float], str], least_span: float = 0.0
) -> list[str]:
    """`rows` lines, the largest value on top; each begins with its value and `│`.

    `least_span` keeps a steady value from looking wild: the scale spans at least so much.
    """
    known = [column for column in columns if column is not None]
    if not known or rows < 3:
        return []
    low, high = min(each.low for each in known), max(each.high for each in known)
    if high - low < least_span:
        low, high = (low + high - least_span) / 2, (low + high + least_span) / 2
    base, step = scale(low, high, rows)
    labels = [label(base + row * step) for row in range(rows)]
    margin = max(map(len, labels))
    lines = []
    for row in reversed(range(rows)):
        marks = "".join(_mark(column, row, base, step) for column in columns)
        lines.append(f"{labels[row]:>{margin}} │{marks}")
    return lines


def _mark(column: Bucket | None, row: int, base: float, step: float) -> str:
    if column is None:
        return " "
    if round((column.mean - base) / step) == row:
        return "█"
    return "░" if round((column.low - base) / step) <= row <= round((column.high - base) / step) else " "


def axis(marks: Sequence[tuple[float, str]], start: float, end: float, columns: int) -> str:
    """The line below a plot: each mark's name begins under its moment; what does not fit is left out."""
    text = ""
    for at, name in marks:
        column = round((at - start) / (end - start) * columns)
        if column >= len(text) and column + len(name) <= columns:
            text = text.ljust(column) + name + " "
    return text[:columns].ljust(columns)
