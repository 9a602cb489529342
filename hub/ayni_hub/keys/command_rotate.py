"""`ayni hub rotate`: give nodes another password, over their own connections, while they run.

Exit status: 0 all of them use it; 1 it was not done; 3 some are still to come: the central goes on with them.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from ayni_hub.config import HubConfig
from ayni_hub.keys import at_hub
from ayni_hub.keys.line import Line
from ayni_hub.keys.record import Record, RecordError
from ayni_hub.keys.renewing import Result
from ayni_io.control import ControlError, connected
from ayni_io.i18n import _, say
from ayni_io.mqtt import BrokerConfig
from ayni_io.usage import Parser

STILL_TO_COME = 3
_AT_ONCE = 8


def parser() -> argparse.ArgumentParser:
    """The options of `ayni hub rotate`."""
    result = Parser(
        prog="ayni hub rotate",
        description=_("Give monitors another password for the broker, while they run."),
    )
    result.add_argument("nodes", nargs="*", metavar="NODE", help=_("a monitor of network.yaml"))
    result.add_argument("--all", action="store_true", help=_("all of them"))
    at_hub.add_config(result)
    return result


def main(argv: Sequence[str]) -> int:
    """Renew them, and say how far each came. Raises `ConfigError`."""
    command = parser()
    options = command.parse_args(argv)
    here = at_hub.look(options.config)
    nodes = list(here.network.nodes) if options.all else list(dict.fromkeys(options.nodes))
    if not nodes:
        command.error(_("name a monitor, or give --all"))
    at_hub.check_monitors(command, here.network, nodes)
    try:
        results = asyncio.run(_renew(here.config, here.broker, nodes))
    except (ControlError, RecordError) as error:
        print(f"ayni hub rotate: {error}", file=sys.stderr)
        return 1
    states = {result.state for result in results}
    if "refused" in states:
        return 1
    return STILL_TO_COME if states - {"used"} else 0


async def _renew(config: HubConfig, broker: BrokerConfig, nodes: Sequence[str]) -> list[Result]:
    line = Line(broker, Record(config.data_dir), f"{broker.username}-rotate")
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(node: str) -> Result:
        async with room:
            result = await line.renewing.renew(node)
        print(f"{node:<24} {_in_words(result)}", flush=True)
        return result

    async with connected(line.client):
        return list(await asyncio.gather(*(one(node) for node in nodes)))


def _in_words(result: Result) -> str:
    match result.state:
        case "used":
            return _("has a new password")
        case "waiting":
            return _("was given a new password and has not come back with it yet")
        case "refused":
            return _("keeps its password: {why}", why=say(result.text) if result.text else "")
    return _("does not answer: it is renewed when it is there again")
