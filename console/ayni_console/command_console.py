"""`ayni console`: watch and repair your links."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ayni_console import options
from ayni_core.schema import ConfigError
from ayni_io import i18n
from ayni_io.i18n import _

if TYPE_CHECKING:
    from ayni_console.client import ConsoleClient

_SIMPLE_TERMINALS = ("linux", "vt100", "vt220", "ansi", "dumb")
"""Terminals with so few colours or signs that colours are left out."""

_PICTURE_S, _LULL_S = 0.3, 0.02
"""How long the first screen waits for the picture of the network, and when it takes it for complete."""


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
    made.add_argument(
        "--full-frames",
        action="store_true",
        help=_("send whole screens, not only what changed; AYNI_FULL_FRAMES=1 does the same"),
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
    gc.disable()  # all that is imported now stays: looking for what goes costs a tenth of a second
    try:
        from ayni_console import esc

        esc.hasten()
        from ayni_console.app import ConsoleApp
        from ayni_console.client import ConsoleClient
    finally:
        gc.freeze()
        gc.enable()
    client = ConsoleClient(broker, user, watch_all=arguments.watch)

    async def show() -> int:
        feed = asyncio.create_task(client.run())
        await _picture(client)
        app = ConsoleApp(client, run_feed=lambda: _ended(feed), ascii_only=arguments.ascii, colour=colour)
        app.full_frames = arguments.full_frames or os.environ.get("AYNI_FULL_FRAMES", "") not in ("", "0")
        await app.run_async(mouse=False)  # nothing here needs it, and the terminal's own selection goes on
        return app.return_code or 0

    status = asyncio.run(show())
    if client.model.contact_at is None and client.model.trouble:
        print(client.model.trouble, file=sys.stderr)
        return 2
    return status


async def _picture(client: ConsoleClient) -> None:
    """Wait a moment for what is retained: a first screen that is nearly right is sent once, not twice."""
    end, version = asyncio.get_running_loop().time() + _PICTURE_S, -1
    while asyncio.get_running_loop().time() < end:
        if client.settled.is_set() and not client.model.connected:
            return
        if client.model.links and client.model.version == version:
            return
        version = client.model.version
        await asyncio.sleep(_LULL_S)


async def _ended(feed: asyncio.Task[None]) -> None:
    await feed
