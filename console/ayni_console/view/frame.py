"""The head and the foot that every screen has."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ayni_console.lines import Line, Span, cells, line, spread, width
from ayni_console.view.page import Look
from ayni_core.onlooking.model import Model
from ayni_io import words
from ayni_io.i18n import _

_STEP = " > "
_LEAST_LEFT = 8
"""Cells that a name at the left keeps beside what stands in the middle."""


def contact(model: Model, now: float) -> Span:
    """How fresh our contact with the central is: `LIVE 12s`, or a clear word."""
    age = model.contact_age(now)
    state = model.contact(now)
    known = "" if age is None else f" {exact(age)}"
    match state:
        case "live":
            return Span(_("LIVE") + known, "ok")
        case "waiting":
            return Span(_("WAITING"), "nonews")
        case "broker" if age is None and not model.trouble:
            return Span(_("CONNECTING"), "nonews")
    return Span(_("NO CONTACT") + known, "down")


def past(speed: float, at: float) -> Span:
    """Which moment of the past is shown, and how fast it goes by: `PAST Mon 03:10 ×60`."""
    pace = _("STOPPED") if not speed else f"×{speed:.0f}"
    past = _("PAST")
    return Span(f"{past} {words.date(at)} {words.clock(at)} {pace}", "weak")


def exact(age_s: float) -> str:
    """An age to the second below a minute, as contact is shown."""
    return _("{n}s", n=int(age_s)) if age_s < words.MINUTE else words.short(age_s)


def head(model: Model, look: Look, left: Line, *middles: Line, paused: bool = False) -> Line:
    """The first line: where we are, what matters here, TRAINING, contact and the clock.

    Of several `middles`, longest first, the first is taken for which there is room.
    """
    right: list[str | Span] = []
    if paused:
        right += [Span(_("PAUSED"), "weak"), "  "]
    if model.training:
        right += [Span(_("TRAINING"), "training"), "  "]
    if model.past is not None:
        right += [past(model.past, look.now)]
    else:
        right += [contact(model, look.now)]
        if look.width >= 70:
            right += ["  ", words.clock(look.now)]
    room = look.width - width(line(*right)) - 1 - min(width(left), _LEAST_LEFT) - 5
    middle = next((each for each in middles if width(each) <= room), ())
    left = _shorter(left, look.width - width(line(*right)) - 3 - (width(middle) + 4 if middle else 0))
    return spread((Span(" "), *left), middle, (*line(*right), Span(" ")), look.width)


def _shorter(way: Line, room: int) -> Line:
    """A long way here without its middle: where it begins, and the screen that is shown, are read first."""
    if len(way) != 2:
        return way
    names, here = way[0].text.split(_STEP)[:-1], way[1]
    while len(names) > 1 and names[1:] != ["…"] and width(way) > room:
        names = [names[0], "…", *names[3 if names[1] == "…" else 2 :]]
        way = (Span(_STEP.join([*names, ""]), way[0].style), here)
    return way


def crumbs(names: Sequence[str]) -> Line:
    """The way here: `Home > Torre-Clínica > signal`."""
    if len(names) == 1:
        return line(Span(names[0], "head"))
    return line(_STEP.join([*names[:-1], ""]), Span(names[-1], "head"))


_PLACES = 16
"""Cells at the right of the line above the foot, where it is said which rows are seen."""
_IN_BRACKETS = re.compile(r" ?\([^()]*\)")


def asked(label: str, look: Look) -> str:
    """What is asked above the line to type into; without its brackets where room is short."""
    return shortened(label, look.width - _PLACES)


def shortened(label: str, room: int) -> str:
    """A label, without what it says in brackets where there is no room for that."""
    return label if cells(label) <= room else _IN_BRACKETS.sub("", label)


def rule(look: Look) -> Line:
    """A line across the screen."""
    return (Span("─" * look.width, "rule"),)


def keys(shown: Sequence[tuple[str, str]], look: Look) -> Line:
    """The last line: keys and what they do, as many as there is room for."""
    parts: list[str | Span] = []
    room = look.width
    for key, does in shown:
        size = cells(key) + cells(does) + 3
        if size > room:
            continue
        parts += [" ", Span(key, "key"), " " + does + " "]
        room -= size
    return line(*parts)
