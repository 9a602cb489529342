"""`ayni health`: how Ayni itself is, as plain lines. Exit status: 0 all is well, 1 something needs you, 2 no
contact."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence

from ayni_console import plainly
from ayni_console.client import ConsoleClient
from ayni_console.feed import Feed
from ayni_console.view import plain_health
from ayni_core.wire.health import MOST_MONITORS, AskHealth, Health
from ayni_core.wire.questions import AskDeliveries, AskEvents, Deliveries, Events
from ayni_io.i18n import _

_MOST_EVENTS = 500


def parser() -> argparse.ArgumentParser:
    """The command line."""
    return plainly.parser(
        "health", _("How Ayni itself is, as plain lines: the central, the monitors, messages to people.")
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Print it."""
    arguments = parser().parse_args(argv)

    async def look(client: ConsoleClient, now: float) -> int:
        model, asked = client.model, await ask(client, now)
        told = plainly.no_contact(asked.answered, asked.problem)
        lines = itertools.chain(told, plain_health.lines(model, asked, now))
        plainly.show(lines, lambda: plain_health.as_json(model, asked, now), arguments)
        if not asked.answered:
            return 2
        return int(not plain_health.all_is_well(model, asked, now))

    return plainly.run("health", arguments, look)


async def ask(feed: Feed, now: float) -> plain_health.Asked:
    """What monitors and the central told of themselves lately, and how messages to people go."""
    told, problem, there = await plainly.first(feed, AskDeliveries(), Deliveries)
    asked = plain_health.Asked(answered=there, told=told, problem=problem)
    if not there:
        return asked
    await _ask_health(feed, asked)
    questions = {kind: AskEvents(limit=_MOST_EVENTS, kind=kind) for kind in ("node", "")}
    answers, _problems = await plainly.ask_all(feed, questions, Events)
    lately = now - plain_health.LOOKS_BACK_S
    found = [
        each
        for kind, answer in answers.items()
        for each in answer.events
        if each.at >= lately and each.kind == kind
    ]
    asked.events = sorted(found, key=lambda each: -each.at)
    return asked


async def _ask_health(feed: Feed, asked: plain_health.Asked) -> None:
    """What the central says of itself and of every monitor."""
    names = sorted(feed.model.nodes)
    batches = [tuple(names[at : at + MOST_MONITORS]) for at in range(0, len(names), MOST_MONITORS)] or [()]
    questions = {number: AskHealth(monitors=batch) for number, batch in enumerate(batches)}
    answers, _problems = await plainly.ask_all(feed, questions, Health)
    for answer in answers.values():
        asked.central, asked.parts, asked.certificates = answer.central, answer.parts, answer.certificates
        asked.backup = answer.backup
        asked.monitors |= {each.id: each for each in answer.monitors}
