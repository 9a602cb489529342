"""`ayni hub invite NODE`: one line by which a machine becomes a node, once and for a day.

The line is printed once and kept nowhere: the broker has a hash of the secret in it.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from ayni_core import account_plan, invitation
from ayni_core.address import split_address
from ayni_core.inventory import Network
from ayni_core.invitation import Invitation
from ayni_core.machines import TLS_PORT
from ayni_core.schema import ConfigError, did_you_mean
from ayni_core.wire import topics
from ayni_hub import config as hub_config
from ayni_hub.config import HubConfig
from ayni_hub.keys.record import Invitation as Noted
from ayni_hub.keys.record import Record, RecordError
from ayni_io import broker_look, clock
from ayni_io.broker_look import LookError
from ayni_io.control import ControlError, controlling
from ayni_io.i18n import _
from ayni_io.mqtt import BrokerConfig
from ayni_io.rulebook import load_rules, read_network

INSTALLED = Path("/etc/ayni/hub.yaml")
HOURS, MOST_HOURS = 24, 24 * 14


def parser() -> argparse.ArgumentParser:
    """The options of `ayni hub invite`."""
    result = argparse.ArgumentParser(
        prog="ayni hub invite",
        description=_("Print an invitation by which a machine becomes a monitor: ayni agent enrol."),
    )
    result.add_argument("node", metavar="NODE", help=_("the monitor in network.yaml"))
    result.add_argument(
        "--hours", type=float, default=HOURS, metavar="N", help=_("how long it is good (default: 24)")
    )
    result.add_argument("--end", action="store_true", help=_("end an invitation that was not used"))
    result.add_argument(
        "--config", type=Path, default=INSTALLED, metavar="HUB.YAML", help=_("the hub whose broker it is")
    )
    return result


def main(argv: Sequence[str]) -> int:
    """Invite, or end it. Raises `ConfigError`."""
    command = parser()
    options = command.parse_args(argv)
    if not 0 < options.hours <= MOST_HOURS:
        command.error(_("--hours: expected more than 0 and at most {most}", most=MOST_HOURS))
    config = hub_config.load(options.config)
    broker = keeper_of(config, options.config)
    network = read_network(config.network, load_rules())
    if options.node not in network.nodes:
        hint = did_you_mean(options.node, network.nodes)
        command.error(_('unknown monitor "{name}"{hint}', name=options.node, hint=hint))
    try:
        if options.end:
            asyncio.run(_end(config, broker, options.node))
            print(_("{node} is no longer invited", node=options.node))
            return 0
        made = _made(network, options.node, broker)
        asyncio.run(_invite(config, broker, made, options.hours))
    except (ControlError, RecordError, LookError) as error:
        print(f"ayni hub invite: {error}", file=sys.stderr)
        return 1
    hours = f"{options.hours:g}"
    print(_("Give this line to {node}; it is good once, for {hours} h:", node=options.node, hours=hours))
    print(f"\n    sudo ayni agent enrol {invitation.write(made)}\n")
    print(_("It goes on when it shows this fingerprint of the broker's certificate:"))
    print(f"\n    {made.fingerprint}\n")
    return 0


def keeper_of(config: HubConfig, path: Path) -> BrokerConfig:
    """The broker of a hub as its keeper of accounts. Raises `ConfigError`."""
    if config.accounts is None:
        raise ConfigError(
            [f"{path}: accounts: is missing; expected the account that changes accounts, such as accounts: "
             f"{{password: credential:k-{config.name}}}"]
        )  # fmt: skip
    return config.accounts.broker(config.broker.resolve(str(path), config.data_dir), str(path))


def _made(network: Network, node: str, broker: BrokerConfig) -> Invitation:
    if network.hub.address is None:
        raise ConfigError(
            [_("network.yaml: hub.address: is missing; expected where monitors find the central")]
        )
    given = [split_address(each, usual=TLS_PORT) for each in (network.hub.address, *network.hub.also)]
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
