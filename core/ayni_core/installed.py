"""What each machine of a deployed network is given: its config files, and the names of the secrets in them.

On such a machine secrets are systemd credentials: `file:PATH` of network.yaml becomes `credential:NAME`, by
the file's own name. So one folder with a file per secret, where the network is deployed from, serves all.
Each file is a slice: a stolen node knows its own password and devices, and nothing of the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ayni_core import slices
from ayni_core.fault import ConfigError, Fault, fault
from ayni_core.inventory import Network
from ayni_core.machines import Shell
from ayni_core.message import Phrase
from ayni_core.reference import credential, is_reference
from ayni_core.slices import BrokerFacts

HUB = "hub"
"""The hub's name, and that of its machine."""
KEEPER = f"k-{HUB}"
"""The account that keeps all others."""
FOLDER = "/etc/ayni"
CA = f"{FOLDER}/ca.crt"
HUB_DATA = "/var/lib/ayni/hub"
_REFERENCES = {"community", "communities", "password", "token", "url"}
"""Keys that hold where a secret is kept; `address` does so below `notify` only."""
_CREDENTIAL = re.compile(r"[A-Za-z0-9_.@-]{1,64}")
Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine to deploy to: the hub's, a node's, or one that is both. `node`: which one lives there."""

    name: str
    title: str
    site: str | None
    shell: Shell
    hub: bool = False
    node: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Config files by name, as documents, and the names of the secrets that they ask for."""

    documents: Mapping[str, Document]
    credentials: tuple[str, ...]


def machines(network: Network) -> tuple[Machine, ...]:
    """All that have an `ssh:`, the hub's first. Raises `ConfigError` where two of them collide."""
    found: list[Machine] = []
    faults: list[Fault] = []
    at_hub = [node for node in network.nodes.values() if node.ssh is not None and node.ssh == network.hub.ssh]
    if len(at_hub) > 1:
        names = ", ".join(node.name for node in at_hub)
        faults.append(fault(f"nodes: {names}", "fault.nodes_one_machine"))
    if network.hub.ssh is not None:
        node = at_hub[0] if at_hub else None
        found.append(
            Machine(name=HUB, title=node.title if node else HUB, site=node.site if node else None,
                    shell=network.hub.ssh, hub=True, node=node.name if node else None)
        )  # fmt: skip
    taken = {network.hub.ssh: HUB}
    for node in network.nodes.values():
        if node.ssh is None or node in at_hub:
            continue
        if node.name == HUB:
            faults.append(fault(f"nodes.{HUB}", "fault.node_called_hub"))
        if node.ssh in taken:
            faults.append(fault(f"nodes.{node.name}.ssh", "fault.ssh_twice", other=taken[node.ssh]))
        taken[node.ssh] = node.name
        found.append(
            Machine(name=node.name, title=node.title, site=node.site, shell=node.ssh, node=node.name)
        )
    if faults:
        raise ConfigError(faults)
    return tuple(found)


def machine(network: Network, name: str) -> Machine:
    """The hub's machine, or that of a node, also where it has no `ssh:`. Raises `KeyError`."""
    for each in machines(network):
        if name in (each.name, each.node):
            return each
    shell = Shell(host=name)
    if name == HUB and HUB not in network.nodes:
        return Machine(name=HUB, title=HUB, site=None, shell=shell, hub=True)
    node = network.nodes[name]
    return Machine(name=name, title=node.title, site=node.site, shell=shell, node=name)


def files(network: Network, raw: Document, of: Machine) -> Files:
    """The files of one machine; `raw` is network.yaml as it stands. Raises `ConfigError`."""
    documents: dict[str, Document] = {}
    wanted: set[str] = set()
    faults: list[Fault] = []
    if of.hub:
        facts = BrokerFacts(secrets=FOLDER)
        hub = slices.hub(HUB, facts, network_path=f"{FOLDER}/network.yaml", data_dir=HUB_DATA)
        documents["hub.yaml"] = {
            **_with_password(hub, f"h-{HUB}"),
            "accounts": {"password": f"credential:{KEEPER}"},
        }
        documents["network.yaml"] = _with_credentials(raw, "network.yaml", set(), faults)
        told = {key: documents["network.yaml"].get(key) for key in ("network", "people")}
        wanted |= {f"h-{HUB}", KEEPER, *_names(told)}
    if of.node is not None:
        facts = BrokerFacts(secrets=FOLDER) if of.hub else _far(network, of.node)
        agent = slices.agent(network, of.node, facts, metered=True)
        agent = _with_credentials(agent, "network.yaml", wanted, faults)
        documents["agent.yaml"] = _with_password(agent, f"n-{of.node}")
        wanted.add(f"n-{of.node}")
    if faults:
        raise ConfigError(faults)
    return Files(documents=documents, credentials=tuple(sorted(wanted)))


def certificate_names(network: Network) -> tuple[str, ...]:
    """By which names and addresses nodes look for the hub: what its certificate has to hold."""
    return tuple(dict.fromkeys([*(host for host, _port in network.hub.places), "localhost", "127.0.0.1"]))


def _far(network: Network, node: str) -> BrokerFacts:
    if not network.hub.places:
        wanted = Phrase("word.where_hub", {"node": node})
        raise ConfigError([fault("hub.address", "fault.missing", wanted=wanted)])
    host, port = network.hub.places[0]
    also = (*network.hub.also, *network.broker.also)
    return BrokerFacts(host=host, port=port, ca=CA, secrets=FOLDER, also=also)


def _with_password(document: Document, account: str) -> Document:
    return {**document, "broker": {**document["broker"], "password": f"credential:{account}"}}


def _with_credentials(value: Any, path: str, wanted: set[str], faults: list[Fault]) -> Any:
    """A copy in which every reference is a credential; their names are added to `wanted`."""
    places: dict[str, str] = {}

    def convert(reference: str, path: str) -> str:
        kind, _colon, where = reference.partition(":")
        name = credential(reference)
        if kind == "env":
            faults.append(fault(path, "fault.here_only", given=reference))
        elif not _CREDENTIAL.fullmatch(name):
            faults.append(fault(path, "fault.no_secret_name", given=name))
        elif kind == "file" and places.setdefault(name, where) != where:
            faults.append(fault(path, "fault.two_files", given=name))
        wanted.add(name)
        return f"credential:{name}"

    def walk(value: Any, path: str, key: str, told: bool) -> Any:
        if isinstance(value, Mapping):
            return {k: walk(each, f"{path}.{k}", str(k), told or k == "notify") for k, each in value.items()}
        if isinstance(value, list | tuple):
            return [walk(each, f"{path}[{i}]", key, told) for i, each in enumerate(value)]
        if (
            isinstance(value, str)
            and (key in _REFERENCES or (told and key == "address"))
            and is_reference(value)
        ):
            return convert(value, path.partition(".")[2])
        return value

    return walk(value, path, "", False)


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _names(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _names(each)
    elif isinstance(value, str) and value.startswith("credential:"):
        yield value.removeprefix("credential:")
