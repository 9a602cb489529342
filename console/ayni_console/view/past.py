"""How the past is shown: how far back, a plot with its axis and its levels, and what the signs in it mean."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ayni_console.lines import Line, Span, line, width
from ayni_console.plot import Curve, Frame, axis, draw
from ayni_console.view.page import Look, Row, text
from ayni_io import words
from ayni_io.i18n import _

ZOOMS = {"hour": 3600.0, "day": 86400.0, "week": 7 * 86400.0, "month": 30 * 86400.0, "year": 365 * 86400.0}
MARGIN = 11
"""Cells of a plot's line that are not its own: values at the left, a little room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A value that is drawn straight across, and what it is: `when new -59`."""

    value: float
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """What is drawn: one curve or two, of when, with what is expected."""

    curves: Sequence[Curve]
    start: float
    end: float
    zoom: str
    levels: Sequence[Level] = ()
    least_span: float = 10.0
    label: Callable[[float], str] = words.number


def zoomed(zoom: str, way: int) -> str:
    """The next longer (`way` 1) or shorter (-1) look back; at the end the same."""
    names = list(ZOOMS)
    return names[min(max(names.index(zoom) + way, 0), len(names) - 1)]


def span_name(zoom: str) -> str:
    """How long a zoom looks back."""
    names = {"hour": _("1 hour"), "day": _("24 hours"), "week": _("7 days"), "month": _("30 days")}
    return names.get(zoom) or _("1 year")


def at_the_end(way: int) -> str:
    """What is said where it goes no further."""
    return _("Nothing longer than a year.") if way > 0 else _("Nothing shorter than an hour.")


def step_s(zoom: str, look: Look, poll_s: float) -> float:
    """Seconds that a step of a plot stands for; never less than a poll."""
    columns = max(look.width - MARGIN, 1) * (2 if look.braille else 1)
    return max(ZOOMS[zoom] / columns, poll_s, 1.0)


def plot_rows(shown: Plot, look: Look, height: int) -> list[Row]:
    """A plot with its axis as rows; a sentence where nothing was measured."""
    frame = Frame(
        start=shown.start, end=shown.end, columns=look.width - MARGIN, rows=max(height - 1, 3),
        label=shown.label, least_span=shown.least_span, levels=[each.value for each in shown.levels],
        braille=look.braille,
    )  # fmt: skip
    drawn = draw(shown.curves, frame)
    if drawn and (over := width(drawn[0]) + 2 - look.width) > 0:  # long values take of the plot's room
        frame = replace(frame, columns=max(frame.columns - over, 8))
        drawn = draw(shown.curves, frame)
    if not drawn:
        return [text("   ", _("Nothing was measured in this time."))]
    left = width(drawn[0]) - frame.columns
    pad = " " * max(MARGIN - 2 - left, 1)
    marks = moments(shown.zoom, shown.start, shown.end)
    names = axis(marks, shown.start, shown.end, frame.columns, " " + _("now"))
    below = pad + " " * left + names
    return [*(_row((Span(pad), *each)) for each in drawn), text(Span(below, "dim"))]


def _row(drawn: Line) -> Row:
    return Row(lambda: drawn)


def moments(zoom: str, start: float, end: float) -> list[tuple[float, str]]:
    """Round times with their names, for the axis: firsts of months, Mondays, midnights, hours, quarters."""
    first = datetime.datetime.fromtimestamp(start).replace(minute=0, second=0, microsecond=0)
    found = []
    match zoom:
        case "year":
            at, step, name = first.replace(hour=0, day=1), datetime.timedelta(days=32), words.month
        case "month":
            monday = first.replace(hour=0) - datetime.timedelta(days=first.weekday())
            at, step, name = monday, datetime.timedelta(days=7), words.day
        case "week":
            at, step, name = first.replace(hour=0), datetime.timedelta(days=1), words.weekday
        case "day":
            at, step, name = first.replace(hour=0), datetime.timedelta(hours=4), words.clock
        case _:
            at, step, name = first, datetime.timedelta(minutes=15), words.clock
    while at.timestamp() < end:
        if at.timestamp() >= start:
            found.append((at.timestamp(), name(at.timestamp())))
        at += step
        if zoom == "year":
            at = at.replace(day=1)
    return found


def legend(shown: Plot, look: Look) -> Line:
    """What is drawn straight across a plot: `── when new -59`."""
    parts: list[str | Span] = []
    for level in shown.levels:
        parts += ["  ", Span("⠂ ⠂" if look.braille else "──", "rule"), " " + level.name]
    return line(*parts)
