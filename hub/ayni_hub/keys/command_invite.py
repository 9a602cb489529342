"""`ayni hub invite NODE`: one line by which a machine becomes a node, once and for a day.

The line is printed once and kept nowhere: the broker has a hash of the secret in it.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from collections.abc import Sequence

from ayni_core import account_plan, invitation
from ayni_core.fault import fault
from ayni_core.inventory import Network
from ayni_core.invitation import Invitation
from ayni_core.message import Phrase
from ayni_core.schema import ConfigError
from ayni_core.wire import topics
from ayni_hub.config import HubConfig
from ayni_hub.keys import at_hub
from ayni_hub.keys.record import Invitation as Noted
from ayni_hub.keys.record import Record, RecordError
from ayni_io import broker_look, clock
from ayni_io.broker_look import LookError
from ayni_io.control import ControlError, controlling
from ayni_io.i18n import _
from ayni_io.mqtt import BrokerConfig
from ayni_io.usage import Parser

HOURS, MOST_HOURS = 24, 24 * 14


def parser() -> argparse.ArgumentParser:
    """The options of `ayni hub invite`."""
    result = Parser(
        prog="ayni hub invite",
        description=_("Print an invitation by which a machine becomes a monitor: ayni agent enrol."),
    )
    result.add_argument("node", metavar="NODE", help=_("the monitor in network.yaml"))
    result.add_argument(
        "--hours", type=float, default=HOURS, metavar="N", help=_("how long it is good (default: 24)")
    )
    result.add_argument("--end", action="store_true", help=_("end an invitation that was not used"))
    at_hub.add_config(result)
    return result


def main(argv: Sequence[str]) -> int:
    """Invite, or end it. Raises `ConfigError`."""
    command = parser()
    options = command.parse_args(argv)
    if not 0 < options.hours <= MOST_HOURS:
        command.error(_("--hours: expected more than 0 and at most {most}", most=MOST_HOURS))
    here = at_hub.look(options.config)
    at_hub.check_monitors(command, here.network, [options.node])
    try:
        if options.end:
            asyncio.run(_end(here.config, here.broker, options.node))
            print(_("{node} is no longer invited", node=options.node))
            return 0
        made = _made(here.network, options.node, here.broker)
        asyncio.run(_invite(here.config, here.broker, made, options.hours))
    except (ControlError, RecordError, LookError) as error:
        print(f"ayni hub invite: {error}", file=sys.stderr)
        return 1
    hours = f"{options.hours:g}"
    print(_("Give this line to {node}; it is good once, for {hours} h:", node=options.node, hours=hours))
    print(f"\n    sudo ayni agent enrol {invitation.write(made)}\n")
    print(_("It goes on when it shows this fingerprint of the broker's certificate:"))
    print(f"\n    {made.fingerprint}\n")
    return 0


def _made(network: Network, node: str, broker: BrokerConfig) -> Invitation:
    given = network.hub.places
    if not given:
        wanted = Phrase("word.where_monitors")
        raise ConfigError([fault("network.yaml: hub.address", "fault.missing", wanted=wanted)])
    return Invitation(
        node=node,
        addresses=tuple(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in given),
        fingerprint=_fingerprint([*given, (broker.host, given[0][1])]),
        secret=secrets.token_bytes(invitation.SECRET),
    )


def _fingerprint(places: Sequence[tuple[str, int]]) -> str:
    """Of the certificate that the broker shows: where monitors find it, or on this machine."""
    error: LookError | None = None
    for host, port in places:
        try:
            return broker_look.certificate(host, port).fingerprint
        except LookError as problem:
            error = error or problem
    assert error is not None  # noqa: S101  there is at least one place
    raise error


async def _invite(config: HubConfig, broker: BrokerConfig, made: Invitation, hours: float) -> None:
    record, now = Record(config.data_dir), clock.wall_s()
    async with controlling(broker) as control:
        found = await control.look()
        record.invite(made.node, Noted(since=now, until=now + hours * 3600))
        step = account_plan.creation(made.account, topics.rights(made.account))
        await control.ask(*account_plan.removal(made.account, found), *step.with_password(made.password))


async def _end(config: HubConfig, broker: BrokerConfig, node: str) -> None:
    async with controlling(broker) as control:
        found = await control.look()
        Record(config.data_dir).uninvite(node)
        commands = account_plan.removal(f"e-{node}", found)
        if commands:
            await control.ask(*commands)
