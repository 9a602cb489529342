"""`ayni agent enrol`: let this machine become the node that it was invited to be.

The invitation says by which certificate the central's broker is known, so nothing secret is said to anybody
else, whatever the clock of this machine says. Its secret is good once: it may stand in a shell's history.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ayni_agent import enrolment
from ayni_agent.enrolment import EnrolError
from ayni_core import invitation
from ayni_core.invitation import InvitationError
from ayni_io.i18n import _, reason
from ayni_io.switched_on import switch_on
from ayni_io.usage import Parser

FOLDER = Path("/etc/ayni")
_LONGEST = 4096


def parser() -> argparse.ArgumentParser:
    """The options of `ayni agent enrol`."""
    result = Parser(
        prog="ayni agent enrol",
        description=_("Let this machine become the monitor that it was invited to be: ayni hub invite."),
    )
    result.add_argument(
        "invitation",
        nargs="?",
        metavar="INVITATION",
        help=_(
            "the line that the central printed; - reads it from the standard input, without it you are asked"
        ),
    )
    result.add_argument(
        "--to", type=Path, default=FOLDER, metavar="DIR", help=_("where files go (default: /etc/ayni)")
    )
    result.add_argument("--no-start", action="store_true", help=_("leave the service as it is"))
    result.add_argument(
        "--replace", action="store_true", help=_("also where this machine is a monitor already")
    )
    return result


def main(argv: Sequence[str], ask: Callable[[str], str] = getpass.getpass) -> int:
    """Enrol, and say what is left to do."""
    options = parser().parse_args(argv)
    try:
        text = options.invitation
        if text == "-":
            text = sys.stdin.read(_LONGEST)
        elif text is None:
            text = ask(_("The invitation: "))
        found = invitation.read(text)
        enrolment.check_free(options.to, found.node, replace=options.replace)
        where, pem = enrolment.find(found)
        print(
            _(
                "The broker at {where} is the one that invited; its certificate has the fingerprint",
                where=where,
            )
        )
        print(f"\n    {found.fingerprint}\n")
        folder, node = options.to, found.node
        given = asyncio.run(
            enrolment.enrol(found, where, pem, lambda each: enrolment.keep(folder, node, each))
        )
    except (InvitationError, EnrolError) as error:
        print(f"ayni agent enrol: {reason(error)}", file=sys.stderr)
        return 1
    except (EOFError, KeyboardInterrupt):
        return 1
    print(_("This machine is the monitor {node} now.", node=found.node))
    for path in given.written:
        print(f"    {path}")
    if given.wanted:
        print(_("Secrets that are still wanted, each on the first line of a file:"))
        for name in given.wanted:
            print(f"    {options.to / 'secrets' / name}")
    problem = None if options.no_start or given.wanted or folder != FOLDER else switch_on(("ayni-agent",))
    if problem == "":
        print(_("It runs: ayni agent status"))
        return 0
    if problem:
        print(_("It was not started: {reason}", reason=problem))
    print(_("Then start it: sudo systemctl enable --now ayni-agent"))
    return 0
