"""Reading the configuration again while the agent runs: checked whole, then only what changed is touched.

A file with any fault changes nothing. What a running agent cannot change, such as its own name, is a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

from ayni_agent.config import AgentConfig
from ayni_agent.eyes import Sight
from ayni_agent.traps.settings import TrapAccess
from ayni_core.fault import fault
from ayni_core.rules import Rule
from ayni_core.schema import ConfigError
from ayni_io.mqtt import BrokerConfig
from ayni_io.snmp_access import Access

FIXED = ("node", "state_dir", "runtime_dir", "traps")
"""Only a restart changes these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Everything that an agent was started with, its secrets fetched; `source` is the file."""

    source: str
    config: AgentConfig
    broker: BrokerConfig
    access: Mapping[str, Access | Sight]
    write: Mapping[str, Access]
    rules: tuple[Rule, ...]
    traps: TrapAccess | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is different. `settings` are keys of agent.yaml besides `devices`, and `rules`."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.settings)

    def __str__(self) -> str:
        parts = ((name, getattr(self, name)) for name in ("added", "removed", "changed", "settings"))
        return " ".join(f"{name}={','.join(each)}" for name, each in parts if each) or "nothing changed"


def read_again(load: Callable[[], Setup], old: Setup) -> tuple[Setup, Changes]:
    """What is in force from now on, and what is different in it.

    Raises `ConfigError` with every fault; then nothing changes.
    """
    try:
        new = load()
    except ModuleNotFoundError as error:  # an engine or a cipher that nothing needed so far
        raise ConfigError([fault(old.source, "fault.no_module", module=error.name)]) from None
    fixed = [name for name in FIXED if getattr(new.config, name) != getattr(old.config, name)]
    if fixed:
        raise ConfigError([fault(f"{old.source}: {name}", "fault.restart_only") for name in fixed])
    return new, compare(old, new)


def compare(old: Setup, new: Setup) -> Changes:
    """What is different; a device whose secret changed is another one."""
    before, now = old.config.devices, new.config.devices
    kept = [name for name in now if name in before]
    settings = [
        field.name
        for field in fields(AgentConfig)
        if field.name not in ("devices", "broker")
        and getattr(old.config, field.name) != getattr(new.config, field.name)
    ]
    if (old.config.broker, old.broker) != (new.config.broker, new.broker):
        settings.append("broker")
    if old.rules != new.rules:
        settings.append("rules")
    if old.traps != new.traps:
        settings.append("traps")
    return Changes(
        added=tuple(name for name in now if name not in before),
        removed=tuple(name for name in before if name not in now),
        changed=tuple(
            name
            for name in kept
            if before[name] != now[name]
            or old.access.get(name) != new.access.get(name)
            or old.write.get(name) != new.write.get(name)
        ),
        settings=tuple(settings),
    )
