"""`ayni map`, `ayni advice` and `ayni messages`: these screens as plain lines.

Exit status: 0 nobody is needed, 1 somebody is, 2 no contact, or no such name.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence

from ayni_console import advice, plainly
from ayni_console.client import ConsoleClient
from ayni_console.feed import NoAnswer
from ayni_console.view import plain_advice, plain_map, plain_messages, plain_names, wrong
from ayni_core.onlooking import attention
from ayni_core.wire.questions import AskDeliveries, AskEvents, Deliveries, Events
from ayni_io.i18n import _


def map_parser() -> argparse.ArgumentParser:
    """The command line of `ayni map`."""
    return plainly.parser("map", _("Who is reached through whom, as plain lines, and where trouble begins."))


def map_main(argv: Sequence[str] | None = None) -> int:
    """Print it."""
    arguments = map_parser().parse_args(argv)

    async def look(client: ConsoleClient, now: float) -> int:
        model = client.model
        told, there = await _contact(client)
        lines = itertools.chain(told, plain_map.lines(model, now))
        plainly.show(lines, lambda: {"contact": there} | plain_map.as_json(model, now), arguments)
        return int(plain_map.needs_somebody(model, now)) if there else 2

    return plainly.run("map", arguments, look)


def advice_parser() -> argparse.ArgumentParser:
    """The command line of `ayni advice`."""
    made = plainly.parser("advice", _("What to do now, step by step, as plain lines."))
    made.add_argument(
        "name", metavar="NAME", nargs="?", help=_("link, device, site or monitor; without it the worst")
    )
    made.add_argument(
        "--cause", choices=sorted(advice.LOOK_ALIKES), metavar="CAUSE",
        help=_("the steps against another cause, as the last lines name them"),
    )  # fmt: skip
    return made


def advice_main(argv: Sequence[str] | None = None) -> int:
    """Print it."""
    arguments = advice_parser().parse_args(argv)

    async def look(client: ConsoleClient, now: float) -> int:
        model = client.model
        told, there = await _contact(client)
        about = plain_names.find(model, arguments.name) if arguments.name else plain_advice.worst(model, now)
        if about is None:
            lines = itertools.chain(told, [_("Nothing needs you.")])
            plainly.show(lines, lambda: {"contact": there, "steps": []}, arguments)
            return 0 if there else 2
        cause = arguments.cause or wrong.probable(model, about, now)
        lines = itertools.chain(told, plain_advice.lines(model, about, cause, now))
        value = plain_advice.as_json(model, about, cause, now)
        plainly.show(lines, lambda: {"contact": there} | value, arguments)
        return int(bool(attention.find(model, *about, now))) if there else 2

    return plainly.run("advice", arguments, look)


def messages_parser() -> argparse.ArgumentParser:
    """The command line of `ayni messages`."""
    return plainly.parser("messages", _("What people were told, as plain lines, and whether it arrives."))


def messages_main(argv: Sequence[str] | None = None) -> int:
    """Print it."""
    arguments = messages_parser().parse_args(argv)

    async def look(client: ConsoleClient, now: float) -> int:
        told, problem, _there = await plainly.first(client, AskDeliveries(), Deliveries)
        if told is None:
            raise NoAnswer(problem)
        plainly.show(plain_messages.lines(told, now), lambda: plain_messages.as_json(told, now), arguments)
        return int(not plain_messages.all_arrive(told))

    return plainly.run("messages", arguments, look)


async def _contact(client: ConsoleClient) -> tuple[Iterator[str], bool]:
    """The first lines where the central does not answer, and whether it does."""
    _told, problem, there = await plainly.first(client, AskEvents(limit=1), Events)
    return plainly.no_contact(there, problem), there
