"""A router with 13 scalars and 24 interfaces x 13 columns as a UDP responder in a process of its own.

It answers v2c to anybody and v3 to `user()`. Its counters move between polls, and every value can be worked
out from sysUpTime, so a client can check what it read. A datagram that says `stats` is answered with JSON:
how often sysUpTime was asked for (= polls), requests and octets.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator

from ayni_core.ber import encode_oid
from ayni_core.mibview import MibView
from ayni_core.snmp import (
    COUNTER32,
    COUNTER64,
    GAUGE32,
    GET,
    INTEGER,
    OCTET_STRING,
    OID,
    TIME_TICKS,
    Message,
    SnmpDecodeError,
    VarBind,
    decode_request,
)
from ayni_core.usm_agent import UsmAgent
from ayni_core.usm_keys import UsmUser

INTERFACES = 24
_MIB2, _UCD = "1.3.6.1.2.1", "1.3.6.1.4.1.2021"
SCALARS = {
    "sysDescr": f"{_MIB2}.1.1.0",
    "sysUpTime": f"{_MIB2}.1.3.0",
    "sysName": f"{_MIB2}.1.5.0",
    "sysLocation": f"{_MIB2}.1.6.0",
    "ifNumber": f"{_MIB2}.2.1.0",
    "laLoadInt1": f"{_UCD}.10.1.5.1",
    "laLoadInt5": f"{_UCD}.10.1.5.2",
    "laLoadInt15": f"{_UCD}.10.1.5.3",
    "memTotalReal": f"{_UCD}.4.5.0",
    "memAvailReal": f"{_UCD}.4.6.0",
    "memTotalFree": f"{_UCD}.4.11.0",
    "memBuffer": f"{_UCD}.4.14.0",
    "memCached": f"{_UCD}.4.15.0",
}
COLUMNS = {
    "ifName": f"{_MIB2}.31.1.1.1.1",
    "ifAlias": f"{_MIB2}.31.1.1.1.18",
    "ifHighSpeed": f"{_MIB2}.31.1.1.1.15",
    "ifAdminStatus": f"{_MIB2}.2.2.1.7",
    "ifOperStatus": f"{_MIB2}.2.2.1.8",
    "ifHCInOctets": f"{_MIB2}.31.1.1.1.6",
    "ifHCOutOctets": f"{_MIB2}.31.1.1.1.10",
    "ifHCInUcastPkts": f"{_MIB2}.31.1.1.1.7",
    "ifHCOutUcastPkts": f"{_MIB2}.31.1.1.1.11",
    "ifInDiscards": f"{_MIB2}.2.2.1.13",
    "ifInErrors": f"{_MIB2}.2.2.1.14",
    "ifOutDiscards": f"{_MIB2}.2.2.1.19",
    "ifOutErrors": f"{_MIB2}.2.2.1.20",
}
TEXTS = frozenset(("sysDescr", "sysName", "sysLocation", "ifName", "ifAlias"))
COUNTERS = {
    "ifHCInOctets": 1_400_000,
    "ifHCOutOctets": 90_000,
    "ifHCInUcastPkts": 1000,
    "ifHCOutUcastPkts": 700,
}
_UPTIME = encode_oid(SCALARS["sysUpTime"])
_FIRST_TICKS = 30_000_000
_LINUX = "1.3.6.1.4.1.8072.3.2.10"
"""sysObjectID of net-snmp on Linux: it says which profile our agent reads the device by."""
# They stand between and behind those asked for: walking too far costs what it does in the field.
_OTHER_COLUMNS = (
    "2.2.1.9",
    "2.2.1.15",
    "2.2.1.21",
    "31.1.1.1.2",
    "31.1.1.1.8",
    "31.1.1.1.12",
    "31.1.1.1.16",
    "31.1.1.1.19",
)


def user() -> UsmUser:
    """Who may ask in SNMPv3: authPriv, SHA and AES."""
    return UsmUser(
        name=b"monitor", auth="SHA", auth_password=b"mango-tree", priv="AES", priv_password=b"under-it-all"
    )


def counter(name: str, row: int, ticks: int) -> int:
    """The value of a moving counter when sysUpTime says `ticks`."""
    return 5 * 10**10 * row + COUNTERS[name] * (ticks - _FIRST_TICKS)


def _objects() -> MibView:
    objects: dict[bytes, tuple[int, int | bytes | None]] = {}
    for name, oid in SCALARS.items():
        text = (OCTET_STRING, f"{name} of the school's router".encode())
        objects[encode_oid(oid)] = text if name in TEXTS else (INTEGER, 128_000)
    objects[_UPTIME] = (TIME_TICKS, _FIRST_TICKS)
    objects[encode_oid(f"{_MIB2}.1.2.0")] = (OID, encode_oid(_LINUX))
    objects[encode_oid(SCALARS["ifNumber"])] = (INTEGER, INTERFACES)
    for row in range(1, INTERFACES + 1):
        for name, oid in COLUMNS.items():
            value: tuple[int, int | bytes | None] = (COUNTER32, row)
            if name in TEXTS:
                value = (OCTET_STRING, f"{'eth' if name == 'ifName' else 'to house '}{row}".encode())
            elif name == "ifHighSpeed":
                value = (GAUGE32, 1000)
            elif name.endswith("Status"):
                value = (INTEGER, 1)
            elif name in COUNTERS:
                value = (COUNTER64, counter(name, row, _FIRST_TICKS))
            objects[encode_oid(f"{oid}.{row}")] = value
        for other in _OTHER_COLUMNS:
            objects[encode_oid(f"{_MIB2}.{other}.{row}")] = (INTEGER, 2)
    return MibView(objects)


def check(scalars: Iterable[VarBind], table: Iterable[VarBind]) -> None:
    """AssertionError unless this is one whole poll with the right values."""
    values = {name: value for name, _, value in (*scalars, *table)}
    assert len(values) == len(SCALARS) + len(COLUMNS) * INTERFACES, len(values)
    ticks = values[_UPTIME]
    assert isinstance(ticks, int)
    for row in range(1, INTERFACES + 1):
        assert values[encode_oid(f"{COLUMNS['ifName']}.{row}")] == f"eth{row}".encode()
        for name in COUNTERS:
            assert values[encode_oid(f"{COLUMNS[name]}.{row}")] == counter(name, row, ticks)


def _agent() -> UsmAgent | None:
    """The v3 side, where there is a cipher for it."""
    try:
        from ayni_io.aes import CryptographyAes
    except ImportError:
        return None
    engine = bytes.fromhex("8000000004") + b"bench"
    return UsmAgent(engine, [user()], clock=time.monotonic, aes=CryptographyAes)


def _serve() -> None:
    view = _objects()
    moving = [
        (encode_oid(f"{COLUMNS[name]}.{row}"), name, row)
        for name in COUNTERS
        for row in range(1, INTERFACES + 1)
    ]
    ticks = _FIRST_TICKS
    agent = _agent()
    stats = {"polls": 0, "requests": 0, "octets_in": 0, "octets_out": 0}

    def respond(request: Message) -> bytes | None:
        nonlocal ticks
        if request.pdu.kind == GET and any(name == _UPTIME for name, _, _ in request.pdu.varbinds):
            stats["polls"] += 1
            ticks += 1
            view.set(_UPTIME, ticks)
            for oid, name, row in moving:
                view.set(oid, counter(name, row, ticks))
        return view.answer(request, 1472)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        port.bind(("127.0.0.1", 0))
        print(port.getsockname()[1], flush=True)
        while True:
            data, peer = port.recvfrom(65535)
            if data == b"stats":
                port.sendto(json.dumps(stats).encode(), peer)
                continue
            try:
                if agent is not None and data.startswith(
                    b"\x02\x01\x03", 2 + (data[1] & 0x7F) * (data[1] >> 7)
                ):
                    answer = agent.answer(data, respond) or b""
                else:
                    answer = respond(decode_request(data)) or b""
            except SnmpDecodeError:
                continue
            port.sendto(answer, peer)
            stats["requests"] += 1
            stats["octets_in"] += len(data)
            stats["octets_out"] += len(answer)


class Device:
    """A running responder, seen from outside."""

    def __init__(self, port: int) -> None:
        self.port = port

    def stats(self) -> dict[str, int]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(5)
            asking.connect(("127.0.0.1", self.port))
            asking.send(b"stats")
            found: dict[str, int] = json.loads(asking.recv(1000))
            return found


@contextlib.contextmanager
def device() -> Iterator[Device]:
    """A responder in a process of its own."""
    process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Device(int(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


if __name__ == "__main__":
    _serve()
