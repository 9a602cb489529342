"""A machine as a source of SNMP objects: refreshed when somebody asks, at most once a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ayni_core.mibview import MibView
from ayni_lab import mib_airos, mib_linux, mib_routeros
from ayni_lab.machine import Machine
from ayni_lab.mib import Objects

_AGE_S = 1.0
_FAMILIES: Mapping[str, Callable[[Machine, float], Objects]] = {
    "routeros": mib_routeros.objects,
    "airos": mib_airos.objects,
    "linux": mib_linux.objects,
}


class MachineView:
    """The objects of one machine. `clock` is the world's: seconds since 1970."""

    def __init__(self, machine: Machine, clock: Callable[[], float]) -> None:
        self._machine = machine
        self._clock = clock
        self._objects: Objects = {}
        self._view = MibView({})
        self._read_at: float | None = None

    def view(self) -> MibView | None:
        """The objects now, or None while the machine is off."""
        if not self._machine.on:
            self._read_at = None
            return None
        now = self._clock()
        if self._read_at is None or not 0 <= now - self._read_at < _AGE_S:
            self._refresh(now)
        return self._view

    def _refresh(self, now: float) -> None:
        fresh = _FAMILIES[self._machine.family](self._machine, now)
        for oid in self._objects.keys() - fresh.keys():
            self._view.remove(oid)
        for oid, (tag, value) in fresh.items():
            if self._objects.get(oid) != (tag, value):
                self._view.put(oid, tag, value)
        self._objects, self._read_at = fresh, now
