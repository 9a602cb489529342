"""`kind: modbus`: a charger or inverter that speaks Modbus, at a serial line or over the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ayni_core.power.registers import PARITIES, baud_at
from ayni_core.schema import Fields
from ayni_core.sources.address import host_and_port
from ayni_core.sources.vedirect import serial_port

FRAMINGS = ("tcp", "rtu")
"""Of what travels over the network: Modbus TCP, which is the default, or what a bare serial adapter sends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Modbus:
    """`map` names a file modbus-MAP.yaml; `unit` is the device's number on its line. Either `port` is given,
    or `host`. What stays None is what the map says.
    """

    KIND: ClassVar[str] = "modbus"
    map: str
    unit: int
    port: str = ""
    host: str = ""
    tcp_port: int = 502
    framing: str = FRAMINGS[0]
    baud: int | None = None
    parity: str | None = None
    stop_bits: int | None = None

    @property
    def where(self) -> str:
        """The line and the unit."""
        return f"{self.port or f'{self.host}:{self.tcp_port}'} unit {self.unit}"

    @property
    def secrets(self) -> Mapping[str, str]:
        """None: Modbus has no passwords."""
        return {}

    @classmethod
    def read(cls, fields: Fields) -> Modbus:
        """The section; a serial line has a speed, a network address has none."""
        name = fields.name("map")
        unit = fields.number("unit", 1, at_least=0, at_most=255, whole=True)
        if "address" in fields:
            host, tcp_port = host_and_port(fields, "address", 502)
            for key in ("port", "baud", "parity", "stop_bits"):
                if fields.raw(key) is not None:
                    fields.fault(key, "fault.serial")
            framing = fields.choice("framing", FRAMINGS, FRAMINGS[0])
            return cls(map=name, unit=unit, host=host, tcp_port=tcp_port, framing=framing)
        return cls(
            map=name,
            unit=unit,
            port=serial_port(fields),
            baud=baud_at(fields, None),
            parity=fields.choice("parity", PARITIES, None),
            stop_bits=fields.number("stop_bits", None, at_least=1, at_most=2, whole=True),
        )
