"""Maintenance: times in which people know that something will be down, so nobody is called for it.

A window is about the whole network, or about one site, link, device, node or upstream. It is once (`start`,
`end`) or comes again on weekdays (`from_time` to `to_time`; past midnight when it ends before it begins).
Clock times are those on the wall of the network: whoever asks hands in its time zone. Where the clock is set
back, a window that begins or ends in the hour that comes twice has both; where it is set ahead, a time that
does not exist counts as the moment after the gap.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING

from ayni_core.fault import UnfitError
from ayni_core.message import Message, Phrase
from ayni_core.schema import Fields, did_you_mean

if TYPE_CHECKING:  # the inventory holds windows
    from ayni_core.inventory import Network

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KINDS = ("site", "link", "device", "node", "upstream")
"""What a window can be about; the empty kind is the whole network."""
LONGEST_S = 366 * 86_400.0
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """`start` and `end` are moments as `moment` reads them. `by` is who made it, at the time `at`; one that
    stands in `network.yaml` has neither."""

    id: str
    kind: str = ""
    name: str = ""
    start: str = ""
    end: str = ""
    weekdays: tuple[str, ...] = ()
    from_time: str = ""
    to_time: str = ""
    note: str = ""
    by: str = ""
    at: float = 0.0


def moment(text: str, zone: tzinfo, *, last: bool = False) -> float:
    """`2026-11-23 08:00` -> seconds since 1970; a Z or an offset at its end is obeyed, else it is a time in
    `zone`. `last`: of two moments with that name the later. Raises `UnfitError` with what was expected."""
    if not _MOMENT.fullmatch(text):
        raise UnfitError(Message("fault.moment", {"given": text[:40], "example": "2026-01-31 08:00"}))
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            found = found.replace(tzinfo=zone, fold=int(last))
        return found.timestamp()
    except (ValueError, OverflowError, OSError):
        raise UnfitError(Message("fault.no_moment", {"given": text[:40]})) from None


def problem(window: Window, zone: tzinfo) -> Phrase | None:
    """What is wrong with a window; None: nothing."""
    once, again = (
        bool(window.start or window.end),
        bool(window.weekdays or window.from_time or window.to_time),
    )
    if once == again:
        return Message("fault.window_times")
    if once:
        try:
            start, end = moment(window.start, zone), moment(window.end, zone, last=True)
        except UnfitError as error:
            return error.what
        if not start < end:
            return Message("fault.window_backwards")
        return Message("fault.window_long") if end - start > LONGEST_S else None
    unknown = [day for day in window.weekdays if day not in WEEKDAYS]
    if unknown:
        return Message("fault.weekday", {"given": unknown[0][:20], "words": ", ".join(WEEKDAYS)})
    if not window.weekdays:
        return Message("fault.no_weekdays", {"words": ", ".join(WEEKDAYS)})
    for text in (window.from_time, window.to_time):
        if not _CLOCK.fullmatch(text):
            return Message("fault.clock", {"given": text[:20], "example": "08:00"})
    return None


def occurrence(window: Window, now: float, zone: tzinfo) -> tuple[float, float] | None:
    """(start, end) of the time that the window is open, or will be next; None when it never is again. The
    window must be without `problem`."""
    if window.start:
        start, end = moment(window.start, zone), moment(window.end, zone, last=True)
        return (start, end) if now < end else None
    today = datetime.fromtimestamp(now, zone).date()
    for ahead in range(-1, 9):
        day = today + timedelta(days=ahead)
        if WEEKDAYS[day.weekday()] in window.weekdays:
            start, end = _on(day, window, zone)
            if now < end:
                return start, end
    return None


def _on(day: date, window: Window, zone: tzinfo) -> tuple[float, float]:
    begins, ends = _clock(window.from_time), _clock(window.to_time)
    last_day = day if begins < ends else day + timedelta(days=1)
    return (
        datetime.combine(day, begins, zone).replace(fold=0).timestamp(),
        datetime.combine(last_day, ends, zone).replace(fold=1).timestamp(),
    )


def _clock(text: str) -> time:
    hours, minutes = text.split(":")
    return time(int(hours), int(minutes))


def covers(window: Window, kind: str, name: str, network: Network) -> bool:
    """Whether a window is about a thing: itself, or what it stands at, hangs on, or belongs to."""
    if not window.kind or (window.kind, window.name) == (kind, name):
        return True
    match window.kind:
        case "site":
            return window.name in _sites(kind, name, network)
        case "link":
            link = network.links.get(window.name)
            return kind == "device" and link is not None and name in (link.a.device, link.b.device)
        case "device":
            return window.name in _devices(kind, name, network)
    return False


def _sites(kind: str, name: str, network: Network) -> tuple[str, ...]:
    if kind == "link" and name in network.links:
        return network.sites_of(network.links[name])
    if kind == "node" and name in network.nodes:
        return (network.nodes[name].site,)
    return tuple(network.devices[device].site for device in _devices(kind, name, network))


def _devices(kind: str, name: str, network: Network) -> tuple[str, ...]:
    if kind == "device" and name in network.devices:
        return (name,)
    if kind == "link" and name in network.links:
        link = network.links[name]
        return (link.a.device, link.b.device)
    if kind == "upstream" and name in network.upstreams:
        return (network.upstreams[name].device,)
    return ()


def check(windows: Mapping[str, Window], network: Network, fields: Fields) -> None:
    """Windows of `network.yaml` must be sound, and about what is there."""
    for window in windows.values():
        path = f"maintenance.{window.id}"
        fault = problem(window, UTC)
        if fault is not None:
            fields.faults.add(path, fault)
        if window.name and not exists(window.kind, window.name, network):
            known = _known(network)[window.kind]
            below, hint = f"{path}.{window.kind}", did_you_mean(window.name, known)
            what = Phrase(f"word.{window.kind}")
            fields.faults.add(below, "fault.unknown", what=what, name=window.name, hint=hint)


def exists(kind: str, name: str, network: Network) -> bool:
    """Whether the inventory has what a window is about."""
    return name in _known(network).get(kind, {})


def _known(network: Network) -> Mapping[str, Mapping[str, object]]:
    return {
        "": {"": None},
        "site": network.sites,
        "link": network.links,
        "device": network.devices,
        "node": network.nodes,
        "upstream": network.upstreams,
    }


def parse(name: str, fields: Fields) -> Window:
    """One entry below `maintenance:` of `network.yaml`."""
    given = [kind for kind in KINDS if kind in fields]
    for kind in given[1:]:
        fields.fault(kind, "fault.window_two", other=given[0])
    names = {kind: fields.name(kind) for kind in given}
    window = Window(
        id=name,
        kind=given[0] if given else "",
        name=names[given[0]] if given else "",
        start=fields.text("start", ""),
        end=fields.text("end", ""),
        weekdays=fields.texts("weekdays"),
        from_time=fields.text("from", ""),
        to_time=fields.text("to", ""),
        note=fields.text("note", ""),
    )
    fields.done()
    return window
