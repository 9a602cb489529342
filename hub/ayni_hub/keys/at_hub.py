"""What commands about monitors' accounts begin with: a hub, its network, its broker as the keeper."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ayni_core.fault import fault
from ayni_core.inventory import Network
from ayni_core.message import Phrase
from ayni_core.schema import ConfigError, did_you_mean
from ayni_hub import config as hub_config
from ayni_hub.config import HubConfig
from ayni_io.i18n import _
from ayni_io.mqtt import BrokerConfig
from ayni_io.rulebook import load_rules, read_network

INSTALLED = Path("/etc/ayni/hub.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class AtHub:
    """A hub as its configuration says it."""

    config: HubConfig
    broker: BrokerConfig
    network: Network


def add_config(parser: argparse.ArgumentParser) -> None:
    """The option `--config`."""
    parser.add_argument(
        "--config", type=Path, default=INSTALLED, metavar="HUB.YAML", help=_("the hub whose broker it is")
    )


def look(path: Path) -> AtHub:
    """The hub of a hub.yaml. Raises `ConfigError`."""
    config = hub_config.load(path)
    broker = keeper_of(config, path)
    return AtHub(config=config, broker=broker, network=read_network(config.network, load_rules()))


def keeper_of(config: HubConfig, path: Path) -> BrokerConfig:
    """The broker of a hub as its keeper of accounts. Raises `ConfigError`."""
    if config.accounts is None:
        example = f"accounts: {{password: credential:k-{config.name}}}"
        wanted = Phrase("word.keeper_account", {"example": example})
        raise ConfigError([fault(f"{path}: accounts", "fault.missing", wanted=wanted)])
    return config.accounts.broker(config.broker.resolve(str(path), config.data_dir), str(path))


def check_monitors(parser: argparse.ArgumentParser, network: Network, names: Iterable[str]) -> None:
    """End the command where the network has no monitor of a name."""
    for name in names:
        if name not in network.nodes:
            hint = did_you_mean(name, network.nodes)
            parser.error(_('unknown monitor "{name}"{hint}', name=name, hint=hint))
