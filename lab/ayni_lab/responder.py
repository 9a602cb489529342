"""What answers SNMP for simulated devices: many of them in one process, each on a UDP port of 127.0.0.1.

It knows nothing of worlds and values: a `Source` gives the objects of a device at this moment, or None
while the device is off, and then nothing answers, as nothing would. A wrong community is silence too.
"""

from __future__ import annotations

import asyncio
import functools
import hmac
from collections.abc import Mapping
from typing import Any, Protocol

from ayni_core.mibview import MibView
from ayni_core.snmp import SnmpDecodeError, decode_request

_LARGEST_ANSWER = 1472
"""What fits an Ethernet frame: small devices answer tooBig beyond it rather than send fragments."""


class Source(Protocol):
    """A device to be answered for."""

    def view(self) -> MibView | None:
        """Its objects now; None: it is off."""
        ...


class Responder:
    """Sockets of simulated devices. `ports` gives the UDP port of each once `open` has returned."""

    def __init__(self, devices: Mapping[str, Source], community: bytes) -> None:
        self._devices = dict(devices)
        self._community = community
        self._transports: list[asyncio.DatagramTransport] = []
        self.ports: dict[str, int] = {}
        self.answered = 0

    async def open(self, ports: Mapping[str, int] | None = None) -> dict[str, int]:
        """Bind a port for each device: the one in `ports`, or whichever is free. Raises `OSError`."""
        loop = asyncio.get_running_loop()
        for name, source in self._devices.items():
            port = (ports or {}).get(name, 0)
            transport, _protocol = await loop.create_datagram_endpoint(
                functools.partial(_Agent, self, source), local_addr=("127.0.0.1", port)
            )
            self._transports.append(transport)
            self.ports[name] = transport.get_extra_info("sockname")[1]
        return self.ports

    def close(self) -> None:
        """Close all sockets."""
        for transport in self._transports:
            transport.close()
        self._transports.clear()

    def answer(self, source: Source, datagram: bytes) -> bytes | None:
        """The answer to one datagram, or None for silence."""
        try:
            request = decode_request(datagram)
        except SnmpDecodeError:
            return None
        if not hmac.compare_digest(request.community, self._community):
            return None
        view = source.view()
        if view is None:
            return None
        self.answered += 1
        return view.answer(request, _LARGEST_ANSWER)


class _Agent(asyncio.DatagramProtocol):
    """One socket."""

    def __init__(self, responder: Responder, source: Source) -> None:
        self._responder = responder
        self._source = source
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers go out through."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer, or stay silent."""
        answer = self._responder.answer(self._source, data)
        if answer is not None:
            self._transport.sendto(answer, addr)
