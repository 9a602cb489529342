"""Bytes a day on the wire: IP, TLS, MQTT, acknowledgements and keepalive in.

    bench/wire.py [--json] [--runs 5]

The frames of the reference site (bench/reference_site.py: 560 samples a minute, a frame every five minutes)
go through the agent's own MQTT client over TLS to a real Mosquitto, and from there to a real hub, which
stores and acknowledges them. Each frame is waited out until nothing more is under way, so that time may run
faster than it does: what TCP acknowledges by itself is counted as on a quiet link. Counted are the packets
of the node's connection (bench/wire_count.py says how).

A day is one connection with its TLS handshake, 288 frames out of the whole day, and the hub's word to nodes
once an hour. There is no ping: the keepalive is longer than the flush.

Beside it, through the same broker and TLS: the same readings as Telegraf-style line protocol and as JSON.
Telegraf sends at QoS 2 by default; here it gets QoS 1, as ours, and QoS 0. Its keepalive is not counted.
"""

from __future__ import annotations

import asyncio
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import measure
import reference_site
import wire_peers
from reference_site import NODE, POLL_S, START_S
from wire_count import CAPTURED, Capture, Count, enter_own_network

from ayni_core import __version__, slices
from ayni_core.wire import codec, topics
from ayni_core.wire.frame import Frame
from ayni_core.wire.messages import Ack, HubState, NodeState
from ayni_core.wire.shape import pack, unpack
from ayni_io import broker, local_broker, yamlwrite
from ayni_io.mqtt import BrokerConfig, MqttClient, Will
from ayni_io.secret import Secret
from ayni_io.stack import Part, Stack, ayni

DAY_FRAMES, DAY_ROUNDS, DAY_HUB_STATES = 288, 1440, 24
FRAMES_A_RUN = {"reference": 24, "large": 8}
ROUNDS_A_RUN = 6
KEEPALIVE_S = 360
LINES = "line protocol, QoS 1"
UNCAPTURED = "TCP_INFO of the connections, with the large segments of a loopback: 4 % too little"
_QUIET_S = 0.15  # three times as long as TCP delays an acknowledgement
MB = 1e6


@dataclass(frozen=True, slots=True)
class Town:
    """A broker with TLS, and a hub that takes in what the node sends."""

    folder: Path
    tls_port: int
    plain_port: int

    def node(self, account: str = f"n-{NODE}") -> BrokerConfig:
        """How a node connects."""
        password = Secret((self.folder / "secrets" / account).read_text().strip())
        return BrokerConfig(
            host="localhost", port=self.tls_port, username=account, password=password,
            ca=self.folder / "ca.pem",
        )  # fmt: skip

    def hub(self) -> BrokerConfig:
        """How something on the hub's own machine connects."""
        password = Secret((self.folder / "secrets" / "h-hub").read_text().strip())
        return BrokerConfig(port=self.plain_port, username="h-hub", password=password)


@asynccontextmanager
async def town(folder: Path, kind: str) -> AsyncIterator[Town]:
    """Everything runs; the inventory has the devices of a site."""
    roles = {"h-hub": "", f"n-{NODE}": "", "p-telegraf": ""}
    extra = {"p-telegraf": topics.Rights(publish=("telegraf/#", "readings/#"), subscribe=())}
    local_broker.write_accounts(folder, roles, extra)
    certificate(folder)
    mosquitto = broker.find_mosquitto()
    if mosquitto is None:
        sys.exit("bench/wire.py: Mosquitto is not installed")
    made = Town(folder, broker.free_port(), broker.free_port())
    part = local_broker.mosquitto_part(folder, mosquitto, made.plain_port, "h-hub")
    config = folder / "broker" / "mosquitto.conf"
    listener = (f"listener {made.tls_port} 127.0.0.1", "socket_domain ipv4", "set_tcp_nodelay true",
                f"certfile {folder}/broker.pem", f"keyfile {folder}/broker.key")  # fmt: skip
    config.write_text(config.read_text() + "\n".join(listener) + "\n")
    facts = slices.BrokerFacts(port=made.plain_port, secrets=str(folder / "secrets"))
    devices = {
        name: {"site": "cerro", "address": f"10.20.3.{i + 1}"}
        for i, name in enumerate(reference_site.site(kind).devices)
    }
    yamlwrite.write(
        folder / "network.yaml",
        {
            "network": {"title": "Reference"},
            "sites": {"cerro": {}},
            "nodes": {NODE: {"site": "cerro"}},
            "devices": devices,
        },
    )
    hub = slices.hub("hub", facts, network_path=f"{folder}/network.yaml", data_dir=f"{folder}/data")
    yamlwrite.write(folder / "hub.yaml", hub)
    stack = Stack(folder)
    try:
        await stack.start(part)
        await stack.start(Part(name="hub", argv=ayni("hub", "run", "--config", str(folder / "hub.yaml"))))
        yield made
    finally:
        await stack.stop()


def certificate(folder: Path) -> None:
    """A private authority and what it signed for the broker, as a network has them: elliptic curves."""
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    (folder / "broker.ext").write_text(
        "subjectAltName=DNS:localhost\nbasicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\n"
        "authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
    )
    for command in (
        ("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Ayni", "-days", "30",
         "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        ("req", *curve, "-keyout", "broker.key", "-out", "broker.csr", "-subj", "/CN=localhost"),
        ("x509", "-req", "-in", "broker.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
         "-days", "30", "-out", "broker.pem", "-extfile", "broker.ext"),
    ):  # fmt: skip
        subprocess.run(["openssl", *command], cwd=folder, check=True, capture_output=True)


class Node:
    """The node's connection, as the agent's courier keeps it."""

    def __init__(self, where: Town) -> None:
        presence = NodeState(
            up=True, epoch="5b1e0c77a2d94f03", boot="3c0f7c5a-2f0e-4a57-9a43-6d1e7a5b9c21",
            version=__version__, devices=10, poll_s=POLL_S, flush_s=300.0, at=START_S, mono_s=86_400.0,
        )  # fmt: skip
        self._presence = pack(presence)
        will = Will(topic=topics.state(NODE), payload=self._presence)
        self.client = MqttClient(where.node(), f"n-{NODE}", keepalive_s=KEEPALIVE_S, will=will)
        self.client.subscribe(topics.ack(NODE), topics.HUB, topics.cmd(NODE))
        self.client.on_message = self._hear
        self._heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()

    def _hear(self, topic: str, payload: bytes, _retained: bool) -> None:
        self._heard.put_nowait((topic, payload))

    async def hears(self, topic: str) -> bytes:
        """Wait for a message on a topic."""
        async with asyncio.timeout(20):
            while True:
                found, payload = await self._heard.get()
                if found == topic:
                    return payload

    async def birth(self) -> None:
        """Say that the agent is there."""
        await self.client.publish(topics.state(NODE), self._presence, retain=True)

    async def send(self, frame: Frame, payload: bytes) -> None:
        """Send a frame and wait until the hub has it."""
        await self.client.publish(topics.frame(NODE, "live"), payload)
        ack = unpack(Ack, await self.hears(topics.ack(NODE)))
        if not any(pair[0] <= frame.seq <= pair[1] for pair in ack.stored):
            sys.exit(f"bench/wire.py: the hub did not store frame {frame.seq}: {ack}")


@dataclass(slots=True)
class Costs:
    """Of one kind of site: what was counted, a value a run or a frame."""

    connect: list[Count] = field(default_factory=list)
    frames: list[list[Count]] = field(default_factory=list)
    hub_state: list[Count] = field(default_factory=list)
    payloads: list[int] = field(default_factory=list)
    encode_ms: list[float] = field(default_factory=list)
    decode_ms: list[float] = field(default_factory=list)

    def day(self) -> list[float]:
        """Bytes a day, by each run."""
        connect = statistics.median(each.octets for each in self.connect)
        hub_state = statistics.median(each.octets for each in self.hub_state)
        return [
            connect + DAY_FRAMES * statistics.mean(each.octets for each in run) + DAY_HUB_STATES * hub_state
            for run in self.frames
        ]


async def counted(capture: Counter, work: Callable[[], object]) -> Count:
    """What some work costs until all is quiet."""
    before = capture.count()
    result = work()
    if asyncio.iscoroutine(result):
        await result
    await asyncio.sleep(_QUIET_S)
    return capture.count() - before


class Counter:
    """A capture, or the kernel's own count of a client's connections."""

    def __init__(self, capture: Capture | None) -> None:
        self.capture = capture
        self.client: MqttClient | None = None

    def count(self) -> Count:
        """Everything so far."""
        if self.capture is not None:
            return self.capture.count()
        assert self.client is not None
        traffic = self.client.traffic()
        return Count(0, traffic.sent_bytes + traffic.received_bytes)


async def our_run(where: Town, counter: Counter, frames: list[Frame], costs: Costs) -> None:
    """One connection and some frames of the day."""
    began = time.process_time()
    payloads = [codec.encode(frame, "field") for frame in frames]
    encoded = time.process_time()
    for payload in payloads:
        codec.decode(payload)
    costs.encode_ms.append(1000 * (encoded - began) / len(frames))
    costs.decode_ms.append(1000 * (time.process_time() - encoded) / len(frames))
    costs.payloads += [len(payload) for payload in payloads]
    node, hub = Node(where), MqttClient(where.hub(), "bench-hub")
    counter.client = node.client
    before = counter.count()
    tasks = [asyncio.create_task(node.client.run()), asyncio.create_task(hub.run())]
    try:
        await node.hears(topics.HUB)
        await node.birth()
        await asyncio.sleep(1.0)  # the hub learns of the birth
        costs.connect.append(counter.count() - before)
        costs.frames.append(
            [
                await counted(counter, lambda one=frame, data=payload: node.send(one, data))
                for frame, payload in zip(frames, payloads, strict=True)
            ]
        )
        state = pack(HubState(state="ready", at=round(time.time(), 1), version=__version__))

        async def hub_speaks() -> None:
            await hub.publish(topics.HUB, state, retain=True)
            await node.hears(topics.HUB)

        costs.hub_state.append(await counted(counter, hub_speaks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def peer_run(where: Town, counter: Counter, messages: list[list[tuple[str, bytes]]], qos: int) -> float:
    """Bytes a day of somebody else's messages, a list a round."""
    client = MqttClient(where.node("p-telegraf"), "telegraf", keepalive_s=60)
    counter.client = client
    connected = asyncio.Event()
    client.on_connect = connected.set
    before = counter.count()
    task = asyncio.create_task(client.run())
    try:
        async with asyncio.timeout(20):
            await connected.wait()
        await asyncio.sleep(_QUIET_S)
        connect = counter.count() - before

        async def one_round(each: list[tuple[str, bytes]]) -> None:
            await asyncio.gather(*(client.publish(topic, payload, qos=qos) for topic, payload in each))

        rounds = [await counted(counter, lambda each=each: one_round(each)) for each in messages]
        return connect.octets + DAY_ROUNDS * statistics.mean(each.octets for each in rounds)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def rounds_of_the_day(run: int) -> list[wire_peers.Round]:
    """Some rounds of polls, spread over a day, with times since 1970."""
    site = reference_site.site()
    step = DAY_ROUNDS // ROUNDS_A_RUN
    return [
        {name: (START_S + at_s, values) for name, (at_s, values) in site.round(number).items()}
        for number in range(run, DAY_ROUNDS, step)
    ][:ROUNDS_A_RUN]


Measured = tuple[dict[str, Costs], dict[str, list[float]]]


async def measured(folder: Path, runs: int, captured: bool) -> Measured:
    """Interleaved runs: what ours cost, by kind of site, and the bytes a day of others."""
    costs = {kind: Costs() for kind in reference_site.KINDS}
    peers: dict[str, list[float]] = {}
    for run in range(runs):
        for kind in reference_site.KINDS:
            place = folder / f"{kind}-{run}"
            place.mkdir()
            async with AsyncExitStack() as stack:
                where = await stack.enter_async_context(town(place, kind))
                capture = stack.enter_context(Capture(where.tls_port)) if captured else None
                counter = Counter(capture)
                some = FRAMES_A_RUN[kind]
                frames = reference_site.site(kind).frames(some, first=run, every=DAY_FRAMES // some)
                await our_run(where, counter, list(frames), costs[kind])
                if kind == "reference":
                    for name, day in (await peers_run(where, counter, rounds_of_the_day(run))).items():
                        peers.setdefault(name, []).append(day)
    return costs, peers


async def peers_run(where: Town, counter: Counter, rounds: list[wire_peers.Round]) -> dict[str, float]:
    """Bytes a day of each of the others, in the same rounds of polls."""
    lines = [list(wire_peers.telegraf(NODE, each)) for each in rounds]
    objects = [list(wire_peers.plain_json(NODE, each)) for each in rounds]
    return {
        LINES: await peer_run(where, counter, lines, 1),
        "line protocol, QoS 0": await peer_run(where, counter, lines, 0),
        "JSON, one object a poll, QoS 1": await peer_run(where, counter, objects, 1),
    }


def main() -> int:
    """Measure, and compare with the targets."""
    arguments = measure.arguments(__doc__.splitlines()[0]).parse_args()
    captured = enter_own_network()
    with tempfile.TemporaryDirectory(prefix="ayni-bench-") as folder:
        costs, peers = asyncio.run(measured(Path(folder), arguments.runs, captured))
    ours, large = costs["reference"], costs["large"]
    day = statistics.median(ours.day())
    telegraf = statistics.median(peers[LINES])
    runs = arguments.runs

    def figure(key: str, value: float, unit: str, target: float | None = None) -> measure.Figure:
        return measure.Figure(key=key, value=float(f"{value:.4g}"), unit=unit, target=target, runs=runs)

    frame = [count for run in ours.frames for count in run]
    figures = [
        figure("wire_mb_per_day", day / MB, "MB", 1.4),
        figure("wire_vs_telegraf", day / telegraf, "", 0.05),
        figure("wire_large_mb_per_day", statistics.median(large.day()) / MB, "MB"),
        figure("wire_frame_bytes", statistics.mean(ours.payloads), "B"),
        figure("wire_frame_cost_bytes", statistics.mean(each.octets for each in frame), "B"),
        figure("wire_connect_bytes", statistics.median(each.octets for each in ours.connect), "B"),
        figure("wire_encode_ms", statistics.median(ours.encode_ms), "ms"),
        figure("wire_decode_ms", statistics.median(ours.decode_ms), "ms"),
        figure("wire_large_frame_bytes", statistics.mean(large.payloads), "B"),
        figure("wire_large_encode_ms", statistics.median(large.encode_ms), "ms"),
        figure("wire_large_decode_ms", statistics.median(large.decode_ms), "ms"),
    ]
    found = [
        measure.Peer(
            name="Telegraf-style" if "line" in name else "others",
            version=name,
            key="mb_per_day",
            value=float(f"{statistics.median(days) / MB:.4g}"),
        )
        for name, days in peers.items()
    ]
    how = (
        CAPTURED
        if captured
        else "TCP_INFO of the connections: no namespace may be made here, headers are undercounted by 4 %"
    )
    notes = {"counted": how, "tls": ssl.OPENSSL_VERSION}
    measure.report("wire", figures, found, notes=notes, as_json=arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
