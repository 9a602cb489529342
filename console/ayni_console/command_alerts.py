"""`ayni alerts`: every alarm as plain lines. `ayni ack`: take one on, or give it back.

Exit status of `alerts`: 0 nobody is called for anything, 1 somebody is, 2 no contact. Of `ack`: 0 done,
1 refused or no such alarm, 2 no contact.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from ayni_console import once, options, signing, terminal
from ayni_console.client import ConsoleClient
from ayni_console.feed import NoAnswer
from ayni_console.lines import displayed, line, plain
from ayni_console.view import alarms
from ayni_core.schema import did_you_mean
from ayni_core.wire.questions import AskAck, Done
from ayni_io import i18n
from ayni_io.i18n import _, _n, spoken
from ayni_io.mqtt import BrokerConfig
from ayni_io.usage import Parser


def parser() -> argparse.ArgumentParser:
    """The command line of `ayni alerts`."""
    made = Parser(prog="ayni alerts", description=_("Every alarm as plain lines."))
    made.add_argument("--all", action="store_true", help=_("also those that another alarm explains"))
    made.add_argument("--plain", action="store_true", help=_("plain lines (what it does anyway)"))
    made.add_argument(
        "--ascii", action="store_true", help=_("only letters and signs that every terminal has")
    )
    made.add_argument("--json", action="store_true", help=_("a JSON list of all of them"))
    options.add(made)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Print them."""
    arguments = parser().parse_args(argv)
    i18n.use(arguments.language)

    async def show(client: ConsoleClient) -> int:
        model, now = client.model, once.now(client)
        if arguments.json:
            print(json.dumps(alarms.as_json(model, now), ensure_ascii=not terminal.prints_utf8(sys.stdout)))
        else:
            ascii_only = arguments.ascii or not terminal.prints_utf8(sys.stdout)
            for each in alarms.lines(model, now, whole=arguments.all):
                print(plain(displayed(line(each), ascii_only)))
        return int(any(alert.calls for alert in model.alerts.values()))

    return once.run("ayni alerts", lambda: _where(arguments), show)


def ack_parser() -> argparse.ArgumentParser:
    """The command line of `ayni ack`."""
    made = Parser(
        prog="ayni ack", description=_("Take an alarm on: you see to it, and nobody else is called.")
    )
    made.add_argument(
        "what", metavar="ALARM|NAME", help=_("an alarm as `ayni alerts` lists it, or what it is about")
    )
    made.add_argument("--note", default="", metavar="TEXT", help=_("what you do about it"))
    made.add_argument("--back", action="store_true", help=_("give it back: somebody else has to see to it"))
    signing.add(made)
    options.add(made)
    return made


def ack_main(argv: Sequence[str] | None = None) -> int:
    """Take it on, or give it back."""
    arguments = ack_parser().parse_args(argv)
    i18n.use(arguments.language)

    async def ack(client: ConsoleClient) -> int:
        found = alarms.about(client.model, arguments.what)
        if not found:
            names = {alert.name for alert in client.model.alerts.values()}
            hint = did_you_mean(arguments.what, {*names, *client.model.alerts})
            told = _("no alarm is about “{name}”", name=arguments.what) + spoken(hint)
            print(f"ayni ack: {told}", file=sys.stderr)
            return 1
        done = 0
        acting = await signing.who(client, arguments)
        for alert in found:
            asked = AskAck(alert=alert.id, note=arguments.note, author=arguments.author, back=arguments.back)
            try:
                await client.ask(acting.sign(asked), Done)
            except NoAnswer as error:
                print(f"ayni ack: {alert.id}: {error}", file=sys.stderr)
            else:
                done += 1
        if arguments.back and done:
            print(_n("{n} alarm is nobody's again.", "{n} alarms are nobody's again.", done))
        elif done:
            print(_n("{n} alarm is yours.", "{n} alarms are yours.", done))
        return 0 if done == len(found) else 1

    return once.run("ayni ack", lambda: _where(arguments), ack)


def _where(arguments: argparse.Namespace) -> tuple[str, BrokerConfig]:
    user = options.user_of(arguments)
    return user, options.broker_of(arguments, user)
