"""A stand-in for a device fresh from the factory: it answers neighbour discovery, and SNMP only once opened.

As a program it stands at one address until it is ended: `closed_device.py airos 10.0.0.21 --open FILE`.
While FILE is not there its SNMP port is closed, as that of a device without an agent. Then it answers whom
the file names: a community, or a user and his password (SHA and AES), parted by a blank.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
from pathlib import Path

from ayni_core.discovery import mndp, ubnt
from ayni_core.mibview import MibView
from ayni_core.snmp import SnmpDecodeError, decode_request
from ayni_core.snmprec import parse_snmprec
from ayni_core.usm_agent import UsmAgent
from ayni_core.usm_keys import UsmUser
from ayni_io import clock
from ayni_io.aes import CryptographyAes

_ENGINE = bytes.fromhex("80003a8c04")

_SYSTEM = """\
1.3.6.1.2.1.1.1.0|4|{description}
1.3.6.1.2.1.1.2.0|6|{object_id}
1.3.6.1.2.1.1.3.0|67|8640100
1.3.6.1.2.1.1.5.0|4|{name}
1.3.6.1.2.1.2.1.0|2|1
1.3.6.1.2.1.2.2.1.2.1|4|eth0
1.3.6.1.2.1.2.2.1.6.1|4x|{mac}
1.3.6.1.2.1.2.2.1.8.1|2|1
"""
_KINDS = {
    "routeros": (
        ("RouterOS RBD52G-5HacD2HnD", "1.3.6.1.4.1.14988.1"),
        "1.3.6.1.4.1.14988.1.1.7.9.0|4|hAP ac^2\n1.3.6.1.4.1.14988.1.1.4.4.0|4|7.15.3\n",
    ),
    "airos": (
        ("Linux 4.4.250 #0 SMP Tue Jun 14 2022 mips", "1.3.6.1.4.1.10002.1"),
        "1.2.840.10036.3.1.2.1.2.5|4|Ubiquiti Networks, Inc.\n"
        "1.2.840.10036.3.1.2.1.3.5|4|LiteBeam 5AC Gen2\n"
        "1.2.840.10036.3.1.2.1.4.5|4|WA.ar934x.v8.7.11\n"
        "1.3.6.1.4.1.41112.1.4.1.1.2.1|2|1\n1.3.6.1.4.1.41112.1.4.5.1.5.1|2|-61\n",
    ),
}


class ClosedDevice:
    """One device; `serve` binds its sockets. `asked` keeps the time of each SNMP datagram."""

    def __init__(
        self, kind: str, address: str, name: str, *, opened: Path, ports: tuple[int, int, int]
    ) -> None:
        self.kind, self.address, self.name = kind, address, name
        self.opened = opened
        self.snmp_port, self.mndp_port, self.ubnt_port = ports
        self.mac = (b"\x74\x4d\x28" if kind == "routeros" else b"\x74\x83\xc2") + socket.inet_aton(address)[
            1:
        ]
        self.asked: list[float] = []
        (description, object_id), rest = _KINDS[kind]
        system = _SYSTEM.format(description=description, object_id=object_id, name=name, mac=self.mac.hex())
        self._view = MibView(parse_snmprec(system + rest))
        self._given = ""
        self._usm: UsmAgent | None = None
        self._transports: list[asyncio.DatagramTransport] = []
        self._snmp: asyncio.DatagramTransport | None = None

    async def serve(self) -> None:
        """Answer until cancelled."""
        try:
            if self.kind == "routeros":
                await self._bind(self.mndp_port, self._mndp)
            else:
                await self._bind(self.ubnt_port, self._ubnt)
            while True:
                if self.opened.exists() and self._snmp is None:
                    self._snmp = await self._bind(self.snmp_port, self._answer)
                if not self.opened.exists() and self._snmp is not None:
                    self._snmp.close()
                    self._snmp = None
                await asyncio.sleep(0.05)
        finally:
            for transport in self._transports:
                transport.close()

    async def _bind(self, port: int, answer) -> asyncio.DatagramTransport:  # type: ignore[no-untyped-def]
        loopback = self.address.startswith("127.")
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        bound.bind((self.address if loopback else "", port))  # broadcasts reach only who is bound to all
        transport, _protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Socket(answer), sock=bound
        )
        self._transports.append(transport)
        return transport

    def _mndp(self, data: bytes, sender: tuple[str, int], reply) -> None:  # type: ignore[no-untyped-def]
        if data != mndp.REQUEST:
            return
        answer = mndp.encode(
            mac=self.mac,
            identity=self.name,
            version="7.15.3 (stable)",
            board="RBD52G-5HacD2HnD",
            address=b"" if self.address.startswith("127.") else socket.inet_aton(self.address),
        )
        # RouterOS announces itself to everybody, whoever asked.
        reply(answer, sender if self.address.startswith("127.") else ("255.255.255.255", self.mndp_port))

    def _ubnt(self, data: bytes, sender: tuple[str, int], reply) -> None:  # type: ignore[no-untyped-def]
        if data != ubnt.REQUESTS[0]:
            return
        answer = ubnt.encode(
            mac=self.mac,
            address=socket.inet_aton(self.address),
            name=self.name,
            model="LiteBeam 5AC Gen2",
            short="LBE-5AC-Gen2",
            firmware="WA.ar934x.v8.7.11.46972.220614.0420",
        )
        reply(answer, sender)

    def _answer(self, data: bytes, sender: tuple[str, int], reply) -> None:  # type: ignore[no-untyped-def]
        self.asked.append(clock.monotonic_s())
        given = self.opened.read_text(encoding="utf-8").split() if self.opened.exists() else []
        if " ".join(given) != self._given:
            self._given = " ".join(given)
            self._usm = _usm(given, self.mac) if len(given) == 2 else None
        with contextlib.suppress(SnmpDecodeError):
            if self._usm is not None:
                answer = self._usm.answer(data, self._view.answer)
            else:
                request = decode_request(data)
                answer = self._view.answer(request, 1472) if [request.community.decode()] == given else None
            if answer is not None:
                reply(answer, sender)


def _usm(given: list[str], mac: bytes) -> UsmAgent:
    password = given[1].encode()
    user = UsmUser(
        name=given[0].encode(), auth="SHA", auth_password=password, priv="AES", priv_password=password
    )
    return UsmAgent(_ENGINE + mac, [user], clock=clock.monotonic_s, aes=CryptographyAes)


class _Socket(asyncio.DatagramProtocol):
    def __init__(self, answer) -> None:  # type: ignore[no-untyped-def]
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport) -> None:  # type: ignore[no-untyped-def,override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        self._answer(data, addr, self._transport.sendto)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=_KINDS)
    parser.add_argument("address")
    parser.add_argument("--name", default="device")
    parser.add_argument("--open", type=Path, required=True)
    parser.add_argument("--ports", default="161,5678,10001", help="of SNMP, MNDP and Ubiquiti's discovery")
    given = parser.parse_args()
    snmp_port, mndp_port, ubnt_port = map(int, given.ports.split(","))
    ports = (snmp_port, mndp_port, ubnt_port)
    device = ClosedDevice(given.kind, given.address, given.name, opened=given.open, ports=ports)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(device.serve())


if __name__ == "__main__":
    main()
