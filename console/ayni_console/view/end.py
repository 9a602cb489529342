"""One end of a link: every number that says how it hears the other, with its three normals and its age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ayni_console.lines import Line, Span, cells, clip, fit, line
from ayni_console.view import readings as said
from ayni_console.view.link import normal_heads, shown_normal, usually
from ayni_console.view.page import Look, Row, matches, text
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import EndView
from ayni_core.wire.questions import Normal, Reading
from ayni_io import values, words
from ayni_io.i18n import _
from ayni_io.link_table import trend
from ayni_io.readings import group_name, shown

EVEN = {"signal_dbm": 3.0, "noise_dbm": 3.0, "retry_pct": 5.0, "ccq_pct": 10.0}
"""How far a number may be from normal without being called so."""
_FIRST = (
    "signal_dbm", "signal_chain_dbm", "noise_dbm", "snr_db", "tx_rate_bps", "rx_rate_bps", "retry_pct",
    "ccq_pct", "quality_pct",
)  # fmt: skip


@dataclass(slots=True)
class EndKnown:
    """What was asked: what the device says, and what is normal by metric."""

    readings: Sequence[Reading] = ()
    normals: Mapping[str, Normal] | None = None
    asked: bool = False
    problem: str = ""


def rows(model: Model, end: EndView, side: str, look: Look, known: EndKnown, wanted: str = "") -> list[Row]:
    """The body: the device, the numbers of this end, then its cable and the device itself."""
    device = model.devices.get(end.device)
    about = " · ".join(filter(None, (model.title("device", end.device), device.model if device else None)))
    lead = f" {side.upper()}  {about}"
    made = [Row(partial(line, clip(lead, look.width - 1)), f"device:{end.device}")]
    if known.problem and not known.readings:
        return [*made, text(" ? ", known.problem)]
    if not known.asked:
        return [*made, text("   ", _("Asking the central …"))]
    made.append(Row(partial(_head, look), sticky=True))
    last: tuple[str, str] | None = None
    for reading in of_end(known.readings, end):
        if matches(wanted, values.label(reading.metric), reading.metric, reading.item):
            part = (reading.group, reading.item)
            own = part == (end.group, end.item)
            normal = (known.normals or {}).get(reading.metric) if own else None
            if not own and reading.metric != "signal_chain_dbm" and part != last:
                made.append(text(" ", Span(group_name(*part), "head")))
            last = part
            made.append(Row(partial(_reading, reading, normal, look), said.reading_key(reading)))
    if len(made) == 2:
        made.append(text("   ", _("This end says nothing of the link.")))
    if known.problem:
        made.append(text(" ? ", known.problem))
    return made


def of_end(readings: Sequence[Reading], end: EndView) -> list[Reading]:
    """What belongs to this end: how it hears the other, its chains, its radio, its cable, its age."""

    def place(reading: Reading) -> int | None:
        mine = (reading.group, reading.item) == (end.group, end.item)
        chain = reading.metric == "signal_chain_dbm" and reading.group == end.group
        if mine or (chain and end.item is not None and reading.item.startswith(end.item)):
            return 0
        if reading.group == "radio" and end.group != "radio":
            return 1
        if reading.group == "interface" and end.port and reading.item == end.port:
            return 2
        return 3 if reading.group == "system" and reading.metric == "uptime_s" else None

    def order(each: Reading) -> tuple[int, str, int, str, str]:
        first = _FIRST.index(each.metric) if each.metric in _FIRST else len(_FIRST)
        at = place(each) or 0
        return at, each.item if at else "", first, each.metric, each.item

    return sorted((each for each in readings if place(each) is not None), key=order)


def _widths(look: Look) -> tuple[int, int, int, int]:
    """(label, value, how far off, each normal) in cells; the age takes the rest."""
    normal = max(max(map(cells, normal_heads())), 4) + 1
    label = max(min(look.width - 4 - 12 - 6 - 3 * normal - 6, 34), 10)
    return label, 12, 6, normal


def _head(look: Look) -> Line:
    label, value, apart, normal = _widths(look)
    heads = "".join(fit(head, normal) for head in normal_heads())
    return line(Span(" " * (label + value + apart + 4) + heads + _("age"), "head"))


def _reading(reading: Reading, normal: Normal | None, look: Look) -> Line:
    label, value, apart, size = _widths(look)
    away = _away(reading, normal)
    style = "weak" if away and away != "=" else ""
    parts = (normal.plan, normal.new, normal.week) if normal is not None else (None, None, None)
    quiet = "".join(fit(shown_normal(reading.metric, one) if one is not None else "", size) for one in parts)
    name = values.label(reading.metric)
    if reading.metric == "signal_chain_dbm":
        name += f" {reading.item}"
    return line(
        "   ", fit(name, label), " ", Span(fit(shown(reading).partition(" (")[0], value), style),
        Span(fit(away, apart), style), Span(quiet, "dim"),
        Span(words.short(look.now - reading.at), "dim"),
    )  # fmt: skip


def _away(reading: Reading, normal: Normal | None) -> str:
    level = usually(normal) if normal is not None else None
    if level is None or not isinstance(reading.value, int | float):
        return ""
    if reading.metric.endswith("_bps"):
        share = reading.value / level.value if level.value else 1.0
        return "=" if 0.7 <= share <= 1.4 else "↓" if share < 1 else "↑"
    return trend(float(reading.value), level.value, EVEN.get(reading.metric, 3.0))
