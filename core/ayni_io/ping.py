"""Echo requests (RFC 792, RFC 4443), without a shell.

Theory of operation. Linux lets plain users send them over a datagram socket when `net.ipv4.ping_group_range`
holds their group; a process with CAP_NET_RAW has a raw socket. Where neither is allowed the system's `ping`
does it, which has rights of its own; its arguments are a list, and the address is one that was resolved
before.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import re
import secrets
import shutil
import socket
import struct
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

PAUSE_S, TIMEOUT_S = 1.0, 2.0
_LARGEST = 2048
_REQUEST: dict[int, int] = {socket.AF_INET: 8, socket.AF_INET6: 128}
_REPLY: dict[int, int] = {socket.AF_INET: 0, socket.AF_INET6: 129}
_PROTOCOL: dict[int, int] = {socket.AF_INET: socket.IPPROTO_ICMP, socket.AF_INET6: socket.IPPROTO_ICMPV6}
_NOT_THERE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN)
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


async def resolve(host: str) -> Address:
    """The address of a host. Raises `OSError` where it has none."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    family, _kind, _protocol, _name, address = found[0]
    return Address(family, str(address[0]))


async def ping(address: Address, *, count: int, size: int = 56) -> AsyncIterator[Echo]:
    """Send `count` requests with `size` octets in them, one a second. Raises `PingError`, `OSError`."""
    opened = _open(address)
    if opened is None:
        async for echo in _by_program(address, count, size):
            yield echo
        return
    connection, raw = opened
    with connection:
        identifier = secrets.randbits(16)
        for number in range(1, count + 1):
            begun = time.monotonic()
            request = _request(address.family, identifier, number, size)
            ms = await asyncio.to_thread(_exchange, connection, address.family, raw, request)
            yield Echo(number, ms)
            if number < count:
                await asyncio.sleep(max(0.0, begun + PAUSE_S - time.monotonic()))


def _open(address: Address) -> tuple[socket.socket, bool] | None:
    """A socket to an address and whether it is a raw one; None where we may not have any."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            connection = socket.socket(address.family, kind, _PROTOCOL[address.family])
        except PermissionError:
            continue
        except OSError as error:
            raise PingError(error.strerror or str(error)) from None
        try:
            connection.connect((address.text, 0))
        except OSError:
            connection.close()
            raise
        return connection, kind == socket.SOCK_RAW
    return None


def _request(family: int, identifier: int, number: int, size: int) -> bytes:
    kind = _REQUEST[family]
    body = bytes(at & 0xFF for at in range(size))
    plain = struct.pack("!BBHHH", kind, 0, 0, identifier, number) + body
    if family == socket.AF_INET6:
        return plain  # its checksum covers addresses: the kernel fills it in
    return struct.pack("!BBHHH", kind, 0, _checksum(plain), identifier, number) + body


def _checksum(data: bytes) -> int:
    """RFC 1071."""
    padded = data + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return int(~total & 0xFFFF)


def _exchange(connection: socket.socket, family: int, raw: bool, request: bytes) -> float | None:
    """Milliseconds until the answer to this request came; None without one."""
    begun = time.monotonic()
    try:
        connection.send(request)
        while (left := begun + TIMEOUT_S - time.monotonic()) > 0:
            connection.settimeout(left)
            answer = connection.recv(_LARGEST)
            if raw and family == socket.AF_INET and answer:
                answer = answer[(answer[0] & 0x0F) * 4 :]  # the header of IP stands in front
            if _answers(answer, request, family, raw):
                return (time.monotonic() - begun) * 1000
    except (TimeoutError, ConnectionError):
        return None
    except OSError as error:
        if error.errno in _NOT_THERE:
            return None
        raise
    return None


def _answers(answer: bytes, request: bytes, family: int, raw: bool) -> bool:
    """Whether a message answers the request. The kernel chooses the identifier of a datagram socket."""
    if len(answer) < 8 or answer[0] != _REPLY[family] or answer[6:8] != request[6:8]:
        return False
    return not raw or answer[4:6] == request[4:6]


async def _by_program(address: Address, count: int, size: int) -> AsyncIterator[Echo]:
    program = shutil.which("ping", path=os.environ.get("PATH", "") + ":/usr/bin:/bin:/usr/sbin:/sbin")
    if program is None:
        raise PingError("no ping program")
    words = (program, "-c", str(count), "-W", str(int(TIMEOUT_S)), "-s", str(size), address.text)
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
