"""`ayni network machines` and `ayni network files`: the inventory for whatever installs the machines."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ayni_core import ansible_hosts, installed, slices
from ayni_core.fault import fault
from ayni_core.inventory import Network
from ayni_core.message import Phrase
from ayni_core.schema import ConfigError, did_you_mean
from ayni_hub.people.zones import zones_of
from ayni_io import files, yamlfile, yamlwrite
from ayni_io.i18n import _
from ayni_io.os_errors import os_cause
from ayni_io.rulebook import load_rules, read_network

_ABOUT = "Written from the coordinator's network.yaml; changes here are lost."


def add_options(below: Any) -> None:
    """Both commands, in the parser of `ayni network`."""
    listed = below.add_parser(
        "machines",
        help=_("show the machines of a network.yaml, also as an inventory for Ansible"),
        description=_("Show the machines of a network.yaml: the central's, and those that run a monitor."),
    )
    listed.add_argument("--json", action="store_true", help=_("as a dynamic inventory for Ansible"))
    written = below.add_parser(
        "files",
        help=_("write the config files of one machine"),
        description=_("Write the config files of one machine, as they stand in /etc/ayni there."),
    )
    written.add_argument("machine", metavar="MACHINE", help=_("a monitor's name, or hub for the central"))
    written.add_argument("--to", type=Path, required=True, metavar="DIR", help=_("where they are written"))
    for each in (listed, written):
        each.add_argument("--network", type=Path, default=Path("network.yaml"), metavar="FILE",
                          help=_("the network (default: network.yaml)"))  # fmt: skip


def list_machines(options: argparse.Namespace) -> int:
    """`ayni network machines`. Raises `ConfigError`."""
    network, raw = _read(options.network)
    if options.json:
        folder = str(options.network.resolve().parent)
        hosts = _of_file(options.network, lambda: ansible_hosts.hosts(network, raw, folder, _dump))
        print(json.dumps(hosts, ensure_ascii=False, indent=1))
        return 0
    found = _of_file(options.network, lambda: installed.machines(network))
    for machine in found:
        parts = " ".join(["hub"] * machine.hub + ["agent"] * (machine.node is not None))
        print(f"{machine.name:<24} {_login(machine):<32} {parts:<10} {machine.title}".rstrip())
    alone = {machine.node for machine in found}
    for node in network.nodes.values():
        if node.name not in alone:
            by_hand = _("by hand: it has no ssh:")
            print(f"{node.name:<24} {by_hand:<32} {'agent':<10} {node.title}".rstrip())
    return 0


def write_files(options: argparse.Namespace) -> int:
    """`ayni network files`. Raises `ConfigError`."""
    network, raw = _read(options.network)
    try:
        machine = installed.machine(network, options.machine)
    except KeyError:
        hint = did_you_mean(options.machine, [installed.HUB, *network.nodes])
        what, name = Phrase("word.machine"), options.machine
        raise ConfigError([fault("", "fault.unknown", what=what, name=name, hint=hint)]) from None
    given = _of_file(options.network, lambda: installed.files(network, raw, machine))
    try:
        options.to.mkdir(parents=True, exist_ok=True, mode=0o750)
        for name, document in given.documents.items():
            files.write_text(options.to / name, _dump(document), mode=0o640)
            print(options.to / name)
    except OSError as error:
        raise ConfigError([fault(f"{options.to}", "fault.unwritable", cause=os_cause(error))]) from None
    print(_("Secrets that they ask for, a file each in /etc/ayni/secrets:"))
    accounts = slices.accounts(network, installed.HUB, keeper=True)
    for name in given.credentials:
        about = _("password of the account") if name in accounts else _("referred to in network.yaml")
        print(f"  {name:<32} {about}")
    return 0


def _login(machine: installed.Machine) -> str:
    shell = machine.shell
    return (
        (f"{shell.user}@" if shell.user else "") + shell.host + (f":{shell.port}" if shell.port != 22 else "")
    )


def _dump(document: Any) -> str:
    return yamlwrite.dump(document, comment=_ABOUT)


def _read(path: Path) -> tuple[Network, dict[str, Any]]:
    network = read_network(path, load_rules())
    zones_of(network, str(path))
    return network, yamlfile.document(path)


def _of_file(path: Path, make: Any) -> Any:
    """What `make` returns; a fault says in which file."""
    try:
        return make()
    except ConfigError as error:
        raise ConfigError([each.below(str(path)) for each in error.noted]) from None
