"""Both ends of a link, out of what devices say: which radio hears which, and what it hears.

An access point shows its peers as rows of its station table, found by the peer's own hardware addresses; a
station shows the access point in its radio's readings. Both forms give the same `EndView`.
"""

from __future__ import annotations

from ayni_core.inventory import End
from ayni_core.lastknown import DeviceKnown
from ayni_core.readings import UPTIME, Series
from ayni_core.wire.messages import EndView

ETHERNET = 6  # ifType ethernetCsmacd (IANAifType)
_UP = 1  # ifOperStatus


def resolve(known: DeviceKnown, other: DeviceKnown, end: End) -> tuple[str, str] | None:
    """(group, item) under which this end hears the other one; None while nothing tells.

    A station row whose address belongs to the other device wins; then the named radio, then the only one
    that has a signal; then the only station.
    """
    theirs = {str(mac) for _item, mac in other.items("interface", "if_mac") if mac}
    stations = [item for item, _value in known.items("station", "signal_dbm")]
    for item in stations:
        if item in theirs:
            return ("station", item)
    radios = [item for item, value in known.items("radio", "signal_dbm") if value is not None]
    if end.radio is not None and end.radio in radios:
        return ("radio", end.radio)
    if len(radios) == 1 and end.radio is None:
        return ("radio", radios[0])
    if len(stations) == 1 and not theirs:
        return ("station", stations[0])
    return None


def series(end: End, known: DeviceKnown, where: tuple[str, str] | None, metric: str) -> Series | None:
    """The series that a number of this end is; None while nothing tells. Noise belongs to the place, so a
    sector's figure serves for each of its stations."""
    own = Series(*where, metric) if where is not None else None
    if metric == "noise_dbm" and (own is None or known.number(own, known.full_at) is None):
        radio = end.radio or _only_radio(known, metric)
        return Series("radio", radio, metric) if radio is not None else own
    return own


def view(
    end: End, site: str, known: DeviceKnown, where: tuple[str, str] | None, answers: bool | None
) -> EndView:
    """What is known of this end, as of the device's last full poll."""
    fresh = known.full_at

    def find(metric: str) -> float | None:
        if where is None:
            return None
        return known.number(Series(where[0], where[1], metric), fresh)

    noise = series(end, known, where, "noise_dbm")
    port = _port(known)
    up = port is not None and known.number(Series("interface", port, "if_oper")) == _UP
    return EndView(
        site=site,
        device=end.device,
        group=where[0] if where else None,
        item=where[1] if where else None,
        answers=answers,
        signal_dbm=find("signal_dbm"),
        normal_dbm=end.expected_dbm,
        noise_dbm=known.number(noise, fresh) if noise is not None else None,
        chains_dbm=_chains(known, where, fresh),
        tx_rate_bps=find("tx_rate_bps"),
        rx_rate_bps=find("rx_rate_bps"),
        ccq_pct=find("ccq_pct"),
        retry_pct=find("retry_pct"),
        connected_s=find("connected_s"),
        uptime_s=known.number(UPTIME),
        voltage_v=_voltage(known),
        port=port,
        port_speed_bps=known.number(Series("interface", port or "", "speed_bps")) if up else None,
        as_of=fresh or None,
    )


def _only_radio(known: DeviceKnown, metric: str) -> str | None:
    radios = {item for item, _value in known.items("radio", metric)}
    return next(iter(radios)) if len(radios) == 1 else None


def _chains(known: DeviceKnown, where: tuple[str, str] | None, fresh: float) -> tuple[float, ...]:
    """Signals per chain: items are the radio's or station's name with the chain's number behind it."""
    if where is None:
        return ()
    found = sorted(
        (item, float(value))
        for item, value in known.items(where[0], "signal_chain_dbm", fresh)
        if isinstance(value, int | float) and item.startswith(where[1])
    )
    return tuple(value for _item, value in found)


def _voltage(known: DeviceKnown) -> float | None:
    for group in ("power", "sensor"):
        for _item, value in known.items(group, "voltage_v"):
            if isinstance(value, int | float):
                return value
    return None


def _port(known: DeviceKnown) -> str | None:
    """The cable: the first Ethernet port that is up, or that ever told a speed."""
    ports = []
    for item, kind in known.items("interface", "if_type"):
        if kind == ETHERNET:
            index = known.number(Series("interface", item, "if_index")) or 0
            up = known.number(Series("interface", item, "if_oper")) == _UP
            ports.append((not up, index, item))
    return min(ports)[2] if ports else None
