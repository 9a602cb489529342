"""A link on a phone: both ends side by side, what is probably wrong, and its last 24 hours."""

from __future__ import annotations

from ayni_core.message import Message
from ayni_core.onlooking import attention
from ayni_core.texts import TEXTS
from ayni_core.wire.messages import Alert, EndView, LinkView
from ayni_hub.phone.html import NOTHING, Html, el, join, spaced
from ayni_hub.phone.look import Look, ago, mark, paragraph, path_of, short, site_way, span, state_mark
from ayni_hub.phone.sheet import page
from ayni_io import link_table, phrases, words
from ayni_io.i18n import _, _n, say
from ayni_io.link_table import Measure

_MOST_ALARMS = 10
_LETTERS = {"o": "ok", "w": "weak", "d": "down", "n": "no_news", "-": "unknown"}


def link(look: Look, shown: LinkView) -> Html:
    """The page at `/link/NAME`."""
    model = look.model
    state = model.link_state(shown, look.now)
    alarms = [alert for alert in model.alerts.values() if (alert.kind, alert.name) == ("link", shown.id)]
    return page(
        look,
        f"{short(shown.title)}: {words.word(state)}",
        el("h1", short(shown.title)),
        el("p", spaced(state_mark(state), span(look, model.link_since(shown, look.now)))),
        el("p", el("strong", short(phrases.headline(model, shown, look.now)))),
        _first_step(shown, state),
        paragraph(_n("{n} home depends on it", "{n} homes depend on it", shown.homes) if shown.homes else ""),
        _table(look, shown),
        _day(shown),
        _alarms(look, alarms),
        here=path_of("link", shown.id),
    )


def _first_step(shown: LinkView, state: str) -> Html:
    """What to ask or look at first; the console has the whole way."""
    if state == "ok":
        return NOTHING
    context = "first." + (shown.cause.context if shown.cause else "").partition(".")[2]
    step = say(Message(context if context in TEXTS else "first.unknown"))
    return el("p", say(Message("tell.first", {"step": step})))


def _table(look: Look, shown: LinkView) -> Html:
    ends = (shown.a, shown.b)
    head = el("tr", el("td"), *(el("th", _end(look, end), scope="col") for end in ends))
    ages = el("tr", el("th", _("measured"), scope="row"), *(el("td", ago(look, end.as_of)) for end in ends))
    rows = (_row(each) for each in link_table.measures(shown, {}))
    return el("table", head, *rows, ages)


def _end(look: Look, end: EndView) -> Html:
    silent = state_mark("silent") if end.answers is False else NOTHING
    return spaced(site_way(look, end.site), silent)


def _row(each: Measure) -> Html:
    cells = []
    for value, away, usual in zip((each.a, each.b), each.trend, each.normal, strict=True):
        told = usual not in ("", "--") and value != "--"
        cells.append(
            el("td", spaced(value, away), el("small", f"{_('normal')} {usual}") if told else NOTHING)
        )
    return el("tr", el("th", each.label, scope="row"), *cells)


def _day(shown: LinkView) -> Html:
    """The last 24 hours as a bar, and the same in words for whoever cannot see it."""
    hours = shown.day[-24:].rjust(24, "-")
    told = [
        f"{words.word(_LETTERS[letter])} {words.duration(hours.count(letter) * words.HOUR)}"
        for letter in phrases.DAY_ORDER[::-1]
        if letter in hours
    ]
    drawn = "".join(phrases.DAY_MARKS.get(hour, "-") for hour in hours)
    return join(
        el("h2", _("24 hours")), el("p", drawn, class_="day", aria_hidden="true"), el("p", ", ".join(told))
    )


def _alarms(look: Look, alarms: list[Alert]) -> Html:
    if not alarms:
        return NOTHING
    lines = []
    for alert in sorted(alarms, key=lambda each: each.since)[:_MOST_ALARMS]:
        facts = (_("for {time}", time=span(look, alert.since)), mark(look, attention.of_alert(alert)))
        below = el("small", " · ".join(short(fact) for fact in facts if fact))
        lines.append(el("li", short(say(alert.text)), below))
    return join(el("h2", _("ALARMS")), el("ul", *lines))
