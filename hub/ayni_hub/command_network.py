"""`ayni network …`: look at, check and grow network.yaml without an editor."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ayni_core.inventory import Network
from ayni_core.schema import ConfigError, did_you_mean
from ayni_core.slug import slug
from ayni_core.snmpaccess import VERSIONS
from ayni_hub import adding, command_found, command_netjson, deploying, discovering, importing, roof, settling
from ayni_hub.grow import growing, must_exist
from ayni_hub.home import Home, default_folder
from ayni_hub.people.zones import zones_of
from ayni_io import snmp_options
from ayni_io.i18n import _, _n
from ayni_io.profiles import Profiles
from ayni_io.rulebook import load_rules, read_network
from ayni_io.snmp_errors import SnmpDenied, SnmpError
from ayni_io.usage import Parser


def parser() -> argparse.ArgumentParser:
    """The options of `ayni network`."""
    result = Parser(prog="ayni network", description=_("Check and extend your network."))
    below = result.add_subparsers(dest="what", required=True, metavar="WHAT")
    add = below.add_parser("add", help=_("add a device"), description=_("Add a device that answers SNMP."))
    add.add_argument("address", metavar="ADDRESS", help=_("its address, such as 10.0.0.20 or 10.0.0.20:1161"))
    add.add_argument("--title", help=_("what people call it (default: its address)"))
    add.add_argument("--name", help=_("its short name (default: made from the title)"))
    add.add_argument("--site", help=_("where it stands; a new one is added (default: the only site)"))
    add.add_argument("--node", help=_("which monitor asks it (default: the only one)"))
    add.add_argument("--community", metavar="@FILE", help=_("file with its SNMP community (default: ask)"))
    add.add_argument("--version", choices=VERSIONS, default=VERSIONS[0], help=_("of SNMP (default 2c)"))
    snmp_options.add(add)
    add.add_argument("--profile", help=_("how to read it (default: find out)"))
    link = below.add_parser(
        "link",
        help=_("tell that two devices hear each other"),
        description=_("Tell that the radios of two devices should hear each other."),
    )
    link.add_argument("a", metavar="A", help=_("one device"))
    link.add_argument("b", metavar="B", help=_("the other"))
    link.add_argument(
        "--expected-dbm", type=_number, help=_("what each should hear of the other, such as -61")
    )
    link.add_argument("--frequency-mhz", type=_number, help=_("the channel, such as 5580"))
    link.add_argument("--title", help=_("what people call it (default: the two sites)"))
    looked_for = below.add_parser(
        "discover",
        help=_("look for devices, open them, add them"),
        description=_("Look for devices; say how SNMP is switched on where it is off; offer to add each."),
    )
    discovering.add_options(looked_for)
    brought = below.add_parser(
        "import",
        help=_("add many devices from a table (CSV) or from UISP (JSON)"),
        description=_("Add many devices at once. Nothing is written when there is a fault."),
    )
    importing.add_options(brought)
    shown = below.add_parser(
        "list",
        help=_("show sites, devices and links"),
        description=_("Show the sites, devices and links of your network."),
    )
    found = below.add_parser(
        "found",
        help=_("show links that devices tell of"),
        description=_("Show the links that devices tell of, beside those that are written down."),
    )
    command_found.add_options(found)
    following = below.add_parser(
        "next",
        help=_("go through what is open: links, what is normal, where alarms go"),
        description=_("Go through what comes after the first devices; each answer is written down at once."),
    )
    graph = below.add_parser(
        "netjson",
        help=_("write the network as a graph for other programs"),
        description=_("Write the network as a NetJSON graph: no people, no addresses, no secrets."),
    )
    command_netjson.add_options(graph)
    default = default_folder()
    for each in (add, link, shown, found, following, graph, looked_for, brought):
        each.add_argument(
            "--dir",
            dest="folder",
            type=Path,
            default=default,
            metavar="DIR",
            help=_("where the network is kept (default: {folder})", folder=default),
        )
    check = below.add_parser(
        "check",
        help=_("check a network.yaml, all faults at once"),
        description=_("Check a network.yaml and name every fault with its line."),
    )
    check.add_argument("file", type=Path, metavar="FILE")
    deploying.add_options(below)
    return result


def main(argv: Sequence[str]) -> int:
    """Do one of them. `ConfigError` is for the command line to tell."""
    options = parser().parse_args(argv)
    if options.what == "check":
        network = read_network(options.file, load_rules())
        zones_of(network, str(options.file))
        print(_("{file}: all is well: {what}", file=options.file, what=_summary(network)))
        return 0
    if options.what == "machines":
        return deploying.list_machines(options)
    if options.what == "files":
        return deploying.write_files(options)
    home = Home(options.folder)
    if options.what == "list":
        return _list(home)
    if options.what == "found":
        return command_found.run(home, options)
    if options.what == "next":
        settling.settle(home)
        return 0
    if options.what == "netjson":
        return command_netjson.run(home, options)
    if options.what == "discover":
        status = discovering.discover(home, options)
        if status == 0 and roof.tell_to_read_again(home):
            print(_("The running network takes it in now."))
        return status
    doings = {"add": _add, "link": _link, "import": importing.bring}
    print(doings[options.what](home, options))
    if roof.tell_to_read_again(home):
        print(_("The running network takes it in now."))
    return 0


def _add(home: Home, options: argparse.Namespace) -> str:
    host, port = adding.read_address(options.address)
    profile = _profile(options.profile)
    credentials = adding.from_options(options, ask=True)
    with growing(home.network_path) as change:
        name = adding.add_device(
            change,
            home.folder,
            credentials,
            address=options.address,
            title=options.title,
            name=options.name,
            site=options.site,
            node=options.node,
            profile=profile,
        )
        change.save()
    try:
        asyncio.run(adding.ask(host, port, credentials.access))
    except SnmpDenied as error:
        return _("Added {name}. It refuses the user: {why}", name=name, why=error)
    except SnmpError:
        pass
    else:
        return _("Added {name}; it answers.", name=name)
    return _(
        "Added {name}. It does not answer yet: is SNMP on, the community right, the address reachable?",
        name=name,
    )


def _profile(given: str | None) -> str | None:
    if given in (None, "auto"):
        return None
    known = Profiles().names()
    if given not in known:
        hint = did_you_mean(str(given), known)
        raise ConfigError([_('--profile: unknown profile "{name}"{hint}', name=given, hint=hint)])
    return given


def _link(home: Home, options: argparse.Namespace) -> str:
    with growing(home.network_path) as change:
        a, b = change.device(options.a), change.device(options.b)
        for link in change.network.links.values():
            if {link.a.device, link.b.device} == {a, b}:
                raise ConfigError([_("these two are linked already: {name}", name=link.name)])
        sites = [change.network.site_of(device) for device in (a, b)]
        title = options.title or "-".join(site.title for site in sites)
        name = slug("-".join(site.name for site in sites), "link", change.network.links, longest=48)
        entry: dict[str, Any] = {"title": title}
        if options.frequency_mhz is not None:
            entry["frequency_mhz"] = options.frequency_mhz
        for letter, device in (("a", a), ("b", b)):
            entry[letter] = {"device": device}
            if options.expected_dbm is not None:
                entry[letter]["expected_dbm"] = options.expected_dbm
        change.add("links", name, entry)
        change.save()
    return _("Added the link {name}: {title}", name=name, title=title)


def _list(home: Home) -> int:
    must_exist(home.network_path)
    network = home.network()
    print(f"{network.title}: {_summary(network)}")
    for site in network.sites.values():
        print(f"\n{site.title} ({site.name})")
        for device in network.devices.values():
            if device.site == site.name:
                print(f"  {device.name:<24} {device.address:<21} {device.title}")
    if network.links:
        print()
    for link in network.links.values():
        expected = link.a.expected_dbm
        heard = f"{expected:g} dBm" if expected is not None else ""
        print(f"{link.name:<26} {link.a.device} - {link.b.device}  {heard}".rstrip())
    return 0


def _number(text: str) -> float:
    """A number as people write it: -61, not -61.0. `ValueError` is for argparse to tell."""
    value = float(text)
    return int(value) if value.is_integer() else value


def _summary(network: Network) -> str:
    return ", ".join(
        (
            _n("{n} site", "{n} sites", len(network.sites)),
            _n("{n} device", "{n} devices", len(network.devices)),
            _n("{n} link", "{n} links", len(network.links)),
            _n("{n} monitor", "{n} monitors", len(network.nodes)),
        )
    )
