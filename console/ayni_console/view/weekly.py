"""Times that come again every week, as people type them: `sat,sun 08:00-12:00 work at the mast`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ayni_console.view.do import weekday
from ayni_core.maintenance import WEEKDAYS
from ayni_core.matching import fold
from ayni_io.i18n import _

_HOURS = re.compile(r"([01]?[0-9]|2[0-3])(?:[:.]([0-5][0-9]))?")


@dataclass(frozen=True, slots=True)
class Weekly:
    """Days as the central names them, hours as `08:00`, and why."""

    weekdays: tuple[str, ...]
    start: str
    end: str
    why: str = ""


def read(typed: str) -> Weekly | str:
    """What was typed, or a sentence that says what is wrong. Days in the language in use or in English."""
    words = re.split(r"\s+", re.sub(r"\s*([,-])\s*", r"\1", typed.strip()), maxsplit=2)
    if len(words) < 2:
        return _("Expected days and hours, such as: sat,sun 08:00-12:00")
    days: list[str] = []
    for each in words[0].split(","):
        day = _day(each)
        if day is None:
            shown = ", ".join(weekday(name) for name in WEEKDAYS)
            return _("“{day}” is none of {days}", day=each[:20], days=shown)
        days.append(day)
    start, dash, end = words[1].partition("-")
    hours = [_HOURS.fullmatch(each) for each in (start, end)]
    if not dash or None in hours:
        return _("“{hours}”: expected hours such as 08:00-12:00", hours=words[1][:20])
    first, last = (f"{int(found[1]):02}:{found[2] or '00'}" for found in hours if found is not None)
    ordered = tuple(name for name in WEEKDAYS if name in days)
    return Weekly(ordered, first, last, " ".join(" ".join(words[2:]).split()))


def _day(word: str) -> str | None:
    wanted = fold(word).strip(". ")
    if not wanted:
        return None
    for name in WEEKDAYS:
        if wanted in (name, fold(weekday(name)).strip(". ")):
            return name
    return None
