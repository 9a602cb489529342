"""`ayni console --web`: what is refused before it begins, the link that is printed, and the end."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import getpass
import logging
import os
import signal
import ssl
import sys
from collections.abc import Callable, Sequence

from ayni_console.web import options, password
from ayni_console.web.door import Door
from ayni_console.web.options import Web
from ayni_core.fault import fault
from ayni_core.schema import ConfigError
from ayni_io import chosen
from ayni_io.i18n import _, reason
from ayni_io.service import Service, Vitals, keep_watch


def main(arguments: argparse.Namespace, argv: Sequence[str]) -> int:
    """Serve until it is ended; 2 where something stands against it."""
    try:
        web = options.read(arguments)
        kept = password.read(web.password_file)
        if not web.here and not kept:
            how = "ayni console --web --set-password"
            raise ConfigError([fault(f"{web.password_file}", "fault.no_password_yet", command=how)])
        tls = _tls(web)
    except ConfigError as error:
        print(reason(error), file=sys.stderr)
        return 2
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("aiohttp").setLevel(logging.ERROR)
    command = [sys.executable, "-m", "ayni_io.cli", "console", *options.without(argv)]
    return asyncio.run(_serve(web, command, lambda: _language(arguments), tls))


def set_password() -> int:
    """Ask for it twice, or take the first line of what is piped in."""
    path = options.password_file()
    if sys.stdin.isatty():
        given = getpass.getpass(_("New password for the console in a browser: "))
        if given != getpass.getpass(_("Once more: ")):
            print(_("These two are not the same; nothing was changed."), file=sys.stderr)
            return 2
    else:
        given = sys.stdin.readline(1000).rstrip("\r\n")
    if wrong := password.fault(given):
        said = _("This password cannot be taken: {reason}; nothing was changed.", reason=wrong)
        print(said, file=sys.stderr)
        return 2
    try:
        password.write(path, given)
    except ConfigError as error:
        print(reason(error), file=sys.stderr)
        return 2
    print(_("The password is set, and kept as a hash in {path}.", path=path))
    return 0


def _language(arguments: argparse.Namespace) -> str:
    """What somebody chose, here or with `L` in a browser; empty: each browser has its own."""
    given = arguments.language or os.environ.get("AYNI_LANG")
    return given or chosen.read(chosen.LANGUAGE, os.environ)


async def _serve(
    web: Web, command: Sequence[str], language: Callable[[], str], tls: ssl.SSLContext | None
) -> int:
    from ayni_console.web.server import WebServer  # what it needs is large, and an extra of its own

    door, service = Door(lambda: _kept(web)), Service()

    def ready() -> None:
        _told(web, door)
        service.ready(web.url)

    serving = asyncio.create_task(WebServer(web, door, command, language).run(tls, ready))
    watching = asyncio.create_task(keep_watch(service, Vitals(tasks={"web": serving})))
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, serving.cancel)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await serving
    except ConfigError as error:
        print(reason(error), file=sys.stderr)
        return 2
    finally:
        service.stopping()
        watching.cancel()
    return 0


def _kept(web: Web) -> str:
    """The password as it is now. Where its file is broken nobody gets in, rather than everybody."""
    try:
        return password.read(web.password_file)
    except ConfigError:
        return "broken"


def _told(web: Web, door: Door) -> None:
    address = web.url if door.kept() else f"{web.url}?key={door.key}"
    print(_("The console in a browser: {address}", address=address), flush=True)
    if not door.kept():
        print(_("Whoever has this link can do what you can. Ctrl+C ends it."), flush=True)


def _tls(web: Web) -> ssl.SSLContext | None:
    if web.cert is None or web.key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(web.cert, web.key, password=_no_passphrase)
    except (ssl.SSLError, OSError, ValueError) as error:
        cause = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        where = f"--cert {web.cert}, --key {web.key}"
        raise ConfigError([fault(where, "fault.unusable", cause=f"{cause}")]) from None
    return context


def _no_passphrase() -> str:
    raise ValueError("the key is encrypted; expected one without a passphrase")
