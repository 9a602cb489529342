"""Plain words for states, durations, times and numbers, in the language of the reader."""

from __future__ import annotations

import datetime

from ayni_io.i18n import _, _c, _n, decimal_mark

SYMBOLS = {"ok": "●", "weak": "▲", "down": "■", "silent": "■", "no_news": "?", "unknown": "?"}
STYLES = {
    "ok": "ok",
    "weak": "weak",
    "down": "down",
    "silent": "down",
    "no_news": "nonews",
    "unknown": "nonews",
}
MINUTE, HOUR, DAY = 60, 3600, 86400
JUST_NOW_S = 10.0


def clean(text: str) -> str:
    """The text without control characters: names come from the network and may hold anything."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else " " for char in text)


def symbol(state: str) -> str:
    """The one character that stands for a state beside its word."""
    return SYMBOLS.get(state, "?")


def style(state: str) -> str:
    """The style in which a state is shown; never the only sign of it."""
    return STYLES.get(state, "nonews")


def word(state: str) -> str:
    """The word for a state."""
    match state:
        case "ok":
            return _("OK")
        case "weak":
            return _("WEAK")
        case "down":
            return _("DOWN")
        case "silent":
            return _("SILENT")
        case "no_news":
            return _("NO NEWS")
    return _("NOT KNOWN")


def duration(seconds: float | None) -> str:
    """A time span in words: `12 s`, `34 min`, `5 h`, `3 days`."""
    if seconds is None:
        return "--"
    whole = max(int(seconds), 0)
    if whole < MINUTE:
        return _("{n} s", n=whole)
    if whole < 2 * HOUR:
        return _("{n} min", n=whole // MINUTE)
    if whole < 2 * DAY:
        return _("{n} h", n=whole // HOUR)
    return _n("{n} day", "{n} days", whole // DAY)


def short(seconds: float | None) -> str:
    """A time span in at most four cells: `40s`, `34m`, `5h`, `3d`; seconds by tens keep lines still."""
    if seconds is None:
        return "--"
    whole = max(int(seconds), 0)
    if whole < 10:
        return _c("age", "now")
    if whole < MINUTE:
        return _c("age", "{n}s", n=whole // 10 * 10)
    if whole < 100 * MINUTE:
        return _c("age", "{n}m", n=whole // MINUTE)
    if whole < 2 * DAY:
        return _c("age", "{n}h", n=whole // HOUR)
    return _c("age", "{n}d", n=min(whole // DAY, 999))


def calm(seconds: float) -> str:
    """A time span whose seconds go by tens, for one that counts costs bytes: `20 s`, `5 h`."""
    return duration(seconds if seconds >= MINUTE else seconds // 10 * 10)


def ago(seconds: float) -> str:
    """`just now`, `20 s ago`, `5 h ago`, as calm."""
    return _("just now") if seconds < JUST_NOW_S else _("{age} ago", age=calm(seconds))


def number(value: float | None, digits: int = 0, unit: str = "") -> str:
    """A number with the decimal mark of the language, `--` where there is none."""
    if value is None:
        return "--"
    text = f"{value:.{digits}f}".replace(".", decimal_mark())
    if text.strip("-0.,") == "":
        text = text.lstrip("-")
    return f"{text} {unit}" if unit else text


def clock(at: float, zone: datetime.tzinfo | None = None) -> str:
    """The time of day; without a zone that of this machine."""
    return f"{datetime.datetime.fromtimestamp(at, zone):%H:%M}"


def weekday(at: float, zone: datetime.tzinfo | None = None) -> str:
    """The day of the week, short; without a zone that of this machine."""
    days = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
    return days[datetime.datetime.fromtimestamp(at, zone).weekday()]


def when(at: float, now: float, zone: datetime.tzinfo | None = None) -> str:
    """A moment as people say it: `14:20` today, `Mon 03:10` this week, the date before that."""
    then, today = datetime.datetime.fromtimestamp(at, zone), datetime.datetime.fromtimestamp(now, zone)
    if then.date() == today.date():
        return f"{then:%H:%M}"
    if 0 <= now - at < 6 * DAY:
        return f"{weekday(at, zone)} {then:%H:%M}"
    return date(at, zone)


def date(at: float, zone: datetime.tzinfo | None = None) -> str:
    """A day as the language writes it: `2026-11-22`, `22/11/2026`; without a zone that of this machine."""
    return datetime.datetime.fromtimestamp(at, zone).strftime(_c("date", "%Y-%m-%d"))


def day(at: float, zone: datetime.tzinfo | None = None) -> str:
    """A day without its year: `11-22`, `22/11`; without a zone that of this machine."""
    return datetime.datetime.fromtimestamp(at, zone).strftime(_c("day and month", "%m-%d"))


def month(at: float, zone: datetime.tzinfo | None = None) -> str:
    """The month, short; without a zone that of this machine."""
    months = (
        _("Jan"), _("Feb"), _("Mar"), _("Apr"), _c("month", "May"), _("Jun"), _("Jul"), _("Aug"), _("Sep"),
        _("Oct"), _("Nov"), _("Dec"),
    )  # fmt: skip
    return months[datetime.datetime.fromtimestamp(at, zone).month - 1]
