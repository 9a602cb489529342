"""`ayni console`: watch and repair your links."""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ayni_console import no_way, options, spared, terminal
from ayni_console.web import options as web_options
from ayni_core.schema import ConfigError
from ayni_io import chosen, i18n, memory
from ayni_io.i18n import _, reason
from ayni_io.usage import Parser

if TYPE_CHECKING:
    from ayni_console.app import ConsoleApp
    from ayni_console.client import ConsoleClient

_PIECES = ("textual.css.stylesheet", "textual.screen", "textual.app", "ayni_console.screens.home")
"""Each takes some 50 ms to import."""
_BREATH_S = 0.002
"""In between, for what came from the broker."""
_PICTURE_S, _LULL_S = 0.3, 0.02
"""How long the first screen waits for the picture of the network, and when it takes it for complete."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = Parser(prog="ayni console", description=_("Watch and repair your links."))
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
    made.add_argument(
        "--colours", choices=("dark", "light"), help=_("of the ground: dark, or light for the sun")
    )
    made.add_argument(
        "--connect", action="store_true", help=_("lead through connecting, and keep what works")
    )
    made.add_argument("--forget", action="store_true", help=_("forget the connection that was kept"))
    made.add_argument("--village", action="store_true", help=argparse.SUPPRESS)  # `ayni demo` says so
    web_options.add(made)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Run it; 0, or 2 when it cannot start or never reached the central."""
    arguments = parser().parse_args(argv)
    i18n.use(arguments.language)
    if arguments.set_password:
        from ayni_console.web import serving

        return serving.set_password()
    terminal_here = sys.stdin.isatty() and sys.stdout.isatty()
    try:
        if arguments.forget or arguments.connect or (terminal_here and options.is_first_time(arguments)):
            from ayni_console import connecting

            status = connecting.begin(arguments, terminal_here=terminal_here)
            if status is not None:
                return status
        user = options.user_of(arguments)
        broker = options.broker_of(arguments, user)
    except ConfigError as error:
        print(reason(error), file=sys.stderr)
        return 2
    if arguments.web:
        from ayni_console.web import serving

        return serving.main(arguments, sys.argv[2:] if argv is None else argv)
    in_browser = web_options.in_browser(os.environ)
    if not terminal_here and not in_browser:
        print(_("ayni console needs a terminal; `ayni status --plain` prints Home as lines"), file=sys.stderr)
        return 2
    shown = terminal.Terminal() if in_browser else terminal.found(os.environ)
    colours = arguments.colours or chosen.read(chosen.COLOURS, os.environ) or terminal.ground(os.environ)
    terminal.tell_textual(shown, os.environ)
    from ayni_console import unsent
    from ayni_console.client import ConsoleClient

    client = ConsoleClient(broker, user, watch_all=arguments.watch)

    async def show() -> int:
        feed = asyncio.create_task(client.run())
        program = await _imported()
        await _picture(client)
        app = program(
            client,
            run_feed=lambda: _ended(feed),
            ascii_only=arguments.ascii or shown.ascii_only,
            colour=shown.colours != "none",
            few_colours=shown.colours == "16",
            braille=shown.braille,
            light=colours == "light",
            kept_in=os.environ,
            village=arguments.village,
            notes_in=None if arguments.village else unsent.path_for(user, broker.host, os.environ),
            all_imported=_all_imported,
        )
        app.full_frames = arguments.full_frames or os.environ.get("AYNI_FULL_FRAMES", "") not in ("", "0")
        await app.run_async(mouse=False)  # nothing here needs it, and the terminal's own selection goes on
        return app.return_code or 0

    status = asyncio.run(show())
    if client.model.contact_at is None and client.model.trouble:
        advice = no_way.advice(client.trouble.why) if client.trouble else ""
        said = (client.model.trouble, advice, options.hint(arguments))
        print("\n".join(filter(None, said)), file=sys.stderr)
        return 2
    return status


async def _imported() -> type[ConsoleApp]:
    """The console's program, with Textual and all that it needs: half a second of work, cut into pieces so
    that the broker is reached meanwhile, and answers."""
    gc.disable()  # all that is imported stays: looking for what goes costs a tenth of a second
    try:
        from ayni_console import esc, typing_in

        with spared.left_out():
            await asyncio.sleep(_BREATH_S)
            importlib.import_module("rich.console")
            await asyncio.sleep(_BREATH_S)
            esc.hasten()
            typing_in.read_as(terminal.charset(os.environ))
            for name in _PIECES:
                await asyncio.sleep(_BREATH_S)
                importlib.import_module(name)
            from ayni_console.app import ConsoleApp
    finally:
        gc.freeze()
        gc.enable()
    return ConsoleApp


def _all_imported() -> None:
    """All that is here stays: nobody looks through it again for what goes; and what is not needed goes."""
    gc.freeze()
    memory.give_back()


async def _picture(client: ConsoleClient) -> None:
    """Wait a moment for what is retained: a first screen that is nearly right is sent once, not twice.

    Sites come after all that the first screen shows (`ConsoleClient`).
    """
    end, version = asyncio.get_running_loop().time() + _PICTURE_S, -1
    while asyncio.get_running_loop().time() < end:
        if client.settled.is_set() and not client.model.connected:
            return
        if client.model.links and (client.model.sites.names() or client.model.version == version):
            return
        version = client.model.version
        await asyncio.sleep(_LULL_S)


async def _ended(feed: asyncio.Task[None]) -> None:
    await feed
