"""How large a network one hub carries: a real hub and a real Mosquitto, monitors simulated at the MQTT level.

    bench/scale.py [--json] [--sites 1000] [--minutes 10]

Every site is the reference site (10 devices, 560 samples a round, polled every 60 s) under names of its own,
linked to its parent in a tree of four branches, and reports every five minutes, all of them evenly spread.
The driver sends their frames and listens for acknowledgements and for what the hub tells. CPU time and memory
are those of the hub's process; its first minute is not in the share of the core.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import measure
import reference_site
from measure import Figure

from ayni_core.wire import codec, topics
from ayni_core.wire.frame import Frame
from ayni_core.wire.messages import Ack, HubState, NodeState
from ayni_core.wire.shape import pack, unpack
from ayni_io import yamlwrite
from ayni_io.broker import find_program
from ayni_io.mqtt import BrokerConfig, MqttClient

POLL_S, FLUSH_S = reference_site.POLL_S, reference_site.FLUSH_S
WARM_S = 60.0
BRANCHES = 4
EPOCH, BOOT = "5b1e0c77a2d94f03", "3c0f7c5a-2f0e-4a57-9a43-6d1e7a5b9c21"
_START_S = 600.0


def node_name(site: int) -> str:
    return f"n{site:05d}"


def inventory(sites: int, devices: list[str]) -> dict[str, Any]:
    """network.yaml of so many sites in a tree."""
    raw: dict[str, Any] = {
        "network": {"title": "bench", "poll_s": POLL_S, "flush_s": FLUSH_S},
        "people": {"eva": {"title": "Eva", "role": "operator"}},
        "sites": {}, "nodes": {}, "devices": {}, "links": {},
        "upstreams": {"provider": {"device": f"{node_name(0)}-router-cerro", "interface": "eth0"}},
    }  # fmt: skip
    for number in range(sites):
        name = node_name(number)
        raw["sites"][name] = {"homes": 10}
        raw["nodes"][name] = {"site": name}
        for device in devices:
            raw["devices"][f"{name}-{device}"] = {
                "site": name, "node": name, "address": "127.0.0.1", "community": "env:NONE",
            }  # fmt: skip
        if number:
            parent = node_name((number - 1) // BRANCHES)
            raw["links"][name] = {
                "a": {"device": f"{name}-radio-torre"},
                "b": {"device": f"{parent}-radio-loma"},
            }
    return raw


@dataclass(slots=True)
class Usage:
    """What a process has used."""

    at: float
    cpu_s: float
    rss_mb: float

    @classmethod
    def of(cls, pid: int) -> Usage:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        ticks = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
        return cls(time.monotonic(), ticks, pages * os.sysconf("SC_PAGE_SIZE") / 1e6)


@dataclass(slots=True)
class Crowd:
    """All monitors in one: sends their frames, and notes when each was acknowledged."""

    client: MqttClient
    sites: int
    sent: dict[tuple[str, int], float] = field(default_factory=dict)
    acked_s: list[float] = field(default_factory=list)
    told: int = 0
    alerts: set[str] = field(default_factory=set)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    def heard(self, topic: str, payload: bytes, _retained: bool) -> None:
        if topic == topics.HUB:
            if unpack(HubState, payload).state == "ready":
                self.ready.set()
        elif topic.startswith(topics.ack("")):
            for first, last in unpack(Ack, payload).stored:
                for seq in range(first, last + 1):
                    sent = self.sent.pop((topic.rpartition("/")[2], seq), None)
                    if sent is not None:
                        self.acked_s.append(time.monotonic() - sent)
        elif topic.startswith(topics.alert("")):
            (self.alerts.add if payload else self.alerts.discard)(topic)
        else:
            self.told += 1

    async def begin(self) -> None:
        for number in range(self.sites):
            state = NodeState(
                up=True, epoch=EPOCH, boot=BOOT, version="bench", devices=10, poll_s=POLL_S,
                flush_s=FLUSH_S, at=time.time(), mono_s=time.monotonic(),
            )  # fmt: skip
            await self.client.publish(topics.state(node_name(number)), pack(state), retain=True)

    async def send(self, until: float) -> None:
        """Frames evenly spread over the flush time; late ones follow at once."""
        made = reference_site.site()
        shown = list(made.frames(3))
        begun, number = time.monotonic(), 0
        gap_s = FLUSH_S / self.sites
        while time.monotonic() < until:
            wait_s = begun + number * gap_s - time.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            turn, site = divmod(number, self.sites)
            number += 1
            await self._send(shown[turn % len(shown)], site, turn + 1)

    async def _send(self, shown: Frame, site: int, seq: int) -> None:
        name = node_name(site)
        now = time.time()
        frame = replace(
            shown, node=name, epoch=EPOCH, boot=BOOT, seq=seq, mono_s=time.monotonic() - FLUSH_S,
            wall_s=now - FLUSH_S, made_s=time.monotonic(), next_by_s=FLUSH_S + 10,
            devices={f"{name}-{device}": polls for device, polls in shown.devices.items()},
        )  # fmt: skip
        payload = codec.encode(frame, "field")
        self.sent[name, seq] = time.monotonic()
        await self.client.publish(topics.frame(name, "live"), payload)


@contextlib.contextmanager
def process(argv: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        found = subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT, cwd=log.parent)
    try:
        yield found
    finally:
        found.send_signal(signal.SIGTERM)
        try:
            found.wait(20)
        except subprocess.TimeoutExpired:
            found.kill()


def mosquitto(folder: Path) -> tuple[list[str], int]:
    program = find_program("mosquitto")
    if program is None:
        sys.exit("bench/scale.py: mosquitto is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nsocket_domain ipv4\nallow_anonymous true\n"
        "max_inflight_messages 100\nmax_queued_messages 100000\n"
    )
    return [str(program), "-c", str(config)], port


@dataclass(slots=True)
class Found:
    """What a run told."""

    start_s: float = 0.0
    first: Usage | None = None
    last: Usage | None = None
    peak_mb: float = 0.0
    acked_s: list[float] = field(default_factory=list)
    waiting: int = 0
    told: int = 0


async def run(folder: Path, sites: int, minutes: float) -> Found:
    """Let a hub work for so many minutes."""
    found = Found()
    devices = sorted(reference_site.site().devices)
    yamlwrite.write(folder / "network.yaml", inventory(sites, devices), comment="Made by a benchmark.")
    (folder / "data").mkdir()
    argv, port = mosquitto(folder)
    yamlwrite.write(
        folder / "hub.yaml",
        {
            "name": "hub", "broker": {"host": "127.0.0.1", "port": port},
            "network": str(folder / "network.yaml"), "data_dir": str(folder / "data"),
        },
        comment="Made by a benchmark.",
    )  # fmt: skip
    with process(argv, folder / "broker.log"):
        await asyncio.sleep(0.5)
        client = MqttClient(BrokerConfig(port=port), "crowd", window=100)
        crowd = Crowd(client, sites)
        client.on_message = crowd.heard
        client.subscribe(topics.HUB, topics.ack("+"), topics.alert("+"), topics.net("+", "+"))
        running = asyncio.create_task(client.run())
        begun = time.monotonic()
        hub_argv = [sys.executable, "-m", "ayni_io.cli", "hub", "run", "--config", str(folder / "hub.yaml")]
        with process(hub_argv, folder / "hub.log") as hub:
            try:
                await asyncio.wait_for(crowd.ready.wait(), _START_S)
            except TimeoutError:
                sys.exit(f"bench/scale.py: no hub within {_START_S:g} s\n{(folder / 'hub.log').read_text()}")
            found.start_s = time.monotonic() - begun
            await crowd.begin()
            end = time.monotonic() + minutes * 60
            sending = asyncio.create_task(crowd.send(end))
            await asyncio.sleep(min(WARM_S, minutes * 15))
            found.first, told = Usage.of(hub.pid), crowd.told
            crowd.acked_s.clear()
            while time.monotonic() < end:
                await asyncio.sleep(5)
                found.last = Usage.of(hub.pid)
                found.peak_mb = max(found.peak_mb, found.last.rss_mb)
            await sending
            await asyncio.sleep(5)
            found.acked_s, found.waiting, found.told = crowd.acked_s, len(crowd.sent), crowd.told - told
            if hub.poll() is not None:
                sys.exit(f"bench/scale.py: the hub ended\n{(folder / 'hub.log').read_text()[-2000:]}")
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    return found


def main() -> int:
    """Measure and print."""
    parser = measure.arguments((__doc__ or "").splitlines()[0])
    parser.add_argument("--sites", type=int, default=1000, help="how many (default: 1000)")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (default: 10)")
    parser.add_argument("--keep", type=Path, help="a folder to leave everything in")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = arguments.keep or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="ayni-bench-"))
        )
        folder.mkdir(exist_ok=True)
        found = asyncio.run(run(folder.absolute(), arguments.sites, arguments.minutes))
    if found.first is None or found.last is None or len(found.acked_s) < 2:
        sys.exit("bench/scale.py: nothing was acknowledged")
    took_s = found.last.at - found.first.at
    share = (found.last.cpu_s - found.first.cpu_s) / took_s
    p99 = statistics.quantiles(found.acked_s, n=100)[98]
    full = arguments.sites == 1000
    figures = [
        Figure(key="scale_core_pct", value=round(100 * share, 1), unit="%", target=25 if full else None),
        Figure(key="scale_rss_mb", value=round(found.peak_mb, 1), unit="MB", target=300 if full else None),
        Figure(key="scale_ack_p99_s", value=round(p99, 2), unit="s", target=2 if full else None),
        Figure(key="scale_ack_median_s", value=round(statistics.median(found.acked_s), 2), unit="s"),
        Figure(key="scale_unacked", value=found.waiting, unit=""),
        Figure(key="scale_start_s", value=round(found.start_s, 1), unit="s"),
        Figure(key="scale_told_per_s", value=round(found.told / took_s, 1), unit="1/s"),
    ]  # fmt: skip
    about = (
        f"{arguments.sites} sites x 10 devices, {arguments.minutes:g} minutes, {len(found.acked_s)} reports"
    )
    measure.report("scale", figures, as_json=arguments.json, notes={"scale": about})
    return 0


if __name__ == "__main__":
    sys.exit(main())
