"""Who hangs behind whom: the sites as a tree, from where the Internet comes in; branches can be folded."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from ayni_console.lines import Line, Span, cells, clean, fit, line
from ayni_console.view import roots
from ayni_console.view.page import Look, Row, Rows, matches, text
from ayni_core.onlooking.attention import Item
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import LINK_STATES, SiteView
from ayni_io import words
from ayni_io.i18n import _, _n, say
from ayni_io.phrases import site_summary, thing

_WHY = 40
"""Cells for the link to a site and why trouble begins there, where there are so many."""
_WIDE = 76
_DEEPEST = 12
"""Levels of a branch that are drawn; a chain of masts across a country is longer."""
_TROUBLED = ("down", "weak", "no_news", "unknown")


class Place(NamedTuple):
    """One line of the tree: how deep, the branch that is drawn before it, the site, and all that are behind
    it and folded away."""

    depth: int
    branch: str
    site: SiteView
    hidden: tuple[SiteView, ...] = ()


def walk(model: Model) -> list[tuple[int, str, SiteView]]:
    """(depth, drawn branch, site) in the order of the tree; a site behind itself is shown once, as a root."""
    shape = tuple((site.title, site.id, _above(model, site)) for site in model.sites.values())
    return [(depth, branch, model.sites[name]) for depth, branch, name in _order(shape)]


def _above(model: Model, site: SiteView) -> str | None:
    higher = roots.above(model, site)
    return higher.id if higher else None


@functools.lru_cache(maxsize=4)
def _order(shape: tuple[tuple[str, str, str | None], ...]) -> list[tuple[int, str, str]]:
    """The walk through (title, site, the site above it); a chain may be as long as there are sites."""
    by_title = sorted(shape, key=lambda each: (each[0].casefold(), each[1]))
    children: dict[str | None, list[str]] = {}
    for _title, name, higher in by_title:
        children.setdefault(higher, []).append(name)
    found: list[tuple[int, str, str]] = []
    seen: set[str] = set()
    circles = [(name, 0, "", True) for _title, name, _higher in reversed(by_title)]
    to_visit = circles + [(name, 0, "", True) for name in reversed(children.get(None, []))]
    while to_visit:
        name, depth, before, last = to_visit.pop()
        if name in seen:
            continue
        seen.add(name)
        found.append((depth, before + ("└─ " if last else "├─ ") if depth else "", name))
        below = children.get(name, [])
        inner = (before + ("   " if last else "│  "))[-3 * _DEEPEST :] if depth else ""
        to_visit += [(each, depth + 1, inner, each is below[-1]) for each in reversed(below)]
    return found


def places(model: Model, folded: Collection[str]) -> list[Place]:
    """The tree without what is folded away."""
    walked = walk(model)
    found: list[Place] = []
    at = 0
    while at < len(walked):
        depth, branch, site = walked[at]
        end = at + 1
        if site.id in folded:
            while end < len(walked) and walked[end][0] > depth:
                end += 1
        hidden = tuple(each for _depth, _branch, each in walked[at + 1 : end]) if end > at + 1 else ()
        found.append(Place(depth, branch, site, hidden))
        at = end
    return found


def below(model: Model, name: str) -> list[str]:
    """All sites behind one."""
    walked = walk(model)
    at = next((at for at, (_depth, _branch, site) in enumerate(walked) if site.id == name), len(walked))
    found: list[str] = []
    for depth, _branch, site in walked[at + 1 :]:
        if depth <= walked[at][0]:
            break
        found.append(site.id)
    return found


def tree_rows(model: Model, look: Look, wanted: str = "", folded: Collection[str] = ()) -> Sequence[Row]:
    """Sites under the site through which they reach the Internet, each with the link to it and, where trouble
    begins, why. A filter shows what fits, and the way to it; nothing is folded then."""
    if not model.sites:
        return [text(" ? ", _("No site is known yet."))]
    known = roots.begins(model, look.now)
    if wanted.strip():
        return _filtered(model, look, wanted, known)
    shown = places(model, folded)
    columns = _columns(shown, look)

    def site_row(at: int) -> Row:
        return Row(partial(_site_line, model, shown[at], known, columns, look), f"site:{shown[at].site.id}")

    head = Row(partial(_head, columns), sticky=True)
    return Rows([head], [f"site:{place.site.id}" for place in shown], site_row)


def _filtered(model: Model, look: Look, wanted: str, known: Mapping[str, Item]) -> list[Row]:
    shown = places(model, ())
    columns = _columns(shown, look)
    fitting = {place.site.id for place in shown if matches(wanted, *site_words(model, place.site, known))}
    ways = _ways(shown, fitting)
    made = [Row(partial(_head, columns), sticky=True)]
    for place in shown:
        if place.site.id in fitting:
            drawn = partial(_site_line, model, place, known, columns, look)
            made.append(Row(drawn, f"site:{place.site.id}"))
        elif place.site.id in ways:
            made.append(text("   ", Span(_branch(place, columns) + clean(place.site.title), "dim")))
    if not fitting:
        made.append(text("   ", _("No site fits the filter.")))
    return made


def site_words(model: Model, site: SiteView, known: Mapping[str, Item]) -> tuple[str, ...]:
    """What a filter looks at in a site."""
    item = known.get(site.id)
    why = roots.cause(item) if item else ""
    return site.title, words.word(site.state), model.title("link", site.parent or ""), why


def _ways(shown: Sequence[Place], fitting: Collection[str]) -> set[str]:
    """The sites on the way to those that fit."""
    found: set[str] = set()
    way: list[str] = []
    for place in shown:
        del way[place.depth :]
        if place.site.id in fitting:
            found.update(way)
        way.append(place.site.id)
    return found


class _Columns(NamedTuple):
    """Widths in cells; the rest is the link's."""

    name: int
    state: int
    homes: int


def _columns(shown: Sequence[Place], look: Look) -> _Columns:
    """As much for names as the longest takes, as long as there is room for why somebody has to look."""
    state = max(cells(words.word(each)) for each in _TROUBLED)
    homes = max(cells(_("homes")), 5)
    longest = max((len(place.branch) + cells(_title(place)) for place in shown), default=0)
    room = look.width - 3 - state - homes - 4
    name = max(min(longest, room - min(room // 2, _WHY)), 12)
    titled = cells(_heading()) - 2
    return _Columns(titled if name < titled <= room - _WHY else name, state, homes)


def _heading() -> str:
    return _("SITES, and who is behind whom")


def _head(columns: _Columns) -> Line:
    title = _heading()
    name = title if cells(title) < columns.name + 3 else _("SITES")
    parts = (fit(" " + name, columns.name + 3), fit(_("state"), columns.state))
    return line(Span(" ".join((*parts, fit(_("homes"), columns.homes, ">"), " " + _("link to it"))), "head"))


def _title(place: Place) -> str:
    return f"{place.site.title} (+{len(place.hidden)})" if place.hidden else place.site.title


def _branch(place: Place, columns: _Columns) -> str:
    """The branch; of a deep one its end, where half of the column is too little for the name."""
    room = max(columns.name - cells(_title(place)), columns.name // 2, 4)
    return place.branch if len(place.branch) <= room else "…" + place.branch[1 - room :]


def _site_line(model: Model, place: Place, known: Mapping[str, Item], columns: _Columns, look: Look) -> Line:
    """`■ ├─ Escuela  DOWN  46  ■ DOWN  begins here: no power`."""
    site = place.site
    style = words.style(site.state)
    branch = _branch(place, columns)
    return line(
        " ",
        Span(words.symbol(site.state), style),
        " ",
        Span(branch, "dim"),
        fit(_title(place), columns.name - cells(branch)),
        " ",
        Span(fit(words.word(site.state), columns.state), style),
        " ",
        fit(str(max(site.homes_behind, site.homes)), columns.homes, ">"),
        "  ",
        *link_and_why(model, place, known, look),
    )


def link_and_why(model: Model, place: Place, known: Mapping[str, Item], look: Look) -> Line:
    """The link to a site with its state; then where trouble begins, or what hides behind a folded branch."""
    site = place.site
    link = model.links.get(site.parent or "")
    state = model.link_state(link, look.now) if link is not None else ""
    by = Span(f"{words.symbol(state)} {words.word(state)}" if state else "", words.style(state))
    why = _hidden(model, place.hidden, look) if place.hidden else _why(model, site, known, look)
    return line(by, "  " if by.text and why.text else "", why) if by.text or why.text else ()


def _why(model: Model, site: SiteView, known: Mapping[str, Item], look: Look) -> Span:
    """That trouble begins at a site, and why; or what cuts the site off."""
    item = known.get(site.id)
    if item is not None:
        cause = roots.cause(item)
        wide = look.width >= _WIDE
        said = _("begins here: {cause}", cause=cause) if wide else _("here: {cause}", cause=cause)
        said = said if cause else _("begins here")
        return Span(clean(said), "dim" if item.in_hand else "head")
    over = roots.behind(model, site, known) if site.state in _TROUBLED else None
    return Span(clean(_("behind {name}", name=thing(model, over.kind, over.name))) if over else "", "dim")


def about(model: Model, name: str, now: float) -> str:
    """What there is to say of a site, in a sentence or two."""
    site = model.sites.get(name)
    if site is None:
        return ""
    known = roots.begins(model, now)
    item = roots.explains(model, name, known)
    why = ""
    if item is not None and name in known:
        why = say(item.headline) or say(item.text)
    elif item is not None:
        why = _("It is behind {name}: look there first.", name=thing(model, item.kind, item.name))
    if not why:
        return clean(site_summary(model, site))
    return clean(f"{why.rstrip('.')} · {_n('{n} home here', '{n} homes here', site.homes)}")


def _hidden(model: Model, hidden: Sequence[SiteView], look: Look) -> Span:
    """The worst state of what is folded away, and how often."""
    states = [_worse(model, site, look) for site in hidden]
    worst = min(states, key=_rank)
    if worst == "ok":
        return Span(_("behind it all is well"), "dim")
    count = states.count(worst)
    said = f"{words.symbol(worst)} {words.word(worst)}"
    return Span(_("{state}: {n} behind it", state=said, n=count), words.style(worst))


def _worse(model: Model, site: SiteView, look: Look) -> str:
    """The state of a site or of the link to it, whichever is worse."""
    link = model.links.get(site.parent or "")
    states = [site.state, *([model.link_state(link, look.now)] if link else [])]
    return min(states, key=_rank)


def _rank(state: str) -> int:
    return LINK_STATES.index(state) if state in LINK_STATES else len(LINK_STATES)


def as_message(model: Model, look: Look) -> str:
    """The tree as a message for any chat."""
    return "\n".join(
        f"{branch}{site.title}: {words.word(site.state)}, {_n('{n} home', '{n} homes', site.homes)}"
        for _depth, branch, site in walk(model)
    )
