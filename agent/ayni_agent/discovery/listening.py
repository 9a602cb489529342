"""Calls devices by MikroTik's and Ubiquiti's discovery, and hears what they and LLDP tell unasked.

A call goes out by broadcast on each network of this machine (the interface is named by IP_PKTINFO, ip(7), or
the kernel would take the default route only), to Ubiquiti's multicast group, and to single addresses, because
Ubiquiti's devices answer through routers too. LLDP is no IP: to hear it takes a packet socket, which needs
CAP_NET_RAW. What others send is bounded: `_MOST` sightings, then no more are taken.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import struct
from collections.abc import Callable, Iterable

from ayni_core.discovery import lldp, mndp, ubnt
from ayni_core.discovery.found import Sighting
from ayni_core.discovery.octets import DiscoveryError
from ayni_io.netlook import OwnAddress

_IP_PKTINFO = 8
_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, _PACKET_MR_MULTICAST = 263, 1, 0
_LARGEST = 4096
_AT_ONCE = 64
_MOST = 2000

Decode = Callable[[bytes, str], Sighting | None]


class Listening:
    """The sockets. `heard` gets each sighting; `raw_refused`: LLDP cannot be heard without CAP_NET_RAW."""

    def __init__(
        self,
        heard: Callable[[Sighting], None],
        networks: Iterable[OwnAddress],
        *,
        mndp_port: int = mndp.PORT,
        ubnt_port: int = ubnt.PORT,
    ) -> None:
        self.sent = 0
        self.ignored = 0
        self.raw_refused = False
        self._heard = heard
        self._count = 0
        own = tuple(networks)
        self._networks = [each for each in own if each.broadcast]
        self._own = {each.text for each in own}
        self._loop = asyncio.get_running_loop()
        self._ports = {"mndp": mndp_port, "ubnt": ubnt_port}
        self._sockets: dict[str, socket.socket] = {}
        for name, decode in (("mndp", mndp.decode), ("ubnt", ubnt.decode)):
            self._open(name, decode)
        self._open_lldp()

    def close(self) -> None:
        """Give the sockets back."""
        for each in self._sockets.values():
            self._loop.remove_reader(each)
            each.close()
        self._sockets.clear()

    def call_all(self, networks: Iterable[OwnAddress]) -> None:
        """Call by broadcast on networks of this machine, and by Ubiquiti's multicast."""
        for network in networks:
            if not network.broadcast:
                continue
            self._broadcast("mndp", mndp.REQUEST, "255.255.255.255", network)
            for request in ubnt.REQUESTS:
                self._broadcast("ubnt", request, "255.255.255.255", network)
            self._broadcast("ubnt", ubnt.REQUESTS[1], ubnt.GROUP, network)

    def call(self, host: str, *, fully: bool) -> None:
        """Call one address: by Ubiquiti's first version, `fully` by all that there is."""
        self._send("ubnt", ubnt.REQUESTS[0], host)
        if fully:
            self._send("ubnt", ubnt.REQUESTS[1], host)
            self._send("mndp", mndp.REQUEST, host)

    # ---- sockets

    def _open(self, name: str, decode: Decode) -> None:
        each = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        each.setblocking(False)
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        each.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        try:
            each.bind(("", self._ports[name]))
        except OSError:  # another program has it alone: answers to our own calls still come
            each.bind(("", 0))
        if name == "ubnt":
            for network in self._networks:
                group = socket.inet_aton(ubnt.GROUP) + socket.inet_aton(network.text)
                with contextlib.suppress(OSError):
                    each.setsockopt(
                        socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + struct.pack("=I", network.index)
                    )
            with contextlib.suppress(OSError):
                each.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        self._sockets[name] = each
        self._loop.add_reader(each, self._on_datagram, each, decode)

    def _open_lldp(self) -> None:
        try:
            each = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(lldp.ETHERTYPE))
        except PermissionError:
            self.raw_refused = True
            return
        except (OSError, AttributeError):
            return
        each.setblocking(False)
        for index in {network.index for network in self._networks}:
            for group in lldp.GROUPS:
                member = struct.pack("=iHH8s", index, _PACKET_MR_MULTICAST, 6, group)
                with contextlib.suppress(OSError):
                    each.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, member)
        self._sockets["lldp"] = each
        self._loop.add_reader(each, self._on_frame, each)

    def _broadcast(self, name: str, request: bytes, target: str, network: OwnAddress) -> None:
        own = socket.inet_aton(network.text)
        info = struct.pack("=I4s4s", network.index, own, own)
        with contextlib.suppress(OSError):
            self._sockets[name].sendmsg(
                [request], [(socket.IPPROTO_IP, _IP_PKTINFO, info)], 0, (target, self._ports[name])
            )
            self.sent += 1

    def _send(self, name: str, request: bytes, host: str) -> None:
        with contextlib.suppress(OSError):
            self._sockets[name].sendto(request, (host, self._ports[name]))
            self.sent += 1

    def _on_datagram(self, each: socket.socket, decode: Decode) -> None:
        for _datagram in range(_AT_ONCE):
            try:
                data, sender = each.recvfrom(_LARGEST)
            except BlockingIOError:
                return
            except OSError:  # somebody refused a call of ours
                continue
            if sender[0] not in self._own:
                self._take(functools.partial(decode, data, sender[0]))

    def _on_frame(self, each: socket.socket) -> None:
        for _frame in range(_AT_ONCE):
            try:
                data, sender = each.recvfrom(_LARGEST)
            except OSError:
                return
            if sender[2] != socket.PACKET_OUTGOING:
                self._take(functools.partial(lldp.decode, data))

    def _take(self, decode: Callable[[], Sighting | None]) -> None:
        try:
            sighting = decode()
        except DiscoveryError:
            self.ignored += 1
            return
        if sighting is not None and self._count < _MOST:
            self._count += 1
            self._heard(sighting)
