"""Asks many addresses whether SNMP is there, by few packets: one socket for all of them.

Theory of operation. A round sends one datagram to each address, `rate` a second; rounds are at least a second
apart, so nobody gets more than one a second. Three outcomes tell something: an answer to the community, an
answer to SNMPv3's engine discovery (there is an agent, but not for this community), and ICMP "port
unreachable" (the device is there, SNMP is not), which Linux gives to the socket that sent the datagram
(IP_RECVERR, ip(7)). Silence tells nothing; the ARP table then may.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import secrets
import socket
import struct
from collections.abc import Callable, Sequence
from enum import Enum

from ayni_core.ber import BerError
from ayni_core.discovery.sweep import RATE, ROUND_S, in_order
from ayni_core.identify import SYS_DESCR, SYS_OBJECT_ID
from ayni_core.snmp import (
    GET,
    MAX_REQUEST_ID,
    MIN_REQUEST_ID,
    RESPONSE,
    V1,
    V2C,
    CommunityEnvelope,
    SnmpDecodeError,
    decode_pdu,
    request_template,
)
from ayni_core.usm import UsmEnvelope
from ayni_core.usm_keys import UsmUser
from ayni_core.usm_message import parse_message
from ayni_io.clock import monotonic_s
from ayni_io.snmp_access import Access

_IP_RECVERR = 11
_ORIGIN_ICMP = 2
_EXTENDED = struct.Struct("=IBBBBII")  # struct sock_extended_err (linux/errqueue.h)
_BURST_S = 0.05
_LARGEST = 2048
_AT_ONCE = 256


class Outcome(Enum):
    """What one address showed."""

    OPEN = "open"
    OTHERS = "others"  # an agent that does not answer this community
    REFUSED = "refused"  # a device without SNMP


class Probing:
    """The socket. `outcomes` by address; `sent` counts datagrams."""

    def __init__(self, access: Access, port: int, *, rate: float = RATE, round_s: float = ROUND_S) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self.sent = 0
        self._port = port
        self._rate = rate
        self._round_s = round_s
        self._asked: set[str] = set()
        self._first_id = MIN_REQUEST_ID + secrets.randbelow((MAX_REQUEST_ID - MIN_REQUEST_ID) // 2)
        self._template = request_template(GET, (SYS_OBJECT_ID, SYS_DESCR))
        self._envelope: CommunityEnvelope | None = None
        if access.version != "3":
            version = V1 if access.version == "1" else V2C
            self._envelope = CommunityEnvelope(version, access.community)
        nobody = UsmEnvelope(
            UsmUser(name=b"ayni"), clock=monotonic_s, first_id=secrets.randbits(30), first_salt=0
        )
        self._engine_call = nobody.seal(self._template, self._first_id)
        self._engine_call_id = parse_message(self._engine_call).msg_id
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._on_readable)

    def close(self) -> None:
        """Give the socket back."""
        self._loop.remove_reader(self._socket)
        self._socket.close()

    async def rounds(
        self,
        hosts: Sequence[str],
        on_sent: Callable[[], None],
        absent: Callable[[Sequence[str]], set[str]],
        *,
        tries: int = 2,
    ) -> None:
        """Ask every address, those that told nothing again; `on_sent` is called for each datagram. After a
        round `absent` tells which of those that told nothing need not be asked again.
        """
        left = in_order(hosts)
        calls: list[Callable[[str], bytes]] = [self._engine_call_to] * tries
        if self._envelope is not None:
            calls = [*[self._community_call] * tries, self._engine_call_to]
        for call in calls:
            await self._round(left, call, on_sent)
            left = [host for host in left if self.outcomes.get(host) is None]
            gone = absent(left)
            left = [host for host in left if host not in gone]

    async def _round(
        self, order: Sequence[str], call: Callable[[str], bytes], on_sent: Callable[[], None]
    ) -> None:
        began = monotonic_s()
        sent = 0
        for host in order:
            self._send(host, call(host))
            sent += 1
            on_sent()
            ahead_s = began + sent / self._rate - monotonic_s()
            if ahead_s > _BURST_S:
                await asyncio.sleep(ahead_s)
        if sent:
            await asyncio.sleep(self._round_s)

    def _community_call(self, host: str) -> bytes:
        assert self._envelope is not None  # noqa: S101  the round before asked that
        return self._envelope.seal(self._template, self._first_id)

    def _engine_call_to(self, _host: str) -> bytes:
        return self._engine_call

    def _send(self, host: str, datagram: bytes) -> None:
        self._asked.add(host)
        for _attempt in range(3):  # an error of an earlier datagram may be told now
            try:
                self._socket.sendto(datagram, (host, self._port))
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in (errno.ENETUNREACH, errno.EACCES, errno.EPERM, errno.EINVAL):
                    return
                self._take_errors()
                continue
            self.sent += 1
            return

    def _on_readable(self) -> None:
        self._take_errors()
        for _datagram in range(_AT_ONCE):
            try:
                data, sender = self._socket.recvfrom(_LARGEST)
            except BlockingIOError:
                return
            except OSError:
                continue  # an error of an earlier datagram; its details came by the error queue
            if sender[0] in self._asked and sender[1] == self._port:
                self._take(sender[0], data)

    def _take(self, host: str, data: bytes) -> None:
        if self._envelope is not None:
            with contextlib.suppress(SnmpDecodeError, BerError):
                pdu = decode_pdu(*self._envelope.open(data))
                if pdu.kind == RESPONSE and pdu.request_id == self._first_id:
                    self.outcomes[host] = Outcome.OPEN
                return
        with contextlib.suppress(SnmpDecodeError, BerError):
            message = parse_message(data)
            if message.msg_id == self._engine_call_id and message.engine:  # ours names none: no echo of it
                found = Outcome.OTHERS if self._envelope is not None else Outcome.OPEN
                self.outcomes.setdefault(host, found)

    def _take_errors(self) -> None:
        for _error in range(_AT_ONCE):
            try:
                _data, ancillary, _flags, target = self._socket.recvmsg(0, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return
            for _level, _kind, octets in ancillary:
                if len(octets) < _EXTENDED.size or not target:
                    continue
                code, origin, *_rest = _EXTENDED.unpack_from(octets)
                if origin == _ORIGIN_ICMP and code == errno.ECONNREFUSED and target[0] in self._asked:
                    self.outcomes.setdefault(target[0], Outcome.REFUSED)
