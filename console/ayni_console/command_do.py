"""`ayni do`: give a command, and see how it goes. Exit status: 0 done; 1 it was tried and did not work, or it
was undone; 2 nothing was done: refused, not confirmed, or no way there."""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sys
from collections.abc import Sequence
from dataclasses import replace

from ayni_console import options, signing
from ayni_console.client import ConsoleClient
from ayni_console.feed import NoAnswer
from ayni_console.lines import clean
from ayni_core import commands
from ayni_core.commands import COMMANDS, FINAL, Order, OrderError
from ayni_core.message import Message
from ayni_core.schema import ConfigError
from ayni_core.wire.messages import CommandState
from ayni_core.wire.questions import AskCommand, CommandPlan
from ayni_io import i18n
from ayni_io.i18n import _, reason, say
from ayni_io.usage import Parser

WORDS = {
    "ping": ("target",),
    "traceroute": ("target",),
    "walk": ("target",),
    "port": ("item", "value"),
    "poe": ("item",),
}
"""What the words behind a command are, one after the other."""
_SETTLES_WITHIN_S = 15.0
_SLACK_S = 180.0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    shown = "\n".join(f"  {usage(name):<24}{say(Message(f'command.{name}'))}" for name in COMMANDS)
    made = Parser(
        prog="ayni do",
        description=_("Give a command to a device, or to a monitor."),
        epilog=shown,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("where", metavar="NAME", help=_("of a device or a monitor, as in network.yaml"))
    made.add_argument("do", metavar="COMMAND", choices=tuple(COMMANDS), help=_("one of those below"))
    made.add_argument("words", metavar="WORD", nargs="*", help=_("what the command needs"))
    made.add_argument("--count", type=int, default=0, metavar="N", help=_("how many, where it counts"))
    made.add_argument("--for", dest="for_s", type=float, default=0.0, metavar="S", help=_("how many seconds"))
    made.add_argument("--size", type=int, metavar="N", help=_("octets in an echo request (default 56)"))
    made.add_argument("--poll-s", type=int, metavar="S", help=_("plan: seconds between two polls"))
    made.add_argument("--flush-s", type=int, metavar="S", help=_("plan: seconds between two reports"))
    made.add_argument("--own", action="store_true", help=_("plan: back to its own, before the time is over"))
    made.add_argument("--force", action="store_true", help=_("even if it may lock people out"))
    made.add_argument("--yes", action="store_true", help=_("do not ask whether to go on"))
    made.add_argument("--id", metavar="ID", help=_("ask again for a command that was given before"))
    made.add_argument("--json", action="store_true", help=_("one JSON object at the end"))
    signing.add(made)
    options.add(made)
    return made


def usage(name: str) -> str:
    """A command with the words that it takes, such as `port PORT up|down`."""
    shown = {"target": "OID" if name == "walk" else "[ADDRESS]", "item": "PORT", "value": "up|down"}
    return " ".join([name, *(shown[word] for word in WORDS.get(name, ()))])


def main(argv: Sequence[str] | None = None) -> int:
    """Give it, and wait until it has ended."""
    command = parser()
    arguments = command.parse_args(argv)
    i18n.use(arguments.language)
    try:
        asked, order = _asked(command, arguments)
        user = options.user_of(arguments)
        broker = options.broker_of(arguments, user)
    except OrderError as refusal:
        print(f"ayni do: {say(refusal.text)}", file=sys.stderr)
        return 2
    except ConfigError as error:
        print(reason(error), file=sys.stderr)
        return 2
    giver = _Giver(ConsoleClient(broker, user), asked, order, arguments)
    try:
        return asyncio.run(giver.run())
    except KeyboardInterrupt:
        if giver.given:
            print(_("It goes on without you. To see how: add --id {id}", id=asked.id), file=sys.stderr)
        return 130


def _asked(command: argparse.ArgumentParser, arguments: argparse.Namespace) -> tuple[AskCommand, Order]:
    """The question, checked as the hub will. Raises `OrderError`."""
    fields = WORDS.get(arguments.do, ())
    if len(arguments.words) > len(fields):
        command.error(
            _("{command} takes no “{word}”", command=arguments.do, word=arguments.words[len(fields)])
        )
    given: dict[str, str] = dict(zip(fields, arguments.words, strict=False))
    if arguments.size is not None:
        given["value"] = str(arguments.size)
    plan = [
        f"{name}={getattr(arguments, name)}" for name in ("poll_s", "flush_s") if getattr(arguments, name)
    ]
    if plan:
        given["value"] = ",".join(plan)
    if arguments.own:
        if plan:
            command.error(_("--own: its own plan, or another one"))
        given["value"] = commands.OWN_PLAN
    asked = AskCommand(
        id=arguments.id or secrets.token_hex(6),
        where=arguments.where,
        do=arguments.do,
        count=arguments.count,
        for_s=arguments.for_s,
        force=arguments.force,
        item=given.get("item", ""),
        target=given.get("target", ""),
        value=given.get("value", ""),
        author=arguments.author,
    )
    return asked, commands.check(asked)


class _Giver:
    """Gives one command. `given`: it is on its way, and goes on whatever becomes of us."""

    def __init__(
        self, client: ConsoleClient, asked: AskCommand, order: Order, arguments: argparse.Namespace
    ) -> None:
        self._client = client
        self._asked = asked
        self._order = order
        self._arguments = arguments
        self._yes: bool = arguments.yes
        self._as_json: bool = arguments.json
        self._said = ""
        self._shown: list[str] = []
        self.given = False

    async def run(self) -> int:
        """The exit status."""
        running = asyncio.create_task(self._client.run())
        try:
            async with asyncio.timeout(_SETTLES_WITHIN_S):
                await self._client.settled.wait()
            if not self._client.model.connected:
                raise NoAnswer(self._client.model.trouble or _("There is no way to the central just now."))
            acting = await signing.who(self._client, self._arguments, proof=False)
            self._asked = acting.sign(self._asked)
            if self._order.doing.changes and not await self._agreed():
                return 2
            if acting.wants_pin:
                await signing.prove(self._client, acting, self._arguments)
                self._asked = acting.sign(self._asked)
            return self._status(await self._give())
        except NoAnswer as error:
            print(f"ayni do: {error}", file=sys.stderr)
        except TimeoutError:
            print("ayni do: " + _("There is no way to the central just now."), file=sys.stderr)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        if self.given:
            print(_("It goes on without you. To see how: add --id {id}", id=self._asked.id), file=sys.stderr)
        return 2

    async def _agreed(self) -> bool:
        """Say what is about to happen, and ask."""
        look = replace(self._asked, look_first=True)
        async for news in self._client.follow(look, silent_s=_SETTLES_WITHIN_S):
            if news.state is not None and news.state.state in FINAL:
                self._end(news.state)
                return False
            if news.plan is not None:
                return await self._asks(news.plan)
        return False

    async def _asks(self, plan: CommandPlan) -> bool:
        for sentence in plan.says:
            print(clean(say(sentence)), file=sys.stderr)
        if self._yes:
            return True
        if not sys.stdin.isatty():
            print("ayni do: " + _("nobody is there to agree; say --yes"), file=sys.stderr)
            return False
        try:
            answer = await asyncio.to_thread(input, _("Go on? [y/N]") + " ")
        except EOFError:
            return False
        return answer.strip().casefold() in (_("y"), _("yes"))

    async def _give(self) -> CommandState | None:
        self.given = True
        silent_s = self._order.doing.limit_s + self._order.for_s + _SLACK_S
        async for news in self._client.follow(self._asked, silent_s=silent_s):
            if news.state is None:
                continue
            if news.state.state in FINAL:
                return news.state
            self._progress(news.state)
        return None

    def _progress(self, state: CommandState) -> None:
        """A line for whatever is new."""
        if self._as_json:
            return
        sentence = say(state.text) if state.text is not None else ""
        if state.state == "accepted":
            sentence = _("The monitor has taken it on.")
        if sentence and sentence != self._said:
            percent = f" ({state.progress:.0%})" if 0 < state.progress < 1 else ""
            print(clean(sentence) + percent, file=sys.stderr, flush=True)
            self._said = sentence
        for line in state.lines:
            print(clean(line), flush=True)
            self._shown.append(line)

    def _status(self, state: CommandState | None) -> int:
        if state is None:
            return 2
        self._end(state)
        if state.state == "done":
            return 0
        return 2 if state.state == "refused" else 1

    def _end(self, state: CommandState) -> None:
        sentence = clean(say(state.text)) or state.state
        if self._as_json:
            told = {
                "id": self._asked.id,
                "do": state.do,
                "state": state.state,
                "text": sentence,
                "lines": list(state.lines),
            }
            print(json.dumps(told, ensure_ascii=False))
            return
        whole = list(state.lines)
        rest = whole[len(self._shown) :] if whole[: len(self._shown)] == self._shown else whole
        for line in rest:
            print(clean(line))
        sys.stdout.flush()
        done = state.state == "done"
        print(sentence if done else f"ayni do: {sentence}", file=sys.stdout if done else sys.stderr)
