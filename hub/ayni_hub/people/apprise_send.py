"""A program that sends one message through Apprise, and is gone again. Only this file knows Apprise.

Apprise takes 50 MB and half a second to load: too much to carry for a message a week, and a service that
never answers can simply be ended. One JSON object comes in on standard input (`address`, `title`, `body`),
one goes out: `ok`, `reason`. The address holds secrets: it is in no argument, no log and no reason.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from urllib.parse import unquote

from ayni_io.i18n import _

_LONGEST_REASON = 200
_SHORTEST_SECRET = 4


class _Heard(logging.Handler):
    """What Apprise says of its troubles: it returns only true or false."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append(record.getMessage())


def main() -> int:
    """Send what standard input says; 0 whenever an answer was written."""
    asked = json.load(sys.stdin)
    address = asked["address"]
    try:
        import apprise
    except ImportError:
        _answer(False, _('Apprise is missing; get the extra "hub": pip install "ayni[hub]"'))
        return 0
    heard = _Heard()
    logger = logging.getLogger("apprise")
    logger.handlers, logger.propagate = [heard], False
    logger.setLevel(logging.WARNING)
    service = apprise.Apprise.instantiate(address)
    if service is None:
        _answer(
            False,
            without_secrets("; ".join(heard.lines), address) or _("Apprise does not understand the address"),
        )
        return 0
    title, body = asked["title"], asked["body"]
    sent = service.notify(
        body=body or title, title=title if body else "", body_format=apprise.NotifyFormat.TEXT
    )
    _answer(
        bool(sent), "" if sent else without_secrets("; ".join(heard.lines), address) or _("it was not taken")
    )
    return 0


def without_secrets(text: str, address: str) -> str:
    """A reason without any part of the address: with many services what looks like a host is a token."""
    scheme, mark, rest = address.partition("://")
    place, _mark, query = (rest if mark else scheme).partition("?")
    values = [each.partition("=")[2] or each for each in query.split("&")]
    pieces = [address, rest, place, query, *values]
    pieces += [part for each in pieces[2:] for part in re.split(r"[/:@#,; +]+", each)]
    for part in sorted({*pieces, *map(unquote, pieces)}, key=len, reverse=True):
        if len(part) >= _SHORTEST_SECRET:
            text = text.replace(part, "…")
    return " ".join(text.split())[:_LONGEST_REASON]


def _answer(ok: bool, reason: str) -> None:
    json.dump({"ok": ok, "reason": reason}, sys.stdout)


if __name__ == "__main__":
    sys.exit(main())
