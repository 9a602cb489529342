"""`ayni agent record HOST -o FILE`: everything a device says, in a file that others may read."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ayni_agent.command_poll import add_device_options, open_device, why
from ayni_agent.device_walk import add_walk_options, walk_device
from ayni_agent.poller import Poller
from ayni_core.convert import Raw
from ayni_core.masking import mask
from ayni_core.masking_senses import Senses, senses_of
from ayni_core.mibview import MibView
from ayni_core.schema import ConfigError
from ayni_core.snmprec import format_snmprec
from ayni_io import files
from ayni_io.i18n import _, reason
from ayni_io.profiles import Profiles
from ayni_io.snmp_recording import RecordedReader
from ayni_io.usage import Parser

_STOPPED = 130


def parser() -> argparse.ArgumentParser:
    """The options of `ayni agent record`."""
    result = Parser(
        prog="ayni agent record",
        description=_(
            "Read everything a device says into a file. Passwords, names and addresses are replaced, so that "
            "the file can be shared."
        ),
    )
    add_device_options(result)
    result.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help=_("the file to write (.snmprec)")
    )
    result.add_argument("--force", action="store_true", help=_("replace the file if it is there already"))
    result.add_argument(
        "--unmasked",
        action="store_true",
        help=_("keep everything as it is: for your own use, never to share"),
    )
    add_walk_options(result)
    return result


def main(argv: Sequence[str]) -> int:
    """0: the file holds all; 1: a part, or nothing; 2: the question was wrong; 130: Ctrl+C."""
    arguments = parser().parse_args(argv)
    try:
        if arguments.host is None:
            raise ConfigError([_("name a host")])
        refuse_to_overwrite(arguments.output, force=arguments.force)
        reader = open_device(arguments)
        walked = walk_device(reader, arguments)
        objects = walked.walk.objects
        if not objects:
            if walked.stopped:
                return _STOPPED
            stopped = why(walked.failure, arguments) if walked.failure else _("the device shows no objects")
            print(f"ayni agent record: {stopped}", file=sys.stderr)
            return 1
        remark = walked.remark()
        notes = [_("recorded with ayni agent record")]
        counts: Mapping[str, int] = {}
        if not arguments.unmasked:
            masked = mask(objects, known_senses(objects))
            objects, counts = masked.objects, masked.counts
            notes.append(_("masked: {what}", what=told(counts)))
        else:
            notes.append(_("NOT masked: it may hold passwords, names and addresses; do not share it"))
        if remark:
            notes.append(_("PARTIAL: {why}", why=remark))
        write(arguments.output, format_snmprec(objects, notes), secret=arguments.unmasked)
    except ConfigError as error:
        print(f"ayni agent record: {reason(error)}", file=sys.stderr)
        return 2
    print(_("{file}: {objects} objects", file=arguments.output, objects=len(objects)))
    for note in notes[1:]:
        print(note)
    if not arguments.unmasked:
        print(_("Look it through before you share it: a name may stand where nobody expects one."))
    if walked.stopped:
        return _STOPPED
    return 1 if remark else 0


def known_senses(objects: Mapping[bytes, Raw]) -> Senses:
    """What the profile of this very device knows of its objects."""
    profiles = Profiles()
    poller = Poller("recording", RecordedReader(MibView(objects)), profiles)
    try:
        asyncio.run(poller.poll(0.0))
        return senses_of(profiles.load(poller.family)) if poller.family else Senses()
    except ConfigError:  # somebody's profile has faults; a walk of minutes is not lost for that
        return Senses()


def told(counts: Mapping[str, int]) -> str:
    """What was replaced, in words."""
    words = {
        "mac": _("hardware addresses"),
        "ip": _("IP addresses"),
        "name": _("names"),
        "contact": _("contacts"),
        "place": _("places"),
        "person": _("e-mail addresses"),
        "ssid": _("network names"),
        "serial": _("serial numbers"),
        "secret": _("passwords"),
        "text": _("other texts"),
        "left out": _("objects left out"),
    }
    found = [f"{counts[sort]} {word}" for sort, word in words.items() if counts.get(sort)]
    return ", ".join(found) or _("nothing needed it")


def refuse_to_overwrite(path: Path, *, force: bool) -> None:
    """`ConfigError` where a file is in the way or cannot be written, before any work is done."""
    if path.exists() and not force:
        raise ConfigError([_("{file}: is there already; --force replaces it", file=path)])
    if not path.parent.is_dir():
        raise ConfigError([_("{file}: there is no folder {folder}", file=path, folder=path.parent)])


def write(path: Path, text: str, *, secret: bool = False) -> None:
    """Write a file whole; one with secrets is for its owner alone."""
    try:
        files.write_text(path, text, mode=0o600 if secret else 0o644)
    except OSError as error:
        raise ConfigError([_("{file}: cannot be written: {why}", file=path, why=error.strerror)]) from None
