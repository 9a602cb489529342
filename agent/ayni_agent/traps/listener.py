"""Listens for traps. A trap of a device of ours becomes a note, and the device is polled at once.

Theory of operation. Datagrams are read a few at a time, so that a flood cannot keep the loop. What does not
come from the address of a device is counted and not looked into. Of each device only so many datagrams a
minute are taken apart at all (that costs milliseconds); how many are told is the `Teller`'s to say. A port
that cannot be had is told once, and tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from ayni_agent.config import DeviceConfig
from ayni_agent.eyes import Sight
from ayni_agent.traps.settings import TrapAccess
from ayni_core.readings import Names, Poll, Row
from ayni_core.trapaccess import TrapsConfig
from ayni_core.traps import Teller
from ayni_core.usm_keys import UsmUser
from ayni_core.wire.note import FrameNote
from ayni_io import clock, sockets, trap_maps
from ayni_io.aside import Aside, BusyError
from ayni_io.snmp_access import Access
from ayni_io.snmp_pysnmp_traps import TrapEngine

log = logging.getLogger("agent")
_AGAIN_S = 60.0
_SUM_EVERY_S = 10.0
_RESOLVE_EVERY_S, _RESOLVE_S = 3600.0, 5.0
_AT_ONCE = 16
_LARGEST = 8192
_OPENED_PER_MINUTE = 60
"""Datagrams of one device that are taken apart; an inform that goes on asking is among them."""
_HURRY_EVERY_S = 5.0


class Traps:
    """One agent's. `note` takes what is to be told, `hurry` polls a device at once."""

    def __init__(
        self,
        config: TrapsConfig,
        note: Callable[[FrameNote], None],
        hurry: Callable[[str], Awaitable[object]],
    ) -> None:
        self._config = config
        self._note = note
        self._hurry = hurry
        self._teller = Teller(trap_maps.load())
        self._engine: TrapEngine | None = None
        self._believed: Any = None
        self._hosts: dict[str, list[str]] = {}
        self._at: dict[str, list[str]] = {}
        self._own: dict[str, UsmUser] = {}
        self._opened: dict[str, tuple[float, int]] = {}
        self._hurried: dict[str, float] = {}
        self._polls: set[asyncio.Task[None]] = set()
        self._ports: dict[str, dict[str, str]] = {}
        self._names: dict[str, Names] = {}
        self._socket: socket.socket | None = None
        self._told = ""
        self._changed = asyncio.Event()
        self._aside = Aside("trap names")
        self.port = 0
        """Where it listens; 0 while it does not."""

    def use(
        self,
        devices: Mapping[str, DeviceConfig],
        access: Mapping[str, Access | Sight],
        more: TrapAccess | None,
    ) -> None:
        """From now on these devices, whose own communities and users are believed beside `more`."""
        self._hosts = {}
        self._own = {}
        communities = list(more.communities) if more else []
        users = [each.user for each in more.users if each.user] if more else []
        for name, device in devices.items():
            found = access[name]
            if isinstance(found, Sight) or not device.host:
                continue
            self._hosts.setdefault(device.host, []).append(name)
            if found.user is not None:
                self._own[name] = found.user
                users.append(found.user)
            else:
                communities.append(found.community)
        believed = (communities, users)
        if self._engine is None or believed != self._believed:
            self._believed = believed
            self._engine = TrapEngine(self._answer, communities, users)
        self._at = {_plain(host): names for host, names in self._hosts.items() if _plain(host)}
        self._teller.keep(devices)
        self._ports = {name: ports for name, ports in self._ports.items() if name in devices}
        self._names.clear()
        self._changed.set()

    def seen(self, poll: Poll) -> None:
        """A poll passed by: what its interfaces are called."""
        row = poll.values
        if not isinstance(row, Row) or self._names.get(poll.device) is row.names:
            return
        self._names[poll.device] = row.names
        ports = {
            str(int(value)): series.item
            for series, value in zip(row.names.series, row.cells, strict=True)
            if series.metric == "if_index" and isinstance(value, int | float)
        }
        if ports:
            self._ports[poll.device] = ports

    async def run(self) -> None:
        """Listen until cancelled."""
        loop = asyncio.get_running_loop()
        opened_s = resolved_s = -_RESOLVE_EVERY_S
        try:
            while True:
                now_s = clock.monotonic_s()
                if self._socket is None and now_s - opened_s >= _AGAIN_S:
                    opened_s = now_s
                    self._open(loop)
                if self._changed.is_set() or now_s - resolved_s >= _RESOLVE_EVERY_S:
                    self._changed.clear()
                    resolved_s = now_s
                    await self._resolve()
                for note in self._teller.due(clock.monotonic_s()):
                    self._note(note)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_SUM_EVERY_S):
                        await self._changed.wait()
        finally:
            self._close(loop)
            for task in self._polls:
                task.cancel()

    def _open(self, loop: asyncio.AbstractEventLoop) -> None:
        where = f"{self._config.host}:{self._config.port}"
        try:
            given = sockets.inherited()
            self._socket = given[0] if given else sockets.bound(self._config.host, self._config.port)
        except OSError as error:
            why = {
                errno.EACCES: "this program may not listen below 1024: enable ayni-agent-traps.socket",
                errno.EADDRINUSE: "another program listens there",
            }.get(error.errno or 0, error.strerror or str(error))
            if why != self._told:
                self._told = why
                log.warning("no traps listen=%s cause=%s", where, why)
            return
        self._told = ""
        self.port = self._socket.getsockname()[1]
        loop.add_reader(self._socket.fileno(), self._readable)
        log.info("listening for traps address=%s:%d", self._socket.getsockname()[0], self.port)

    def _close(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._socket is not None:
            loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket, self.port = None, 0

    async def _resolve(self) -> None:
        """Learn the addresses of devices that are known by name."""
        found: dict[str, list[str]] = {}
        for host, names in dict(self._hosts).items():
            addresses = [_plain(host)]
            if not addresses[0]:
                try:
                    async with asyncio.timeout(_RESOLVE_S):
                        addresses = await self._aside.run(partial(_addresses, host))
                except (OSError, TimeoutError, UnicodeError, BusyError):
                    addresses = [old for old, devices in self._at.items() if devices == names]
            for address in dict.fromkeys(addresses):
                found.setdefault(address, []).extend(names)
        self._at = found

    # ---- what comes

    def _readable(self) -> None:
        assert self._socket is not None  # noqa: S101  a reader is set only for an open one
        for _turn in range(_AT_ONCE):
            try:
                datagram, address = self._socket.recvfrom(_LARGEST)
            except BlockingIOError:
                return
            except OSError:  # what an answer of ours met on its way
                continue
            self._take(datagram, address)

    def _take(self, datagram: bytes, address: Any) -> None:
        now_s = clock.monotonic_s()
        names = self._at.get(_plain(str(address[0])))
        if not names:
            self._teller.stranger(_plain(str(address[0])) or "?", now_s)
            return
        device = names[0]
        since_s, opened = self._opened.get(device, (now_s, 0))
        if now_s - since_s >= 60.0:
            since_s, opened = now_s, 0
        self._opened[device] = (since_s, opened + 1)
        if opened >= _OPENED_PER_MINUTE or self._engine is None:
            self._teller.leave(device, now_s)
            return
        trap = self._engine.take(datagram, address, now_s, self._own.get(device))
        if trap is None:
            if not self._engine.answered:
                self._teller.refuse(device, now_s)
            return
        note = self._teller.take(device, trap, now_s, self._ports.get(device, {}))
        if note is not None:
            log.info("trap device=%s says=%s oid=%s", device, note.text.context, trap.oid)
            self._note(note)
        for name in names:
            self._poll(name, now_s)

    def _poll(self, device: str, now_s: float) -> None:
        if now_s - self._hurried.get(device, -_HURRY_EVERY_S) < _HURRY_EVERY_S:
            return
        self._hurried[device] = now_s
        task = asyncio.ensure_future(self._now(device))
        self._polls.add(task)
        task.add_done_callback(self._polls.discard)

    async def _now(self, device: str) -> None:
        try:
            await self._hurry(device)
        except KeyError:  # it is no longer polled
            return

    def _answer(self, octets: bytes, address: Any) -> None:
        if self._socket is not None:
            try:
                self._socket.sendto(octets, address)
            except OSError as error:
                log.debug("answer to an inform not sent cause=%s", os.strerror(error.errno or 0))


def _addresses(host: str) -> list[str]:
    """All addresses of a name. Blocks; raises `OSError`, `UnicodeError`."""
    return [_plain(str(info[4][0])) for info in socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)]


def _plain(text: str) -> str:
    """An address as one and the same text, "" for what is none."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
