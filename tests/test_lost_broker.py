"""The console when the way to the central breaks: it says so, goes on working, and comes back by itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import parts
import pretend_central
import pytest
from console_village import retained
from cut_line import CutLine
from test_mqtt_client import Heard, mosquitto, until
from tmux_screen import Screen

from ayni_console.client import ConsoleClient
from ayni_core.wire import topics
from ayni_core.wire.messages import HubState
from ayni_core.wire.shape import pack
from ayni_io import connection
from ayni_io.mqtt import BrokerConfig

AYNI = [sys.executable, "-P", "-m", "ayni_io.cli"]


def console(port: int, host: str = "127.0.0.1") -> list[str]:
    return [*AYNI, "console", "--broker", f"{host}:{port}", "--user", "ana"]


def body(shown: str) -> list[str]:
    """What Home says, without ages."""
    lines = [re.sub(r"\d+ (s|min|h|days)|\bnow\b|\b\d+[smhd]\b", "#", line) for line in shown.splitlines()]
    return [re.sub(r"#\s+", "# ", line).rstrip() for line in lines[1:]]


def test_killed_broker_banner_everything_usable_and_the_same_picture_afterwards(tmp_path: Path) -> None:
    port = parts.free_port()
    with pretend_central.running(tmp_path, port), Screen.running(console(port), tmp_path) as screen:
        screen.wait(r"NO CONTACT")
        screen.wait("nothing listens")
        with mosquitto(tmp_path, port) as process:
            before = screen.still(lambda text: "LIVE" in text and "Torre-Cerro" in text, body)
            process.send_signal(signal.SIGKILL)
            process.wait(5)
            shown = screen.wait("NO CONTACT")
            assert "No way to the central: 127.0.0.1" in shown.splitlines()[2]
            assert "Torre-Cerro" in shown, "what was known stays"
        screen.press("m")
        shown = screen.wait(r"Map")
        assert "? No way to the central" in "".join(shown.splitlines()[-4:]), "said on every screen"
        screen.press("h", "e")
        screen.wait("There is no way to the central just now")
        screen.press("h", "n")
        screen.wait("Note on")
        screen.type("It is raining")
        screen.wait("The note is kept and goes later")
        screen.wait(r"NO CONTACT \d+s")
        with mosquitto(tmp_path, port):
            screen.press("h")
            after = screen.wait(lambda text: "LIVE" in text and "No way" not in text)
            screen.wait(lambda text: body(text) == body(before))  # a notice is still there
            assert "DO FIRST" in after
        screen.press("C-q")
        screen.wait(lambda _text: screen.ended())


def test_a_suspended_laptop_wakes_up_to_the_truth(tmp_path: Path) -> None:
    port = parts.free_port()
    with pretend_central.running(tmp_path, port), Screen.running(console(port), tmp_path) as screen:
        with mosquitto(tmp_path, port):
            screen.wait(lambda text: "LIVE" in text and "Torre-Cerro" in text)
            os.kill(screen.pid(), signal.SIGSTOP)
        time.sleep(1)  # the broker is gone, and nobody here has noticed
        os.kill(screen.pid(), signal.SIGCONT)
        screen.wait("NO CONTACT")
        os.kill(screen.pid(), signal.SIGSTOP)
        with mosquitto(tmp_path, port):
            os.kill(screen.pid(), signal.SIGCONT)
            screen.wait("LIVE")


@pytest.fixture
def cable() -> Iterator[tuple[str, str, str]]:
    """A machine at the other end of a cable: its network namespace, our address, our end of the cable."""
    ip = shutil.which("ip", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    name = f"ay{secrets.token_hex(3)}"
    if ip is None or subprocess.run([ip, "netns", "add", name], capture_output=True).returncode:
        pytest.skip("no network of its own may be made here")
    net = f"10.{200 + secrets.randbelow(50)}.{secrets.randbelow(250)}"
    steps = (
        f"link add {name} type veth peer name far netns {name}",
        f"addr add {net}.1/24 dev {name}",
        f"link set {name} up",
        f"-n {name} addr add {net}.2/24 dev far",
        f"-n {name} link set far up",
        f"-n {name} link set lo up",
    )
    try:
        for step in steps:
            subprocess.run([ip, *step.split()], check=True, capture_output=True)
        yield name, f"{net}.1", name
    finally:
        subprocess.run([ip, "netns", "del", name], capture_output=True)


def test_a_pulled_cable_is_noticed_and_a_plugged_one_too(tmp_path: Path, cable: tuple[str, str, str]) -> None:
    place, address, our_end = cable
    port = parts.free_port()
    ip = ["ip", "link", "set", our_end]
    with (
        mosquitto(tmp_path, parts.free_port(), f"listener {port} {address}"),
        pretend_central.running(tmp_path, port, address),
        Screen.running(["ip", "netns", "exec", place, *console(port, address)], tmp_path) as screen,
    ):
        screen.wait(lambda text: "LIVE" in text and "Torre-Cerro" in text)
        subprocess.run([*ip, "down"], check=True)
        screen.press("e")  # asks the central
        screen.wait("NO CONTACT")
        screen.press("h")
        screen.wait("DO FIRST")
        subprocess.run([*ip, "up"], check=True)
        screen.wait(lambda text: "LIVE" in text and "No way" not in text)


def test_what_was_cleared_meanwhile_is_gone_afterwards(tmp_path: Path) -> None:
    """The broker tells what there is; that something is no more it tells only those who are there."""
    port = parts.free_port()

    async def run() -> None:
        line = CutLine(port)
        await line.mend()
        client = ConsoleClient(BrokerConfig(port=line.port), "ana")
        async with Heard(BrokerConfig(port=port), "hub") as hub:
            await until(lambda: hub.client.connected)
            for topic, payload in retained(time.time()):
                await hub.client.publish(topic, payload, retain=True)
            running = asyncio.create_task(client.run())
            await until(lambda: len(client.model.alerts) == 4 and len(client.model.links) == 4)
            await line.cut()
            await until(lambda: not client.model.connected)
            for topic in (topics.alert("a1"), topics.net("link", "torre-clinica")):
                await hub.client.publish(topic, b"", retain=True)
            assert len(client.model.alerts) == 4, "nobody has told us"
            await line.mend()
            while client.model.unconfirmed or not client.model.connected:
                await hub.client.publish(topics.BEAT, pack(HubState(state="ready", at=time.time())), qos=0)
                await asyncio.sleep(0.2)
            assert sorted(client.model.alerts) == ["a2", "a3", "a4"]
            assert sorted(client.model.links) == ["cerro-molino", "escuela-cerro", "torre-cerro"]
            assert len(client.model.sites) == 5
            assert client.model.title("alert", "a2") == "a2"
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    with mosquitto(tmp_path, port):
        asyncio.run(asyncio.wait_for(run(), 120))


def test_a_real_central_says_everything_again_to_a_broker_that_has_forgotten_it(tmp_path: Path) -> None:
    """kill -9 takes from the broker what it retained since it last wrote to disk."""
    parts.need("mosquitto")
    folder = tmp_path / "ayni"
    environment = {**os.environ, "AYNI_LANG": "en", "XDG_RUNTIME_DIR": str(tmp_path)}
    first = ("--network", "Red", "--site", "Torre", "--name", "Ana", "--no-console", "--dir", str(folder))
    started = subprocess.run([*AYNI, "start", *first], capture_output=True, text=True, env=environment)
    assert started.returncode == 0, started.stderr
    try:
        asyncio.run(asyncio.wait_for(_killed_and_back(folder), 120))
    finally:
        subprocess.run([*AYNI, "stop", "--dir", str(folder)], capture_output=True, env=environment)


async def _killed_and_back(folder: Path) -> None:
    made = connection.read(folder / connection.NAME)
    client = ConsoleClient(made.broker, made.user)
    model = client.model

    def picture() -> object:
        shown = (model.community, sorted(model.sites), sorted(model.devices), sorted(model.nodes))
        return (*shown, sorted(model.alerts), {name: device.state for name, device in model.devices.items()})

    async def until_live() -> None:
        while model.contact(time.time()) != "live" or not model.devices:
            await asyncio.sleep(0.1)
        version = -1
        while version != model.version:
            version = model.version
            await asyncio.sleep(0.5)

    running = asyncio.create_task(client.run())
    try:
        await until_live()
        before = picture()
        broker = json.loads((folder / "running.json").read_text())["parts"]["broker"]
        os.kill(broker, signal.SIGKILL)
        while model.connected:
            await asyncio.sleep(0.02)
        assert model.contact(time.time()) == "broker"
        assert model.trouble.startswith("127.0.0.1:")
        await until_live()
        assert picture() == before
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
