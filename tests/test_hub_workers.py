"""Two workers and a judge on one broker: what a killed worker had not acknowledged is stored by another."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import parts
import pytest
from sending_node import COUNT, SendingNode

from ayni_core import slices
from ayni_core.schema import ConfigError
from ayni_core.wire import topics
from ayni_core.wire.health import AskHealth, Health
from ayni_core.wire.messages import HubState
from ayni_core.wire.questions import AskEvents, AskHistory, AskReadings, Events, History, Readings
from ayni_hub import config as hub_config
from ayni_hub import handover
from ayni_hub.judge_store import Folders
from ayni_hub.lock import HeldError
from ayni_hub.remote.opening import open_remote
from ayni_io import local_broker, yamlwrite
from ayni_io.onlooker import Onlooker
from ayni_io.stack import Part, Stack, ayni

NODES = [f"pi-{number}" for number in range(8)]
LOW = [node for node in NODES if topics.bucket(node) < 32]
FRAMES = 18
ROLES = {"h-juez": "", "w-uno": "", "w-dos": "", "p-ana": "operator", **{f"n-{node}": "" for node in NODES}}


class Region:
    """A broker, two workers and a judge as processes in one folder."""

    def __init__(self, folder: Path, stack: Stack, local: local_broker.LocalBroker) -> None:
        self.folder, self.stack, self.local = folder, stack, local
        self.shared: dict[str, Any] = {}
        (folder / "network.yaml").write_text(_network())

    def configure(self, name: str, **more: Any) -> None:
        facts = slices.BrokerFacts(port=self.local.port, secrets=str(self.folder / "secrets"))
        account = "h-juez" if name == "juez" else f"w-{name}"
        config = {
            "name": name,
            "broker": slices.broker_section(facts, account),
            "network": str(self.folder / "network.yaml"),
            "data_dir": str(self.folder / name),
            **self.shared,
            **more,
        }
        yamlwrite.write(self.folder / f"{name}.yaml", config)

    def part(self, name: str) -> Part:
        return Part(name=name, argv=ayni("hub", "run", "--config", str(self.folder / f"{name}.yaml")))

    async def kill(self, name: str) -> None:
        os.kill(self.stack.pids()[name], signal.SIGKILL)
        await self.stack.end(name)

    def handover(self, *, buckets: str) -> subprocess.CompletedProcess[str]:
        where = ("--from", str(self.folder / "uno"), "--to", str(self.folder / "dos"))
        command = ayni("hub", "handover", *where, "--buckets", buckets)
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    def far_count(self, node: SendingNode) -> int:
        """How many samples of a node's device the shared server has."""
        store = hub_config.load(self.folder / "juez.yaml").store
        (self.folder / "look").mkdir(exist_ok=True)
        with closing(open_remote(store, self.folder / "look", gap_s=900, oldest_s=0, writes=False)) as far:
            return far.count(f"{node.node}-ap", node.time_of(0), node.time_of(FRAMES + 1))

    def numbers(self, node: str) -> list[int]:
        """What both workers have stored of a node, in the order of time."""
        stores = Folders([self.folder / "uno", self.folder / "dos"], 900.0)
        return [int(str(value)) for _at, value in stores.values(f"{node}-ap", COUNT, 0, 4e9)]


def _network() -> str:
    lines = ["network: {title: Region, poll_s: 60, flush_s: 300}", "people: {ana: {title: Ana}}"]
    lines += ["sites: {s: {}}", "nodes:", *(f"  {node}: {{site: s}}" for node in NODES), "devices:"]
    lines += [f"  {node}-ap: {{site: s, node: {node}, address: 10.0.0.1}}" for node in NODES]
    return "\n".join(lines) + "\n"


@asynccontextmanager
async def region(folder: Path, store: dict[str, str] | None = None) -> AsyncIterator[Region]:
    parts.need("mosquitto")
    local_broker.write_accounts(folder, ROLES)
    stack = Stack(folder)
    try:
        local = await local_broker.start(stack, "h-juez", wanted="mosquitto")
        made = Region(folder, stack, local)
        made.shared = {"store": store} if store else {}
        near = {} if store else {"workers": [str(folder / "uno"), str(folder / "dos")]}
        made.configure("uno", role="worker", buckets=["0-31"])
        made.configure("dos", role="worker", buckets=["32-63"])
        made.configure("juez", role="judge", **near)
        await stack.start(*(made.part(name) for name in ("uno", "dos", "juez")))
        yield made
    except BaseException:
        for log in sorted((folder / "logs").iterdir()):
            print(f"--- {log.name}\n{log.read_text()[-2000:]}")
        raise
    finally:
        await stack.stop()


def hub_of(ana: Onlooker) -> HubState:
    return ana.read(HubState, topics.HUB) or HubState(state="unknown")


async def settled(nodes: list[SendingNode], within_s: float) -> bool:
    for _ in range(int(within_s / 0.05)):
        if not any(len(node.outbox) for node in nodes):
            return True
        await asyncio.sleep(0.05)
    return False


@pytest.mark.parametrize("kind", ["embedded", "victoriametrics"])
def test_a_killed_worker_loses_nothing_and_its_buckets_can_be_handed_to_another(
    tmp_path: Path, kind: str
) -> None:
    """With stores of their own on one machine, and with a server that they share."""
    assert 0 < len(LOW) < len(NODES)
    victoria: parts.VictoriaMetrics | None = None

    async def story(made: Region, ana: Onlooker, nodes: list[SendingNode]) -> None:
        assert await ana.until(lambda: hub_of(ana).state == "ready" and not hub_of(ana).closed, 20)
        first = nodes[0]
        await first.courier._client.publish(topics.frame(first.node, "live"), b"\x78\x9crubbish")
        low = [node for node in nodes if node.node in LOW]
        high = [node for node in nodes if node.node not in LOW]
        for number in range(FRAMES):
            if number == FRAMES // 2:
                await made.kill("uno")
            for node in nodes:
                node.send(live=number >= FRAMES // 3)
            await asyncio.sleep(0.06)
        assert await ana.until(lambda: len(hub_of(ana).closed) == len({topics.bucket(n) for n in LOW}), 10)
        assert hub_of(ana).state == "ready", "the others go on"
        await health_says(ana, {"uno": ("gone", len(LOW)), "dos": ("ready", len(NODES) - len(LOW))})
        assert await settled(high, 20)
        assert all(len(node.outbox) for node in low), "what nobody stored is kept where it was measured"

        with pytest.raises(HeldError, match="dos: a hub runs on it"):
            handover.move(made.folder / "uno", made.folder / "dos", set(range(32)))
        await made.stack.end("dos")
        assert await ana.until(lambda: hub_of(ana).state == "store-down", 10), (
            "who leaves tidily says so, too"
        )
        moved = made.handover(buckets="0-31")
        assert moved.returncode == 0, moved.stderr
        assert f"moved: {len(LOW)} monitors" in moved.stdout
        made.configure("dos", role="worker", buckets=["0-63"])
        await made.stack.start(made.part("dos"))
        assert await settled(nodes, 30)
        if victoria is None:
            for name in NODES:
                assert made.numbers(name) == list(range(1, FRAMES + 1)), name
        else:
            await is_there(made, victoria, nodes)
        await _ask(ana, nodes[0])

    async def health_says(ana: Onlooker, expected: dict[str, tuple[str, int]]) -> None:
        health = await ana.ask(AskHealth(), Health)
        assert health is not None
        assert health.central is not None
        assert health.central.role == "judge"
        assert {each.name: (each.state, each.monitors) for each in health.parts} == expected

    async def is_there(made: Region, victoria: parts.VictoriaMetrics, nodes: list[SendingNode]) -> None:
        counts: list[int] = []
        for _ in range(60):
            victoria.show()
            counts = [made.far_count(node) for node in nodes]
            if min(counts) >= 3 * FRAMES:
                break
            await asyncio.sleep(0.5)
        assert counts == [3 * FRAMES] * len(NODES), "each sample once"

    async def _ask(ana: Onlooker, node: SendingNode) -> None:
        device = f"{node.node}-ap"
        readings = await ana.ask(AskReadings(device=device), Readings)
        assert readings is not None
        assert {each.metric for each in readings.readings} == {"answered", "in_octets", "signal_dbm"}
        start, end = node.time_of(0), node.time_of(FRAMES + 1)
        asked = AskHistory(
            metric="signal_dbm", start=start, end=end, step_s=60.0, device=device, group="radio", item="w"
        )
        history = await ana.ask(asked, History)
        assert history is not None
        assert len(history.steps) == FRAMES, "also what the judge never heard itself"
        events = await ana.ask(AskEvents(limit=50), Events)
        assert events is not None
        told = [event.text.context for event in events.events]
        assert told.count("event.frames_refused") == 1, "what happened at a worker the judge tells"
        assert told.count("event.worker_gone") <= 1
        assert not {"event.cloned_node", "rule.agent_offline"} & set(told)

    async def run() -> None:
        nonlocal victoria
        async with AsyncExitStack() as stack:
            store = None
            if kind == "victoriametrics":
                victoria = stack.enter_context(parts.VictoriaMetrics.running(tmp_path))
                store = {"kind": kind, "url": victoria.url}
            made = await stack.enter_async_context(region(tmp_path, store))
            ana = await stack.enter_async_context(Onlooker(made.local.config("p-ana")))
            nodes = [SendingNode(node, made.local.config(f"n-{node}")) for node in NODES]
            for node in nodes:
                await stack.enter_async_context(node)
            await story(made, ana, nodes)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ("role: worker\n", "buckets: is missing: a worker owns buckets"),
        ("buckets: [3]\n", "buckets: only a worker owns buckets; the role here is all"),
        ("role: worker\nbuckets: [5-64]\n", 'buckets: "5-64": expected buckets from 0 to 63'),
        ("role: worker\nbuckets: [9-5]\n", 'buckets: "9-5": expected buckets from 0 to 63'),
        ("role: worker\nbuckets: [seven]\n", 'buckets: "seven": expected a bucket such as 7'),
        ("role: worker\nbuckets: [1.5]\n", "buckets: expected a list such as [0-31, 40], got 1.5"),
        ("role: juge\n", 'role: unknown value "juge"; did you mean "judge"?'),
        ("role: judge\n", "workers: is missing: a judge reads what its workers stored"),
        ("role: mirror\nworkers: [/x]\n", "workers: only a judge has workers"),
        ("role: mirror\nfeed: {broker: {}}\n", "feed: only a hub of the role all feeds a server"),
        ("feed: {broker: {host: far}}\n", "feed.broker.ca: is missing: off this machine"),
    ],
)
def test_what_a_role_needs_and_does_not_need_is_told_in_a_sentence(
    tmp_path: Path, config: str, fault: str
) -> None:
    path = tmp_path / "hub.yaml"
    path.write_text(f"network: n\ndata_dir: d\n{config}")
    with pytest.raises(ConfigError) as caught:
        hub_config.load(path)
    assert fault in str(caught.value)
