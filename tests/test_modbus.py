"""Modbus: register maps as data, and eyes against a real server, by TCP and over pseudo terminals."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import struct
import tty
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from parts import free_port
from pymodbus import FramerType
from pymodbus.datastore import ModbusDeviceContext, ModbusServerContext, ModbusSparseDataBlock
from pymodbus.server import ModbusSerialServer, ModbusTcpServer

from ayni_agent import eyes
from ayni_agent.eyes import Eye, EyeError, modbus_bus
from ayni_agent.eyes.modbus import ModbusEye
from ayni_core import sources
from ayni_core.power.registers import MAX_COUNT, Point, RegisterMap, Request, read_map, requests, value
from ayni_core.readings import Series, Value
from ayni_core.schema import ConfigError, Faults, Fields
from ayni_io import source_maps

EPEVER = {
    0x3100: 3621, 0x3101: 88, 0x3102: 3186, 0x3103: 0, 0x3104: 1302, 0x3105: 235, 0x3106: 3060, 0x3107: 0,
    0x310C: 1301, 0x310D: 40, 0x310E: 520, 0x310F: 0, 0x3110: 2350, 0x3111: 0xFE0C, 0x3112: 3010,
    0x311A: 92, 0x3200: 0x0002, 0x3201: 0x0009, 0x3304: 12, 0x3305: 0, 0x330A: 3400, 0x330B: 1,
    0x330C: 23, 0x330D: 0, 0x3312: 10342, 0x3313: 0, 0x331B: 0xFFFE - 100, 0x331C: 0xFFFF,
}  # fmt: skip


def read(text: Mapping[str, Any]) -> RegisterMap:
    faults = Faults("modbus-x.yaml")
    found = read_map("x", fields := Fields(text, "", faults))
    fields.done()
    faults.stop()
    return found


def point(**more: Any) -> Point:
    return read({"about": "x", "points": [{"at": 1, "metric": "voltage_v"} | more]}).points[0]


# ---- maps


def test_all_shipped_maps_are_right() -> None:
    assert {"epever", "tristar-mppt"} <= set(source_maps.modbus_maps())
    for name in source_maps.modbus_maps():
        found = source_maps.modbus_map(name, "x")
        metrics = {(each.series.item, each.series.metric) for each in found.points}
        assert ("battery", "voltage_v") in metrics, name
        assert len(requests(found.points)) <= 8, name


TABLE: list[tuple[dict[str, Any], list[int], Value]] = [
    ({}, [1302], 1302),
    ({"unit": "cV"}, [1302], 13.02),
    ({"type": "s16"}, [0xFFFF], -1),
    ({"type": "u32"}, [1, 2], 65538),
    ({"type": "u32", "words": "low-first"}, [1, 2], 131073),
    ({"type": "s32"}, [0xFFFF, 0xFFFE], -2),
    ({"type": "f32"}, list(struct.unpack(">HH", struct.pack(">f", 13.25))), 13.25),
    ({"type": "f32"}, [0x7FC0, 0], None),
    ({"type": "u64", "div": 1000}, [0, 0, 1, 0], 65.536),
    ({"mul": 2, "div": 4, "add": 1}, [10], 6.0),
    ({"none": "0xFFFF"}, [0xFFFF], None),
    ({"none": [0, "0x8000"]}, [0x8000], None),
    ({"at_most": 100}, [101], None),
    ({"bits": "2-3", "metric": "charger_state", "states": {"1": "float"}}, [0b1101], 3),
    ({"bits": 3, "metric": "charger_state"}, [0b1000], 1),
    ({"type": "text", "length": 3, "metric": "model", "group": "system"}, [0x4162, 0x6300, 0x5858], "Abc"),
    ({"type": "text", "length": 1, "metric": "model", "group": "system"}, [0], None),
]


@pytest.mark.parametrize(("keys", "words", "expected"), TABLE)
def test_registers_become_values(keys: dict[str, Any], words: list[int], expected: Value) -> None:
    found = value(point(**keys), words)
    assert found == expected
    assert type(found) is type(expected)


def test_every_fault_of_a_map_is_told_with_its_place() -> None:
    wrong = {
        "about": "x",
        "points": [
            {"at": "0x31zz", "metric": "voltage_v"},
            {"at": 5, "metric": "voltagev", "typ": "u16"},
            {"at": 6, "metric": "charger_state", "bits": "9-3", "states": {"one": "x"}},
            {"at": 7, "metric": "voltage_v", "unit": "cA", "none": "x"},
            {"at": 0xFFFF, "type": "u32", "metric": "power_w"},
            {"at": 8, "table": "coil", "type": "s16", "metric": "current_a"},
        ],
    }
    with pytest.raises(ConfigError) as caught:
        read(wrong)
    told = str(caught.value)
    for part in (
        "points[0].at: 0x31zz is no address", 'points[1].metric: unknown metric "voltagev"; did you mean',
        "points[1].typ: unknown key", 'points[2].bits: "9-3" are no bits', "points[2].states.one",
        'points[3].unit: "cA" does not become V', "points[3].none: expected numbers",
        "points[4].at: goes past the last address", "points[5].type: a coil",
    ):  # fmt: skip
        assert part in told, part


def test_few_requests_bring_many_registers_and_none_is_too_long() -> None:
    many = read(
        {
            "about": "x",
            "points": [
                {"at": at, "metric": "voltage_v", "item": str(at), "type": "u32"}
                for at in (0, 2, 6, 14, 23, *range(200, 420, 2))
            ],
        }
    )
    found = requests(many.points)
    assert [(each.at, each.count) for each in found[:2]] == [(0, 25), (200, 100)]
    assert max(each.count for each in found) <= MAX_COUNT
    assert sum(len(each.points) for each in found) == len(many.points)


def test_a_source_says_what_is_wrong_with_it() -> None:
    def told(**keys: object) -> str:
        faults = Faults("agent.yaml")
        sources.read(Fields({"kind": "modbus", "map": "epever"} | keys, "source", faults))
        return "\n".join(faults.found)

    assert "source.port: is missing" in told()
    assert "whole path" in told(port="ttyUSB0")
    assert "source.baud: belongs to a serial line" in told(address="10.0.0.1", baud=9600)
    assert "port must be 1 to 65535" in told(address="10.0.0.1:99999")
    assert told(address="[fe80::1]:1502", unit=3) == ""
    faults = Faults("agent.yaml")
    source = sources.read(
        Fields({"kind": "modbus", "map": "epevre", "port": "/dev/ttyUSB0"}, "source", faults)
    )
    with pytest.raises(ConfigError, match=r'x.source.map: unknown map "epevre"; did you mean "epever"'):
        eyes.prepare(source, "x.source")


# ---- eyes


def store(registers: Mapping[int, int], units: tuple[int, ...]) -> ModbusServerContext:
    def device() -> ModbusDeviceContext:
        return ModbusDeviceContext(
            ir=ModbusSparseDataBlock(dict(registers)),
            hr=ModbusSparseDataBlock(dict(registers)),
            di=ModbusSparseDataBlock({0x200C: 1}),
        )

    return ModbusServerContext(devices={unit: device() for unit in units}, single=False)


@contextlib.asynccontextmanager
async def tcp(registers: Mapping[int, int] = EPEVER, units: tuple[int, ...] = (1,)) -> AsyncIterator[str]:
    port = free_port()
    server = ModbusTcpServer(
        store(registers, units), address=("127.0.0.1", port), ignore_missing_devices=True
    )
    await server.serve_forever(background=True)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.shutdown()


class Wire:
    """Two pseudo terminals joined: what goes into one comes out of the other, unless somebody is at it."""

    def __init__(self) -> None:
        self.ends = [os.openpty(), os.openpty()]
        self.at_it: Callable[[bytes], bytes] = lambda octets: octets
        self.loop = asyncio.get_running_loop()
        for _master, slave in self.ends:
            tty.setraw(slave)
        (a, _), (b, _) = self.ends
        self.loop.add_reader(a, self._pass, a, b)
        self.loop.add_reader(b, self._pass, b, a)

    @property
    def paths(self) -> list[str]:
        return [os.ttyname(slave) for _, slave in self.ends]

    def _pass(self, one: int, other: int) -> None:
        with contextlib.suppress(OSError):
            os.write(other, self.at_it(os.read(one, 4096)))

    def cut(self) -> None:
        for master, slave in self.ends:
            self.loop.remove_reader(master)
            for fd in (master, slave):
                with contextlib.suppress(OSError):
                    os.close(fd)


@contextlib.asynccontextmanager
async def rtu(
    registers: Mapping[int, int] = EPEVER, units: tuple[int, ...] = (1,)
) -> AsyncIterator[tuple[Wire, str]]:
    wire = Wire()
    here, there = wire.paths
    server = ModbusSerialServer(
        store(registers, units),
        framer=FramerType.RTU,
        port=there,
        baudrate=115200,
        ignore_missing_devices=True,
    )
    await server.serve_forever(background=True)
    try:
        yield wire, here
    finally:
        await server.shutdown()
        wire.cut()


def look(**keys: object) -> Eye:
    faults = Faults("agent.yaml")
    source = sources.read(Fields({"kind": "modbus", "map": "epever"} | keys, "source", faults))
    faults.stop()
    return eyes.open_eye(eyes.prepare(source, "agent.yaml: devices.x.source"))


async def fails(eye: Eye) -> str:
    with pytest.raises(EyeError) as caught:
        await eye.read()
    return str(caught.value)


def check(found: Mapping[Series, Value]) -> None:
    power = {(each.item, each.metric): said for each, said in found.items() if each.group == "power"}
    assert power[("battery", "voltage_v")] == 13.02
    assert power[("battery", "current_a")] == -1.02
    assert power[("battery", "charge_pct")] == 92
    assert power[("battery", "charger_state")] == 2
    assert power[("battery", "charger_error")] == 0
    assert power[("battery", "battery_state")] == 2
    assert power[("array", "voltage_v")] == 36.21
    assert power[("array", "power_w")] == 31.86
    assert power[("array", "operating_state")] == 1
    assert power[("load", "energy_kwh")] == 689.36
    assert power[("charged", "energy_today_kwh")] == 0.23
    assert found[Series("sensor", "inside", "temperature_c")] == -5.0


def test_a_charger_is_read_over_tcp_again_and_again() -> None:
    async def work() -> None:
        async with tcp() as address:
            eye = look(address=address)
            check(await eye.read())
            check(await eye.read())
            eye.close()

    asyncio.run(work())


def test_what_lies_between_is_asked_over_only_once_where_it_is_refused() -> None:
    """The made-up charger refuses whole questions for registers between, as some real ones do."""

    async def work() -> None:
        async with tcp() as address:
            eye = look(address=address)
            assert isinstance(eye, ModbusEye)
            asked: list[int] = []
            real = modbus_bus.Bus.ask

            async def counted(bus: modbus_bus.Bus, unit: int, request: Request) -> Sequence[int]:
                asked.append(request.at)
                return await real(bus, unit, request)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(modbus_bus.Bus, "ask", counted)
                check(await eye.read())
                first = len(asked)
                check(await eye.read())
            assert (first, len(asked) - first) == (11, 9)
            eye.close()

    asyncio.run(work())


def test_a_charger_is_read_over_a_serial_line_and_two_share_it() -> None:
    async def work() -> None:
        async with rtu(units=(1, 2)) as (_, port):
            one, two = look(port=port), look(port=port, unit=2)
            for found in await asyncio.gather(one.read(), two.read(), one.read()):
                check(found)
            other = look(port=port, unit=2, baud=9600)
            assert "all must be set alike" in await fails(other)
            one.close()
            check(await two.read())
            two.close()
            assert modbus_bus.Bus._all == {}

    asyncio.run(work())


def test_registers_that_are_missing_are_told_once_and_the_others_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    some = {at: word for at, word in EPEVER.items() if at not in (0x331B, 0x331C, 0x3112)}

    async def work() -> None:
        async with tcp(some) as address:
            eye = look(address=address)
            first, second = await eye.read(), await eye.read()
            assert first == second
            assert first[Series("power", "battery", "voltage_v")] == 13.02
            assert Series("power", "battery", "current_a") not in first
            eye.close()

    asyncio.run(work())
    lines = [record.getMessage() for record in caplog.records if "left out" in record.getMessage()]
    assert len(lines) == 1
    assert "input 0x3112, input 0x331B" in lines[0]


def test_a_wrong_map_says_which_registers_are_not_there() -> None:
    async def work() -> None:
        async with tcp({9: 1}) as address:
            eye = look(address=address, map="tristar-mppt")
            told = await fails(eye)
            assert "holding 0x0018" in told
            assert "is the map tristar-mppt right?" in told
            eye.close()

    asyncio.run(work())


def test_a_wrong_unit_and_a_closed_port_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modbus_bus, "_TIMEOUT_S", 0.2)

    async def work() -> None:
        async with tcp() as address:
            eye = look(address=address, unit=9)
            assert "unit 9: the device refuses discrete 0x200C: it failed (exception 4)" in await fails(eye)
            eye.close()
        gone = look(address=address)
        assert "no connection: " in await fails(gone)
        gone.close()
        async with rtu() as (wire, port):
            eye = look(port=port, unit=9)
            assert "unit 9: the device refuses" in await fails(eye)
            wire.at_it = lambda _octets: b""
            assert "unit 9 does not answer; is it on" in await fails(eye)
            eye.close()
        missing = look(port="/dev/serial/by-id/none")
        assert "no such port" in await fails(missing)
        missing.close()

    asyncio.run(work())


def test_garbage_is_a_hint_at_the_speed_and_the_line_recovers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modbus_bus, "_TIMEOUT_S", 0.3)
    some = random.Random(5)

    async def work() -> None:
        async with rtu() as (wire, port):
            eye = look(port=port)
            wire.at_it = lambda octets: octets[:1] and some.randbytes(len(octets))
            await fails(eye)
            wire.at_it = lambda octets: octets if len(octets) == 8 else some.randbytes(len(octets))
            assert "are the speed (115200 baud)" in await fails(eye)
            wire.at_it = lambda octets: octets
            check(await eye.read())
            eye.close()

    asyncio.run(work())


def test_a_cable_that_is_cut_is_told() -> None:
    async def work() -> None:
        async with rtu() as (wire, port):
            eye = look(port=port)
            check(await eye.read())
            wire.cut()
            assert port in await fails(eye)
            eye.close()

    asyncio.run(work())


def test_a_read_that_is_cancelled_never_passes_its_answer_to_the_next() -> None:
    async def work() -> None:
        async with rtu(units=(1,)) as (_, port):
            eye = look(port=port)
            for wait_s in (0.001, 0.005, 0.01, 0.02, 0.04):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await eye.read()
            check(await eye.read())
            eye.close()

    asyncio.run(work())


def test_a_users_own_map_is_found_beside_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "modbus-own.yaml").write_text(
        "about: a heater\npoints:\n"
        "  - {at: 0x3104, item: tank, metric: temperature_c, group: sensor, unit: c°C}\n"
    )
    monkeypatch.setenv("AYNI_CONFIGS", str(tmp_path))

    async def work() -> Mapping[Series, Value]:
        async with tcp() as address:
            eye = look(address=address, map="own")
            try:
                return await eye.read()
            finally:
                eye.close()

    assert asyncio.run(work()) == {Series("sensor", "tank", "temperature_c"): 13.02}


def test_a_library_that_is_missing_is_named_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = Faults("agent.yaml")
    section = {"kind": "modbus", "map": "epever", "address": "10.0.0.1"}
    source = sources.read(Fields(section, "source", faults))

    def lacking(_name: str) -> None:
        raise ModuleNotFoundError("No module named 'serial_asyncio'", name="serial_asyncio")

    monkeypatch.setattr(eyes.importlib, "import_module", lacking)
    with pytest.raises(ConfigError, match=r'x: "modbus" needs serial_asyncio; .*"ayni\[power\]"'):
        eyes.prepare(source, "x")
    monkeypatch.setattr(eyes.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match='x: "modbus" needs pymodbus'):
        eyes.prepare(source, "x")
