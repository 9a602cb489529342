"""A monitor in wrong hands: its account is valid, and it sends hostile payloads as fast as it can.

    bench/malicious.py [--json] [--seconds 30] [--rate 1000]

A real hub and a real Mosquitto with accounts. An honest monitor sends a report each 50 ms and waits for its
acknowledgement, first alone, then while the other one attacks from a process of its own: rubbish, bombs,
reports of foreign devices, heavy reports, valid ones under ever new epochs and boots, the same one again,
births and command states, topics of others, retained messages on topics of its own invention. In the end it
is looked whether it read or wrote anything of others, and what it has cost on the disk."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import measure
import scale
from measure import Figure

from ayni_core.readings import Series
from ayni_core.wire import codec, topics
from ayni_core.wire.frame import ANSWERED, DevicePolls, Frame
from ayni_core.wire.messages import Ack, CommandState, HubState, NodeState
from ayni_core.wire.shape import pack, unpack
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.ledger import Ledger
from ayni_io import accounts, broker, yamlwrite
from ayni_io.mqtt import BrokerConfig, MqttClient, MqttDenied, MqttError
from ayni_io.secret import Secret

GOOD, EVIL = "good-pi", "evil-pi"
ACCOUNTS = ("h-hub", f"n-{GOOD}", f"n-{EVIL}", "p-ana")
SIGNAL, COUNT = Series("radio", "wlan0", "signal_dbm"), Series("interface", "eth0", "in_octets")
EVERY_S = 0.05
_HEAVY_POLLS, _HEAVY_SERIES = 500, 100


def frame(node: str, epoch: str, seq: int, *, device: str = "", boot: str = "b", value: int = 0) -> bytes:
    """One report of one poll."""
    polls = DevicePolls()
    polls.add(0.0, {ANSWERED: 1, SIGNAL: -60, COUNT: value or seq})
    made = Frame(
        node=node, epoch=epoch, seq=seq, boot=boot, mono_s=time.monotonic(), wall_s=time.time(),
        synced=True, next_by_s=310, devices={device or f"{node}-ap": polls},
    )  # fmt: skip
    return codec.encode(made, "field")


def heavy(seq: int) -> bytes:
    """50,000 readings in a few hundred bytes."""
    times = [float(at) for at in range(_HEAVY_POLLS)]
    values = {Series("interface", f"e{at}", "in_octets"): [7] * _HEAVY_POLLS for at in range(_HEAVY_SERIES)}
    made = Frame(
        node=EVIL, epoch="heavy", seq=seq, boot="b", mono_s=1000.0 + seq, wall_s=time.time() - 3600,
        synced=True, next_by_s=310,
        devices={f"{EVIL}-ap": DevicePolls(times_s=times, values=values)},  # type: ignore[arg-type]
    )  # fmt: skip
    return codec.encode(made, "field")


# ---- the attacker


def weapons(chance: random.Random) -> Iterator[tuple[str, bytes, bool]]:
    """(topic, payload, retained) without end."""
    own, bomb = topics.frame(EVIL, "live"), zlib.compress(b" " * 20_000_000, 9)
    brackets = zlib.compress(b"[" * 900_000)
    history, same = topics.frame(EVIL, "history"), frame(EVIL, "same", 1)
    big = [heavy(seq) for seq in range(20)]
    seq = 0
    while True:
        seq += 1
        yield own, chance.randbytes(400), False
        yield own, bomb, False
        yield own, brackets, False
        yield own, frame(EVIL, "foreign", seq, device=f"{GOOD}-ap"), False
        yield own, frame(GOOD, "forged", seq), False
        yield own, big[seq % len(big)], False
        yield history, frame(EVIL, f"{chance.getrandbits(64):016x}", 1, boot=f"boot-{seq}"), False
        yield own, frame(EVIL, "clone", 1, value=seq), False
        yield history, same, False
        yield topics.state(EVIL), pack(NodeState(up=seq % 2 == 0, boot=f"b{seq}", mono_s=1.0)), True
        yield topics.done(EVIL), pack(CommandState(id=f"ana.{seq}", do="poll", state="done")), True
        # what is not its own
        yield topics.frame(GOOD, "live"), frame(GOOD, "forged", seq), False
        yield topics.state(GOOD), pack(NodeState(up=False)), True
        yield topics.ack(GOOD), pack(Ack(epoch="e", stored=((1, 1 << 40),))), False
        yield topics.HUB, pack(HubState(state="gone")), True
        yield topics.cmd(GOOD), b"{}", False
        yield topics.alert("forged"), b"{}", True
        yield f"{topics.done(EVIL)}/{seq}", chance.randbytes(4000), True
        yield f"{topics.frame(EVIL, 'live')}{seq}", chance.randbytes(4000), True


async def attack(port: int, password: str, rate: float, seconds: float) -> None:
    """Send, and print what was sent and what was heard of others."""
    heard: set[str] = set()
    account = BrokerConfig(port=port, username=f"n-{EVIL}", password=Secret(password))
    client = MqttClient(account, EVIL, window=100)
    client.on_message = lambda topic, _payload, _retained: heard.add(topic)
    own = {topics.HUB, topics.ack(EVIL), topics.cmd(EVIL)}
    wanted = ("#", "ayni/v1/#", "ayni/v1/in/#", "$share/x/ayni/v1/in/#", "$CONTROL/#", topics.HUB)
    client.subscribe(*wanted, topics.ack("+"), topics.cmd(GOOD))
    running = asyncio.create_task(client.run())
    while not client.connected:  # noqa: ASYNC110  a bench waits for its broker
        await asyncio.sleep(0.05)
    made = list(itertools.islice(weapons(random.Random(1)), min(int(rate * seconds), 20_000)))
    begun, sent, lost = time.monotonic(), 0, 0
    flying: set[asyncio.Task[None]] = set()

    async def fire(topic: str, payload: bytes, retained: bool) -> None:
        nonlocal lost
        try:  # at QoS 1 the broker has to keep it for the hub
            await client.publish(topic, payload, qos=1, retain=retained)
        except MqttDenied:
            pass
        except MqttError:
            lost += 1

    for topic, payload, retained in itertools.cycle(made):
        task = asyncio.create_task(fire(topic, payload, retained))
        flying.add(task)
        task.add_done_callback(flying.discard)
        sent += 1
        ahead_s = sent / rate - (time.monotonic() - begun)
        if ahead_s > 0.01 or len(flying) > 200:
            await asyncio.sleep(max(ahead_s, 0.001))
        if time.monotonic() - begun >= seconds:
            break
    took_s = time.monotonic() - begun
    print(json.dumps({"rate": (sent - lost) / took_s, "heard": sorted(heard - own)}), flush=True)
    running.cancel()


# ---- the honest one


@dataclass(slots=True)
class Honest:
    """Sends, and measures how long each acknowledgement takes."""

    client: MqttClient
    sent_at: dict[int, float] = field(default_factory=dict)
    took_s: list[float] = field(default_factory=list)
    seq: int = 0

    def heard(self, topic: str, payload: bytes, _retained: bool) -> None:
        if topic != topics.ack(GOOD):
            return
        for first, last in unpack(Ack, payload).stored:
            for seq in range(first, min(last, self.seq) + 1):
                begun = self.sent_at.pop(seq, None)
                if begun is not None:
                    self.took_s.append(time.monotonic() - begun)

    async def send(self, seconds: float) -> list[float]:
        """For so long; how long what was sent meanwhile waited, at least so far."""
        self.took_s = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.seq += 1
            self.sent_at[self.seq] = time.monotonic()
            await self.client.publish(topics.frame(GOOD, "live"), frame(GOOD, "e", self.seq))
            await asyncio.sleep(EVERY_S)
        for _each in range(100):
            if not self.sent_at:
                break
            await asyncio.sleep(0.05)
        waiting = [time.monotonic() - begun for begun in self.sent_at.values()]
        return self.took_s + waiting


def set_up(folder: Path, port: int) -> list[str]:
    """The network, its accounts, and the broker's command line."""
    found = broker.find_mosquitto()
    if found is None:
        raise SystemExit("bench/malicious.py: Mosquitto is not installed")
    devices = {
        f"{node}-ap": {"site": "s", "node": node, "address": f"10.0.0.{at + 1}"}
        for at, node in enumerate((GOOD, EVIL))
    }
    raw = {
        "network": {"title": "T"}, "sites": {"s": {}}, "people": {"ana": {}},
        "nodes": {node: {"site": "s"} for node in (GOOD, EVIL)}, "devices": devices,
    }  # fmt: skip
    yamlwrite.write(folder / "network.yaml", raw, comment="Made by a benchmark.")
    for name in ("data", "broker"):
        (folder / name).mkdir()
    passwords = accounts.prepare(ACCOUNTS, folder / "secrets")
    accounts.write(folder / "accounts.json", accounts.dynamic_security(passwords, {"p-ana": "operator"}))
    config = {
        "broker": {"port": port, "username": "h-hub", "password": f"file:{folder / 'secrets/h-hub'}"},
        "network": str(folder / "network.yaml"), "data_dir": str(folder / "data"),
    }  # fmt: skip
    yamlwrite.write(folder / "hub.yaml", config, comment="Made by a benchmark.")
    path = folder / "mosquitto.conf"
    text = broker.configuration(
        found, port=port, accounts=folder / "accounts.json", data_dir=folder / "broker"
    )
    path.write_text(text.replace("autosave_interval 300", "autosave_interval 1"))
    return [str(found.program), "-c", str(path)]


def size_mb(folder: Path) -> float:
    """What the hub, its broker and their logs have on the disk."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


@dataclass(slots=True)
class Found:
    """What was measured."""

    calm_s: list[float]
    attacked_s: list[float]
    rate: float
    heard: list[str]
    disk_mb: float
    forged: int
    told: int


async def run(folder: Path, seconds: float, rate: float) -> Found:
    """Both phases."""
    port = broker.free_port()
    argv = set_up(folder, port)
    password = {name: (folder / "secrets" / name).read_text().strip() for name in ACCOUNTS}
    hub = [sys.executable, "-m", "ayni_io.cli", "hub", "run", "--config", str(folder / "hub.yaml")]
    with scale.process(argv, folder / "broker.log"), scale.process(hub, folder / "hub.log"):
        ready = asyncio.Event()
        there = BrokerConfig(port=port, username=f"n-{GOOD}", password=Secret(password[f"n-{GOOD}"]))
        client = MqttClient(there, "good", window=100)
        honest = Honest(client)

        def heard(topic: str, payload: bytes, retained: bool) -> None:
            if topic == topics.HUB and unpack(HubState, payload).state == "ready":
                ready.set()
            honest.heard(topic, payload, retained)

        client.on_message = heard
        client.subscribe(topics.HUB, topics.ack(GOOD))
        running = asyncio.create_task(client.run())
        await asyncio.wait_for(ready.wait(), 60)
        await honest.send(1.0)
        calm_s = await honest.send(seconds / 2)
        before_mb = size_mb(folder)
        evil = [
            sys.executable,
            __file__,
            "--attack",
            str(port),
            "--seconds",
            str(seconds),
            "--rate",
            str(rate),
        ]
        with subprocess.Popen(evil, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220
            assert process.stdin is not None
            process.stdin.write(password[f"n-{EVIL}"] + "\n")
            process.stdin.flush()
            await asyncio.sleep(1.0)
            attacked_s = await honest.send(seconds - 1.0)
            said, _none = await asyncio.to_thread(process.communicate)
        await asyncio.sleep(2.0)
        grown_mb = size_mb(folder) - before_mb
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    result = json.loads(said)
    with contextlib.closing(Ledger(folder / "data/ledger.db")) as ledger:
        told = sum(event.kind == "node" and event.name == EVIL for event in ledger.events(None, 100_000))
        forged = sum(ledger.seen(GOOD, "forged", seq) for seq in range(1, 1000))
    with contextlib.closing(EmbeddedStore(folder / "data/store.db")) as store:
        numbers = [value for _at, value in store.raw(f"{GOOD}-ap", COUNT, 0, 4e9)]
        wrong = set(numbers) ^ set(range(1, honest.seq + 1))
        forged += len(numbers) - len(set(numbers)) + len(wrong)
    return Found(calm_s, attacked_s, result["rate"], result["heard"], grown_mb, forged, told)


def p99(found: list[float]) -> float:
    """Of the acknowledgements, in seconds."""
    return sorted(found)[min(int(len(found) * 0.99), len(found) - 1)] if found else float("inf")


def main() -> int:
    """Measure and print; 1 when the attacker read or wrote what is not its own, or others had to wait."""
    parser = measure.arguments((__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0, help="of attack (default: 30)")
    parser.add_argument("--rate", type=float, default=1000.0, help="messages a second (default: 1000)")
    parser.add_argument("--attack", type=int, help="be the attacker, against the broker on this port")
    arguments = parser.parse_args()
    if arguments.attack:
        password = sys.stdin.readline().strip()
        asyncio.run(attack(arguments.attack, password, arguments.rate, arguments.seconds))
        return 0
    with tempfile.TemporaryDirectory(prefix="ayni-bench-") as name:
        found = asyncio.run(run(Path(name), arguments.seconds, arguments.rate))
    figures = [
        Figure(key="malicious_rate", value=round(found.rate), unit="1/s"),
        Figure(key="malicious_calm_ack_p99_s", value=round(p99(found.calm_s), 3), unit="s"),
        Figure(key="malicious_ack_p99_s", value=round(p99(found.attacked_s), 3), unit="s", target=2),
        Figure(key="malicious_heard_of_others", value=len(found.heard), unit="", target=0),
        Figure(key="malicious_written_for_others", value=found.forged, unit="", target=0),
        Figure(key="malicious_events", value=found.told, unit="", target=100),
        Figure(key="malicious_disk_mb", value=round(found.disk_mb, 1), unit="MB", target=150),
    ]
    measure.report("malicious", figures, as_json=arguments.json)
    return int(not all(figure.met() is not False for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
