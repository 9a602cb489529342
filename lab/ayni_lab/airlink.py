"""One pretend radio link: what each end hears of the other, put into both radios."""

from __future__ import annotations

import math
from random import Random

from ayni_core.inventory import Link, Network
from ayni_lab import air
from ayni_lab.conditions import Conditions
from ayni_lab.machine import Machine, Peer, Radio

_NORMAL_DBM = -60.0
_HEARD_OF_THE_OTHER_DB = 20.0
"""An end whose far side repeats a lot repeats too, for lost acknowledgements, but this much less."""


class AirLink:
    """A link of the inventory between two machines; `up_since` is None while they do not hear each other."""

    def __init__(
        self, link: Link, a: tuple[Machine, Radio], b: tuple[Machine, Radio], distance_m: int, up_since: float
    ) -> None:
        self.link = link
        self.up_since: float | None = up_since
        self._ends = {"a": a, "b": b}
        self._normal = {"a": link.a.expected_dbm or _NORMAL_DBM, "b": link.b.expected_dbm or _NORMAL_DBM}
        self._mac = {letter: machine.port_of("radio").mac for letter, (machine, _) in self._ends.items()}
        self._distance_m = distance_m
        self._fading = air.Fading()

    def step(self, now: float, seconds: float, conditions: Conditions, rng: Random) -> None:
        """Move on to `now`, which is `seconds` later."""
        name = self.link.name
        shift = self._fading.step(seconds, rng)
        shift += conditions.louder_db.get(name, 0.0) - conditions.moved_db.get(name, 0.0)
        if not all(machine.on for machine, _radio in self._ends.values()):
            self._part()
            return
        if self.up_since is None:
            self.up_since = now
        rise = {letter: conditions.noise_db.get((name, letter), 0.0) for letter in "ab"}
        noise = {letter: air.measured(air.QUIET_NOISE_DBM + rise[letter], rng) for letter in "ab"}
        signal = {letter: air.measured(self._normal[letter] + shift, rng) for letter in "ab"}
        snr = {letter: signal[letter] - noise[letter] for letter in "ab"}
        ccq = {letter: air.ccq_pct(snr[letter], rise[letter]) for letter in "ab"}
        for here, there in (("a", "b"), ("b", "a")):
            other = self._ends[there][0]
            radio = self._ends[here][1]
            known = radio.peers.get(self._mac[there])
            radio.peers[self._mac[there]] = Peer(
                mac=self._mac[there],
                name=other.name,
                address=other.address,
                signal_dbm=signal[here],
                noise_dbm=noise[here],
                remote_signal_dbm=signal[there],
                tx_rate_bps=air.rate_bps(snr[there]),  # what the other side can still make out
                rx_rate_bps=air.rate_bps(snr[here]),
                ccq_pct=min(ccq[here], ccq[there] + _HEARD_OF_THE_OTHER_DB),
                distance_m=self._distance_m,
                since=self.up_since,
                tx_octets=known.tx_octets if known else 0.0,
                rx_octets=known.rx_octets if known else 0.0,
            )
            radio.noise_dbm = max(peer.noise_dbm for peer in radio.peers.values())

    def carry(self, towards: str, octets: float) -> None:
        """Count `octets` that flowed to the end `towards`, and a tenth of them the other way."""
        back = "a" if towards == "b" else "b"
        self._count(towards, octets, octets / 10)
        self._count(back, octets / 10, octets)

    def _count(self, letter: str, received: float, sent: float) -> None:
        machine, radio = self._ends[letter]
        if not machine.on:
            return
        machine.port_of("radio").count(received, sent)
        machine.port_of("ether").count(sent, received)
        peer = radio.peers.get(self._mac["a" if letter == "b" else "b"])
        if peer is not None:
            peer.rx_octets += received
            peer.tx_octets += sent

    def _part(self) -> None:
        for here, there in (("a", "b"), ("b", "a")):
            self._ends[here][1].peers.pop(self._mac[there], None)
        self.up_since = None


def cast_radios(network: Network, machines: dict[str, Machine]) -> None:
    """Give each end of a link its radio: a device with more links than its peer is the access point."""
    degree: dict[str, int] = {}
    for link in network.links.values():
        for _letter, end in link.ends:
            degree[end.device] = degree.get(end.device, 0) + 1
    for link in network.links.values():
        a_leads = degree[link.a.device] >= degree[link.b.device]
        leader = link.a.device if a_leads else link.b.device
        for _letter, end in link.ends:
            machine = machines[end.device]
            if machine.radio is None:
                machine.radio = Radio(
                    mode="ap" if end.device == leader else "station",
                    ssid=f"ayni-{network.devices[leader].site}",
                    frequency_mhz=round(link.frequency_mhz or 5500),
                )


def distance_m(network: Network, link: Link) -> int:
    """How far apart the ends stand, where the inventory knows it."""
    a, b = (network.sites[name] for name in network.sites_of(link))
    if a.latitude is None or b.latitude is None or a.longitude is None or b.longitude is None:
        return 1000
    north = (b.latitude - a.latitude) * 111_320
    east = (b.longitude - a.longitude) * 111_320 * math.cos(math.radians(a.latitude))
    return round(math.hypot(north, east))
