"""What a device has many of, a line each: ports, other sides that its radios hear, neighbours."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from ayni_console.lines import Line, Span, cells, fit, line
from ayni_console.view.page import Look
from ayni_core.onlooking.model import Model
from ayni_core.wire.messages import DeviceView
from ayni_core.wire.questions import Reading
from ayni_io import values, words
from ayni_io.i18n import _, _c
from ayni_io.readings import Part, running

TABLES = ("station", "interface", "neighbour")
"""Groups that are shown as tables where a device has more than one of a kind."""
_VIAS = {"lldp": "LLDP", "cdp": "CDP", "mndp": "MNDP", "fdb": "MAC", "arp": "ARP"}
_NUMBER = re.compile(r"(\d+)$")
Facts = Mapping[str, Reading]


class Column(NamedTuple):
    """A column of a table: what it holds, its heading, how wide it is at least, how it is aligned."""

    holds: str
    heading: str
    width: int
    align: str = ">"


def facts(readings: Sequence[Reading]) -> dict[str, Reading]:
    """The readings of a part by metric."""
    return {reading.metric: reading for reading in readings}


def heading(group: str, count: int, look: Look) -> Line:
    """The head of a table."""
    titles = {"station": _("HEARS {n}", n=count), "interface": _("PORTS {n}", n=count)}
    title = titles.get(group, _("NEIGHBOURS {n}", n=count))
    columns = _columns(group, look)
    parts = [fit(" " + title, _name_width(columns, look) + 3)]
    parts += [fit(each.heading, each.width, each.align) for each in columns]
    return line(Span(" ".join(parts), "head"))


def _columns(group: str, look: Look) -> list[Column]:
    wide = look.width >= 76
    age = Column("age", _("age"), 4)
    match group:
        case "station":
            signal, sends = Column("signal", _("signal"), 8), Column("sends", _("sends"), 8)
            rest = [Column("receives", _("receives"), 8), Column("repeats", _("repeats"), 5)] if wide else []
            made = [signal, sends, *rest, age]
        case "interface":
            made = [Column("state", _("state"), 5, "<"), Column("speed", _("speed"), 8)]
            made += [Column("in", _c("port", "in"), 9), Column("out", _c("port", "out"), 9)]
            made += [Column("damaged", _("damaged"), 7), Column("power", _("power"), 6)] if wide else []
            made.append(age)
        case _:
            made = [Column("port", _("its port"), 14 if wide else 8, "<"), Column("by", _("by"), 5, "<"), age]
    return [each._replace(width=max(each.width, cells(each.heading))) for each in made]


def _name_width(columns: Sequence[Column], look: Look) -> int:
    return max(look.width - 4 - sum(each.width + 1 for each in columns), 6)


def row(group: str, name: str, found: Facts, poe: Facts, look: Look, alarmed: bool) -> Line:
    """One line of a table."""
    match group:
        case "station":
            sign, style, told = "●", "ok", _station(found)
        case "interface":
            sign, style, told = _port(found, poe, alarmed)
        case _:
            sign, style, told = "·", "dim", _neighbour(found)
    told["age"] = words.short(look.now - max(reading.at for reading in found.values()))
    columns = _columns(group, look)
    parts = [fit(told.get(each.holds, ""), each.width, each.align) for each in columns]
    rest = Span(" ".join(parts), "dim" if style == "dim" else "")
    return line(" ", Span(sign, style), " ", fit(name, _name_width(columns, look)), " ", rest)


def _station(found: Facts) -> dict[str, str]:
    return {
        "signal": _told(found, "signal_dbm"),
        "sends": _told(found, "tx_rate_bps"),
        "receives": _told(found, "rx_rate_bps"),
        "repeats": _told(found, "retry_pct"),
    }


def _port(found: Facts, poe: Facts, alarmed: bool) -> tuple[str, str, dict[str, str]]:
    off = "if_admin" in found and found["if_admin"].value == 2
    up = "if_oper" in found and found["if_oper"].value == 1
    sign, style = ("■", "down") if alarmed else ("●", "ok") if up else ("-", "dim")
    told = {
        "state": _("off") if off else _told(found, "if_oper"),
        "damaged": damaged(found),
        "power": _told(poe, "power_w") or _told(poe, "poe_state"),
    }
    if up:  # what a port that is down did last says nothing of now
        told |= {"speed": _told(found, "speed_bps")}
        told |= {"in": _rate(found, "in_octets"), "out": _rate(found, "out_octets")}
    return sign, style, told


def damaged(found: Facts) -> str:
    """Packets that were damaged: how many a second now, else how many there ever were."""
    both = [found[metric] for metric in ("in_errors", "out_errors") if metric in found]
    if not both:
        return ""
    a_second = sum(each.per_s for each in both if each.per_s is not None)
    if a_second > 0:
        return running("in_errors", a_second)
    total = sum(each.value for each in both if isinstance(each.value, int | float))
    return words.number(total) if total < 1e6 else words.number(total / 1e6, 1, "M")


def _rate(found: Facts, metric: str) -> str:
    reading = found.get(metric)
    if reading is None or reading.per_s is None:
        return "--" if reading is not None else ""
    return running(metric, reading.per_s)


def _neighbour(found: Facts) -> dict[str, str]:
    any_one = next(iter(found.values()))
    return {"port": _told(found, "neighbour_port"), "by": via(any_one.item)}


def _told(found: Facts, metric: str) -> str:
    reading = found.get(metric)
    return "" if reading is None else values.value(metric, reading.value)


def via(item: str) -> str:
    """By which protocol a neighbour is heard."""
    name = item.partition("/")[0]
    return _VIAS.get(name, name)


def own_port(item: str) -> str:
    """The port at which a neighbour is heard: an item is VIA/PORT/NUMBER."""
    return item.partition("/")[2].rpartition("/")[0]


class Namer:
    """What parts of a device are called, where the network knows more of them than the device does."""

    def __init__(self, model: Model, device: DeviceView) -> None:
        self._model = model
        self._ends = {
            (end.group, end.item): (link.id, other.site)
            for link in model.links.values()
            for end, other in ((link.a, link.b), (link.b, link.a))
            if end.device == device.id and end.item
        }
        claimed = Counter(each.address for each in model.devices.values())
        self._by_address = {
            each.address: each.id
            for each in model.devices.values()
            if each.address and claimed[each.address] == 1  # an address of two belongs to nobody
        }

    def name(self, part: Part, found: Facts) -> str:
        """`Cerro (Torre-Cerro)` for an other side, `ether1: Radio Cerro` for a neighbour."""
        group, item = part
        match group:
            case "station" | "radio" if part in self._ends:
                link, site = self._ends[part]
                return f"{self._model.title('site', site)} ({self._model.title('link', link)})"
            case "station":
                return _word(found, "station_name") or item
            case "interface":
                alias = _word(found, "if_alias")
                return f"{item} {alias}" if alias and alias != item else item
            case "neighbour":
                known = self.device(found)
                told = ("neighbour_name", "neighbour_ip", "neighbour_mac")
                names = (_word(found, metric) for metric in told)
                who = self._model.title("device", known) if known else next(filter(None, names), item)
                port = own_port(item)
                return f"{port}: {who}" if port else who
        return item

    def device(self, found: Facts) -> str | None:
        """The device of ours that a neighbour is, by its address."""
        for metric in ("neighbour_ip", "station_ip"):
            known = self._by_address.get(_word(found, metric))
            if known is not None:
                return known
        return None

    def link(self, part: Part) -> str | None:
        """The link that an other side belongs to."""
        known = self._ends.get(part)
        return known[0] if known else None


def _word(found: Facts, metric: str) -> str:
    reading = found.get(metric)
    return reading.value if reading is not None and isinstance(reading.value, str) else ""


def poe_of(port: str, poe: Mapping[str, Facts]) -> Facts:
    """What gives power to a port: the supply of its name, else the one that alone has its number."""
    named = {name.casefold(): told for name, told in poe.items()}
    if port.casefold() in named:
        return named[port.casefold()]
    number = _NUMBER.search(port)
    same = [told for name, told in named.items() if number and name in (number[1], f"port {number[1]}")]
    return same[0] if len(same) == 1 else {}


Draw = Callable[[], Line]


def drawn(group: str, name: str, found: Facts, poe: Facts, look: Look, alarmed: bool) -> Draw:
    """A row that is drawn when it is seen."""
    return partial(row, group, name, found, poe, look, alarmed)
