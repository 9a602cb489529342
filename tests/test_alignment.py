"""Somebody turns an antenna: both ends are polled every few seconds, for as long as that is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import parts
from commanded import EPOCH, Scene, settle
from skipped_time import Skipping, in_skipped_time

from ayni_agent.device_loop import DeviceLoop
from ayni_agent.flight import Flight
from ayni_agent.schedule import HASTE_S, Turn, first_turn, hastened
from ayni_core import slices
from ayni_core.readings import Poll
from ayni_core.wire import topics
from ayni_core.wire.messages import Command, NodeState
from ayni_core.wire.questions import AskEvidence, AskSamples, AskWatch, Done, Evidence, Samples
from ayni_core.wire.shape import pack, unpack
from ayni_hub.answers import MOST_HASTENED
from ayni_io import clock, local_broker, yamlwrite
from ayni_io.onlooker import Onlooker
from ayni_io.stack import Part, Stack, ayni

skipping = in_skipped_time


def in_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    @wraps(test)
    def run(*given: Any, **named: Any) -> None:
        asyncio.run(test(*given, **named))  # type: ignore[arg-type]

    return run


# ---- the monitor


class Device:
    """Answers, or fails; remembers when it was polled in full."""

    name = "ap"

    def __init__(self) -> None:
        self.polled: list[float] = []
        self.pulses = 0
        self.error: str | None = None

    async def poll(self, now_s: float) -> Poll:
        self.polled.append(now_s)
        return Poll(device=self.name, at_s=now_s, values={}, error=self.error)

    async def pulse(self, now_s: float) -> Poll:
        self.pulses += 1
        return Poll(device=self.name, at_s=now_s, values={}, error=self.error)

    def close(self) -> None:
        pass


async def polled(device: Device, hasten: Callable[[DeviceLoop], None], for_s: float) -> list[float]:
    """When a device was polled that is polled each minute, with haste from its 70th second on."""
    loop = DeviceLoop(device, Flight(5), 60, lambda _poll: None)
    task = asyncio.create_task(loop.run(first_turn(0, 0, 1, 60)))
    await asyncio.sleep(70)
    hasten(loop)
    await asyncio.sleep(for_s)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return device.polled


def test_while_there_is_haste_polls_come_every_few_seconds_and_turns_as_ever(skipping: Skipping) -> None:
    async def test() -> None:
        found = await polled(Device(), lambda loop: loop.hasten(clock.monotonic_s() + 30), 200)
        assert found[:2] == [0, 60]
        quick = [at for at in found if 70 <= at < 101]
        assert quick == [70 + HASTE_S * each for each in range(7)][: len(quick)]
        assert len(quick) >= 6
        assert [at for at in found if at > 101] == [120, 180, 240], "afterwards as before"

    skipping(test)


def test_haste_that_is_renewed_goes_on_without_a_gap(skipping: Skipping) -> None:
    async def test() -> None:
        device = Device()
        loop = DeviceLoop(device, Flight(5), 60, lambda _poll: None)
        task = asyncio.create_task(loop.run(first_turn(0, 0, 1, 60)))
        for _each in range(6):
            loop.hasten(clock.monotonic_s() + 30)
            await asyncio.sleep(20)
        task.cancel()
        gaps = [two - one for one, two in zip(device.polled, device.polled[1:], strict=False)]
        assert max(gaps) <= HASTE_S

    skipping(test)


def test_a_device_that_fails_is_asked_no_more_often_than_ever(skipping: Skipping) -> None:
    async def test() -> None:
        calm, hasty = Device(), Device()
        calm.error = hasty.error = "no answer"
        await polled(calm, lambda _loop: None, 300)
        await polled(hasty, lambda loop: loop.hasten(clock.monotonic_s() + 300), 300)
        assert (len(hasty.polled), hasty.pulses) == (len(calm.polled), calm.pulses)

    skipping(test)


def test_a_turn_comes_sooner_only_while_there_is_haste() -> None:
    turn = Turn(at_s=120, slot_s=120)
    assert hastened(turn, 60, 100).at_s == 65
    assert hastened(turn, 60, 62) is turn
    assert hastened(turn, 118, 500) is turn
    failing = Turn(at_s=120, slot_s=120, full=False, failures=3)
    assert hastened(failing, 60, 500) is failing


@in_loop
async def test_a_quiet_watch_of_a_device_hastens_it_unless_data_is_to_be_saved(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        watch = Command(id="watch-1", do="watch", epoch=EPOCH, device="switch", for_s=60, by="ana")
        scene.commands.take(watch)
        await settle()
        assert (scene.ground.watched, scene.ground.hastened) == ([60], [("switch", 60)])
        scene.ground.saves = True
        scene.commands.take(watch)
        await settle()
        assert scene.ground.hastened == [("switch", 60)]
        assert scene.ground.told == []


# ---- the central


@asynccontextmanager
async def hub(folder: Path) -> AsyncIterator[local_broker.LocalBroker]:
    parts.need("mosquitto")
    accounts = {"h-hub": "", "n-pi": "", "p-ana": "operator", "p-eva": "viewer"}
    local_broker.write_accounts(folder, accounts)
    network = {
        "network": {"title": "Prueba"},
        "sites": {"torre": {}},
        "nodes": {"pi": {"site": "torre"}},
        "devices": {f"d{n}": {"site": "torre", "address": f"10.0.0.{n}"} for n in range(1, 6)},
        "links": {
            "l": {
                "frequency_mhz": 5500,
                "budget": {"tx_power_dbm": 20, "gains_db": 46, "losses_db": 2, "distance_km": 5},
                "a": {"device": "d1", "expected_dbm": -59},
                "b": {"device": "d2"},
            }
        },
        "people": {"ana": {"title": "Ana"}, "eva": {"title": "Eva", "role": "viewer"}},
    }
    stack = Stack(folder)
    try:
        local = await local_broker.start(stack, "h-hub", wanted="mosquitto")
        facts = slices.BrokerFacts(port=local.port, secrets=str(folder / "secrets"))
        config = slices.hub("hub", facts, network_path=f"{folder}/network.yaml", data_dir=f"{folder}/data")
        yamlwrite.write(folder / "network.yaml", network)
        yamlwrite.write(folder / "hub.yaml", config)
        await stack.start(Part(name="hub", argv=ayni("hub", "run", "--config", str(folder / "hub.yaml"))))
        yield local
    finally:
        await stack.stop()


def test_an_operator_has_both_ends_polled_quickly_and_a_viewer_is_told_why_not(tmp_path: Path) -> None:
    async def story() -> None:
        async with hub(tmp_path) as local:
            node = Onlooker(local.config("n-pi"), topics.cmd("pi"))
            ana, eva = (Onlooker(local.config(f"p-{name}")) for name in ("ana", "eva"))
            heard: list[Command] = []

            def hear(topic: str, payload: bytes) -> None:
                if topic == topics.cmd("pi"):
                    heard.append(unpack(Command, payload))

            node.on_news = hear
            async with node, ana, eva:
                assert await ana.until(lambda: topics.HUB in ana.said, 30)
                await node.publish(topics.state("pi"), pack(NodeState(up=True, epoch="e1", flush_s=300)))
                ask = AskWatch(sites=("torre",), devices=("d1", "d2"), for_s=60)
                for _each in range(50):  # until the hub knows the monitor
                    assert await ana.ask(ask, Done) == Done()
                    if await node.until(lambda: len(heard) >= 3, 0.2):
                        break
                assert {(each.do, each.epoch, each.for_s, each.by) for each in heard} == {
                    ("watch", "e1", 60, "ana")
                }
                assert sorted(each.device for each in heard) == ["", "d1", "d2"], "each is told once"
                assert await why(eva, ask) == "answer.not_allowed"
                assert await eva.ask(AskWatch(sites=("torre",)), Done) == Done(), "looking is for everybody"
                many = AskWatch(devices=tuple(f"d{n}" for n in range(1, MOST_HASTENED + 2)))
                assert await why(ana, many) == "answer.bad_question"
                assert await why(ana, AskWatch(devices=("other",))) == "answer.not_found"

    asyncio.run(story())


def test_everybody_may_ask_what_is_normal_and_for_single_values(tmp_path: Path) -> None:
    async def story() -> None:
        async with hub(tmp_path) as local, Onlooker(local.config("p-eva")) as eva:
            assert await eva.until(lambda: topics.HUB in eva.said, 30)
            evidence = await eva.ask(AskEvidence(link="l"), Evidence)
            assert evidence is not None
            found = {(each.side, each.metric): (each.plan, each.new) for each in evidence.normals}
            assert found == {("a", "signal_dbm"): (-57.2, -59), ("b", "signal_dbm"): (-57.2, None)}
            ask = AskSamples(metric="signal_dbm", before=2e9, device="d1", group="radio", item="w")
            assert await eva.ask(ask, Samples) == Samples(unit="dBm")
            unknown = await eva.ask(AskEvidence(link="none"), Evidence)
            assert unknown is not None
            assert unknown.error is not None
            assert unknown.error.context == "answer.not_found"

    asyncio.run(story())


async def why(person: Onlooker, ask: AskWatch) -> str:
    done = await person.ask(ask, Done)
    assert done is not None
    return done.error.context if done.error is not None else ""
