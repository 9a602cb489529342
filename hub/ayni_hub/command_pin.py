"""`ayni hub pin PERSON`: the PIN with which a person acts on a login that several share.

It is typed where nobody reads along, or read from a file or standard input; never from the command line. Kept
is a salted hash, in a file that only the central can read.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ayni_core import inventory, pin
from ayni_core.fault import fault
from ayni_core.inventory import Network
from ayni_core.schema import ConfigError, did_you_mean
from ayni_hub import pins, places
from ayni_hub.pins import Pins, PinsError
from ayni_io import secret, yamlfile
from ayni_io.i18n import _, say
from ayni_io.usage import Parser


def parser() -> argparse.ArgumentParser:
    """The options of `ayni hub pin`."""
    result = Parser(
        prog="ayni hub pin",
        description=_("Give a person a PIN, with which they act on a login that several share."),
    )
    result.add_argument(
        "person", nargs="?", metavar="PERSON", help=_("as in network.yaml (without one: who has a PIN?)")
    )
    result.add_argument("--remove", action="store_true", help=_("take the PIN away: no acting without"))
    result.add_argument(
        "--pin-file", type=Path, metavar="FILE", help=_("read it from a file instead of asking")
    )
    places.add(result)
    return result


def main(argv: Sequence[str], ask: Callable[[str], str] = getpass.getpass) -> int:
    """Set or remove it, or list who has one. `ConfigError` is for the command line to tell."""
    command = parser()
    options = command.parse_args(argv)
    place = places.of(options)
    network = yamlfile.read(place.network, inventory.parse)
    path = place.data_dir / pins.FILE
    try:
        if options.person is None:
            return _list(network, Pins(path))
        person = network.people.get(options.person)
        if person is None:
            hint = did_you_mean(options.person, network.people)
            raise ConfigError([fault(f"{place.network}", "fault.no_person", name=options.person, hint=hint)])
        if options.remove:
            pins.keep(path, person.name, None)
            print(_("{name} has no PIN any more.", name=person.title))
            return 0
        if not place.data_dir.is_dir():
            raise ConfigError([fault(f"{place.data_dir}", "fault.never_started")])
        if not any(person.name in each.shared for each in network.people.values()):
            print(_("{name} shares no login, so nobody will ask for it (`shared` in network.yaml).",
                    name=person.title), file=sys.stderr)  # fmt: skip
        wanted = _wanted(person.title, options.pin_file, ask)
        if wanted is None:
            return 2
        pins.keep(path, person.name, pin.kept(wanted, pins.salt()))
    except PinsError as problem:
        print(f"ayni hub pin: {problem}", file=sys.stderr)
        return 1
    print(_("{name} has a PIN now. A running central knows it at once.", name=person.title))
    return 0


def _wanted(title: str, file: Path | None, ask: Callable[[str], str]) -> str | None:
    """A PIN that is good; None, and a sentence, where it is not."""
    if file is not None:
        wanted = secret.from_file(file, "--pin-file").reveal()
    elif not sys.stdin.isatty():
        wanted = sys.stdin.readline().strip()
    else:
        wanted = ask(_("PIN for {name} (not shown while you type): ", name=title)).strip()
        if pin.problem(wanted) is None and ask(_("Again: ")).strip() != wanted:
            print("ayni hub pin: " + _("these were two different PINs; nothing was changed"), file=sys.stderr)
            return None
    problem = pin.problem(wanted)
    if problem is not None:
        print(f"ayni hub pin: {say(problem)}", file=sys.stderr)
        return None
    return wanted


def _list(network: Network, kept: Pins) -> int:
    """Who shares a login, and whether they have a PIN."""
    shared = {name: login for login in network.people.values() for name in login.shared}
    if not shared:
        print(_("No login is shared: nobody needs a PIN."))
    for name in sorted(shared):
        state = _("has a PIN") if kept.of(name) else _("has no PIN")
        print(f"{name}  {network.people[name].title}: {state}")
    return 0
