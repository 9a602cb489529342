"""A site whose every poll can be recognised: devices that count their polls, and write them down.

Each device has a serial number that goes up by one when a poll begins (a GET of sysUpTime and ifNumber
together, which every full poll begins with). It is served as sysUpTime, and all counters are worked out from
it, so what is stored somewhere tells which poll it was, and whether its values belong together. A request
that comes again gets its old answer: a repetition is no second poll.

`polls.log` has a line for each request: what it was, who asked, which device, serial number, when. Who asked
is in the community: it begins with `start-` and the number of the asking program's start. What was asked of a
device that is told to be mute is written in small letters and not answered.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import socket
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ayni_core.ber import encode_oid
from ayni_core.mibview import MibView
from ayni_core.readings import Series
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
    decode_request,
)
from ayni_io import files

_MIB2 = "1.3.6.1.2.1"
_UPTIME, _IF_NUMBER = encode_oid(f"{_MIB2}.1.3.0"), encode_oid(f"{_MIB2}.2.1.0")
_FIRST_TICKS = 1_000_000
INTERFACES = 4
POLL, CHECK, OTHER = "P", "C", "O"
UPTIME = Series("system", "", "uptime_s")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `kind` is POLL (its first request), CHECK (a GET of sysUpTime alone) or OTHER; `muted`: it
    was not answered. `at` is on the wall clock."""

    kind: str
    muted: bool
    start: int
    device: str
    serial: int
    at: float


def read_log(folder: Path) -> list[Asked]:
    """What was asked of the site in this folder so far, in order."""
    path = folder / "polls.log"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    found = []
    for line in lines:
        if line.endswith("\n"):
            kind, start, device, serial, at = line.split()
            found.append(Asked(kind.upper(), kind.islower(), int(start), device, int(serial), float(at)))
    return found


def ports(folder: Path) -> dict[str, int]:
    """The UDP port of each device; empty while they are not there yet."""
    path = folder / "ports.json"
    found: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    return found


def mute(port: int, wanted: bool) -> None:
    """Make a device answer nothing any more, or again."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(5)
        asking.connect(("127.0.0.1", port))
        asking.send(b"mute" if wanted else b"speak")
        asking.recv(10)


def serial_of(uptime_s: float) -> int:
    """The serial number in a reading of UPTIME."""
    return round(uptime_s * 100) - _FIRST_TICKS


def uptime_s(serial: int) -> float:
    """The reading of UPTIME that a poll brings."""
    return (_FIRST_TICKS + serial) / 100


def octets(row: int, serial: int) -> int:
    """What interface `row` of a device has received at its poll `serial`: see `octets_series`."""
    return 10**12 * row + 1_234_567 * serial


def octets_series(row: int) -> Series:
    """The series of that reading."""
    return Series("interface", f"eth{row}", "in_octets")


class _Device:
    """One device: its objects and its serial number."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.serial = 0
        self.muted = False
        self._last: tuple[bytes, int] = b"", -1
        self._answer: bytes | None = None
        objects: dict[bytes, tuple[int, int | bytes | None]] = {
            encode_oid(f"{_MIB2}.1.1.0"): (OCTET_STRING, b"a device that counts its polls"),
            encode_oid(f"{_MIB2}.1.2.0"): (OID, encode_oid("1.3.6.1.4.1.99999.1")),
            _UPTIME: (TIME_TICKS, _FIRST_TICKS),
            encode_oid(f"{_MIB2}.1.5.0"): (OCTET_STRING, name.encode()),
            _IF_NUMBER: (INTEGER, INTERFACES),
        }
        for row in range(1, INTERFACES + 1):
            for column, tag, value in (
                ("2.2.1.3", INTEGER, 6),
                ("2.2.1.7", INTEGER, 1),
                ("2.2.1.8", INTEGER, 1),
                ("2.2.1.14", COUNTER32, 0),
                ("31.1.1.1.1", OCTET_STRING, f"eth{row}".encode()),
                ("31.1.1.1.6", COUNTER64, octets(row, 0)),
                ("31.1.1.1.10", COUNTER64, 0),
                ("31.1.1.1.15", GAUGE32, 1000),
            ):
                objects[encode_oid(f"{_MIB2}.{column}.{row}")] = (tag, value)
        self._view = MibView(objects)
        self._moving = [(encode_oid(f"{_MIB2}.31.1.1.1.6.{row}"), row) for row in range(1, INTERFACES + 1)]

    def answer(self, request: Message) -> tuple[str | None, bytes | None]:
        """(what kind of request, None if it is repeated; what is answered)."""
        name = request.community, request.pdu.request_id
        if name == self._last:
            return None, None if self.muted else self._answer
        self._last = name
        kind = self._kind(request)
        if self.muted:
            self._answer = None
            return kind.lower(), None
        if kind == POLL:
            self.serial += 1
            self._view.set(_UPTIME, _FIRST_TICKS + self.serial)
            for oid, row in self._moving:
                self._view.set(oid, octets(row, self.serial))
        self._answer = self._view.answer(request, 1472)
        return kind, self._answer

    @staticmethod
    def _kind(request: Message) -> str:
        asked = {oid for oid, _tag, _value in request.pdu.varbinds}
        if request.pdu.kind != GET or _UPTIME not in asked:
            return OTHER
        return POLL if _IF_NUMBER in asked else CHECK


def _serve(folder: Path, names: Iterable[str]) -> None:
    log = os.open(folder / "polls.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    selector = selectors.DefaultSelector()
    bound = {}
    for name in names:
        port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        port.bind(("127.0.0.1", 0))
        bound[name] = port.getsockname()[1]
        selector.register(port, selectors.EVENT_READ, _Device(name))
    files.write_text(folder / "ports.json", json.dumps(bound))
    while True:
        for key, _events in selector.select():
            port, device = key.fileobj, key.data
            assert isinstance(port, socket.socket)
            data, peer = port.recvfrom(65535)
            if data in (b"mute", b"speak"):
                device.muted = data == b"mute"
                port.sendto(b"ok", peer)
                continue
            try:
                request = decode_request(data)
            except SnmpDecodeError:
                continue
            kind, answer = device.answer(request)
            if kind is not None:
                start = request.community.rpartition(b"-")[2].decode()
                os.write(log, f"{kind} {start} {device.name} {device.serial} {time.time():.3f}\n".encode())
            if answer is not None:
                port.sendto(answer, peer)


def main() -> int:
    """Answer until ended; `ports.json` in the folder says where."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("devices", nargs="+")
    arguments = parser.parse_args()
    _serve(arguments.folder, arguments.devices)
    return 0


if __name__ == "__main__":
    sys.exit(main())
