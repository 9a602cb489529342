"""The main job with real programs: snmpd, Mosquitto with accounts, an agent and a hub as processes.

The flush stays at its default of five minutes: what comes quicker comes because a frame was closed early.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import parts
import pytest

from ayni_core import slices
from ayni_core.wire import topics
from ayni_core.wire.messages import Alert, DeviceView, NodeState
from ayni_core.wire.questions import (
    AskEvents,
    AskHistory,
    AskNote,
    AskReadings,
    AskWatch,
    Done,
    Events,
    History,
    Readings,
)
from ayni_hub.ledger import Ledger
from ayni_io import local_broker, snmpd, yamlwrite
from ayni_io.local_broker import LocalBroker
from ayni_io.onlooker import Onlooker
from ayni_io.stack import Part, Stack, ayni

POLL_S = 2
COMMUNITY = "bajo-el-mango"
ALERT = topics.alert("device-silent--device--router")
DEVICE = topics.net("device", "router")
ROLES = {"h-hub": "", "n-pi": "", "p-ana": "operator", "p-eva": "viewer"}


@dataclass
class Town:
    """A small network of real programs in one folder."""

    folder: Path
    stack: Stack
    local: LocalBroker
    snmpd: Part

    def part(self, name: str) -> Part:
        """The hub or the agent, as they are really started."""
        return Part(name=name, argv=ayni(name, "run", "--config", str(self.folder / f"{name}.yaml")))

    async def kill(self, name: str) -> None:
        """As a power cut would: no good-bye, and nobody starts it again."""
        pid = self.stack.pids()[name]
        os.kill(pid, signal.SIGKILL)
        await self.stack.end(name)

    def looking(self, person: str = "ana") -> Onlooker:
        """A person's connection."""
        config = self.local.config(f"p-{person}")
        return Onlooker(config, topics.net("device", "+"), topics.alert("+"))


@asynccontextmanager
async def town(folder: Path) -> AsyncIterator[Town]:
    parts.need("mosquitto")
    parts.need("snmpd")
    snmp_port = parts.free_port(socket.SOCK_DGRAM)
    device = snmpd.part(folder / "snmpd", snmp_port, COMMUNITY)
    assert device is not None
    local_broker.write_accounts(folder, ROLES)
    stack = Stack(folder)
    try:
        local = await local_broker.start(stack, "h-hub", wanted="mosquitto")
        _write_configs(folder, local.port, snmp_port)
        made = Town(folder, stack, local, device)
        await stack.start(device, made.part("hub"), made.part("agent"))
        yield made
    finally:
        await stack.stop()


def _write_configs(folder: Path, mqtt_port: int, snmp_port: int) -> None:
    (folder / "community").write_text(COMMUNITY + "\n")
    address = {"address": f"127.0.0.1:{snmp_port}", "community": f"file:{folder}/community"}
    network = {
        "network": {"title": "Prueba", "poll_s": POLL_S},
        "sites": {"torre": {}},
        "nodes": {"pi": {"site": "torre"}},
        "devices": {"router": {"site": "torre", **address}},
        "people": {"ana": {"title": "Ana"}, "eva": {"title": "Eva", "role": "viewer"}},
    }
    facts = slices.BrokerFacts(port=mqtt_port, secrets=str(folder / "secrets"))
    hub = slices.hub("hub", facts, network_path=f"{folder}/network.yaml", data_dir=f"{folder}/data")
    agent = {
        "node": "pi",
        "broker": slices.broker_section(facts, "n-pi"),
        "poll_s": POLL_S,
        "devices": {"router": address},
    }
    for name, value in (("network", network), ("hub", hub), ("agent", agent)):
        yamlwrite.write(folder / f"{name}.yaml", value)


Story = Callable[[Town], Coroutine[None, None, None]]
InTown = Callable[[Story], None]


async def told(made: Town, story: Story) -> None:
    try:
        await story(made)
    except BaseException:
        for log in sorted((made.folder / "logs").iterdir()):
            print(f"--- {log.name}\n{log.read_text()[-2000:]}")
        raise


def alone_in_town(folder: Path, story: Story) -> None:
    """In a town of its own, for a story after which nothing is as it was."""

    async def run() -> None:
        async with town(folder) as made:
            await told(made, story)

    asyncio.run(run())


@pytest.fixture(scope="module")
def in_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InTown]:
    """Plays a story in the town that all of them share: each leaves it as it was, with everything running."""
    with asyncio.Runner() as runner:
        place = town(tmp_path_factory.mktemp("town"))
        made = runner.run(place.__aenter__())
        try:
            yield lambda story: runner.run(told(made, story))
        finally:
            runner.run(place.__aexit__(None, None, None))


def device_state(eyes: Onlooker) -> str | None:
    view = eyes.read(DeviceView, DEVICE)
    return view.state if view else None


def test_what_snmpd_says_reaches_a_person_and_its_death_is_told_within_two_polls(in_town: InTown) -> None:
    async def story(made: Town) -> None:
        async with made.looking() as eyes:
            assert await eyes.until(lambda: device_state(eyes) == "ok", 20)
            found = await eyes.ask(AskReadings(device="router"), Readings)
            assert found is not None
            by_metric = {(r.group, r.metric): r for r in found.readings}
            assert by_metric["system", "answered"].value == 1
            assert "in_octets" in {r.metric for r in found.readings if r.group == "interface"}
            assert abs(by_metric["system", "uptime_s"].at - time.time()) < 30

            died = time.monotonic()
            await made.stack.end("snmpd")
            assert await eyes.until(lambda: ALERT in eyes.said, 2 * POLL_S + 6)
            print(f"told after {time.monotonic() - died:.1f} s")
            alert = eyes.read(Alert, ALERT)
            assert alert is not None
            assert (alert.level, alert.kind, alert.name) == ("critical", "device", "router")
            assert device_state(eyes) == "silent"

            await made.stack.start(made.snmpd)
            assert await eyes.until(lambda: ALERT not in eyes.said and device_state(eyes) == "ok", 15)
            events = await eyes.ask(AskEvents(name="router"), Events)
            assert events is not None
            assert [event.level for event in events.events] == ["clear", "critical"]

    in_town(story)


def test_a_watched_node_sends_copies_and_the_history_fills_with_frames_only(in_town: InTown) -> None:
    async def story(made: Town) -> None:
        async with made.looking() as eyes:
            assert await eyes.until(lambda: device_state(eyes) == "ok", 20)
            first = eyes.read(DeviceView, DEVICE)
            assert first is not None
            assert first.as_of is not None
            done = await eyes.ask(AskWatch(sites=("torre",), for_s=30), Done)
            assert done == Done()
            since = first.as_of

            def fresher() -> bool:
                view = eyes.read(DeviceView, DEVICE)
                return view is not None and (view.as_of or 0) >= since + 2 * POLL_S - 0.5

            assert await eyes.until(fresher, 15), "copies bring every poll, long before the flush"
            ask = AskHistory(
                start=since - 600,
                end=since + 600,
                step_s=60,
                metric="uptime_s",
                device="router",
                group="system",
            )
            history = await eyes.ask(ask, History)
            assert history is not None
            assert history.error is None
            assert history.unit == "s"
            stored = await eyes.ask(AskHistory(start=since + 1, end=since + 600, step_s=60, metric="uptime_s",
                                               device="router", group="system"), History)  # fmt: skip
            assert stored is not None
            assert stored.steps == (), "copies are not stored"

    in_town(story)


def test_a_killed_hub_forgets_nothing_and_what_was_polled_meanwhile_arrives(tmp_path: Path) -> None:
    async def story(made: Town) -> None:
        async with made.looking() as eyes:
            assert await eyes.until(lambda: device_state(eyes) == "ok", 20)
            await made.stack.end("snmpd")
            assert await eyes.until(lambda: ALERT in eyes.said, 12)
            await made.kill("hub")
            assert await eyes.until(lambda: b'"gone"' in eyes.said.get(topics.HUB, b""), 10), "its last will"
            await made.stack.start(made.snmpd)
            await asyncio.sleep(2 * POLL_S)
            await made.stack.start(made.part("hub"))
            assert await eyes.until(lambda: ALERT not in eyes.said and device_state(eyes) == "ok", 20)
            events = await eyes.ask(AskEvents(name="router"), Events)
            assert events is not None
            assert [event.level for event in events.events] == ["clear", "critical"], "nothing fired twice"
        await made.stack.end("agent")
        await made.stack.end("hub")
        rows = Ledger(made.folder / "data" / "ledger.db")._db.execute(
            "SELECT count(DISTINCT epoch), min(first), max(last), count(*) FROM frames"
        )
        epochs, first, _last, ranges = rows.fetchone()
        assert (epochs, first, ranges) == (1, 1, 1), "every frame of the agent, none missing between"

    alone_in_town(tmp_path, story)


def test_presence_tells_a_leave_and_a_death(in_town: InTown) -> None:
    async def story(made: Town) -> None:
        async with made.looking() as eyes:
            assert await eyes.until(lambda: device_state(eyes) == "ok", 20)

            def up() -> bool:
                state = eyes.read(NodeState, topics.state("pi"))
                return bool(state and state.up)

            assert up()
            await made.stack.end("agent")
            assert await eyes.until(lambda: not up(), 30)
            assert "stopped node=pi" in made.stack.last_words("agent")
            await made.stack.start(made.part("agent"))
            assert await eyes.until(up, 30)
            await made.kill("agent")
            assert await eyes.until(lambda: not up(), 30), "the broker tells the last will"
            await made.stack.start(made.part("agent"))
            assert await eyes.until(up, 30)

    in_town(story)


def test_roles_decide_who_may_write_into_the_notebook(in_town: InTown) -> None:
    async def story(made: Town) -> None:
        note = AskNote(kind="device", name="router", text="cable changed")
        async with made.looking("ana") as ana, made.looking("eva") as eva:
            assert await ana.until(lambda: device_state(ana) == "ok", 20)
            assert await ana.ask(note, Done) == Done()
            late = replace(note, text="mast is wet", at=round(time.time() - 3600, 1))
            assert [await ana.ask(late, Done) for _twice in (1, 2)] == [Done(), Done()]
            refused = await eva.ask(note, Done)
            assert refused is not None
            assert refused.error is not None
            assert refused.error.context == "answer.not_allowed"
            events = await eva.ask(AskEvents(kind="device", name="router", limit=9), Events)
            assert events is not None
            notes = [each for each in events.events if each.level == "note"]
            assert notes[0].text.values == {"author": "Ana", "text": "cable changed"}
            assert [each.at for each in notes[1:]] == [late.at], "what comes twice stands there once"

    in_town(story)


def test_a_wrong_password_is_one_sentence_in_the_log(in_town: InTown) -> None:
    async def story(made: Town) -> None:
        await made.stack.end("agent")
        secret = made.folder / "secrets" / "n-pi"
        right = secret.read_text()
        secret.write_text("wrong\n")
        await made.stack.start(made.part("agent"))
        for _ in range(300):
            if "wrong user name or password" in made.stack.last_words("agent", 20):
                break
            await asyncio.sleep(0.1)
        words = made.stack.last_words("agent", 20)
        assert "wrong user name or password" in words
        assert "Traceback" not in words
        secret.write_text(right)
        await made.stack.replace(made.part("agent"))

    in_town(story)
