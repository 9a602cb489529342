"""A site: what stands there and how it is; a device: every reading with its age."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ayni_console.lines import Line, Span, clip, fit, line
from ayni_console.view import values
from ayni_console.view.page import BLANK, Look, Row, text
from ayni_core.onlooking import attention
from ayni_core.onlooking.model import Model
from ayni_core.readings import GROUPS
from ayni_core.wire.messages import DeviceView, SiteView
from ayni_core.wire.questions import Reading
from ayni_io import words
from ayni_io.i18n import _, say
from ayni_io.phrases import site_summary

__all__ = ["site_summary"]


def site_rows(model: Model, site: SiteView, look: Look) -> list[Row]:
    """The body of a site's screen."""
    made = [text(" ", site_summary(model, site))]
    for item in attention.items(model, look.now):
        if model.site_of(item.kind, item.name) == site.id and item.headline:
            made.append(
                text(" ", Span(words.symbol(item.state), words.style(item.state)), " ", say(item.headline))
            )
    made.append(BLANK)
    made += _section(
        look,
        _("DEVICES"),
        [
            (
                "device",
                d.id,
                d.title,
                model.device_state(d, look.now),
                d.model or d.profile or d.address,
                d.as_of,
            )
            for d in model.devices.values()
            if d.site == site.id
        ],
    )
    made += _section(
        look,
        _("LINKS"),
        [
            (
                "link",
                k.id,
                k.title,
                model.link_state(k, look.now),
                _signals(k.a.signal_dbm, k.b.signal_dbm),
                model.link_as_of(k),
            )
            for k in model.links.values()
            if site.id in (k.a.site, k.b.site)
        ],
    )
    made += _section(
        look,
        _("MONITORS"),
        [
            ("node", n.id, n.title, model.node_state(n, look.now), n.version, n.as_of)
            for n in model.nodes.values()
            if n.site == site.id
        ],
    )
    made += _section(
        look,
        _("INTERNET"),
        [
            ("upstream", u.id, u.title, u.state, "", None)
            for u in model.upstreams.values()
            if u.site == site.id
        ],
    )
    return made


def _signals(a: float | None, b: float | None) -> str:
    return f"{words.number(a)}/{words.number(b)} dBm"


def _section(
    look: Look, title: str, things: Sequence[tuple[str, str, str, str, str, float | None]]
) -> list[Row]:
    if not things:
        return []
    made = [text(" ", Span(title, "head"))]
    made += [Row(partial(_thing_line, look, thing), f"{thing[0]}:{thing[1]}") for thing in things]
    return [*made, BLANK]


def _thing_line(look: Look, thing: tuple[str, str, str, str, str, float | None]) -> Line:
    _kind, _name, title, state, about, as_of = thing
    style = words.style(state)
    name = min(max(look.width // 3, 16), 30)
    age = "" if as_of is None else _("{age} ago", age=words.duration(look.now - as_of))
    rest = look.width - name - 4 - 10 - 12 - 2
    return line(
        " ",
        Span(words.symbol(state), style),
        " ",
        fit(title, name),
        " ",
        Span(fit(words.word(state), 10), style),
        fit(about, rest),
        " ",
        Span(fit(age, 12), "dim"),
    )


def device_rows(
    model: Model,
    device: DeviceView,
    look: Look,
    readings: Sequence[Reading],
    problem: str,
    selected: str | None,
) -> list[Row]:
    """The body of a device's screen: who it is, what the selected reading means, every reading."""
    state = model.device_state(device, look.now)
    since = _("since {time}", time=words.when(device.since, look.now))
    made = [
        text(
            " ",
            Span(f"{words.symbol(state)} {words.word(state)}", words.style(state)),
            " ",
            since,
            "  ",
            Span(device.error or "", "down"),
        ),
        text(" ", Span(clip(device_summary(model, device), look.width - 2), "dim")),
        Row(partial(_meaning_line, selected), sticky=True),
    ]
    if problem:
        made.append(text(" ? ", problem))
    elif not readings:
        made.append(text("   ", _("Asking the central …")))
    group = None
    for reading in sorted(readings, key=reading_order):
        if (reading.group, reading.item) != group:
            group = (reading.group, reading.item)
            made.append(text(" ", Span(group_name(*group), "head")))
        made.append(Row(partial(reading_line, reading, look), reading_key(reading)))
    return made


def device_summary(model: Model, device: DeviceView) -> str:
    """Model, firmware, address, who watches it."""
    parts = (
        device.model or device.profile or "",
        device.version or "",
        device.address,
        _("watched by {node}", node=model.title("node", device.node)),
    )
    return " · ".join(part for part in parts if part)


def reading_key(reading: Reading) -> str:
    """The key of a reading's row; `parse_key` takes it apart."""
    return "\x1f".join(("reading", reading.group, reading.item, reading.metric))


def parse_key(key: str) -> tuple[str, str, str]:
    """(group, item, metric) of a row's key."""
    _kind, group, item, metric = key.split("\x1f")
    return group, item, metric


def group_name(group: str, item: str) -> str:
    """`Port ether1`, `Peer 000c42…`, `Device`."""
    match group:
        case "system":
            return _("Device")
        case "interface":
            return _("Port {name}", name=item)
        case "radio":
            return _("Radio {name}", name=item)
        case "station":
            return _("Other side {name}", name=item)
        case "power":
            return _("Power {name}", name=item).strip()
        case "poe":
            return _("Power over cable {name}", name=item).strip()
        case "sensor":
            return _("Sensor {name}", name=item).strip()
        case "node":
            return _("Monitor {name}", name=item).strip()
        case "neighbour":
            return _("Neighbour {name}", name=item).strip()
    return f"{group} {item}".strip()


def reading_order(reading: Reading) -> tuple[int, str, str]:
    """The place of a reading among those of its device."""
    # radios before ports: what people come to see stands on the first page
    order = ("station", "radio", "power", "poe", "system", "interface", *GROUPS)
    return (
        (order.index(reading.group) if reading.group in order else len(order)),
        reading.item,
        reading.metric,
    )


def reading_line(reading: Reading, look: Look) -> Line:
    """`hears  -57 dBm  12 s ago`."""
    name = min(max(look.width // 3, 18), 26)
    age = _("{age} ago", age=words.duration(look.now - reading.at))
    return line(
        "   ",
        fit(values.label(reading.metric), name),
        " ",
        fit(values.value(reading.metric, reading.value), look.width - name - 4 - 14),
        Span(fit(age, 13), "dim"),
    )


def _meaning_line(selected: str | None) -> Line:
    if selected is None or not selected.startswith("reading"):
        return ()
    metric = parse_key(selected)[2]
    return line(" ", Span(f"{values.label(metric)}: {values.meaning(metric)}", "meaning"))


def device_message(device: DeviceView, readings: Sequence[Reading], look: Look) -> str:
    """A device as a message for any chat: its radio and power readings."""
    made = [f"{device.title} {device.address} ({words.clock(look.now)})"]
    for reading in sorted(readings, key=reading_order):
        if reading.group in ("station", "radio", "power", "system") and reading.metric != "answered":
            made.append(f"{values.label(reading.metric)}: {values.value(reading.metric, reading.value)}")
    return "\n".join(made[:20])
