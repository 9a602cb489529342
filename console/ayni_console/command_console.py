"""`ayni console`: watch and repair your links."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from ayni_console import options
from ayni_core.schema import ConfigError
from ayni_io import i18n
from ayni_io.i18n import _

_SIMPLE_TERMINALS = ("linux", "vt100", "vt220", "ansi", "dumb")
"""Terminals with so few colours or signs that colours are left out."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="ayni console", description=_("Watch and repair your links."))
    options.add(made)
    made.add_argument(
        "--ascii", action="store_true", help=_("only letters and signs that every terminal has")
    )
    made.add_argument(
        "--watch", action="store_true", help=_("ask every monitor for news of each poll at once")
    )
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Run it; 0, or 2 when it cannot start or never reached the central."""
    arguments = parser().parse_args(argv)
    i18n.use(arguments.language)
    try:
        user = options.user_of(arguments)
        broker = options.broker_of(arguments, user)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print(_("ayni console needs a terminal; `ayni status --plain` prints Home as lines"), file=sys.stderr)
        return 2
    colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") not in _SIMPLE_TERMINALS
    if not colour:
        os.environ["TEXTUAL_THEME"] = "ansi-dark"  # read by Textual when it is imported
    from ayni_console.app import ConsoleApp
    from ayni_console.client import ConsoleClient

    client = ConsoleClient(broker, user, watch_all=arguments.watch)
    app = ConsoleApp(client, run_feed=client.run, ascii_only=arguments.ascii, colour=colour)
    app.run(mouse=False)  # nothing here needs a mouse, and the terminal's own selection goes on working
    if client.model.contact_at is None and client.model.trouble:
        print(client.model.trouble, file=sys.stderr)
        return 2
    return app.return_code or 0
