"""One link: both ends side by side, three normals, what speaks for the probable cause, and its past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from ayni_console.lines import Line, Span, cells, clip, fit, line, spread
from ayni_console.plot import Curve
from ayni_console.view.page import BLANK, Look, Row, room_for, text
from ayni_console.view.past import Level, Plot, legend, plot_rows, span_name
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import EndView, LinkView
from ayni_core.wire.questions import Bucket, Evidence, Normal, Sign
from ayni_io import words
from ayni_io.i18n import _, _c, _n, say
from ayni_io.link_table import SIDES, Measure, measures
from ayni_io.phrases import headline, rate

PLOTS = ("signal", "noise", "rate", "repeats", "both")
"""What `v` plots, one after the other; `both` is the signal of both ends."""
METRIC = {
    "signal": "signal_dbm", "noise": "noise_dbm", "rate": "tx_rate_bps", "repeats": "retry_pct",
    "both": "signal_dbm",
}  # fmt: skip
_LEAST_SPAN = {"signal_dbm": 10.0, "noise_dbm": 10.0, "retry_pct": 10.0, "tx_rate_bps": 20e6}
END = "end"
"""Key of the row that leads to everything that the marked end says."""
_WIDEST = 12
"""Cells of a value, so that on a wide screen what it is measured against stays beside it."""
_MARKS = {True: "●", False: "×", None: "-"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What was measured of one number of one end in a span that ends at `end`."""

    steps: Sequence[Bucket]
    start: float
    end: float
    step_s: float


@dataclass(slots=True)
class LinkPast:
    """What was asked about a link: what is plotted, what was measured by (metric, side, zoom), what is
    normal by (side, metric), and the signs."""

    zoom: str = "week"
    side: str = "a"
    what: str = "signal"
    known: dict[tuple[str, str, str], Stretch] = field(default_factory=dict)
    problem: str = ""
    usual: dict[tuple[str, str], float] = field(default_factory=dict)
    normals: Mapping[tuple[str, str], Normal] = field(default_factory=dict)
    signs: Sequence[Sign] = ()

    def wanted(self) -> tuple[tuple[str, str, str], ...]:
        """(metric, side, zoom) of each curve."""
        sides = SIDES if self.what == "both" else (self.side,)
        if self.what == "both" and self.side == "b":
            sides = ("b", "a")
        return tuple((METRIC[self.what], side, self.zoom) for side in sides)

    def take(self, evidence: Evidence) -> None:
        """What the central says is normal, and what speaks for its cause."""
        self.normals = {(each.side, each.metric): each for each in evidence.normals}
        self.signs = evidence.signs
        levels = {key: usually(each) for key, each in self.normals.items()}
        self.usual = {key: level.value for key, level in levels.items() if level is not None}


def usually(normal: Normal) -> Level | None:
    """The normal that a value is measured against: others than a signal against last week."""
    named = [
        (normal.new, _("when new {value}", value=shown_normal(normal.metric, normal.new))),
        (normal.plan, _("by plan {value}", value=shown_normal(normal.metric, normal.plan))),
        (normal.week, _("last week {value}", value=shown_normal(normal.metric, normal.week))),
    ]
    order = named if normal.metric == "signal_dbm" else [named[2], named[0]]
    return next((Level(value=value, name=name) for value, name in order if value is not None), None)


def plots_of(link: LinkView) -> tuple[str, ...]:
    """What can be plotted: numbers that an end gives; of a link that is silent, all."""
    ends = [end for end in (link.a, link.b) if end.answers is not False and end.signal_dbm is not None]
    given = {"noise": "noise_dbm", "rate": "tx_rate_bps", "repeats": "retry_pct"}
    return tuple(
        each
        for each in PLOTS
        if each not in given or not ends or any(getattr(end, given[each]) is not None for end in ends)
    )


def state_span(model: Model, link: LinkView, now: float) -> Span:
    """`▲ WEAK 3 days`."""
    state = model.link_state(link, now)
    since = model.link_since(link, now)
    age = "" if since is None else " " + words.duration(now - since)
    return Span(f"{words.symbol(state)} {words.word(state)}{age}", words.style(state))


def rows(model: Model, link: LinkView, look: Look, past: LinkPast) -> list[Row]:
    """The body of the screen."""
    roomy = look.height >= 24
    made: list[Row] = [Row(partial(_wrong, model, link, look, past))]
    if roomy:
        made.append(BLANK)
    made.append(Row(partial(_ends_head, model, link, look, past), sticky=True))
    table = measures(link, past.usual)
    made += [Row(partial(measure_line, each, look, past), f"metric:{each.metric}") for each in table]
    made.append(Row(partial(_ages, link, look), END))
    if roomy:
        made.append(BLANK)
    signs = sign_rows(past.signs, look)
    room = room_for(look) - len(made) - len(signs) - 1
    return made + past_rows(model, link, look, past, max(room, 5)) + signs


def _wrong(model: Model, link: LinkView, look: Look, past: LinkPast) -> Line:
    """`An antenna has probably moved.  4 of 5 signs        Press a: what do I do?`"""
    wrong = headline(model, link, look.now)
    hint = _("Press a: what do I do?") if model.link_state(link, look.now) != "ok" else ""
    count = ""
    if len(past.signs) > 1:
        seen = sum(sign.seen is True for sign in past.signs)
        count = "  " + _("{n} of {total} signs", n=seen, total=len(past.signs))
    if cells(wrong) + cells(count) + 1 >= look.width:
        count = ""
    left = (Span(clip(" " + wrong, look.width - 1), "head"), Span(count))
    if cells(wrong) + cells(count) + cells(hint) + 3 > look.width:
        return left
    return spread(left, (), line(Span(hint, "dim"), " "), look.width)


def sign_rows(signs: Sequence[Sign], look: Look) -> list[Row]:
    """`SIGNS  ● step  ● both ends  ● noise flat  - seen by eye`: seen, × not seen, - nobody can tell."""
    if not signs:
        return []
    title = " " + _("SIGNS")
    made: list[list[str | Span]] = [[Span(title, "head")]]
    room = look.width - cells(title) - 1
    for sign in signs:
        shown = f"  {_MARKS[sign.seen]} {say(sign.text)}"
        if cells(shown) > room and room < look.width - cells(title) - 1:
            made.append([" " * cells(title)])
            room = look.width - cells(title) - 1
        made[-1].append(Span(shown, "" if sign.seen else "dim"))
        room -= cells(shown)
    return [text(*parts) for parts in made]


@dataclass(frozen=True, slots=True)
class _Widths:
    """Cells of a label, of a value, of how far it is off, of each normal, and of one `end` with a cell that
    parts it from the other."""

    label: int
    end: int
    value: int
    apart: int
    normals: tuple[int, ...]


def normal_heads() -> tuple[str, str, str]:
    """Three normals: by the link's budget, when it was new, a week ago."""
    return _c("normal", "plan"), _c("normal", "new"), _c("normal", "week")


def _normal_heads(look: Look, past: LinkPast) -> tuple[str, ...]:
    """Three normals side by side where there is room and the central told them, else one."""
    three = normal_heads()
    room = (look.width - 14) // 2 - 15
    if past.normals and look.width >= 76 and sum(max(cells(each), 4) + 2 for each in three) <= room:
        return three
    return (_("normal"),)


def _label_width(look: Look) -> int:
    """Cells of the column of labels: it grows with the longest word of the language."""
    named = (_("measured"), _("up since"), _("runs for"), _("repeats"), _("quality"))
    return max(12 if look.width >= 76 else 10, *(cells(each) + 1 for each in named))


def _widths(look: Look, past: LinkPast) -> _Widths:
    label = _label_width(look)
    half = (look.width - label - 2) // 2
    heads = _normal_heads(look, past)
    normals: tuple[int, ...]
    if len(heads) == 1:
        apart, normal = (7, 7) if look.width >= 76 else (4, 6)
        normal = max(normal, cells(heads[0]))
        value, normals = half - normal - apart - 1, (normal,)
    else:
        apart, normals = 5, tuple(max(cells(each), 4) + 2 for each in heads)
        value = half - sum(normals) - 6
    return _Widths(label, half, min(value, _WIDEST), apart, normals)


def _ends_head(model: Model, link: LinkView, look: Look, past: LinkPast) -> Line:
    widths, heads = _widths(look, past), _normal_heads(look, past)
    parts: list[str | Span] = [" " * widths.label]
    for name, end in zip(SIDES, (link.a, link.b), strict=True):
        title = f"{name.upper()} {model.title('site', end.site)}" + ("" if end.answers is not False else " ■")
        mark, style = (">", "selected") if name == past.side else (" ", "head")
        room = widths.value + widths.apart
        size = min(cells(title), room - 1)
        named = fit("".join(map(fit, heads, widths.normals)), widths.end - room - 1)
        parts += [Span(mark + fit(title, size), style), " " * (room - size), Span(named, "dim")]
    return line(*parts)


def measure_line(each: Measure, look: Look, past: LinkPast) -> Line:
    """`hears  -71 dBm  ▼12  -59    -70 dBm  ▼11  -59`."""
    widths = _widths(look, past)
    parts: list[str | Span] = [" ", Span(fit(each.label, widths.label), "dim")]
    ends = zip(SIDES, (each.a, each.b), each.trend, each.normal, strict=True)
    for side, shown, away, usual in ends:
        style = "weak" if away and away != "=" else ""
        if cells(away) > widths.apart - 1 or cells(shown) > widths.value:
            parts += [Span(fit(f"{shown} {away}".rstrip(), widths.end - 1), style), " "]
            continue
        normals: tuple[str, ...] = (usual,)
        if len(widths.normals) == 3:
            normal = past.normals.get((side, each.metric), Normal(side=side, metric=each.metric))
            normals = tuple(shown_normal(each.metric, one) for one in (normal.plan, normal.new, normal.week))
        quiet = "".join(
            fit(one if one != "--" else "", size) for one, size in zip(normals, widths.normals, strict=False)
        )
        value = fit(shown, widths.value) + fit(away, widths.apart)
        parts += [Span(value, style), Span(fit(quiet, widths.end - cells(value)), "dim")]
    return line(*parts)


def shown_normal(metric: str, value: float | None) -> str:
    """A normal without its unit: the value beside it has one."""
    return rate(value) if metric.endswith("_bps") else words.number(value)


def _ages(link: LinkView, look: Look) -> Line:
    label = _label_width(look)
    half = (look.width - label - 2) // 2
    parts: list[str | Span] = [" ", Span(fit(_("measured"), label), "dim")]
    for end in (link.a, link.b):
        age = _("never") if end.as_of is None else words.ago(look.now - end.as_of)
        parts += [Span(fit(age, half - 1), "dim"), " "]
    return line(*parts)


def past_rows(model: Model, link: LinkView, look: Look, past: LinkPast, height: int) -> list[Row]:
    """What was chosen, over time, with what is normal for it."""
    ends = {"a": link.a, "b": link.b}
    titles = {side: model.title("site", end.site) for side, end in ends.items()}
    stretches = [past.known.get(key) for key in past.wanted()]
    title = Span(" " + _plot_title(past, titles), "head")
    if past.problem and None in stretches:
        return [text(title), text("   ", past.problem)]
    found = [each for each in stretches if each is not None]
    if len(found) < len(stretches):
        return [text(title), text("   ", _("Asking the central …"))]
    metric, newest = METRIC[past.what], max(found, key=lambda each: each.end)
    shown = Plot(
        curves=[Curve(steps=each.steps, step_s=each.step_s) for each in found],
        start=newest.start,
        end=newest.end,
        zoom=past.zoom,
        levels=_levels(past, ends),
        least_span=_LEAST_SPAN[metric],
        label=partial(shown_normal, metric),
    )
    first = [Row(partial(spread, (title,), (), _plot_legend(past, titles, shown, look), look.width))]
    return first + plot_rows(shown, look, height)


def _named(usual: float, normal: Normal | None) -> Level:
    """What a normal signal is: by plan, when new, or neither."""
    value = words.number(usual)
    if normal is not None and normal.new == usual:
        return Level(value=usual, name=_("when new {value}", value=value))
    if normal is not None and normal.plan == usual:
        return Level(value=usual, name=_("by plan {value}", value=value))
    return Level(value=usual, name=_("normal {value}", value=value))


def _plot_title(past: LinkPast, titles: Mapping[str, str]) -> str:
    site, span = titles[past.side], span_name(past.zoom)
    match past.what:
        case "noise":
            return _("NOISE at {site}, {span}", site=site, span=span)
        case "rate":
            return _("RATE from {site} in Mb/s, {span}", site=site, span=span)
        case "repeats":
            return _("REPEATS at {site} in %, {span}", site=site, span=span)
        case "both":
            return _("SIGNAL at both ends, {span}", span=span)
    return _("SIGNAL at {site}, {span}", site=site, span=span)


def _plot_legend(past: LinkPast, titles: Mapping[str, str], shown: Plot, look: Look) -> Line:
    """What is drawn straight across; of two curves which is which."""
    if past.what != "both":
        return (*legend(shown, look), Span(" "))
    other = "b" if past.side == "a" else "a"
    first, second = ("⠒⠒", "⠂⠂") if look.braille else ("█", "▒")
    room = max(look.width // 4, 8)
    return line(
        Span(first, "plot"), " " + clip(titles[past.side], room), "  ",
        Span(second, "meaning"), " " + clip(titles[other], room), " ",
    )  # fmt: skip


def _levels(past: LinkPast, ends: Mapping[str, EndView]) -> list[Level]:
    """What is normal for what is plotted: of each curve, once where both have the same."""
    found: dict[float, Level] = {}
    for metric, side, _zoom in past.wanted():
        normal = past.normals.get((side, metric))
        level = usually(normal) if normal is not None else None
        usual = ends[side].normal_dbm
        if metric == "signal_dbm" and usual is not None:  # the one that Home shows
            level = _named(usual, normal)
        if level is not None:
            found.setdefault(level.value, level)
    return list(found.values())


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
