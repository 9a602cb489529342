"""What `ayni console` and `ayni status` are told on the command line: which broker, and who we are."""

from __future__ import annotations

import argparse
import getpass
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ayni_core.fault import UnfitError, fault
from ayni_core.schema import ConfigError
from ayni_io import i18n, secret
from ayni_io.i18n import _
from ayni_io.mqtt import DEFAULT_PORT, DEFAULT_TLS_PORT, PROTOCOLS, BrokerConfig, broker_address
from ayni_io.secret import Secret

if TYPE_CHECKING:
    from ayni_io.connection import Connection

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def add(parser: argparse.ArgumentParser) -> None:
    """The options that both commands have."""
    parser.add_argument(
        "--broker",
        metavar="HOST[:PORT]",
        help=_("where the central's broker is; without it where `ayni console --connect` found one"),
    )
    parser.add_argument(
        "--user", metavar="NAME", help=_("your name in network.yaml; without it the login name")
    )
    parser.add_argument(
        "--password-file",
        metavar="FILE",
        type=Path,
        help=_("file with your password; else AYNI_PASSWORD is read"),
    )
    parser.add_argument(
        "--ca", metavar="FILE", type=Path, help=_("certificate of the network's own authority: use TLS")
    )
    parser.add_argument("--mqtt", choices=sorted(PROTOCOLS), help=_("version of MQTT (default 5)"))
    parser.add_argument("--language", choices=sorted(i18n.LANGUAGES), help=_("language of the screens"))


def is_name(name: str) -> bool:
    """Whether a person can be called so in network.yaml."""
    return _NAME.fullmatch(name) is not None


def kept(arguments: argparse.Namespace) -> Connection | None:
    """The connection that was kept earlier, unless the command line names a broker. Raises `ConfigError`."""
    if arguments.broker is not None:
        return None
    from ayni_io import connection  # YAML takes its time, and is not needed where all is said here

    return connection.find()


def user_of(arguments: argparse.Namespace) -> str:
    """The name of who looks. Raises `ConfigError`."""
    if arguments.user:
        name = str(arguments.user).removeprefix("p-")
        if not is_name(name):
            raise ConfigError([fault("--user", "fault.user_name", given=name)])
        return name
    found = kept(arguments)
    return found.user if found is not None else login_name()


def login_name() -> str:
    """The name of the account on this machine, made fit."""
    try:
        name = re.sub("[^a-z0-9-]", "-", getpass.getuser().lower()).strip("-")[:32]
    except (KeyError, OSError):
        name = ""
    return name or "somebody"


def broker_of(
    arguments: argparse.Namespace, user: str, environment: Mapping[str, str] = os.environ
) -> BrokerConfig:
    """Where to connect and as whom: account `p-NAME` once there is a password. Raises `ConfigError`."""
    password: Secret | None = None
    if arguments.password_file:
        password = secret.from_file(arguments.password_file, "--password-file")
    elif environment.get("AYNI_PASSWORD"):
        password = Secret(environment["AYNI_PASSWORD"])
    if arguments.ca and not arguments.ca.is_file():
        raise ConfigError([fault(f"--ca: {arguments.ca}", "fault.no_file")])
    found = kept(arguments)
    if found is not None:
        return _changed(found, arguments, user, password)
    try:
        host, port = broker_address(
            arguments.broker or "127.0.0.1", DEFAULT_TLS_PORT if arguments.ca else DEFAULT_PORT
        )
    except UnfitError as error:
        raise ConfigError([fault("--broker", error.what)]) from None
    return BrokerConfig(
        host=host, port=port, username=f"p-{user}" if arguments.user or password else None, password=password,
        ca=arguments.ca, protocol=arguments.mqtt or "5",
    )  # fmt: skip


def _changed(
    found: Connection, arguments: argparse.Namespace, user: str, password: Secret | None
) -> BrokerConfig:
    """What was kept, but for what the command line says otherwise."""
    broker = found.broker
    if user != found.user:  # another person: what was kept is not theirs
        broker = replace(broker, username=f"p-{user}", password=None)
    if password is not None:
        broker = replace(broker, username=f"p-{user}", password=password)
    if arguments.ca:
        broker = replace(broker, ca=arguments.ca, exact=False)
    return replace(broker, protocol=arguments.mqtt or broker.protocol)


def is_first_time(arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether nobody ever said where to connect. Raises `ConfigError`."""
    said = (arguments.broker, arguments.user, arguments.password_file, arguments.ca)
    return not any(said) and not environment.get("AYNI_PASSWORD") and kept(arguments) is None


def hint(arguments: argparse.Namespace) -> str:
    """How to go on where nobody ever said which broker; empty where somebody did."""
    try:
        unknown = arguments.broker is None and kept(arguments) is None
    except ConfigError:
        return ""
    return _("`ayni console --connect` leads through connecting.") if unknown else ""
