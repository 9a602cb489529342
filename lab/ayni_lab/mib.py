"""Objects of a MIB by OID, and what every family shows: the system group, interfaces, host resources.

Sources: RFC 3418 (system), RFC 2863 (IF-MIB), RFC 2790 (HOST-RESOURCES-MIB).
"""

from __future__ import annotations

from functools import lru_cache

from ayni_core.ber import encode_oid
from ayni_core.mibview import Value
from ayni_core.snmp import (
    COUNTER32,
    COUNTER64,
    GAUGE32,
    INTEGER,
    OCTET_STRING,
    OID,
    TIME_TICKS,
)
from ayni_lab.machine import Machine, Port

Objects = dict[bytes, tuple[int, Value]]

_IF_TYPES = {"ether": 6, "radio": 71, "bridge": 209, "loopback": 24}  # IANAifType
_IF, _IFX, _HR = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1", "1.3.6.1.2.1.25"
_RAM, _FLASH = encode_oid("1.3.6.1.2.1.25.2.1.2"), encode_oid("1.3.6.1.2.1.25.2.1.9")


@lru_cache(maxsize=16_384)
def oid(column: str, *index: int) -> bytes:
    """The body of a column's OID with an index behind it."""
    return encode_oid((*map(int, column.split(".")), *index))


def integer(value: float) -> tuple[int, Value]:
    """A signed number."""
    return INTEGER, round(value)


def gauge(value: float) -> tuple[int, Value]:
    """A number that goes up and down."""
    return GAUGE32, min(max(round(value), 0), 2**32 - 1)


def counter32(value: float) -> tuple[int, Value]:
    """A number that only grows, and wraps at 2**32."""
    return COUNTER32, int(value) % 2**32


def counter64(value: float) -> tuple[int, Value]:
    """A number that only grows."""
    return COUNTER64, int(value) % 2**64


def text(value: str) -> tuple[int, Value]:
    """A text."""
    return OCTET_STRING, value.encode("utf-8")


def octets(value: bytes) -> tuple[int, Value]:
    """Octets as they are, such as a MAC."""
    return OCTET_STRING, value


def ticks(seconds: float) -> tuple[int, Value]:
    """A time in hundredths of a second."""
    return TIME_TICKS, int(max(seconds, 0) * 100) % 2**32


def put_system(objects: Objects, machine: Machine, now: float, *, description: str, object_id: str) -> None:
    """The system group."""
    base = "1.3.6.1.2.1.1"
    objects[oid(base, 1, 0)] = text(description)
    objects[oid(base, 2, 0)] = (OID, encode_oid(object_id))
    objects[oid(base, 3, 0)] = ticks(now - machine.booted_at)
    objects[oid(base, 4, 0)] = text("ayni")
    objects[oid(base, 5, 0)] = text(machine.name)
    objects[oid(base, 6, 0)] = text(machine.title)
    objects[oid(base, 7, 0)] = integer(78)


def put_interfaces(objects: Objects, machine: Machine) -> None:
    """ifTable and ifXTable."""
    objects[oid("1.3.6.1.2.1.2.1", 0)] = integer(len(machine.ports))
    for port in machine.ports.values():
        _put_interface(objects, port, machine.booted_at)


def _put_interface(objects: Objects, port: Port, booted_at: float) -> None:
    cells = {
        1: integer(port.index),
        2: text(port.name),
        3: integer(_IF_TYPES[port.kind]),
        4: integer(1500),
        5: gauge(port.speed_bps),
        6: octets(port.mac if port.kind != "loopback" else b""),
        7: integer(1),
        8: integer(1 if port.up else 2),
        9: ticks(port.changed_at - booted_at),
        10: counter32(port.in_octets),
        11: counter32(port.in_octets / 900),
        13: counter32(0),
        14: counter32(port.in_errors),
        16: counter32(port.out_octets),
        17: counter32(port.out_octets / 900),
        19: counter32(0),
        20: counter32(0),
    }
    for column, cell in cells.items():
        objects[oid(_IF, column, port.index)] = cell
    more = {
        1: text(port.name),
        6: counter64(port.in_octets),
        7: counter64(port.in_octets / 900),
        10: counter64(port.out_octets),
        11: counter64(port.out_octets / 900),
        15: gauge(port.speed_bps / 1_000_000),
        17: integer(1 if port.up else 2),
        18: text(""),
    }
    for column, cell in more.items():
        objects[oid(_IFX, column, port.index)] = cell


def put_storage(
    objects: Objects,
    index: int,
    *,
    name: str,
    unit: int,
    total_bytes: int,
    used_bytes: int,
    flash: bool = False,
) -> None:
    """One row of hrStorageTable."""
    cells = {
        1: integer(index),
        2: (OID, _FLASH if flash else _RAM),
        3: text(name),
        4: integer(unit),
        5: integer(total_bytes / unit),
        6: integer(used_bytes / unit),
    }
    for column, cell in cells.items():
        objects[oid(_HR, 2, 3, 1, column, index)] = cell


def put_processor(objects: Objects, index: int, cpu_pct: float) -> None:
    """One row of hrProcessorTable."""
    objects[oid(_HR, 3, 3, 1, 1, index)] = (OID, encode_oid("0.0"))
    objects[oid(_HR, 3, 3, 1, 2, index)] = integer(cpu_pct)
