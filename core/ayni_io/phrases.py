"""What is said of links, sites and what needs somebody, in plain words: for console and phone page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ayni_core.onlooking import attention
from ayni_core.onlooking.attention import Counts, Item
from ayni_core.onlooking.model import Model
from ayni_core.onlooking.ranking import Place, place
from ayni_core.wire.views import LinkView
from ayni_io import words
from ayni_io.i18n import _, _n, say

if TYPE_CHECKING:
    from ayni_core.wire.messages import SiteView

DAY_MARKS = {"o": "█", "w": "▒", "d": "░", "n": "-"}
DAY_ORDER = "dwno-"
"""Of several hours in one cell the worst is shown; hours of which nothing is known yield to all others."""


def numbers(counts: Counts) -> tuple[str, str, str]:
    """`2 need you`, `21 OK`, `1 no data`."""
    return (
        _n("{n} needs you", "{n} need you", counts.need),
        _("{n} OK", n=counts.ok),
        _("{n} no data", n=counts.no_data),
    )


def thing(model: Model, kind: str, name: str) -> str:
    """What a thing is called where things of several kinds stand together."""
    title = model.title(kind, name)
    match kind:
        case "node":
            return _("Monitor {name}", name=title)
        case "upstream":
            return _("Internet {name}", name=title)
        case "central":  # by its address neighbours would learn one; the alarm's text says what it is about
            return _("The central")
    return title


def mark(item: Item) -> str:
    """In a word or two why it can wait, or that it comes and goes; mostly empty."""
    if item.acked_by is not None:
        return _("{name} is at it", name=words.clean(item.acked_by))
    if item.maintenance:
        return _("maintenance")
    return _("comes and goes") if item.flapping else ""


def item_message(model: Model, item: Item, since: float | None) -> str:
    """One line of DO FIRST as a sentence: `DOWN Escuela-Cerro 34 min, 46 homes: no power`."""
    parts = f"{words.word(item.state)} {thing(model, item.kind, item.name)} {words.duration(since)}"
    if item.homes:
        parts += ", " + _n("{n} home", "{n} homes", item.homes)
    cause = say(item.cause) or say(item.headline)
    said = f"{parts}: {cause}" if cause else parts
    return f"{said} ({mark(item)})" if mark(item) else said


def normal(link: LinkView) -> str:
    """The normal signal of a link: one number where both ends have the same."""
    shown = [words.number(end.normal_dbm) for end in (link.a, link.b)]
    return shown[0] if shown[0] == shown[1] else "/".join(shown)


def order(model: Model, now: float, sort: str, link: LinkView) -> Place:
    """The place of a link in the table."""
    return place(link, model.link_state(link, now), sort)


def headline(model: Model, link: LinkView, now: float) -> str:
    """What is probably wrong, in one plain sentence."""
    if link.state != "no_news" and model.link_state(link, now) == "no_news":
        return _("The monitor is late. The link may well work.")
    found = attention.find(model, "link", link.id, now)
    spoken = say(link.headline) or (say(found.headline) or say(found.text) if found else "")
    if spoken:
        return spoken
    return _("Nothing is wrong here.") if link.state == "ok" else _("Not enough is known yet.")


def site_summary(model: Model, site: SiteView) -> str:
    """`46 homes here, 58 with those behind; power: mains; reached by Torre-Escuela`."""
    parts = [_n("{n} home here", "{n} homes here", site.homes)]
    if site.homes_behind > site.homes:
        parts.append(_("{n} with those behind", n=site.homes_behind))
    powers = {"mains": _("power from the grid"), "solar": _("solar power")}
    parts.append(powers.get(site.power, _("power: {kind}", kind=site.power)))
    if site.parent:
        parts.append(_("reached by {link}", link=model.title("link", site.parent)))
    return ", ".join(parts)


def trouble(model: Model, now: float) -> str:
    """Why there is no contact, in a sentence; empty while there is."""
    match model.contact(now):
        case "broker" if model.trouble:
            return _("No way to the central: {reason}", reason=model.trouble)
        case "gone":
            return _("The central has stopped. Values stay as they were.")
        case "store-down":
            return _("The central cannot write. Nothing is lost: reports wait at the monitors.")
        case "clock-wrong":
            return _("The clock of the central is wrong. Nothing is lost: reports wait at the monitors.")
        case "silent":
            return _("The central says nothing. Values stay as they were.")
    return ""


def rate(bps: float | None) -> str:
    """A rate in Mb/s without its unit."""
    if bps is None:
        return "--"
    return words.number(bps / 1e6, 0 if bps >= 10e6 or bps == 0 else 1)
