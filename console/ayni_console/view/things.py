"""Rows that several screens have: alarms of a place, and things with their state and age."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from ayni_console.lines import Line, Span, cells, fit, line
from ayni_console.view import readings as said
from ayni_console.view.page import BLANK, Look, Row, matches, text
from ayni_core.onlooking import attention
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import Alert, LinkView
from ayni_io import words
from ayni_io.i18n import _, say
from ayni_io.phrases import mark

_STATES = ("down", "silent", "weak", "no_news", "unknown", "ok")


class Thing(NamedTuple):
    """A line about something: what it is called, how it is, what else there is to say, how old that is."""

    key: str
    title: str
    state: str
    about: str = ""
    as_of: float | None = None


def alarms(model: Model, wanted: Callable[[str, str], bool]) -> list[Alert]:
    """The alarms about things of a place, what is explained by nothing else first."""
    found = [alert for alert in model.alerts.values() if wanted(alert.kind, alert.name)]
    return sorted(found, key=lambda alert: (alert.silenced_by is not None, alert.since, alert.id))


def alarm_rows(model: Model, look: Look, found: Iterable[Alert], wanted: str = "") -> list[Row]:
    """A section of alarms; nothing where there are none."""
    shown = [alert for alert in found if matches(wanted, _("ALARMS"), say(alert.text), in_hand(model, alert))]
    rows = [Row(partial(_alarm_line, model, look, alert), f"alert:{alert.id}") for alert in shown]
    return [text(" ", Span(_("ALARMS"), "head")), *rows, BLANK] if rows else []


def in_hand(model: Model, alert: Alert) -> str:
    """In a few words why an alarm can wait; empty where it cannot."""
    if alert.silenced_by is not None:
        root = model.alerts.get(alert.silenced_by)
        return _("explained by: {what}", what=say(root.text) if root else alert.silenced_by)
    return mark(attention.of_alert(alert))


def alarm_about(model: Model, alert: Alert) -> str:
    """All that an alarm says, for the lines that say more of what is selected."""
    told = (say(alert.text), say(alert.headline), in_hand(model, alert))
    return " · ".join(dict.fromkeys(each.rstrip(".") for each in told if each))


def _alarm_line(model: Model, look: Look, alert: Alert) -> Line:
    """`■ DOWN  Escuela-Cerro is down   34m`."""
    state = attention.alert_state(alert)
    waits = in_hand(model, alert)
    style = "dim" if waits else words.style(state)
    word = _state_width()
    told = f"{say(alert.text)} ({waits})" if waits else say(alert.text)
    return line(
        " ",
        Span(words.symbol(state), style),
        " ",
        Span(fit(words.word(state), word), style),
        " ",
        fit(told, look.width - word - 10),
        " ",
        Span(fit(words.short(look.now - alert.since), 4, ">"), "dim"),
    )


def section(look: Look, title: str, things: Sequence[Thing], wanted: str = "") -> list[Row]:
    """A heading and its things; nothing where there are none."""
    shown = [
        each for each in things if matches(wanted, title, each.title, words.word(each.state), each.about)
    ]
    rows = [Row(partial(_thing_line, look, each), each.key) for each in shown]
    return [text(" ", Span(title, "head")), *rows, BLANK] if rows else []


def _thing_line(look: Look, thing: Thing) -> Line:
    style = words.style(thing.state)
    name = min(max(look.width // 3, 16), 30)
    age = "" if thing.as_of is None else " " + said.age(thing.as_of, look.now)
    word = _state_width()
    return line(
        " ",
        Span(words.symbol(thing.state), style),
        " ",
        fit(thing.title, name),
        " ",
        Span(fit(words.word(thing.state), word), style),
        " ",
        fit(thing.about, look.width - name - word - cells(age) - 6),
        Span(age, "dim"),
    )


def _state_width() -> int:
    return max(cells(words.word(state)) for state in _STATES)


def link_thing(model: Model, link: LinkView, now: float) -> Thing:
    """A link: its state, and how loud its two ends hear each other."""
    signals = "/".join(words.number(end.signal_dbm) for end in (link.a, link.b))
    state = model.link_state(link, now)
    about = "" if state == "down" else f"{signals} dBm"
    return Thing(f"link:{link.id}", link.title, state, about, model.link_as_of(link))
