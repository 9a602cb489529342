"""What the registers of an INA219 mean (Texas Instruments SBOS448G). Most significant octet first."""

from __future__ import annotations

from ayni_core.readings import Series, Value

CONFIG, SHUNT, BUS = 0x00, 0x01, 0x02
"""Numbers of registers."""
SETTING = 0x3FFF
"""32 V, 320 mV across the shunt, means of 128 samples (68 ms each), without end."""
_OVERFLOW = 0x0001


def word(octets: bytes | list[int]) -> int:
    """A register as a number from 0 to 65535. Raises `ValueError` for anything but two octets."""
    if len(octets) != 2:
        raise ValueError("a register has two octets")
    return int.from_bytes(bytes(octets), "big")


def readings(item: str, shunt_ohm: float, shunt: int, bus: int) -> dict[Series, Value]:
    """Voltage, current and power. Without a current where the chip says that it overflowed.

    A step of the shunt's register is 10 µV, signed; one of the bus' upper 13 bits 4 mV.
    """
    voltage = (bus >> 3) * 0.004
    signed = shunt - 0x10000 if shunt & 0x8000 else shunt
    current = None if bus & _OVERFLOW or abs(signed) >= 32000 else signed * 1e-5 / shunt_ohm
    return {
        Series("power", item, "voltage_v"): round(voltage, 3),
        Series("power", item, "current_a"): None if current is None else round(current, 4),
        Series("power", item, "power_w"): None if current is None else round(voltage * current, 3),
    }
