"""What comes after the first devices: which of them are linked, what is normal, whom to tell, power cuts.

One question after the other; each answer is written down at once. Whoever leaves takes it up again with
`ayni network next`: only what is still open is asked.
"""

from __future__ import annotations

import asyncio
import getpass
import re
import shlex
import shutil
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from ayni_core.inventory import Link, Network
from ayni_core.schema import ConfigError
from ayni_core.wire import topics
from ayni_core.wire.messages import DeviceView
from ayni_core.wire.questions import AskFound, AskReadings, Found, FoundView, Readings
from ayni_hub import command_found, command_notify, roof
from ayni_hub.grow import growing
from ayni_hub.home import Home
from ayni_hub.people.zones import zones_of
from ayni_io import files, i18n
from ayni_io.i18n import _
from ayni_io.mqtt import MqttError
from ayni_io.onlooker import Onlooker
from ayni_io.stack import ayni

ANSWER_WITHIN_S, FOUND_WITHIN_S, _EVERY_S = 45.0, 30.0, 2.0
_QUIT = "q"
_POLLS = 3
_UNIT = """\
[Unit]
Description=Ayni: {title}
After=network-online.target

[Service]
User={user}
ExecStart={start}
RuntimeDirectory=ayni
RuntimeDirectoryPreserve=yes
Restart=always

[Install]
WantedBy=multi-user.target
"""
"""systemd.unit(5); the same stands in docs/deploying.md."""


class Leave(Exception):  # noqa: N818  what the person wants, not a fault
    """The person has had enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A link that devices tell of, and what its two ends hear now."""

    link: FoundView
    heard: tuple[float | None, float | None]


def settle(home: Home) -> None:
    """Go through all that is open. Raises `ConfigError`, also where nothing runs from here."""
    running = roof.look(home)
    if running is None:
        raise ConfigError([_("{path}: nothing runs from here; begin with ayni start", path=home.folder)])
    try:
        _links(home)
        _people(home)
        _power_cuts(home)
    except (Leave, EOFError, KeyboardInterrupt):
        print()
        _say(_("Later: ayni network next"))


# ---- links


def _links(home: Home) -> None:
    network = home.network()
    asked = [device.name for device in network.devices.values() if device.source is None]
    if len(asked) < 2:
        return
    _say(_("Waiting until every device has answered once …"))
    pairs = asyncio.run(_found(home, network, asked))
    changed = False
    for pair in pairs:
        if pair.link.state == "new":
            changed |= _offer(home, network, pair)
        elif pair.link.link in network.links:
            changed |= _offer_normal(home, network.links[pair.link.link], pair)
    if not pairs and not network.links:
        _say(_("No two of them hear each other, as far as they tell. Later: ayni network found"))
    if changed:
        roof.tell_to_read_again(home)


async def _found(home: Home, network: Network, asked: list[str]) -> list[Pair]:
    """Wait for devices to answer, and for links that are not written down, or have no normal signal yet."""
    async with Onlooker(command_found.broker_at_home(home), topics.net("device", "+")) as eyes:
        await _answer(eyes, network, asked)
        waited_s = 0.0
        links: tuple[FoundView, ...] = ()
        while not links and waited_s < FOUND_WITHIN_S:
            links = _open_ones(network, await _ask_found(eyes))
            if not links:
                await asyncio.sleep(_EVERY_S)
                waited_s += _EVERY_S
        return [Pair(link=link, heard=await _heard(eyes, link)) for link in links]


async def _answer(eyes: Onlooker, network: Network, asked: list[str]) -> None:
    """Say of each device that it answers, as it does."""
    said: set[str] = set()

    def all_said() -> bool:
        for name in asked:
            view = eyes.read(DeviceView, topics.net("device", name))
            if name not in said and view is not None and view.state == "ok":
                said.add(name)
                model = f" ({view.model})" if view.model else ""
                _say("● " + _("{title} answers.", title=network.devices[name].title) + model)
        return len(said) == len(asked)

    await eyes.until(all_said, ANSWER_WITHIN_S)
    for name in asked:
        if name not in said:
            _say("? " + _("{title} has not answered yet.", title=network.devices[name].title))


async def _ask_found(eyes: Onlooker) -> Found:
    try:
        return await eyes.ask(AskFound(), Found, within_s=10) or Found()
    except MqttError:
        return Found()


def _open_ones(network: Network, found: Found) -> tuple[FoundView, ...]:
    """Links on the air that nobody wrote down, or of which nobody said what is normal."""
    return tuple(
        link
        for link in found.links
        if link.kind in command_found.ON_AIR
        and (link.state == "new" or not _has_normal(network.links.get(link.link)))
    )


def _has_normal(link: Link | None) -> bool:
    return link is None or any(end.expected_dbm is not None for end in (link.a, link.b))


async def _heard(eyes: Onlooker, link: FoundView) -> tuple[float | None, float | None]:
    signals = []
    for here, there in ((link.a, link.b), (link.b, link.a)):
        try:
            answer = await eyes.ask(AskReadings(device=here.device), Readings)
        except MqttError:
            answer = None
        read = {
            each.item: each.value
            for each in (answer.readings if answer is not None else ())
            if each.metric == "signal_dbm" and isinstance(each.value, int | float)
        }
        signals.append(signal_of(read, there.mac))
    return signals[0], signals[1]


def signal_of(signals: Mapping[str, float], mac: str) -> float | None:
    """What a device hears of a hardware address: by its item, or the only thing that it hears."""
    plain = {re.sub("[^0-9a-f]", "", item.casefold()): value for item, value in signals.items()}
    if mac and mac in plain:
        return plain[mac]
    return next(iter(signals.values())) if len(signals) == 1 else None


def _offer(home: Home, network: Network, pair: Pair) -> bool:
    """ "These two look like one link: write it down?" """
    link = pair.link
    a, b = (network.devices[end.device].title for end in (link.a, link.b))
    print()
    _say(_("{a} and {b} look like one link.", a=a, b=b))
    if not _yes(_("Write it down?")):
        return False
    usual = command_found.usual_title(network, link)
    title = _input(_("What do people call it? [{usual}]", usual=usual)) or usual
    heard = pair.heard if _keep_as_new(network, link, pair.heard) else (None, None)
    command_found.write_down(home, link, title, heard)
    _say("● " + _("{title} is written down.", title=title))
    return True


def _offer_normal(home: Home, link: Link, pair: Pair) -> bool:
    """ "-61 now: keep as when new?" for a link that was written down without."""
    print()
    _say(f"{link.title}:")
    if not _keep_as_new(home.network(), pair.link, pair.heard):
        return False
    values = {pair.link.a.device: pair.heard[0], pair.link.b.device: pair.heard[1]}
    with growing(home.network_path) as change:
        for letter, end in (("a", link.a), ("b", link.b)):
            signal = values.get(end.device)
            if signal is not None:
                change.put(("links", link.name, letter), "expected_dbm", round(signal))
        change.save()
    return True


def _keep_as_new(network: Network, link: FoundView, heard: tuple[float | None, float | None]) -> bool:
    told = [
        _("{device} hears {signal} dBm", device=network.devices[end.device].title, signal=round(signal))
        for end, signal in zip((link.a, link.b), heard, strict=True)
        if signal is not None
    ]
    if not told:
        return False
    _say("  " + ", ".join(told))
    return _yes(_("Is that as it should be? Then it is kept as when new."))


# ---- people


def _people(home: Home) -> None:
    """Where alarms go, proved by a test message before it is written down."""
    name = home.settings().person
    person = home.network().people.get(name)
    if person is None or person.contact.targets:
        return
    print()
    _say(_("Where do alarms go? An address for Apprise, such as ntfy://ntfy.sh/our-village or mailtos://…"))
    _say(_("Enter: nowhere yet. It may hold a password: it is kept in a file for you alone."))
    secret = home.folder / "secrets" / f"notify-{name}"
    while True:
        address = _input(">")
        if not address:
            return
        files.write_secret(secret, address)
        with growing(home.network_path) as change:
            try:
                change.put(("people", name), "notify", {"alarms": {"address": f"file:{secret}"}})
                zones = zones_of(change.network, str(home.network_path))[1]
                sent = command_notify.send_test(change.network, str(home.network_path), zones, name) == 0
            except ConfigError as error:
                print(i18n.reason(error))
                sent = False
            if sent and _yes(_("Did the test message arrive?")):
                change.save()
                roof.tell_to_read_again(home)
                _say("● " + _("Alarms go there from now on."))
                return
        secret.unlink(missing_ok=True)
        _say(_("Another address? Enter: nowhere yet."))


# ---- what is left to say


def _power_cuts(home: Home) -> None:
    network = home.network()
    unit = home.folder / "ayni.service"
    start = shlex.join(ayni("start", "--foreground", "--dir", str(home.folder)))
    text = _UNIT.format(title=network.title.replace("\n", " "), user=_user(), start=start)
    files.write_text(unit, text)
    minutes = max(1, round(_POLLS * network.poll_s / 60))
    print()
    _say(_("Try it: unplug a radio. Home says DOWN within {n} min; plug it in, and it clears.", n=minutes))
    _say(_("After a power cut: ayni start. So that this machine does it by itself, once:"))
    print(f"  sudo install -m 644 {shlex.quote(str(unit))} /etc/systemd/system/ayni.service")
    print("  sudo systemctl enable ayni")
    _say(_("Data: devices are asked in your own network; nothing leaves it but messages to people."))
    _say(_("Another site has a monitor of its own: docs/deploying.md says how."))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "root"


# ---- the terminal


def _yes(question: str) -> bool:
    answer = _input(_("{question} [Y/n/q]", question=question))
    if answer == _QUIT:
        raise Leave
    return answer[:1] not in ("n", "N")


def _input(question: str) -> str:
    return input(f"{question} ").strip()


def _say(text: str) -> None:
    width = shutil.get_terminal_size().columns
    print(textwrap.fill(text, width, subsequent_indent="  ", break_on_hyphens=False), flush=True)
