"""`ayni network discover`, also within the first `ayni start`: look for devices, then walk through them."""

from __future__ import annotations

import argparse

from ayni_core.snmpaccess import VERSIONS
from ayni_hub import adding, finding
from ayni_hub.grow import must_exist
from ayni_hub.home import Home
from ayni_hub.walk import Leave, Walk
from ayni_io import snmp_options
from ayni_io.i18n import _, _n

_PASSED = ("from", "for", "rate", "mndp_port", "ubnt_port", "round")
_ACCESS = ("community", "user", "auth_protocol", "auth_password", "priv_protocol", "priv_password")


def add_options(result: argparse.ArgumentParser) -> None:
    """The options of `ayni network discover`: those of `ayni agent discover`, which it runs."""
    result.add_argument(
        "ranges", nargs="*", metavar="RANGE",
        help=_("such as 10.0.0.0/24, 10.0.0.5-20, 10.0.0.7 (default: the networks of this machine)"),
    )  # fmt: skip
    result.add_argument(
        "--from",
        metavar="HOST",
        help=_("ask the addresses that a device has in its ARP and neighbour tables"),
    )
    result.add_argument(
        "--community", metavar="@FILE",
        help=_('file with the community of your devices (default: try "public", then make a secret one)'),
    )  # fmt: skip
    result.add_argument("--version", choices=VERSIONS, default=VERSIONS[0], help=_("of SNMP (default 2c)"))
    snmp_options.add(result)
    result.add_argument("--port", type=int, default=161, metavar="N", help=_("of SNMP (default 161)"))
    result.add_argument("--for", metavar="S", help=_("listen at least so many seconds (default 5)"))
    result.add_argument("--rate", metavar="N", help=_("packets a second, all devices together (default 100)"))
    result.add_argument("--yes", action="store_true", help=_("ask more than the 4096 addresses of a /20"))
    for hidden in ("--mndp-port", "--ubnt-port", "--round"):
        result.add_argument(hidden, help=argparse.SUPPRESS)


def discover(home: Home, options: argparse.Namespace) -> int:
    """0 when devices were added, 1 when none were. Raises `ConfigError`."""
    must_exist(home.network_path)
    given = options.community is not None or options.version == "3"
    searched = adding.from_options(options, ask=False)
    words = [*options.ranges, "--version", options.version, "--port", str(options.port)]
    for key in (*_PASSED, *_ACCESS):
        value = getattr(options, key)
        if value is not None:
            words += [f"--{key.replace('_', '-')}", str(value)]
    if options.yes:
        words.append("--yes")
    return 0 if look_around(home, words, options.port, searched, given=given) else 1


def look_around(
    home: Home,
    words: list[str],
    port: int = 161,
    searched: adding.Credentials | None = None,
    *,
    given: bool = False,
) -> int:
    """Search, and walk through what is new; how many were added. Ctrl+C ends either, nothing is lost."""
    found = finding.search(words)
    network = home.network()
    new = [device for device in found.devices if finding.is_new(device, network, port)]
    if not new:
        print(_("No device found that is not in your network yet."))
        return 0
    walk = Walk(
        home, port=port, searched=searched or adding.Credentials.community("2c", "public"), given=given
    )
    try:
        walk.run(new)
    except (Leave, KeyboardInterrupt):
        print()
        print(_("Later: ayni network discover"))
    if walk.added:
        print()
        print(_n("{n} device added.", "{n} devices added.", walk.added))
        print(_("Once they have been polled, ayni network next asks which of them are linked."))
    return walk.added
