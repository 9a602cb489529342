"""The folder of a pretend village: its inventory on loopback ports, and a config file for every part."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ayni_core import inventory, slices
from ayni_core.inventory import Network
from ayni_core.slices import BrokerFacts
from ayni_core.wire.topics import PREFIX, Rights
from ayni_io import configs, files, yamlfile, yamlwrite
from ayni_io.local_broker import LocalBroker

SCENARIO = "scenarios/red-cerro-norte.yaml"
HUB = "demo"
TRAINER = "rosa"
EYES = "x-eyes"
EYES_RIGHTS = Rights(publish=(), subscribe=(f"{PREFIX}/in/#", f"{PREFIX}/ack/#"))
"""An account of the demo alone: it sees what travels between monitors and central."""
THIS_MACHINE = "this-computer"
_RULES = {"device-restarts": "off", "short-outages": "off"}
"""What is over speaks for ten minutes; in a lesson a repair is looked at for half a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Village:
    """Where everything of one demo lies. `template` is the inventory that the lab plays."""

    folder: Path
    template: Network
    raw: dict[str, Any]
    poll_s: float
    language: str

    @staticmethod
    def in_folder(folder: Path, *, poll_s: float, language: str) -> Village:
        """The shipped example community in a new folder. Raises `ConfigError`."""
        source = configs.find("network.yaml")
        template = yamlfile.read(source, inventory.parse)
        raw = yamlfile.document(source)
        for name in ("tmp", "hub"):
            (folder / name).mkdir(mode=0o700)
        return Village(folder=folder, template=template, raw=raw, poll_s=poll_s, language=language)

    @property
    def community(self) -> Path:
        """The file with the community of all simulated devices."""
        return self.folder / "secrets" / "community"

    @property
    def ports(self) -> Path:
        """Where the lab writes the port of each device."""
        return self.folder / "ports.json"

    def roles(self) -> dict[str, str]:
        """All accounts but the eyes."""
        return slices.accounts(self.template, HUB, lab=True)

    def write_lab(self, broker: LocalBroker) -> Path:
        """The lab's config file."""
        files.keep_secret(self.community)
        network, path = self.folder / "template.yaml", self.folder / "lab.yaml"
        yamlwrite.write(network, self.raw)
        config = {
            "broker": slices.broker_section(self._facts(broker), "l-lab"),
            "network": str(network),
            "scenario": str(configs.find(SCENARIO)),
            "community": f"file:{self.community}",
            "ports": str(self.ports),
        }
        yamlwrite.write(path, config)
        return path

    def write_network(self, broker: LocalBroker, this_machine: int | None) -> Network:
        """network.yaml with every device where it answers (`this_machine`: the port of its own snmpd), the
        hub's config file and one for each agent; the network."""
        ports = json.loads(self.ports.read_text(encoding="utf-8"))
        raw = json.loads(json.dumps(self.raw))
        raw["network"] |= {
            "poll_s": self.poll_s,
            "language": self.language,
            "rules": _RULES,
            "training": True,
        }
        for name, device in raw["devices"].items():
            device |= {"address": f"127.0.0.1:{ports[name]}", "community": f"file:{self.community}"}
        if this_machine is not None:
            first = next(iter(self.template.nodes.values()))
            raw["devices"][THIS_MACHINE] = {
                "title": "This computer",
                "site": first.site,
                "node": first.name,
                "address": f"127.0.0.1:{this_machine}",
                "community": f"file:{self.community}",
            }
        path = self.folder / "network.yaml"
        yamlwrite.write(path, raw)
        network = yamlfile.read(path, inventory.parse)
        facts = self._facts(broker)
        hub = slices.hub(HUB, facts, network_path=str(path), data_dir=str(self.folder / "hub"))
        yamlwrite.write(self.hub_config, hub)
        for node in network.nodes:
            state, run = (str(self.folder / f"{key}-{node}") for key in ("state_dir", "runtime_dir"))
            sliced = slices.agent(network, node, facts, state_dir=state, runtime_dir=run)
            yamlwrite.write(self.agent_config(node), sliced)
        return network

    @property
    def hub_config(self) -> Path:
        """The hub's config file."""
        return self.folder / "hub.yaml"

    def agent_config(self, node: str) -> Path:
        """An agent's config file."""
        return self.folder / f"agent-{node}.yaml"

    def _facts(self, broker: LocalBroker) -> BrokerFacts:
        return BrokerFacts(port=broker.port, protocol=broker.protocol, secrets=str(broker.secrets))
