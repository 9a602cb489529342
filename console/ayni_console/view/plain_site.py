"""One site as plain lines: how it is, its alarms, its power, what stands there with every reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ayni_console.view import plain_parts as parts
from ayni_core.metrics import unit_of
from ayni_core.onlooking import attention
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import DeviceView, Event, SiteView
from ayni_core.wire.questions import Reading
from ayni_io import values
from ayni_io.i18n import _, _n, say
from ayni_io.readings import group_name, reading_order

_SAME_AGE_S = 60.0
"""Readings of one group that are not further apart share one age."""
_POWER = ("power", "poe")


@dataclass(slots=True)
class Asked:
    """What the central was asked about a site: the newest readings by device, why some are missing, and what
    happened there. `answered` is whether it was there; `problem` says why not."""

    answered: bool = True
    problem: str = ""
    readings: dict[str, Sequence[Reading]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    events: Sequence[Event] = ()


def devices(model: Model, site: SiteView) -> list[DeviceView]:
    """What stands there."""
    return [device for device in model.devices.values() if device.site == site.id]


def things(model: Model, site: str) -> tuple[tuple[str, str], ...]:
    """The site and all that stands there or ends there."""
    tables = (("device", model.devices), ("node", model.nodes), ("upstream", model.upstreams))
    there = [(kind, each.id) for kind, table in tables for each in table.values() if each.site == site]
    ends = [("link", k.id) for k in model.links.values() if site in (k.a.site, k.b.site)]
    return ("site", site), *ends, *there


def lines(
    model: Model, site: SiteView, asked: Asked, now: float, explain: Sequence[str] = ()
) -> Iterator[str]:
    """The lines."""
    glossary = parts.Glossary(explain)
    yield parts.state_line(site.title, site.state, None, now)
    yield _n("{n} home here", "{n} homes here", site.homes)
    if site.homes_behind > site.homes:
        yield _("{n} with those behind", n=site.homes_behind)
    if site.parent:
        yield _("reached by {link}", link=model.title("link", site.parent))
    about = things(model, site.id)
    for item in attention.items(model, now):
        if (item.kind, item.name) in about and item.headline:
            yield say(item.headline)
    yield from parts.alarm_lines(model, parts.alarms_about(model, about), now)
    yield from parts.below(_("Power:"), _power(model, site, asked, now, glossary))
    for device in devices(model, site):
        yield from _device(model, device, asked, now, glossary)
    yield from glossary.rest()
    yield from parts.below(_("Links:"), _links(model, site, now))
    yield from parts.below(_("Monitors:"), _monitors(model, site, now))
    yield from parts.below(
        _("Internet:"),
        (
            parts.state_line(u.title, u.state, u.since, now)
            for u in model.upstreams.values()
            if u.site == site.id
        ),
    )
    yield from parts.past_lines(model, asked.events, now)


def _power(model: Model, site: SiteView, asked: Asked, now: float, glossary: parts.Glossary) -> Iterator[str]:
    kinds = {"mains": _("power from the grid"), "solar": _("solar power")}
    yield kinds.get(site.power, _("power: {kind}", kind=site.power))
    for device in devices(model, site):
        for (group, item), found in _grouped(asked.readings.get(device.id, ())):
            if group in _POWER:
                yield from _group(f"{device.title}, {_name(group, item)}", found, now, glossary)


def _device(
    model: Model, device: DeviceView, asked: Asked, now: float, glossary: parts.Glossary
) -> Iterator[str]:
    state = model.device_state(device, now)
    yield _("Device {what}", what=parts.state_line(device.title, state, device.since, now))
    facts = (
        (_("model"), device.model or device.profile),
        (_("version"), device.version),
        (_("address"), device.address),
        (_("watched by"), model.title("node", device.node)),
        (_("what it says"), device.error),
    )
    for label, value in facts:
        if value:
            yield f"  {label}: {value}"
    yield "  " + parts.measured(device.as_of, now)
    if device.id in asked.problems:
        yield "  " + _("its readings are not known: {reason}", reason=asked.problems[device.id])
    for (group, item), found in _grouped(asked.readings.get(device.id, ())):
        if group not in _POWER:
            for each in _group(_name(group, item), found, now, glossary):
                yield f"  {each}"


def _grouped(readings: Sequence[Reading]) -> list[tuple[tuple[str, str], list[Reading]]]:
    found: dict[tuple[str, str], list[Reading]] = {}
    for reading in sorted(readings, key=reading_order):
        found.setdefault((reading.group, reading.item), []).append(reading)
    return list(found.items())


def _name(group: str, item: str) -> str:
    name = group_name(group, item)
    return f"{name} {item}" if item and item not in name else name


def _group(name: str, readings: Sequence[Reading], now: float, glossary: parts.Glossary) -> Iterator[str]:
    newest = max(reading.at for reading in readings)
    yield f"{name}, {parts.measured(newest, now)}:"
    for reading in readings:
        said = f"  {values.label(reading.metric)}: {_spoken_value(reading)}"
        if newest - reading.at > _SAME_AGE_S:
            said += ", " + parts.measured(reading.at, now)
        yield said
        yield from (f"  {each}" for each in glossary.after(reading.metric))


def _spoken_value(reading: Reading) -> str:
    if unit_of(reading.metric) == "s" and isinstance(reading.value, int | float):
        return parts.spoken(reading.value)
    return values.value(reading.metric, reading.value) if reading.value is not None else _("not known")


def _links(model: Model, site: SiteView, now: float) -> Iterator[str]:
    for link in model.links.values():
        if site.id in (link.a.site, link.b.site):
            yield parts.state_line(link.title, model.link_state(link, now), model.link_since(link, now), now)


def _monitors(model: Model, site: SiteView, now: float) -> Iterator[str]:
    for node in model.nodes.values():
        if node.site == site.id:
            yield parts.state_line(node.title, model.node_state(node, now), node.since, now)


def as_json(model: Model, site: SiteView, asked: Asked, now: float) -> dict[str, object]:
    """The same for programs."""
    about = things(model, site.id)
    return {
        "contact": asked.answered,
        "id": site.id,
        "title": site.title,
        "state": site.state,
        "needs_somebody": parts.needs_somebody(model, about, now),
        "homes": site.homes,
        "homes_behind": site.homes_behind,
        "power": site.power,
        "parent": site.parent,
        "alerts": parts.alarms_json(model, parts.alarms_about(model, about), now),
        "devices": [_device_json(model, each, asked, now) for each in devices(model, site)],
        "links": [
            {"id": name, "title": model.title(kind, name), "state": model.state(kind, name, now)}
            for kind, name in about
            if kind == "link"
        ],
        "monitors": [
            {"id": n.id, "title": n.title, "state": model.node_state(n, now), "as_of": n.as_of}
            for n in model.nodes.values()
            if n.site == site.id
        ],
        "upstreams": [
            {"id": u.id, "title": u.title, "state": u.state, "since": u.since}
            for u in model.upstreams.values()
            if u.site == site.id
        ],
        "problem": asked.problem,
        "events": [parts.event_json(model, event, now) for event in asked.events],
    }


def _device_json(model: Model, device: DeviceView, asked: Asked, now: float) -> dict[str, object]:
    return {
        "id": device.id,
        "title": device.title,
        "state": model.device_state(device, now),
        "since": device.since,
        "address": device.address,
        "model": device.model,
        "version": device.version,
        "monitor": device.node,
        "error": device.error,
        "as_of": device.as_of,
        "problem": asked.problems.get(device.id, ""),
        "readings": [
            {"group": r.group, "item": r.item, "metric": r.metric, "unit": unit_of(r.metric),
             "value": r.value, "at": r.at, "age_s": round(max(now - r.at, 0.0), 1)}
            for r in asked.readings.get(device.id, ())
        ],
    }  # fmt: skip
