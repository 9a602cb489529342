"""One link: both ends side by side, what is probably wrong, and its signal over time."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from ayni_console.lines import Line, Span, cells, clip, fit, line, spread
from ayni_console.plot import axis, plot, resample
from ayni_console.view.page import BLANK, Look, Row, room_for, text
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import LinkView
from ayni_core.wire.questions import Bucket
from ayni_io import words
from ayni_io.i18n import _, _n
from ayni_io.link_table import SIDES, Measure, measures, trend
from ayni_io.phrases import headline

__all__ = ["SIDES", "headline", "measures", "trend"]

ZOOMS = {"hour": 3600.0, "day": 86400.0, "week": 7 * 86400.0}
USUAL = ("noise_dbm", "tx_rate_bps", "retry_pct", "ccq_pct")
"""Metrics whose normal value is what last week's history says: the judge gives it for the signal only."""


@dataclass(slots=True)
class LinkPast:
    """What was asked about a link: the plot's steps, and normal values by (side, metric)."""

    zoom: str = "week"
    side: str = "a"
    steps: Sequence[Bucket] = ()
    start: float = 0.0
    end: float = 0.0
    step_s: float = 0.0
    problem: str = ""
    usual: dict[tuple[str, str], float] = field(default_factory=dict)


def state_span(model: Model, link: LinkView, now: float) -> Span:
    """`▲ WEAK 3 days`."""
    state = model.link_state(link, now)
    since = model.link_since(link, now)
    age = "" if since is None else " " + words.duration(now - since)
    return Span(f"{words.symbol(state)} {words.word(state)}{age}", words.style(state))


def rows(model: Model, link: LinkView, look: Look, past: LinkPast) -> list[Row]:
    """The body of the screen."""
    hint = _("Press a: what do I do?")
    wrong = Span(clip(" " + headline(model, link, look.now), look.width - 1), "head")
    roomy = look.height >= 24
    made: list[Row] = []
    if cells(wrong.text) + cells(hint) + 2 <= look.width:
        made.append(Row(lambda: spread((wrong,), (), line(Span(hint, "dim"), " "), look.width)))
    else:
        made.append(text(wrong))
    if roomy:
        made.append(BLANK)
    made.append(Row(partial(_ends_head, model, link, look, past.side), sticky=True))
    table = measures(link, past.usual)
    made += [Row(partial(measure_line, each, look), f"metric:{each.metric}") for each in table]
    made.append(Row(partial(_ages, link, look)))
    if roomy:
        made.append(BLANK)
    room = room_for(look) - len(made) - 1
    return made + past_rows(model, link, look, past, max(room, 5))


def _widths(look: Look) -> tuple[int, int, int, int]:
    """(label, value, trend, normal) in cells."""
    label = 12 if look.width >= 76 else 10
    half = (look.width - label - 2) // 2
    return (label, half - 15, 7, 7) if look.width >= 76 else (label, half - 11, 4, 6)


def _ends_head(model: Model, link: LinkView, look: Look, side: str) -> Line:
    label, value, apart, normal = _widths(look)
    parts: list[str | Span] = [" " * (label + 1)]
    for name, end in zip(SIDES, (link.a, link.b), strict=True):
        title = f"{name.upper()} {model.title('site', end.site)}" + ("" if end.answers is not False else " ■")
        style = "selected" if name == side else "head"
        size = min(cells(title), value + apart - 1)
        parts += [
            Span(fit(title, size), style),
            " " * (value + apart - size),
            Span(fit(_("normal"), normal), "dim"),
            " ",
        ]
    return line(*parts)


def measure_line(each: Measure, look: Look) -> Line:
    """`hears  -71 dBm  ▼12  -59    -70 dBm  ▼11  -59`."""
    label, value, apart, normal = _widths(look)
    parts: list[str | Span] = [" ", Span(fit(each.label, label), "dim")]
    for shown, away, usual in zip((each.a, each.b), each.trend, each.normal, strict=True):
        style = "weak" if away and away != "=" else ""
        if cells(away) > apart - 1:
            parts += [Span(fit(f"{shown} {away}", value + apart + normal), style), " "]
            continue
        quiet = usual if usual != "--" else ""
        parts += [Span(fit(shown, value) + fit(away, apart), style), Span(fit(quiet, normal), "dim"), " "]
    return line(*parts)


def _ages(link: LinkView, look: Look) -> Line:
    label, value, apart, normal = _widths(look)
    parts: list[str | Span] = [" ", Span(fit(_("measured"), label), "dim")]
    for end in (link.a, link.b):
        age = _("never") if end.as_of is None else _("{age} ago", age=words.duration(look.now - end.as_of))
        parts += [Span(fit(age, value + apart + normal), "dim"), " "]
    return line(*parts)


def past_rows(model: Model, link: LinkView, look: Look, past: LinkPast, height: int) -> list[Row]:
    """The signal of one end over an hour, a day or a week."""
    end = link.a if past.side == "a" else link.b
    title = " " + _("SIGNAL at {site}, {span}", site=model.title("site", end.site), span=span_name(past.zoom))
    made = [text(Span(title, "head"))]
    if past.problem:
        return [*made, text("   ", past.problem)]
    if not past.end:
        return [*made, text("   ", _("Asking the central …"))]
    return made + plot_rows(
        past.steps, past.start, past.end, look, height, least_span=10.0, zoom=past.zoom, step_s=past.step_s
    )


def plot_rows(
    steps: Sequence[Bucket], start: float, end: float, look: Look, height: int, *,
    least_span: float, zoom: str, step_s: float, label: Callable[[float], str] = words.number,
) -> list[Row]:  # fmt: skip
    """A plot with its axis as rows; a sentence where nothing was measured."""
    margin = 7
    wide = look.width - margin - 4
    columns = resample(steps, start, end, wide, step_s)
    drawn = plot(columns, height - 1, label=label, least_span=least_span)
    if not drawn:
        return [text("   ", _("Nothing was measured in this time."))]
    left = max(len(each) for each in drawn) - wide
    pad = " " * max(margin + 2 - left, 1)
    below = pad + " " * left + axis(moments(zoom, start, end), start, end, wide - 4) + " " + _("now")
    return [*(text(pad, Span(each, "plot")) for each in drawn), text(Span(below, "dim"))]


def moments(zoom: str, start: float, end: float) -> list[tuple[float, str]]:
    """Round times with their names, for the axis: midnights, every fourth hour, or quarters of an hour."""
    first = datetime.datetime.fromtimestamp(start).replace(minute=0, second=0, microsecond=0)
    step = {"week": datetime.timedelta(days=1), "day": datetime.timedelta(hours=4)}
    each = step.get(zoom, datetime.timedelta(minutes=15))
    at = first.replace(hour=0) if zoom in step else first
    name = words.weekday if zoom == "week" else words.clock
    found = []
    while at.timestamp() < end:
        if at.timestamp() >= start:
            found.append((at.timestamp(), name(at.timestamp())))
        at += each
    return found


def span_name(zoom: str) -> str:
    """How long a zoom looks back."""
    return {"hour": _("1 hour"), "day": _("24 hours"), "week": _("7 days")}[zoom]


def as_message(model: Model, link: LinkView, look: Look) -> str:
    """A link as a message for any chat."""
    state = state_span(model, link, look.now).text.partition(" ")[2]
    made = [f"{link.title}: {state} ({words.clock(look.now)})", headline(model, link, look.now)]
    for end in (link.a, link.b):
        made.append(
            _("{site} hears {signal} dBm, normal {normal}", site=model.title("site", end.site),
              signal=words.number(end.signal_dbm), normal=words.number(end.normal_dbm))
        )  # fmt: skip
    if link.homes:
        made.append(_n("{n} home depends on it", "{n} homes depend on it", link.homes))
    return "\n".join(made)
