"""One search for devices, from the first call to the last answer; what is found is kept at every moment.

In this order: call by broadcast (answers come all the time from then on); read the ARP and neighbour tables
of one device, if asked for; ask the range for SNMP; call each address that stayed silent; look who of them
this machine has in its ARP table; ask those that answer SNMP what they are. Listening goes on for `listen_s`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ayni_agent.discovery.asking import neighbours, who_is
from ayni_agent.discovery.listening import Listening
from ayni_agent.discovery.probing import Outcome, Probing
from ayni_agent.poller import Families
from ayni_core.discovery import mndp, ubnt
from ayni_core.discovery.found import FoundDevice, Sighting, merge
from ayni_core.discovery.sweep import MOST, RATE, ROUND_S
from ayni_io import netlook
from ayni_io.clock import monotonic_s
from ayni_io.netlook import OwnAddress
from ayni_io.snmp import SnmpReader, open_session
from ayni_io.snmp_access import Access
from ayni_io.snmp_errors import SnmpError

_AT_ONCE = 8
_MOST_ARP = 512
_TRIES, _TIMEOUT_S = 2, 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to search. `hosts`: the range, written out. `whole`: the range is this machine's own networks, so
    that what is heard counts wherever it stands. `via`: a device whose tables name further addresses.
    """

    hosts: Sequence[str]
    whole: bool
    access: Access
    networks: Sequence[OwnAddress] = ()
    via: str | None = None
    listen_s: float = 5.0
    rate: float = RATE
    round_s: float = ROUND_S
    port: int = 161
    mndp_port: int = mndp.PORT
    ubnt_port: int = ubnt.PORT


class Search:
    """`run` once. `devices` gives what is known so far; `packets` and `bytes` what it has cost."""

    def __init__(self, wanted: Wanted, profiles: Families, changed: Callable[[], None]) -> None:
        self.wanted = wanted
        self.stage = "asking"
        self.done = 0
        self.total = 0
        self.via_error: SnmpError | None = None
        self.lldp_refused = False
        self._profiles = profiles
        self._changed = changed
        self._sightings: dict[Sighting, None] = {}
        self._readers_packets = 0
        self._range = frozenset(wanted.hosts)
        self._probing: Probing | None = None
        self._listening: Listening | None = None

    @property
    def packets(self) -> int:
        """Datagrams sent so far."""
        probing = self._probing.sent if self._probing else 0
        listening = self._listening.sent if self._listening else 0
        return probing + listening + self._readers_packets

    def devices(self) -> tuple[FoundDevice, ...]:
        """What was found so far."""
        return merge(self._sightings)

    async def run(self) -> None:
        """Search; raises nothing for what the network does."""
        wanted = self.wanted
        began = monotonic_s()
        self._probing = probing = Probing(
            wanted.access, wanted.port, rate=wanted.rate, round_s=wanted.round_s
        )
        self._listening = listening = Listening(
            self._hear, wanted.networks, mndp_port=wanted.mndp_port, ubnt_port=wanted.ubnt_port
        )
        self.lldp_refused = listening.raw_refused
        try:
            listening.call_all(self._networks_to_call())
            hosts = list(wanted.hosts)
            if wanted.via is not None:
                hosts = await self._from(wanted.via)
                self._range = frozenset(hosts)
            await self._ask(probing, hosts)
            await self._knock(listening, probing, hosts)
            self.stage = "listening"
            while (left := began + wanted.listen_s - monotonic_s()) > 0:
                self._changed()
                await asyncio.sleep(min(left, 1.0))
            later = [host for host in self._heard_hosts() if host not in set(hosts)]
            await self._ask(probing, later)
            self._settle(probing, [*hosts, *later])
            await self._name(probing)
        finally:
            probing.close()
            listening.close()

    def _hear(self, sighting: Sighting) -> None:
        if self.wanted.whole or sighting.address in self._range:  # who asked for a range wants that range
            self._see(sighting)

    def _networks_to_call(self) -> list[OwnAddress]:
        """Those of this machine's networks that the range touches."""
        if self.wanted.whole:
            return list(self.wanted.networks)
        asked = [ipaddress.ip_address(host) for host in self.wanted.hosts]
        return [
            each for each in self.wanted.networks if any(host in each.interface.network for host in asked)
        ]

    def _see(self, sighting: Sighting) -> None:
        self._sightings[sighting] = None
        self._changed()

    async def _from(self, via: str) -> list[str]:
        """The addresses in the tables of a device, and its own."""
        self.stage = "tables"
        self._changed()
        reader = self._reader(via)
        try:
            for sighting in (await neighbours(reader))[:MOST]:
                self._see(sighting)
        except SnmpError as error:
            self.via_error = error
        finally:
            self._readers_packets += reader.cost.pdus
            reader.close()
        return list(dict.fromkeys((via, *(one.address for one in self._sightings if one.address))))

    async def _ask(self, probing: Probing, hosts: Sequence[str]) -> None:
        if not hosts:
            return
        self.stage = "asking"
        rounds = 2 if self.wanted.access.version == "3" else 3
        self.done, self.total = 0, rounds * len(hosts)
        await probing.rounds(hosts, self._sent, self._absent)

    def _absent(self, hosts: Sequence[str]) -> set[str]:
        """Who of these stands in a network of this machine and did not even answer ARP."""
        if len(hosts) > _MOST_ARP:
            return set()  # the kernel's table may have been too small for all
        known = netlook.arp_table()
        near = [each.interface.network for each in self.wanted.networks if each.broadcast]
        found = {
            host
            for host in hosts
            if host not in known and any(ipaddress.ip_address(host) in network for network in near)
        }
        self.total = max(self.done + len(hosts) - len(found), 1)
        return found

    def _sent(self) -> None:
        self.done += 1
        self._changed()

    async def _knock(self, listening: Listening, probing: Probing, hosts: Sequence[str]) -> None:
        """Call those that did not answer SNMP: many of Ubiquiti's answer their discovery all the same."""
        known = netlook.arp_table()
        left = [host for host in hosts if probing.outcomes.get(host) is not Outcome.OPEN]
        gone = self._absent(left)
        left = [host for host in left if host not in gone]
        self.stage = "calling"
        self.done, self.total = 0, len(left)
        for count, host in enumerate(left, 1):
            listening.call(host, fully=host in known or host in probing.outcomes)
            self._sent()
            await asyncio.sleep(1 / self.wanted.rate if count % 5 else 5 / self.wanted.rate)
        if left:
            await asyncio.sleep(self.wanted.round_s)

    def _heard_hosts(self) -> list[str]:
        """Addresses that announced themselves from a network that this machine is in."""
        near = [each.interface.network for each in self.wanted.networks]
        hosts = []
        for address in dict.fromkeys(one.address for one in self._sightings if one.address):
            with contextlib.suppress(ValueError):
                if any(ipaddress.ip_address(address) in network for network in near):
                    hosts.append(address)
        return hosts

    def _settle(self, probing: Probing, asked: Sequence[str]) -> None:
        """What silence means, now that it is known who is there at all."""
        known = netlook.arp_table()
        own = {each.text for each in self.wanted.networks}
        for host in asked:
            if host in known and host not in own:
                self._see(Sighting(heard_by="arp", address=host, macs=(known[host],)))
        heard = {one.address for one in self._sightings if one.heard_by != "table"}
        for host in asked:
            outcome = probing.outcomes.get(host)
            if outcome is Outcome.OTHERS:
                self._see(Sighting(heard_by="snmp", address=host, snmp="denied"))
            elif outcome is Outcome.REFUSED or (outcome is None and host in heard):
                self._see(Sighting(heard_by="snmp", address=host, snmp="closed"))

    async def _name(self, probing: Probing) -> None:
        """Ask those that answer what they are."""
        self.stage = "naming"
        hosts = [host for host, outcome in probing.outcomes.items() if outcome is Outcome.OPEN]
        self.done, self.total = 0, len(hosts)
        self._changed()
        turn = asyncio.Semaphore(_AT_ONCE)

        async def one(host: str) -> None:
            async with turn:
                reader = self._reader(host)
                try:
                    self._see(await who_is(host, reader, self._profiles))
                finally:
                    self._readers_packets += reader.cost.pdus
                    reader.close()
                    self._sent()

        await asyncio.gather(*(one(host) for host in hosts))

    def _reader(self, host: str) -> SnmpReader:
        access = self.wanted.access
        return open_session(
            host,
            self.wanted.port,
            version=access.version,
            community=access.community,
            user=access.user,
            timeout_s=_TIMEOUT_S,
            tries=_TRIES,
        )
