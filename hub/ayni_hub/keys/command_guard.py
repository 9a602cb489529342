"""`ayni hub guard FILE`: keep a good copy of the broker's accounts, and put it back where they are damaged.

The broker's own unit calls it, before each start and after each change. Exit status: 0 the file is good
(again), or not there yet; 1 it is not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ayni_io import accounts_guard
from ayni_io.i18n import _
from ayni_io.usage import Parser

ACCOUNTS = Path("/var/lib/mosquitto/ayni-accounts.json")


def parser() -> argparse.ArgumentParser:
    """The options of `ayni hub guard`."""
    result = Parser(
        prog="ayni hub guard",
        description=_("Keep a good copy of the broker's accounts, and put it back where they are damaged."),
    )
    result.add_argument(
        "file", nargs="?", type=Path, default=ACCOUNTS, metavar="FILE", help=_("the accounts of the broker")
    )
    return result


def main(argv: Sequence[str]) -> int:
    """Look, and copy one way or the other; silence while all is well."""
    options = parser().parse_args(argv)
    path: Path = options.file
    try:
        found = accounts_guard.guard(path)
    except OSError as error:
        print(f"ayni hub guard: {path}: {error.strerror}", file=sys.stderr)
        return 1
    if found == "restored":
        print(_("{path}: was damaged; the good copy is in its place", path=path), file=sys.stderr)
    if found == "lost":
        copy = accounts_guard.copy_of(path)
        print(
            _("{path}: is damaged, and there is no good {copy}; restore a backup, or give all accounts "
              "anew (ayni hub accounts --seed)", path=path, copy=copy),
            file=sys.stderr,
        )  # fmt: skip
        return 1
    return 0
