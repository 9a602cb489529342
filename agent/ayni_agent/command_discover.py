"""`ayni agent discover`: which devices are here, what they are, and whether their SNMP answers."""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from ayni_agent.command_poll import address
from ayni_agent.discovery.reporter import Reporter, summary
from ayni_agent.discovery.search import Search, Wanted
from ayni_core.discovery import mndp, ubnt
from ayni_core.discovery.cards import card_for
from ayni_core.discovery.sweep import CEILING, MOST, RATE, ROUND_S, RangeError, addresses
from ayni_core.schema import ConfigError
from ayni_io import cards, found_view, netlook, snmp_options
from ayni_io.clock import monotonic_s
from ayni_io.i18n import _, _n, say
from ayni_io.netlook import OwnAddress
from ayni_io.profiles import Profiles
from ayni_io.secret import Secret, from_file
from ayni_io.snmp import load_engine
from ayni_io.snmp_access import Access, of_user
from ayni_io.usage import Parser

_SMALLEST = 20
"""Prefix of the largest own network that is asked as a whole."""

_INTERRUPTED = 130


def parser() -> argparse.ArgumentParser:
    """The options of `ayni agent discover`."""
    result = Parser(
        prog="ayni agent discover",
        description=_(
            "Find devices: those that answer SNMP, and those that only tell of themselves (MikroTik's and "
            "Ubiquiti's discovery, LLDP)."
        ),
        epilog=_("Ctrl+C ends the search and keeps what was found. To add devices: ayni network discover"),
    )
    result.add_argument(
        "ranges", nargs="*", metavar="RANGE",
        help=_("such as 10.0.0.0/24, 10.0.0.5-20, 10.0.0.7 (default: the networks of this machine)"),
    )  # fmt: skip
    result.add_argument(
        "--from", dest="via", metavar="HOST",
        help=_("ask the addresses that a device has in its ARP and neighbour tables"),
    )  # fmt: skip
    add_search_options(result)
    result.add_argument("--json", action="store_true", help=_("print one JSON object"))
    return result


def add_search_options(result: argparse.ArgumentParser) -> None:
    """The options that say how to ask, and how long."""
    result.add_argument(
        "--community", metavar="@FILE", help=_('file with the SNMP community to try (default "public")')
    )
    result.add_argument("--version", choices=("1", "2c", "3"), default="2c", help=_("of SNMP (default 2c)"))
    snmp_options.add(result)
    result.add_argument("--port", type=_port, default=161, metavar="N", help=_("of SNMP (default 161)"))
    result.add_argument(
        "--for", dest="listen_s", type=_seconds, default=5.0, metavar="S",
        help=_("listen at least so many seconds (default 5; LLDP speaks every 30)"),
    )  # fmt: skip
    result.add_argument(
        "--rate", type=_rate, default=RATE, metavar="N",
        help=_("packets a second, all devices together (default {rate:g})", rate=RATE),
    )  # fmt: skip
    result.add_argument(
        "--yes", action="store_true", help=_("ask more than the {most} addresses of a /20", most=MOST)
    )
    for name, port in (("--mndp-port", mndp.PORT), ("--ubnt-port", ubnt.PORT)):
        result.add_argument(name, type=_port, default=port, help=argparse.SUPPRESS)  # for simulated devices
    result.add_argument("--round", type=float, default=ROUND_S, help=argparse.SUPPRESS)


def main(argv: Sequence[str]) -> int:
    """0 when devices were found, 1 when there are none. `ConfigError` is for the command line to tell."""
    options = parser().parse_args(argv)
    profiles = Profiles()
    profiles.rules()  # what is wrong with them is told before anything is sent
    wanted = _wanted(options)
    reporter = Reporter(quiet=options.json)
    began = monotonic_s()
    search, finished = asyncio.run(_search(wanted, profiles, reporter))
    reporter.end()
    devices = search.devices()
    seconds = monotonic_s() - began
    if options.json:
        told = {
            "devices": [device.as_json() for device in devices],
            "asked": len(wanted.hosts),
            "packets": search.packets,
            "seconds": round(seconds, 1),
            "finished": finished,
        }
        json.dump(told, sys.stdout, ensure_ascii=False)
        print()
    else:
        _tell(search, wanted, seconds)
    if search.via_error is not None:
        print(f"ayni agent discover: {search.via_error}", file=sys.stderr)
    if not finished:
        return _INTERRUPTED
    return 0 if devices else 1


async def _search(wanted: Wanted, profiles: Profiles, reporter: Reporter) -> tuple[Search, bool]:
    """The search, and whether it came to its end. Ctrl+C and SIGTERM end it early."""
    search = Search(wanted, profiles, reporter.changed)
    reporter.search = search
    task = asyncio.ensure_future(search.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return search, False
    return search, True


def _wanted(options: argparse.Namespace) -> Wanted:
    """What to search. Raises `ConfigError`."""
    access = _access(options)
    load_engine("fast", encrypted=access.encrypted)
    networks = netlook.own_addresses()
    whole = not options.ranges and options.via is None
    hosts: tuple[str, ...] = ()
    via = None
    if options.via is not None:
        if options.ranges:
            raise ConfigError([_("give a range or --from HOST, not both")])
        via, _port_number = address(options.via)
    else:
        ranges = options.ranges or _own_ranges(networks, large=options.yes)
        try:
            hosts = addresses(ranges, large=options.yes)
        except RangeError as error:
            raise ConfigError([say(error.message)]) from None
        if whole:
            own = {each.text for each in networks}
            hosts = tuple(host for host in hosts if host not in own)
    return Wanted(
        hosts=hosts,
        whole=whole,
        access=access,
        networks=networks,
        via=via,
        listen_s=options.listen_s,
        rate=options.rate,
        round_s=options.round,
        port=options.port,
        mndp_port=options.mndp_port,
        ubnt_port=options.ubnt_port,
    )


def _own_ranges(networks: Sequence[OwnAddress], *, large: bool) -> list[str]:
    """The networks of this machine; of one above /20 the /24 around its own address. Raises `ConfigError`."""
    ranges = []
    for each in networks:
        network = each.interface.network
        if not each.broadcast or network.is_link_local:
            continue
        if network.prefixlen < _SMALLEST and not (large and network.num_addresses <= CEILING):
            part = ipaddress.IPv4Interface((each.interface.ip, 24)).network
            print(
                _(
                    "{network} is large: only {part} is asked; give a RANGE for more",
                    network=network,
                    part=part,
                ),
                file=sys.stderr,
            )
            network = part
        ranges.append(str(network))
    if not ranges:
        raise ConfigError([_("this machine is in no network with others; give a RANGE")])
    return list(dict.fromkeys(ranges))


def _tell(search: Search, wanted: Wanted, seconds: float) -> None:
    devices = search.devices()
    print()
    if search.via_error is not None:
        print(_("The tables of {host} could not be read.", host=wanted.via))
    elif not devices:
        print(_("No device found. Is the range right, and this machine in the same network?"))
    else:
        print(summary(devices) + ".")
    known = cards.load()
    suited = [(device, card_for(known, device)) for device in devices if device.snmp in ("closed", "denied")]
    for name in dict.fromkeys(card.name for _device, card in suited if card is not None):
        print(_("How to switch SNMP on: ayni agent card {name}", name=name))
    for device in devices:
        if hint := found_view.far_away(device):
            print(hint)
    if search.lldp_refused:
        print(_("LLDP was not listened to: that needs the right CAP_NET_RAW (start it as root)."))
    packets = _n("{n} packet", "{n} packets", search.packets)
    print(_("{packets} sent in {seconds:.0f} s", packets=packets, seconds=seconds))


def _access(options: argparse.Namespace) -> Access:
    user, auth, priv = snmp_options.read(options, pysnmp=False, plain=False)
    if options.version == "3":
        if options.community is not None:
            raise ConfigError([_("--community: belongs to versions 1 and 2c; version 3 has --user")])
        return of_user(user, auth, priv)
    if options.community is not None and not options.community.startswith("@"):
        raise ConfigError(
            [_("--community: expected @FILE: on the command line every user of this machine could read it")]
        )
    return Access(version=options.version, community=_community(options.community).reveal().encode())


def _community(given: str | None) -> Secret:
    """From a file, the environment, or the one that devices leave the factory with."""
    if given is not None:
        return from_file(Path(given[1:]), "--community")
    return Secret(os.environ.get("AYNI_SNMP_COMMUNITY") or "public")


def _port(text: str) -> int:
    number = int(text)
    if not 0 < number < 65536:
        raise argparse.ArgumentTypeError(_("must be from 1 to 65535"))
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 3600:
        raise argparse.ArgumentTypeError(_("must be from 0 to 3600 seconds"))
    return number


def _rate(text: str) -> float:
    number = float(text)
    if not 1 <= number <= 1000:
        raise argparse.ArgumentTypeError(_("must be from 1 to 1000 packets a second"))
    return number
