"""A TCP link that can be as bad as those in the field: slow, late, stalled, cut, or forgotten by a router.

It stands between a client and a port of this machine, one listening port of its own, any number of
connections. Nothing is kept in it beyond what is on its way: sockets have small buffers, and what cannot
travel is not read, so that the sender feels a slow link as it would feel a real one.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any

UP, DOWN = "up", "down"
"""From the client to the port behind the link, and back."""
_CHUNK = 1024
_BUFFER = 4096
_SEGMENT = 1400
_ON_ITS_WAY = 64
_CREDIT_S = 0.05  # a loop that is late makes up for it
_RESET = struct.pack("ii", 1, 0)

Tap = Callable[[int, bytes], None]
"""Is told (number of the connection, bytes) of all that went up."""


class BadLink:
    """Used as `async with BadLink(port) as link`; clients connect to `link.port`.

    `rate` is octets a second each way, None for no limit; `delay_s` is added each way; `stalled`: nothing
    moves, and nothing is lost; `refusing`: new connections are reset. `carried` counts octets each way.
    """

    def __init__(self, target: int, tap: Tap | None = None) -> None:
        self.target = target
        self.port = 0
        self.rate: float | None = None
        self.delay_s = 0.0
        self.refusing = False
        self.carried = {UP: 0, DOWN: 0}
        self._tap = tap
        self._moving = asyncio.Event()
        self._moving.set()
        self._free = {UP: 0.0, DOWN: 0.0}
        self._connections: dict[int, _Connection] = {}
        self._number = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)

    async def __aenter__(self) -> BadLink:
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _SEGMENT)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(20)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._spawn(self._serve())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._listener.close()

    @property
    def stalled(self) -> bool:
        """Whether nothing moves at the moment."""
        return not self._moving.is_set()

    def good(self) -> None:
        """No trouble any more; what was forgotten stays so until it is cut."""
        self.rate, self.delay_s, self.refusing = None, 0.0, False
        self._moving.set()

    def stall(self) -> None:
        """Let nothing move until `good`."""
        self._moving.clear()

    def cut(self) -> None:
        """Reset every connection, both sides."""
        for connection in list(self._connections.values()):
            connection.reset()

    def forget(self) -> None:
        """As a router that lost its table: from now on what its connections carry goes nowhere, and nobody
        is told. New connections work."""
        for connection in self._connections.values():
            connection.forgotten = True

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _address = await loop.sock_accept(self._listener)
            client.setblocking(False)
            if self.refusing:
                _reset(client)
                continue
            server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            server.setblocking(False)
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                server.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
            try:
                await loop.sock_connect(server, ("127.0.0.1", self.target))
            except OSError:
                server.close()
                _reset(client)
                continue
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._number += 1
            self._spawn(self._carry(self._number, _Connection(client, server)))

    async def _carry(self, number: int, connection: _Connection) -> None:
        self._connections[number] = connection
        ways = [
            asyncio.create_task(self._way(number, connection, UP, connection.client, connection.server)),
            asyncio.create_task(self._way(number, connection, DOWN, connection.server, connection.client)),
            asyncio.create_task(connection.over.wait()),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            del self._connections[number]
            connection.close()

    async def _way(
        self, number: int, connection: _Connection, way: str, source: socket.socket, sink: socket.socket
    ) -> None:
        """One way of one connection, until its source ends."""
        on_its_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_ON_ITS_WAY)
        delivering = asyncio.create_task(self._deliver(number, connection, way, on_its_way, sink))
        loop = asyncio.get_running_loop()
        try:
            while True:
                await self._moving.wait()
                data = await loop.sock_recv(source, _CHUNK)
                await self._pace(way, len(data))
                await on_its_way.put((loop.time() + self.delay_s, data))
                if not data:
                    await delivering
                    return
        except OSError:
            return
        finally:
            delivering.cancel()
            await asyncio.gather(delivering, return_exceptions=True)

    async def _pace(self, way: str, count: int) -> None:
        if self.rate is None or not count:
            return
        now = asyncio.get_running_loop().time()
        self._free[way] = max(self._free[way], now - _CREDIT_S) + count / self.rate
        await asyncio.sleep(max(0.0, self._free[way] - now))

    async def _deliver(
        self,
        number: int,
        connection: _Connection,
        way: str,
        on_its_way: asyncio.Queue[tuple[float, bytes]],
        sink: socket.socket,
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, data = await on_its_way.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            await self._moving.wait()
            if connection.forgotten:
                continue  # the end of one side, too, is not told to the other
            if not data:
                return
            self.carried[way] += len(data)
            if way == UP and self._tap is not None:
                self._tap(number, data)
            try:
                await loop.sock_sendall(sink, data)
            except OSError:
                connection.over.set()
                return

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Connection:
    """Both sides of one connection."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self.forgotten = False
        self.over = asyncio.Event()
        self._reset = False

    def reset(self) -> None:
        self._reset = True
        self.over.set()

    def close(self) -> None:
        for side in (self.client, self.server):
            if self._reset:
                _reset(side)
            else:
                side.close()


def _reset(side: socket.socket) -> None:
    """Close it with RST rather than FIN."""
    with contextlib.suppress(OSError):
        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    side.close()
