"""Home as plain lines: one thing a line, words before numbers, nothing that needs a screen."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ayni_core.onlooking import attention
from ayni_core.onlooking.model import Model
from ayni_io import phrases, words
from ayni_io.i18n import _


def lines(model: Model, now: float, answered: bool) -> Iterator[str]:
    """The lines, in the order of the operator's attention."""
    worklist = attention.items(model, now)
    counted = attention.counts(model, now, worklist)
    title = model.community.title or _("Ayni")
    training = " " + _("(TRAINING)") if model.training else ""
    yield f"{title}{training}: {', '.join(phrases.numbers(counted))}"
    if not answered:
        yield phrases.trouble(model, now) or _(
            "NO CONTACT: the central does not answer. What follows may be old."
        )
    if worklist:
        yield _("Do first:")
    for item in worklist:
        since = None if item.since is None else now - item.since
        yield "  " + phrases.item_message(model, item, since)
    yield _("All links:")
    for link in sorted(model.links.values(), key=partial(phrases.order, model, now, "worst")):
        as_of = model.link_as_of(link)
        age = (
            _("never measured") if as_of is None else _("measured {age} ago", age=words.duration(now - as_of))
        )
        yield "  " + _(
            "{state} {link}: signal {a}/{b} dBm, {age}",
            state=words.word(model.link_state(link, now)),
            link=link.title,
            a=words.number(link.a.signal_dbm),
            b=words.number(link.b.signal_dbm),
            age=age,
        )
