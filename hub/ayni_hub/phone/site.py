"""A site on a phone: who lives there, what is wrong, and the state of everything that stands there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ayni_core.onlooking import attention
from ayni_core.wire.messages import LINK_STATES, SiteView
from ayni_hub.phone.home import item_line, link_line
from ayni_hub.phone.html import NOTHING, Html, el, join, size, spaced, text
from ayni_hub.phone.look import Look, ago, path_of, short, state_mark, way
from ayni_hub.phone.sheet import Entry, listed, page
from ayni_io import phrases, words
from ayni_io.i18n import _

_MOST_ITEMS = 20
_ORDER = ("down", "silent", *LINK_STATES[1:])


def site(look: Look, shown: SiteView) -> Html:
    """The page at `/site/NAME`."""
    here = path_of("site", shown.id)
    top = join(
        el("h1", short(shown.title)),
        el("p", state_mark(shown.state)),
        el("p", phrases.site_summary(look.model, shown)),
    )
    if not look.start:
        top = join(top, _needs(look, shown))
    body = listed(look, list(_things(look, shown)), size(top), here)
    return page(look, f"{short(shown.title)}: {words.word(shown.state)}", top, body, here=here)


def _needs(look: Look, shown: SiteView) -> Html:
    model = look.model
    items = [
        item
        for item in attention.items(model, look.now)
        if model.site_of(item.kind, item.name) == shown.id
    ]  # fmt: skip
    lines = [el("li", item_line(look, item)) for item in items[:_MOST_ITEMS]]
    return join(el("h2", _("DO FIRST")), el("ol", *lines)) if lines else NOTHING


def _things(look: Look, shown: SiteView) -> Iterator[Entry]:
    """Links first: they are what people come for."""
    model, now = look.model, look.now
    links = [link for link in model.links.values() if shown.id in (link.a.site, link.b.site)]
    for link in sorted(links, key=lambda each: phrases.order(model, now, "worst", each)):
        yield Entry(_("LINKS"), partial(link_line, look, link))
    for _rank, title, name, state, about, as_of in sorted(_others(look, shown, "device")):
        named = way(look, "device", name, title)
        yield Entry(_("DEVICES"), partial(_line, look, named, state, about, as_of))
    for _rank, title, _name, state, about, as_of in sorted(_others(look, shown, "node")):
        yield Entry(_("MONITORS"), partial(_line, look, text(short(title)), state, about, as_of))
    for upstream in model.upstreams.values():
        if upstream.site == shown.id:
            yield Entry(
                _("INTERNET"), partial(_line, look, text(short(upstream.title)), upstream.state, "", None)
            )


def _others(look: Look, shown: SiteView, kind: str) -> Iterator[tuple[int, str, str, str, str, float]]:
    """(rank, title, name, state, what it is, when it was heard or 0) of devices or monitors of a site."""
    model = look.model
    if kind == "device":
        for device in model.devices.values():
            if device.site == shown.id:
                state = model.device_state(device, look.now)
                rank, about = _ORDER.index(state), device.model or ""
                yield rank, device.title, device.id, state, about, device.as_of or 0.0
        return
    for node in model.nodes.values():
        if node.site == shown.id:
            state = model.node_state(node, look.now)
            yield _ORDER.index(state), node.title, node.id, state, "", node.as_of or 0.0


def _line(look: Look, title: Html, state: str, about: str, as_of: float | None) -> Html:
    aged = "" if as_of is None else ago(look, as_of or None)
    below = " · ".join(short(fact) for fact in (about, aged) if fact)
    return spaced(state_mark(state), title, el("small", below) if below else NOTHING)
