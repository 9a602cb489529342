"""What one poll brought, for people (a table) and for programs (one JSON object)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from ayni_agent.poller import Poller
from ayni_core.ber import oid_text
from ayni_core.convert import Raw, as_text
from ayni_core.identify import GENERIC
from ayni_core.metrics import METRICS
from ayni_core.oid_notation import index_arcs
from ayni_core.plan import Origin
from ayni_core.readings import GROUPS, Poll, Series, Value
from ayni_io.i18n import _

_PORT_FIELDS = {
    "if_oper": "oper",
    "if_admin": "admin",
    "speed_bps": "speed_bps",
    "in_octets": "in_octets",
    "out_octets": "out_octets",
    "in_errors": "in_errors",
    "out_errors": "out_errors",
    "in_discards": "in_discards",
    "out_discards": "out_discards",
    "in_ucast_pkts": "in_ucast_pkts",
    "out_ucast_pkts": "out_ucast_pkts",
    "if_mac": "mac",
    "if_alias": "alias",
}
_COUNTED = ((10**9, "G"), (10**6, "M"), (10**3, "k"))


def as_object(poller: Poller, poll: Poll) -> dict[str, Any]:
    """The JSON object: family, system, ports, readings with the OID and raw answer of each, and the cost."""
    raws = {oid: (tag, value) for oid, tag, value in poller.last}
    cost = poller.cost
    return {
        "os": None if poller.family == GENERIC else poller.family,
        "profile": poller.family,
        "system": {
            series.metric: value
            for series, value in poll.values.items()
            if series.group == "system" and not series.item and METRICS[series.metric].kind == "text"
        },
        "ports": _ports(poller, poll),
        "readings": [
            _reading(series, value, poller.origin(series), raws) for series, value in poll.values.items()
        ],
        "cost": {
            "pdus": cost.pdus,
            "bytes_sent": cost.bytes_sent,
            "bytes_received": cost.bytes_received,
        },
    }


def _reading(series: Series, value: Value, origin: Origin | None, raws: dict[bytes, Raw]) -> dict[str, Any]:
    reading: dict[str, Any] = {
        "group": series.group,
        "item": series.item,
        "metric": series.metric,
        "value": value,
        "unit": METRICS[series.metric].unit,
        "oid": oid_text(origin.oid) if origin else "",
        "raw": _plain(raws.get(origin.oid)) if origin else None,
    }
    state = _state(value, origin)
    if state:
        reading["state"] = state
    return reading


def _plain(raw: Raw | None) -> int | str | None:
    if raw is None or raw[1] is None or isinstance(raw[1], int):
        return raw[1] if raw else None  # type: ignore[return-value]
    text = as_text(*raw)
    return text if text.isprintable() and "\ufffd" not in text else raw[1].hex()


def _state(value: Value, origin: Origin | None) -> str:
    return origin.states.get(value, "") if origin and isinstance(value, int) else ""


def _ports(poller: Poller, poll: Poll) -> list[dict[str, Any]]:
    ports: dict[str, dict[str, Any]] = {}
    for series, value in poll.values.items():
        field = _PORT_FIELDS.get(series.metric) if series.group == "interface" else None
        origin = poller.origin(series)
        if field is None or origin is None:
            continue
        # Some families answer traffic elsewhere than in IF-MIB; the row of ifIndex is the port's own.
        row = poller.origin(Series("interface", series.item, "if_index")) or origin
        index = index_arcs(row.oid)[-1]
        name = series.item.removesuffix(f"#{index}")
        port = ports.setdefault(series.item, {"index": index, "name": name})
        port[field] = _state(value, origin) or value
    return sorted(ports.values(), key=lambda port: int(port["index"]))


# ---- for people


def as_lines(poller: Poller, poll: Poll) -> list[str]:
    """The same for people: the system, then a table or list for each group."""
    lines = [*_system(poller, poll)]
    for group in GROUPS:
        rows: dict[str, dict[Series, Value]] = defaultdict(dict)
        for series, value in poll.values.items():
            if series.group == group and not (group == "system" and METRICS[series.metric].kind == "text"):
                rows[series.item][series] = value
        if rows:
            lines += ["", heading(group)]
            lines += _interfaces(poller, poll) if group == "interface" else _list(poller, rows)
    cost = poller.cost
    return [
        *lines,
        "",
        _(
            "{pdus} requests, {sent} bytes sent, {received} bytes received",
            pdus=cost.pdus,
            sent=cost.bytes_sent,
            received=cost.bytes_received,
        ),
    ]


def heading(group: str) -> str:
    """What stands above the readings of a group."""
    return {
        "system": _("DEVICE"),
        "interface": _("INTERFACES"),
        "radio": _("RADIOS"),
        "station": _("STATIONS"),
        "power": _("POWER"),
        "poe": _("POWER OVER ETHERNET"),
        "sensor": _("SENSORS"),
        "ping": _("REACHED"),
        "node": _("MONITOR"),
        "neighbour": _("NEIGHBOURS"),
    }.get(group, group.upper())


def _system(poller: Poller, poll: Poll) -> Iterable[str]:
    texts = [
        (series.metric, value)
        for series, value in poll.values.items()
        if series.group == "system" and not series.item and METRICS[series.metric].kind == "text"
    ]
    if poller.family == GENERIC:
        yield _("This kind of device is not known; it is read by the standard profile.")
    for metric, value in sorted(texts):
        yield f"  {label(metric):<14}{'--' if value is None else value}"


def _interfaces(poller: Poller, poll: Poll) -> list[str]:
    heads = (_("name"), _("state"), _("speed"), _("received"), _("sent"), _("errors"), _("dropped"))
    table = [heads]
    for port in _ports(poller, poll):
        state = str(port.get("oper", "--"))
        if port.get("admin") == "down":
            state = _("switched off")
        table.append(
            (
                str(port["name"]),
                state,
                shown("speed_bps", port.get("speed_bps")),
                shown("in_octets", port.get("in_octets")),
                shown("out_octets", port.get("out_octets")),
                _pair(port, "errors"),
                _pair(port, "discards"),
            )
        )
    widths = [max(len(row[column]) for row in table) for column in range(len(heads))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def _pair(port: dict[str, Any], what: str) -> str:
    both = [port.get(f"in_{what}"), port.get(f"out_{what}")]
    return "--" if both == [None, None] else "/".join("--" if each is None else str(each) for each in both)


def _list(poller: Poller, rows: dict[str, dict[Series, Value]]) -> list[str]:
    lines: list[str] = []
    for item, readings in sorted(rows.items()):
        for place, (series, value) in enumerate(sorted(readings.items())):
            text = _state(value, poller.origin(series)) or shown(series.metric, value)
            lines.append(f"  {item if place == 0 else '':<20} {label(series.metric):<26} {text}")
    return lines


_UNITS = ("_dbm", "_db", "_pct", "_bps", "_ms", "_mhz", "_hz", "_bytes", "_octets", "_rpm", "_min", "_kwh")


def label(metric: str) -> str:
    """A metric's name without its unit, in words; its meaning stands in the glossary."""
    known = METRICS[metric]
    word = metric
    for suffix in _UNITS:
        word = word.removesuffix(suffix)
    if known.unit in ("V", "A", "W", "°C", "m", "s"):
        word = word.rpartition("_")[0] or word
    return word.removeprefix("if_").replace("_", " ")


def shown(metric: str, value: Value) -> str:
    """A value with its unit; large rates and sizes in k, M, G."""
    if value is None:
        return "--"
    unit = METRICS[metric].unit
    if isinstance(value, str):
        return value
    if unit in ("bps", "B"):
        for size, prefix in _COUNTED:
            if abs(value) >= size:
                return f"{value / size:.4g} {prefix}{'bit/s' if unit == 'bps' else 'B'}"
        unit = "bit/s" if unit == "bps" else unit
    if metric == "uptime_s" or metric == "connected_s":
        return _span(value)
    return f"{value:g} {unit}".strip() if isinstance(value, float) else f"{value} {unit}".strip()


def _span(seconds: float) -> str:
    days, rest = divmod(int(seconds), 86400)
    hours, rest = divmod(rest, 3600)
    clock = f"{hours:02}:{rest // 60:02}:{rest % 60:02}"
    return _("{days} d {clock}", days=days, clock=clock) if days else clock
