"""`ayni events`: what happened, as plain lines, newest first. Exit status: 0 told, 2 no contact, or no such
name."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence

from ayni_console import plainly
from ayni_console.client import ConsoleClient
from ayni_console.feed import Feed, NoAnswer
from ayni_console.view import plain_events, plain_names
from ayni_core.wire.messages import Event
from ayni_core.wire.questions import AskEvents, Events
from ayni_io import i18n
from ayni_io.i18n import _

_SPAN = re.compile(r"([0-9]{1,5})(m|min|h|d|w)")
_UNITS = {"m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_BATCH, _MOST_BATCHES = 200, 50
_MOMENT_S = 1e-5
MOST, LIMIT = 5000, 200


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = plainly.parser("events", _("What happened, as plain lines, newest first."))
    made.add_argument(
        "--last",
        metavar="TIME",
        type=span,
        help=_("look back so long: 90m, 24h, 7d or 2w; else 24h, with --find without end"),
    )
    made.add_argument("--limit", metavar="N", type=count, default=LIMIT, help=_("at most so many events"))
    made.add_argument(
        "--find",
        metavar="WORDS",
        default="",
        help=_("only what holds these words, over all that is remembered (! in front: without them)"),
    )
    made.add_argument("--only", choices=("notes", "alarms"), default="", help=_("only these"))
    about = made.add_mutually_exclusive_group()
    about.add_argument("--about", metavar="NAME", help=_("only of this link, site, device or monitor"))
    about.add_argument("name", metavar="NAME", nargs="?", help=_("the same as --about"))
    return made


def span(text: str) -> float:
    """`90m`, `24h`, `7d`, `2w` -> seconds."""
    found = _SPAN.fullmatch(text)
    if found is None or not int(found[1]):
        raise argparse.ArgumentTypeError(_("“{text}”: expected such as 90m, 24h, 7d or 2w", text=text[:20]))
    return float(found[1]) * _UNITS[found[2]]


def count(text: str) -> int:
    """How many events, 1 to MOST."""
    if not text.isdecimal() or not 1 <= int(text) <= MOST:
        raise argparse.ArgumentTypeError(_("expected a number from 1 to {most}", most=MOST))
    return int(text)


def main(argv: Sequence[str] | None = None) -> int:
    """Print them."""
    arguments = parser().parse_args(argv)
    wanted = arguments.about or arguments.name

    async def look(client: ConsoleClient, now: float) -> int:
        about = plain_names.find(client.model, wanted) if wanted else None
        lately = now - (arguments.last or _UNITS["d"])
        since = 0.0 if arguments.find and arguments.last is None else lately
        asked = await ask(client, since, about, arguments.limit, only=arguments.only, words=arguments.find)
        lines = plain_events.lines(client.model, asked, now)
        plainly.show(lines, lambda: plain_events.as_json(client.model, asked, now), arguments)
        return 0

    return plainly.run("events", arguments, look)


async def ask(
    feed: Feed,
    since: float,
    about: tuple[str, str] | None,
    limit: int,
    *,
    only: str = "",
    words: str = "",
) -> plain_events.Asked:
    """What happened since a time, newest first, a batch at a time. Raises `NoAnswer`."""
    alone = about if about is not None and about[0] != "site" else None
    kind, name = alone or (None, None)
    asked = plain_events.Asked(since=since, about=about, words=words)
    found: list[Event] = []
    batch: Sequence[Event] = ()
    before: float | None = None
    for _again in range(_MOST_BATCHES):
        question = AskEvents(
            before=before,
            limit=_BATCH,
            kind=kind,
            name=name,
            only=only,
            words=words,
            language=i18n.language(),
        )
        if before is None:
            answer, problem, _there = await plainly.first(feed, question, Events)
            if answer is None:
                raise NoAnswer(problem)
        else:
            answer = await feed.ask(question, Events)
        new, batch = [each for each in answer.events if each not in batch], answer.events
        found += [each for each in new if each.at >= since and plain_events.belongs(feed.model, each, about)]
        oldest = min((each.at for each in answer.events), default=since)
        if answer.looked_back is not None:
            oldest, before = answer.looked_back, answer.looked_back
        elif len(answer.events) < _BATCH:
            break
        else:  # a central that does not say how far it looked may have more of that moment
            before = oldest if before == oldest + _MOMENT_S else oldest + _MOMENT_S
        if oldest < since or len(found) > limit:
            break
    else:
        asked.whole = False
    asked.whole = asked.whole and len(found) <= limit
    asked.events = found[:limit]
    return asked
