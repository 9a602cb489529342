"""What `ayni console` and `ayni status` are told on the command line: which broker, and who we are."""

from __future__ import annotations

import argparse
import getpass
import os
import re
from collections.abc import Mapping
from pathlib import Path

from ayni_core.schema import ConfigError
from ayni_io import i18n, secret
from ayni_io.i18n import _
from ayni_io.mqtt import DEFAULT_PORT, DEFAULT_TLS_PORT, PROTOCOLS, BrokerConfig, broker_address
from ayni_io.secret import Secret

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def add(parser: argparse.ArgumentParser) -> None:
    """The options that both commands have."""
    parser.add_argument(
        "--broker", metavar="HOST[:PORT]", default="127.0.0.1", help=_("where the central's broker is")
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
    parser.add_argument("--mqtt", choices=sorted(PROTOCOLS), default="5", help=_("version of MQTT"))
    parser.add_argument("--language", choices=sorted(i18n.LANGUAGES), help=_("language of the screens"))


def user_of(arguments: argparse.Namespace) -> str:
    """The name of who looks. Raises `ConfigError`."""
    if arguments.user:
        name = str(arguments.user).removeprefix("p-")
        if not _NAME.fullmatch(name):
            raise ConfigError([f"--user: expected lower-case letters, digits and dashes, got {name!r}"])
        return name
    try:
        name = re.sub("[^a-z0-9-]", "-", getpass.getuser().lower()).strip("-")[:32]
    except (KeyError, OSError):
        name = ""
    return name or "somebody"


def broker_of(
    arguments: argparse.Namespace, user: str, environment: Mapping[str, str] = os.environ
) -> BrokerConfig:
    """Where to connect and as whom: account `p-NAME` once there is a password. Raises `ConfigError`."""
    try:
        host, port = broker_address(arguments.broker, DEFAULT_TLS_PORT if arguments.ca else DEFAULT_PORT)
    except ValueError as error:
        raise ConfigError([f"--broker: {error}"]) from None
    password: Secret | None = None
    if arguments.password_file:
        password = secret.from_file(arguments.password_file, "--password-file")
    elif environment.get("AYNI_PASSWORD"):
        password = Secret(environment["AYNI_PASSWORD"])
    if arguments.ca and not arguments.ca.is_file():
        raise ConfigError([f"--ca: {arguments.ca}: no such file"])
    return BrokerConfig(
        host=host, port=port, username=f"p-{user}" if arguments.user or password else None, password=password,
        ca=arguments.ca, protocol=arguments.mqtt,
    )  # fmt: skip
