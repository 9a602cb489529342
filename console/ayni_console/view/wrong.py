"""What is probably wrong with a thing: for the advice screen and its plain form alike."""

from __future__ import annotations

from ayni_console import advice
from ayni_core.onlooking import attention
from ayni_core.onlooking.model import Model
from ayni_io import phrases
from ayni_io.i18n import _, say


def probable(model: Model, about: tuple[str, str], now: float) -> str:
    """The probable cause, as advice knows it."""
    item = attention.find(model, *about, now)
    link = model.links.get(about[1]) if about[0] == "link" else None
    cause = (item.cause if item else None) or (link.cause if link else None)
    return advice.cause_of(cause.context if cause else None)


def headline(model: Model, about: tuple[str, str], now: float) -> str:
    """What is probably wrong with a thing, and who is at it."""
    item = attention.find(model, *about, now)
    link = model.links.get(about[1]) if about[0] == "link" else None
    if link is not None:
        title, wrong = link.title, phrases.headline(model, link, now)
    else:
        title = model.title(*about)
        wrong = (say(item.headline) or say(item.text) if item else "") or _("Not enough is known yet.")
    mark = phrases.mark(item) if item is not None else ""
    return f"{title}: {wrong}" + (f" ({mark})" if mark else "")
