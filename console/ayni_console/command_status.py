"""`ayni status`: Home as lines, for screen readers, scripts and messages. Exit status: 0 all is well,
1 something needs you, 2 no contact."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence

from ayni_console import options, terminal
from ayni_console.client import ConsoleClient
from ayni_console.feed import NoAnswer
from ayni_console.lines import displayed, line, plain
from ayni_console.view import status
from ayni_core.onlooking import attention
from ayni_core.onlooking.model import Model
from ayni_core.schema import ConfigError
from ayni_core.wire.questions import AskEvents, Events
from ayni_io import i18n, words
from ayni_io.i18n import _, reason, say
from ayni_io.phrases import thing
from ayni_io.usage import Parser

LONGEST_S = 5.0
_CALM_S = 0.3


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = Parser(prog="ayni status", description=_("Home as plain lines."))
    options.add(made)
    made.add_argument("--plain", action="store_true", help=_("plain lines (what it does anyway)"))
    made.add_argument(
        "--ascii", action="store_true", help=_("only letters and signs that every terminal has")
    )
    made.add_argument("--json", action="store_true", help=_("one JSON object"))
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Print it; the exit status says whether something needs somebody."""
    arguments = parser().parse_args(argv)
    i18n.use(arguments.language)
    try:
        user = options.user_of(arguments)
        broker = options.broker_of(arguments, user)
    except ConfigError as error:
        print(reason(error), file=sys.stderr)
        return 2
    client = ConsoleClient(broker, user)
    answered = asyncio.run(_receive(client))
    model, now = client.model, client.model.now(time.time())
    if not model.connected and not model.links:
        said = (model.trouble or _("broker {broker}: no answer", broker=broker), options.hint(arguments))
        print("\n".join(filter(None, said)), file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps(as_json(model, now, answered), ensure_ascii=not terminal.prints_utf8(sys.stdout)))
    else:
        ascii_only = arguments.ascii or not terminal.prints_utf8(sys.stdout)
        shown = (displayed(line(each), ascii_only) for each in status.lines(model, now, answered))
        print("\n".join(plain(each) for each in shown))
    if not answered:
        return 2
    return int(any(not item.in_hand for item in attention.items(model, now)))


async def _receive(client: ConsoleClient) -> bool:
    """Wait until the retained news is in and the central has answered, a few seconds at most."""
    running = asyncio.create_task(client.run())
    answered = False
    try:
        async with asyncio.timeout(LONGEST_S):
            await client.settled.wait()
            if client.model.connected:
                answered = await _ask(client)
                version = -1
                while version != client.model.version:
                    version = client.model.version
                    await asyncio.sleep(_CALM_S)
    except TimeoutError:
        answered = answered or client.model.contact_at is not None
    connected, trouble = client.model.connected, client.model.trouble
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    client.model.linked(connected, trouble)  # ending our own connection says nothing about the network
    return answered


async def _ask(client: ConsoleClient) -> bool:
    try:
        await client.ask(AskEvents(limit=1), Events)
    except NoAnswer:
        return client.model.contact_at is not None
    return True


def as_json(model: Model, now: float, answered: bool) -> dict[str, object]:
    """The same for programs."""
    worklist = attention.items(model, now)
    counted = attention.counts(model, now, worklist)
    return {
        "community": model.community.title,
        "contact": answered,
        "training": model.training,
        "need": counted.need,
        "ok": counted.ok,
        "no_data": counted.no_data,
        "do_first": [
            {
                "kind": item.kind,
                "name": item.name,
                "title": thing(model, item.kind, item.name),
                "state": item.state,
                "since": item.since,
                "homes": item.homes,
                "cause": say(item.cause),
                "in_hand": item.in_hand,
                "acked_by": item.acked_by,
            }
            for item in worklist
        ],
        "links": [
            {
                "id": link.id,
                "title": link.title,
                "state": model.link_state(link, now),
                "word": words.word(model.link_state(link, now)),
                "signal_dbm": [link.a.signal_dbm, link.b.signal_dbm],
                "as_of": model.link_as_of(link),
            }
            for link in model.links.values()
        ],
    }
