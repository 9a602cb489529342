"""`ayni agent run --config FILE`: poll the devices of this node for ever."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from ayni_agent import config as agent_config
from ayni_agent import eyes
from ayni_agent.agent import Agent
from ayni_agent.config import AgentConfig
from ayni_agent.devices import write_access
from ayni_agent.eyes import Sight
from ayni_agent.reload import Setup
from ayni_agent.traps import settings as trap_settings
from ayni_core.fault import Fault
from ayni_core.schema import ConfigError
from ayni_io import snmp_access
from ayni_io.i18n import _
from ayni_io.process import run_until_stopped, set_up_logging
from ayni_io.profiles import Profiles, unknown_profile
from ayni_io.rulebook import load_rules
from ayni_io.service import Service
from ayni_io.snmp import load_engine
from ayni_io.snmp_access import Access
from ayni_io.usage import Parser

log = logging.getLogger("agent")
T = TypeVar("T")


def parser() -> argparse.ArgumentParser:
    """The options of `ayni agent run`."""
    result = Parser(
        prog="ayni agent run", description=_("Poll the devices of this node and report to the central.")
    )
    result.add_argument("--config", type=Path, required=True, metavar="FILE", help=_("the node's agent.yaml"))
    result.add_argument("--verbose", action="store_true", help=_("tell more in the log"))
    return result


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM or Ctrl+C."""
    arguments = parser().parse_args(argv)
    set_up_logging(arguments.verbose)
    setup = set_up(arguments.config)

    async def run() -> int:
        agent = Agent(setup, Profiles(), Service(), lambda: set_up(arguments.config))
        reloading: set[asyncio.Task[None]] = set()

        def reload() -> None:
            task = asyncio.create_task(agent.reload())
            reloading.add(task)
            task.add_done_callback(reloading.discard)

        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload)
        return await agent.run()

    return run_until_stopped(run())


def set_up(path: Path) -> Setup:
    """Everything that agent.yaml says and refers to. Raises `ConfigError` with every fault."""
    source = str(path)
    config = at_home(agent_config.load(path))
    faults: list[Fault] = []

    def collect(read: Callable[[], T]) -> T | None:
        try:
            return read()
        except ConfigError as error:
            faults.extend(error.noted)
        return None

    access = collect(lambda: prepare(config, Profiles(), source))
    broker = collect(lambda: config.broker.resolve(source, config.state_dir))
    write = collect(lambda: write_access(config.devices, source))
    rules = collect(load_rules)
    traps = collect(lambda: trap_settings.resolve(config.traps, source))
    if access is None or broker is None or write is None or rules is None or faults:
        raise ConfigError(faults)
    for unknown in agent_config.unknown_rules(config, [rule.name for rule in rules], source):
        log.warning(
            "a rule is passed over: %s", unknown
        )  # an older monitor has fewer, and polls all the same
    if config.traps is not None:
        load_engine("pysnmp", encrypted=traps is not None and any(user.encrypted for user in traps.users))
    return Setup(
        source=source, config=config, broker=broker, access=access, write=write, rules=rules, traps=traps
    )


def at_home(config: AgentConfig) -> AgentConfig:
    """With the folders that systemd made for the service, where the file names none (systemd.exec(5))."""
    return replace(
        config,
        state_dir=config.state_dir or _given("STATE_DIRECTORY"),
        runtime_dir=config.runtime_dir or _given("RUNTIME_DIRECTORY"),
    )


def _given(variable: str) -> Path | None:
    first = os.environ.get(variable, "").partition(":")[0]
    return Path(first) if first else None


def prepare(config: AgentConfig, profiles: Profiles, source: str) -> dict[str, Access | Sight]:
    """How each device is asked; every missing secret and unknown profile in one `ConfigError`.

    Raises `ModuleNotFoundError` where a device needs an engine or a cipher that is not installed.
    """
    faults: list[Fault] = []
    access: dict[str, Access | Sight] = {}
    known = profiles.names()
    for name, device in config.devices.items():
        where = f"{source}: devices.{name}"
        try:
            if device.source is not None:
                access[name] = eyes.prepare(device.source, f"{where}.source")
                continue
            access[name] = snmp_access.resolve(
                where,
                version=device.version,
                community=device.community,
                user=device.user,
                auth=device.auth,
                priv=device.priv,
            )
        except ConfigError as error:
            faults += error.noted
        if device.profile is not None and device.profile not in known:
            faults.append(unknown_profile(f"{source}: devices.{name}.profile", device.profile, known))
    if faults:
        raise ConfigError(faults)
    for name, device in config.devices.items():
        found = access[name]
        if not isinstance(found, Sight):
            load_engine(device.engine, encrypted=found.encrypted)
    return access
