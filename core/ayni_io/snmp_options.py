"""Command-line options that name a user of SNMPv3: the same ones wherever a device is named."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from ayni_core.fault import Fault
from ayni_core.schema import ConfigError
from ayni_core.usm_keys import AUTH_PROTOCOLS, DES, LONGEST_NAME, PRIV_PROTOCOLS
from ayni_io.i18n import _
from ayni_io.secret import Secret, from_file
from ayni_io.snmp_access import too_short

AUTH_VARIABLE, PRIV_VARIABLE = "AYNI_SNMP_AUTH_PASSWORD", "AYNI_SNMP_PRIV_PASSWORD"

Protection = tuple[str, Secret]
"""A protocol and its password."""


def add(parser: argparse.ArgumentParser) -> None:
    """Add --user and what protects it."""
    parser.add_argument("--user", metavar="U", help=_("who asks in SNMP version 3"))
    parser.add_argument(
        "--auth-protocol", choices=tuple(AUTH_PROTOCOLS), help=_("what authenticates the user (default SHA)")
    )
    parser.add_argument(
        "--auth-password",
        metavar="@FILE",
        help=_("file whose first line is the password; or set {variable}", variable=AUTH_VARIABLE),
    )
    parser.add_argument(
        "--priv-protocol",
        choices=PRIV_PROTOCOLS,
        help=_("what encrypts (default AES); AES-256-C is what most makers call AES-256"),
    )
    parser.add_argument(
        "--priv-password",
        metavar="@FILE",
        help=_("file whose first line is the password; or set {variable}", variable=PRIV_VARIABLE),
    )


def read(
    arguments: argparse.Namespace, *, pysnmp: bool, plain: bool
) -> tuple[str, Protection | None, Protection | None]:
    """User, authentication, privacy. Raises `ConfigError`.

    `pysnmp`: that engine reads the device, so DES will do. `plain`: a password itself is taken, as for tests.
    """
    given = [
        f"--{name.replace('_', '-')}"
        for name in ("user", "auth_protocol", "auth_password", "priv_protocol", "priv_password")
        if getattr(arguments, name) is not None
    ]
    if arguments.version != "3":
        if given:
            raise ConfigError([_("{option}: belongs to --version 3", option=given[0])])
        return "", None, None
    user = arguments.user
    if not user or len(user.encode("utf-8")) > LONGEST_NAME:
        raise ConfigError(
            [_("--user: SNMP version 3 needs a user's name of 1 to {n} octets", n=LONGEST_NAME)]
        )
    auth = _protection("auth", arguments.auth_protocol, arguments.auth_password, AUTH_VARIABLE, plain)
    priv = _protection("priv", arguments.priv_protocol, arguments.priv_password, PRIV_VARIABLE, plain)
    if priv is not None and auth is None:
        raise ConfigError([_("--priv-password: needs --auth-password too")])
    if priv is not None and priv[0] == DES and not pysnmp:
        raise ConfigError([_("--priv-protocol: DES needs the engine pysnmp")])
    return user, auth, priv


def _protection(
    kind: str, protocol: str | None, given: str | None, variable: str, plain: bool
) -> Protection | None:
    if protocol is None and given is None:
        return None
    option = f"--{kind}-password"
    if given is None:
        password = Secret(os.environ.get(variable) or "")
        if not password.reveal():
            raise ConfigError(
                [_("{option}: expected @FILE, or {variable}", option=option, variable=variable)]
            )
    elif given.startswith("@"):
        password = from_file(Path(given[1:]), option)
    elif plain:
        password = Secret(given)
    else:
        raise ConfigError(
            [
                _(
                    "{option}: expected @FILE: on the command line every user of this machine could read it",
                    option=option,
                )
            ]
        )
    if faults := too_short(password):
        raise ConfigError([Fault(option, each) for each in faults])
    return protocol or {"auth": "SHA", "priv": "AES"}[kind], password
