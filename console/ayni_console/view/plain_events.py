"""What happened, as plain lines: newest first, of one thing or of all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ayni_console.lines import clean
from ayni_console.view import plain_parts as parts
from ayni_console.view import plain_site
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import Event
from ayni_io.i18n import _, _n
from ayni_io.phrases import thing


@dataclass(slots=True)
class Asked:
    """What the central was asked: events of one thing (or of all) since a time, or with these words. `whole`
    is whether these are all of them."""

    since: float
    about: tuple[str, str] | None = None
    events: Sequence[Event] = ()
    whole: bool = True
    words: str = ""


def belongs(model: Model, event: Event, about: tuple[str, str] | None) -> bool:
    """Whether an event is of a thing; of a site are those of all that stands or ends there."""
    if about is None:
        return True
    kind, name = about
    if kind == "site":
        return (event.kind, event.name) in plain_site.things(model, name)
    return (event.kind, event.name) == about


def lines(model: Model, asked: Asked, now: float) -> Iterator[str]:
    """The lines."""
    span, n = parts.spoken(now - asked.since), len(asked.events)
    if asked.words:
        what = clean(asked.words)
        yield _n("{n} event with “{words}”", "{n} events with “{words}”", n, words=what)
    elif asked.about is None:
        yield _n("{n} event in the last {span}", "{n} events in the last {span}", n, span=span)
    else:
        name = clean(thing(model, *asked.about))
        yield _n(
            "{n} event of {name} in the last {span}", "{n} events of {name} in the last {span}", n,
            name=name, span=span,
        )  # fmt: skip
    for event in asked.events:
        yield parts.event_line(model, event, now)
    if not asked.whole:
        yield _("There are older ones: --limit shows more.")


def as_json(model: Model, asked: Asked, now: float) -> dict[str, object]:
    """The same for programs."""
    kind, name = asked.about or ("", "")
    return {
        "since": asked.since,
        "words": asked.words,
        "kind": kind,
        "name": name,
        "whole": asked.whole,
        "events": [parts.event_json(model, event, now) for event in asked.events],
    }
