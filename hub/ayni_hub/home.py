"""The folder of a network that one machine runs: what `ayni start` keeps, and what it writes anew.

Kept: `network.yaml` (people edit it), `start.yaml` (the answers of the first start), `secrets/`, and what the
parts remember. Written at every start: the config files of broker, hub and agent.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ayni_core import slices
from ayni_core.fault import fault
from ayni_core.home_assistant import Wanted
from ayni_core.inventory import Network
from ayni_core.schema import ConfigError, Fields
from ayni_core.slices import BrokerFacts
from ayni_core.slug import slug
from ayni_hub import memory_folder
from ayni_hub.config import read_feed
from ayni_hub.numbers import config as numbers_config
from ayni_hub.people.zones import zones_of
from ayni_hub.phone import config as phone_config
from ayni_io import connection, files, yamlfile, yamlwrite
from ayni_io.connection import Connection
from ayni_io.i18n import _
from ayni_io.local_broker import LocalBroker
from ayni_io.mqtt_config import BrokerConfig
from ayni_io.os_errors import os_cause
from ayni_io.rulebook import load_rules, read_network

HUB = "hub"
_SECTIONS = ("numbers", "home_assistant", "feed", "phone")
_ABOUT = """\
Your network. It grows by `ayni network add` and `ayni network link`, or in an editor; then
`ayni network check` tells whether all is well.

Names (left of a colon) are short and stay the same for ever; titles are what people read.
Secrets are never written here, only where they are kept."""


def default_folder() -> Path:
    """Where a user's network lives unless told otherwise."""
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data) / "ayni"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a first start asks: titles as people write them."""

    network: str
    site: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`start.yaml`: which node and person of the inventory this machine and its user are, and the checked
    sections of hub.yaml that people may add there."""

    node: str
    person: str
    sections: Mapping[str, Any] = field(default_factory=dict)
    home_assistant: Wanted | None = None

    @staticmethod
    def parse(fields: Fields) -> Settings:
        """Read the top mapping of start.yaml."""
        return Settings(
            node=fields.name("node"),
            person=fields.name("person"),
            sections={name: fields.raw(name) for name in _SECTIONS if fields.raw(name) is not None},
            home_assistant=_checked(fields),
        )


def _checked(fields: Fields) -> Wanted | None:
    """Note the faults of the sections for hub.yaml here, where people wrote them."""
    numbers_config.read(fields)
    phone_config.read(fields)
    read_feed(fields)
    return numbers_config.read_home_assistant(fields)


class Home:
    """One data folder. Its paths are absolute, so that parts find them from anywhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser().absolute()
        self.network_path = self.folder / "network.yaml"
        self.state_path = self.folder / "running.json"
        self.lock_path = self.folder / "running.lock"

    @property
    def exists(self) -> bool:
        """Whether a network was begun here."""
        return self.network_path.is_file()

    def settings(self) -> Settings:
        """The answers of the first start. Raises `ConfigError`."""
        return yamlfile.read(self.folder / "start.yaml", Settings.parse)

    def network(self) -> Network:
        """The inventory, its time zones and rules looked up. Raises `ConfigError`."""
        network = read_network(self.network_path, load_rules())
        zones_of(network, str(self.network_path))
        return network

    def begin(self, answers: Answers, *, language: str, host: str) -> None:
        """Write the first network: one site, one node, and this machine as a device, which tells of itself.
        Raises `ConfigError` where the folder cannot be written."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self.folder / "secrets").mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise ConfigError([fault(f"{self.folder}", "fault.unwritable", cause=os_cause(error))]) from None
        site = slug(answers.site, "site")
        person, node = slug(answers.person, "me"), slug(host, "monitor")
        raw: dict[str, Any] = {
            "network": {"title": answers.network, "language": language, "poll_s": 60, "flush_s": 300},
            "people": {person: {"title": answers.person, "role": "operator", "language": language}},
            "sites": {site: {"title": answers.site}},
            "nodes": {node: {"title": host, "site": site}},
            "devices": {
                node: {"title": host, "site": site, "node": node, "source": {"kind": "host"}},
            },
            "links": {},
            "upstreams": {},
        }
        settings = {"node": node, "person": person}
        yamlwrite.write(
            self.folder / "start.yaml", settings, comment="The answers of the first `ayni start`."
        )
        yamlwrite.write(self.network_path, raw, comment=_ABOUT)

    def write_parts(self, broker: LocalBroker, settings: Settings, network: Network) -> bool:
        """The config files of hub and agent; whether the agent's differs from what stood there. (The hub's
        never does while its broker stays: it reads network.yaml itself.)"""
        if settings.node not in network.nodes:
            raise ConfigError(
                [_("{path}: the node {node} is missing", path=self.network_path, node=settings.node)]
            )
        facts = BrokerFacts(
            port=broker.port,
            protocol=broker.protocol,
            secrets=str(broker.secrets),
            also=network.broker.also,
            also_ca=network.broker.ca,
        )
        data_dir = self.folder / "hub"
        data_dir.mkdir(exist_ok=True, mode=0o700)
        here = replace(facts, also=())  # a hub stays with its own broker
        hub = slices.hub(HUB, here, network_path=str(self.network_path), data_dir=str(data_dir))
        agent = slices.agent(
            network,
            settings.node,
            facts,
            state_dir=str(self.folder / "agent"),
            runtime_dir=str(self.runtime_dir),
            metered=True,
        )
        _rewrite(self.hub_config, {**hub, **settings.sections})
        self._write_connection(broker, settings.person)
        return _rewrite(self.agent_config, agent)

    def _write_connection(self, broker: LocalBroker, person: str) -> None:
        """How the person who runs this network gets there, for `ayni console`, `status` and their kin."""
        account = f"p-{person}"
        there = BrokerConfig(port=broker.port, username=account, protocol=broker.protocol)
        made = Connection(user=person, broker=there)
        connection.write(self.folder / connection.NAME, made, ca=None, password=broker.secrets / account)

    @property
    def runtime_dir(self) -> Path:
        """Where the agent keeps what need not survive a power cut: in memory if there is a place, because it
        is written at every poll."""
        name = f"ayni-{zlib.crc32(str(self.folder).encode()):08x}"
        return memory_folder.find(name) or self.folder / "run"

    @property
    def hub_config(self) -> Path:
        """The hub's config file."""
        return self.folder / "hub.yaml"

    @property
    def agent_config(self) -> Path:
        """The agent's config file."""
        return self.folder / "agent.yaml"


def _rewrite(path: Path, value: dict[str, Any]) -> bool:
    text = yamlwrite.dump(value, comment="Written by `ayni start` from network.yaml; changes here are lost.")
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    files.write_text(path, text)
    return True
