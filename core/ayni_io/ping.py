"""Echo requests (RFC 792, RFC 4443), without a shell. This file alone knows icmplib.

Theory of operation. Linux lets plain users send them over a datagram socket when `net.ipv4.ping_group_range`
holds their group; a process with CAP_NET_RAW has a raw socket. icmplib packs and parses for both; requests go
out at their pace whether or not the answers come, so that a host that is away costs one time-out, not one for
each request. Times are taken from the monotonic clock, not icmplib's, which jumps when the clock is set.

Where neither socket is allowed, or icmplib is not installed, the system's `ping` does it, which has rights of
its own; its arguments are a list, and the address is one that was resolved before.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ayni_io.aside import Aside

if TYPE_CHECKING:
    from icmplib import AsyncSocket

PAUSE_S, TIMEOUT_S = 1.0, 2.0
_REPLIES = (0, 129)
_QUICKEST_S = 0.2
"""What the system's ping grants to plain users."""
_LINE = re.compile(rb"seq[=:]\s*(\d+).*time[=<]\s*([0-9.]+)\s*ms")


class PingError(Exception):
    """This machine does not let us send echo requests."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address as numbers, and its family."""

    family: socket.AddressFamily
    text: str


@dataclass(frozen=True, slots=True)
class Echo:
    """What came of one request, counted from 1; `ms` is None where nothing came back in time."""

    number: int
    ms: float | None


async def resolve(host: str, aside: Aside | None = None) -> Address:
    """The address of a host, asked `aside`. Raises `OSError` where it has none, `BusyError`."""

    def ask() -> Address:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
        family, _kind, _protocol, _name, address = found[0]
        return Address(family, str(address[0]))

    return await (aside or Aside("resolve")).run(ask)


async def ping(
    address: Address, *, count: int, size: int = 56, every_s: float | None = None
) -> AsyncIterator[Echo]:
    """Send `count` requests with `size` octets in them, one a second or `every_s` apart; what came of each,
    in their order. Raises `PingError`, `OSError`."""
    every_s = PAUSE_S if every_s is None else every_s
    opened = _open(address)
    if opened is None:
        async for echo in _by_program(address, count, size, every_s):
            yield echo
        return
    exchange = _Exchange(opened, address, size)
    tasks = [asyncio.create_task(exchange.send(count, every_s)), asyncio.create_task(exchange.receive(count))]
    try:
        for number in range(1, count + 1):
            yield Echo(number, await exchange.answer(number))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        opened.close()


def _open(address: Address) -> AsyncSocket | None:
    """A socket to an address; None where we may not have any."""
    try:
        from icmplib import AsyncSocket, ICMPv4Socket, ICMPv6Socket
        from icmplib.exceptions import ICMPSocketError, SocketPermissionError
    except ImportError:
        return None
    kind = ICMPv6Socket if address.family == socket.AF_INET6 else ICMPv4Socket
    for privileged in (False, True):
        try:
            opened = kind(privileged=privileged)
        except SocketPermissionError:
            continue
        except ICMPSocketError as error:
            raise PingError(str(error)) from None
        try:
            opened.sock.connect((address.text, 0))  # the kernel then drops what others send
        except OSError:
            opened.close()
            raise
        return AsyncSocket(opened)
    return None


@dataclass(slots=True)
class _Exchange:
    """The requests of one run, and what came back, by number."""

    socket: AsyncSocket
    address: Address
    size: int
    identifier: int = field(default_factory=lambda: secrets.randbits(16))
    sent_s: dict[int, float] = field(default_factory=dict)
    came_s: dict[int, float] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, count: int, every_s: float) -> None:
        from icmplib import ICMPRequest
        from icmplib.exceptions import ICMPLibError

        begun = time.monotonic()
        for number in range(1, count + 1):
            await asyncio.sleep(max(0.0, begun + (number - 1) * every_s - time.monotonic()))
            request = ICMPRequest(self.address.text, self.identifier, number, payload_size=self.size)
            self.sent_s[number] = time.monotonic()
            with contextlib.suppress(ICMPLibError):  # what cannot be sent now is lost
                self.socket.send(request)
            self.identifier = request.id  # the kernel chooses that of a datagram socket
            self._tell()

    async def receive(self, count: int) -> None:
        from icmplib.exceptions import ICMPLibError

        refused = 0
        while refused <= 2 * count:  # each request can bring a refusal from the way, and not many more
            try:
                reply = await self.socket.receive(None, 3600)
            except ICMPLibError:
                refused += 1
                continue
            number = reply.sequence
            if reply.type in _REPLIES and reply.id == self.identifier and number in self.sent_s:
                self.came_s.setdefault(number, time.monotonic())
                self._tell()

    def _tell(self) -> None:
        self.news.set()
        self.news = asyncio.Event()

    async def answer(self, number: int) -> float | None:
        """Milliseconds until the answer; None where none came in time."""
        while number not in self.came_s:
            sent = self.sent_s.get(number)
            left = None if sent is None else sent + TIMEOUT_S - time.monotonic()
            if left is not None and left <= 0:
                return None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.news.wait(), left)
        took_s = self.came_s[number] - self.sent_s[number]
        return took_s * 1000 if took_s <= TIMEOUT_S else None


async def _by_program(address: Address, count: int, size: int, every_s: float) -> AsyncIterator[Echo]:
    program = shutil.which("ping", path=os.environ.get("PATH", "") + ":/usr/bin:/bin:/usr/sbin:/sbin")
    if program is None:
        raise PingError("no ping program")
    pace = () if every_s == PAUSE_S else ("-i", f"{max(_QUICKEST_S, every_s):g}")
    words = (program, "-c", str(count), *pace, "-W", str(int(TIMEOUT_S)), "-s", str(size), address.text)
    process = await asyncio.create_subprocess_exec(
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"LC_ALL": "C"},
    )
    assert process.stdout is not None  # noqa: S101  it was asked for
    first: int | None = None
    told = 0
    try:
        while line := await process.stdout.readline():
            match = _LINE.search(line)
            if match is None:
                continue
            if first is None:
                first = 0 if int(match[1]) == 0 else 1  # busybox counts from 0
            number = int(match[1]) - first + 1
            for lost in range(told + 1, min(number, count + 1)):
                yield Echo(lost, None)
            if told < number <= count:
                yield Echo(number, float(match[2]))
                told = number
        await process.wait()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode not in (0, 1):  # 1: nothing came back
        raise PingError(f"ping ended with status {process.returncode}")
    for lost in range(told + 1, count + 1):
        yield Echo(lost, None)
