"""A running agent takes another configuration: checked first, and only what changed is touched."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from parts import UdpAgent, free_port
from scripted_agent import device

from ayni_agent import status_ask
from ayni_agent.command_run import set_up
from ayni_agent.polling import Polling
from ayni_agent.reload import Changes, Setup, compare, read_again
from ayni_agent.status import SOCKET, Status
from ayni_agent.status_ask import StatusError
from ayni_core.readings import Poll
from ayni_core.schema import ConfigError
from ayni_core.snmp import decode_request
from ayni_io.profiles import Profiles

AYNI = Path(sys.executable).parent / "ayni"
CONFIG = """\
node: torre-pi
broker: {{ port: {broker} }}
poll_s: {poll_s}
flush_s: 60
state_dir: {folder}/state
runtime_dir: {folder}/run
devices:
{devices}"""
DEVICE = "  {name}: {{ address: 127.0.0.1:{port}, community: file:{folder}/{secret} }}\n"


class Place:
    """A folder with an agent.yaml that can be written again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "agent.yaml"
        self.broker = free_port()
        (folder / "public").write_text("public\n", encoding="utf-8")

    def write(self, *, poll_s: float = 1, secret: str = "public", **ports: int) -> Path:
        devices = "".join(
            DEVICE.format(name=name, port=port, folder=self.folder, secret=secret)
            for name, port in ports.items()
        )
        self.config.write_text(
            CONFIG.format(broker=self.broker, poll_s=poll_s, folder=self.folder, devices=devices or "  {}\n"),
            encoding="utf-8",
        )
        return self.config


@pytest.fixture()
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


# ---- what is different


def test_what_is_different_is_told_device_by_device_and_key_by_key(place: Place) -> None:
    old = set_up(place.write(one=1001, two=1002, three=1003))
    assert not compare(old, set_up(place.write(one=1001, two=1002, three=1003)))
    new = set_up(place.write(one=1001, two=2002, four=1004, poll_s=2))
    changes = compare(old, new)
    assert changes == Changes(added=("four",), removed=("three",), changed=("two",), settings=("poll_s",))
    assert str(changes) == "added=four removed=three changed=two settings=poll_s"
    assert str(Changes()) == "nothing changed"


def test_a_secret_that_was_changed_makes_another_device(place: Place) -> None:
    old = set_up(place.write(one=1001))
    (place.folder / "public").write_text("changed\n", encoding="utf-8")
    assert compare(old, set_up(place.config)).changed == ("one",)


def test_other_rules_and_another_broker_are_seen(place: Place) -> None:
    old = set_up(place.write(one=1001))
    place.broker = free_port()
    assert compare(old, set_up(place.write(one=1001))).settings == ("broker",)
    assert compare(old, replace(old, rules=old.rules[1:])).settings == ("rules",)


def test_every_fault_is_told_and_nothing_changes(place: Place) -> None:
    old = set_up(place.write(one=1001))
    path = place.write(one=1001, two=1002, secret="missing")
    with pytest.raises(ConfigError) as caught:
        read_again(lambda: set_up(path), old)
    assert len(caught.value.faults) == 2
    path.write_text("node: [", encoding="utf-8")
    with pytest.raises(ConfigError):
        read_again(lambda: set_up(path), old)


def test_what_a_running_agent_cannot_change_is_a_fault(place: Place) -> None:
    old = set_up(place.write(one=1001))
    path = place.write(one=1001)
    path.write_text(path.read_text().replace("torre-pi", "other").replace("/state", "/elsewhere"))
    with pytest.raises(ConfigError) as caught:
        read_again(lambda: set_up(path), old)
    assert [fault.split(": ")[1] for fault in caught.value.faults] == ["node", "state_dir"]

    def lacking() -> Setup:
        raise ModuleNotFoundError("No module named 'pysnmp'", name="pysnmp")

    with pytest.raises(ConfigError, match="pysnmp is missing"):
        read_again(lacking, old)


# ---- the loops of the devices


def answering() -> Callable[[bytes], list[bytes]]:
    view = device(range(1, 3))
    return lambda data: [view.answer(decode_request(data), 1472) or b""]


@contextlib.asynccontextmanager
async def polling(polls: list[Poll]) -> AsyncIterator[Polling]:
    made = Polling(Profiles(), polls.append, {})
    running = asyncio.create_task(made.run())
    try:
        async with asyncio.timeout(30):
            yield made
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(ready: Callable[[], bool]) -> None:
    while not ready():
        await asyncio.sleep(0.01)


def test_only_the_loops_of_devices_that_changed_begin_anew(place: Place) -> None:
    async def run() -> None:
        polls: list[Poll] = []
        async with (
            UdpAgent.serving(answering()) as one,
            UdpAgent.serving(answering()) as two,
            UdpAgent.serving(answering()) as three,
            polling(polls) as made,
        ):
            before = set_up(place.write(poll_s=60, one=one.port, two=two.port))
            made.use(before.config.devices, before.access, 60)
            await until(lambda: {poll.device for poll in polls} == {"one", "two"})
            asked = len(one.asked)
            polls.clear()
            after = set_up(place.write(poll_s=60, one=one.port, two=three.port, four=two.port))
            made.use(after.config.devices, after.access, 60)
            await until(lambda: {poll.device for poll in polls} == {"two", "four"})
            assert len(one.asked) == asked, "it was not disturbed"
            assert three.asked
            assert all(poll.error is None for poll in polls)
            assert set(made.identities()) <= {"one", "two", "four"}
            polls.clear()
            made.use(after.config.devices, after.access, 50)
            await until(lambda: {poll.device for poll in polls} == {"one", "two", "four"})
            answer = await made.now("one")
            assert (answer.device, answer.error) == ("one", None)
            made.use({}, {}, 50)
            with pytest.raises(KeyError):
                await made.now("one")

    asyncio.run(run())


def test_a_loop_that_breaks_ends_the_polling_for_all_to_see(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        def breaks(_poll: Poll) -> None:
            raise ZeroDivisionError("a bug")

        made = Polling(Profiles(), breaks, {})
        setup = set_up(place.write(poll_s=60, one=free_port(socket.SOCK_DGRAM)))
        made.use(setup.config.devices, setup.access, 60)
        with pytest.raises(ZeroDivisionError):
            async with asyncio.timeout(30):
                await made.run()

    asyncio.run(run())


# ---- the whole agent, cut off from its broker


class Running:
    """An agent that runs, what it logged, and what it told systemd."""

    def __init__(self, process: asyncio.subprocess.Process, notify: socket.socket, place: Place) -> None:
        self.process = process
        self.place = place
        self.log: list[str] = []
        self._notify = notify
        self.told: list[str] = []

    async def read(self) -> None:
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            self.log.append(line.decode())

    async def status(self, ready: Callable[[Status], bool]) -> Status:
        """The status as soon as it is so."""
        while True:
            with contextlib.suppress(StatusError):
                status = await asyncio.to_thread(status_ask.ask, self.place.folder / "run" / SOCKET)
                if ready(status):
                    return status
            await asyncio.sleep(0.05)

    async def logged(self, words: str) -> None:
        await until(lambda: any(words in line for line in self.log))

    def hear(self) -> list[str]:
        with contextlib.suppress(BlockingIOError):
            while True:
                self.told += self._notify.recv(4096).decode().split("\n")
        return self.told


@contextlib.asynccontextmanager
async def agent(place: Place) -> AsyncIterator[Running]:
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    notify.bind(str(place.folder / "notify"))
    environment = {**os.environ, "AYNI_LANG": "en", "NOTIFY_SOCKET": str(place.folder / "notify")}
    environment |= {"WATCHDOG_USEC": "400000"}
    environment.pop("WATCHDOG_PID", None)
    process = await asyncio.create_subprocess_exec(
        str(AYNI), "agent", "run", "--config", str(place.config),
        stderr=asyncio.subprocess.PIPE, env=environment,
    )  # fmt: skip
    running = Running(process, notify, place)
    reader = asyncio.create_task(running.read())
    try:
        async with asyncio.timeout(60):
            yield running
    except TimeoutError:
        pytest.fail("".join(running.log))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reader
        notify.close()
        (place.folder / "notify").unlink()


def test_the_agent_reloads_on_sighup_tells_how_it_is_and_remembers_its_day(place: Place) -> None:
    async def run() -> None:
        async with UdpAgent.serving(answering()) as one, UdpAgent.serving(answering()) as two:
            place.write(one=one.port)
            async with agent(place) as running:
                status = await running.status(lambda s: s.devices[0].state == "ok" and s.outbox.frames > 0)
                assert (status.node, status.hub.connected, status.hub.problem) == (
                    "torre-pi",
                    False,
                    "network",
                )
                assert "nothing listens there" in status.hub.cause
                assert (status.outbox.storage, status.day_whole) == ("disk", True)
                assert status.day[0].hours.endswith("o")
                assert running.hear().count("READY=1") == 1

                place.write(one=one.port, two=two.port, secret="missing")
                running.process.send_signal(signal.SIGHUP)
                await running.logged("configuration not taken")
                assert len((await running.status(lambda s: True)).devices) == 1

                place.write(one=one.port, two=two.port)
                running.process.send_signal(signal.SIGHUP)
                await running.logged("configuration taken added=two")
                status = await running.status(lambda s: len(s.devices) == 2 and s.devices[1].state == "ok")
                assert status.up_s > 0
                await until(lambda: running.hear().count("READY=1") == 3)
                assert running.told.count("RELOADING=1") == 2
                assert "WATCHDOG=1" in running.told
                running.process.kill()
            async with agent(place) as running:
                status = await running.status(lambda s: s.devices[0].state == "ok")
                assert (status.day[0].answered_pct or 0) > 50, "a busy machine may be late now and then"
                running.process.send_signal(signal.SIGTERM)
                assert await running.process.wait() == 0
                assert "STOPPING=1" in running.hear()
                assert not (place.folder / "run" / SOCKET).exists()
                assert "Traceback" not in "".join(running.log)

    asyncio.run(run())


def test_an_alarm_that_held_before_a_restart_is_not_announced_again(place: Place) -> None:
    async def run() -> None:
        place.write(one=free_port(socket.SOCK_DGRAM))
        async with agent(place) as running:
            await running.logged("verdict device=one rule=device-silent")
            first = await running.status(lambda s: bool(s.alarms))
            running.process.send_signal(signal.SIGTERM)
            assert await running.process.wait() == 0
        async with agent(place) as running:
            status = await running.status(lambda s: s.devices[0].state == "silent")
            assert status.alarms[0].rule == "device-silent"
            assert (status.alarms[0].age_s or 0) > (first.alarms[0].age_s or 0)
            assert not [line for line in running.log if "verdict" in line]

    asyncio.run(run())
