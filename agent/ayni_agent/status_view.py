"""The status of an agent as lines of text for a small terminal: 80x24, and still of use at 60x20.

What is wrong stands first everywhere, so that lines that do not fit cost the least. Each state has a sign and
a word; colours only repeat them.
"""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from ayni_agent.status import (
    AlarmStatus,
    BudgetStatus,
    ClockStatus,
    DayStatus,
    DeviceStatus,
    HubStatus,
    OutboxStatus,
    Status,
    ValueStatus,
)
from ayni_core import x509
from ayni_core.metrics import unit_of
from ayni_io.i18n import _, _c, _n, decimal_mark, say

Span = tuple[str, str]
"""A piece of a line and its style: "", `head`, `ok`, `weak` or `down`."""
Line = tuple[Span, ...]

_SIGNS = {"ok": "●", "weak": "▲", "down": "■", "none": "?"}
_STATES = {"ok": "ok", "slow": "weak", "failing": "weak", "silent": "down", "new": "none"}
_ORDER = ("silent", "failing", "slow", "new", "ok")
_MARKS = {"o": "█", "w": "▒", "d": "░", "-": "-"}
_ASCII = str.maketrans(
    {"●": "+", "▲": "!", "■": "X", "█": "#", "▒": "=", "░": ".", "·": "-", "…": "~", "–": "-"}
)
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_LEAST_ALARMS = 4
_MOST_LINES, _LOW = 3, 20
_STATE_CELLS = 8
_LONGEST_NAME = 18


def lines(status: Status, width: int, height: int | None = None) -> list[Line]:
    """The whole of it in lines of at most `width` cells; with `height` in so many lines, the rest counted."""
    alarms = [_alarm(each, width) for each in status.alarms]
    devices = _devices(status, width)
    fixed = [_head(status, width), *_states(status, width, _MOST_LINES)]
    if height is not None and len(fixed) + len(alarms) + len(devices) + 4 > height:
        fixed = [_head(status, width), *_states(status, width, 2 if height > _LOW else 1)]
    if height is None:
        shown_alarms = len(alarms)
    else:
        room = height - len(fixed) - 4
        shown_alarms = max(min(len(alarms), _LEAST_ALARMS), room - len(devices))
        devices = _cut(devices, room - min(shown_alarms, len(alarms)), width)
    shown = [
        *fixed,
        (),
        _alarms_head(status),
        *_cut(alarms, shown_alarms, width),
        (),
        _devices_head(status, width),
        *devices,
    ]
    return shown if height is None else shown[:height]


def _cut(found: list[Line], most: int, width: int) -> list[Line]:
    if len(found) <= most:
        return found
    shown = found[: max(0, most - 1)]
    return [*shown, ((_fit("   " + _("and {n} more", n=len(found) - len(shown)), width).rstrip(), ""),)]


def text(line: Line, *, colour: bool, ascii_only: bool = False) -> str:
    """A line for a terminal or a file."""
    pieces = [
        f"\x1b[{_SGR[style]}m{words}\x1b[0m" if colour and style in _SGR else words for words, style in line
    ]
    whole = "".join(pieces).rstrip()
    return whole.translate(_ASCII).encode("ascii", "replace").decode() if ascii_only else whole


_SGR = {"head": "1", "ok": "32", "weak": "33", "down": "1;31", "none": "36"}


# ---- the node


def _head(status: Status, width: int) -> Line:
    left = f" {status.node}"
    right = _("Ayni {version}, up {span}", version=status.version, span=span(status.up_s))
    right += " · " + _("polls every {poll} s", poll=f"{status.poll_s:g}")
    return (
        (_fit(left, max(len(left), width - len(right) - 1)), "head"),
        (_clip(right, width - len(left)), ""),
    )


def _states(status: Status, width: int, most: int) -> list[Line]:
    """The rows about the node itself, each in at most so many lines."""
    rows = [_hub(status.hub), *_certificate(status), _outbox(status.outbox)]
    lost = _lost(status.outbox)
    if lost:
        rows.append(lost)
    if status.budget is not None:
        rows.append(_budget(status.budget))
    rows.append(_clock(status.clock))
    labels = max(len(label) for _state, label, _words in rows)
    made: list[Line] = []
    for state, label, words in rows:
        lead, style = f" {_SIGNS[state]} ", "" if state == "ok" else state
        title = label.ljust(labels) + "  "
        first, *more = _wrap(clean(words), max(width - len(lead) - len(title), 10), most)
        made.append(((lead, state), (title, "head"), (first, style)))
        made += [((" " * (len(lead) + len(title)), ""), (each, style)) for each in more]
    return made


_Row = tuple[str, str, str]


def _certificate(status: Status) -> Iterator[_Row]:
    """Only when the broker's ends soon, and where the time is known."""
    ends = status.hub.certificate_ends
    if ends is None or not status.clock.synchronised:
        return
    days = int((ends - status.clock.wall_s) // 86_400)
    if days >= x509.SOON_DAYS:
        return
    if days < 0:
        words = _("EXPIRED: while the time is known here, nothing is sent")
    else:
        words = _n("the broker's ends in {n} day", "the broker's ends in {n} days", days)
    yield "down" if days < x509.CRITICAL_DAYS else "weak", _("CERTIFICATE"), words


def _hub(hub: HubStatus) -> _Row:
    label, broker = _("CENTRAL"), hub.broker
    if not hub.connected:
        why = {
            "tls": _("its certificate is wrong"),
            "refused": _("it refuses us"),
        }.get(hub.problem, _("no way there"))
        words = _("no contact for {span}: {why}", span=span(hub.age_s), why=why)
        cause = hub.cause.removeprefix(f"broker {broker}: ")
        return "down", label, f"{words} ({cause}) · {broker}" if cause else f"{words} · {broker}"
    if hub.problem == "denied":
        words = _("our reports are not allowed: {cause}", cause=hub.cause)
        return "down", label, f"{words} ({broker})"
    match hub.state:
        case "ready":
            words = _("there for {span}", span=span(hub.age_s))
            if hub.ack_age_s is not None:
                words += " · " + _("took a report {span} ago", span=span(hub.ack_age_s))
            return "ok", label, f"{words} · {broker}"
        case "store-down":
            words = _("there, but cannot write: reports wait here")
        case "clock-wrong":
            words = _("there, but its clock is wrong: reports wait here")
        case _:
            words = _("the broker is there, the central is not: reports wait here")
    return "weak", label, f"{words} · {broker}"


def _outbox(outbox: OutboxStatus) -> _Row:
    words = _n("{n} waits", "{n} wait", outbox.frames) if outbox.frames else _("none waits")
    if outbox.frames:
        words += f", {size(outbox.size_bytes)}"
        if outbox.oldest_age_s is not None:
            words += ", " + _("the oldest {span}", span=span(outbox.oldest_age_s))
    if outbox.storage == "disk":
        return "ok", _("REPORTS"), words + " · " + _("on disk")
    words += " · " + _("in memory only: {why}", why=trouble(outbox.trouble))
    return "weak", _("REPORTS"), words


def trouble(kind: str) -> str:
    """Why frames are kept in memory only."""
    return {
        "none": _("no state_dir is given"),
        "full": _("the disk is full"),
        "read-only": _("the disk is read-only"),
        "denied": _("the folder cannot be written"),
        "busy": _("another agent uses the folder"),
        "failing": _("the disk fails"),
        "damaged": _("the file is damaged"),
    }.get(kind, kind)


def _lost(outbox: OutboxStatus) -> _Row | None:
    found = []
    if outbox.dropped:
        found.append(_("{n} dropped for want of room", n=outbox.dropped))
    if outbox.damaged:
        found.append(_("{n} damaged", n=outbox.damaged))
    if outbox.refused:
        why = outbox.refusals[0].reason if outbox.refusals else ""
        found.append(_("{n} refused by the central", n=outbox.refused) + (f": {why}" if why else ""))
    return ("weak", _("LOST"), " · ".join(found)) if found else None


def _budget(budget: BudgetStatus) -> _Row:
    words = _("today {size}", size=size(budget.today_bytes)) + " · "
    if budget.cap_bytes is None:
        words += _("this month {size}", size=size(budget.month_bytes))
    else:
        words += _("this month {size} of {cap}", size=size(budget.month_bytes), cap=size(budget.cap_bytes))
    if budget.forecast_bytes is not None:
        words += " · " + _("about {size} at its end", size=size(budget.forecast_bytes))
    if budget.saving:
        return "weak", _("DATA"), _("saving, step {n} of 3", n=budget.saving) + " · " + words
    return "ok", _("DATA"), words


def _clock(clock: ClockStatus) -> _Row:
    at = utc(clock.wall_s)
    state = "ok" if clock.trusted else "weak"
    if clock.synchronised:
        words = _("{time} UTC, right", time=at)
    elif clock.trusted:
        words = _("{time} UTC, was right", time=at)
    else:
        words = _("{time} UTC, may be wrong", time=at)
    if clock.jump_s is not None and clock.jump_age_s is not None:
        sign = "+" if clock.jump_s > 0 else "-"
        by = sign + span(abs(clock.jump_s))
        words += " · " + _("set {span} ago by {by}", span=span(clock.jump_age_s), by=by)
    return state, _("CLOCK"), words


# ---- alarms


def _alarms_head(status: Status) -> Line:
    if not status.alarms:
        return ((" " + _("NO ALARMS"), "head"),)
    return ((" " + _("ALARMS {n}", n=len(status.alarms)), "head"),)


def _alarm(alarm: AlarmStatus, width: int) -> Line:
    style = "down" if alarm.level == "critical" else "weak"
    word = _("DOWN") if alarm.level == "critical" else _("WEAK")
    right = span(alarm.age_s) if alarm.age_s is not None else ""
    lead = f" {_SIGNS[style]} {word}  "
    room = width - len(lead) - len(right) - 1
    return ((lead, style), (_fit(clean(say(alarm.text)), room), ""), (f" {right}", ""))


# ---- devices


def _devices_head(status: Status, width: int) -> Line:
    states = sorted((each.state for each in status.devices), key=_ORDER.index)
    counts = ((state, len(list(group))) for state, group in groupby(states))
    words = " · ".join(f"{n} {word(state)}" for state, n in counts)
    left = " " + _("DEVICES {n}", n=len(status.devices)) + (f": {words}" if words else "")
    bar = _bar_cells(width)
    if not bar:
        return ((_clip(left, width), "head"),)
    title = _("24 h") if status.day_whole else _("24 h, reading")
    return ((_fit(left, width - bar - 6), "head"), (" " + _fit(title, bar + 5), ""))


def _devices(status: Status, width: int) -> list[Line]:
    days = {each.device: each for each in status.day}
    ranked = sorted(status.devices, key=lambda each: (_ORDER.index(each.state), each.name))
    name = min(max((len(each.name) for each in ranked), default=4), _LONGEST_NAME)
    return [_device(each, days.get(each.name), width, name) for each in ranked]


def _bar_cells(width: int) -> int:
    return 24 if width >= 92 else 12 if width >= 72 else 0


def _device(device: DeviceStatus, day: DayStatus | None, width: int, name: int) -> Line:
    style = _STATES.get(device.state, "none")
    lead = f" {_SIGNS[style]} "
    state = _fit(word(device.state), max(_STATE_CELLS, *(len(word(each)) for each in _ORDER)))
    age = _fit(short(device.answered_age_s), 4, right=True)
    bar = _bar_cells(width)
    pct = "--" if day is None or day.answered_pct is None else f"{int(day.answered_pct)}%"
    end = f" {_hours(day, bar)} {pct:>4}" if bar else f" {pct:>4}"
    room = width - len(lead) - name - 1 - len(state) - 1 - len(age) - 2 - len(end)
    silent = device.state in ("silent", "failing")
    words = _error(device) if silent else _values(device.values, day, room)
    return (
        (lead, style),
        (f"{_fit(device.name, name)} ", ""),
        (f"{state} ", "" if style == "ok" else style),
        (f"{age}  {_fit(words, room)}{end}", ""),
    )


def _error(device: DeviceStatus) -> str:
    """Why it does not answer, without what was asked and whom."""
    _asked, _address, cause = device.error.partition(f"{device.address}: ")
    return clean(cause or device.error)


def _hours(day: DayStatus | None, cells: int) -> str:
    letters = (day.hours if day is not None else "").rjust(24, "-")[-24:]
    each = 24 // cells
    parts = (letters[i : i + each] for i in range(0, 24, each))
    return "".join(_MARKS[min(part, key="dwo-".index)] for part in parts)


def _values(values: Iterable[ValueStatus], day: DayStatus | None, room: int) -> str:
    words = ""
    for each in values:
        shown = value(each.metric, each.value)
        if day is not None and day.metric == each.metric and day.low is not None and day.high is not None:
            low, high = number(day.low), number(day.high)
            shown += f" ({low}…{high})" if low != high else ""
        longer = f"{words} · {shown}" if words else shown
        if words and len(longer) > room:
            break
        words = longer
    return words


# ---- words


def word(state: str) -> str:
    """The word for the state of a device."""
    return {
        "ok": _("OK"),
        "slow": _("SLOW"),
        "failing": _("SHAKY"),
        "silent": _("SILENT"),
    }.get(state, _("NEW"))


def value(metric: str, given: float) -> str:
    """A value with its unit, short."""
    if metric == "uptime_s":
        return _("up {span}", span=span(given))
    if metric == "tx_rate_bps":
        return _("{n} Mb/s", n=number(given / 1e6))
    if metric in ("ccq_pct", "quality_pct"):
        return _("quality {n} %", n=number(given))
    if metric == "charge_pct":
        return _("battery {n} %", n=number(given))
    if metric == "cpu_pct":
        return _("processor {n} %", n=number(given))
    return f"{number(given)} {unit_of(metric)}".strip()


def number(given: float) -> str:
    """At most three figures behind which nobody looks, with the decimal mark of the language."""
    digits = 0 if given == int(given) or abs(given) >= 100 else 1
    return f"{given:.{digits}f}".replace(".", decimal_mark())


def size(count: float) -> str:
    """Bytes for people."""
    for factor, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= factor:
            return f"{number(round(count / factor, 1))} {unit}"
    return f"{int(count)} B"


def span(seconds: float) -> str:
    """A time span in words: `12 s`, `34 min`, `5 h`, `3 days`."""
    whole = max(int(seconds), 0)
    if whole < _MINUTE:
        return _("{n} s", n=whole)
    if whole < 2 * _HOUR:
        return _("{n} min", n=whole // _MINUTE)
    if whole < 2 * _DAY:
        return _("{n} h", n=whole // _HOUR)
    return _n("{n} day", "{n} days", whole // _DAY)


def short(seconds: float | None) -> str:
    """A time span in at most four cells."""
    if seconds is None:
        return "--"
    whole = max(int(seconds), 0)
    if whole < _MINUTE:
        return _c("age", "{n}s", n=whole)
    if whole < 100 * _MINUTE:
        return _c("age", "{n}m", n=whole // _MINUTE)
    if whole < 2 * _DAY:
        return _c("age", "{n}h", n=whole // _HOUR)
    return _c("age", "{n}d", n=min(whole // _DAY, 999))


def utc(wall_s: float) -> str:
    """A moment to the second, as it is written everywhere."""
    try:
        return f"{datetime.datetime.fromtimestamp(wall_s, datetime.UTC):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return "?"


def clean(words: str) -> str:
    """Without what would move the cursor, and each character in one cell: devices may say anything."""
    return "".join(
        char if char.isprintable() and unicodedata.east_asian_width(char) not in "WF" else "?"
        for char in words
    )


def _clip(words: str, room: int) -> str:
    return words if len(words) <= room else words[: max(room - 1, 0)].rstrip() + "…"


def _wrap(words: str, room: int, most: int) -> list[str]:
    """Broken at spaces into at most so many pieces; what is too much is cut from the last."""
    pieces: list[str] = []
    while len(words) > room and len(pieces) < most - 1:
        cut = words.rfind(" ", 0, room + 1)
        cut = cut if cut > 0 else room
        pieces.append(words[:cut].rstrip(" ·"))
        words = words[cut:].lstrip(" ·")
    return [*pieces, _clip(words, room)]


def _fit(words: str, room: int, *, right: bool = False) -> str:
    clipped = _clip(words, room)
    return clipped.rjust(room) if right else clipped.ljust(room)


def screen(shown: Sequence[Line], *, colour: bool, ascii_only: bool) -> list[str]:
    """All lines as they go to a terminal."""
    return [text(line, colour=colour, ascii_only=ascii_only) for line in shown]
