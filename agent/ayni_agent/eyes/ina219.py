"""An INA219 on the I2C bus. The kernel's driver blocks while a bus hangs, so it is asked in a thread.

Only this file knows smbus2.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any, Protocol

from ayni_agent.eyes import EyeError, Sight
from ayni_core.power import ina219
from ayni_core.readings import Series, Value
from ayni_core.sources.ina219 import Ina219
from ayni_io.aside import Aside, BusyError
from ayni_io.i18n import _


class I2cBus(Protocol):
    """What is needed of `smbus2.SMBus`."""

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]:
        """Octets of a register."""
        ...

    def write_i2c_block_data(self, i2c_addr: int, register: int, data: list[int]) -> None:
        """Put octets into a register."""
        ...

    def close(self) -> None:
        """Give the bus back."""
        ...


class Ina219Eye:
    """See `ayni_agent.eyes.Eye`; `open_bus` opens the bus of a number."""

    def __init__(self, source: Ina219, open_bus: Callable[[int], I2cBus]) -> None:
        self._source = source
        self._open_bus = open_bus
        self._aside = Aside("ina219")

    async def read(self) -> dict[Series, Value]:
        """One measurement."""
        try:
            return await self._aside.run(self._measure)
        except BusyError:
            raise EyeError(_("{where}: the I2C bus hangs", where=self._source.where)) from None
        except (OSError, ValueError) as error:
            raise EyeError(self._why(error)) from None

    def _measure(self) -> dict[Series, Value]:
        bus = self._open_bus(self._source.bus)
        try:
            address = self._source.address
            setting = ina219.word(bus.read_i2c_block_data(address, ina219.CONFIG, 2))
            if setting != ina219.SETTING:  # it lost its power, or is new
                bus.write_i2c_block_data(address, ina219.CONFIG, list(ina219.SETTING.to_bytes(2, "big")))
            shunt = ina219.word(bus.read_i2c_block_data(address, ina219.SHUNT, 2))
            voltage = ina219.word(bus.read_i2c_block_data(address, ina219.BUS, 2))
            return ina219.readings(self._source.item, self._source.shunt_ohm, shunt, voltage)
        finally:
            bus.close()

    def _why(self, error: Exception) -> str:
        where, path = self._source.where, f"/dev/i2c-{self._source.bus}"
        match getattr(error, "errno", None):
            case errno.ENOENT | errno.ENODEV:
                return _(
                    "{path}: no such bus; switch I2C on with raspi-config, or dtparam=i2c_arm=on", path=path
                )
            case errno.EACCES | errno.EPERM:
                return _("{path}: this program may not open it; add its user to the group i2c", path=path)
            case errno.EREMOTEIO | errno.ENXIO | errno.EIO:
                return _("{where}: no chip answers at this address; i2cdetect shows which do", where=where)
            case errno.ETIMEDOUT:
                return _("{where}: the I2C bus hangs", where=where)
        return _("{where}: cannot be read: {cause}", where=where, cause=error)

    def close(self) -> None:
        """Nothing is held between two reads."""


def open_eye(sight: Sight) -> Ina219Eye:
    """See `ayni_agent.eyes`."""
    assert isinstance(sight.source, Ina219)  # noqa: S101  the registry says so
    return Ina219Eye(sight.source, _open_bus)


def _open_bus(number: int) -> Any:
    from smbus2 import SMBus

    return SMBus(number)
