"""`kind: ve-direct`: a Victron charger, battery monitor or inverter at a serial port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ayni_core.schema import Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class VeDirect:
    """`port` is the file of the serial line, best one below /dev/serial/by-id that no other adapter takes."""

    KIND: ClassVar[str] = "ve-direct"
    port: str

    @property
    def where(self) -> str:
        """The port."""
        return self.port

    @property
    def secrets(self) -> Mapping[str, str]:
        """None."""
        return {}

    @classmethod
    def read(cls, fields: Fields) -> VeDirect:
        """The key `port`."""
        return cls(port=serial_port(fields))


def serial_port(fields: Fields, key: str = "port") -> str:
    """The file of a serial line, as a whole path."""
    port: str = fields.text(key)
    if port and not port.startswith("/"):
        fields.fault(key, "fault.whole_path", given=port, example="/dev/serial/by-id/…")
    return port
