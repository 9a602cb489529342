"""What the commands with plain lines share: their options, how they ask, how they print.

`ayni link`, `site`, `events` and `health` look once and leave. Exit status: 0 it is well, 1 it needs
somebody, 2 no contact, or a name or an option is wrong; then one sentence says so.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from ayni_console import once, options, terminal
from ayni_console.client import ConsoleClient
from ayni_console.feed import Answer, Feed, NoAnswer
from ayni_console.lines import displayed, line, plain
from ayni_console.view.plain_names import NoSuchName
from ayni_console.view.plain_parts import ALL
from ayni_core.metrics import METRICS
from ayni_core.schema import did_you_mean
from ayni_core.wire.questions import Question
from ayni_io import i18n
from ayni_io.i18n import _, spoken
from ayni_io.mqtt import BrokerConfig
from ayni_io.usage import Parser

ANSWERS_WITHIN_S = 5.0
"""So long the first answer of the central is waited for."""
ASKS_FOR_S = 20.0
"""So long it is asked altogether; what did not come by then is said to be missing."""
_AT_A_TIME = 8

Key = TypeVar("Key")


def parser(name: str, description: str, *, explains: bool = False) -> argparse.ArgumentParser:
    """The options that all of them have."""
    made = Parser(prog=f"ayni {name}", description=description)
    add_form(made)
    if explains:
        made.add_argument(
            "--explain", metavar="METRIC", action="append", default=[], type=metric,
            help=_("say what a number means, such as noise_dbm; all: every one"),
        )  # fmt: skip
    options.add(made)
    return made


def add_form(made: argparse.ArgumentParser) -> None:
    """How it is printed."""
    made.add_argument("--plain", action="store_true", help=_("plain lines (what it does anyway)"))
    made.add_argument(
        "--ascii", action="store_true", help=_("only letters and signs that every terminal has")
    )
    made.add_argument("--json", action="store_true", help=_("one JSON object"))


def metric(text: str) -> str:
    """A metric's name as `--explain` takes it."""
    if text in METRICS or text == ALL:
        return text
    hint = did_you_mean(text, METRICS)
    raise argparse.ArgumentTypeError(_("no metric is called “{name}”", name=text[:40]) + spoken(hint))


def run(
    name: str, arguments: argparse.Namespace, do: Callable[[ConsoleClient, float], Awaitable[int]]
) -> int:
    """Connect, take the picture in, and `do`, which is told what time it is at the central."""
    i18n.use(arguments.language)

    def where() -> tuple[str, BrokerConfig]:
        user = options.user_of(arguments)
        return user, options.broker_of(arguments, user)

    async def look(client: ConsoleClient) -> int:
        try:
            return await do(client, once.now(client))
        except NoSuchName as error:
            print(f"ayni {name}: {error}", file=sys.stderr)
            return 2

    status = once.run(f"ayni {name}", where, look)
    if status == 2 and (hint := options.hint(arguments)):
        print(hint, file=sys.stderr)
    return status


def show(lines: Iterable[str], value: Callable[[], object], arguments: argparse.Namespace) -> None:
    """Print the lines, or with `--json` the value."""
    if arguments.json:
        print(json.dumps(value(), ensure_ascii=not terminal.prints_utf8(sys.stdout)))
        return
    ascii_only = arguments.ascii or not terminal.prints_utf8(sys.stdout)
    for each in lines:
        print(plain(displayed(line(each), ascii_only)))


async def first(client: Feed, question: Question, kind: type[Answer]) -> tuple[Answer | None, str, bool]:
    """The first answer, why there is none, and whether the central was there at all."""
    problem = _("The central did not answer.")
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            return await client.ask(question, kind), "", True
    except TimeoutError:
        pass
    except NoAnswer as error:
        problem = str(error)
    return None, problem, client.model.contact_at is not None


async def ask_all(
    client: Feed, questions: Mapping[Key, Question], kind: type[Answer]
) -> tuple[dict[Key, Answer], dict[Key, str]]:
    """The answers to many questions, a few at a time, and why some are missing."""
    answers: dict[Key, Answer] = {}
    problems = dict.fromkeys(questions, _("The central did not answer."))
    room = asyncio.Semaphore(_AT_A_TIME)

    async def ask(key: Key, question: Question) -> None:
        async with room:
            try:
                answers[key] = await client.ask(question, kind)
            except NoAnswer as error:
                problems[key] = str(error)

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ASKS_FOR_S):
            await asyncio.gather(*(ask(key, question) for key, question in questions.items()))
    return answers, {key: why for key, why in problems.items() if key not in answers}


def no_contact(answered: bool, reason: str) -> Iterator[str]:
    """The first lines where the central does not answer; none where it does."""
    if not answered:
        yield _("NO CONTACT: {reason}", reason=reason)
        yield _("What follows may be old.")
