"""`ayni agent run --config FILE`: poll the devices of this node for ever."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ayni_agent import config as agent_config
from ayni_agent.agent import Agent
from ayni_agent.config import AgentConfig
from ayni_core.schema import ConfigError, did_you_mean
from ayni_io import snmp_access
from ayni_io.i18n import _
from ayni_io.process import run_until_stopped, set_up_logging
from ayni_io.profiles import Profiles
from ayni_io.rulebook import load_rules
from ayni_io.snmp import load_engine
from ayni_io.snmp_access import Access


def parser() -> argparse.ArgumentParser:
    """The options of `ayni agent run`."""
    result = argparse.ArgumentParser(
        prog="ayni agent run", description=_("Poll the devices of this node and report to the central.")
    )
    result.add_argument("--config", type=Path, required=True, metavar="FILE", help=_("the node's agent.yaml"))
    result.add_argument("--verbose", action="store_true", help=_("tell more in the log"))
    return result


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM or Ctrl+C."""
    arguments = parser().parse_args(argv)
    set_up_logging(arguments.verbose)
    config = agent_config.load(arguments.config)
    profiles = Profiles()
    access = prepare(config, profiles, str(arguments.config))
    broker = config.broker.resolve(str(arguments.config))

    async def run() -> int:
        return await Agent(config, broker, access, profiles, load_rules()).run()

    return run_until_stopped(run())


def prepare(config: AgentConfig, profiles: Profiles, source: str) -> dict[str, Access]:
    """Who asks each device; every missing secret and unknown profile in one `ConfigError`.

    Raises `ModuleNotFoundError` where a device needs an engine or a cipher that is not installed.
    """
    faults: list[str] = []
    access: dict[str, Access] = {}
    known = profiles.names()
    for name, device in config.devices.items():
        try:
            access[name] = snmp_access.resolve(
                f"{source}: devices.{name}",
                version=device.version,
                community=device.community,
                user=device.user,
                auth=device.auth,
                priv=device.priv,
            )
        except ConfigError as error:
            faults += error.faults
        if device.profile is not None and device.profile not in known:
            hint = did_you_mean(device.profile, known)
            faults.append(f'{source}: devices.{name}.profile: unknown profile "{device.profile}"{hint}')
    if faults:
        raise ConfigError(faults)
    for name, device in config.devices.items():
        load_engine(device.engine, encrypted=access[name].encrypted)
    return access
