"""`ayni network found`: links that devices tell of, beside those of network.yaml, and writing them down."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ayni_core.inventory import Network
from ayni_core.schema import ConfigError, did_you_mean
from ayni_core.slug import slug
from ayni_core.wire import topics
from ayni_core.wire.questions import FOUND_STATES, AskFound, Found, FoundEndView, FoundView
from ayni_hub import roof
from ayni_hub.command_tap import broker_of
from ayni_hub.grow import growing, must_exist
from ayni_hub.home import Home
from ayni_io.i18n import _, say
from ayni_io.mqtt import PROTOCOLS, BrokerConfig, MqttError
from ayni_io.onlooker import Onlooker
from ayni_io.secret import Secret

_CONNECTS_WITHIN_S = 10.0
ON_AIR = ("radio", "mesh")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Its options, besides the folder."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help=_("one JSON object"))
    form.add_argument(
        "--add", action="store_true", help=_("offer what is on the air and not written down, one by one")
    )
    add_broker_options(parser)


def add_broker_options(parser: argparse.ArgumentParser) -> None:
    """Where to ask, and as whom, if not the network that runs from this folder as its own user."""
    parser.add_argument("--broker", metavar="HOST[:PORT]", help=_("where the broker is"))
    parser.add_argument("--user", metavar="NAME", help=_("your name in network.yaml"))
    parser.add_argument(
        "--password-file",
        metavar="FILE",
        type=Path,
        help=_("file with your password; else AYNI_PASSWORD is read"),
    )
    parser.add_argument(
        "--ca", metavar="FILE", type=Path, help=_("certificate of the network's own authority: use TLS")
    )
    parser.add_argument("--mqtt", choices=sorted(PROTOCOLS), default="5", help=_("version of MQTT"))


def run(home: Home, options: argparse.Namespace) -> int:
    """Ask the central, and show what it says, or offer to write it down. Raises `ConfigError`."""
    found = asyncio.run(_ask(broker_of_person(home, options)))
    if found is None:
        print("ayni network found: " + _("The central did not answer."), file=sys.stderr)
        return 1
    if found.error is not None:
        print("ayni network found: " + say(found.error), file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps([asdict(link) for link in found.links]))
        return 0
    network = home.network() if home.exists else None
    for line in lines(found, network):
        print(line)
    if options.add:
        if not sys.stdin.isatty():
            raise ConfigError([_("--add: expected a terminal, to ask which ones")])
        return _add(home, found)
    return 0


def _add(home: Home, found: Found) -> int:
    added = offer(home, found, lambda question, empty: input(question + " ").strip() or empty)
    if added and roof.tell_to_read_again(home):
        print(_("The running network takes it in now."))
    return 0


def lines(found: Found, network: Network | None) -> list[str]:
    """What was found, for people: a heading for each state that occurs, and a line a link."""
    headings = {
        "seen": _("Written down, and found:"),
        "new": _("Found, and not written down:"),
        "missing": _("Written down, and not found:"),
        "untold": _("Written down, and a device says nothing of itself:"),
    }
    result: list[str] = []
    for state in FOUND_STATES:
        links = [link for link in found.links if link.state == state]
        if links:
            result += [*([""] if result else []), headings[state]]
            result += [_line(link, network) for link in links]
    return result or [_("Nothing is written down, and nothing was found yet.")]


def _line(link: FoundView, network: Network | None) -> str:
    kinds = {"radio": _("radio"), "cable": _("cable"), "mesh": _("mesh"), "": ""}
    ends = f"{_end(link.a)} - {_end(link.b)}"
    sure = f"{link.sure:.0%}" if link.sure else ""
    name = link.link
    if network is not None and name in network.links:
        name = network.links[name].title
    return f"  {ends:<50} {kinds.get(link.kind, link.kind):<6} {sure:<5} {name}".rstrip()


def _end(end: FoundEndView) -> str:
    return f"{end.device} ({end.port})" if end.port else end.device


# ---- writing them down


def offer(home: Home, found: Found, answer: Callable[[str, str], str]) -> int:
    """Ask for each link on the air that is not written down whether, and under which title; how many were
    added. `answer` gets a question and what an empty answer means; where it ends the asking (Ctrl+C, Ctrl+D),
    what was added stays.

    Cables are shown only: what a link is judged by is what its radios hear. Raises `ConfigError`.
    """
    added = 0
    for link in found.links:
        if link.state != "new" or link.kind not in ON_AIR:
            continue
        try:
            added += _offer_one(home, link, answer)
        except (EOFError, KeyboardInterrupt):
            print()
            break
    return added


def _offer_one(home: Home, link: FoundView, answer: Callable[[str, str], str]) -> bool:
    wanted = answer(_("{a} - {b}: add? [y/N]", a=_end(link.a), b=_end(link.b)), "")
    if wanted.casefold() not in (_("y"), _("yes")):
        return False
    must_exist(home.network_path)
    usual = usual_title(home.network(), link)
    title = answer(_("What do people call it? [{usual}]", usual=usual), usual)
    name = write_down(home, link, title)
    print(_("Added the link {name}: {title}", name=name, title=title))
    return True


def usual_title(network: Network, link: FoundView) -> str:
    """What a link is called when nobody says otherwise: its two sites. Raises `ConfigError`."""
    for end in (link.a, link.b):
        if end.device not in network.devices:
            hint = did_you_mean(end.device, network.devices)
            raise ConfigError([_('no device "{name}"{hint}', name=end.device, hint=hint)])
    return "-".join(network.site_of(end.device).title for end in (link.a, link.b))


def write_down(
    home: Home, link: FoundView, title: str, heard: tuple[float | None, float | None] = (None, None)
) -> str:
    """Add a found link to network.yaml, with what its two ends should hear where that is known; its name.
    Raises `ConfigError`."""
    with growing(home.network_path) as change:
        for end in (link.a, link.b):
            change.device(end.device)
        sites = [change.network.site_of(end.device) for end in (link.a, link.b)]
        name = slug("-".join(site.name for site in sites), "link", change.network.links, longest=48)
        entry: dict[str, Any] = {"title": title}
        for letter, end, signal in zip("ab", (link.a, link.b), heard, strict=True):
            entry[letter] = {"device": end.device} | ({"radio": end.port} if end.port else {})
            if signal is not None:
                entry[letter]["expected_dbm"] = round(signal)
        change.add("links", name, entry)
        change.save()
    return name


# ---- asking


def broker_of_person(home: Home, options: argparse.Namespace) -> BrokerConfig:
    """To connect as a person: of the broker that is named, or of the network that runs from this folder."""
    if options.broker is not None or options.user is not None:
        options.config = None
        return broker_of(options)
    return broker_at_home(home)


def broker_at_home(home: Home) -> BrokerConfig:
    """To connect as the person of the network that runs from this folder. Raises `ConfigError`."""
    running = roof.look(home)
    if running is None:
        raise ConfigError(
            [_("{path}: nothing runs from here; begin with ayni start, or name a --broker", path=home.folder)]
        )
    person = f"p-{home.settings().person}"
    password = (home.folder / "secrets" / person).read_text(encoding="utf-8").strip()
    return BrokerConfig(
        port=running.port, username=person, password=Secret(password), protocol=running.protocol
    )


async def _ask(broker: BrokerConfig) -> Found | None:
    async with Onlooker(broker) as eyes:
        if not await eyes.until(lambda: topics.HUB in eyes.said, _CONNECTS_WITHIN_S):
            return None
        try:
            return await eyes.ask(AskFound(), Found, within_s=20)
        except MqttError:
            return None
