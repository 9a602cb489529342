"""Who acts, on the command line: `--author`, and on a shared login a PIN that is typed where nobody reads
along, or comes from a file or the environment; never from the command line itself."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from ayni_console.acting import Acting
from ayni_console.client import ConsoleClient
from ayni_console.feed import NoAnswer
from ayni_console.lines import clean
from ayni_core.schema import ConfigError
from ayni_core.wire.questions import AskMe, Colleague, Done, Me
from ayni_io import secret
from ayni_io.i18n import _, reason

_NOT_UNDERSTOOD = "answer.bad_question"
VARIABLE = "AYNI_PIN"


def add(parser: argparse.ArgumentParser) -> None:
    """The options of every command that does something."""
    parser.add_argument(
        "--author", default="", metavar="NAME", help=_("who you are, where several share a login")
    )
    parser.add_argument(
        "--pin-file",
        type=Path,
        metavar="FILE",
        help=_("file with your PIN there; else {variable} is read, or you are asked", variable=VARIABLE),
    )


async def who(client: ConsoleClient, arguments: argparse.Namespace, *, proof: bool = True) -> Acting:
    """Who acts, proved where that is needed. Raises `NoAnswer` with why that is not clear."""
    found = Acting()
    try:
        found.me = await client.ask(AskMe(), Me)
    except NoAnswer as problem:
        if problem.context != _NOT_UNDERSTOOD:
            raise
        return found  # an older central: it looks itself
    if not found.me.people:
        return found
    found.choose(_chosen(found.me, arguments.author))
    if proof:
        await prove(client, found, arguments)
    return found


async def prove(
    client: ConsoleClient,
    acting: Acting,
    arguments: argparse.Namespace,
    environment: Mapping[str, str] = os.environ,
    ask: Callable[[str], str] = getpass.getpass,
) -> None:
    """Take the PIN to the central. Raises `NoAnswer`."""
    asked, key = acting.pin(await _pin(acting, arguments.pin_file, environment, ask))
    await client.ask(asked, Done)
    acting.proved(key)


def _chosen(me: Me, author: str) -> Colleague:
    wanted = author.strip().casefold()
    for person in me.people:
        if wanted in (person.name, person.title.casefold()):
            return person
    people = ", ".join(f"{clean(each.title)} ({each.name})" for each in me.people)
    if not wanted:
        raise NoAnswer(_("several share this login; say who you are by --author: {people}", people=people))
    raise NoAnswer(_("“{name}” is none of those who share this login: {people}", name=author, people=people))


async def _pin(
    found: Acting, file: Path | None, environment: Mapping[str, str], ask: Callable[[str], str]
) -> str:
    if file is not None:
        try:
            return secret.from_file(file, "--pin-file").reveal()
        except ConfigError as error:
            raise NoAnswer(reason(error)) from None
    if environment.get(VARIABLE):
        return environment[VARIABLE]
    if not sys.stdin.isatty():
        raise NoAnswer(_("this takes the PIN of {name}: --pin-file or {variable}",
                         name=found.title, variable=VARIABLE))  # fmt: skip
    try:
        prompt = _("PIN of {name} (not shown while you type): ", name=clean(found.title))
        return (await asyncio.to_thread(ask, prompt)).strip()
    except EOFError:
        raise NoAnswer(_("nothing was typed")) from None
