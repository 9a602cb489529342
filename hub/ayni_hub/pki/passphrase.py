"""The passphrase of the authority's key: typed, or out of a file or a variable; never on the command line."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path

from ayni_core.fault import fault
from ayni_core.schema import ConfigError
from ayni_hub.pki.authority import PkiError
from ayni_io import secret
from ayni_io.i18n import _

SHORTEST = 12
_FEWEST_DIFFERENT = 6
Ask = Callable[[str], str]


def add(parser: argparse.ArgumentParser) -> None:
    """The options that say where it is."""
    given = parser.add_mutually_exclusive_group()
    given.add_argument(
        "--passphrase-file", type=Path, metavar="FILE", help=_("read the passphrase from a file")
    )
    given.add_argument(
        "--passphrase-env", metavar="NAME", help=_("read it from this variable of the environment")
    )


def add_none(parser: argparse.ArgumentParser) -> None:
    """The option of who wants no passphrase."""
    parser.add_argument(
        "--no-passphrase",
        action="store_true",
        help=_("keep the key as it is: whoever has the file can speak for your network"),
    )


def existing(options: argparse.Namespace, ask: Ask = getpass.getpass) -> str:
    """The one of a key that is there."""
    given = _given(options.passphrase_file, options.passphrase_env)
    return given if given is not None else _typed(ask, _("Passphrase of the authority: "))


def new(file: Path | None, variable: str | None, ask: Ask = getpass.getpass) -> str:
    """One for a key that is made now. Raises `PkiError` where it is weak."""
    given = _given(file, variable)
    if given is None:
        given = _typed(ask, _("New passphrase, some words that nobody guesses: "))
        _check(given)
        if ask(_("Again: ")).strip() != given:
            raise PkiError(_("these were two different passphrases; nothing was made"))
    _check(given)
    return given


def _given(file: Path | None, variable: str | None) -> str | None:
    if file is not None:
        return secret.from_file(file, "--passphrase-file").reveal()
    if variable is not None:
        value = os.environ.get(variable)
        if not value:
            raise ConfigError([fault("--passphrase-env", "fault.variable", name=variable)])
        return value.strip()
    return None


def _typed(ask: Ask, question: str) -> str:
    if not sys.stdin.isatty() and ask is getpass.getpass:
        raise PkiError(_("nobody is here to type the passphrase; give --passphrase-file or --passphrase-env"))
    return ask(question).strip()  # as a file's line is read


def _check(given: str) -> None:
    if len(given) < SHORTEST or len(set(given)) < _FEWEST_DIFFERENT:
        raise PkiError(
            _(
                "the passphrase is too weak: expected at least {n} characters, such as four words;"
                " without any, say --no-passphrase",
                n=SHORTEST,
            )
        )
