"""How monitors and the central are, as sentences: the same on the screen and in plain lines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from ayni_core import x509
from ayni_core.onlooking.model import Model
from ayni_core.wire import topics
from ayni_core.wire.health import BackupHealth, CentralHealth, CertificateHealth, MonitorHealth, PartHealth
from ayni_core.wire.messages import NodeView
from ayni_io import values, words
from ayni_io.i18n import _, _n

Span = Callable[[float], str]
"""How a time span is said: `words.duration` on screens, `plain_parts.spoken` in plain lines."""
RIGHT_S = 15.0
"""A clock that is ahead or behind by no more is right; reports take a while on their way."""
SHORT_DAYS = 3
"""Room for less needs somebody."""
OLD_BACKUP_DAYS = 3
"""A night may fail, and another; then somebody is to look."""
_MOST_NAMED = 6
_DAY_S = 86_400.0


def size(count: int) -> str:
    """`210 kB`, `1.2 GB`."""
    return values.value("storage_used_bytes", count)


# monitors


def waits(told: MonitorHealth) -> str:
    """What lies in the monitor's outbox."""
    if not told.waiting:
        return _("nothing waits")
    return _n(
        "{n} report waits, {size}", "{n} reports wait, {size}", told.waiting, size=size(told.waiting_bytes)
    )


def storage(told: MonitorHealth, span: Span) -> Iterator[str]:
    """How long there is room for more, and what is wrong with it."""
    if told.room_days is not None:
        yield _("there is room for {time} more", time=span(told.room_days * _DAY_S))
    if not told.on_disk:
        yield _("it is in memory only: a power cut would lose it")
    if told.lost:
        yield _n("{n} report was lost, ever", "{n} reports were lost, ever", told.lost)


def data(told: MonitorHealth) -> Iterator[str]:
    """What its link has carried."""
    if not told.month_bytes:
        yield _("nothing counted yet")
        return
    yield _("today {size}", size=size(told.today_bytes))
    if told.cap_bytes is None:
        yield _("this month {size}, no limit", size=size(told.month_bytes))
    else:
        yield _("this month {size} of {cap}", size=size(told.month_bytes), cap=size(told.cap_bytes))
    if told.forecast_bytes is not None:
        yield _("about {size} at its end", size=size(told.forecast_bytes))


def saving(told: MonitorHealth) -> str:
    """What it leaves out to save data; empty where it saves nothing."""
    match told.saving:
        case 0:
            return ""
        case 1:
            return _("to save data it reports half as often, and shows nothing live")
        case 2:
            return _("to save data it reports four times less often, and shows nothing live")
    return _("to save data it reports once an hour until next month")


def clock(told: MonitorHealth, span: Span) -> str:
    """Whether its clock can be believed, and by how much it is wrong."""
    ahead_s = told.ahead_s or 0.0
    if not told.clock:
        return _("not known")
    if abs(ahead_s) > RIGHT_S:
        ahead = _("it is {time} ahead", time=span(ahead_s))
        wrong = ahead if ahead_s > 0 else _("it is {time} behind", time=span(-ahead_s))
    else:
        wrong = ""
    if told.clock == "right":
        return wrong or _("right")
    unsure = _("nobody has confirmed it; readings are dated by when they arrive")
    return f"{wrong}; {unsure}" if wrong else unsure


def needs_somebody(told: MonitorHealth) -> bool:
    """Whether something about it will go wrong soon."""
    wrong = told.clock == "right" and abs(told.ahead_s or 0.0) > RIGHT_S
    full = bool(told.waiting) and told.room_days is not None and told.room_days < SHORT_DAYS
    return wrong or full or bool(told.saving)


# central


def held(model: Model) -> list[NodeView]:
    """Monitors whose reports nobody takes in just now."""
    closed = frozenset(model.hub.closed) if model.hub is not None else frozenset[int]()
    return [node for name, node in model.nodes.items() if topics.bucket(name) in closed] if closed else []


def held_sentence(model: Model) -> str:
    """The same as a sentence; empty where there are none."""
    nodes = held(model)
    if not nodes:
        return ""
    names = ", ".join(words.clean(node.title or node.id) for node in nodes[:_MOST_NAMED])
    more = ", …" if len(nodes) > _MOST_NAMED else ""
    return _n(
        "The reports of {n} monitor wait there: {names}", "The reports of {n} monitors wait there: {names}",
        len(nodes), names=names + more,
    )  # fmt: skip


def memory(central: CentralHealth) -> Iterator[str]:
    """What it keeps, and what room there is."""
    used, free = central.memory_bytes, central.free_bytes
    if used is not None and free is not None:
        yield _("{used} kept, {free} free", used=size(used), free=size(free))
    if central.store not in ("", "embedded"):
        yield _("readings lie in {store}", store=central.store)
    if central.samples_days:
        yield _("every reading for {time}", time=long(central.samples_days))
    if central.events_days:
        yield _("events for {time}", time=long(central.events_days))


def long(days: int) -> str:
    """`30 days`, `3 years`."""
    years = round(days / 365)
    return _n("{n} year", "{n} years", years) if days >= 2 * 365 else _n("{n} day", "{n} days", days)


def taken_in(central: CentralHealth) -> Iterator[str]:
    """What came in since it started."""
    yield _n("{n} report", "{n} reports", central.reports)
    if central.waiting:
        yield _n("{n} waits to be written", "{n} wait to be written", central.waiting)
    if central.refused:
        yield _n("{n} refused", "{n} refused", central.refused)


def blind_since(central: CentralHealth, now: float, span: Span) -> str:
    """Since when it takes nothing in."""
    return _(
        "blind for {time}, since {at}", time=span(now - central.since), at=words.when(central.since, now)
    )


def certificate(told: CertificateHealth, now: float) -> str:
    """What it is of, and how long it is good."""
    name, days = words.clean(told.name), int((told.ends - now) // _DAY_S)
    until = time.strftime("%Y-%m-%d", time.gmtime(told.ends))
    match told.of:
        case "broker":
            what = _("certificate of the broker, {name}", name=name)
        case "server":
            what = _("certificate of the server, {name}", name=name)
        case "file":
            what = _("certificate of the file {name}", name=name)
        case _:
            what = _("certificate of the page {name}", name=name)
    if days < 0:
        return f"{what}: " + _("EXPIRED on {date}", date=until)
    return f"{what}: " + _n("{n} day left, until {date}", "{n} days left, until {date}", days, date=until)


def certificate_state(told: CertificateHealth, now: float) -> str:
    """Its state as the screens name states: who sees to it in time does so within three months."""
    days = (told.ends - now) / _DAY_S
    return "ok" if days >= x509.SOON_DAYS else "weak" if days >= x509.CRITICAL_DAYS else "down"


def backup(told: BackupHealth, now: float, span: Span) -> str:
    """How old the newest good one is, and why there is no newer one."""
    if told.good_at is None:
        said = _("no backup yet")
    else:
        said = _("newest backup: {time} old", time=span(max(now - told.good_at, 0.0)))
    return f"{said}; {words.clean(told.fault)}" if told.fault else said


def backup_state(told: BackupHealth, now: float) -> str:
    """Its state as the screens name states."""
    newest = told.since if told.good_at is None else told.good_at
    old = now - newest > OLD_BACKUP_DAYS * _DAY_S
    return "weak" if old or told.fault else "ok"


def part_name(part: PartHealth) -> str:
    """What a part of the central is called."""
    match part.role:
        case "worker":
            return _("Worker {name}", name=words.clean(part.name))
        case "village":
            return _("Village {name}", name=words.clean(part.name))
    return _("The server")


def part_state(part: PartHealth) -> str:
    """Its state as the screens name states."""
    if part.state == "ready":
        return "ok"
    return "weak" if part.role == "server" else "down"


def part_sentence(part: PartHealth) -> str:
    """What it does, or what it means that it does not."""
    if part.role == "worker":
        if part.state == "ready":
            return _n("stores for {n} monitor", "stores for {n} monitors", part.monitors)
        return _n(
            "the reports of {n} monitor wait there", "the reports of {n} monitors wait there", part.monitors
        )
    if part.role == "village":
        return _("it brings what it stores") if part.state == "ready" else _("what is shown of it may be old")
    if not part.waiting:
        return _("has everything") if part.state == "ready" else _("out of reach; nothing waits for it")
    if part.state == "ready":
        return _n("{n} report is on its way", "{n} reports are on their way", part.waiting)
    return _n("out of reach; {n} report waits", "out of reach; {n} reports wait", part.waiting)


def other_versions(model: Model, central_version: str) -> list[NodeView]:
    """Monitors that run another version of Ayni than the central."""
    if not central_version:
        return []
    return [node for node in model.nodes.values() if node.version and node.version != central_version]
