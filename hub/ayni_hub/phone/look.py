"""What a page is made for: the network as it is known now, the reader, and where in a long list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import tzinfo
from urllib.parse import quote, urlencode

from ayni_core.onlooking.attention import Item
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import SiteView
from ayni_hub.phone.html import Html, Part, el, join, text
from ayni_io import phrases, words
from ayni_io.i18n import _

MOST_CHARACTERS = 200
"""Of one sentence or title: whoever wrote a longer one meant no telephone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """`root` leads from this page to Home; `asked` is the language that the reader chose on a page, or empty;
    `start` is the first line of a long list; `names`: whether people are named."""

    model: Model
    now: float
    zone: tzinfo | None = None
    root: str = ""
    asked: str = ""
    start: int = 0
    names: bool = True

    def url(self, path: str, **query: str) -> str:
        """The address of another page, in the language of this one."""
        words = {"lang": self.asked} if self.asked else {}
        more = urlencode(words | query)
        return (self.root + path or "./") + (f"?{more}" if more else "")


def short(sentence: str) -> str:
    """A sentence in bounds."""
    return sentence if len(sentence) <= MOST_CHARACTERS else sentence[: MOST_CHARACTERS - 1] + "…"


def path_of(kind: str, name: str) -> str:
    """Where a link, a site or a device has its page, from Home."""
    return f"{kind}/{quote(name, safe='')}"


def way(look: Look, kind: str, name: str, title: str) -> Html:
    """A thing's name, leading to its page: a link, a site and a device have one, others are at their site."""
    match kind:
        case "link" if name in look.model.links:
            path = path_of("link", name)
        case "site" if name in look.model.sites:
            path = path_of("site", name)
        case "device" if name in look.model.devices:
            path = path_of("device", name)
        case _:
            site = look.model.site_of(kind, name)
            if site is None or site not in look.model.sites:
                return text(short(title))
            path = path_of("site", site)
    return el("a", short(title), href=look.url(path))


def site_way(look: Look, name: str) -> Html:
    """A site's title, leading to its page."""
    return way(look, "site", name, look.model.title("site", name))


def state_mark(state: str) -> Html:
    """A state as a word; the style sheet puts its symbol before it and gives it its colour."""
    return el("b", words.word(state), class_=words.style(state))


def span(look: Look, since: float | None) -> str:
    """How long ago, or nothing."""
    return "" if since is None else words.duration(look.now - since)


def ago(look: Look, at: float | None) -> str:
    """`12 s ago`, or `never`."""
    return _("never") if at is None else _("{age} ago", age=words.duration(look.now - at))


def mark(look: Look, item: Item) -> str:
    """Why something can wait, or that it comes and goes."""
    if item.acked_by is not None and not look.names:
        item = replace(item, acked_by=_("Somebody"))
    return phrases.mark(item)


def homes_of(site: SiteView) -> int:
    """How many homes hang on a site."""
    return max(site.homes_behind, site.homes)


def paragraph(*parts: Part) -> Html:
    """A paragraph, if there is anything to say."""
    said = join(*parts)
    return el("p", said) if said else said
