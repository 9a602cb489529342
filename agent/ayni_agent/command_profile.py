"""`ayni profile …`: teach Ayni a new device: draft a profile, check it, try it."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ayni_agent.command_poll import add_device_options, add_recording_option, open_device, read_recording, why
from ayni_agent.command_record import refuse_to_overwrite, write
from ayni_agent.device_walk import add_walk_options, walk_device
from ayni_agent.poller import Poller
from ayni_agent.profile_check import check, files_of
from ayni_agent.profile_trial import OneFile, as_lines, as_object, trial
from ayni_core.ber import decode_oid, encode_oid
from ayni_core.convert import Raw
from ayni_core.draft import Knowledge, draft
from ayni_core.identify import SYS_OBJECT_ID
from ayni_core.metrics import METRICS
from ayni_core.mibview import MibView
from ayni_core.readings import Poll
from ayni_core.schema import ConfigError
from ayni_core.slug import slug
from ayni_core.snmp import OID
from ayni_io import clock
from ayni_io.i18n import _, _c, _n, reason
from ayni_io.profiles import Profiles
from ayni_io.snmp import SnmpReader
from ayni_io.snmp_recording import RecordedReader
from ayni_io.usage import Parser

_ENTERPRISES = (1, 3, 6, 1, 4, 1)


class _NotRead(Exception):  # noqa: N818
    """The device did not answer; the text says why."""


def parser() -> argparse.ArgumentParser:
    """The options of `ayni profile`."""
    result = Parser(prog="ayni profile", description=_("Teach Ayni a new device, without programming."))
    below = result.add_subparsers(dest="what", required=True, metavar="WHAT")
    drafted = below.add_parser(
        "draft",
        help=_("write a first profile from what a device says"),
        description=_("Walk a device, or take a recording, and write the draft of a profile for it."),
    )
    add_device_options(drafted)
    add_recording_option(drafted)
    drafted.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help=_("the file to write (default: show it)")
    )
    drafted.add_argument("--force", action="store_true", help=_("replace the file if it is there already"))
    add_walk_options(drafted)
    checked = below.add_parser(
        "check",
        help=_("check profiles, all faults at once"),
        description=_("Check profiles, or whole folders of them, and name every fault with its line."),
    )
    checked.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help=_("profiles, or a folder of them")
    )
    tried = below.add_parser(
        "try",
        help=_("show what a profile reads from a device"),
        description=_("Read a device by the profile in a file, and show the raw answer beside each reading."),
    )
    tried.add_argument("file", type=Path, metavar="FILE", help=_("the profile"))
    add_device_options(tried)
    add_recording_option(tried)
    tried.add_argument("--all", action="store_true", help=_("the readings of included parts, too"))
    tried.add_argument("--json", action="store_true", help=_("print one JSON object"))
    add_walk_options(tried)
    metrics = below.add_parser(
        "metrics",
        help=_("list the metrics that a profile can name"),
        description=_("List the metrics that a profile can name, with unit and meaning."),
    )
    metrics.add_argument("word", nargs="?", default="", metavar="WORD", help=_("only those with this word"))
    return result


def main(argv: Sequence[str]) -> int:
    """0 when all is well; 1 when the device did not answer; 2 when the question or a file was wrong."""
    arguments = parser().parse_args(argv)
    try:
        match arguments.what:
            case "draft":
                return _draft(arguments)
            case "check":
                return _check(arguments.files)
            case "try":
                return _try(arguments)
        return _metrics(arguments.word)
    except ConfigError as error:
        print(reason(error), file=sys.stderr)
        return 2
    except _NotRead as error:
        print(f"ayni profile {arguments.what}: {error}", file=sys.stderr)
        return 1


def _draft(arguments: argparse.Namespace) -> int:
    if arguments.output is not None:
        refuse_to_overwrite(arguments.output, force=arguments.force)
    knowledge = _knowledge()  # before the walk: faults of profiles are told at once
    objects, remark = _objects(arguments)
    name = slug(arguments.output.stem if arguments.output else "", "draft")
    text = draft(objects, knowledge, name)
    if remark:
        text += "\n# " + _("PARTIAL: {why}", why=remark) + "\n"
    if arguments.output is None:
        print(text, end="")
        return 0
    write(arguments.output, text)
    print(_("{file}: a draft; now go through it, then:", file=arguments.output))
    print(f"  ayni profile check {arguments.output}")
    where = f"--recording {arguments.recording}" if arguments.recording else arguments.host
    print(f"  ayni profile try {arguments.output} {where}")
    return 0


def _check(given: Sequence[Path]) -> int:
    files = files_of(given)
    faults = check(files)
    if faults:
        print("\n".join(faults), file=sys.stderr)
        return 2
    print(_n("{n} profile: good", "{n} profiles: good", len(files)))
    return 0


def _try(arguments: argparse.Namespace) -> int:
    profiles = Profiles(arguments.file.parent)
    profile, rules = profiles.read(arguments.file)
    families = OneFile(profiles, profile, rules)
    objects: Mapping[bytes, Raw] = {}
    if arguments.recording is not None:
        objects, _remark = _objects(arguments)
        reader: SnmpReader = RecordedReader(MibView(objects))
    else:
        reader = open_device(_with_host(arguments))
    poller, poll, known_as = asyncio.run(_poll(reader, families, profile.name))
    if poll.error is not None:
        raise _NotRead(why(poller.failure, arguments))
    for what in poller.skipped:
        print(_("left out: {what}", what=what), file=sys.stderr)
    branch = _branch(poller)
    if arguments.recording is None and branch:
        objects = walk_device(open_device(arguments), arguments, branch).walk.objects
    found = trial(profile, known_as, poller, poll, objects, branch)
    if arguments.json:
        json.dump(as_object(found), sys.stdout, ensure_ascii=False)
        print()
    else:
        print("\n".join(as_lines(found, everything=arguments.all)))
    return 0


async def _poll(reader: SnmpReader, families: OneFile, name: str) -> tuple[Poller, Poll, str]:
    """First as any device is polled, to see which profile is found; by that of the file in any case."""
    try:
        poller = Poller("device", reader, families)
        poll = await poller.poll(clock.monotonic_s())
        known_as = poller.family or name
        if poll.error is None and known_as != name:
            poller = Poller("device", reader, families, name)
            poll = await poller.poll(clock.monotonic_s())
    finally:
        reader.close()
    return poller, poll, known_as


def _branch(poller: Poller) -> bytes:
    """What the objects of the device's maker begin with; b"" where sysObjectID does not tell."""
    for oid, tag, value in poller.last:
        if oid == SYS_OBJECT_ID and tag == OID and isinstance(value, bytes):
            arcs = decode_oid(value)
            return encode_oid(arcs[:7]) if len(arcs) > 6 and arcs[:6] == _ENTERPRISES else b""
    return b""


def _objects(arguments: argparse.Namespace) -> tuple[Mapping[bytes, Raw], str]:
    """All objects of a recording or a device, and why they are not all."""
    if arguments.recording is not None:
        if arguments.host is not None:
            raise ConfigError([_("give a host or a recording, not both")])
        return read_recording(arguments.recording), ""
    walked = walk_device(open_device(_with_host(arguments)), arguments)
    if not walked.walk.objects:
        if walked.stopped:
            raise KeyboardInterrupt
        raise _NotRead(why(walked.failure, arguments) if walked.failure else _("the device shows no objects"))
    return walked.walk.objects, walked.remark()


def _with_host(arguments: argparse.Namespace) -> argparse.Namespace:
    if arguments.host is None:
        raise ConfigError([_("name a host, or a recording with --recording FILE")])
    return arguments


def _knowledge() -> Knowledge:
    """Everything there is; a profile with faults is another matter."""
    profiles = Profiles()
    families = []
    for name in profiles.names():
        try:
            families.append(profiles.load(name))
        except ConfigError:
            continue
    return Knowledge(parts=profiles.parts(), families=families, rules=profiles.rules())


def _metrics(word: str) -> int:
    wanted = word.casefold()
    found = 0
    for metric in METRICS.values():
        meaning = _c(metric.name, metric.meaning)
        if wanted in metric.name.casefold() or wanted in meaning.casefold():
            found += 1
            print(f"{metric.name:<22} {metric.unit or metric.kind:<8} {meaning}")
    if not found:
        print(_('no metric has the word "{word}"', word=word), file=sys.stderr)
    return 0 if found else 1
