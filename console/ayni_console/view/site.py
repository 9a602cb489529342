"""A site: what is wrong there, what stands there and how it is, where its power comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from ayni_console.lines import Line, Span, cells, fit, line, wrap
from ayni_console.view import readings as said
from ayni_console.view import roots
from ayni_console.view.page import BLANK, Look, Row, matches, text
from ayni_console.view.things import Thing, alarm_about, alarm_rows, alarms, link_thing, section
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import DeviceView, NodeView, SiteView, UpstreamView
from ayni_core.wire.questions import Reading
from ayni_io import values, words
from ayni_io.i18n import _, say
from ayni_io.phrases import headline, site_summary
from ayni_io.readings import group_name, natural, reading_order, shown

POWER = ("power", "poe", "sensor")
"""Groups of readings that are asked of every device of a site."""
_FIRST = ("voltage_v", "charge_pct", "power_w", "current_a", "battery_state", "temperature_c")
_MOST_POWER = 6
"""Readings of one device that stand on the site's screen; the device's own has all."""


@dataclass(slots=True)
class Power:
    """What the devices of a site say of power, and of which of them nothing could be asked."""

    readings: dict[str, Sequence[Reading]] = field(default_factory=dict)
    problem: str = ""


def things_at(model: Model, site: str, kind: str, name: str) -> bool:
    """Whether something stands at a site, or ends there."""
    link = model.links.get(name) if kind == "link" else None
    if link is not None:
        return site in (link.a.site, link.b.site)
    return model.site_of(kind, name) == site


def devices_of(model: Model, site: str) -> list[DeviceView]:
    """What stands there, by name."""
    found = [device for device in model.devices.values() if device.site == site]
    return sorted(found, key=lambda device: natural(device.title))


def site_rows(
    model: Model, site: SiteView, look: Look, power: Power | None = None, wanted: str = ""
) -> list[Row]:
    """The body of a site's screen."""
    made: list[Row] = []
    if not wanted.strip():
        made = [text(" ", each) for each in wrap(site_summary(model, site), look.width - 2)]
        made += _why(model, site, look)
        made.append(BLANK)
    here = partial(things_at, model, site.id)
    made += alarm_rows(model, look, alarms(model, here), wanted)
    for title, things in _sections(model, site, look):
        made += section(look, title, things, wanted)
    made += power_rows(model, look, power or Power(), wanted)
    if wanted.strip() and not made:
        made.append(text("   ", _("Nothing here fits the filter.")))
    return made


def _sections(model: Model, site: SiteView, look: Look) -> list[tuple[str, list[Thing]]]:
    links = sorted(model.links.values(), key=lambda link: link.title.casefold())
    nodes = sorted(model.nodes.values(), key=lambda node: node.title.casefold())
    return [
        (_("DEVICES"), [_device(model, each, look) for each in devices_of(model, site.id)]),
        (
            _("LINKS"),
            [link_thing(model, link, look.now) for link in links if site.id in (link.a.site, link.b.site)],
        ),
        (_("MONITORS"), [_monitor(model, each, look) for each in nodes if each.site == site.id]),
        (_("INTERNET"), [_way_out(each, look) for each in model.upstreams.values() if each.site == site.id]),
    ]


def _monitor(model: Model, node: NodeView, look: Look) -> Thing:
    return Thing(f"node:{node.id}", node.title, model.node_state(node, look.now), node.version, node.as_of)


def _way_out(upstream: UpstreamView, look: Look) -> Thing:
    since = _("since {time}", time=words.when(upstream.since, look.now))
    return Thing(f"upstream:{upstream.id}", upstream.title, upstream.state, since)


def _why(model: Model, site: SiteView, look: Look) -> list[Row]:
    """What is probably wrong, or what cuts the site off."""
    known = roots.begins(model, look.now)
    item = roots.explains(model, site.id, known)
    if item is None:
        return []
    mark = Span(words.symbol(item.state), words.style(item.state))
    name = model.title(item.kind, item.name)
    behind = _("It is behind {name}: look there first.", name=name)
    said_of = say(item.headline) or say(item.text)
    first, *rest = wrap(said_of if site.id in known else behind, look.width - 4)
    return [text(" ", mark, " ", first), *(text("   ", each) for each in rest)]


def _device(model: Model, device: DeviceView, look: Look) -> Thing:
    what = device.error or device.model or device.profile or device.address
    state = model.device_state(device, look.now)
    return Thing(f"device:{device.id}", device.title, state, what, device.as_of)


def power_rows(model: Model, look: Look, power: Power, wanted: str) -> list[Row]:
    """What the devices say of batteries, supplies and temperatures, each with its age."""
    title = _("POWER")
    made: list[Row] = []
    for name, told in power.readings.items():
        device = model.title("device", name)
        for each in _weightiest(told):
            if matches(wanted, title, device, *filter_words(each)):
                made.append(Row(partial(_power_line, device, each, look), power_key(name, each)))
    if power.problem and not wanted.strip():
        made.append(text(" ? ", power.problem))
    return [text(" ", Span(title, "head")), *made, BLANK] if made else []


def _weightiest(told: Sequence[Reading]) -> list[Reading]:
    """The readings that say most of power; each supply or battery gives its voltage first."""
    ranked = [each for each in told if each.metric in _FIRST and each.value is not None]
    ranked.sort(key=lambda each: (_FIRST.index(each.metric), reading_order(each)))
    return ranked[:_MOST_POWER]


def filter_words(reading: Reading) -> tuple[str, ...]:
    """What a filter looks at in a reading."""
    part = group_name(reading.group, reading.item)
    return reading.item, part, reading.metric, values.label(reading.metric)


def power_key(device: str, reading: Reading) -> str:
    """The key of a reading on the site's screen: it says whose it is."""
    return f"{device}\x1e{said.reading_key(reading)}"


def parse_power(key: str) -> tuple[str, tuple[str, str, str]] | None:
    """(device, (group, item, metric)) of such a row; None for any other."""
    device, between, rest = key.partition("\x1e")
    return (device, said.parse_key(rest)) if between else None


def _power_line(device: str, reading: Reading, look: Look) -> Line:
    """`Charger Cerro, battery   power 24.1 V   12 s ago`."""
    name = max(look.width * 2 // 5, 20)
    age = said.age(reading.at, look.now)
    label = f"{values.label(reading.metric)} {shown(reading)}"
    whose = f"{device}, {reading.item}" if reading.item else device
    told = fit(label, look.width - name - cells(age) - 6)
    return line("   ", fit(whose, name), " ", told, " ", Span(age, "dim"))


def about(model: Model, key: str, power: Power, now: float) -> str:
    """What there is to say of the selected line, beside what it says itself."""
    of_power = parse_power(key)
    if of_power is not None:
        return said.meaning(of_power[1][2])
    kind, _colon, name = key.partition(":")
    match kind:
        case "alert" if name in model.alerts:
            return alarm_about(model, model.alerts[name])
        case "device" if name in model.devices:
            return device_summary(model, model.devices[name])
        case "link" if name in model.links:
            return headline(model, model.links[name], now)
    return ""


def device_summary(model: Model, device: DeviceView) -> str:
    """Model, firmware, address, who watches it."""
    parts = (
        device.model or device.profile or "",
        device.version or "",
        device.address,
        _("watched by {node}", node=model.title("node", device.node)),
    )
    return " · ".join(part for part in parts if part)
