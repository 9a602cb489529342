"""A hub that is killed over and over while it takes in and compacts: is anything lost, or there twice?

    bench/hub_kills.py [--json] [--kills 100] [--seed 1]

A real hub and a real Mosquitto. Five monitors, simulated at the MQTT level, send numbered reports as fast as
the hub acknowledges them, again until it does, live ones and history. The hub gets SIGKILL after a random
time; in between it rests now and then, so that it has time to compact. In the end every number must be in the
store once.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import measure
import scale
from measure import Figure

from ayni_core.readings import UPTIME, Series, Value
from ayni_core.wire import codec, topics
from ayni_core.wire.frame import ANSWERED, DevicePolls, Frame
from ayni_core.wire.messages import Ack, HubState, NodeState
from ayni_core.wire.shape import pack, unpack
from ayni_hub.embedded import EmbeddedStore, inspection
from ayni_io import yamlwrite
from ayni_io.mqtt import BrokerConfig, MqttClient

NODES, POLLS, POLL_S, FLUSH_S = 5, 5, 60.0, 300.0
COUNT = Series("interface", "eth0", "in_octets")
SIGNAL = Series("radio", "wlan0", "signal_dbm")
EPOCH, BOOT = "5b1e0c77a2d94f03", "3c0f7c5a-2f0e-4a57-9a43-6d1e7a5b9c21"
_AT_ONCE = 40


def report(node: str, seq: int, start: float) -> bytes:
    """The report of this number: always the same."""
    values: dict[Series, list[Value]] = {
        ANSWERED: [1] * POLLS,
        COUNT: [seq * POLLS + at for at in range(POLLS)],
        SIGNAL: [-50 - (seq + at) % 30 for at in range(POLLS)],
        UPTIME: [(seq * POLLS + at) * POLL_S for at in range(POLLS)],
    }
    polls = DevicePolls(times_s=[POLL_S * at for at in range(POLLS)], values=values)
    frame = Frame(
        node=node, epoch=EPOCH, seq=seq + 1, boot=BOOT, mono_s=1000 + seq * FLUSH_S,
        wall_s=start + seq * FLUSH_S, synced=True, next_by_s=FLUSH_S + 60, devices={f"{node}-ap": polls},
    )  # fmt: skip
    return codec.encode(frame, "field")


@dataclass(slots=True)
class Senders:
    """All monitors in one. `safe[node]` is how many reports were acknowledged, counted without a hole."""

    client: MqttClient
    start: float
    chance: random.Random
    next: dict[str, int] = field(default_factory=dict)
    waiting: dict[tuple[str, int], bytes] = field(default_factory=dict)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    resting: bool = False
    again: bool = False

    def heard(self, topic: str, payload: bytes, _retained: bool) -> None:
        if topic == topics.HUB:
            if unpack(HubState, payload).state == "ready":
                self.ready.set()
                self.again = True
            return
        for first, last in unpack(Ack, payload).stored:
            for seq in range(first, last + 1):
                self.waiting.pop((topic.rpartition("/")[2], seq - 1), None)

    async def run(self) -> None:
        while not self.client.connected:  # noqa: ASYNC110  a bench waits for its broker
            await asyncio.sleep(0.05)
        names = [scale.node_name(number) for number in range(NODES)]
        for name in names:
            self.next[name] = 0
            state = NodeState(up=True, epoch=EPOCH, boot=BOOT, version="bench", at=time.time())
            await self.client.publish(topics.state(name), pack(state), retain=True)
        while True:
            await asyncio.sleep(0.005)
            if not self.ready.is_set():
                continue
            if self.again:
                self.again = False
                for (name, _seq), payload in list(self.waiting.items()):
                    await self._send(name, payload)
            for name in names if not self.resting else ():
                if sum(node == name for node, _seq in self.waiting) < _AT_ONCE:
                    seq = self.next[name]
                    self.next[name] += 1
                    payload = self.waiting[name, seq] = report(name, seq, self.start)
                    await self._send(name, payload)

    async def _send(self, name: str, payload: bytes) -> None:
        kind = "live" if self.chance.random() < 0.3 else "history"
        await self.client.publish(topics.frame(name, kind), payload)


@contextlib.contextmanager
def killed_later(argv: list[str], log: Path) -> Iterator[None]:
    """A program that gets SIGKILL on leaving."""
    with log.open("ab") as out, subprocess.Popen(argv, stdout=out, stderr=out) as process:
        try:
            yield
        finally:
            process.kill()


async def run(folder: Path, kills: int, chance: random.Random) -> tuple[dict[str, int], float]:
    """(reports sent by node, seconds) after so many kills, with everything acknowledged."""
    raw = scale.inventory(NODES, ["ap", "radio-torre", "radio-loma", "router-cerro"])
    yamlwrite.write(folder / "network.yaml", raw, comment="Made by a benchmark.")
    (folder / "data").mkdir()
    argv, port = scale.mosquitto(folder)
    config = {
        "name": "hub", "broker": {"host": "127.0.0.1", "port": port},
        "network": str(folder / "network.yaml"), "data_dir": str(folder / "data"),
    }  # fmt: skip
    yamlwrite.write(folder / "hub.yaml", config, comment="Made by a benchmark.")
    hub_argv = [sys.executable, "-m", "ayni_io.cli", "hub", "run", "--config", str(folder / "hub.yaml")]
    begun = time.monotonic()
    with scale.process(argv, folder / "broker.log"):
        await asyncio.sleep(0.5)
        client = MqttClient(BrokerConfig(port=port), "crowd", window=100)
        senders = Senders(client, time.time() - 20 * 86_400, chance)
        client.on_message = senders.heard
        client.subscribe(topics.HUB, topics.ack("+"))
        tasks = [asyncio.create_task(client.run()), asyncio.create_task(senders.run())]
        for turn in range(kills + 1):
            senders.ready.clear()
            with killed_later(hub_argv, folder / "hub.log"):
                await asyncio.wait_for(senders.ready.wait(), 60)
                if turn < kills:
                    senders.resting = chance.random() < 0.4
                    await asyncio.sleep(chance.uniform(0.0, 1.5) + 2.0 * senders.resting)
                else:
                    await _all_safe(senders)
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    return senders.next, time.monotonic() - begun


async def _all_safe(senders: Senders) -> None:
    senders.resting = True
    end = time.monotonic() + 120
    while senders.waiting:
        if time.monotonic() > end:
            raise SystemExit(f"bench/hub_kills.py: {len(senders.waiting)} reports were never acknowledged")
        senders.again = True
        await asyncio.sleep(2)


def main() -> int:
    """Measure and print; 1 when something was lost or doubled."""
    parser = measure.arguments((__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=100, help="how often (default: 100)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder to leave everything in")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="ayni-bench-")
        folder = arguments.keep or Path(stack.enter_context(temporary))
        folder.mkdir(exist_ok=True)
        sent, took_s = asyncio.run(run(folder.absolute(), arguments.kills, random.Random(arguments.seed)))
        path = folder / "data" / "store.db"
        report_ = inspection.look(path)
        store = EmbeddedStore(path)
        lost = doubled = samples = 0
        for name, count in sent.items():
            found = [number for _at, number in store.raw(f"{name}-ap", COUNT, 0, 4e9)]
            samples += len(found)
            lost += len(set(range(count * POLLS)) - set(found))
            doubled += len(found) - len(set(found))
        store.close()
    figures = [
        Figure(key="hub_kills", value=arguments.kills, unit=""),
        Figure(key="hub_kills_lost", value=lost, unit="", target=0),
        Figure(key="hub_kills_doubled", value=doubled, unit="", target=0),
        Figure(key="hub_kills_faults", value=len(report_.faults), unit="", target=0),
        Figure(key="hub_kills_polls", value=samples, unit=""),
        Figure(key="hub_kills_blocks", value=report_.blocks, unit=""),
        Figure(key="hub_kills_s", value=round(took_s), unit="s"),
    ]
    measure.report("hub_kills", figures, as_json=arguments.json)
    return 1 if lost or doubled or report_.faults else 0


if __name__ == "__main__":
    sys.exit(main())
