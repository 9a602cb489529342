"""The certificates that others meet at the central: looked at as they are shown, long before they end.

The broker's is looked at by a handshake of its own, as monitors see it: the central itself mostly reaches its
broker on the machine, without TLS, and what lies in a file is not yet what the broker shows. The pages' are
files that the central reads anyway.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ayni_core import x509
from ayni_core.inventory import Network
from ayni_core.wire.health import CertificateHealth
from ayni_hub.config import HubConfig
from ayni_hub.health import HealthDesk
from ayni_hub.judge import Judge
from ayni_io import broker_look, certificates, clock
from ayni_io.broker_look import LookError
from ayni_io.mqtt import BrokerConfig

log = logging.getLogger("certificates")
METRIC = "certificate_days"
Address = tuple[str, int]
DAY_S = 86_400.0
_JUDGE_S, _LOOK_S = 3600.0, 12 * 3600.0
_FIRST_S = 2.0
"""After the start others come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one is shown; `look` blocks, and raises `LookError`, `OSError` or `ValueError`."""

    of: str
    name: str
    look: Callable[[], certificates.Seen]


def places(
    config: HubConfig, network: Network, broker: BrokerConfig, server: BrokerConfig | None
) -> list[Place]:
    """Those of a hub."""
    found = []
    addresses = _broker_addresses(network, broker)
    if addresses:
        found.append(_shown("broker", addresses))
    if server is not None and server.ca is not None:
        found.append(_shown("server", [(server.host, server.port)]))
    for what, page in (("numbers", config.numbers), ("phone", config.phone)):
        listen = page.listen if page is not None else None
        if listen is not None and listen.cert:
            found.append(_filed(what, f"{what} :{listen.port}", Path(listen.cert)))
    found += [_filed("file", str(path), path) for path in config.certificates]
    return found


def _broker_addresses(network: Network, broker: BrokerConfig) -> list[Address]:
    """Where monitors find the broker, and where it is on this machine: a village cannot always reach itself
    by the address that others use."""
    if broker.ca is not None:
        return [(broker.host, broker.port)]
    known = network.hub.places
    return [*known, (broker.host, known[0][1])] if known else []


def _shown(of: str, addresses: Sequence[Address]) -> Place:
    """What the first one that answers shows; the first gives the name."""

    def look() -> certificates.Seen:
        for host, port in addresses[:-1]:
            with contextlib.suppress(LookError):
                return broker_look.shows(host, port)
        return broker_look.shows(*addresses[-1])

    host, port = addresses[0]
    return Place(of=of, name=f"{host}:{port}", look=look)


def _filed(of: str, name: str, path: Path) -> Place:
    return Place(of=of, name=name, look=lambda: certificates.in_file(path)[0])


class CertificatesMet:
    """Looks now and then; what it saw last stays until it sees something else."""

    def __init__(self, places: Sequence[Place], desk: HealthDesk, judge: Judge | None) -> None:
        self._places = places
        self._desk = desk
        self._judge = judge
        self._seen: dict[str, CertificateHealth] = {}
        self._looked_at: dict[str, float] = {}
        self._hidden: set[str] = set()

    async def run(self) -> None:
        """A companion of the hub: until cancelled."""
        await asyncio.sleep(_FIRST_S)
        while True:
            await self.look(clock.wall_s(), clock.monotonic_s())
            await asyncio.sleep(_JUDGE_S)

    async def look(self, now: float, mono_s: float) -> None:
        """Look at what is due, and say how all of them stand."""
        for place in self._places:
            before = self._seen.get(place.name)
            soon = before is None or before.ends - now < x509.SOON_DAYS * DAY_S
            if soon or mono_s - self._looked_at.get(place.name, mono_s) >= _LOOK_S:
                await self._look_at(place, mono_s)
        self._desk.certificates = tuple(self._seen.values())
        if self._judge is not None:
            days: dict[str, float | None] = dict.fromkeys(place.name for place in self._places)
            days |= {name: (each.ends - now) / DAY_S for name, each in self._seen.items()}
            self._judge.central(METRIC, days, now)

    async def _look_at(self, place: Place, mono_s: float) -> None:
        try:
            seen = await asyncio.to_thread(place.look)
        except (LookError, OSError, ValueError) as error:
            if place.name not in self._hidden:
                log.warning("certificate not seen name=%s cause=%s", place.name, error)
            self._hidden.add(place.name)
            return
        self._hidden.discard(place.name)
        self._looked_at[place.name] = mono_s
        found = CertificateHealth(of=place.of, name=place.name, ends=seen.ends)
        if self._seen.get(place.name) != found:
            log.info("certificate name=%s days=%d", place.name, (seen.ends - clock.wall_s()) / DAY_S)
        self._seen[place.name] = found
