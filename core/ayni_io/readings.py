"""Readings for people, on screens and telephones: their order, what their parts are called, their values."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ayni_core.metrics import METRICS
from ayni_core.wire.questions import Reading
from ayni_io import values, words
from ayni_io.i18n import _

Part = tuple[str, str]
"""(group, item): what several readings of a device are about, a port or a radio."""
_ORDER = ("station", "radio", "interface", "power", "poe", "sensor", "ping", "neighbour", "node", "system")
"""Radios first, then ports: what people come to see stands on the first page."""
_METRICS = {name: (entry.kind == "text", place) for place, (name, entry) in enumerate(METRICS.items())}


def group_name(group: str, item: str) -> str:
    """`Port ether1`, `Other side 000c42…`, `Device`."""
    match group:
        case "system":
            return " ".join((_("Device"), item)).strip()
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


def together(group: str) -> str:
    """The heading over all parts of a group that say little each; empty for a group whose parts have their
    own."""
    match group:
        case "system":
            return _("DEVICE")
        case "power":
            return _("POWER")
        case "poe":
            return _("POWER OVER CABLE")
        case "sensor":
            return _("SENSORS")
        case "ping":
            return _("PROBES")
        case "node":
            return _("MONITOR")
        case "neighbour":
            return _("NEIGHBOURS")
    return ""


def reading_order(reading: Reading) -> tuple[int, tuple[tuple[int, str], ...], tuple[bool, int]]:
    """The place of a reading among those of its device; port 10 after port 9, texts after numbers."""
    place = _ORDER.index(reading.group) if reading.group in _ORDER else len(_ORDER)
    return place, natural(reading.item), _METRICS.get(reading.metric, (True, len(_METRICS)))


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """A name for sorting: its numbers count as numbers."""
    pieces = re.findall(r"\d+|\D+", name.casefold())
    return tuple((int(piece), "") if piece.isdecimal() else (-1, piece) for piece in pieces)


def parts(readings: Sequence[Reading]) -> dict[Part, list[Reading]]:
    """The readings of each part, in the order in which they are shown."""
    found: dict[Part, list[Reading]] = {}
    for reading in sorted(readings, key=reading_order):
        found.setdefault((reading.group, reading.item), []).append(reading)
    return found


def shown(reading: Reading) -> str:
    """A value as people read it; a counter that runs says how fast."""
    value = values.value(reading.metric, reading.value)
    return value if reading.per_s is None else f"{running(reading.metric, reading.per_s)}   ({value})"


def running(metric: str, per_s: float) -> str:
    """How fast a counter runs: `1.2 Mb/s`, `0.3/s`."""
    entry = METRICS.get(metric)
    if entry is not None and entry.unit == "B":
        return values.value("tx_rate_bps", per_s * 8)
    return words.number(per_s, 0 if per_s >= 10 or per_s == 0 else 1 if per_s >= 0.1 else 2) + _("/s")
