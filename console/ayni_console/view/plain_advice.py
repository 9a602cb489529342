"""Advice as plain lines: what is probably wrong, the goal, the steps, and what else it may be."""

from __future__ import annotations

from collections.abc import Iterator

from ayni_console import advice
from ayni_console.lines import clean
from ayni_console.view import repair, wrong
from ayni_console.view.plain_parts import measured
from ayni_core.onlooking import attention
from ayni_core.onlooking.model import Model
from ayni_io.i18n import _
from ayni_io.phrases import thing


def worst(model: Model, now: float) -> tuple[str, str] | None:
    """What comes first in DO FIRST; None where nothing needs anybody."""
    found = attention.items(model, now)
    return (found[0].kind, found[0].name) if found else None


def lines(model: Model, about: tuple[str, str], cause: str, now: float) -> Iterator[str]:
    """The lines; a step with what belongs to it is one line."""
    yield clean(wrong.headline(model, about, now))
    yield _("Goal: {goal}", goal=advice.goal(cause))
    live = repair.live_line(model, *about, now)
    if live:
        yield _("Now: {numbers}", numbers=clean(live))
        age_s = repair.live_age(model, *about, now)
        if age_s is not None:
            yield measured(now - age_s, now)
    for number, step in enumerate(advice.steps(cause), 1):
        yield f"{number}. {step.text}" + (f" {step.more}" if step.more else "")
    yield _("It may be something else:")
    for other in advice.LOOK_ALIKES[cause]:
        yield "  " + _("{name}: --cause {cause}", name=advice.name_of(other), cause=other)


def as_json(model: Model, about: tuple[str, str], cause: str, now: float) -> dict[str, object]:
    """The same for programs."""
    return {
        "kind": about[0],
        "name": about[1],
        "title": thing(model, *about),
        "headline": wrong.headline(model, about, now),
        "cause": cause,
        "goal": advice.goal(cause),
        "steps": [{"kind": each.kind, "text": each.text, "more": each.more} for each in advice.steps(cause)],
        "others": list(advice.LOOK_ALIKES[cause]),
    }
