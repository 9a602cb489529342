"""`ayni hub handover`: give buckets of one worker to another."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ayni_hub import handover
from ayni_hub.config import numbers_of
from ayni_hub.crew import in_words
from ayni_hub.handover import HandoverError
from ayni_hub.ledger import LedgerError
from ayni_hub.lock import HeldError
from ayni_hub.store import StoreError
from ayni_io.i18n import _, _n, reason
from ayni_io.usage import Parser


def parser() -> argparse.ArgumentParser:
    """The options of `ayni hub handover`."""
    result = Parser(
        prog="ayni hub handover",
        description=_("Move what one worker knows of its monitors to another. Neither may be running."),
    )
    result.add_argument(
        "--from", dest="source", type=Path, required=True, metavar="FOLDER", help=_("data_dir of the one")
    )
    result.add_argument(
        "--to", dest="target", type=Path, required=True, metavar="FOLDER", help=_("data_dir of the other")
    )
    result.add_argument(
        "--buckets", required=True, metavar="LIST", help=_("such as 0-15 or 3,7,40-47, as in the hub.yaml")
    )
    return result


def main(argv: Sequence[str]) -> int:
    """Move the buckets, and say what is to be written where."""
    command = parser()
    options = command.parse_args(argv)
    try:
        buckets = {number for part in options.buckets.split(",") for number in numbers_of(part)}
    except ValueError as error:
        command.error(f"--buckets: {reason(error)}")
    try:
        moved = handover.move(options.source, options.target, buckets)
    except (HandoverError, HeldError, LedgerError, StoreError, OSError) as error:
        print(f"ayni hub handover: {error}", file=sys.stderr)
        return 1
    nodes = _n("{n} monitor", "{n} monitors", moved.nodes)
    print(_("moved: {nodes}, {frames} reports that need not come again", nodes=nodes, frames=moved.frames))
    print(
        _(
            "Now take {buckets} out of `buckets:` of the one, write it into that of the other, and start it.",
            buckets=in_words(buckets),
        )
    )
    return 0
