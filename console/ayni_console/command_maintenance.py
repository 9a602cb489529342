"""`ayni maintenance`: when nobody is to be called, because people know. Exit status: 0 done, 1 refused, 2 no
contact, or the command line is wrong."""

from __future__ import annotations

import argparse
import datetime
import re
import sys
from collections.abc import Sequence

from ayni_console import once, options, signing
from ayni_console.client import ConsoleClient
from ayni_console.feed import NoAnswer
from ayni_console.lines import clean
from ayni_console.view.do import weekday
from ayni_core.maintenance import KINDS, WEEKDAYS
from ayni_core.onlooking.model import Model
from ayni_core.schema import ConfigError
from ayni_core.wire.questions import AskMaintain, AskMaintained, AskMaintenance, Done, Maintenance, WindowView
from ayni_core.wire.shape import pack
from ayni_io import i18n, timezones
from ayni_io.i18n import _
from ayni_io.mqtt import BrokerConfig
from ayni_io.usage import Parser

_SPAN = re.compile(r"([0-9]{1,4})(m|min|h|d)")
_UNITS = {"m": 60, "min": 60, "h": 3600, "d": 86_400}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = Parser(
        prog="ayni maintenance", description=_("Say when nobody is to be called, because people know.")
    )
    does = made.add_subparsers(dest="do", metavar="add|list|end", required=True)
    listed = does.add_parser("list", help=_("what goes on, and what is to come"))
    listed.add_argument("--json", action="store_true", help=_("one JSON object"))
    add = does.add_parser(
        "add",
        help=_("announce it"),
        description=_("Once: --for, or --start and --end; or again and again: --on, --from and --to. Times")
        + " "
        + _("are those of the network's own clock. Without a thing it is about the whole network."),
    )
    for kind in KINDS:
        add.add_argument(f"--{kind}", metavar="NAME", help=_("what it is about"))
    add.add_argument("--for", dest="for_s", metavar="TIME", type=span, help=_("so long: 90m, 4h or 2d"))
    add.add_argument("--start", default="", metavar="WHEN", help=_("2026-01-31 08:00; without it now"))
    add.add_argument("--end", default="", metavar="WHEN", help=_("2026-01-31 12:00"))
    add.add_argument("--on", default="", metavar="DAYS", help=_("weekdays: sat,sun"))
    add.add_argument("--from", dest="from_time", default="", metavar="HH:MM", help=_("on these days from"))
    add.add_argument(
        "--to", dest="to_time", default="", metavar="HH:MM", help=_("until, or until then the next day")
    )
    add.add_argument("--note", default="", metavar="TEXT", help=_("why"))
    end = does.add_parser("end", help=_("it is over"))
    end.add_argument("id", metavar="ID", help=_("as `ayni maintenance list` shows it"))
    for each in (add, end):
        signing.add(each)
    for each in (listed, add, end):
        options.add(each)
    return made


def span(text: str) -> float:
    """`90m`, `4h`, `2d` -> seconds. Raises `ValueError`."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(_("“{text}”: expected such as 90m, 4h or 2d", text=text[:20]))
    return float(found[1]) * _UNITS[found[2]]


def main(argv: Sequence[str] | None = None) -> int:
    """Do what was asked."""
    command = parser()
    arguments = command.parse_args(argv)
    i18n.use(arguments.language)
    asked = _asked(command, arguments)

    async def ask(client: ConsoleClient) -> int:
        try:
            if asked is not None:
                acting = await signing.who(client, arguments)
                await client.ask(acting.sign(asked), Done)
            found = await client.ask(AskMaintenance(), Maintenance)
        except NoAnswer as error:
            print(f"ayni maintenance: {error}", file=sys.stderr)
            return 1
        if getattr(arguments, "json", False):
            print(pack(found).decode("utf-8"))
        else:
            _show(found, client.model)
        return 0

    def where() -> tuple[str, BrokerConfig]:
        user = options.user_of(arguments)
        return user, options.broker_of(arguments, user)

    return once.run("ayni maintenance", where, ask)


def _asked(
    command: argparse.ArgumentParser, arguments: argparse.Namespace
) -> AskMaintain | AskMaintained | None:
    if arguments.do == "list":
        return None
    if arguments.do == "end":
        return AskMaintained(id=arguments.id, author=arguments.author)
    about = [(kind, getattr(arguments, kind)) for kind in KINDS if getattr(arguments, kind)]
    if len(about) > 1:
        command.error(_("one thing at a time, or none for the whole network"))
    kind, name = about[0] if about else ("", "")
    days = tuple(day.strip().lower() for day in arguments.on.split(",") if day.strip())
    for day in days:
        if day not in WEEKDAYS:
            command.error(_("“{day}” is none of {days}", day=day, days=", ".join(WEEKDAYS)))
    return AskMaintain(
        kind=kind, name=name, start=arguments.start, end=arguments.end, for_s=arguments.for_s or 0.0,
        weekdays=days, from_time=arguments.from_time, to_time=arguments.to_time, note=arguments.note,
        author=arguments.author,
    )  # fmt: skip


def _show(found: Maintenance, model: Model) -> None:
    """On the clock of the network, as it is announced."""
    if not found.windows:
        print(_("No maintenance is announced."))
    try:
        zone: datetime.tzinfo | None = timezones.find(found.timezone, "network.timezone")
    except ConfigError:  # this machine has no list of zones: its own clock has to do
        zone = None
    for window in found.windows:
        what = clean(model.title(window.kind, window.name)) if window.kind else _("the whole network")
        start, end = (
            f"{datetime.datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M}" for at in (window.start, window.end)
        )
        when = _("goes on until {time}", time=end)
        if not window.open:
            when = _("from {start} to {end}", start=start, end=end)
        print(f"{window.id}  {what}: {when}{_rest(window)}")


def _rest(window: WindowView) -> str:
    parts = []
    if window.weekdays:
        days = ", ".join(weekday(day) for day in window.weekdays)
        parts.append(_("each {days} {start} to {end}", days=days, start=window.from_time, end=window.to_time))
    if window.by:
        parts.append(clean(window.by))
    if window.written:
        parts.append("network.yaml")
    if window.note:
        parts.append(clean(window.note))
    return "".join(f"; {part}" for part in parts)
