"""A village's hub feeds a server over a line that breaks: nothing is lost, doubled or placed elsewhere."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import parts
from cut_line import CutLine
from sending_node import COUNT, SIGNAL, SendingNode

from ayni_core import slices
from ayni_core.readings import Value
from ayni_core.wire import topics
from ayni_core.wire.health import AskHealth, Health
from ayni_core.wire.messages import HubState
from ayni_core.wire.questions import AskEvents, AskHistory, AskReadings, Events, History, Readings
from ayni_hub.embedded import EmbeddedStore
from ayni_io import local_broker, yamlwrite
from ayni_io.local_broker import LocalBroker
from ayni_io.onlooker import Onlooker
from ayni_io.stack import Part, Stack, ayni

NODES = ("torre", "molino")
VILLAGE_ROLES = {"h-hub": "", "p-ana": "operator", **{f"n-{node}": "" for node in NODES}}
SERVER_ROLES = {"h-espejo": "", "b-valle": "", "p-ana": "operator"}
ALERT = topics.alert("device-silent--device--torre-ap")
NETWORK = """
network: {title: Valle, poll_s: 60, flush_s: 300}
people: {ana: {title: Ana}}
sites: {s: {}}
nodes: {torre: {site: s}, molino: {site: s}}
devices:
  torre-ap: {site: s, node: torre, address: 10.0.0.1}
  molino-ap: {site: s, node: molino, address: 10.0.0.2}
"""


class Valley:
    """Two folders, one broker and one hub in each, and the line between them."""

    def __init__(self, folder: Path, village: Stack, server: Stack, brokers: tuple[LocalBroker, LocalBroker]):
        self.folder, self.village, self.server = folder, village, server
        self.village_broker, self.server_broker = brokers
        self.line = CutLine(brokers[1].port)

    async def begin(self) -> None:
        (self.folder / "network.yaml").write_text(NETWORK)
        await self.line.mend()
        here = slices.BrokerFacts(port=self.village_broker.port, secrets=str(self.village_broker.secrets))
        there = slices.BrokerFacts(port=self.line.port, secrets=str(self.server_broker.secrets))
        far = slices.BrokerFacts(port=self.server_broker.port, secrets=str(self.server_broker.secrets))
        feed = {"broker": slices.broker_section(there, "b-valle"), "show_s": 2}
        self._write("village", here, "h-hub", name="hub", feed=feed)
        self._write("server", far, "h-espejo", name="espejo", role="mirror")
        await self.server.start(self.part("server"))
        await self.village.start(self.part("village"))

    def _write(self, file: str, facts: slices.BrokerFacts, account: str, **more: Any) -> None:
        config = {
            "broker": slices.broker_section(facts, account),
            "network": str(self.folder / "network.yaml"),
            "data_dir": str(self.folder / file / "data"),
            **more,
        }
        yamlwrite.write(self.folder / f"{file}.yaml", config)

    def part(self, name: str) -> Part:
        return Part(name=name, argv=ayni("hub", "run", "--config", str(self.folder / f"{name}.yaml")))

    async def kill_village(self) -> None:
        os.kill(self.village.pids()["village"], signal.SIGKILL)
        await self.village.end("village")

    def stored(self, side: str, node: str, series: Any = COUNT) -> list[tuple[float, Value]]:
        path = self.folder / side / "data" / "store.db"
        if not path.is_file():
            return []
        with closing(EmbeddedStore(path)) as store, store.at_one_moment():
            return list(store.values(f"{node}-ap", series, 0, 4e9))

    def waiting(self) -> int:
        path = self.folder / "village" / "data" / "feed.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as box:
            return int(box.execute("SELECT count(*) FROM frame").fetchone()[0])


@asynccontextmanager
async def valley(folder: Path) -> AsyncIterator[Valley]:
    parts.need("mosquitto")
    stacks, brokers = [], []
    try:
        for name, roles, account in (
            ("village", VILLAGE_ROLES, "h-hub"),
            ("server", SERVER_ROLES, "h-espejo"),
        ):
            (folder / name).mkdir()
            local_broker.write_accounts(folder / name, roles)
            stacks.append(Stack(folder / name))
            brokers.append(await local_broker.start(stacks[-1], account, wanted="mosquitto"))
        made = Valley(folder, stacks[0], stacks[1], (brokers[0], brokers[1]))
        await made.begin()
        yield made
    except BaseException:
        for log in sorted(folder.glob("*/logs/*")):
            print(f"--- {log}\n{log.read_text()[-2500:]}")
        raise
    finally:
        for stack in stacks:
            await stack.stop()


async def comes_true(true: Any, within_s: float = 20.0) -> bool:
    for _ in range(int(within_s / 0.1)):
        if true():
            return True
        await asyncio.sleep(0.1)
    return False


def test_what_a_village_stored_reaches_the_server_whatever_breaks_in_between(tmp_path: Path) -> None:
    async def story(made: Valley, ana: Onlooker, torre: SendingNode, molino: SendingNode) -> None:
        nodes = (torre, molino)

        def both_have(count: int) -> bool:
            return all(len(made.stored("server", node.node)) == count for node in nodes)

        async def send(count: int) -> None:
            for _ in range(count):
                for node in nodes:
                    node.send()
                await asyncio.sleep(0.03)

        await send(5)
        assert await comes_true(lambda: both_have(5)), "the line is whole"

        await made.line.cut()
        await send(8)
        await made.kill_village()
        await send(4)
        await made.village.start(made.part("village"))
        assert await comes_true(lambda: not any(len(node.outbox) for node in nodes))
        assert made.waiting() >= 12 * len(nodes), "what the server misses is on the village's disk"
        assert both_have(5)

        await made.line.mend()
        assert await comes_true(lambda: both_have(17))
        assert await comes_true(lambda: made.waiting() == 0)
        for node in nodes:
            for series in (COUNT, SIGNAL):
                there = made.stored("server", node.node, series)
                assert there == made.stored("village", node.node, series), "the same, at the same times"
            assert [value for _at, value in made.stored("server", node.node)] == list(range(1, 18))
        await looks(made, ana, torre)

        for _ in range(4):
            torre.send(answered=False)
            assert await comes_true(lambda: not len(torre.outbox)), "one by one: news go newest first"
        assert await ana.until(lambda: ALERT in ana.said, 20), "the village's alarm is seen at the server"
        await made.line.cut()
        for _ in range(4):
            torre.send()
            assert await comes_true(lambda: not len(torre.outbox))
        await made.line.mend()
        assert await ana.until(lambda: ALERT not in ana.said, 20), "and ends there, though the line was cut"

    async def looks(made: Valley, ana: Onlooker, torre: SendingNode) -> None:
        """What a person at the server's console sees."""
        state = ana.read(HubState, topics.HUB)
        assert state is not None
        assert state.state == "ready"
        health = await ana.ask(AskHealth(), Health)
        assert health is not None
        assert [(part.role, part.state) for part in health.parts] == [("village", "ready")]
        wanted = [("device", "torre-ap"), ("site", "s"), ("node", "torre"), ("community", "about")]
        verdict = {topics.net(*each) for each in wanted}
        assert await ana.until(lambda: verdict <= ana.said.keys(), 20), "the village's verdict"
        readings = await ana.ask(AskReadings(device="torre-ap"), Readings)
        assert readings is not None
        assert {each.metric for each in readings.readings} == {"answered", "in_octets", "signal_dbm"}
        asked = AskHistory(
            metric="signal_dbm", start=torre.time_of(0), end=torre.time_of(18), step_s=60.0,
            device="torre-ap", group="radio", item="w",
        )  # fmt: skip
        history = await ana.ask(asked, History)
        assert history is not None
        assert len(history.steps) == 17

        async def told() -> list[str]:
            events = await ana.ask(AskEvents(limit=100), Events)
            return [event.text.context for event in events.events] if events else []

        for _ in range(100):
            contexts = await told()
            if contexts.count("event.hub_started") >= 3:
                break
            await asyncio.sleep(0.1)
        assert contexts.count("event.hub_started") == 3, (
            "the server's own start, and both of the village's, once"
        )

    async def run() -> None:
        async with AsyncExitStack() as stack:
            made = await stack.enter_async_context(valley(tmp_path))
            stack.push_async_callback(made.line.cut)
            config = made.server_broker.config("p-ana")
            ana = await stack.enter_async_context(Onlooker(config, topics.net("+", "+"), topics.alert("+")))
            torre = SendingNode("torre", made.village_broker.config("n-torre"))
            molino = SendingNode("molino", made.village_broker.config("n-molino"), synced=False)
            for node in (torre, molino):
                await stack.enter_async_context(node)
            await story(made, ana, torre, molino)

    asyncio.run(run())
