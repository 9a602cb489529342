"""A device: its alarms and links, and every reading by what it is about, with its age."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import partial

from ayni_console.lines import Line, Span, clean, fit, line, wrap
from ayni_console.view import readings as said
from ayni_console.view import tables
from ayni_console.view.page import BLANK, Look, Row, matches, text
from ayni_console.view.readings import part_key, reading_key, reading_line
from ayni_console.view.site import device_summary, filter_words
from ayni_console.view.things import alarm_about, alarm_rows, alarms, link_thing, section
from ayni_core.onlooking.model import Model
from ayni_core.readings import NEIGHBOURS
from ayni_core.wire.messages import DeviceView
from ayni_core.wire.questions import Reading
from ayni_io import values, words
from ayni_io.i18n import _
from ayni_io.phrases import headline
from ayni_io.readings import Part, group_name, parts, reading_order, shown, together

_CHAIN = re.compile(r" chain \S+$")


def device_rows(
    model: Model,
    device: DeviceView,
    look: Look,
    readings: Sequence[Reading],
    problem: str,
    wanted: str = "",
    opened: Collection[Part] = (),
) -> list[Row]:
    """The body of a device's screen. Of a port, an other side or a neighbour among several all readings are
    shown where it is `opened`; a filter looks at all of them."""
    made: list[Row] = []
    if not wanted.strip():
        made.append(_state_row(model, device, look))
        made += [text(" ", Span(each, "dim")) for each in wrap(_facts(model, device, look), look.width - 2)]
    made += alarm_rows(model, look, alarms(model, partial(_about, device.id)), wanted)
    links = [link for link in model.links.values() if device.id in (link.a.device, link.b.device)]
    made += section(look, _("LINKS"), [link_thing(model, link, look.now) for link in links], wanted)
    if made and made[-1] is not BLANK and readings:
        made.append(BLANK)
    if problem:
        made.append(text(" ? ", problem))
    elif not readings:
        made.append(text("   ", _("Asking the central …")))
    found = _reading_rows(model, device, look, readings, wanted, opened)
    if wanted.strip() and not found and not made:
        made.append(text("   ", _("Nothing here fits the filter.")))
    return made + found


def _about(device: str, kind: str, name: str) -> bool:
    return (kind, name) == ("device", device)


def _state_row(model: Model, device: DeviceView, look: Look) -> Row:
    state = model.device_state(device, look.now)
    mark = Span(f"{words.symbol(state)} {words.word(state)}", words.style(state))
    since = _("since {time}", time=words.when(device.since, look.now))
    error = line("  ", Span(clean(device.error), "down")) if device.error else ()
    drawn = line(" ", mark, " ", since, *error)
    return Row(lambda: drawn)


def _facts(model: Model, device: DeviceView, look: Look) -> str:
    age = _("never measured")
    if device.as_of is not None:
        age = _("measured {when}", when=said.ago(look.now - device.as_of))
    return f"{age} · {device_summary(model, device)}"


def _reading_rows(
    model: Model,
    device: DeviceView,
    look: Look,
    readings: Sequence[Reading],
    wanted: str,
    opened: Collection[Part],
) -> list[Row]:
    """Every reading below a heading; of what there are many, a table whose lines open."""
    parts = parts_of(readings)
    namer = tables.Namer(model, device)
    poe = {item: tables.facts(told) for (group, item), told in parts.items() if group == "poe"}
    counts = Counter(group for group, item in parts if item)
    headed: set[str] = set()
    made: list[Row] = []
    for part, told in parts.items():
        group, item = part
        found = tables.facts(told)
        name = namer.name(part, found)
        shown = [each for each in told if matches(wanted, name, *filter_words(each))]
        counts_others = group == NEIGHBOURS.group and not item and bool(counts[group]) and not wanted.strip()
        if not shown or counts_others:  # the heading of the table says how many there are
            continue
        if group in tables.TABLES and item and not wanted.strip():
            if group not in headed:
                made.append(Row(partial(tables.heading, group, counts[group], look)))
            alarmed = _alarmed(model, device, item)
            drawn = tables.drawn(group, name, found, tables.poe_of(item, poe), look, alarmed)
            made.append(Row(drawn, part_key(part)))
            if part in opened:
                made += _whose(model, namer, part, found, look)
                made += [_reading_row(each, look, item, indent=5) for each in shown]
        else:
            heading = together(group)
            if not heading or group not in headed:
                made.append(text(" ", Span(heading or group_name(group, name), "head")))
            made += [_reading_row(each, look, "" if heading else item) for each in shown]
        headed.add(group)
    return made


def _reading_row(each: Reading, look: Look, below: str, indent: int = 3) -> Row:
    """A reading below the name of its part; where it is of a part of that (a chain), the line says so."""
    of = each.item.removeprefix(below).strip()
    return Row(partial(reading_line, each, look, indent, of), reading_key(each))


def parts_of(readings: Sequence[Reading]) -> dict[Part, list[Reading]]:
    """The readings of each part; what a radio says of one chain is with what it says of both."""
    apart = parts(readings)
    found: dict[Part, list[Reading]] = {}
    for (group, item), told in apart.items():
        whole = group, _CHAIN.sub("", item)
        found.setdefault(whole if whole in apart else (group, item), []).extend(told)
    return found


def _alarmed(model: Model, device: DeviceView, item: str) -> bool:
    """Whether an alarm of the device speaks of this part of it."""
    return any(
        item in alert.text.values.values()
        for alert in model.alerts.values()
        if (alert.kind, alert.name) == ("device", device.id)
    )


def _whose(
    model: Model, namer: tables.Namer, part: Part, found: Mapping[str, Reading], look: Look
) -> list[Row]:
    """The device of ours that is there, or the link: Enter goes on to it."""
    link, other = namer.link(part), namer.device(found)
    if link is not None and link in model.links:
        return [_way(f"link:{link}", _("link {name}", name=model.title("link", link)), look)]
    if other is not None:
        return [_way(f"device:{other}", _("this is {name}", name=model.title("device", other)), look)]
    return []


def _way(key: str, said_of: str, look: Look) -> Row:
    shown: Line = line("     ", Span(fit(said_of, look.width - 6), "head"))
    return Row(lambda: shown, key)


def about(model: Model, key: str, readings: Sequence[Reading], now: float) -> str:
    """What there is to say of the selected line: what a number means, all that a port says, who has it in
    hand."""
    if key.startswith("reading"):
        named = said.parse_key(key)
        value = (each.value for each in readings if (each.group, each.item, each.metric) == named)
        return said.meaning(named[2], next(value, None))
    part = said.parse_part(key)
    if part is not None:
        return said.in_a_row([each for each in readings if (each.group, each.item) == part])
    kind, _colon, name = key.partition(":")
    match kind:
        case "alert" if name in model.alerts:
            return alarm_about(model, model.alerts[name])
        case "link" if name in model.links:
            return headline(model, model.links[name], now)
        case "device" if name in model.devices:
            return device_summary(model, model.devices[name])
    return ""


def device_message(device: DeviceView, readings: Sequence[Reading], look: Look) -> str:
    """A device as a message for any chat: its radio and power readings."""
    made = [f"{device.title} {device.address} ({words.clock(look.now)})"]
    for reading in sorted(readings, key=reading_order):
        if reading.group in ("station", "radio", "power", "system") and reading.metric != "answered":
            made.append(f"{values.label(reading.metric)}: {shown(reading)}")
    return "\n".join(made[:20])
