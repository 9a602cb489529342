"""NUT: what upsd says as readings, and an eye against a real upsd with a made-up supply."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest
from parts import free_port, need, running, wait_until

from ayni_agent import eyes
from ayni_agent.eyes import EyeError
from ayni_agent.eyes.nut import NutEye
from ayni_core import sources
from ayni_core.power import nut
from ayni_core.readings import Series, Value
from ayni_core.schema import Faults, Fields
from ayni_core.sources.nut import Nut
from ayni_io.secret import Secret

VARIABLES = {
    "battery.charge": "87", "battery.voltage": "26.7", "battery.runtime": "1830", "input.voltage": "229.4",
    "output.voltage": "230.1", "ups.load": "12", "ups.status": "OB DISCHRG", "device.model": "Back-UPS 700",
    "ups.firmware": '925 "T2"', "ups.temperature": "31.5", "output.frequency": "50.0",
}  # fmt: skip


def look(address: str, **keys: object) -> NutEye:
    faults = Faults("agent.yaml")
    source = sources.read(Fields({"kind": "nut", "address": address} | keys, "source", faults))
    faults.stop()
    assert isinstance(source, Nut)
    return NutEye(source, None)


async def fails(eye: NutEye) -> str:
    with pytest.raises(EyeError) as caught:
        await eye.read()
    return str(caught.value)


# ---- words and what they mean


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('VAR a battery.charge "87"\n', ["VAR", "a", "battery.charge", "87"]),
        ('VAR a x "say \\"no\\" \\\\ "\r\n', ["VAR", "a", "x", 'say "no" \\ ']),
        ('VAR a x ""', ["VAR", "a", "x", ""]),
        ('VAR a x "open', ["VAR", "a", "x", "open"]),
        ("", []),
    ],
)
def test_lines_are_parted_into_words(line: str, expected: list[str]) -> None:
    assert nut.words(line) == expected


def test_variables_are_the_items_and_numbers_of_the_ups_profiles() -> None:
    found = nut.readings(VARIABLES)
    assert found == {
        Series("power", "battery", "charge_pct"): 87,
        Series("power", "battery", "voltage_v"): 26.7,
        Series("power", "battery", "runtime_min"): 30.5,
        Series("power", "input 1", "voltage_v"): 229.4,
        Series("power", "output 1", "voltage_v"): 230.1,
        Series("power", "output", "frequency_hz"): 50.0,
        Series("power", "output 1", "load_pct"): 12,
        Series("sensor", "inside", "temperature_c"): 31.5,
        Series("power", "output", "output_source"): 5,
        Series("power", "battery", "battery_state"): 2,
        Series("power", "battery", "charger_state"): 3,
        Series("power", "", "alarms"): 0,
        Series("system", "", "model"): "Back-UPS 700",
        Series("system", "", "version"): '925 "T2"',
    }


@pytest.mark.parametrize(
    ("status", "source", "battery", "charger"),
    [
        ("OL", 3, 2, None),
        ("OL CHRG", 3, 2, 1),
        ("OB LB", 5, 3, 3),
        ("OL BYPASS", 4, 2, None),
        ("OL BOOST", 6, 2, None),
        ("OL TRIM RB", 7, 5, None),
        ("OFF", 2, 2, None),
        ("WAIT", 1, 2, None),
    ],
)
def test_flags_become_states(status: str, source: int, battery: int, charger: int | None) -> None:
    found = nut.readings({"ups.status": status})
    assert found[Series("power", "output", "output_source")] == source
    assert found[Series("power", "battery", "battery_state")] == battery
    assert found.get(Series("power", "battery", "charger_state")) == charger


def test_what_is_no_number_gives_no_reading() -> None:
    assert nut.readings({"battery.charge": "n/a", "ups.load": "nan", "input.voltage": "9" * 99}) == {}


# ---- a real server


@contextlib.contextmanager
def upsd(folder: Path, supplies: Mapping[str, Mapping[str, str]]) -> Iterator[int]:
    """NUT's own server, with a driver for each supply that says what a file holds."""
    program, driver = need_of_nut("upsd"), need_of_nut("dummy-ups")
    port, user = free_port(), pwd.getpwuid(os.getuid()).pw_name
    sections = []
    for name, variables in supplies.items():
        lines = "".join(f"{key}: {value}\n" for key, value in variables.items())
        (folder / f"{name}.dev").write_text(lines)
        sections.append(f"[{name}]\n driver = dummy-ups\n port = {folder}/{name}.dev\n mode = dummy-once\n")
    (folder / "ups.conf").write_text("".join(sections))
    (folder / "upsd.conf").write_text(f"LISTEN 127.0.0.1 {port}\nSTATEPATH {folder}\nMAXAGE 15\n")
    (folder / "upsd.users").write_text("[monitor]\n password = se cret\n")
    folder.chmod(0o700)
    environment = {"NUT_CONFPATH": str(folder), "NUT_STATEPATH": str(folder)}
    with contextlib.ExitStack() as stack:
        command = ["env", *(f"{key}={value}" for key, value in environment.items())]
        for name in supplies:
            stack.enter_context(
                running([*command, driver, "-D", "-u", user, "-a", name], folder / f"{name}.log")
            )
        wait_until(
            lambda: all((folder / f"dummy-ups-{name}").exists() for name in supplies), "the driver's socket"
        )
        stack.enter_context(running([*command, program, "-D", "-u", user], folder / "upsd.log"))
        wait_until(lambda: listens(port), "upsd listening")
        yield port


def need_of_nut(program: str) -> str:
    """A part of NUT, which Debian keeps where only NUT looks; what is on the PATH is a wrapper of its own."""
    for folder in ("/lib/nut", "/usr/lib/nut", "/usr/libexec/nut"):
        if os.access(f"{folder}/{program}", os.X_OK):
            return f"{folder}/{program}"
    return need(program)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def stale_is_over(eye: NutEye) -> Mapping[Series, Value]:
    """upsd takes a moment until it has heard its driver."""
    for _ in range(200):
        try:
            found = await eye.read()
            if Series("power", "battery", "charge_pct") in found:
                return found
        except EyeError as error:
            assert "hears nothing of the supply" in str(error)
        await asyncio.sleep(0.02)
    raise AssertionError("upsd never heard its driver")


def test_a_supply_is_read_from_a_real_server(tmp_path: Path) -> None:
    plain = VARIABLES | {"ups.firmware": "925.T2"}
    with upsd(tmp_path, {"cerro": plain}) as port:

        async def work() -> None:
            expected = nut.readings(plain | {"device.model": "Dummy UPS"})  # so the driver names itself
            found = await stale_is_over(look(f"127.0.0.1:{port}"))  # the only one
            async with asyncio.timeout(15):
                while not expected.keys() <= found.keys():  # the driver hands its values over one by one
                    await asyncio.sleep(0.1)
                    found = await look(f"127.0.0.1:{port}").read()
            assert {series: found[series] for series in expected} == expected
            assert await look(f"127.0.0.1:{port}", ups="cerro").read() == found
            assert "does not know this supply" in await fails(look(f"127.0.0.1:{port}", ups="valle"))
            keys = {"username": "monitor", "password": "env:X"}
            with_password = look(f"127.0.0.1:{port}", **keys)
            with_password._password = Secret("se cret")
            assert await with_password.read() == found

        asyncio.run(work())


def test_several_supplies_are_named_and_one_without_its_driver_is_told(tmp_path: Path) -> None:
    with upsd(tmp_path, {"a": VARIABLES, "b": VARIABLES}) as port:
        address = f"127.0.0.1:{port}"
        asyncio.run(stale_is_over(look(address, ups="a")))
        assert "say which one with ups: a, b" in asyncio.run(fails(look(address)))
        (tmp_path / "dummy-ups-b").unlink()


# ---- what else may answer


@contextlib.asynccontextmanager
async def answering(*octets: bytes) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for each in octets:
            with contextlib.suppress(ConnectionError):
                await reader.readline()
                writer.write(each)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"{host}:{port}"
    finally:
        server.close()


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        ((b"ERR DATA-STALE\n",), "hears nothing of the supply"),
        ((b"ERR ACCESS-DENIED\n",), "refuses this user"),
        ((b"ERR FEATURE-NOT-SUPPORTED\n",), "refuses: FEATURE-NOT-SUPPORTED"),
        ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), "is no upsd"),
        ((b"\xff" * 5000,), "is no upsd"),
        ((b"",), "is no upsd"),
        ((b"BEGIN LIST VAR a\n" + b'VAR a x "1"\n' * 2000,), "is no upsd"),
        ((b"BEGIN LIST VAR a\nVAR a",), "is no upsd"),
        ((b"BEGIN LIST UPS\nEND LIST UPS\n",), "is no upsd"),
    ],
)
def test_whatever_answers_gives_one_sentence(octets: tuple[bytes, ...], told: str) -> None:
    async def work() -> None:
        async with answering(*octets) as address:
            if b"UPS" in octets[0]:
                assert "looks after no supply" in await fails(look(address))
            else:
                assert told in await fails(look(address, ups="a"))

    asyncio.run(work())


def test_nobody_there_is_told() -> None:
    assert "does upsd run" in asyncio.run(fails(look(f"127.0.0.1:{free_port()}")))


def test_the_section_is_read_strictly(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = Faults("agent.yaml")
    section = {"kind": "nut", "address": "10.0.0.1", "ups": "a b", "username": "x"}
    sources.read(Fields(section, "source", faults))
    assert [fault.split(": ")[1] for fault in faults.found] == ["source.ups", "source.username"]
    monkeypatch.setenv("UPS", "word")
    faults = Faults("agent.yaml")
    section = {"kind": "nut", "address": "[::1]", "username": "x", "password": "env:UPS"}
    source = sources.read(Fields(section, "source", faults))
    faults.stop()
    sight = eyes.prepare(source, "x")
    assert (source.where, sight.secrets["password"].reveal()) == ("::1:3493", "word")
    eyes.open_eye(sight).close()
