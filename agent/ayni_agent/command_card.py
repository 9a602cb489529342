"""`ayni agent card FAMILY`: how read-only SNMP is switched on there, for this machine alone."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ayni_core.discovery.cards import GENERIC, Card
from ayni_core.schema import ConfigError, did_you_mean
from ayni_io import cards, netlook
from ayni_io.i18n import _
from ayni_io.usage import Parser


def parser() -> argparse.ArgumentParser:
    """The options of `ayni agent card`."""
    result = Parser(
        prog="ayni agent card", description=_("How to switch read-only SNMP on, for this machine alone.")
    )
    result.add_argument(
        "family", nargs="?", metavar="FAMILY", help=_("such as routeros; or a profile's name")
    )
    result.add_argument("--list", action="store_true", help=_("name all cards"))
    result.add_argument(
        "--device",
        metavar="ADDRESS",
        help=_("the device: the card then names its address, and ours toward it"),
    )
    return result


def main(argv: Sequence[str]) -> int:
    """Print a card, or the list. `ConfigError` is for the command line to tell."""
    command = parser()
    options = command.parse_args(argv)
    known = cards.load()
    if options.list:
        width = max(map(len, known))
        print("\n".join(f"{name:<{width}}  {known[name].title}" for name in sorted(known)))
        return 0
    if options.family is None:
        command.error(_("name a family, or --list"))
    card = _card(known, options.family)
    values = cards.placeholders(_monitor(options.device))
    if options.device is not None:
        values["device"] = options.device
    print("\n".join(cards.Shown(card=card, values=values).lines()))
    return 0


def _card(known: dict[str, Card], name: str) -> Card:
    """By the card's name, or by that of a profile which belongs to it."""
    if name in known:
        return known[name]
    for card in known.values():
        if name in card.families:
            return card
    hint = did_you_mean(name, known)
    raise ConfigError(
        [
            _(
                'no card "{name}"{hint}; ayni agent card {generic} fits any device',
                name=name,
                hint=hint,
                generic=GENERIC,
            )
        ]
    )


def _monitor(device: str | None) -> str:
    """Our address toward the device; without one the only address that we have, or a placeholder."""
    if device is not None:
        found = netlook.address_toward(device)
        if found is None:
            raise ConfigError([_("--device: there is no way to {device} from here", device=device)])
        return found
    own = netlook.own_addresses()
    return own[0].text if len(own) == 1 else _("THIS-MACHINE")
