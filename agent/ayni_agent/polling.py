"""The devices of a node, each with its loop; which devices these are may change while the others go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ayni_agent.config import DeviceConfig
from ayni_agent.device_loop import DeviceLoop
from ayni_agent.eyes import Sight, open_eye
from ayni_agent.eyes.poller import EyePoller
from ayni_agent.flight import Flight
from ayni_agent.poller import Families, Poller
from ayni_agent.schedule import (
    LONGEST_HASTE_S,
    first_turn,
    look_over_s,
    patience_s,
    source_patience_s,
    timeout_s,
)
from ayni_core.identify import Identity
from ayni_core.readings import Poll
from ayni_io import clock
from ayni_io.snmp import SnmpReader, open_session
from ayni_io.snmp_access import Access


@dataclass(slots=True)
class _Manned:
    """A device that is polled, and by what it is known to be the same as before."""

    device: DeviceConfig
    access: Access | Sight
    poll_s: float
    poller: Poller | EyePoller
    loop: DeviceLoop
    task: asyncio.Task[None]


class Polling:
    """`use` says which devices; `run` lasts until it is cancelled, or a loop breaks, which is a bug.

    `remembered` are devices as an earlier run identified them.
    """

    def __init__(
        self, families: Families, on_poll: Callable[[Poll], None], remembered: Mapping[str, Identity]
    ) -> None:
        self._families = families
        self._on_poll = on_poll
        self._identities = dict(remembered)
        self._slow_every = 1
        self._flight = Flight(patience_s(60))
        self._manned: dict[str, _Manned] = {}
        self._ended = asyncio.Event()
        self._cause: BaseException | None = None

    @property
    def patience_s(self) -> float:
        """How long a poll may take before its device counts as slow."""
        return self._flight.patience_s

    @property
    def slow_every(self) -> int:
        """What moves slowly is asked with one of so many polls."""
        return self._slow_every

    @slow_every.setter
    def slow_every(self, polls: int) -> None:
        self._slow_every = polls
        for manned in self._manned.values():
            manned.poller.slow_every = polls

    async def run(self) -> None:
        """Until cancelled; then no device is polled any more."""
        try:
            await self._ended.wait()
            raise self._cause or RuntimeError("the loop of a device ended")
        finally:
            tasks = [manned.task for manned in self._manned.values()]
            for name in list(self._manned):
                self._dismiss(name)
            await asyncio.gather(*tasks, return_exceptions=True)

    async def now(self, name: str) -> Poll:
        """Poll a device at once, without waiting for its turn. Raises `KeyError`."""
        manned = self._manned[name]
        if isinstance(manned.poller, Poller):
            manned.poller.look_over_soon(neighbours=True)  # who asks by hand wants all of it
        return await manned.loop.now()

    def hasten(self, name: str, for_s: float) -> None:
        """Poll a device every few seconds for so long; one that is not polled here is passed over."""
        manned = self._manned.get(name)
        if manned is not None:
            manned.loop.hasten(clock.monotonic_s() + min(max(for_s, 0.0), LONGEST_HASTE_S))

    def use(
        self,
        devices: Mapping[str, DeviceConfig],
        access: Mapping[str, Access | Sight],
        poll_s: float,
    ) -> None:
        """From now on these devices, at this pace. What is the same as before goes on undisturbed."""
        self._flight.patience_s = patience_s(poll_s)
        start_s = clock.monotonic_s()
        for name in list(self._manned):
            manned = self._manned[name]
            if (manned.device, manned.access, manned.poll_s) != (
                devices.get(name), access.get(name), poll_s,
            ):  # fmt: skip
                self._dismiss(name)
                if name not in devices or (devices[name].host, devices[name].port) != (
                    manned.device.host, manned.device.port,
                ):  # fmt: skip
                    self._identities.pop(name, None)
        for index, (name, device) in enumerate(devices.items()):
            if name not in self._manned:
                self._man(device, access[name], poll_s, first=(start_s, index, len(devices)))

    def _man(
        self, device: DeviceConfig, access: Access | Sight, poll_s: float, first: tuple[float, int, int]
    ) -> None:
        poller = self._poller(device, access, poll_s)
        loop = DeviceLoop(poller, self._flight, poll_s, self._on_poll)
        task = asyncio.create_task(loop.run(first_turn(*first, poll_s)))
        task.add_done_callback(self._done)
        self._manned[device.name] = _Manned(device, access, poll_s, poller, loop, task)

    def _poller(self, device: DeviceConfig, access: Access | Sight, poll_s: float) -> Poller | EyePoller:
        if isinstance(access, Sight):
            sight = replace(access, patience_s=source_patience_s(poll_s))
            return EyePoller(device.name, open_eye(sight), access.source.KIND, sight.patience_s)
        return Poller(
            device.name,
            reader_of(device, access, poll_s),
            self._families,
            device.profile,
            remembered=self._identities.get(device.name),
            look_over_s=look_over_s(poll_s),
            slow_every=self._slow_every,
        )

    def _dismiss(self, name: str) -> None:
        manned = self._manned.pop(name)
        if manned.poller.identity is not None:
            self._identities[name] = manned.poller.identity
        manned.task.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._cause = self._cause or task.exception()
            self._ended.set()

    def identities(self) -> dict[str, Identity]:
        """What the devices were found to be."""
        for name, manned in self._manned.items():
            if manned.poller.identity is not None:
                self._identities[name] = manned.poller.identity
            else:
                self._identities.pop(name, None)
        return self._identities


def reader_of(device: DeviceConfig, access: Access, poll_s: float) -> SnmpReader:
    """A session for the polls of a device."""
    return open_session(
        device.host,
        device.port,
        version=access.version,
        community=access.community,
        user=access.user,
        timeout_s=timeout_s(poll_s),
        tries=2,
        engine=device.engine,
    )
