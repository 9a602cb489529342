"""`ayni agent poll HOST`: read one device once, or a recording of one, and show what it says."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ayni_agent import source_poll
from ayni_agent.poll_report import as_lines, as_object
from ayni_agent.poller import Poller
from ayni_core.convert import Raw
from ayni_core.inventory import ENGINES
from ayni_core.mibview import MibView
from ayni_core.schema import ConfigError
from ayni_core.snmp import V1, V2C
from ayni_core.snmprec import SnmprecError, parse_snmprec
from ayni_io import clock, snmp_options
from ayni_io.i18n import _, reason
from ayni_io.profiles import Profiles
from ayni_io.secret import Secret, from_file
from ayni_io.snmp import SnmpReader, open_session
from ayni_io.snmp_access import Access, of_user
from ayni_io.snmp_errors import (
    SnmpError,
    SnmpLevelRefused,
    SnmpRefused,
    SnmpTimeout,
    SnmpUnknownUser,
    SnmpWrongAuth,
    SnmpWrongPriv,
)
from ayni_io.snmp_recording import RecordedReader
from ayni_io.usage import Parser

_COMMUNITY = "AYNI_SNMP_COMMUNITY"
_PORT = 161
_LARGEST = 32 * 1024 * 1024


class NothingRecordedError(ConfigError):
    """A recording without a single object."""


def parser() -> argparse.ArgumentParser:
    """The options of `ayni agent poll`."""
    result = Parser(prog="ayni agent poll", description=_("Read one device once and show what it says."))
    add_device_options(result)
    result.add_argument(
        "--profile", metavar="NAME", help=_("read by this profile instead of asking the device")
    )
    add_recording_option(result)
    result.add_argument(
        "--config", type=Path, metavar="FILE", help=_("an agent.yaml or network.yaml; with --device")
    )
    result.add_argument(
        "--device", metavar="NAME", help=_("a device in that file that is read by something else than SNMP")
    )
    result.add_argument("--json", action="store_true", help=_("print one JSON object"))
    return result


def add_device_options(result: argparse.ArgumentParser) -> None:
    """The options that say which device, and how it is spoken to; `open_device` takes them."""
    result.add_argument(
        "host", nargs="?", metavar="HOST[:PORT]", help=_("name or address; [::1]:161 for IPv6")
    )
    result.add_argument(
        "--community",
        metavar="@FILE",
        help=_(
            "file whose first line is the community; without this option it comes from {variable}, else "
            '"public". The community itself is taken too, but everybody on this machine can see it in ps',
            variable=_COMMUNITY,
        ),
    )
    result.add_argument("--version", choices=("1", "2c", "3"), default="2c", help=_("of SNMP (default 2c)"))
    snmp_options.add(result)
    result.add_argument(
        "--engine", choices=ENGINES, default=ENGINES[0], help=_("which library reads it (default fast)")
    )
    result.add_argument(
        "--timeout", type=_positive, default=2.0, metavar="S", help=_("seconds per try (default 2)")
    )
    result.add_argument("--retries", type=_count, default=2, metavar="N", help=_("further tries (default 2)"))


def add_recording_option(result: argparse.ArgumentParser) -> None:
    """The option that stands for a device: a recording of one."""
    result.add_argument(
        "--recording", type=Path, metavar="FILE", help=_("a recorded device (.snmprec) instead of a host")
    )


def main(argv: Sequence[str]) -> int:
    """0 when the device answered; 1 when it did not; 2 when the question was wrong."""
    arguments = parser().parse_args(argv)
    if arguments.config is not None or arguments.device is not None:
        return source_poll.main(arguments.config, arguments.device, arguments.host, as_json=arguments.json)
    try:
        profiles = Profiles()
        if arguments.profile is not None:
            profiles.load(arguments.profile)
        reader, name = _reader(arguments)
    except ConfigError as error:
        print(f"ayni agent poll: {reason(error)}", file=sys.stderr)
        return 1 if isinstance(error, NothingRecordedError) else 2
    return asyncio.run(_poll(Poller(name, reader, profiles, arguments.profile), arguments))


async def _poll(poller: Poller, arguments: argparse.Namespace) -> int:
    try:
        poll = await poller.poll(clock.monotonic_s())
    except ConfigError as error:
        print(f"ayni agent poll: {reason(error)}", file=sys.stderr)
        return 2
    finally:
        poller.close()
    if poll.error is not None:
        print(f"ayni agent poll: {why(poller.failure, arguments)}", file=sys.stderr)
        return 1
    for what in poller.skipped:
        print(_("left out: {what}", what=what), file=sys.stderr)
    if arguments.json:
        json.dump(as_object(poller, poll), sys.stdout, ensure_ascii=False)
        print()
    else:
        print("\n".join(as_lines(poller, poll)))
    return 0


def why(failure: SnmpError | None, arguments: argparse.Namespace) -> str:
    """Why a device could not be read, with the usual causes."""
    words = {"host": arguments.host, "user": arguments.user}
    match failure:
        case SnmpUnknownUser():
            return _("{host} does not know the user {user}", **words)
        case SnmpWrongAuth():
            return _("{host} refuses {user}: the authentication password or its protocol is wrong", **words)
        case SnmpWrongPriv():
            return _(
                "{host} accepts {user}, but reads nothing encrypted: privacy password or protocol is wrong",
                **words,
            )
        case SnmpLevelRefused():
            return _(
                "{host} does not offer this level of security to {user}: give other passwords or fewer",
                **words,
            )
        case SnmpTimeout() if arguments.version == "3":
            return _("no answer from {host}: SNMP version 3 off, or unreachable", **words)
        case SnmpRefused():
            return _(
                "{host} is there, but nothing listens on that port: SNMP is off or elsewhere",
                host=arguments.host,
            )
        case SnmpTimeout():
            return _("no answer from {host}: wrong community, SNMP off, or unreachable", host=arguments.host)
    return str(failure)


def _reader(arguments: argparse.Namespace) -> tuple[SnmpReader, str]:
    if arguments.recording is not None:
        if arguments.host is not None:
            raise ConfigError([_("give a host or a recording, not both")])
        version = V1 if arguments.version == "1" else V2C
        view = MibView(read_recording(arguments.recording))
        return RecordedReader(view, version=version), arguments.recording.stem
    if arguments.host is None:
        raise ConfigError([_("name a host, or a recording with --recording FILE")])
    return open_device(arguments), arguments.host


def open_device(arguments: argparse.Namespace) -> SnmpReader:
    """A session with the device that the options name; `ConfigError` says what is wrong with them."""
    host, port = address(arguments.host)
    access = _access(arguments)
    return open_session(
        host,
        port,
        version=access.version,
        community=access.community,
        user=access.user,
        timeout_s=arguments.timeout,
        tries=arguments.retries + 1,
        engine=arguments.engine,
    )


def read_recording(path: Path) -> dict[bytes, Raw]:
    """The objects of a recording; `ConfigError` in one line, `NothingRecordedError` where there is none."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)  # whatever it is: some devices never end
        if len(data) > _LARGEST:
            raise ConfigError([_("{file}: too large for a recording", file=path)])
        objects = parse_snmprec(data.decode("utf-8", errors="replace"))
    except OSError as error:
        raise ConfigError([_("{file}: cannot be read: {why}", file=path, why=error.strerror)]) from None
    except SnmprecError as error:
        raise ConfigError([_("{file}: is no recording: {why}", file=path, why=error)]) from None
    if not objects:
        raise NothingRecordedError([_("{file}: nothing was recorded: there is no object in it", file=path)])
    return objects


def _access(arguments: argparse.Namespace) -> Access:
    user, auth, priv = snmp_options.read(arguments, pysnmp=arguments.engine == "pysnmp", plain=True)
    if arguments.version == "3":
        if arguments.community is not None:
            raise ConfigError([_("--community: belongs to versions 1 and 2c; version 3 has --user")])
        return of_user(user, auth, priv)
    return Access(version=arguments.version, community=_community(arguments.community).reveal().encode())


def _community(given: str | None) -> Secret:
    if given is None:
        return Secret(os.environ.get(_COMMUNITY) or "public")
    if given.startswith("@"):
        return from_file(Path(given[1:]), "--community")
    return Secret(given)


def address(text: str) -> tuple[str, int]:
    """Host and port of HOST, HOST:PORT, [v6]:PORT or a bare v6 address; `ConfigError` names what is wrong."""
    host, port = text, ""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ConfigError([_("{host}: expected [address]:port", host=text)])
        port = rest[1:]
    elif text.count(":") == 1:
        host, _colon, port = text.partition(":")
    if not host:
        raise ConfigError([_("{host}: the host is missing", host=text)])
    if not port:
        if text.endswith(":"):
            raise ConfigError([_("{host}: the port is missing", host=text)])
        return host, _PORT
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise ConfigError(
            [_("{host}: the port must be a number from 1 to 65535, got {port}", host=text, port=port)]
        )
    return host, int(port)


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number <= 3600:
        raise argparse.ArgumentTypeError(_("must be more than 0 and at most 3600 seconds"))
    return number


def _count(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 100:
        raise argparse.ArgumentTypeError(_("must be from 0 to 100"))
    return number
