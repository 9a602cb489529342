"""What all plain forms share: times in words, alarms and events as lines and as keys for programs.

A line says one fact, its word before its number, so that it can be listened to. What belongs together stands
below a heading that ends with a colon, set in by two spaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ayni_console.lines import clean
from ayni_console.view import alarms, events
from ayni_core.onlooking import attention
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import Alert, Event
from ayni_io import values, words
from ayni_io.i18n import _, _n, say
from ayni_io.phrases import thing

ALL = "all"
"""In place of a metric: every one is explained."""
_NOTE = "event.note"
_MOST_TOLD = 5
TROUBLED = ("down", "weak", "silent", "no_news")
"""States in which something needs somebody."""


def spoken(seconds: float) -> str:
    """A time span as it is said: `12 seconds`, `34 minutes`, `5 hours`, `3 days`."""
    whole = max(int(seconds), 0)
    if whole < words.MINUTE:
        return _n("{n} second", "{n} seconds", whole)
    if whole < 2 * words.HOUR:
        return _n("{n} minute", "{n} minutes", whole // words.MINUTE)
    if whole < 2 * words.DAY:
        return _n("{n} hour", "{n} hours", whole // words.HOUR)
    return _n("{n} day", "{n} days", whole // words.DAY)


def ago(at: float, now: float) -> str:
    """`34 minutes ago`."""
    return _("{age} ago", age=spoken(now - at))


def measured(at: float | None, now: float) -> str:
    """`measured 12 seconds ago`."""
    return _("never measured") if at is None else _("measured {age} ago", age=spoken(now - at))


def state_line(title: str, state: str, since: float | None, now: float) -> str:
    """`Escuela-Cerro: DOWN for 34 minutes`."""
    said = words.word(state)
    if since is not None:
        said = _("{state} for {time}", state=said, time=spoken(now - since))
    return f"{title}: {said}"


class Glossary:
    """What numbers mean, for those that somebody wants explained: once, after the first line that has one."""

    def __init__(self, wanted: Sequence[str] = ()) -> None:
        self._all = ALL in wanted
        self._told: set[str] = set()
        self._wanted = [metric for metric in wanted if metric != ALL]

    def after(self, metric: str) -> Iterator[str]:
        """`noise means: background noise; nearer to 0 is worse`."""
        meaning = values.meaning(metric)
        if (self._all or metric in self._wanted) and metric not in self._told and meaning:
            self._told.add(metric)
            yield _("{what} means: {meaning}", what=values.label(metric), meaning=meaning)

    def rest(self) -> Iterator[str]:
        """What was wanted and is no number of this thing."""
        for metric in self._wanted:
            yield from self.after(metric)


def below(heading: str, lines: Iterable[str]) -> Iterator[str]:
    """A heading and its lines; nothing where there are none."""
    first = True
    for each in lines:
        if first:
            yield heading
        first = False
        yield f"  {each}"


def needs_somebody(model: Model, things: Iterable[tuple[str, str]], now: float) -> bool:
    """Whether one of these is not well, and nobody has it in hand."""
    for kind, name in things:
        item = attention.find(model, kind, name, now)
        if item is not None and item.in_hand:
            continue
        if item is not None or model.state(kind, name, now) in TROUBLED:
            return True
    return False


def alarms_about(model: Model, things: Iterable[tuple[str, str]]) -> list[Alert]:
    """The alarms about any of these, what is explained by nothing first."""
    wanted = set(things)
    found = [alert for alert in model.alerts.values() if (alert.kind, alert.name) in wanted]
    return sorted(found, key=lambda alert: (alert.silenced_by is not None, alert.since, alert.id))


def alarm_lines(model: Model, found: Sequence[Alert], now: float) -> Iterator[str]:
    """What each says, since when, and who is at it."""
    if not found:
        yield _("No alarms.")
    for alert in found:
        yield _("Alarm {id}: {what}", id=alert.id, what=clean(say(alert.text)))
        yield "  " + _("for {time}", time=spoken(now - alert.since))
        yield "  " + in_hand(model, alert, now)
        if alert.ack_note:
            yield "  " + _("note: {text}", text=clean(alert.ack_note))


def in_hand(model: Model, alert: Alert, now: float) -> str:
    """Who sees to an alarm, or why nobody has to."""
    if alert.acked_by is not None:
        since = "" if alert.acked_at is None else ", " + _("for {time}", time=spoken(now - alert.acked_at))
        return _("{name} is at it", name=clean(alert.acked_by)) + since
    if alert.silenced_by is not None:
        root = model.alerts.get(alert.silenced_by)
        return _("explained by: {what}", what=clean(say(root.text)) if root else alert.silenced_by)
    if alert.maintenance is not None:
        return _("maintenance")
    if alert.flapping:
        return _("comes and goes")
    return _("nobody has taken it on")


def alarms_json(model: Model, found: Sequence[Alert], now: float) -> list[dict[str, object]]:
    """The same for programs, as `ayni alerts --json` has them."""
    wanted = {alert.id for alert in found}
    return [each for each in alarms.as_json(model, now) if each["id"] in wanted]


def event_line(model: Model, event: Event, now: float) -> str:
    """`Warning: Torre hears -71 dBm, normal is -59; 3 days ago, Mon 03:10`."""
    said = clean(events.said(event))
    what = clean(thing(model, event.kind, event.name)) if event.name else ""
    if what and what not in said:
        said = f"{what}: {said}"
    when = f"{ago(event.at, now)}, {words.when(event.at, now)}"
    sort = _sort(event)
    return f"{sort}: {said}; {when}" if sort else f"{said}; {when}"


def past_lines(model: Model, told: Sequence[Event], now: float) -> Iterator[str]:
    """The newest notes, and what else happened: what comes and goes leaves room for what people wrote."""
    notes = [event for event in told if event.text.context == _NOTE]
    others = [event for event in told if event.text.context != _NOTE]
    for heading, found in ((_("Notes:"), notes), (_("What happened last:"), others)):
        yield from below(heading, (event_line(model, event, now) for event in found[:_MOST_TOLD]))


def _sort(event: Event) -> str:
    if event.text.context == _NOTE:
        return _("Note")
    match event.level:
        case "critical":
            return _("Alarm")
        case "warn":
            return _("Warning")
    return ""


def event_json(model: Model, event: Event, now: float) -> dict[str, object]:
    """The same for programs."""
    return {
        "at": event.at,
        "age_s": round(max(now - event.at, 0.0), 1),
        "level": event.level,
        "kind": event.kind,
        "name": event.name,
        "title": model.title(event.kind, event.name) if event.name else "",
        "what": event.text.context,
        "text": events.said(event),
        "author": event.author,
    }
