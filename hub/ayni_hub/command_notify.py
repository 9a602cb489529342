"""`ayni notify test|list|status`: whether people can be reached, who is told what, and how messages went."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path

from ayni_core import inventory
from ayni_core.inventory import Network, Person
from ayni_core.reach import DAYS, Contact, Quiet, Target, local_time
from ayni_core.schema import ConfigError, did_you_mean
from ayni_core.topology import build
from ayni_hub import places
from ayni_hub.people import deliveries
from ayni_hub.people.audience import Audience
from ayni_hub.people.memory import FILE, Memory, PeopleError
from ayni_hub.people.outbox import Outbox
from ayni_hub.people.senders import Result, Senders
from ayni_hub.people.wording import Reader, fit
from ayni_hub.people.zones import zones_of
from ayni_io import yamlfile
from ayni_io.i18n import _, _n, language
from ayni_io.usage import Parser

_NEWEST = 20


def parser() -> argparse.ArgumentParser:
    """The options of `ayni notify`."""
    result = Parser(prog="ayni notify", description=_("How people are told of alarms."))
    below = result.add_subparsers(dest="what", required=True, metavar="WHAT")
    test = below.add_parser(
        "test",
        help=_("send somebody a test message"),
        description=_("Send a test message to a person, and say of each target what came back."),
    )
    test.add_argument("person", metavar="NAME", help=_("of a person in network.yaml"))
    test.add_argument("--target", metavar="T", help=_("only this one"))
    shown = below.add_parser(
        "list",
        help=_("show who is told what, where and when"),
        description=_("Show who is told what, where and when, and whose turn it is."),
    )
    went = below.add_parser(
        "status",
        help=_("show how messages went"),
        description=_("Show of each target whether it works, and the newest messages."),
    )
    for each in (test, shown, went):
        places.add(each)
    return result


def main(argv: Sequence[str]) -> int:
    """Do one of them. `ConfigError` is for the command line to tell."""
    options = parser().parse_args(argv)
    place = places.of(options)
    path = place.network
    network = yamlfile.read(path, inventory.parse)
    zone, zones = zones_of(network, str(path))
    match options.what:
        case "test":
            return send_test(network, str(path), zones, options.person, options.target)
        case "list":
            print("\n".join(listed(network, zone, zones, time.time())))
            return 0
    return _status(network, zone, place.data_dir / FILE)


# ---- test


def send_test(
    network: Network, source: str, zones: dict[str, tzinfo], name: str, only: str | None = None
) -> int:
    """Send a person a test message on all ways, or on one, and tell what came of it; an exit status. Raises
    `ConfigError`."""
    person = network.people.get(name)
    if person is None:
        known = did_you_mean(name, network.people)
        raise ConfigError(
            [_('{source}: nobody is called "{name}"{known}', source=source, name=name, known=known)]
        )
    targets = {each.name: each for each in person.contact.targets}
    if only is not None and only not in targets:
        raise ConfigError(
            [
                _(
                    '{source}: {person} has no target "{name}"{known}',
                    source=source, person=name, name=only, known=did_you_mean(only, targets),
                )
            ]
        )  # fmt: skip
    if not targets:
        raise ConfigError(
            [_("{source}: people.{person}.notify is missing: nothing to send to", source=source, person=name)]
        )
    reader = Reader(person.language or network.language, zones[name])
    chosen = [each for each in targets.values() if only in (None, each.name)]
    results = asyncio.run(_send_tests(Senders(network, source), network, person, reader, chosen))
    for target, result in zip(chosen, results, strict=True):
        word = _("sent") if result.ok else _("NOT sent: {reason}", reason=result.reason)
        print(f"{target.name} ({target.kind}): {word}")
    if all(result.ok for result in results):
        print(_("Ask {person} whether it arrived.", person=person.title))
        return 0
    return 1


async def _send_tests(
    senders: Senders, network: Network, person: Person, reader: Reader, targets: Sequence[Target]
) -> list[Result]:
    async def one(target: Target) -> Result:
        text = reader.say("tell.test", network=network.title, person=person.title, target=target.name)
        return await senders.send(person.name, target, fit([text]) if target.form == "short" else text, "")

    return [await one(target) for target in targets]


# ---- list


def listed(network: Network, zone: tzinfo, zones: dict[str, tzinfo], now: float) -> list[str]:
    """Who is told what, where and when, as lines."""
    audience = Audience(network, build(network), zones, zone)
    lines = []
    for person in network.people.values():
        contact = person.contact
        if not contact.targets:
            lines.append(_("{person}: is told nothing (no notify)", person=person.title))
            continue
        ways = ", ".join(f"{each.name} ({each.kind})" for each in contact.targets)
        lines.append(f"{person.title}: {ways}")
        lines += [f"  {line}" for line in _wishes(network, person, contact, zones[person.name], now)]
    if network.reach.on_call is not None:
        duty = [network.people[name].title for name in audience.on_duty(now)]
        lines.append(_("Whose turn it is: {people}", people=", ".join(duty)))
    escalation = network.reach.escalation
    if escalation.next_after_min is not None:
        lines.append(
            _("Nobody takes it on for {n} min: the next one is told", n=f"{escalation.next_after_min:g}")
        )
    if escalation.all_after_min is not None:
        lines.append(_("Nobody takes it on for {n} min: all are told", n=f"{escalation.all_after_min:g}"))
    return lines


def _wishes(network: Network, person: Person, contact: Contact, zone: tzinfo, now: float) -> list[str]:
    lines = [
        _("wants what is critical")
        if contact.levels == "critical"
        else _("wants warnings and what is critical")
    ]
    if contact.sites:
        lines.append(_("of {sites}", sites=", ".join(network.sites[site].title for site in contact.sites)))
    if contact.quiet is not None:
        lines.append(_quiet(contact.quiet, zone, now))
    if contact.daily_min is not None:
        lines.append(_("a digest each day at {time}", time=_clock(contact.daily_min)))
    if contact.weekly is not None:
        day, minute = contact.weekly
        lines.append(_("a digest each week: {day} {time}", day=DAYS[day], time=_clock(minute)))
    lines.append(_("reads {language}", language=person.language or network.language))
    return lines


def _quiet(quiet: Quiet, zone: tzinfo, now: float) -> str:
    span = f"{_clock(quiet.start_min)}-{_clock(quiet.end_min)}"
    text = (
        _("quiet {span}, even for what is critical", span=span) if quiet.all else _("quiet {span}", span=span)
    )
    if not quiet.covers(local_time(now, zone)):
        return text
    suffix = _("just now")
    return f"{text} ({suffix})"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


# ---- status


def _status(network: Network, zone: tzinfo, path: Path) -> int:
    if not path.is_file():
        print(_("Nobody was told anything yet."))
        return 0
    try:
        with contextlib.closing(Memory(path)) as memory:
            seen = deliveries.view(network, Outbox(memory), memory)
    except PeopleError as error:
        print(f"ayni notify: {error}", file=sys.stderr)
        return 1
    reader, now = Reader(language(), zone), time.time()
    for target in seen.targets:
        words = [
            _("never reached")
            if target.reached_at is None
            else _("reached {time}", time=reader.time(target.reached_at, now))
        ]
        if target.failing:
            words.append(_("DOES NOT WORK: {reason}", reason=target.failing))
        if target.waiting:
            words.append(_n("{n} message waits", "{n} messages wait", target.waiting))
        print(f"{target.title}, {target.target} ({target.kind}): {'; '.join(words)}")
    for each in reversed(seen.newest[:_NEWEST]):
        reason = f" ({each.reason})" if each.reason else ""
        where = f"{each.person}/{each.target}"
        print(f"{reader.time(each.at, now)}  {where}  {state_word(each.state)}{reason}: {each.title}")
    return 1 if any(target.failing for target in seen.targets) else 0


def state_word(state: str) -> str:
    """How far a message is, in a word or two."""
    match state:
        case "waiting" | "sending":
            return _("on its way")
        case "gathered":
            return _("told later")
        case "sent":
            return _("sent")
        case "summed":
            return _("told with others")
        case "moot":
            return _("was over before")
    return _("GIVEN UP")
