"""Home: what to do first, and every link in a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from ayni_console.lines import Line, Span, cells, fit, line, wrap
from ayni_console.view import frame
from ayni_console.view.page import BLANK, Look, Row, Rows, matches, text
from ayni_core.matching import matcher
from ayni_core.onlooking.attention import Counts, Item
from ayni_core.onlooking.model import Model
from ayni_core.onlooking.ranking import Ranking
from ayni_core.wire.views import EndView, LinkView
from ayni_io import words
from ayni_io.i18n import _, language, say
from ayni_io.phrases import DAY_MARKS, DAY_ORDER, item_message, mark, normal, numbers, rate, thing, trouble

_LEAST_NAME = 14
_MOST_KEPT = 200
SORTS = ("worst", "name", "signal", "repeats")


@dataclass(frozen=True, slots=True)
class Columns:
    """Widths in cells; a bar of 0 is left out, and so is what is normal."""

    name: int
    signal: int
    normal: int
    speed: int
    repeats: int
    age: int
    bar: int


def columns(width: int) -> Columns:
    """The table's widths: columns grow with their heads; the bar gives way first, then the name, then what is
    normal, which the link's own screen has.
    """
    signal, normal = max(9, cells(_("signal A/B"))), max(7, cells(_("normal")))
    speed, repeats = max(7, cells(_("Mb/s"))), max(4, cells(_("repeats")))
    age = max(3, cells(_("age")))
    rest = width - 3 - (signal + normal + speed + repeats + age + 5)
    if rest < _LEAST_NAME:
        rest, normal = rest + normal + 1, 0
    bar = 24 if rest >= 24 + 1 + 24 else 12 if rest >= 12 + 1 + 14 else 0
    name = rest - (bar + 2 if bar else 0)
    return Columns(max(name, 8), signal, normal, speed, repeats, age, bar)


def head(model: Model, look: Look, counts: Counts, *, paused: bool = False) -> Line:
    """The community's name, the three numbers, contact."""
    need, ok, none = numbers(counts)
    first = Span(need, "down" if counts.need else "")
    middles = (line(first, f" · {ok} · {none}"), line(first, f" · {none}"), line(first))
    title = model.community.title or _("Ayni")
    return frame.head(model, look, line(Span(title, "head")), *middles, paused=paused)


def rows(
    model: Model, look: Look, worklist: Sequence[Item], sort: str, wanted: str = "",
    ranking: Ranking | None = None, drawn: DrawnLinks | None = None,
) -> Sequence[Row]:  # fmt: skip
    """The body: trouble with contact, DO FIRST, ALL LINKS. It is quicker with what was `drawn` before and a
    `ranking` that is kept."""
    made: list[Row] = []
    lost = trouble(model, look.now)
    for piece in wrap(lost, look.width - 4) if lost else ():
        made.append(text(Span("   " if made else " ? ", "down"), Span(piece, "down")))
    shown = [item for item in worklist if matches(wanted, *item_words(model, item))]
    if shown or not wanted:
        made.append(Row(partial(_first_head, look)))
    made += [Row(partial(item_line, model, look, item), item.key) for item in shown]
    if not worklist:
        calm = _calm(model)
        made.append(text(" ● " if model.links else " ? ", calm))
    made.append(BLANK)
    table = columns(look.width)
    names = (ranking or Ranking()).names(model, look.now, sort)
    if wanted:
        states, fits = model.link_states(look.now), matcher(wanted)
        said = {state: words.word(state) for state in set(states.values())}
        names = [
            name for name in names if fits(*link_words(model, model.links[name], said[states[name]]))
        ]  # fmt: skip
    made.append(Row(partial(_links_head, table, len(names)), sticky=True))
    if not names and model.links:
        made.append(text("   ", _("No link fits the filter.")))

    before = drawn or DrawnLinks()

    def link_row(at: int) -> Row:
        return Row(partial(before.line, model, model.links[names[at]], table, look.now), f"link:{names[at]}")

    return Rows(made, before.keys(names), link_row)


def _calm(model: Model) -> str:
    """What stands where nothing needs anybody; at the very beginning, how to go on."""
    if model.links:
        return _("Nothing needs you.")
    if model.devices:
        return _("No links yet. In a shell: ayni network discover, then ayni network next")
    return _("Nothing is known yet.")


def item_words(model: Model, item: Item) -> tuple[str, ...]:
    """What a filter looks at in a line of DO FIRST."""
    return thing(model, item.kind, item.name), words.word(item.state), say(item.cause)


def link_words(model: Model, link: LinkView, state: str) -> tuple[str, ...]:
    """What a filter looks at in a link; `state` is the word for its state."""
    sites = (model.title("site", end.site) for end in (link.a, link.b))
    return link.title, state, say(link.cause), *sites


def _first_head(look: Look) -> Line:
    homes, cause = _("homes"), _("probably")
    last, state = _item_widths(look)
    name = look.width - 3 - state - 9 - cells(homes) - last - 5
    left = fit(" " + _("DO FIRST"), 3 + state + 1 + max(name, 8) + 1 + 9)
    return line(Span(left, "head"), " ", Span(homes, "dim"), "  ", Span(fit(cause, last), "dim"))


def _item_widths(look: Look) -> tuple[int, int]:
    return (22 if look.width >= 76 else 15), max(cells(words.word(s)) for s in ("down", "weak", "no_news"))


def item_line(model: Model, look: Look, item: Item) -> Line:
    """`■ DOWN  Escuela-Cerro  34 min  46  no power`."""
    last, state = _item_widths(look)
    homes = cells(_("homes"))
    name = max(look.width - 3 - state - 9 - homes - last - 5, 8)
    style = words.style(item.state)
    since = None if item.since is None else look.now - item.since
    cause = mark(item) or say(item.cause) or say(item.headline) or say(item.text)
    return line(
        " ",
        Span(words.symbol(item.state), style),
        " ",
        Span(fit(words.word(item.state), state), style),
        " ",
        fit(thing(model, item.kind, item.name), name),
        " ",
        fit(words.duration(since), 9),
        " ",
        fit(str(item.homes), homes, ">"),
        "  ",
        fit(cause, last),
    )


def _links_head(table: Columns, count: int) -> Line:
    parts = [
        fit(" " + _("ALL LINKS {n}", n=count), 3 + table.name),
        fit(_("signal A/B"), table.signal, ">"),
        *([fit(_("normal"), table.normal, ">")] if table.normal else ()),
        fit(_("Mb/s"), table.speed, ">"),
        fit(_("repeats"), table.repeats, ">"),
        fit(_("age"), table.age, ">"),
    ]
    if table.bar:
        parts.append(" " + fit(_("24 h"), table.bar))
    return line(Span(" ".join(parts), "head"))


class DrawnLinks:
    """The lines of links as they were drawn last: a screen is painted once a second and with each key, and
    few links have another line then."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[object, Line]] = {}
        self._names: Sequence[str] = ()
        self._keys: Sequence[str] = ()

    def keys(self, names: Sequence[str]) -> Sequence[str]:
        """The keys of the rows of these links; the same again for the same sequence."""
        if names is not self._names:
            self._names, self._keys = names, [f"link:{name}" for name in names]
        return self._keys

    def line(self, model: Model, link: LinkView, table: Columns, now: float) -> Line:
        """`link_line`, drawn again only if something in it is another one."""
        shown = (link, model.link_state(link, now), _age(model, link, now), table, language())
        kept = self._kept.get(link.id)
        if kept is not None and kept[0] == shown:
            return kept[1]
        if len(self._kept) > _MOST_KEPT:
            self._kept.clear()
        made = link_line(model, link, table, now)
        self._kept[link.id] = shown, made
        return made


def _age(model: Model, link: LinkView, now: float) -> str:
    as_of = model.link_as_of(link)
    return words.short(None if as_of is None else now - as_of)


def link_line(model: Model, link: LinkView, table: Columns, now: float) -> Line:
    """`▲ Torre-Clínica  -71/-70  -59  39/130  18%  12m  ####==------`."""
    state = model.link_state(link, now)
    style = words.style(state)
    a, b = link.a, link.b
    if state == "down":  # what was measured last says nothing of now; the link's own screen has it
        a, b = (EndView(site=end.site, device=end.device) for end in (a, b))
    repeats = max((end.retry_pct for end in (a, b) if end.retry_pct is not None), default=None)
    cells_of = (
        (f"{words.number(a.signal_dbm)}/{words.number(b.signal_dbm)}", table.signal),
        (normal(link), table.normal),
        (f"{rate(a.tx_rate_bps)}/{rate(b.tx_rate_bps)}", table.speed),
        (words.number(repeats, 0) + ("%" if repeats is not None else ""), table.repeats),
        (_age(model, link, now), table.age),
    )
    numbers = " ".join(fit(value, width, ">") for value, width in cells_of if width)
    plain = "" if state == "ok" else "dim" if state in ("no_news", "unknown") else style
    parts: list[str | Span] = [
        " ",
        Span(words.symbol(state), style),
        " ",
        fit(link.title, table.name),
        Span(numbers, plain),
    ]
    if table.bar:
        parts += ["  ", Span(day_bar(link.day, table.bar), "dim")]
    return line(*parts)


@lru_cache(256)
def day_bar(day: str, width: int) -> str:
    """The last 24 hours in `width` cells, the newest at the right."""
    hours = day[-24:].rjust(24, "-")
    each = max(24 // width, 1)
    groups = (hours[at : at + each] for at in range(0, 24, each))
    return "".join(_worst(group) for group in groups)[:width]


def _worst(hours: str) -> str:
    worst = next((mark for mark in DAY_ORDER if mark in hours), "-")
    return DAY_MARKS.get(worst, " ")


def as_message(model: Model, look: Look, worklist: Sequence[Item], counts: Counts) -> str:
    """Home as a message for any chat."""
    made = [
        _(
            "{title}: {numbers} ({time})",
            title=model.community.title or _("Ayni"),
            numbers=", ".join(numbers(counts)),
            time=words.clock(look.now),
        )
    ]
    for item in worklist:
        since = None if item.since is None else look.now - item.since
        made.append(item_message(model, item, since))
    return "\n".join(made)
