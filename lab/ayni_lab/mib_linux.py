"""A machine as net-snmp on Linux shows it: interfaces, host resources, UCD-SNMP-MIB."""

from __future__ import annotations

from ayni_lab.machine import Machine
from ayni_lab.mib import (
    Objects,
    counter32,
    integer,
    oid,
    put_interfaces,
    put_processor,
    put_storage,
    put_system,
    text,
    ticks,
)

_UCD = "1.3.6.1.4.1.2021"


def objects(machine: Machine, now: float) -> Objects:
    """Everything this machine answers."""
    result: Objects = {}
    description = f"Linux {machine.name} {machine.version} #1 SMP Debian aarch64"
    put_system(result, machine, now, description=description, object_id="1.3.6.1.4.1.8072.3.2.10")
    put_interfaces(result, machine)
    total, used = machine.memory_total_bytes, machine.memory_used_bytes
    result[oid("1.3.6.1.2.1.25.1.1", 0)] = ticks(now - machine.booted_at)
    for core in range(196608, 196612):
        put_processor(result, core, machine.cpu_pct)
    put_storage(result, 1, name="Physical memory", unit=1024, total_bytes=total, used_bytes=used)
    put_storage(result, 6, name="Memory buffers", unit=1024, total_bytes=total, used_bytes=total // 50)
    put_storage(result, 7, name="Cached memory", unit=1024, total_bytes=total // 8, used_bytes=total // 8)
    disk = 28 * 2**30
    put_storage(result, 31, name="/", unit=4096, total_bytes=disk, used_bytes=disk // 3, flash=True)
    load = machine.cpu_pct / 25
    for index, minutes in enumerate((1, 5, 15), 1):
        result[oid(_UCD, 10, 1, 1, index)] = integer(index)
        result[oid(_UCD, 10, 1, 2, index)] = text(f"Load-{minutes}")
        result[oid(_UCD, 10, 1, 3, index)] = text(f"{load:.2f}")
        result[oid(_UCD, 10, 1, 5, index)] = integer(load * 100)
    result[oid(_UCD, 4, 5, 0)] = integer(total / 1024)
    result[oid(_UCD, 4, 6, 0)] = integer((total - used) / 1024)
    result[oid(_UCD, 4, 14, 0)] = integer(total / 50 / 1024)
    result[oid(_UCD, 4, 15, 0)] = integer(total / 8 / 1024)
    result[oid(_UCD, 11, 9, 0)] = integer(machine.cpu_pct * 0.7)
    result[oid(_UCD, 11, 10, 0)] = integer(machine.cpu_pct * 0.3)
    result[oid(_UCD, 11, 11, 0)] = integer(100 - machine.cpu_pct)
    uptime = max(now - machine.booted_at, 0.0)
    result[oid(_UCD, 11, 50, 0)] = counter32(uptime * machine.cpu_pct)
    result[oid(_UCD, 11, 53, 0)] = counter32(uptime * (400 - machine.cpu_pct))
    return result
