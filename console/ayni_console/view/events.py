"""Events and notebook: what happened, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from ayni_console.lines import Line, Span, fit, line, wrap
from ayni_console.view.page import Look, Row, matches, text
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import Event
from ayni_core.wire.questions import Events
from ayni_io import words
from ayni_io.i18n import _, say
from ayni_io.phrases import thing

ONLY = ("", "notes", "alarms")
"""What can be looked at alone, in the order in which a key changes it."""
MOMENT_S = 1e-5
LEVELS = {"critical": "down", "warn": "weak", "info": "ok"}


@dataclass(slots=True)
class Listing:
    """The events of one question, newest first, as far as they were looked for.

    `only` and `words` say what was looked for, as in `AskEvents`. `asked`: there was an answer; `whole`:
    there are no older ones; `looked_back` is how far a search came, None where that is the oldest one here.
    """

    only: str = ""
    words: str = ""
    events: tuple[Event, ...] = ()
    asked: bool = False
    whole: bool = False
    looked_back: float | None = None

    def before(self) -> float | None:
        """From where to look on; None at the beginning. What happened in one moment may lie on both sides of
        an answer's end, so that moment is asked for again where the answer does not say how far it looked."""
        if self.looked_back is not None:
            return self.looked_back
        return min(event.at for event in self.events) + MOMENT_S if self.events else None

    def take_newest(self, answer: Events, limit: int) -> None:
        """The newest ones once more: older ones stay where they follow without a gap."""
        known = bool(set(map(key_of, answer.events)) & set(map(key_of, self.events)))
        if known and self.asked:
            self.events = joined(answer.events, self.events)
        else:
            self.events, self.looked_back = answer.events, answer.looked_back
            self.whole = answer.looked_back is None and len(answer.events) < limit
        self.asked = True

    def take_older(self, answer: Events, limit: int) -> None:
        """What came before those that are known."""
        grown = joined(self.events, answer.events)
        came = len(grown) > len(self.events)
        self.events, self.looked_back = grown, answer.looked_back
        self.whole = answer.looked_back is None and (len(answer.events) < limit or not came)


def rows(
    model: Model, look: Look, events: Sequence[Event], problem: str, asked: bool, wanted: str = "",
    listing: Listing | None = None,
) -> list[Row]:  # fmt: skip
    """The body: an event a line, the chosen ones in full on the help screen."""
    if problem:
        return [text(" ? ", problem)]
    if not asked:
        return [text("   ", _("Asking the central …"))]
    made = [Row(partial(_head, look), sticky=True)]
    shown = [event for event in events if matches(wanted, *event_words(model, event))]
    made += [Row(partial(event_line, model, event, look), key_of(event)) for event in shown]
    ending = _ending(listing, look) if listing is not None else ""
    if not shown and not (listing is not None and not listing.whole and listing.words):
        made.append(text("   ", _("Nothing happened that is noted here.")))
    if ending:
        made.append(text("   ", Span(ending, "dim")))
    return made


def _ending(listing: Listing, look: Look) -> str:
    """What stands below the last one."""
    if listing.whole:
        return _("That is all.") if listing.events else ""
    if listing.looked_back is not None and listing.words:
        return _("Looked back to {time}, going on …", time=words.when(listing.looked_back, look.now))
    return _("Older ones come as you go down …")


def joined(known: tuple[Event, ...], older: Sequence[Event]) -> tuple[Event, ...]:
    """Both, none of them twice."""
    seen = set(map(key_of, known))
    return known + tuple(event for event in older if key_of(event) not in seen)


def key_of(event: Event) -> str:
    """The key of an event's row: another one has another."""
    values = "/".join(str(value) for value in event.text.values.values())
    return f"event:{event.at}:{event.text.context}:{event.level}:{event.kind}:{event.name}:{values}"


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
    made = [head, *wrap(said(event), look.width - 4)]
    if event.author and event.author not in made[-1]:
        made += ["", _("By {author}", author=event.author)]
    return made
