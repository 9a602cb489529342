"""How Ayni itself is, as plain lines: the central and its memory, the monitors, the ways to people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field

from ayni_console.lines import clean
from ayni_console.view import events as event_words
from ayni_console.view import health_words as say
from ayni_console.view import plain_parts as parts
from ayni_core.onlooking.model import Model
from ayni_core.wire.health import BackupHealth, CentralHealth, CertificateHealth, MonitorHealth, PartHealth
from ayni_core.wire.messages import Event, NodeView
from ayni_core.wire.questions import Deliveries, TargetView
from ayni_io import words
from ayni_io.i18n import _, _n
from ayni_io.phrases import thing, trouble

LOOKS_BACK_S = 7 * 86400.0
"""How far back what was told of clocks, reports and the memory counts."""
CLOCKS = ("note.clock_", "event.clock_", "event.fed_ahead", "event.blind_clock")
REPORTS = (
    "note.outage", "note.power_cut", "note.killed", "note.saving_", "note.budget_lost",
    "event.frames_refused", "event.names_refused_node", "event.notes_refused", "event.cloned_node",
)  # fmt: skip
CENTRAL = (
    "event.hub_started", "event.blind_", "event.worker_", "event.village_gone", "event.part_back",
    "event.buckets_", "event.feed_", "event.fed_", "event.server_", "event.heartbeat_",
    "event.nobody_to_tell",
)  # fmt: skip
"""Beginnings of the contexts of what monitors tell of their clocks and their waiting reports, and of what the
central tells of itself."""
_MOST = 10


@dataclass(slots=True)
class Asked:
    """What the central was asked about itself. `answered` is whether it was there; `events` are those of
    monitors and of nothing in particular; `told` is how messages to people go, and `problem` why not.
    `central`, `parts`, `certificates`, `backup` and `monitors` are what it said of itself, of them, by their
    names."""

    answered: bool = True
    events: Sequence[Event] = ()
    told: Deliveries | None = None
    problem: str = ""
    central: CentralHealth | None = None
    parts: Sequence[PartHealth] = ()
    certificates: Sequence[CertificateHealth] = ()
    backup: BackupHealth | None = None
    monitors: dict[str, MonitorHealth] = field(default_factory=dict)


def of(events: Sequence[Event], beginnings: tuple[str, ...], node: str | None = None) -> list[Event]:
    """The events that speak of something, newest first; with `node` only that monitor's."""
    found = [each for each in events if each.text.context.startswith(beginnings)]
    if node is not None:
        found = [each for each in found if (each.kind, each.name) == ("node", node)]
    return sorted(found, key=lambda each: -each.at)


def all_is_well(model: Model, asked: Asked, now: float) -> bool:
    """Whether the central takes in and has a backup, no certificate ends soon, every monitor reports, and
    every way to people works."""
    lasts = all(say.certificate_state(each, now) == "ok" for each in asked.certificates)
    kept = asked.backup is None or say.backup_state(asked.backup, now) == "ok"
    lasts = lasts and kept
    monitors = all(model.node_state(node, now) == "ok" for node in model.nodes.values())
    targets = asked.told.targets if asked.told is not None else ()
    return not _trouble(model, now) and monitors and lasts and not any(target.failing for target in targets)


def _trouble(model: Model, now: float) -> str:
    closed = bool(model.hub and model.hub.closed)
    return trouble(model, now) or (_("The central does not take in everything.") if closed else "")


def lines(model: Model, asked: Asked, now: float) -> Iterator[str]:
    """The lines."""
    yield from _central(model, asked, now)
    nodes = sorted(model.nodes.values(), key=lambda node: (model.node_state(node, now) == "ok", node.id))
    if not nodes:
        yield _("No monitors.")
    for node in nodes:
        yield from _monitor(model, node, asked, now)
    yield from _people(asked, now)


def _central(model: Model, asked: Asked, now: float) -> Iterator[str]:
    hub, age = model.hub, model.contact_age(now)
    well = _("The central takes everything in.") if asked.answered else _("The central does not answer.")
    yield _trouble(model, now) or well
    if hub is not None and hub.version:
        yield "  " + _("version: {version}", version=hub.version)
    if age is not None:
        yield "  " + _("last heard: {age} ago", age=parts.spoken(age))
    memory = _("it can write") if hub is None or hub.state != "store-down" else _("it cannot write")
    if asked.answered and hub is not None and hub.state in ("ready", "store-down"):
        yield "  " + _("its memory: {state}", state=memory)
    held = say.held_sentence(model)
    if held:
        yield f"  {held}"
    if asked.central is not None:
        yield from _of_central(asked.central, now)
    for part in asked.parts:
        lasted = _("for {time}", time=parts.spoken(now - part.since))
        yield f"  {say.part_name(part)}: {say.part_sentence(part)}, {lasted}"
        if part.buckets:
            yield "    " + _("its buckets: {buckets}", buckets=part.buckets)
    for each in asked.certificates:
        yield f"  {say.certificate(each, now)}"
    if asked.backup is not None:
        yield f"  {say.backup(asked.backup, now, parts.spoken)}"
    if model.skew_s:
        yield "  " + _("the clock of this machine is behind by: {time}", time=parts.spoken(model.skew_s))
    said = of(asked.events, CENTRAL)
    told = (f"  {parts.event_line(model, each, now)}" for each in said[:_MOST])
    yield from parts.below("  " + _("what it told of itself in the last 7 days:"), told)


def _of_central(central: CentralHealth, now: float) -> Iterator[str]:
    if central.state != "ready":
        yield "  " + say.blind_since(central, now, parts.spoken)
    yield "  " + _("runs for: {time}", time=parts.spoken(now - central.started_at))
    if central.newest_at is not None:
        yield "  " + _("newest reading: {age}", age=parts.ago(central.newest_at, now))
    yield "  " + _("since it started: {facts}", facts=", ".join(say.taken_in(central)))
    for fact in say.memory(central):
        yield "  " + _("memory: {fact}", fact=fact)


def _monitor(model: Model, node: NodeView, asked: Asked, now: float) -> Iterator[str]:
    name = thing(model, "node", node.id)
    yield parts.state_line(name, model.node_state(node, now), node.since, now)
    presence = model.presence.get(node.id)
    version = node.version or (presence.version if presence else "")
    if version:
        yield "  " + _("version: {version}", version=version)
    said = _("never") if node.as_of is None else parts.ago(node.as_of, now)
    yield "  " + _("last report: {age}", age=said)
    if model.late(node.next_by, now) and node.next_by is not None:
        yield "  " + _("its next report is late by: {time}", time=parts.spoken(now - node.next_by))
    if presence is not None:
        yield "  " + (_("connected to the broker") if presence.up else _("not connected to the broker"))
        yield "  " + _n("{n} device", "{n} devices", presence.devices)
        if presence.poll_s:
            yield "  " + _("asks every: {time}", time=parts.spoken(presence.poll_s))
        if presence.flush_s:
            yield "  " + _("reports every: {time}", time=parts.spoken(presence.flush_s))
    yield from _told(asked.monitors.get(node.id), now)
    for label, beginnings in ((_("its clock"), CLOCKS), (_("its reports"), REPORTS)):
        newest = next(iter(of(asked.events, beginnings, node.id)), None)
        if newest is None:
            yield f"  {label}: " + _("nothing to tell")
        else:
            yield f"  {label}: {clean(event_words.said(newest))}; {parts.ago(newest.at, now)}"


def _told(told: MonitorHealth | None, now: float) -> Iterator[str]:
    if told is None:
        return
    if told.clock:
        yield "  " + _("its clock now: {said}", said=say.clock(told, parts.spoken))
    if told.told_at is None:
        return
    yield "  " + _("its outbox: {said}", said=say.waits(told))
    for fact in say.storage(told, parts.spoken):
        yield f"    {fact}"
    for fact in say.data(told):
        yield "  " + _("data: {said}", said=fact)
    if told.saving:
        yield f"  {say.saving(told)}"
    yield "  " + _("so it said: {age}", age=parts.ago(told.told_at, now))


def _people(asked: Asked, now: float) -> Iterator[str]:
    if asked.told is None:
        yield _("How messages to people go is not known: {reason}", reason=asked.problem)
        return
    if not asked.told.targets:
        yield _("Nobody is told anything: no person of network.yaml has a notify.")
    for target in asked.told.targets:
        yield from target_lines(target, now)
    given_up = sum(each.state == "given_up" for each in asked.told.newest)
    if given_up:
        yield _n(
            "{n} of the newest messages was given up", "{n} of the newest messages were given up", given_up
        )


def target_lines(target: TargetView, now: float) -> Iterator[str]:
    """One way to a person: whether it works."""
    to = _("Messages to {name} by {target}", name=clean(target.title), target=clean(target.target))
    if target.failing:
        yield f"{to}: " + _("does not work: {reason}", reason=clean(target.failing))
    elif target.reached_at is None:
        yield f"{to}: " + _("nothing was sent yet")
    else:
        yield f"{to}: " + _("works")
    if target.reached_at is not None:
        yield "  " + _("last reached: {age}, {time}", age=parts.ago(target.reached_at, now),
                       time=words.when(target.reached_at, now))  # fmt: skip
    if target.waiting:
        yield "  " + _n("{n} message waits", "{n} messages wait", target.waiting)


def as_json(model: Model, asked: Asked, now: float) -> dict[str, object]:
    """The same for programs."""
    hub = model.hub
    return {
        "well": asked.answered and all_is_well(model, asked, now),
        "contact": asked.answered,
        "trouble": _trouble(model, now),
        "central": {
            "state": hub.state if hub else None,
            "version": hub.version if hub else "",
            "heard_s": model.contact_age(now),
            "closed_parts": list(hub.closed) if hub else [],
            "waiting_monitors": [node.id for node in say.held(model)],
            "health": asdict(asked.central) if asked.central else None,
            "parts": [asdict(part) for part in asked.parts],
            "certificates": [asdict(each) for each in asked.certificates],
            "backup": asdict(asked.backup) if asked.backup else None,
            "events": [parts.event_json(model, each, now) for each in of(asked.events, CENTRAL)],
        },
        "monitors": [_monitor_json(model, node, asked, now) for node in model.nodes.values()],
        "people": [
            {
                "person": each.person,
                "title": each.title,
                "target": each.target,
                "kind": each.kind,
                "works": not each.failing,
                "failing": each.failing,
                "reached_at": each.reached_at,
                "waiting": each.waiting,
            }
            for each in (asked.told.targets if asked.told else ())
        ],
        "problem": asked.problem,
    }


def _monitor_json(model: Model, node: NodeView, asked: Asked, now: float) -> dict[str, object]:
    presence = model.presence.get(node.id)
    return {
        "id": node.id,
        "title": node.title,
        "site": node.site,
        "state": model.node_state(node, now),
        "since": node.since,
        "version": node.version or (presence.version if presence else ""),
        "as_of": node.as_of,
        "age_s": None if node.as_of is None else round(max(now - node.as_of, 0.0), 1),
        "next_by": node.next_by,
        "connected": presence.up if presence else None,
        "devices": presence.devices if presence else None,
        "poll_s": presence.poll_s if presence else None,
        "flush_s": presence.flush_s if presence else None,
        "health": asdict(asked.monitors[node.id]) if node.id in asked.monitors else None,
        "clock": [parts.event_json(model, each, now) for each in of(asked.events, CLOCKS, node.id)],
        "reports": [parts.event_json(model, each, now) for each in of(asked.events, REPORTS, node.id)],
    }
