"""The end of a pretend village: what a newcomer may do next."""

from __future__ import annotations

from ayni_console.lines import Span, wrap
from ayni_console.view.page import BLANK, Look, Row, text
from ayni_core.onlooking.model import Model
from ayni_io.i18n import LANGUAGES, _, language, say

DEVICES, TEACH, LEAVE = "devices", "teach", "leave"


def rows(model: Model, look: Look, *, teaching: bool) -> list[Row]:
    """Three ways to go on, each with what it does; or how to teach with the village."""
    if teaching:
        return _lesson(model, look)
    made = [text(" ", Span(_("What now?"), "head")), BLANK]
    for key, name, does in _ways():
        made.append(_choice(key, name))
        made += [text("     ", Span(piece, "dim")) for piece in wrap(does, look.width - 6)]
        made.append(BLANK)
    return [*made, text(" ", _("Esc: stay in the village."))]


def _ways() -> tuple[tuple[str, str, str], ...]:
    return (
        (
            DEVICES,
            _("My own devices"),
            _("Ends and erases the village, then starts a network of your own on this machine: ayni start."),
        ),
        (TEACH, _("Teach with this"), _("The village stays: five exercises for a class, in ninety minutes.")),
        (LEAVE, _("Leave"), _("Ends and erases the village. Nothing of it stays on this machine.")),
    )


def _lesson(model: Model, look: Look) -> list[Row]:
    room = look.width - 2
    made = [text(" ", Span(_("Teach with this"), "head")), BLANK]
    said = (
        _("You break something in the lab (b) while nobody looks. Groups of three find it."),
        _("Nobody acts before cause, place and two pieces of evidence are written down."),
        _("Then they choose a repair, and wait for FIXED."),
    )
    for each in said:
        made += [text(" ", piece) for piece in wrap(each, room)]
    made += [BLANK, text(" ", Span(_("WHAT CAN BREAK"), "head"))]
    made += [text("   ", say(fault.title)) for fault in (model.lab.faults if model.lab else ())]
    path = f"docs/lesson-1.{language() if language() in LANGUAGES else 'en'}.md"
    told = _("The lesson, with what to say and a score sheet: {path}, where you cloned Ayni.", path=path)
    return [*made, BLANK, *(text(" ", piece) for piece in wrap(told, room))]


def _choice(key: str, name: str) -> Row:
    made = text("   ", Span(name, "head"))
    return Row(made.draw, key)
