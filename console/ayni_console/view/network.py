"""The map: who hangs behind whom as a tree, and the sites where they lie, drawn with characters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from ayni_console.lines import Line, Span, cells, clip, fit, line
from ayni_console.view.page import Look, Row, matches, room_for, text
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import SiteView
from ayni_io import words
from ayni_io.i18n import _, _n

STROKES = {"ok": "·", "weak": "-", "down": "x", "no_news": "?", "unknown": "?"}


def tree_rows(model: Model, look: Look, wanted: str = "") -> list[Row]:
    """Sites under the site through which they reach the Internet, each with the link to it."""
    if not model.sites:
        return [text(" ? ", _("No site is known yet."))]
    made = [Row(partial(_tree_head, look), sticky=True)]
    for depth, branch, site in walk(model):
        if matches(wanted, site.title, words.word(site.state)):
            made.append(Row(partial(_tree_line, model, site, depth, branch, look), f"site:{site.id}"))
    return made


def walk(model: Model) -> list[tuple[int, str, SiteView]]:
    """(depth, drawn branch, site) in the order of the tree; a site behind itself is shown once, as a root."""
    children: dict[str | None, list[SiteView]] = {}
    for site in sorted(model.sites.values(), key=lambda each: each.title.casefold()):
        children.setdefault(_parent_site(model, site), []).append(site)
    found: list[tuple[int, str, SiteView]] = []
    seen: set[str] = set()

    def visit(site: SiteView, depth: int, before: str, last: bool) -> None:
        if site.id in seen:
            return
        seen.add(site.id)
        found.append((depth, before + ("└─ " if last else "├─ ") if depth else "", site))
        below = children.get(site.id, [])
        inner = before + ("   " if last else "│  ") if depth else ""
        for at, child in enumerate(below):
            visit(child, depth + 1, inner, at == len(below) - 1)

    for root in children.get(None, []):
        visit(root, 0, "", True)
    for site in model.sites.values():
        visit(site, 0, "", True)
    return found


def _parent_site(model: Model, site: SiteView) -> str | None:
    link = model.links.get(site.parent or "")
    if link is None:
        return None
    other = link.a.site if link.b.site == site.id else link.b.site
    return other if other in model.sites and other != site.id else None


def _tree_head(look: Look) -> Line:
    name = look.width - 34
    return line(
        Span(
            fit(" " + _("SITES, and who is behind whom"), name + 2)
            + " "
            + fit(_("state"), 11)
            + fit(_("homes"), 6)
            + _("link"),
            "head",
        )
    )


def _tree_line(model: Model, site: SiteView, depth: int, branch: str, look: Look) -> Line:
    state = site.state
    link = model.links.get(site.parent or "")
    link_state = model.link_state(link, look.now) if link else ""
    shown = f"{words.symbol(link_state)} {words.word(link_state)}" if link else ""
    style = words.style(state)
    return line(
        " ",
        Span(words.symbol(state), style),
        " ",
        Span(branch, "dim"),
        fit(site.title, max(look.width - 34 - cells(branch), 4)),
        Span(fit(words.word(state), 11), style),
        fit(str(site.homes), 6),
        Span(fit(shown, 13), words.style(link_state) if link else ""),
    )


def drawn_rows(model: Model, look: Look) -> list[Row]:
    """The sites at their places, north up; links drawn by state."""
    placed = [
        site for site in model.sites.values() if site.latitude is not None and site.longitude is not None
    ]
    if len(placed) < 2:
        return [text(" ? ", _("No site has a place yet. Places stand in network.yaml."))]
    high = max(room_for(look) - 2, 4)
    canvas = [[" "] * (look.width - 2) for _each in range(high)]
    spots = project(placed, look.width - 18, high)
    for link in model.links.values():
        if link.a.site in spots and link.b.site in spots:
            _stroke(
                canvas,
                spots[link.a.site],
                spots[link.b.site],
                STROKES.get(model.link_state(link, look.now), "?"),
            )
    for site in placed:
        _label(canvas, spots[site.id], f"{words.symbol(site.state)} {site.title}", look)
    legend = _(
        "links: {ok} OK  {weak} WEAK  {down} DOWN  {none} NO NEWS",
        ok="···",
        weak="---",
        down="xxx",
        none="???",
    )
    return [*(text(" ", "".join(row)) for row in canvas), text(" ", Span(legend, "dim"))]


def project(sites: Sequence[SiteView], width: int, height: int) -> dict[str, tuple[int, int]]:
    """(column, row) of each site: shapes are kept, a cell being twice as high as wide."""
    places = {site.id: (site.longitude or 0.0, site.latitude or 0.0) for site in sites}
    middle = math.radians(sum(place[1] for place in places.values()) / len(places))
    flat = {name: (lon * math.cos(middle), lat) for name, (lon, lat) in places.items()}
    west, south = (min(place[axis] for place in flat.values()) for axis in (0, 1))
    east, north = (max(place[axis] for place in flat.values()) for axis in (0, 1))
    scale = min((width - 1) / max(east - west, 1e-9), 2 * (height - 1) / max(north - south, 1e-9))
    return {
        name: (min(round((x - west) * scale), width - 1), min(round((north - y) * scale / 2), height - 1))
        for name, (x, y) in flat.items()
    }


def _stroke(canvas: list[list[str]], start: tuple[int, int], end: tuple[int, int], mark: str) -> None:
    steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    for step in range(steps + 1):
        x = round(start[0] + (end[0] - start[0]) * step / steps)
        y = round(start[1] + (end[1] - start[1]) * step / steps)
        canvas[y][x] = mark


def _label(canvas: list[list[str]], spot: tuple[int, int], label: str, look: Look) -> None:
    x, y = spot
    for at, char in enumerate(clip(label, len(canvas[y]) - x)):
        if cells(char) == 1:
            canvas[y][x + at] = char


def as_message(model: Model, look: Look) -> str:
    """The tree as a message for any chat."""
    return "\n".join(
        f"{branch}{site.title}: {words.word(site.state)}, {_n('{n} home', '{n} homes', site.homes)}"
        for _depth, branch, site in walk(model)
    )
