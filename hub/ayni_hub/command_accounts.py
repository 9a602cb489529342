"""`ayni hub accounts`: accounts and rights for a Mosquitto of one's own, out of the inventory: as the file
that it starts with, or (`--apply`) in the running one.

Exit status: 0 all is as it should be (now); 1 it was not done; 3 with `--check`: something would change.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from ayni_core import home_assistant, inventory, slices
from ayni_core.fault import fault
from ayni_core.message import Phrase
from ayni_core.schema import NAME, ConfigError
from ayni_core.wire.topics import Rights
from ayni_hub import config as hub_config
from ayni_hub.config import HubConfig
from ayni_hub.keys import applying, at_hub
from ayni_hub.numbers.config import PREFIX
from ayni_io import accounts, files, local_broker, yamlfile
from ayni_io.control import ControlError
from ayni_io.i18n import _
from ayni_io.os_errors import os_cause
from ayni_io.secret import Secret
from ayni_io.usage import Parser

_LARGEST = 4 << 20


def parser() -> argparse.ArgumentParser:
    """The options of `ayni hub accounts`."""
    result = Parser(
        prog="ayni hub accounts",
        description=_(
            "Write the accounts of a broker for Mosquitto's dynamic-security plugin, with passwords, or "
            "change those of a broker that runs."
        ),
    )
    result.add_argument("network", type=Path, metavar="NETWORK.YAML")
    result.add_argument(
        "--dir",
        dest="folder",
        type=Path,
        metavar="DIR",
        help=_("gets accounts.json, and a file in secrets/ for each account"),
    )
    result.add_argument("--hub", metavar="NAME", help=_("the hub, judge or mirror"))
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
    result.add_argument(
        "--passwords",
        metavar="FILE",
        help=_("passwords of accounts, as a JSON object; - is the standard input"),
    )
    result.add_argument(
        "--seed", type=Path, metavar="FILE", help=_("write this file for the plugin, unless it is there")
    )
    _live_options(result.add_argument_group(_("in the broker that runs")))
    return result


def _live_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--apply", action="store_true", help=_("change the accounts of the broker that runs"))
    group.add_argument(
        "--check", action="store_true", help=_("only say what would change; exit status 3 if anything would")
    )
    group.add_argument("--config", type=Path, metavar="HUB.YAML", help=_("the hub whose broker it is"))
    group.add_argument("--broker", metavar="HOST[:PORT]", help=_("where the broker is, without a hub.yaml"))
    group.add_argument(
        "--ca", type=Path, metavar="FILE", help=_("certificate of the network's own authority: use TLS")
    )
    for name, text in (
        ("reset", _("give an account the password that is given here; several times")),
        ("delete", _("take an account away that network.yaml does not tell of; several times")),
        ("disable", _("let an account in no more, until it is enabled; several times")),
        ("enable", _("let an account in again; several times")),
    ):
        group.add_argument(f"--{name}", action="append", default=[], metavar="ACCOUNT", help=text)
    group.add_argument("--json", action="store_true", help=_("say what was done as one JSON object"))


def main(argv: Sequence[str]) -> int:
    """Write or change them; an account that is there keeps its password. Raises `ConfigError`."""
    command = parser()
    options = command.parse_args(argv)
    if options.check:
        options.apply = True
    config = _config(options)
    if options.hub is None:
        if config is None:
            command.error(_("expected --hub NAME, or --config with a hub.yaml"))
        options.hub = config.name
    for name in (options.hub, *options.worker, *options.village, *options.region):
        if not NAME.fullmatch(name):
            command.error(_('"{name}": expected 1 to 48 of a-z, 0-9, hyphen and underscore', name=name))
    if options.home_assistant is not None and not PREFIX.fullmatch(options.home_assistant):
        command.error(_('"{prefix}": expected a prefix such as homeassistant', prefix=options.home_assistant))
    if not options.apply and options.folder is None and options.seed is None:
        command.error(_("expected --dir DIR, --seed FILE or --apply"))
    if not options.apply and (options.reset or options.delete or options.disable or options.enable):
        command.error(_("--reset, --delete, --disable and --enable belong to --apply"))
    roles, extra = _wanted(options, config)
    given = _given(options.passwords)
    try:
        if options.apply:
            return applying.run(options, config, roles, extra, given)
        if options.seed is not None:
            return _seed(options, roles, extra, given)
        changed = local_broker.write_accounts(options.folder, roles, extra)
    except (OSError, ControlError) as error:
        print(f"ayni hub accounts: {error}", file=sys.stderr)
        return 1
    if changed:
        print(_("{n} accounts written; start the broker anew, so that it reads them", n=len(roles)))
    else:
        print(_("{n} accounts, nothing changed", n=len(roles)))
    return 0


def _config(options: argparse.Namespace) -> HubConfig | None:
    if options.config is None and options.apply and options.broker is None and at_hub.INSTALLED.is_file():
        options.config = at_hub.INSTALLED
    return hub_config.load(options.config) if options.config is not None else None


def _wanted(
    options: argparse.Namespace, config: HubConfig | None
) -> tuple[dict[str, str], dict[str, Rights]]:
    """Every account with its role, and the rights of unusual ones."""
    network = yamlfile.read(options.network, inventory.parse)
    roles = slices.accounts(
        network,
        options.hub,
        keeper=True,
        workers=options.worker,
        villages=options.village,
        regions=options.region,
    )
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    prefix = options.home_assistant
    if prefix is None and config is not None and config.home_assistant is not None:
        prefix = config.home_assistant.prefix
    return roles, home_assistant.extra_rights(f"h-{options.hub}", prefix)


def _given(source: str | None) -> dict[str, Secret]:
    """Passwords out of a file. Raises `ConfigError`; no password is ever in its text."""
    if source is None:
        return {}
    try:
        data = sys.stdin.buffer.read(_LARGEST) if source == "-" else Path(source).read_bytes()[:_LARGEST]
        found = json.loads(data)
    except OSError as error:
        raise ConfigError([fault(source, "fault.unreadable", cause=os_cause(error))]) from None
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(each, str) and each for each in found.values()):
        raise ConfigError([fault(source, "fault.expected", wanted=Phrase("word.passwords"))])
    return {name: Secret(each) for name, each in found.items()}


def _seed(
    options: argparse.Namespace, roles: dict[str, str], extra: dict[str, Rights], given: dict[str, Secret]
) -> int:
    """The plugin's file, for a broker that never ran: later on it is the broker's own."""
    if options.seed.exists():
        print(_("{path} is there already; nothing changed", path=options.seed))
        return 0
    names = {**roles, **extra}
    passwords = applying.passwords_of(options.folder, names, given, make=True)
    known = {name: each.reveal() for name, each in passwords.items() if name in names}
    accounts.write(options.seed, accounts.dynamic_security(known, roles, extra=extra))
    files.give(options.seed, options.seed.parent)
    print(_("{path}: {n} accounts written", path=options.seed, n=len(known)))
    applying.say_missing(sorted(names.keys() - known.keys()))
    return 0
