"""The walk from found devices to a network: a card for each whose SNMP is off, "●" as it answers, add it.

Theory of operation. Secrets are made once and kept (mode 0600), the same for all devices of a walk, so that
the person types or pastes the same words at each, and a walk can be left and taken up again. A card shows the
best way that this machine can use: version 3 where the family has it and the cipher is installed, else a
community. While the card stands there the device is asked every two seconds; the moment it answers, it is
added to network.yaml and saved. So nothing is lost however the walk ends.
"""

from __future__ import annotations

import asyncio
import getpass
import select
import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Sequence
from enum import Enum, auto

from ayni_core.discovery.cards import GENERIC, card_for
from ayni_core.discovery.found import FoundDevice
from ayni_core.schema import ConfigError
from ayni_hub import adding
from ayni_hub.adding import Credentials
from ayni_hub.grow import growing
from ayni_hub.home import Home
from ayni_hub.walk_keys import USER, Keys, keys
from ayni_io import cards, found_view, i18n, netlook
from ayni_io.i18n import _, _n
from ayni_io.snmp_errors import SnmpDenied, SnmpError

_EVERY_S, _PATIENCE_S = 2.0, 1.0
_QUIT = "q"


class Leave(Exception):  # noqa: N818  what the person wants, not a fault
    """The person wants to end the walk."""


class _Turn(Enum):
    OPENED, TYPED, SKIPPED, ADDED_CLOSED = auto(), auto(), auto(), auto()


class Walk:
    """One walk over found devices. `given`: who asked in the search, where the person said who; else the
    walk's own secrets are offered.
    """

    def __init__(self, home: Home, *, port: int, searched: Credentials, given: bool) -> None:
        self._home = home
        self._port = port
        self._searched = searched
        made = keys(home)
        if given and searched.access.version == "3":
            made = Keys(v3=searched, v2c=made.v2c, v1=made.v1)
        elif given:
            made = Keys(v3=None, v2c=searched, v1=searched)
        self._keys = made
        self._typed: list[Credentials] = []
        self._site: str | None = None
        self._cards = cards.load()
        self.added = 0

    def run(self, devices: Sequence[FoundDevice]) -> None:
        """Go through them all. Raises `Leave` when the person has had enough; what is added stays."""
        print(textwrap.fill(headline(devices), shutil.get_terminal_size().columns))
        for device in devices:
            print()
            print(found_view.line(device))
            if hint := found_view.far_away(device):
                print(hint)
                continue
            found = self._who_it_answers(device)
            if found is not None:
                if found.access.community == b"public":
                    print(_('  It answers everybody who says "public".'))
                self._offer(device, found)
            elif self._yes(_("Switch SNMP on there now?")):
                self._open(device)

    def _open(self, device: FoundDevice) -> None:
        """Show the card until it answers."""
        card = card_for(self._cards, device) or self._cards[GENERIC]
        versions = ("3", "2c", "1") if self._keys.v3 is not None else ("2c", "1")
        way = card.way(versions=versions) or card.ways[0]
        while True:
            credentials = self._keys.of(way.version) or self._keys.v2c
            print()
            print(
                "\n".join(cards.Shown(card=card, way=way, values=self._values(device, credentials)).lines())
            )
            print()
            print(_("I ask {address} all the time.", address=device.address))
            print(_("Enter: ask now. o: another way. c: it has a community already."))
            print(_("s: skip it. a: add it all the same. q: enough."))
            turn = self._wait(device, credentials)
            if turn is None:
                usable = [each for each in card.ways if each.version in versions] or list(card.ways)
                way = usable[(usable.index(way) + 1) % len(usable)] if way in usable else usable[0]
                continue
            if turn is _Turn.TYPED:
                credentials = self._typed[-1]
            if turn in (_Turn.OPENED, _Turn.TYPED):
                print(_("● {title} answers.", title=device.title))
            if turn is not _Turn.SKIPPED:
                self._offer(device, credentials, asked=turn is _Turn.ADDED_CLOSED)
            return

    def _wait(self, device: FoundDevice, credentials: Credentials) -> _Turn | None:
        """Until it answers or the person says something else; None: show another way."""
        told = ""
        while True:
            outcome = _try(device.address, self._port, credentials)
            if outcome == "":
                return _Turn.OPENED
            if outcome not in (None, told):
                told = outcome or ""
                print(_("  It is there, but: {why}", why=told))
            word = _typed(_EVERY_S)
            match word:
                case None:
                    continue
                case "s":
                    return _Turn.SKIPPED
                case "a":
                    return _Turn.ADDED_CLOSED
                case "o":
                    return None
                case "c":
                    if self._type_community(device):
                        return _Turn.TYPED
                case "q":
                    raise Leave
                case _:
                    print(_("  No answer yet."))

    def _type_community(self, device: FoundDevice) -> bool:
        """Ask for a community that the device may have already; whether it answers to that. It is tried on
        those that follow, too: who has one community on a radio has it on all.
        """
        try:
            community = getpass.getpass(_("Its community (not shown while you type): ")).strip()
        except EOFError:
            raise Leave from None
        if not community:
            return False
        typed = Credentials.community("2c", community)
        if _try(device.address, self._port, typed) != "":
            print(_("  No answer to that."))
            return False
        self._typed.append(typed)
        return True

    def _offer(self, device: FoundDevice, credentials: Credentials, *, asked: bool = False) -> None:
        """ "add? name? site?"; saved at once."""
        if not asked and not self._yes(_("Add it?")):
            return
        title = self._answer(_("What is it called?"), _proposed(device))
        with growing(self._home.network_path) as change:
            sites = {site.name: site.title for site in change.network.sites.values()}
            site = self._answer(_("Where does it stand?"), self._site or next(iter(sites.values())))
            node = next(iter(change.network.nodes), None)
            address = device.address if self._port == 161 else f"{device.address}:{self._port}"
            try:
                name = adding.add_device(
                    change,
                    self._home.folder,
                    credentials,
                    address=address,
                    title=title,
                    site=site,
                    node=node,
                )
                change.save()
            except ConfigError as error:
                print(i18n.reason(error))
                return
        self._site = site
        self.added += 1
        print(_("  Added as {name}.", name=name))

    def _who_it_answers(self, device: FoundDevice) -> Credentials | None:
        """Who the device answers: those of the search, or of an earlier walk."""
        if device.snmp == "open":
            return self._searched
        for credentials in (*self._typed, *self._keys.all()):
            if _try(device.address, self._port, credentials) == "":
                return credentials
        return None

    def _values(self, device: FoundDevice, credentials: Credentials) -> dict[str, str]:
        """What stands in the places of a card."""
        values = cards.placeholders(netlook.address_toward(device.address) or _("THIS-MACHINE"))
        values["device"] = device.address
        values["user"] = credentials.user or USER
        for key, (_protocol, value) in credentials.secrets.items():
            values[key] = value.reveal()
        return values

    def _yes(self, question: str) -> bool:
        answer = _input(_("{question} [Y/n/q]", question=question) + " ")
        if answer == _QUIT:
            raise Leave
        return answer[:1] not in ("n", "N")

    def _answer(self, question: str, proposed: str) -> str:
        return _input(f"{question} [{proposed}] ") or proposed


def headline(devices: Sequence[FoundDevice]) -> str:
    """`Found: hAP, 2 LiteBeam 5AC Gen2; SNMP is off on 3.`"""
    kinds = Counter(device.model or device.title for device in devices)
    listed = ", ".join(kind if count == 1 else f"{count} {kind}" for kind, count in kinds.items())
    closed = sum(device.snmp != "open" for device in devices)
    if not closed:
        return _("Found: {what}; SNMP answers on all.", what=listed)
    return _n(
        "Found: {what}; SNMP is off, or closed to us, on {n} of them.",
        "Found: {what}; SNMP is off, or closed to us, on {n} of them.",
        closed,
        what=listed,
    )


def _proposed(device: FoundDevice) -> str:
    """Its own name, unless that is what it left the factory with."""
    name = device.name
    if name and name.casefold() not in (device.maker.casefold(), device.model.casefold(), "ubnt", "openwrt"):
        return name
    return device.model or device.title


def _try(host: str, port: int, credentials: Credentials) -> str | None:
    """ "" where it answers; why it refuses; None for silence."""
    try:
        asyncio.run(adding.ask(host, port, credentials.access, timeout_s=_PATIENCE_S))
    except SnmpDenied as error:
        return str(error)
    except SnmpError:
        return None
    return ""


def _typed(within_s: float) -> str | None:
    """The line that the person ends within this time; None where there is none. Raises `Leave` at the end."""
    readable, _writable, _errors = select.select([sys.stdin], [], [], within_s)
    if not readable:
        return None
    line = sys.stdin.readline()
    if not line:
        raise Leave
    return line.strip().casefold()


def _input(prompt: str) -> str:
    """An answer; raises `Leave` at the end of input."""
    try:
        return input(prompt).strip()
    except EOFError:
        raise Leave from None
