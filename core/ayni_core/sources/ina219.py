"""`kind: ina219`: a chip on the I2C bus of the Pi that measures one voltage and one current."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ayni_core.schema import Fields

_FIRST, _LAST = 0x40, 0x4F
"""Addresses that the two pins A0 and A1 choose from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ina219:
    """`shunt_ohm` is the resistor that the current goes through; `item` says what is measured."""

    KIND: ClassVar[str] = "ina219"
    bus: int
    address: int
    shunt_ohm: float
    item: str

    @property
    def where(self) -> str:
        """The bus and the address on it."""
        return f"/dev/i2c-{self.bus} 0x{self.address:02x}"

    @property
    def secrets(self) -> Mapping[str, str]:
        """None."""
        return {}

    @classmethod
    def read(cls, fields: Fields) -> Ina219:
        """The section; the address may be written as 0x40."""
        given = fields.raw("address", _FIRST)
        try:
            address = int(str(given), 0)
        except ValueError:
            address = 0
        if not _FIRST <= address <= _LAST:
            least, most = f"0x{_FIRST:02x}", f"0x{_LAST:02x}"
            fields.fault("address", "fault.between", least=least, most=most, got=f"{given}")
        return cls(
            bus=fields.number("bus", 1, at_least=0, at_most=64, whole=True),
            address=address,
            shunt_ohm=fields.number("shunt_ohm", 0.1, at_least=0.00001, at_most=100),
            item=fields.text("item", "battery"),
        )
