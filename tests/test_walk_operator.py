"""The first hour of an operator with three radios and a Pi, once the radios were found.

Links, what is normal, where alarms go, live screens, a radio that is unplugged: the real programs, over
simulated radios. How radios are found and opened by their cards is tests/test_walk.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import parts
import pytest
from test_mqtt_client import mosquitto, until
from test_walk_newcomer import SLACK
from tmux_screen import Screen

from ayni_core.wire import topics
from ayni_core.wire.messages import LabDo
from ayni_core.wire.shape import pack
from ayni_hub.home import Home
from ayni_io import configs, yamlwrite
from ayni_io.mqtt import BrokerConfig, MqttClient

AYNI = [sys.executable, "-P", "-m", "ayni_io.cli"]
RADIOS = {"molino-sector": ("Radio Molino", "Molino"), "huerta-radio": ("Radio Huerta", "Huerta"),
          "quebrada-radio": ("Radio Quebrada", "Quebrada")}  # fmt: skip


class Lab:
    """Simulated radios on ports of 127.0.0.1, which may be killed and replaced."""

    def __init__(self, folder: Path, port: int) -> None:
        self._broker = BrokerConfig(port=port)
        self.ports: dict[str, int] = json.loads((folder / "ports.json").read_text())

    def do(self, what: LabDo) -> None:
        async def tell() -> None:
            client = MqttClient(self._broker, "hand")
            running = asyncio.create_task(client.run())
            await until(lambda: client.connected)
            await client.publish(topics.lab_do("ana"), pack(what))
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

        asyncio.run(tell())


class Messages(http.server.ThreadingHTTPServer):
    """Where alarms go: it keeps what is posted."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        super().__init__(("127.0.0.1", 0), _Post)


class _Post(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Messages)
        length = int(self.headers.get("Content-Length", "0"))
        self.server.heard.append(self.rfile.read(length).decode())
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is told."""


@pytest.fixture
def messages() -> Iterator[Messages]:
    server = Messages()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    parts.need("mosquitto")
    folder, port = tmp_path / "lab", parts.free_port()
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "community").write_text("lookhere\n")
    config = {
        "broker": {"port": port},
        "network": str(configs.find("network.yaml")),
        "scenario": str(configs.find("scenarios/red-cerro-norte.yaml")),
        "community": f"file:{folder / 'community'}",
        "ports": str(folder / "ports.json"),
    }
    yamlwrite.write(folder / "lab.yaml", config)
    command = [*AYNI, "lab", "simulate", "--config", str(folder / "lab.yaml")]
    with mosquitto(folder, port), parts.running(command, folder / "lab.log"):
        parts.wait_until((folder / "ports.json").is_file, "simulated radios", within_s=20)
        yield Lab(folder, port)


def test_from_found_radios_to_an_alarm_that_clears(tmp_path: Path, lab: Lab, messages: Messages) -> None:
    began = time.monotonic()
    home = Home(tmp_path / ".local" / "share" / "ayni")
    environment = {"XDG_RUNTIME_DIR": str(tmp_path)}
    own = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": "", **environment}

    def ayni(*words: str) -> str:
        done = subprocess.run([*AYNI, *words], capture_output=True, text=True, timeout=60, env=own)
        assert done.returncode in (0, 1), done.stderr
        return done.stdout

    ayni("start", "--network", "Red Uno", "--site", "Molino", "--name", "Ana", "--no-console")
    try:
        text = home.network_path.read_text()
        quick = text.replace("poll_s: 60", "poll_s: 5").replace("flush_s: 300", "flush_s: 5")
        home.network_path.write_text(quick)
        rows = [
            f"{title},{site},127.0.0.1:{lab.ports[name]},community\n"
            for name, (title, site) in RADIOS.items()
        ]
        table = tmp_path / "lab" / "radios.csv"
        table.write_text("title,site,address,community_file\n" + "".join(rows))
        ayni("network", "import", str(table))

        with Screen.running(
            [*AYNI, "network", "next"], tmp_path, size=(80, 60), environment=environment
        ) as screen:
            screen.wait("● Radio Molino answers.", within_s=30 * SLACK)
            screen.wait("Radio Huerta and Radio Molino look like one link", within_s=45 * SLACK)
            screen.wait("Write it down")
            screen.press("Enter")
            screen.wait("What do people call it")
            screen.press("Enter")
            screen.wait(r"Radio Huerta hears -6\d dBm, Radio Molino hears -6\d dBm")
            screen.wait("kept as when new")
            screen.press("Enter")
            screen.wait("is written down")
            screen.wait("Where do alarms go")
            screen.type("nothing://at.all")
            screen.wait("NOT sent")
            screen.type(f"json://127.0.0.1:{messages.server_port}/")
            screen.wait("Did the test message arrive", within_s=20)
            assert any("Red Uno" in each for each in messages.heard)
            screen.press("Enter")
            screen.wait("Alarms go there from now on")
            screen.wait("sudo systemctl enable ayni")
            screen.wait(lambda _text: screen.ended())
        network = home.network()
        (link,) = network.links.values()
        assert all(end.measured and end.expected_dbm is not None for end in (link.a, link.b))
        assert f"{messages.server_port}" not in home.network_path.read_text(), "an address is a secret"
        assert "--foreground" in (home.folder / "ayni.service").read_text()

        with Screen.running([*AYNI, "start"], tmp_path, environment=environment) as screen:
            screen.wait(rf"● {link.title} +-6\d/-6\d", within_s=30 * SLACK)
            lab.do(LabDo(do="break", what="radio-huerta"))
            broken = time.monotonic()
            screen.wait(rf"■ DOWN +{link.title}", within_s=3 * 5 * SLACK)
            assert time.monotonic() - broken < 3 * 5 * SLACK
            told = lambda: any(link.title in each for each in messages.heard)  # noqa: E731
            parts.wait_until(told, "an alarm where alarms go", within_s=20)
            lab.do(LabDo(do="repair", what="swap-huerta-radio"))
            screen.wait(rf"● {link.title}", within_s=20 * SLACK)
            screen.press("C-q")
            screen.wait("The network goes on in the background")
        assert "Red Uno" in ayni("status"), "every command finds the network of this machine by itself"
    finally:
        ayni("stop")
    assert time.monotonic() - began < 60 * SLACK
