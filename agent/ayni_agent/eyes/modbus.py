"""A device with registers: asked in few questions by the map of its family.

A register that the device does not have is told once and left out from then on; what remains is read.
"""

from __future__ import annotations

import logging

from ayni_agent.eyes import EyeError, Sight
from ayni_agent.eyes.modbus_bus import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    Bus,
    Line,
    ModbusRefusalError,
)
from ayni_core.power.registers import MAX_GAP, Point, RegisterMap, Request, requests, values
from ayni_core.readings import Series, Value
from ayni_core.sources import Source
from ayni_core.sources.modbus import Modbus
from ayni_io import source_maps
from ayni_io.i18n import _

log = logging.getLogger("agent")
_ABSENT = (ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE)


class ModbusEye:
    """See `ayni_agent.eyes.Eye`."""

    def __init__(self, source: Modbus, registers: RegisterMap) -> None:
        self._source = source
        self._map = registers
        self.states = {point.series: point.states for point in registers.points if point.states}
        self._requests = requests(registers.points)
        self._absent: set[Series] = set()
        self._gaps = MAX_GAP
        self._stumbled = False
        self._bus: Bus | None = None

    async def read(self) -> dict[Series, Value]:
        """Every register that is there."""
        if self._bus is None:
            self._bus = Bus.take(_line(self._source, self._map))
        found: dict[Series, Value] = {}
        absent: list[Point] = []
        async with self._bus.turn():
            for request in self._requests:
                found |= await self._ask(self._bus, request, absent)
        if absent:
            self._leave_out(absent, anything=bool(found))
        if absent or self._stumbled:
            there = (point for point in self._map.points if point.series not in self._absent)
            self._requests, self._stumbled = requests(there, self._gaps), False
        if self._map.model:
            found.setdefault(Series("system", "", "model"), self._map.model)
        return found

    async def _ask(self, bus: Bus, request: Request, absent: list[Point]) -> dict[Series, Value]:
        try:
            return values(request, await bus.ask(self._source.unit, request))
        except ModbusRefusalError as refusal:
            if refusal.code not in _ABSENT:
                raise EyeError(
                    _(
                        "{where}: the device refuses {register}: {cause} (exception {code})",
                        where=self._source.where, register=request.points[0].name, cause=refusal,
                        code=refusal.code,
                    )
                ) from None  # fmt: skip
        if len(request.points) == 1:
            absent.append(request.points[0])
            return {}
        found: dict[Series, Value] = {}
        parts = requests(request.points, max_gap=0)
        if len(parts) > 1:  # what lies between is not there, and some refuse all for it
            self._gaps, self._stumbled = 0, True
        else:
            parts = [each for point in request.points for each in requests([point])]
        for part in parts:
            found |= await self._ask(bus, part, absent)
        return found

    def _leave_out(self, absent: list[Point], *, anything: bool) -> None:
        names = ", ".join(point.name for point in absent[:6]) + (" …" if len(absent) > 6 else "")
        if not anything:
            raise EyeError(
                _(
                    "{where}: the device has none of these registers: {registers}; is the map {map} right?",
                    where=self._source.where, registers=names, map=self._map.name,
                )
            )  # fmt: skip
        log.warning("registers left out source=%s registers=%s", self._source.where, names)
        self._absent |= {point.series for point in absent}

    def close(self) -> None:
        """Leave the line to the others on it."""
        if self._bus is not None:
            self._bus.give_back()
            self._bus = None


def check(source: Source, where: str) -> None:
    """See `ayni_agent.eyes.prepare`: the map must be there, and right."""
    assert isinstance(source, Modbus)  # noqa: S101  the registry says so
    source_maps.modbus_map(source.map, f"{where}.map")


def open_eye(sight: Sight) -> ModbusEye:
    """See `ayni_agent.eyes`."""
    source = sight.source
    assert isinstance(source, Modbus)  # noqa: S101  the registry says so
    return ModbusEye(source, source_maps.modbus_map(source.map, "source.map"))


def _line(source: Modbus, registers: RegisterMap) -> Line:
    if source.host:
        return Line(host=source.host, tcp_port=source.tcp_port, framing=source.framing)
    return Line(
        port=source.port,
        baud=source.baud or registers.baud,
        parity=source.parity or registers.parity,
        stop_bits=source.stop_bits or registers.stop_bits,
    )
