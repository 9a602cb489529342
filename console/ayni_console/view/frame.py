"""The head and the foot that every screen has."""

from __future__ import annotations

from collections.abc import Sequence

from ayni_console.lines import Line, Span, cells, line, spread, width
from ayni_console.view.page import Look
from ayni_core.onlooking.model import Model
from ayni_io import words
from ayni_io.i18n import _
from ayni_io.phrases import trouble

__all__ = ["trouble"]

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
    right += [contact(model, look.now)]
    if look.width >= 70:
        right += ["  ", words.clock(look.now)]
    room = look.width - width(line(*right)) - 1 - min(width(left), _LEAST_LEFT) - 5
    middle = next((each for each in middles if width(each) <= room), ())
    return spread((Span(" "), *left), middle, (*line(*right), Span(" ")), look.width)


def crumbs(names: Sequence[str]) -> Line:
    """The way here: `Home > Torre-Clínica > signal`."""
    if len(names) == 1:
        return line(Span(names[0], "head"))
    return line(" > ".join(names[:-1]) + " > ", Span(names[-1], "head"))


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
