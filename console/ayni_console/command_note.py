"""`ayni note`: write into the notebook. Exit status: 0 written, 1 refused, 2 no contact, or no such name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ayni_console import once, options, signing
from ayni_console.client import ConsoleClient
from ayni_console.feed import NoAnswer
from ayni_console.lines import clean
from ayni_console.view import plain_names
from ayni_console.view.plain_names import NoSuchName
from ayni_core.wire.questions import AskNote, Done
from ayni_io import i18n
from ayni_io.i18n import _
from ayni_io.mqtt import BrokerConfig
from ayni_io.usage import Parser


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = Parser(prog="ayni note", description=_("Write a note for all to read."))
    made.add_argument("text", metavar="TEXT", nargs="+", help=_("what you want to say"))
    made.add_argument(
        "--about", metavar="NAME", default="", help=_("a link, site, device or monitor; else the network")
    )
    signing.add(made)
    options.add(made)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Write it."""
    arguments = parser().parse_args(argv)
    i18n.use(arguments.language)

    async def write(client: ConsoleClient) -> int:
        model = client.model
        try:
            kind, name = plain_names.find(model, arguments.about) if arguments.about else ("", "")
        except NoSuchName as problem:
            print(f"ayni note: {problem}", file=sys.stderr)
            return 2
        asked = AskNote(kind=kind, name=name, text=" ".join(arguments.text), author=arguments.author)
        try:
            acting = await signing.who(client, arguments, proof=False)
            await client.ask(acting.sign(asked), Done)
        except NoAnswer as problem:
            print(f"ayni note: {problem}", file=sys.stderr)
            return 1
        title = model.title(kind, name) if kind else model.community.title
        print(_("Noted on {name}.", name=clean(title)))
        return 0

    def where() -> tuple[str, BrokerConfig]:
        user = options.user_of(arguments)
        return user, options.broker_of(arguments, user)

    return once.run("ayni note", where, write)
