"""The way to the central that a person's console takes by itself: kept once, used by every console command.

`connection.yaml` holds no secret: the password and the certificate lie beside it, all of them for their owner
only. `ayni start` writes the same file into the folder of its network, for the person who runs it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ayni_core.fault import fault
from ayni_core.schema import ConfigError, Fields
from ayni_io import chosen, files, yamlfile, yamlwrite
from ayni_io.mqtt_config import BrokerConfig, BrokerReference, read_broker
from ayni_io.os_errors import os_cause

NAME = "connection.yaml"
_PASSWORD, _CERTIFICATE = "password", "broker.pem"
_ABOUT = """\
The way to the central that `ayni console` and its kin take by themselves. It is written anew by
`ayni console --connect` or `ayni start`, whichever keeps it here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Who we are (the name in network.yaml), and where."""

    user: str
    broker: BrokerConfig


def folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where a person's own connection is kept."""
    return chosen.folder(environment) / "console"


def of_this_machine(environment: Mapping[str, str] = os.environ) -> Path:
    """Where `ayni start` keeps the network of this person and machine."""
    base = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "ayni"


def find(environment: Mapping[str, str] = os.environ) -> Connection | None:
    """The connection that was kept, or that of the network on this machine; None where there is neither.
    Raises `ConfigError`."""
    for place in (folder(environment), of_this_machine(environment)):
        try:
            there = (place / NAME).is_file()
        except OSError:
            there = False
        if there:
            return read(place / NAME)
    return None


def read(path: Path) -> Connection:
    """A connection of a file. Raises `ConfigError`."""

    def parse(fields: Fields) -> tuple[str, bool, BrokerReference]:
        broker = read_broker(fields.child("broker", required=True))
        return fields.name("user"), fields.boolean("exact", False), broker

    user, exact, reference = yamlfile.read(path, parse)
    return Connection(user=user, broker=replace(reference.resolve(str(path)), exact=exact))


def keep(connection: Connection, place: Path, *, certificate: str = "") -> Path:
    """Write it down, the password and the `certificate` (PEM) beside it; the file. Raises `ConfigError`."""
    broker = connection.broker
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        if broker.password is not None:
            files.write_secret(place / _PASSWORD, broker.password.reveal())
        ca = broker.ca
        if certificate:
            ca = place / _CERTIFICATE
            files.write_text(ca, certificate, mode=0o600)
        password = place / _PASSWORD if broker.password is not None else None
        return write(place / NAME, connection, ca=ca, password=password)
    except OSError as error:
        raise ConfigError([fault(f"{place}", "fault.unwritable", cause=os_cause(error))]) from None


def write(path: Path, connection: Connection, *, ca: Path | None, password: Path | None) -> Path:
    """The file alone, by references to what lies elsewhere. Raises `OSError`."""
    broker = connection.broker
    section: dict[str, Any] = {"host": broker.host, "port": broker.port, "protocol": broker.protocol}
    if broker.username:
        section["username"] = broker.username
    if password is not None:
        section["password"] = f"file:{password}"
    if ca is not None:
        section["ca"] = str(ca)
    value: dict[str, Any] = {"user": connection.user, "broker": section}
    if broker.exact:
        value["exact"] = True
    text = yamlwrite.dump(value, comment=_ABOUT)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:  # spare the card
        files.write_text(path, text, mode=0o600)
    return path


def forget(place: Path) -> bool:
    """Take a kept connection away; whether there was one. Raises `ConfigError`."""
    if not (place / NAME).is_file():
        return False
    try:
        for name in (NAME, _PASSWORD, _CERTIFICATE):
            (place / name).unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError([fault(f"{place}", "fault.unremovable", cause=os_cause(error))]) from None
    with contextlib.suppress(OSError):  # others may keep things there
        place.rmdir()
    return True
