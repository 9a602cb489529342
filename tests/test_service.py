"""What systemd is told, over a real socket; and a process that is stuck gives no sign of life."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from parts import free_port, wait_until

from ayni_hub import clock_wait
from ayni_io.mqtt import BrokerConfig
from ayni_io.service import Service, Vitals, keep_watch


class Manager:
    """Stands where systemd does: everything that comes to its socket."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.setblocking(False)

    def heard(self) -> list[list[str]]:
        found = []
        while True:
            try:
                found.append(self._socket.recv(4096).decode().split("\n"))
            except BlockingIOError:
                return found

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    name = f"@ayni-test-{secrets.token_hex(4)}" if request.param == "abstract" else str(tmp_path / "notify")
    made = Manager(name)
    yield made
    made.close()


def service(manager: Manager, **more: str) -> Service:
    return Service({"NOTIFY_SOCKET": manager.address, **more})


def test_each_turn_of_a_life_is_told(manager: Manager) -> None:
    told = service(manager)
    told.ready("3 devices")
    told.status("3 devices, 1 silent")
    told.status("3 devices, 1 silent")
    told.alive()
    told.reloading()
    told.ready()
    told.stopping("good-bye")
    heard = manager.heard()
    kind, stamp = heard.pop(3)
    assert heard == [
        ["READY=1", "STATUS=3 devices"],
        ["STATUS=3 devices, 1 silent"],
        ["WATCHDOG=1"],
        ["READY=1"],
        ["STOPPING=1", "STATUS=good-bye"],
    ]
    assert kind == "RELOADING=1"
    name, _, value = stamp.partition("=")
    now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert name == "MONOTONIC_USEC"
    assert now - 60_000_000 < int(value) <= now


def test_a_status_is_one_line_whatever_a_device_calls_itself(manager: Manager) -> None:
    service(manager).status("a\nWATCHDOG=trigger\x00" + "x" * 1000)
    ((line,),) = manager.heard()
    assert line.startswith("STATUS=a WATCHDOG=trigger x")
    assert len(line) < 420


@pytest.mark.parametrize(
    "address", [None, "", "vsock:2:1234", "relative", "/no/such/socket", "@nobody-listens"]
)
def test_outside_systemd_nothing_happens(address: str | None) -> None:
    told = Service({} if address is None else {"NOTIFY_SOCKET": address})
    told.ready()
    told.status("x")
    told.alive()
    told.stopping()
    assert told.watchdog_s is None
    asyncio.run(asyncio.wait_for(keep_watch(told, Vitals()), 5))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}, 3.0),
        ({"WATCHDOG_USEC": "3000000"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_ours_only_if_it_is_meant_for_this_process(
    environment: dict[str, str], expected: float | None
) -> None:
    assert Service(environment).watchdog_s == expected


def test_a_manager_that_does_not_read_delays_nobody_for_long(tmp_path: Path) -> None:
    manager = Manager(str(tmp_path / "notify"))
    told = service(manager)
    begun = time.monotonic()
    for number in range(3000):  # more than the socket holds: the kernel's limit is some hundreds at most
        told.status(f"{number}")
        if time.monotonic() - begun > 0.4:
            break
    assert time.monotonic() - begun < 5
    manager.close()


# ---- the watchdog


def test_a_part_is_dead_when_its_sign_is_overdue_or_its_task_has_ended() -> None:
    async def run() -> None:
        vitals = Vitals()
        vitals.sign("polling", 60, now_s=1000)
        assert vitals.dead(1060) == []
        assert vitals.dead(1061) == ["polling"]
        vitals.forget("polling")
        assert vitals.dead(1e9) == []
        task = asyncio.create_task(asyncio.Event().wait())
        vitals.task("courier", task)
        assert vitals.dead(0) == []
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert vitals.dead(0) == ["courier"]

    asyncio.run(run())


def test_signs_of_life_come_twice_a_period_and_stop_when_a_part_dies(
    manager: Manager, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> int:
        vitals = Vitals()
        vitals.sign("polling", 3600)
        watch = asyncio.create_task(keep_watch(service(manager, WATCHDOG_USEC="100000"), vitals))
        alive = 0
        async with asyncio.timeout(10):
            while alive < 4:
                await asyncio.sleep(0.01)
                alive += manager.heard().count(["WATCHDOG=1"])
            vitals.sign("polling", -1)
            await asyncio.sleep(0.06)  # one that was on its way
            manager.heard()
            await asyncio.sleep(0.25)
        after = len(manager.heard())
        watch.cancel()
        return after

    assert asyncio.run(run()) == 0
    lines = [record for record in caplog.records if record.name == "service"]
    assert len(lines) == 1, "one line, not one a period"
    assert "stuck=polling" in lines[0].getMessage()


STUCK = """
import asyncio, time
from ayni_io.service import Service, Vitals, keep_watch

async def main():
    service = Service()
    service.ready()
    asyncio.create_task(keep_watch(service, Vitals()))
    await asyncio.sleep(0.35)
    service.status("stuck now")
    time.sleep(60)

asyncio.run(main())
"""


def test_a_blocked_loop_sends_no_sign_of_life(tmp_path: Path) -> None:
    manager = Manager(str(tmp_path / "notify"))
    environment = {**os.environ, "NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "100000"}
    environment.pop("WATCHDOG_PID", None)
    process = subprocess.Popen([sys.executable, "-c", STUCK], env=environment)
    try:
        heard: list[list[str]] = []
        end = time.monotonic() + 20
        while ["STATUS=stuck now"] not in heard and time.monotonic() < end:
            heard += manager.heard()
            time.sleep(0.01)
        time.sleep(0.3)
        after = manager.heard()
    finally:
        process.kill()
        process.wait()
        manager.close()
    assert heard[0] == ["READY=1"]
    assert heard.count(["WATCHDOG=1"]) >= 2
    assert after == []


# ---- the programs


NETWORK = """\
network: { title: Red }
sites: { torre: { title: Torre } }
nodes: { pi: { title: Pi, site: torre } }
devices: { radio: { site: torre, address: 10.0.0.1, community: env:X } }
"""


@pytest.mark.parametrize("role", ["all", "worker"])
def test_a_central_is_ready_without_its_broker_and_gives_signs_of_life(tmp_path: Path, role: str) -> None:
    (tmp_path / "network.yaml").write_text(NETWORK)
    more = "role: worker\nbuckets: [0-31]\n" if role == "worker" else ""
    (tmp_path / "hub.yaml").write_text(
        f"broker: {{ port: {free_port()} }}\nnetwork: {tmp_path}/network.yaml\n"
        f"data_dir: {tmp_path}/data\n{more}"
    )
    command = [sys.executable, "-m", "ayni_io.cli", "hub", "run", "--config", str(tmp_path / "hub.yaml")]
    manager = Manager(str(tmp_path / "notify"))
    environment = {**os.environ, "NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "1000000"}
    environment.pop("WATCHDOG_PID", None)
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    heard: list[list[str]] = []

    def alive() -> bool:
        heard.extend(manager.heard())
        return ["READY=1", "STATUS=ready"] in heard and heard.count(["WATCHDOG=1"]) >= 2

    try:
        wait_until(alive, "ready and alive", within_s=30)
        process.terminate()
        assert process.wait(20) == 0
        heard.extend(manager.heard())
    finally:
        process.kill()
        process.wait()
        manager.close()
    assert heard[-1] == ["STOPPING=1"]


def test_a_central_that_waits_for_its_clock_counts_as_started(tmp_path: Path) -> None:
    manager, now = Manager(str(tmp_path / "notify")), [0.0]
    told = Service({"NOTIFY_SOCKET": manager.address})

    async def set_the_clock() -> None:
        waiting = asyncio.create_task(
            clock_wait.until_right(
                "h-hub", BrokerConfig(port=free_port()), lambda: now[0], 0.01, service=told
            )
        )
        await asyncio.sleep(0.1)
        assert manager.heard() == [["READY=1", "STATUS=clock-wrong"]]
        now[0] = 2e9
        await waiting

    asyncio.run(asyncio.wait_for(set_the_clock(), 10))
    assert manager.heard() == [["WATCHDOG=1"]], "what comes next may take as long as a sign of life lasts"
    manager.close()
