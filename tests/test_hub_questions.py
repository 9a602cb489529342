"""Many questions at once: everybody gets a turn, whoever floods is refused, and the hub stays small."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import parts
import pytest

from ayni_core import slices
from ayni_core.wire import topics
from ayni_core.wire.questions import MAX_QUESTION, AskEvents, AskHistory, AskNote, Done, Events
from ayni_core.wire.shape import pack, unpack
from ayni_hub.questions import MOST_WAITING, Asked, Questions
from ayni_io import local_broker, yamlwrite
from ayni_io.local_broker import LocalBroker
from ayni_io.onlooker import Onlooker
from ayni_io.stack import Part, Stack, ayni

FLOOD = 1500


@dataclass
class Bench:
    """Questions with answers that wait until they are let go."""

    questions: Questions
    answered: list[Asked]
    refused: list[str]
    gate: asyncio.Event

    @classmethod
    def make(cls) -> Bench:
        answered: list[Asked] = []
        refused: list[str] = []
        gate = asyncio.Event()

        async def answer(asked: Asked) -> None:
            await gate.wait()
            answered.append(asked)

        async def refuse(topic: str) -> None:
            refused.append(topic)

        return cls(Questions(answer, refuse), answered, refused, gate)

    def ask(self, user: str, count: int) -> None:
        for i in range(count):
            self.questions.put(Asked(user, f"answer/{user}/{i}", b"{}"))

    async def settle(self) -> None:
        work = asyncio.create_task(self.questions.run())
        self.gate.set()
        for _ in range(4000):
            await asyncio.sleep(0)
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work


def test_everybody_gets_a_turn_and_who_asks_too_much_is_told() -> None:
    async def run() -> None:
        bench = Bench.make()
        bench.ask("flood", 5000)
        bench.ask("ana", 3)
        await bench.settle()
        users = [asked.user for asked in bench.answered]
        assert users.count("flood") == MOST_WAITING
        assert users.count("ana") == 3
        assert max(i for i, user in enumerate(users) if user == "ana") < 8, "not behind the flood"
        assert 0 < len(bench.refused) <= 1000
        assert set(bench.refused) == {f"answer/flood/{i}" for i in range(64, 64 + len(bench.refused))}

    asyncio.run(run())


def test_a_person_who_was_refused_may_ask_again_later(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        bench = Bench.make()
        bench.ask("ana", 200)
        await bench.settle()
        bench.ask("ana", 5)
        await bench.settle()
        assert len(bench.answered) == MOST_WAITING + 5
        assert len(bench.refused) == 200 - MOST_WAITING
        with caplog.at_level(logging.WARNING, "hub"):
            bench.questions.write(0.0)
            bench.questions.write(1.0)
        assert caplog.messages == [f"questions refused user=ana count={200 - MOST_WAITING}"]

    asyncio.run(run())


def test_what_waits_is_bounded_in_bytes_too() -> None:
    async def run() -> None:
        bench = Bench.make()
        for _ in range(MOST_WAITING):
            bench.questions.put(Asked("ana", "t", b"x" * 1_000_000))
        await bench.settle()
        assert {len(asked.payload) for asked in bench.answered} == {MAX_QUESTION + 1}

    asyncio.run(run())


# ---- the real hub behind a real broker


@asynccontextmanager
async def hub(folder: Path) -> AsyncIterator[tuple[LocalBroker, Stack]]:
    parts.need("mosquitto")
    roles = {"h-hub": "", "n-pi": "", "p-ana": "operator", "p-flood": "viewer"}
    local_broker.write_accounts(folder, roles)
    network = {
        "network": {"title": "Prueba"},
        "sites": {"torre": {}},
        "nodes": {"pi": {"site": "torre"}},
        "devices": {"router": {"site": "torre", "address": "10.0.0.1"}},
        "people": {"ana": {"title": "Ana"}, "flood": {"title": "Eva", "role": "viewer"}},
    }
    stack = Stack(folder)
    try:
        local = await local_broker.start(stack, "h-hub", wanted="mosquitto")
        facts = slices.BrokerFacts(port=local.port, secrets=str(folder / "secrets"))
        config = slices.hub("hub", facts, network_path=f"{folder}/network.yaml", data_dir=f"{folder}/data")
        yamlwrite.write(folder / "network.yaml", network)
        yamlwrite.write(folder / "hub.yaml", config)
        await stack.start(Part(name="hub", argv=ayni("hub", "run", "--config", str(folder / "hub.yaml"))))
        yield local, stack
    finally:
        await stack.stop()


def rss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def test_a_flood_of_questions_neither_swells_the_hub_nor_keeps_others_waiting(tmp_path: Path) -> None:
    async def story() -> None:
        async with hub(tmp_path) as (local, stack):
            ana, flood = (Onlooker(local.config(f"p-{name}")) for name in ("ana", "flood"))
            async with ana, flood:
                assert await ana.until(lambda: topics.HUB in ana.said, 30)
                assert await flood.until(lambda: topics.HUB in flood.said, 30)
                before = rss_mb(stack.pids()["hub"])
                history = AskHistory(
                    start=0, end=2e6, step_s=1000, metric="signal_dbm",
                    device="router", group="radio", item="wlan1",
                )  # fmt: skip
                asked = [
                    asyncio.create_task(
                        flood.publish(topics.ask("flood", flood._session, f"x{i}"), pack(history))
                    )
                    for i in range(FLOOD)
                ]
                slowest = 0.0
                while not all(task.done() for task in asked):
                    began = time.monotonic()
                    found = await ana.ask(AskEvents(limit=1), Events, 30.0)
                    assert found is not None
                    assert found.error is None
                    slowest = max(slowest, time.monotonic() - began)
                await asyncio.gather(*asked)
                answers = [
                    payload for topic, payload in flood.said.items() if topic.split("/")[-1].startswith("x")
                ]
                refused = [
                    done.error.context
                    for done in (unpack(Done, payload) for payload in answers)
                    if done.error is not None
                ]
                assert slowest < 8.0
                assert rss_mb(stack.pids()["hub"]) - before < 20
                assert set(refused) <= {"answer.too_many"}
                said = ""
                while said in ("", "answer.too_many"):  # what it asked before is still being answered
                    note = await flood.ask(AskNote(kind="", name="", text="x"), Done, 20.0)
                    assert note is not None
                    assert note.error is not None
                    said = note.error.context
                assert said == "answer.not_allowed", "answered again, as everybody"

    asyncio.run(story())
