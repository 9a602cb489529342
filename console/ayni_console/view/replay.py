"""The page that leads into the past, and back to now."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from functools import partial

from ayni_console.lines import Line, Span, fit, line
from ayni_console.view.events import said
from ayni_console.view.page import BLANK, Look, Row, text
from ayni_core.wire.messages import Event
from ayni_io import words
from ayni_io.i18n import _

BEFORE_S = 600.0
"""So long before an alarm one begins to look."""
_SPANS_S = (words.HOUR, 6 * words.HOUR, words.DAY, 7 * words.DAY)
_AGO = re.compile(r"-?\s*(\d+)\s*([a-z]+)", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")


def rows(
    look: Look, alarms: Sequence[Event], problem: str, *,
    speed: float | None, stopped: bool, asked: bool,
) -> list[Row]:  # fmt: skip
    """`speed` is None while now is shown; `look.now` is the moment that is."""
    made: list[Row] = []
    if speed is not None:
        made.append(_choice("now", _("Back to now")))
        made.append(_choice("stop", _("Go on") if stopped else _("Stand still")))
        made.append(_choice("faster", _("Another speed: {speed} now", speed=pace(speed))))
        for span_s in (words.HOUR / 6, words.HOUR):
            made.append(_choice(f"at:{look.now - span_s}", _("{span} back", span=words.duration(span_s))))
        made.append(BLANK)
    made.append(text(" ", Span(_("BEGIN AT"), "head")))
    for span_s in _SPANS_S:
        at = look.now - span_s
        made.append(_moment(at, _("{span} ago", span=words.duration(span_s)), look))
    made.append(_choice("type", _("another time …")))
    made += [BLANK, text(" ", Span(_("SHORTLY BEFORE AN ALARM"), "head"))]
    if problem:
        return [*made, text(" ? ", problem)]
    if not asked:
        return [*made, text("   ", _("Asking the central …"))]
    made += [_moment(each.at - BEFORE_S, said(each), look, each.at) for each in alarms]
    if not alarms:
        made.append(text("   ", _("No alarm is written down.")))
    return made


def _choice(key: str, words_of: str) -> Row:
    return Row(partial(line, "   ", words_of), key)


def _moment(begin: float, what: str, look: Look, at: float | None = None) -> Row:
    return Row(partial(_moment_line, begin if at is None else at, what, look), f"at:{begin}")


def _moment_line(at: float, what: str, look: Look) -> Line:
    return line("   ", Span(fit(words.when(at, look.now), 12), "dim"), " ", fit(what, look.width - 18))


def pace(speed: float) -> str:
    """How fast the past goes by, in words."""
    if speed < words.MINUTE:
        return _("{n} s a second", n=round(speed))
    if speed < words.HOUR:
        return _("{n} min a second", n=round(speed / words.MINUTE))
    return _("{n} h a second", n=round(speed / words.HOUR))


def moment(typed: str, now: float) -> float | None:
    """The time that somebody typed, before `now`; None where that is none."""
    typed = typed.strip()
    ago = _AGO.fullmatch(typed)
    if ago is not None:
        units = {"m": words.MINUTE, "min": words.MINUTE, "h": words.HOUR, "d": words.DAY, "j": words.DAY}
        size = units.get(ago[2].casefold())
        return None if size is None else _before(now - int(ago[1]) * size, now)
    today = datetime.datetime.fromtimestamp(now)
    clock = _CLOCK.fullmatch(typed)
    try:
        if clock is not None:
            at = today.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
            return at.timestamp() if at <= today else (at - datetime.timedelta(days=1)).timestamp()
        return _before(datetime.datetime.fromisoformat(typed).timestamp(), now)
    except (ValueError, OverflowError, OSError):
        return None


def _before(at: float, now: float) -> float | None:
    return at if 0 < at <= now else None
