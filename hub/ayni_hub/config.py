"""`hub.yaml`: where the hub finds the broker, the inventory and its own memory. Defaults live here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ayni_core.schema import Fields
from ayni_io import yamlfile
from ayni_io.mqtt import BrokerReference, read_broker


@dataclass(frozen=True, slots=True, kw_only=True)
class HubConfig:
    """Everything that a hub is told."""

    name: str
    broker: BrokerReference
    network: Path
    data_dir: Path
    retain_days: int


def parse(fields: Fields) -> HubConfig:
    """Read the top mapping of hub.yaml."""
    return HubConfig(
        name=fields.name("name", "hub"),
        broker=read_broker(fields.child("broker")),
        network=Path(fields.text("network")),
        data_dir=Path(fields.text("data_dir")),
        retain_days=fields.number("retain_days", 30, at_least=1, at_most=3650, whole=True),
    )


def load(path: Path) -> HubConfig:
    """The configuration in a file, or `ConfigError` with every fault of it."""
    return yamlfile.read(path, parse)
