"""The network as Ansible's dynamic inventory: who is the hub, who a node, and what each is given.

Format: docs.ansible.com, "Developing dynamic inventory". No secret is in it: config files name credentials,
whose values come from the vault. Groups: `hubs`, `nodes`, `consoles`, `routers`, and one per site.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ayni_core import __version__, installed, slices
from ayni_core.fault import ConfigError, fault
from ayni_core.inventory import Device, Network
from ayni_core.machines import Shell
from ayni_core.reference import credential

HUBS, NODES, CONSOLES, ROUTERS = "hubs", "nodes", "consoles", "routers"
ACTING = ("operator", "trainer")
Dump = Callable[[Mapping[str, Any]], str]


def hosts(network: Network, raw: dict[str, Any], folder: str, dump: Dump) -> dict[str, Any]:
    """The whole inventory; network.yaml lies in `folder`, `dump` writes a document as YAML. Raises
    `ConfigError`."""
    groups: dict[str, list[str]] = {HUBS: [], NODES: [], CONSOLES: [], ROUTERS: []}
    facts: dict[str, dict[str, Any]] = {}
    for machine in installed.machines(network):
        given = installed.files(network, raw, machine)
        facts[machine.name] = {
            **_connection(machine.shell),
            "ayni_machine": machine.name,
            "ayni_title": machine.title,
            "ayni_node": machine.node or "",
            "ayni_files": {name: dump(document) for name, document in given.documents.items()},
            "ayni_credentials": list(given.credentials),
        }
        if machine.hub:
            groups[HUBS].append(machine.name)
            groups[CONSOLES].append(machine.name)
        if machine.node:
            groups[NODES].append(machine.name)
        if machine.site:
            groups.setdefault(f"site_{machine.site}", []).append(machine.name)
    for device in network.devices.values():
        if device.ssh is not None:
            if device.name in facts:
                raise ConfigError([fault(f"devices.{device.name}.ssh", "fault.machine_twice")])
            facts[device.name] = _router(device)
            groups[ROUTERS].append(device.name)
            groups.setdefault(f"site_{device.site}", []).append(device.name)
    for name in [name for name in groups if name.startswith("site_")]:
        short = name.removeprefix("site_")
        if short not in facts and short not in groups and short not in ("all", "ungrouped", "localhost"):
            groups[short] = groups[name]
    shared = {
        "ayni_folder": folder,
        "ayni_version": __version__,
        "ayni_accounts": slices.accounts(network, installed.HUB, keeper=True),
        "ayni_people": [each.name for each in network.people.values() if each.role in ACTING],
        "ayni_certificate_names": list(installed.certificate_names(network)),
    }
    return {
        "_meta": {"hostvars": facts},
        "all": {"vars": shared},
        **{name: {"hosts": members} for name, members in groups.items()},
    }


def _connection(shell: Shell) -> dict[str, Any]:
    user = {"ansible_user": shell.user} if shell.user else {}
    return {"ansible_host": shell.host, "ansible_port": shell.port, **user}


def _router(device: Device) -> dict[str, Any]:
    if device.version != "3" or device.auth is None or device.priv is None:
        raise ConfigError([fault(f"devices.{device.name}.ssh", "fault.ssh_needs_v3")])
    secrets = {
        key: {"protocol": each.protocol, "credential": credential(each.password)}
        for key, each in (("auth", device.auth), ("priv", device.priv))
    }
    return {
        **_connection(device.ssh or Shell(host=device.host)),
        "ayni_device": device.name,
        "ayni_title": device.title,
        "ayni_snmp": {"user": device.user, **secrets},
    }
