"""What a simulated device is at one moment: what its SNMP agent would show, and nothing about why.

A world changes these values, the `mib_*` modules put them under OIDs. Neither knows of the other.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

_SLOW_BPS = 10_000_000
FAMILIES = ("routeros", "airos", "linux")
_OUI = {
    "routeros": bytes.fromhex("4c5e0c"),
    "airos": bytes.fromhex("245a4c"),
    "linux": bytes.fromhex("b827eb"),
}


@dataclass(slots=True, kw_only=True)
class Port:
    """A network interface. Octets and packets are fractions while they add up; a MIB shows whole ones."""

    name: str
    index: int
    kind: str
    """`ether`, `radio`, `bridge` or `loopback`."""
    mac: bytes
    up: bool = True
    slow: bool = False
    """Negotiated down to 10 Mbit/s: a bad pair, a wet plug."""
    full_bps: int = 0
    changed_at: float = 0.0
    """When it last went up or down, or to another speed, on the world's clock."""
    in_octets: float = 0.0
    out_octets: float = 0.0
    in_errors: float = 0.0

    @property
    def speed_bps(self) -> int:
        """What is negotiated now; 0 when nothing is, or when that means nothing on this kind of port."""
        if not self.up:
            return 0
        return min(self.full_bps, _SLOW_BPS) if self.slow else self.full_bps

    def plug(self, *, up: bool, slow: bool, now: float) -> None:
        """Whether a cable connects it, and whether that is a bad one."""
        if (up, slow) != (self.up, self.slow):
            self.up, self.slow, self.changed_at = up, slow, now

    def count(self, received: float, sent: float) -> None:
        """Octets went through, if it works."""
        if self.up:
            self.in_octets += received
            self.out_octets += sent


@dataclass(slots=True, kw_only=True)
class Peer:
    """One station of a radio (or its access point), as this radio hears it."""

    mac: bytes
    name: str
    address: bytes
    signal_dbm: float
    noise_dbm: float
    remote_signal_dbm: float
    tx_rate_bps: int
    rx_rate_bps: int
    ccq_pct: float
    distance_m: int
    since: float
    tx_octets: float = 0.0
    rx_octets: float = 0.0


@dataclass(slots=True, kw_only=True)
class Radio:
    """The radio behind the port of kind `radio`; `peers` by MAC."""

    mode: str
    """`ap` or `station`."""
    ssid: str
    frequency_mhz: int
    width_mhz: int = 20
    tx_power_dbm: int = 20
    noise_dbm: float = -95.0
    airtime_pct: float = 5.0
    peers: dict[bytes, Peer] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Machine:
    """A device. While it is not `on`, nothing answers. `booted_at` is on the world's clock, in seconds."""

    name: str
    title: str
    family: str
    model: str
    version: str
    address: bytes
    booted_at: float
    ports: dict[str, Port]
    radio: Radio | None = None
    on: bool = True
    voltage_v: float | None = None
    temperature_c: float = 38.0
    cpu_pct: float = 8.0
    memory_total_bytes: int = 64 * 1024 * 1024
    memory_used_bytes: int = 30 * 1024 * 1024

    def boot(self, now: float) -> None:
        """It has just started: its counters begin anew."""
        self.booted_at = now
        for port in self.ports.values():
            port.in_octets = port.out_octets = port.in_errors = 0.0
            port.changed_at = now

    def port_of(self, kind: str) -> Port:
        """The first port of a kind; `KeyError` if there is none."""
        for port in self.ports.values():
            if port.kind == kind:
                return port
        raise KeyError(f"{self.name} has no {kind} port")


def mac(family: str, device: str, number: int) -> bytes:
    """A hardware address with the maker's prefix, always the same for the same port of the same device."""
    low = (zlib.crc32(device.encode("utf-8")) & 0xFFFFF0) + number
    return _OUI[family] + low.to_bytes(3, "big")


def ports(family: str, device: str, *, radio: bool, ethernet: int = 1) -> dict[str, Port]:
    """The interfaces that a device of a family has, named and numbered as that family does."""
    if family == "routeros":
        rows = [(f"ether{n}", n, "ether", 100_000_000) for n in range(1, ethernet + 1)]
        rows += [("wlan1", ethernet + 1, "radio", 0)] if radio else []
        rows += [("bridge", ethernet + 2, "bridge", 0)]
    elif family == "airos":
        rows = [("lo", 1, "loopback", 10_000_000), ("eth0", 2, "ether", 100_000_000)]
        rows += [("ath0", 5, "radio", 0)] if radio else []
        rows += [("br0", 7, "bridge", 0)]
    else:
        rows = [("lo", 1, "loopback", 10_000_000), ("eth0", 2, "ether", 1_000_000_000)]
    return {
        name: Port(name=name, index=index, kind=kind, mac=mac(family, device, index), full_bps=speed)
        for name, index, kind, speed in rows
    }
