"""Events and notebook: what happened, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ayni_console.lines import Line, Span, fit, line, wrap
from ayni_console.view.home import thing
from ayni_console.view.page import Look, Row, matches, text
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import Event
from ayni_io import words
from ayni_io.i18n import _, say

LEVELS = {"critical": "down", "warn": "weak", "info": "ok"}


def rows(
    model: Model, look: Look, events: Sequence[Event], problem: str, asked: bool, wanted: str = ""
) -> list[Row]:
    """The body: an event a line, the chosen ones in full on the help screen."""
    if problem:
        return [text(" ? ", problem)]
    if not asked:
        return [text("   ", _("Asking the central …"))]
    made = [Row(partial(_head, look), sticky=True)]
    shown = [event for event in events if matches(wanted, *event_words(model, event))]
    made += [Row(partial(event_line, model, event, look), key_of(event)) for event in shown]
    if not shown:
        made.append(text("   ", _("Nothing happened that is noted here.")))
    return made


def joined(known: tuple[Event, ...], older: Sequence[Event]) -> tuple[Event, ...]:
    """Both, none of them twice."""
    return known + tuple(event for event in older if event not in known)  # texts have no hash


def key_of(event: Event) -> str:
    """The key of an event's row."""
    return f"event:{event.at}:{event.text.context}:{event.kind}:{event.name}"


def event_words(model: Model, event: Event) -> tuple[str, ...]:
    """What a filter looks at."""
    return said(event), about(model, event), event.author


def said(event: Event) -> str:
    """What happened, in the reader's language; a note in its author's own words."""
    if event.text.context == "event.note":
        words_of = str(event.text.values.get("text", ""))
        author = str(event.text.values.get("author", "")) or event.author
        return f"{author}: {words_of}" if author else words_of
    return _("Over: {what}", what=say(event.text)) if event.level == "clear" else say(event.text)


def about(model: Model, event: Event) -> str:
    """What an event speaks of."""
    return thing(model, event.kind, event.name) if event.name else ""


def _widths(look: Look) -> tuple[int, int]:
    return 11, (20 if look.width >= 76 else 14)


def _head(look: Look) -> Line:
    time, name = _widths(look)
    return line(
        Span("   " + fit(_("time"), time) + " " + fit(_("what of"), name) + " " + _("what happened"), "head")
    )


def event_line(model: Model, event: Event, look: Look) -> Line:
    """`▲ Mon 03:10  Torre-Clínica  Torre hears -71 dBm, normal is -59`."""
    time, name = _widths(look)
    mark, style = mark_of(event)
    return line(
        " ", Span(mark, style), " ", fit(words.when(event.at, look.now), time), " ",
        fit(about(model, event), name), " ", fit(said(event), look.width - time - name - 5),
    )  # fmt: skip


def mark_of(event: Event) -> tuple[str, str]:
    """The symbol and style of an event: notes have their own."""
    if event.text.context == "event.note":
        return "·", "meaning"
    state = LEVELS.get(event.level, "ok")
    return words.symbol(state), words.style(state)


def full(model: Model, event: Event, look: Look) -> list[str]:
    """One event in full, as lines."""
    head = f"{words.when(event.at, look.now)}  {about(model, event)}".rstrip()
    return [head, *wrap(said(event), look.width - 4)]
