"""The map as plain lines: each site below the one through which it reaches the Internet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ayni_console.lines import clean
from ayni_console.view import network, roots
from ayni_core.onlooking.attention import Item
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import SiteView
from ayni_io import words
from ayni_io.i18n import _, _n, say
from ayni_io.phrases import thing


def needs_somebody(model: Model, now: float) -> bool:
    """Whether trouble begins at any site, and nobody has it in hand."""
    return any(not item.in_hand for item in roots.begins(model, now).values())


def lines(model: Model, now: float) -> Iterator[str]:
    """A line a site, set in by two spaces for each site on its way."""
    if not model.sites:
        yield _("No site is known yet.")
        return
    yield _n(
        "{n} site; set in: behind the one above", "{n} sites; set in: behind the one above", len(model.sites)
    )
    known = roots.begins(model, now)
    for depth, _branch, site in network.walk(model):
        said = [f"{clean(site.title)}: {words.word(site.state)}", *_facts(model, site, known, now)]
        yield "  " * depth + "; ".join(said)


def _facts(model: Model, site: SiteView, known: Mapping[str, Item], now: float) -> Iterator[str]:
    homes = max(site.homes_behind, site.homes)
    if homes:
        yield _n("{n} home", "{n} homes", homes)
    link = model.links.get(site.parent or "")
    if link is not None:
        state = words.word(model.link_state(link, now))
        yield _("reached by {link}, {state}", link=clean(link.title), state=state)
    item = known.get(site.id)
    over = None if item is not None or site.state == "ok" else roots.behind(model, site, known)
    if item is not None:
        yield _("trouble begins here: {cause}", cause=clean(roots.cause(item)))
    elif over is not None:
        yield _("cut off by {name}", name=clean(thing(model, over.kind, over.name)))


def as_json(model: Model, now: float) -> dict[str, object]:
    """The same for programs; `behind` is the site above, `parent` the link to it."""
    known = roots.begins(model, now)
    sites: list[dict[str, object]] = []
    for depth, _branch, site in network.walk(model):
        above, item = roots.above(model, site), known.get(site.id)
        sites.append(
            {
                "id": site.id,
                "title": site.title,
                "state": site.state,
                "homes": site.homes,
                "homes_behind": site.homes_behind,
                "latitude": site.latitude,
                "longitude": site.longitude,
                "depth": depth,
                "behind": above.id if above else None,
                "parent": site.parent,
                "begins_here": item is not None,
                "cause": say(item.cause) if item else "",
            }
        )
    links = [
        {
            "id": link.id,
            "title": link.title,
            "state": model.link_state(link, now),
            "a": link.a.site,
            "b": link.b.site,
        }
        for link in model.links.values()
    ]
    return {"sites": sites, "links": links}
