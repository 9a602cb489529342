"""`ayni hub accounts`: accounts and rights for a Mosquitto of one's own, out of the inventory."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ayni_core import home_assistant, inventory, slices
from ayni_core.schema import NAME
from ayni_hub.numbers.config import PREFIX
from ayni_io import local_broker, yamlfile
from ayni_io.i18n import _


def parser() -> argparse.ArgumentParser:
    """The options of `ayni hub accounts`."""
    result = argparse.ArgumentParser(
        prog="ayni hub accounts",
        description=_(
            "Write the accounts of a broker for Mosquitto's dynamic-security plugin, with passwords."
        ),
    )
    result.add_argument("network", type=Path, metavar="NETWORK.YAML")
    result.add_argument("--dir", dest="folder", type=Path, required=True, metavar="DIR",
                        help=_("gets accounts.json, and a file in secrets/ for each account"))  # fmt: skip
    result.add_argument("--hub", required=True, metavar="NAME", help=_("the hub, judge or mirror"))
    result.add_argument(
        "--worker", action="append", default=[], metavar="NAME", help=_("a worker; several times")
    )
    result.add_argument(
        "--village", action="append", default=[], metavar="NAME", help=_("a village that feeds this server")
    )
    result.add_argument(
        "--region", action="append", default=[], metavar="NAME", help=_("a broker that hands on a region")
    )
    result.add_argument(
        "--home-assistant",
        metavar="PREFIX",
        help=_("also for Home Assistant, as in hub.yaml: homeassistant"),
    )
    return result


def main(argv: Sequence[str]) -> int:
    """Write them; what stands there already keeps its password. Raises `ConfigError`."""
    command = parser()
    options = command.parse_args(argv)
    for name in (options.hub, *options.worker, *options.village, *options.region):
        if not NAME.fullmatch(name):
            command.error(_('"{name}": expected 1 to 48 of a-z, 0-9, hyphen and underscore', name=name))
    if options.home_assistant is not None and not PREFIX.fullmatch(options.home_assistant):
        command.error(_('"{prefix}": expected a prefix such as homeassistant', prefix=options.home_assistant))
    network = yamlfile.read(options.network, inventory.parse)
    roles = slices.accounts(
        network,
        options.hub,
        workers=options.worker,
        villages=options.village,
        regions=options.region,
    )
    try:
        options.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        extra = home_assistant.extra_rights(f"h-{options.hub}", options.home_assistant)
        changed = local_broker.write_accounts(options.folder, roles, extra)
    except OSError as error:
        print(f"ayni hub accounts: {error}", file=sys.stderr)
        return 1
    if changed:
        print(_("{n} accounts written; start the broker anew, so that it reads them", n=len(roles)))
    else:
        print(_("{n} accounts, nothing changed", n=len(roles)))
    return 0
