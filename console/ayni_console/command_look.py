"""`ayni link` and `ayni site`: one thing as plain lines, with what the central remembers of it."""

from __future__ import annotations

import argparse
import itertools
import statistics
from collections.abc import Sequence

from ayni_console import plainly
from ayni_console.client import ConsoleClient
from ayni_console.feed import Feed
from ayni_console.view import plain_events, plain_link, plain_names, plain_parts, plain_site
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import LinkView, SiteView
from ayni_core.wire.questions import (
    AskEvents,
    AskEvidence,
    AskHistory,
    AskReadings,
    Events,
    Evidence,
    History,
    Readings,
)
from ayni_io.i18n import _

WEEK_S, STEP_S = 7 * 86400.0, 6 * 3600.0
MOST_EVENTS = 30
_OF_A_SITE = 200
"""So many of the newest events are searched for those of a site."""


def link_parser() -> argparse.ArgumentParser:
    """The command line of `ayni link`."""
    made = plainly.parser(
        "link", _("One link as plain lines: both ends, alarms, day and week."), explains=True
    )
    made.add_argument("name", metavar="NAME", help=_("the link's name or title, or how it begins"))
    return made


def link_main(argv: Sequence[str] | None = None) -> int:
    """Print it."""
    arguments = link_parser().parse_args(argv)

    async def look(client: ConsoleClient, now: float) -> int:
        model = client.model
        _kind, name = plain_names.find(model, arguments.name, ("link",))
        asked = await ask_link(client, model.links[name], now)
        link = model.links.get(name)
        if link is None:
            raise plain_names.NoSuchName(_("The central no longer knows this link."))
        told = plainly.no_contact(asked.answered, asked.problem)
        lines = itertools.chain(told, plain_link.lines(model, link, asked, now, arguments.explain))
        plainly.show(lines, lambda: plain_link.as_json(model, link, asked, now), arguments)
        return _status(model, asked.answered, plain_link.things(link), now)

    return plainly.run("link", arguments, look)


async def ask_link(feed: Feed, link: LinkView, now: float) -> plain_link.Asked:
    """What happened to it, and what was usual last week."""
    events, problem, there = await plainly.first(
        feed, AskEvents(limit=MOST_EVENTS, kind="link", name=link.id), Events
    )
    asked = plain_link.Asked(answered=there, problem=problem)
    if events is None:
        return asked
    asked.events = [each for each in events.events if (each.kind, each.name) == ("link", link.id)]
    questions = {
        (side, metric): AskHistory(
            start=now - WEEK_S, end=now, step_s=STEP_S, metric=metric, link=link.id, side=side
        )
        for side in plain_link.SIDES
        for metric in plain_link.WEEK
    }
    answers, problems = await plainly.ask_all(feed, questions, History)
    asked.medians = {
        key: statistics.median(step.mean for step in each.steps)
        for key, each in answers.items()
        if each.steps
    }
    if not answers:
        asked.problem = next(iter(problems.values()), "")
    told, _untold = await plainly.ask_all(feed, {link.id: AskEvidence(link=link.id)}, Evidence)
    asked.evidence = told.get(link.id, Evidence())
    return asked


def site_parser() -> argparse.ArgumentParser:
    """The command line of `ayni site`."""
    made = plainly.parser(
        "site", _("One site as plain lines: what stands there and every reading."), explains=True
    )
    made.add_argument("name", metavar="NAME", help=_("the site's name or title, or how it begins"))
    return made


def site_main(argv: Sequence[str] | None = None) -> int:
    """Print it."""
    arguments = site_parser().parse_args(argv)

    async def look(client: ConsoleClient, now: float) -> int:
        model = client.model
        _kind, name = plain_names.find(model, arguments.name, ("site",))
        asked = await ask_site(client, model.sites[name])
        site = model.sites.get(name)
        if site is None:
            raise plain_names.NoSuchName(_("The central no longer knows this site."))
        told = plainly.no_contact(asked.answered, asked.problem)
        lines = itertools.chain(told, plain_site.lines(model, site, asked, now, arguments.explain))
        plainly.show(lines, lambda: plain_site.as_json(model, site, asked, now), arguments)
        return _status(model, asked.answered, plain_site.things(model, name), now)

    return plainly.run("site", arguments, look)


async def ask_site(feed: Feed, site: SiteView) -> plain_site.Asked:
    """Every reading of what stands there, and what happened there."""
    events, problem, there = await plainly.first(feed, AskEvents(limit=_OF_A_SITE), Events)
    asked = plain_site.Asked(answered=there, problem=problem)
    if events is None:
        return asked
    about = ("site", site.id)
    found = [each for each in events.events if plain_events.belongs(feed.model, each, about)]
    asked.events = found[:MOST_EVENTS]
    names = [device.id for device in plain_site.devices(feed.model, site)]
    answers, asked.problems = await plainly.ask_all(
        feed, {name: AskReadings(device=name) for name in names}, Readings
    )
    asked.readings = {name: answer.readings for name, answer in answers.items()}
    return asked


def _status(model: Model, answered: bool, things: Sequence[tuple[str, str]], now: float) -> int:
    if not answered:
        return 2
    return int(plain_parts.needs_somebody(model, things, now))
