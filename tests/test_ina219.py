"""INA219: registers as voltage and current, and an eye on a simulated I2C bus."""

from __future__ import annotations

import asyncio
import errno
import threading

import pytest

from ayni_agent import eyes
from ayni_agent.eyes import EyeError
from ayni_agent.eyes.ina219 import Ina219Eye
from ayni_core import sources
from ayni_core.power import ina219
from ayni_core.readings import Series
from ayni_core.schema import Faults, Fields
from ayni_core.sources.ina219 import Ina219


def source(**keys: object) -> Ina219:
    faults = Faults("agent.yaml")
    found = sources.read(Fields({"kind": "ina219"} | keys, "source", faults))
    faults.stop()
    assert isinstance(found, Ina219)
    return found


class Chip:
    """A bus with one chip on it, as `smbus2.SMBus` behaves."""

    def __init__(self, voltage_v: float = 12.8, shunt_mv: float = -25.0, address: int = 0x40) -> None:
        self.registers = {
            0: 0x399F,
            1: round(shunt_mv * 100) & 0xFFFF,
            2: (round(voltage_v / 0.004) << 3) | 0b10,
        }
        self.address = address
        self.error: OSError | None = None
        self.hangs: threading.Event | None = None
        self.open = 0

    def __call__(self, _number: int) -> Chip:
        self.open += 1
        return self

    def _meet(self, address: int) -> None:
        if self.hangs is not None:
            self.hangs.wait(10)
        if self.error is not None:
            raise self.error
        if address != self.address:
            raise OSError(errno.EREMOTEIO, "Remote I/O error")

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]:
        self._meet(i2c_addr)
        return list(self.registers[register].to_bytes(length, "big"))

    def write_i2c_block_data(self, i2c_addr: int, register: int, data: list[int]) -> None:
        self._meet(i2c_addr)
        self.registers[register] = int.from_bytes(bytes(data), "big")

    def close(self) -> None:
        self.open -= 1


def test_voltage_current_and_power_follow_from_two_registers() -> None:
    found = ina219.readings("battery", 0.01, 0x10000 - 2500, round(12.8 / 0.004) << 3)
    assert found == {
        Series("power", "battery", "voltage_v"): 12.8,
        Series("power", "battery", "current_a"): -2.5,
        Series("power", "battery", "power_w"): -32.0,
    }
    over = ina219.readings("load", 0.1, 32000, 0xFFFF)
    assert over[Series("power", "load", "current_a")] is None


def test_a_chip_is_set_up_once_and_read() -> None:
    async def work() -> None:
        chip = Chip()
        eye = Ina219Eye(source(shunt_ohm=0.01, item="panel"), chip)
        found = await eye.read()
        assert found[Series("power", "panel", "voltage_v")] == 12.8
        assert found[Series("power", "panel", "current_a")] == -2.5
        assert chip.registers[0] == ina219.SETTING
        assert await eye.read() == found
        assert chip.open == 0

    asyncio.run(work())


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOENT, "x"), "/dev/i2c-1: no such bus; switch I2C on"),
        (OSError(errno.EACCES, "x"), "add its user to the group i2c"),
        (OSError(errno.EREMOTEIO, "x"), "/dev/i2c-1 0x40: no chip answers"),
        (OSError(errno.ETIMEDOUT, "x"), "the I2C bus hangs"),
        (OSError(errno.EBUSY, "busy"), "cannot be read: "),
    ],
)
def test_what_is_wrong_with_a_bus_is_told(error: OSError, told: str) -> None:
    async def work() -> None:
        chip = Chip()
        chip.error = error
        with pytest.raises(EyeError) as caught:
            await Ina219Eye(source(), chip).read()
        assert told in str(caught.value)

    asyncio.run(work())


def test_a_bus_that_hangs_holds_up_nobody_and_is_asked_again_when_it_is_back() -> None:
    async def work() -> None:
        chip = Chip()
        chip.hangs = threading.Event()
        eye = Ina219Eye(source(), chip)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await eye.read()
        with pytest.raises(EyeError, match="the I2C bus hangs"):
            await eye.read()
        chip.hangs.set()
        while True:
            try:
                assert (await eye.read())[Series("power", "battery", "voltage_v")] == 12.8
                return
            except EyeError:
                await asyncio.sleep(0.01)

    asyncio.run(work())


def test_the_section_is_read_strictly() -> None:
    assert source(address="0x41", bus=0).where == "/dev/i2c-0 0x41"
    faults = Faults("agent.yaml")
    sources.read(Fields({"kind": "ina219", "address": "0x90", "shunt": 1}, "source", faults))
    assert len(faults.found) == 2
    assert "must be 0x40 to 0x4f" in faults.found[0]
    found = source()
    eye = eyes.open_eye(eyes.prepare(found, "x"))
    eye.close()
