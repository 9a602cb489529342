"""A pretend network of 24 links, from SNMP answers to what the hub finds: nothing is sent, nobody waits.

It has what misleads: one bridge through everything, so that every MikroTik hears all others (also in its
LLDP-MIB, without a port), bridges have learned every address, an unmanaged switch and a pair of radios pass
LLDP on, and most routers call themselves MikroTik.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, cast

from ayni_agent.open_polls import OpenPolls
from ayni_agent.poller import Poller
from ayni_core import inventory
from ayni_core.inventory import Network
from ayni_core.mibview import MibView
from ayni_core.readings import Poll, Series, Value
from ayni_core.schema import Faults, Fields
from ayni_core.snmp import Message
from ayni_core.wire import codec
from ayni_core.wire.frame import DevicePolls, Frame
from ayni_core.wire.messages import Event
from ayni_core.wire.questions import FoundView
from ayni_hub.judge import Judge
from ayni_hub.links_found import LinksFound
from ayni_io.profiles import Profiles
from ayni_io.snmp_recording import RecordedReader
from ayni_lab import mib_airos, mib_linux, mib_routeros
from ayni_lab.machine import Machine, Peer, Port, Radio
from ayni_lab.mib import Objects, integer, octets, oid, text

START = 1_760_000_000.0
_LLDP, _LOCAL = "1.0.8802.1.1.2.1.4.1.1", "1.0.8802.1.1.2.1.3.7.1"
_MNDP = "1.3.6.1.4.1.14988.1.1.11.1.1"
_FDB, _BASE_PORT = "1.3.6.1.2.1.17.4.3.1", "1.3.6.1.2.1.17.1.4.1"
_ARP = "1.3.6.1.2.1.4.22.1"
_MIBS = {"routeros": mib_routeros, "airos": mib_airos, "linux": mib_linux}
_KINDS = {"ether": "ether", "eth": "ether", "wlan": "radio", "ath": "radio", "br": "bridge"}
Ends = frozenset[tuple[str, str]]


@dataclass(slots=True)
class Box:
    """A device: what it is, and whom it hears. `lldp` has (own port or "", the other's port and box)."""

    name: str
    family: str
    site: str
    number: int
    generation: int = 0
    machine: Machine = field(init=False)
    radios: dict[str, Radio] = field(default_factory=dict)
    lldp: list[tuple[str, str, Box]] = field(default_factory=list)
    mndp: list[tuple[str, str, Box]] = field(default_factory=list)
    learned: list[tuple[str, bytes]] = field(default_factory=list)
    batman: list[tuple[str, bytes]] = field(default_factory=list)

    def build(self, ports: Iterable[str]) -> None:
        """Its ports; a new `generation` has other hardware addresses and has just started."""
        made = {
            name: Port(
                name=name,
                index=index,
                kind=_KINDS[name.rstrip("0123456789")],
                mac=bytes((2, 0, self.generation, self.number, 0, index)),
                full_bps=100_000_000,
            )
            for index, name in enumerate(ports, 1)
        }
        self.machine = Machine(
            name=self.name if self.family != "routeros" else "MikroTik",
            title=self.name,
            family=self.family,
            model="SXT",
            version="6.49",
            address=bytes((10, 0, 0, self.number)),
            booted_at=START - 1e6 if not self.generation else START + 30,
            ports=made,
        )

    def mac(self, port: str) -> bytes:
        """The address of one of its ports."""
        return self.machine.ports[port].mac

    def objects(self, now: float) -> Objects:
        """What it answers."""
        names = list(self.radios)
        self.machine.radio = self.radios[names[0]] if names else None
        result = _MIBS[self.family].objects(self.machine, now)
        for name in names[1:]:
            mib_routeros._put_radio(result, self.radios[name], self.machine.ports[name], now)
        self._put_lldp(result)
        for index, (port, far, box) in enumerate(self.mndp, 1):
            result[oid(_MNDP, 2, index)] = octets(box.machine.address)
            result[oid(_MNDP, 3, index)] = octets(box.mac(far))
            result[oid(_MNDP, 6, index)] = text(box.machine.name)
            result[oid(_MNDP, 8, index)] = integer(self.machine.ports[port].index)
        for index, port in enumerate(self.machine.ports.values(), 11):  # bridge ports are no ifIndex
            result[oid(_BASE_PORT, 2, index)] = integer(port.index)
        for name, mac in self.learned:
            result[oid(_FDB, 2, *mac)] = integer(self.machine.ports[name].index + 10)
            result[oid(_FDB, 3, *mac)] = integer(3)
            result[oid(_ARP, 2, self.machine.ports[name].index, 10, 0, 0, mac[3])] = octets(mac)
            result[oid(_ARP, 4, self.machine.ports[name].index, 10, 0, 0, mac[3])] = integer(3)
        return result

    def _put_lldp(self, result: Objects) -> None:
        for port in self.machine.ports.values() if self.lldp else ():
            result[oid(_LOCAL, 2, port.index)] = integer(3)
            result[oid(_LOCAL, 3, port.index)] = octets(port.mac)
            result[oid(_LOCAL, 4, port.index)] = text(port.name)
        for number, (port_name, far, box) in enumerate(self.lldp, 1):
            local = self.machine.ports[port_name].index if port_name else 0
            first = next(iter(box.machine.ports.values())).mac
            cells = {
                4: integer(4),
                5: octets(first),
                6: integer(3) if box.family == "linux" else integer(5),
                7: octets(box.mac(far)) if box.family == "linux" else text(f"bridge/{far}"),
                8: text(far),
                9: text(box.machine.name),
            }
            for column, cell in cells.items():
                result[oid(_LLDP, column, 0, local, number)] = cell


class _Live:
    """What a reader asks: the box as it is now."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.now = START
        self._view: tuple[float, int, MibView] | None = None

    def answer(self, request: Message, max_size: int) -> bytes | None:
        """See `MibView.answer`."""
        key = (self.now, self.box.generation)
        if self._view is None or self._view[:2] != key:
            self._view = (*key, MibView(self.box.objects(self.now)))
        return self._view[2].answer(request, max_size)


class FoundNetwork:
    """All of it. `true` are the links that there are; `poll` asks everything and hands it to the hub."""

    def __init__(self) -> None:
        self.boxes: dict[str, Box] = {}
        self.true: dict[Ends, str] = {}
        self.raw: dict[str, Any] = {}
        self._build()
        self.network = self._inventory()
        self.judge = Judge(self.network, ())
        self.found = LinksFound(self.network, self.judge.known)
        self.readers: dict[str, RecordedReader] = {}
        self.frame = b""
        """What everybody said in the last round."""
        self._live: dict[str, _Live] = {}
        self.pollers: dict[str, Poller] = {}
        profiles = Profiles()
        for name, box in self.boxes.items():
            if not box.batman:
                self._live[name] = _Live(box)
                self.readers[name] = RecordedReader(cast("MibView", self._live[name]))
                self.pollers[name] = Poller(name, self.readers[name], profiles, slow_every=5)

    # ---- what there is

    def _add(self, name: str, family: str, ports: str, *, site: str = "") -> Box:
        box = Box(name=name, family=family, site=site or name, number=len(self.boxes) + 1)
        box.build(ports.split())
        self.boxes[name] = box
        return box

    def _build(self) -> None:
        ap = self._add("torre-ap", "routeros", "ether1 wlan1 wlan2 br0", site="torre")
        for n in range(1, 10):
            family, port = ("airos", "ath0") if n <= 5 else ("routeros", "wlan1")
            eth = "eth0" if family == "airos" else "ether1"
            self.on_air(
                ap, "wlan1" if n <= 5 else "wlan2", self._add(f"home-{n}", family, f"{eth} {port}"), port
            )
        cerro = self._add("cerro-ap", "airos", "eth0 ath0", site="cerro")
        for n in range(10, 15):
            self.on_air(cerro, "ath0", self._add(f"home-{n}", "airos", "eth0 ath0"), "ath0")
        self.on_air(
            self._add("torre-ptp", "airos", "eth0 ath0", site="torre"), "ath0",
            self._add("cerro-ptp", "airos", "eth0 ath0", site="cerro"), "ath0",
        )  # fmt: skip
        far = self._add("cerro-ptp2", "routeros", "ether1 wlan1 br0", site="cerro")
        self.on_air(
            far, "wlan1", self._add("valle-ptp", "routeros", "ether1 wlan1 br0", site="valle"), "wlan1"
        )
        twins = [
            self._add(f"{site}-twin", "routeros", "ether1 wlan1 wlan2 br0", site=site)
            for site in ("torre", "escuela")
        ]
        for radio in ("wlan1", "wlan2"):
            self.on_air(twins[0], radio, twins[1], radio)
        mesh = [self._add(f"mesh-{n}", "linux", "eth0 wlan0") for n in (1, 2, 3)]
        for one, two in ((0, 1), (0, 2), (1, 2)):
            for here, there in ((mesh[one], mesh[two]), (mesh[two], mesh[one])):
                here.batman.append(("wlan0", there.mac("wlan0")))
                here.batman.append(("eth0", there.mac("eth0")))  # through a pair of bridging radios
            self._is_true("mesh", (mesh[one].name, "wlan0"), (mesh[two].name, "wlan0"))
        router = self._add("torre-router", "linux", "eth0 eth1 eth2 eth3 eth4", site="torre")
        server = self._add("torre-server", "linux", "eth0 eth1", site="torre")
        store = self._add("torre-store", "linux", "eth0", site="torre")
        other = self._add("cerro-router", "linux", "eth0 eth1 eth2 eth3", site="cerro")
        self._cable(router, "eth1", ap, "ether1")
        self._cable(router, "eth2", server, "eth0")
        self._cable(other, "eth1", far, "ether1")
        self._lldp(router, "eth3", other, "eth3")  # the radios torre-ptp and cerro-ptp pass it on
        self._lldp(router, "eth4", server, "eth1")  # an unmanaged switch passes it on
        self._lldp(router, "eth4", store, "eth0")
        self._lldp(server, "eth1", store, "eth0")
        self._bridge()

    def on_air(self, ap: Box, ap_port: str, station: Box, station_port: str) -> None:
        """A radio link."""
        for here, port, there, far, mode in (
            (ap, ap_port, station, station_port, "ap"),
            (station, station_port, ap, ap_port, "station"),
        ):
            radio = here.radios.setdefault(port, Radio(mode=mode, ssid=ap.name, frequency_mhz=5500))
            mac = there.mac(far)
            radio.peers[mac] = Peer(
                mac=mac, name=there.machine.name, address=there.machine.address, signal_dbm=-61,
                noise_dbm=-95, remote_signal_dbm=-62, tx_rate_bps=10**8, rx_rate_bps=10**8, ccq_pct=95,
                distance_m=900, since=START,
            )  # fmt: skip
        ends = [
            (box.name, "1" if box.family == "airos" else port)
            for box, port in ((ap, ap_port), (station, station_port))
        ]
        self._is_true("radio", *ends)

    def _is_true(self, kind: str, a: tuple[str, str], b: tuple[str, str]) -> None:
        self.true[frozenset((a, b))] = kind

    def _cable(self, one: Box, a: str, two: Box, b: str) -> None:
        self._lldp(one, a, two, b)
        self._is_true("cable", (one.name, a), (two.name, b))

    def _lldp(self, one: Box, a: str, two: Box, b: str) -> None:
        for here, port, far, there in ((one, a, b, two), (two, b, a, one)):
            if here.family == "linux":
                here.lldp.append((port, far, there))

    def _bridge(self) -> None:
        """One bridge through all of it: whoever listens, hears everybody."""
        for box in self.boxes.values():
            ports = [name for name, port in box.machine.ports.items() if port.kind == "ether"]
            others = [each for each in self.boxes.values() if each is not box]
            for other in others:
                far = next(name for name, port in other.machine.ports.items() if port.kind == "ether")
                if box.family == "routeros" and other.family in ("routeros", "linux"):
                    box.mndp.append((ports[0], far, other))
                    box.lldp.append(("", far, other))
                box.learned.append((ports[0], other.mac(far)))
            for other in others[:2]:  # on a second port there are few
                far = next(iter(other.machine.ports))
                box.learned.append((list(box.machine.ports)[-1], other.mac(far)[:4] + b"\x09\x09"))

    def _inventory(self) -> Network:
        sites = dict.fromkeys(box.site for box in self.boxes.values())
        raw: dict[str, Any] = {
            "network": {"title": "Found", "poll_s": 60, "flush_s": 300},
            "sites": {site: {"title": site.title()} for site in sites},
            "nodes": {"pi": {"site": "torre"}},
            "devices": {
                name: {"site": box.site, "node": "pi", "address": f"10.0.0.{box.number}"}
                for name, box in self.boxes.items()
            },
            "links": {
                "torre-cerro": {"a": {"device": "cerro-ptp"}, "b": {"device": "torre-ptp"}},
                "twin-two": {
                    "a": {"device": "torre-twin", "radio": "wlan2"},
                    "b": {"device": "escuela-twin", "radio": "wlan2"},
                },
                "wrong": {"a": {"device": "home-1"}, "b": {"device": "home-2"}},
            },
        }
        self.raw = raw
        faults = Faults("network.yaml", {})
        network = inventory.parse(Fields(raw, "", faults))
        faults.stop()
        return network

    def swap(self, name: str) -> None:
        """Another device of the same kind takes its place: it has just started, with other addresses."""
        box = self.boxes[name]
        before = {port.mac: port.name for port in box.machine.ports.values()}
        box.generation += 1
        box.build(before.values())
        for other in self.boxes.values():
            for radio in other.radios.values():
                for mac in before.keys() & radio.peers.keys():
                    peer = replace(radio.peers.pop(mac), mac=box.mac(before[mac]))
                    radio.peers[peer.mac] = peer

    # ---- through agent, wire and hub

    def answers_at(self, name: str, now: float) -> None:
        """From now on this device answers as it would at that time."""
        self._live[name].now = now

    def poll(self, after_s: float) -> list[Event]:
        """Everything is polled `after_s` seconds after the start; what the hub tells of."""
        asyncio.run(self._poll(after_s))
        return self.found.look(START + after_s)

    async def _poll(self, after_s: float) -> None:
        devices: dict[str, DevicePolls] = {}
        for name, box in self.boxes.items():
            if name in self.pollers:
                self._live[name].now = START + after_s
                poll = await self.pollers[name].poll(1000 + after_s)
                assert poll.error is None, poll.error
                assert not self.pollers[name].skipped
            else:
                poll = _mesh_poll(box, 1000 + after_s)
            polls = OpenPolls()
            polls.add(0.0, poll)
            devices[name] = polls.columns()
        frame = Frame(
            node="pi", epoch="e", seq=int(after_s), boot="b", mono_s=1000 + after_s, wall_s=START + after_s,
            synced=True, next_by_s=300, devices=devices,
        )  # fmt: skip
        self.frame = codec.encode(frame, "field")
        self.judge.take("pi", codec.decode(self.frame).devices, START + after_s, None)

    def views(self, *states: str) -> list[FoundView]:
        """What the hub answers, of these states."""
        return [view for view in self.found.answer().links if view.state in states]

    def links(self) -> dict[Ends, str]:
        """What was found, to compare with `true`."""
        return {
            frozenset(((view.a.device, view.a.port), (view.b.device, view.b.port))): view.kind
            for view in self.views("seen", "new")
        }


def _mesh_poll(box: Box, at_s: float) -> Poll:
    """A device that is read by other ways than SNMP, such as `batctl`."""
    values: dict[Series, Value] = {
        Series("system", "", "uptime_s"): at_s,
        Series("system", "", "name"): box.name,
        Series("radio", "wlan0", "signal_dbm"): -60,
    }
    for name, port in box.machine.ports.items():
        values[Series("interface", name, "if_mac")] = port.mac.hex()
    for name, mac in box.batman:
        values[Series("neighbour", f"batman/{name}/{mac.hex()}", "neighbour_quality")] = 250
    return Poll(device=box.name, at_s=at_s, values=values)
