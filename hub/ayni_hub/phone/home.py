"""Home on a phone: what to do first, and every link in a line; and the sites."""

from __future__ import annotations

from functools import partial

from ayni_core.onlooking import attention
from ayni_core.onlooking.attention import Item
from ayni_core.wire.messages import LINK_STATES, LinkView, SiteView
from ayni_hub.phone.html import NOTHING, Html, el, join, size, spaced
from ayni_hub.phone.look import Look, ago, homes_of, mark, short, span, state_mark, way
from ayni_hub.phone.sheet import Entry, listed, page
from ayni_io import phrases, words
from ayni_io.i18n import _, _n, say

_MOST_ITEMS = 30


def home(look: Look) -> Html:
    """The page at `/`."""
    model = look.model
    worklist = attention.items(model, look.now)
    numbers = phrases.numbers(attention.counts(model, look.now, worklist))
    title = model.community.title or _("Ayni")
    top = join(el("h1", short(title)), el("p", el("strong", " · ".join(numbers))))
    if not look.start:
        top = join(top, _first(look, worklist))
    links = sorted(model.links.values(), key=partial(phrases.order, model, look.now, "worst"))
    heading = _("ALL LINKS {n}", n=len(links))
    entries = [Entry(heading, partial(link_line, look, link)) for link in links]
    end = el("p", el("a", _("ALL SITES {n}", n=len(model.sites)), href=look.url("sites")))
    body = listed(look, entries, size(top) + size(end), "")
    return page(look, f"{numbers[0]} · {short(title)}", top, body, end)


def _first(look: Look, worklist: list[Item]) -> Html:
    """DO FIRST, or that nothing needs anybody."""
    model = look.model
    if not worklist:
        known = model.links or model.devices
        return el("p", state_mark("ok"), " ", _("Nothing needs you.")) if known else (
            el("p", _("Nothing is known yet."))
        )  # fmt: skip
    lines = [el("li", item_line(look, item)) for item in worklist[:_MOST_ITEMS]]
    left = len(worklist) - len(lines)
    more = el("p", _n("{n} more", "{n} more", left)) if left > 0 else NOTHING
    return join(el("h2", _("DO FIRST")), el("ol", *lines), more)


def item_line(look: Look, item: Item) -> Html:
    """`■ DOWN Escuela-Cerro 34 min`, and below it how many homes and why."""
    title = phrases.thing(look.model, item.kind, item.name)
    below = (
        _n("{n} home", "{n} homes", item.homes) if item.homes else "",
        say(item.cause) or say(item.headline) or say(item.text),
        mark(look, item),
    )
    return spaced(
        state_mark(item.state), way(look, item.kind, item.name, title), span(look, item.since),
        _below(*below),
    )  # fmt: skip


def link_line(look: Look, link: LinkView) -> Html:
    """`● OK Torre-Cerro`, and below it signal, normal and age."""
    state = look.model.link_state(link, look.now)
    as_of = look.model.link_as_of(link)
    numbers = () if state == "down" else (signals(link), _normal(link))
    aged = "" if as_of is None else ago(look, as_of)
    return spaced(state_mark(state), way(look, "link", link.id, link.title), _below(*numbers, aged))


def signals(link: LinkView) -> str:
    """`-57/-58 dBm`, or nothing."""
    if link.a.signal_dbm is None and link.b.signal_dbm is None:
        return ""
    return f"{words.number(link.a.signal_dbm)}/{words.number(link.b.signal_dbm)} dBm"


def _normal(link: LinkView) -> str:
    usual = phrases.normal(link)
    return "" if usual == "--" else f"{_('normal')} {usual}"


def _below(*facts: str) -> Html:
    said = " · ".join(short(fact) for fact in facts if fact)
    return el("small", said) if said else NOTHING


def sites(look: Look) -> Html:
    """The page at `/sites`."""
    model, heading = look.model, _("ALL SITES {n}", n=len(look.model.sites))
    ranked = sorted(
        model.sites.values(), key=lambda site: (LINK_STATES.index(site.state), site.title.casefold())
    )
    entries = [Entry("", partial(_site_line, look, site)) for site in ranked]
    top = el("h1", heading)
    return page(look, heading, top, listed(look, entries, size(top), "sites"), here="sites")


def _site_line(look: Look, site: SiteView) -> Html:
    homes = homes_of(site)
    below = _below(_n("{n} home", "{n} homes", homes) if homes else "")
    return spaced(state_mark(site.state), way(look, "site", site.id, site.title), below)
