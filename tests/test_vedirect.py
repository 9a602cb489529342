"""VE.Direct: blocks out of octets cut anywhere, and a simulated charger behind a pseudo terminal."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import random
import tty
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from ayni_agent import eyes
from ayni_agent.eyes import EyeError, serial_port
from ayni_agent.eyes import vedirect as eye_module
from ayni_agent.eyes.vedirect import VeDirectEye
from ayni_core import sources
from ayni_core.power.vedirect import Blocks
from ayni_core.power.vedirect_readings import readings
from ayni_core.readings import Series, Value
from ayni_core.schema import Faults, Fields

MPPT = {
    "PID": "0xA053", "FW": "159", "SER#": "HQ2132ABCDE", "V": "13020", "I": "2350", "VPV": "36210",
    "PPV": "31", "CS": "3", "MPPT": "2", "OR": "0x00000000", "ERR": "0", "LOAD": "ON", "IL": "400",
    "H19": "10342", "H20": "23", "H21": "97", "H22": "41", "H23": "112", "HSDS": "17",
}  # fmt: skip
BMV = {
    "PID": "0xA389", "V": "26104", "VM": "13050", "DM": "-5", "I": "-1203", "P": "-31", "CE": "-8903",
    "SOC": "917", "TTG": "6120", "Alarm": "ON", "Relay": "OFF", "AR": "5", "BMV": "712 Smart", "FW": "0412",
}  # fmt: skip
BMV_HISTORY = {"H1": "-45120", "H2": "-8903", "H17": "12031", "H18": "14002"}
HEX = b":A0102000543\n"


def block(fields: Mapping[str, str], *, sound: bool = True) -> bytes:
    text = "".join(f"\r\n{label}\t{value}" for label, value in fields.items()).encode() + b"\r\nChecksum\t"
    return text + bytes(((-sum(text) + (not sound)) % 256,))


def read_all(octets: bytes, chop: Callable[[], int], *, quiet: bool = True) -> list[dict[str, str]]:
    blocks, found, at = Blocks(), [], 0
    if quiet:
        blocks.quiet()
    while at < len(octets):
        step = chop()
        found += blocks.feed(octets[at : at + step])
        at += step
    return found


# ---- blocks


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 4096])
def test_blocks_are_found_however_the_octets_are_cut(size: int) -> None:
    octets = block(MPPT) + block(BMV) + block(BMV_HISTORY)
    assert read_all(octets, lambda: size) == [MPPT, BMV, BMV_HISTORY]


def test_hex_messages_anywhere_are_skipped_and_do_not_count() -> None:
    whole = block(MPPT)
    for place in range(len(whole)):  # the octet of the sum itself cannot be parted from its tab
        if whole[place - 1 : place] != b"\t" or place != len(whole) - 1:
            assert read_all(whole[:place] + HEX + whole[place:], lambda: 9) == [MPPT], place


def test_what_was_cut_at_the_beginning_or_damaged_is_left_out() -> None:
    whole = block(MPPT)
    for place in range(1, len(whole)):
        found = read_all(whole[place:] + whole + whole, lambda: 11, quiet=False)
        assert found in ([MPPT], [MPPT, MPPT]), place
    assert read_all(block(MPPT, sound=False) + whole, lambda: 5) == [MPPT]
    for place in range(len(whole)):  # one octet lost
        assert read_all(whole[:place] + whole[place + 1 :], lambda: 50) in ([], [MPPT])


def test_garbage_gives_nothing_and_grows_nothing() -> None:
    some = random.Random(7)
    blocks = Blocks()
    blocks.quiet()
    for _ in range(200):
        assert all(len(found) <= 64 for found in blocks.feed(some.randbytes(997)))
    assert list(blocks.feed(b"\n" + b"x" * 100_000 + b"\nA\t" + b"y" * 100_000)) == []
    assert read_all(b":" * 500 + b"\n" + block(MPPT) + block(MPPT), lambda: 50)[-1] == MPPT


# ---- what they mean


def test_a_chargers_block_gives_the_same_items_as_the_snmp_profiles_of_chargers() -> None:
    assert readings(MPPT) == {
        Series("power", "battery", "voltage_v"): 13.02,
        Series("power", "battery", "current_a"): 2.35,
        Series("power", "array", "voltage_v"): 36.21,
        Series("power", "array", "power_w"): 31,
        Series("power", "load", "current_a"): 0.4,
        Series("power", "load", "outlet_state"): 1,
        Series("power", "battery", "charger_state"): 3,
        Series("power", "battery", "charger_error"): 0,
        Series("power", "array", "operating_state"): 2,
        Series("power", "charged", "energy_kwh"): 103.42,
        Series("power", "charged", "energy_today_kwh"): 0.23,
        Series("system", "", "model"): "Victron 0xA053",
        Series("system", "", "version"): "1.59",
        Series("system", "", "serial"): "HQ2132ABCDE",
    }


def test_a_battery_monitor_tells_charge_time_left_and_alarms() -> None:
    found = readings(BMV | BMV_HISTORY)
    assert found[Series("power", "battery", "charge_pct")] == 91.7
    assert found[Series("power", "battery", "runtime_min")] == 6120
    assert found[Series("power", "battery middle", "voltage_v")] == 13.05
    assert found[Series("power", "battery", "current_a")] == -1.203
    assert found[Series("power", "discharged", "energy_kwh")] == 120.31
    assert found[Series("power", "relay", "contact_state")] == 0
    assert found[Series("power", "", "alarms")] == 2
    assert found[Series("system", "", "model")] == "BMV-712 Smart"
    assert found[Series("system", "", "version")] == "4.12"


def test_what_is_not_measured_is_none_and_never_nought() -> None:
    found = readings({"T": "---", "TTG": "-1", "V": "", "SOC": "x" * 40, "LOAD": "MAYBE", "Alarm": "OFF"})
    assert found == {
        Series("sensor", "battery", "temperature_c"): None,
        Series("power", "battery", "runtime_min"): None,
        Series("power", "battery", "voltage_v"): None,
        Series("power", "battery", "charge_pct"): None,
        Series("power", "", "alarms"): 0,
    }


# ---- the port


class Charger:
    """A device at the other end of a pseudo terminal."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self.path = os.ttyname(self.slave)

    def send(self, octets: bytes) -> None:
        os.write(self.master, octets)

    async def bursts(self, octets: bytes, *, chop: int = 37, pause_s: float = 0.4) -> None:
        while True:
            for at in range(0, len(octets), chop):
                with contextlib.suppress(OSError):
                    self.send(octets[at : at + chop])
                await asyncio.sleep(0.002)
            await asyncio.sleep(pause_s)

    def pull(self) -> None:
        for fd in (self.master, self.slave):
            with contextlib.suppress(OSError):
                os.close(fd)
        self.master = self.slave = -1  # the next terminal may get the same numbers


@contextlib.asynccontextmanager
async def plugged(
    octets: bytes = b"", *, chop: int = 37, pause_s: float = 0.4
) -> AsyncIterator[tuple[Charger, VeDirectEye]]:
    charger = Charger()
    faults = Faults("agent.yaml")
    source = sources.read(Fields({"kind": "ve-direct", "port": charger.path}, "source", faults))
    faults.stop()
    eye = eyes.open_eye(eyes.prepare(source, "agent.yaml"))
    assert isinstance(eye, VeDirectEye)
    sending = asyncio.create_task(charger.bursts(octets, chop=chop, pause_s=pause_s)) if octets else None
    try:
        yield charger, eye
    finally:
        if sending is not None:
            sending.cancel()
        eye.close()
        charger.pull()


async def fails(eye: VeDirectEye) -> str:
    with pytest.raises(EyeError) as caught:
        await eye.read()
    return str(caught.value)


def test_a_charger_is_read_from_its_port_again_and_again() -> None:
    async def work() -> Mapping[Series, Value]:
        async with plugged(HEX + block(MPPT), chop=23) as (_, eye):
            first = await eye.read()
            assert await eye.read() == first
            return first

    assert asyncio.run(work()) == readings(MPPT)


def test_both_blocks_of_a_battery_monitor_belong_together() -> None:
    async def work() -> Mapping[Series, Value]:
        async with plugged(block(BMV) + block(BMV_HISTORY)) as (_, eye):
            return await eye.read()

    assert asyncio.run(work()) == readings(BMV | BMV_HISTORY)


def test_a_read_that_is_cancelled_leaves_the_next_one_whole() -> None:
    async def work() -> Mapping[Series, Value]:
        async with plugged(block(MPPT)) as (_, eye):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await eye.read()
            return await eye.read()

    assert asyncio.run(work()) == readings(MPPT)


def test_what_is_wrong_with_the_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong speed, wrong sums, silence: each in a sentence of its own."""
    monkeypatch.setattr(eye_module, "_LISTEN_S", 2.0)
    some = random.Random(3)

    async def told(octets: bytes) -> str:
        async with plugged(octets, pause_s=0.3) as (_, eye):
            return await fails(eye)

    assert "no VE.Direct block" in asyncio.run(told(some.randbytes(200)))
    assert "wrong checksum" in asyncio.run(told(block(MPPT, sound=False)))
    assert "nothing comes" in asyncio.run(told(b""))


def test_a_block_that_lost_octets_is_refused_even_where_its_sum_is_right_by_chance() -> None:
    whole = block({"PID": "0xA060", "SER#": "HQ1", "V": "12800"})
    body = whole[:-1].replace(b"HQ1\r\nV", b"HQ")
    lucky = body + bytes((-sum(body) % 256,))
    blocks = Blocks()
    blocks.quiet()
    assert list(blocks.feed(lucky)) == []
    assert list(blocks.feed(whole + whole))


def test_a_cable_that_is_pulled_out_is_told_and_one_that_is_back_is_read() -> None:
    async def work() -> None:
        async with plugged(block(MPPT)) as (charger, eye):
            await eye.read()
            asyncio.get_running_loop().call_later(0.1, charger.pull)
            assert "cable was pulled out" in await fails(eye)
            again = Charger()
            eye._path = again.path
            sending = asyncio.create_task(again.bursts(block(MPPT)))
            assert await eye.read() == readings(MPPT)
            sending.cancel()
            again.pull()

    asyncio.run(work())


def test_a_port_that_cannot_be_opened_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def told(path: str) -> str:
        return await fails(VeDirectEye(SimpleNamespace(port=path)))  # type: ignore[arg-type]

    assert "no such port" in asyncio.run(told(str(tmp_path / "ttyUSB0")))
    (tmp_path / "plain").write_text("x")
    assert "is no serial port" in asyncio.run(told(str(tmp_path / "plain")))

    def refused(*_arguments: object, **_more: object) -> None:
        raise serial_port.serial.SerialException(errno.EACCES, "Permission denied")

    monkeypatch.setattr(serial_port.serial, "Serial", refused)
    assert "group dialout" in asyncio.run(told("/dev/ttyUSB0"))


def test_two_programs_cannot_read_one_port() -> None:
    async def work() -> str:
        async with plugged(block(MPPT)) as (charger, eye):
            await eye.read()
            return await fails(VeDirectEye(SimpleNamespace(port=charger.path)))  # type: ignore[arg-type]

    assert "another program uses this port" in asyncio.run(work())
