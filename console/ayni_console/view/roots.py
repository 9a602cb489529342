"""Where trouble begins: which site a thing that is wrong cuts off, and who is only behind it."""

from __future__ import annotations

from collections.abc import Mapping

from ayni_core.onlooking import attention
from ayni_core.onlooking.attention import Item
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import SiteView
from ayni_io.i18n import say

_CUTS = ("down", "no_news")
"""States of a thing that leave nothing, or no news, of what is behind it."""


def begins(model: Model, now: float) -> dict[str, Item]:
    """For each site where trouble begins, the worst that is wrong there. What is explained by something else
    is not in it."""
    far_end = {site.parent: site.id for site in model.sites.values() if site.parent}
    found: dict[str, Item] = {}
    for item in attention.items(model, now):
        site = far_end.get(item.name) if item.kind == "link" else None
        site = site or model.site_of(item.kind, item.name)
        if site is not None:
            found.setdefault(site, item)
    return found


def above(model: Model, site: SiteView) -> SiteView | None:
    """The site through which another reaches the Internet; None at a root."""
    link = model.links.get(site.parent or "")
    if link is None:
        return None
    other = link.a.site if link.b.site == site.id else link.b.site
    return model.sites.get(other) if other != site.id else None


def behind(model: Model, site: SiteView, roots: Mapping[str, Item]) -> Item | None:
    """What cuts off a site from further up, where the site itself has nothing that explains its state."""
    seen = {site.id}
    higher = above(model, site)
    while higher is not None and higher.id not in seen:
        item = roots.get(higher.id)
        if item is not None and item.state in _CUTS:
            return item
        seen.add(higher.id)
        higher = above(model, higher)
    return None


def explains(model: Model, site: str, known: Mapping[str, Item]) -> Item | None:
    """What is wrong at a site, or what cuts it off where it is not well."""
    found = model.sites.get(site)
    if site in known or found is None:
        return known.get(site)
    return None if found.state == "ok" else behind(model, found, known)


def ranked(model: Model, now: float) -> list[str]:
    """The sites, those that need somebody most first, then those that most homes hang on."""
    first = [site for site in begins(model, now) if site in model.sites]
    others = sorted(model.sites.values(), key=lambda each: (-max(each.homes_behind, each.homes), each.id))
    return list(dict.fromkeys([*first, *(site.id for site in others)]))


def cause(item: Item) -> str:
    """Why, in a word or two."""
    return say(item.cause) or say(item.headline) or say(item.text)
