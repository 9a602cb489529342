"""What a device says of itself and of its neighbours, out of the newest readings: a `Seen` for `neighbours`.

Stations and peers count as of the newest full poll. Neighbours are read seldom: they count as of the last
time they were read, which `readings.NEIGHBOURS` tells.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from ayni_core.inventory import Device
from ayni_core.lastknown import DeviceKnown
from ayni_core.neighbours import Heard, Seen
from ayni_core.readings import NEIGHBOURS, Series, Value

_MAC = re.compile("[0-9a-f]{12}")
_NAME = Series("system", "", "name")
_RADIO_METRICS = frozenset(("signal_dbm", "frequency_mhz", "ssid", "peer_mac", "radio_mac", "noise_dbm"))
_WANTED = _RADIO_METRICS | {"if_mac", "if_alias"}
_OWN_GROUPS = ("radio", "interface")
_Rows = dict[str, list[tuple[str, float, Value]]]
_CHAIN = re.compile(r" chain \S+$")
_BEHIND = re.compile(r"(?:br|bridge|vlan|lo|docker|veth|tun|tap|bat|wg|ppp)", re.IGNORECASE)
_EQUAL_S = 0.1
"""Stores keep times less exactly than polls have them."""


def seen_of(device: Device, known: DeviceKnown) -> Seen:
    """Everything that links can be found by."""
    fresh = known.full_at - _EQUAL_S
    rows = _by_metric(known)
    radios = _radios(rows, fresh)
    counted = known.values.get(NEIGHBOURS)
    read_at = counted[0] - _EQUAL_S if counted else fresh
    name = known.text(_NAME)
    return Seen(
        device=device.name,
        site=device.site,
        names=frozenset((name,)) if name else frozenset(),
        ips=frozenset((device.host,)) if _is_own(device.host) else frozenset(),
        macs=_macs(rows, radios),
        radios=radios,
        aliases={str(value): item for item, _at, value in rows.get("if_alias", ()) if value},
        heard=(*_stations(known, fresh), *_peers(known, radios, fresh), *_neighbours(known, read_at)),
    )


def mac_of(value: Value) -> str:
    """A hardware address that can be somebody's; "" for none, a group's, or nonsense."""
    text = value if isinstance(value, str) else ""
    if not _MAC.fullmatch(text) or int(text[:2], 16) & 1 or not int(text, 16):
        return ""
    return text


def _by_metric(known: DeviceKnown) -> _Rows:
    """What radios and ports say that is asked for here: of hundreds of readings a few."""
    rows: _Rows = {}
    for series, (at, value) in known.values.items():
        if series.metric in _WANTED and series.group in _OWN_GROUPS:
            rows.setdefault(series.metric, []).append((series.item, at, value))
    return rows


def _radios(rows: _Rows, fresh: float) -> frozenset[str]:
    return frozenset(
        item
        for metric in _RADIO_METRICS
        for item, at, _value in rows.get(metric, ())
        if item and at >= fresh and not _CHAIN.search(item)
    )


def _macs(rows: _Rows, radios: frozenset[str]) -> dict[str, str]:
    """Own addresses and the port of each. Of ports with the same address a radio comes first, and what stands
    on top of others (bridges, VLANs) last."""
    found: dict[str, tuple[int, str]] = {}
    for metric in ("radio_mac", "if_mac"):
        for item, _at, value in rows.get(metric, ()):
            mac = mac_of(value)
            if mac:
                rank = 0 if metric == "radio_mac" else 1 if item in radios else 2
                rank += bool(_BEHIND.match(item)) or "." in item
                found[mac] = min(found.get(mac, (9, "")), (rank, item))
    return {mac: port for mac, (_rank, port) in found.items()}


def _stations(known: DeviceKnown, fresh: float) -> list[Heard]:
    items = {
        series.item
        for series, (at, _value) in known.values.items()
        if series.group == "station" and at >= fresh and mac_of(series.item)
    }
    return [
        Heard(
            via="station",
            mac=item,
            name=known.text(Series("station", item, "station_name")) or "",
            ip=_address(known.text(Series("station", item, "station_ip"))),
        )
        for item in sorted(items)
    ]


def _peers(known: DeviceKnown, radios: frozenset[str], fresh: float) -> list[Heard]:
    found = []
    for radio in sorted(radios):
        signal = Series("radio", radio, "signal_dbm")
        mac = mac_of(known.text(Series("radio", radio, "peer_mac")))
        if mac and (signal not in known.values or known.number(signal, fresh) is not None):
            found.append(Heard(via="peer", port=radio, mac=mac))
    return found


def _neighbours(known: DeviceKnown, read_at: float) -> list[Heard]:
    items: dict[str, dict[str, str]] = {}
    for series, (at, value) in known.values.items():
        if series.group == "neighbour" and series.item and at >= read_at:
            items.setdefault(series.item, {})[series.metric] = value if isinstance(value, str) else ""
    found = []
    for item, told in sorted(items.items()):
        via, _slash, rest = item.partition("/")
        port, _slash, remote = rest.rpartition("/")
        ip = told.get("neighbour_ip", "")
        mac = mac_of(told.get("neighbour_mac", "")) or mac_of(remote) or _mac_within(ip)
        heard = Heard(
            via=via,
            port=port,
            mac=mac,
            name=told.get("neighbour_name", ""),
            far_port=told.get("neighbour_port", ""),
            ip=_address(ip),
        )
        if heard.mac or heard.name or heard.ip:
            found.append(heard)
    return found


def _is_own(host: str) -> bool:
    """Whether an address of the inventory can be how others know the device."""
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return False


def _address(text: str | None) -> str:
    try:
        return str(ip_address(text or ""))
    except ValueError:
        return ""


def _mac_within(ip: str) -> str:
    """The hardware address that a link-local address was made of (RFC 4291, appendix A); "" if it was not."""
    try:
        octets = ip_address(ip.partition("%")[0]).packed
    except ValueError:
        return ""
    if len(octets) != 16 or octets[:2] != b"\xfe\x80" or octets[11:13] != b"\xff\xfe":
        return ""
    return mac_of((bytes((octets[8] ^ 2,)) + octets[9:11] + octets[13:]).hex())
