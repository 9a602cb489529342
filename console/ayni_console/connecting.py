"""The first talk: where the broker is, whether it is the right one, who you are; kept once it works.

Nothing secret is sent before the person has said that the certificate is the right one, and nothing is kept
before the broker has taken name and password.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import getpass
import importlib
import os
import tempfile
from dataclasses import replace
from pathlib import Path

from ayni_console import clipboard, talk, terminal, trusting
from ayni_console.client import ConsoleClient
from ayni_console.feed import NoAnswer
from ayni_console.options import is_name, login_name
from ayni_console.trusting import Trusted
from ayni_core.schema import ConfigError
from ayni_core.wire.questions import AskMe, Me
from ayni_io import connection
from ayni_io.connection import Connection
from ayni_io.i18n import _, _n
from ayni_io.mqtt import BrokerConfig
from ayni_io.mqtt_trouble import Trouble
from ayni_io.secret import Secret

_MEETS_WITHIN_S, _CALM_S = 10.0, 0.3
_NOT_UNDERSTOOD = "answer.bad_question"
_PERHAPS_OLDER = ("no_mqtt", "other_version", "no_answer")
"""So a broker behaves that knows MQTT 3.1.1 only; the one of the lab never answers."""


class Leave(Exception):  # noqa: N818  what the person wants, not a fault
    """The person ends the talk."""


def begin(arguments: argparse.Namespace, *, terminal_here: bool) -> int | None:
    """What `--forget`, `--connect` and a first start do before the console opens; an exit status where it
    does not. Raises `ConfigError`."""
    place = connection.folder()
    if arguments.forget:
        talk.say(_("Forgotten.") if connection.forget(place) else _("There was nothing to forget."))
        if not arguments.connect:
            return 0
    if not terminal_here:
        raise ConfigError([_("--connect asks questions: it needs a terminal")])
    terminal.tell_textual(terminal.found(os.environ), os.environ)
    importlib.import_module("textual")  # where it is missing that is said before anybody answers questions
    try:
        lead(arguments.user or login_name(), place)
    except Leave:
        talk.say(_("Nothing was kept."))
        return 130
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        talk.ask(_("Enter opens the console."))
        return None
    return 0


def lead(name: str, place: Path) -> Connection:
    """Lead through connecting, and keep what works in `place`. Raises `Leave`, and `ConfigError` where
    nothing can be kept there. `name` is proposed as the person's."""
    talk.say(_("The console needs to know where the central's broker is, and who you are."))
    talk.say(_("Nothing is kept before it works. Ctrl+C leaves."))
    try:
        while True:
            trusted = trusting.broker()
            made = _account(trusted, name)
            if made is not None:
                break
    except (EOFError, KeyboardInterrupt):
        print()
        raise Leave from None
    connection.keep(made, place, certificate=trusted.certificate)
    print()
    talk.say(_("Kept in {place}, where only you can read it.", place=clipboard.short(place)))
    talk.say(_("Another one: ayni console --connect. Forget it: ayni console --forget"))
    return connection.read(place / connection.NAME)


def _account(trusted: Trusted, name: str) -> Connection | None:
    """Ask for name and password until they are taken; None: something else is wrong, so ask where again."""
    while True:
        print()
        user = _name(name)
        password = getpass.getpass(_("Your password (not shown while you type):") + " ").strip()
        with tempfile.TemporaryDirectory() as folder:
            tried = _connection(trusted, user, password, Path(folder) / "broker.pem")
            trouble, protocol = _meet(tried)
        if trouble is None:
            return replace(tried, broker=replace(tried.broker, protocol=protocol))
        talk.trouble(trouble, trusted.host, trusted.port)
        if trouble.kind != "refused":
            return None
        name = user


def _name(proposed: str) -> str:
    while True:
        name = talk.ask(_("Your name there, as in network.yaml [{name}]:", name=proposed)) or proposed
        name = name.removeprefix("p-")
        if is_name(name):
            return name
        talk.wrong(_("A name has small letters, digits and dashes: {name}", name=name))


def _connection(trusted: Trusted, user: str, password: str, ca: Path) -> Connection:
    if trusted.certificate:
        ca.write_text(trusted.certificate, encoding="utf-8")
    broker = BrokerConfig(
        host=trusted.host, port=trusted.port, username=f"p-{user}",
        password=Secret(password) if password else None,
        ca=ca if trusted.certificate else trusted.authorities, exact=trusted.exact,
    )  # fmt: skip
    return Connection(user=user, broker=broker)


def _meet(made: Connection) -> tuple[Trouble | None, str]:
    """Connect as a console does, and say what is there; why that failed, and which MQTT is spoken."""
    trouble: Trouble | None = None
    for protocol in ("5", "3.1.1"):
        client = ConsoleClient(replace(made.broker, protocol=protocol), made.user)
        trouble = asyncio.run(_met(client))
        if trouble is None or trouble.why not in _PERHAPS_OLDER:
            return trouble, protocol
    return trouble, "5"


async def _met(client: ConsoleClient) -> Trouble | None:
    running = asyncio.create_task(client.run())
    model, version, answered, problem = client.model, -1, False, _("The central did not answer.")
    me: Me | None = None
    try:
        async with asyncio.timeout(_MEETS_WITHIN_S):
            await client.settled.wait()
            if not model.connected:
                return client.trouble or Trouble(kind="network", text=model.trouble)
            try:
                me = await client.ask(AskMe(), Me)
                answered = True
            except NoAnswer as error:
                answered = error.context == _NOT_UNDERSTOOD  # an older central
                problem = str(error)
            while answered and model.version != version:
                version = model.version
                await asyncio.sleep(_CALM_S)
    except TimeoutError:
        if not model.connected:
            return Trouble(kind="network", text="", why="no_answer")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    if answered:
        links = _n("{n} link", "{n} links", len(model.links))
        talk.good(_("Connected to {title}: {links}.", title=model.community.title or _("Ayni"), links=links))
        if me is not None:
            _say_rights(me)
    else:
        talk.good(_("The broker takes you."))
        talk.wrong(_("{problem} The console goes on asking.", problem=problem))
    return None


def _say_rights(me: Me) -> None:
    """What the central lets this person do."""
    name = me.title or me.name
    match me.role:
        case "":
            talk.wrong(
                _("The central does not know you: {name} is missing under people in network.yaml.", name=name)
            )
        case "viewer":
            talk.good(_("{name}: you can look.", name=name))
        case "trainer":
            talk.good(_("{name}: you can look, act, and break pretend networks.", name=name))
        case _:
            talk.good(_("{name}: you can look and act.", name=name))
