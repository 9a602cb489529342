"""The hub's own loop, with a connection that only writes down what was said."""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from parts import free_port
from test_mqtt_client import Heard, mosquitto, until

from ayni_core import inventory
from ayni_core.readings import Series
from ayni_core.wire import codec, topics
from ayni_core.wire.frame import ANSWERED, DevicePolls, Frame
from ayni_core.wire.messages import Ack, Command, HubState, NodeState
from ayni_core.wire.questions import AskWatch, Done
from ayni_core.wire.shape import pack, unpack
from ayni_hub import clock_wait
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.hub import Hub
from ayni_hub.inbox import Inbox
from ayni_hub.ingest import Arrival
from ayni_hub.ledger import Ledger
from ayni_hub.retention import DEFAULT as RETENTION
from ayni_io import clock, yamlfile
from ayni_io.mqtt import BrokerConfig

NETWORK = """
network: {title: T}
people: {ana: {title: Ana}}
sites: {s: {}}
nodes: {pi: {site: s}}
devices: {ap: {site: s, node: pi, address: 10.0.0.1}}
"""
LIVE = topics.frame("pi", "live")


class Line:
    """In place of the connection: what was published, with QoS and whether it was to be kept."""

    connected = True
    at_once = 100

    def __init__(self) -> None:
        self.said: list[tuple[str, bytes, int, bool]] = []

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        self.said.append((topic, payload, qos, retain))
        return True

    def on(self, topic: str) -> list[tuple[bytes, int, bool]]:
        return [(payload, qos, retain) for said, payload, qos, retain in self.said if said == topic]


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def hub(tmp_path: Path, line: Line) -> Hub:
    (tmp_path / "network.yaml").write_text(NETWORK)
    network = yamlfile.read(tmp_path / "network.yaml", inventory.parse)
    made = Hub(
        "hub", network, (), BrokerConfig(), Ledger(tmp_path / "ledger.db"),
        EmbeddedStore(tmp_path / "store.db"), RETENTION,
    )  # fmt: skip
    made._voice.client = line  # type: ignore[assignment]
    return made


def in_loop(story: Coroutine[Any, Any, None]) -> None:
    async def run() -> None:
        await story
        for _ in range(5):
            await asyncio.sleep(0)  # what was begun in the background

    asyncio.run(run())


def test_a_hub_whose_clock_is_set_to_1970_takes_nothing_in_and_says_so_once(
    hub: Hub, line: Line, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    right, now = clock.wall_s(), 86_400.0
    made = frame(1)
    monkeypatch.setattr(clock, "wall_s", lambda: now)

    async def story() -> None:
        nonlocal now
        for _ in range(3):
            assert not await hub._intake.is_dated(now)
        hub._message(topics.state("pi"), pack(NodeState(up=True, epoch="e", boot="b", mono_s=9.0)), True)
        await hub._intake.take([Arrival(LIVE, made, now)])
        assert line.on(topics.ack("pi")) == []
        assert hub._judge.nodes["pi"].state is None
        now = right
        assert await hub._intake.is_dated(now)
        await hub._intake.take([Arrival(LIVE, made, now)])

    in_loop(story())
    assert [unpack(HubState, each[0]).state for each in line.on(topics.HUB)] == ["clock-wrong", "ready"]
    assert len(line.on(topics.ack("pi"))) == 1
    assert [text for text in caplog.messages if "clock" in text and "set it" in text] == [
        "clock wrong date=1970-01-02: set it; until then reports wait at the monitors"
    ]
    (sample,) = hub._store.raw("ap", Series("radio", "w", "signal_dbm"), right - 600, right)
    assert sample[1] == -60


def test_a_hub_that_starts_in_1970_waits_for_its_clock_and_keeps_the_monitors_waiting(tmp_path: Path) -> None:
    port, now = free_port(), [86_400.0]

    async def story() -> None:
        async with Heard(BrokerConfig(port=port), "agent") as agent:
            agent.client.subscribe(topics.HUB)
            waiting = asyncio.create_task(
                clock_wait.until_right("hub", BrokerConfig(port=port), lambda: now[0], 0.01)
            )
            await until(lambda: bool(agent.messages))
            assert unpack(HubState, agent.messages[0][1]).state == clock_wait.STATE
            assert not waiting.done()
            now[0] = clock.wall_s()
            await waiting
            await clock_wait.until_right("hub", BrokerConfig(port=1), lambda: now[0])

    with mosquitto(tmp_path, port):
        asyncio.run(story())


def test_what_nobody_measures_any_more_is_forgotten_without_a_restart(hub: Hub) -> None:
    now, known = clock.wall_s(), hub._judge.known
    old, new = Series("station", "0a", "signal_dbm"), Series("station", "0b", "signal_dbm")
    known.learn("ap", old, now - 31 * 86_400, -60)
    known.learn("ap", new, now - 29 * 86_400, -61)
    hub._forget_old(now)
    assert set(known.of("ap").values) == {new}


def frame(seq: int) -> bytes:
    polls = DevicePolls()
    polls.add(0.0, {ANSWERED: 1, Series("radio", "w", "signal_dbm"): -60})
    made = Frame(
        node="pi", epoch="e", seq=seq, boot="b", mono_s=100.0 + seq, wall_s=clock.wall_s() - 60, synced=True,
        next_by_s=310, devices={"ap": polls},
    )  # fmt: skip
    return codec.encode(made, "field")


def test_nodes_hear_of_the_hub_when_its_state_changes_and_people_every_half_minute(
    hub: Hub, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 5000.0  # whole, or half a minute later would now and then be a little less than that
    monkeypatch.setattr(clock, "monotonic_s", lambda: now)

    async def story() -> None:
        nonlocal now
        await hub._presence.say()
        for _ in range(240):
            now += 30.0
            await hub._presence.beat()

    in_loop(story())
    beats, states = line.on(topics.BEAT), line.on(topics.HUB)
    assert [(qos, retain) for _payload, qos, retain in beats] == [(0, False)] * 240
    assert {retain for _payload, _qos, retain in states} == {True}
    assert len(states) == 2, "at the start, and once in two hours of beats"
    assert unpack(HubState, beats[-1][0]).state == "ready"


def test_acknowledgements_name_what_was_stored_and_what_could_not_be_read(hub: Hub, line: Line) -> None:
    rubbish = b"\x78\x9crubbish"
    batch = [Arrival(LIVE, payload, clock.wall_s()) for payload in (frame(1), rubbish, frame(2))]
    in_loop(hub._intake.take(batch))
    acks = [unpack(Ack, payload) for payload, _qos, _retain in line.on(topics.ack("pi"))]
    assert {ack.epoch: ack.stored for ack in acks} == {"e": ((1, 2),), "": ()}
    assert [unread.crc for ack in acks for unread in ack.unread] == [zlib.crc32(rubbish)]
    assert {(qos, retain) for _payload, qos, retain in line.on(topics.ack("pi"))} == {(0, False)}
    whole = next(payload for payload, _qos, _retain in line.on(topics.ack("pi")) if b'"e"' in payload)
    assert whole == b'{"epoch":"e","stored":[[1,2]]}', "nothing empty travels"


def test_more_frames_than_we_can_hold_are_passed_over_and_come_again(
    hub: Hub, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    one = frame(1)
    hub._intake.inbox = Inbox((len(one) + 256) * 20)  # a single sender has half of it

    async def story() -> None:
        for _ in range(1000):
            hub._message(LIVE, one, False)
        assert len(hub._intake.inbox) == 10
        taking = asyncio.create_task(hub._intake.run())
        await asyncio.sleep(0.2)
        taking.cancel()
        assert hub._intake.inbox.size_bytes == 0
        hub._message(LIVE, one, False)
        assert len(hub._intake.inbox) == 1
        await hub._tell(clock.wall_s())

    with caplog.at_level(logging.WARNING, "hub"):
        in_loop(story())
    (told,) = [record.getMessage() for record in caplog.records if record.name == "hub"]
    assert "too much at once count=990" in told


def test_rubbish_on_any_topic_is_one_line_in_the_log(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        for i in range(500):
            hub._message(topics.state("pi"), b"rubbish %d" % i, False)
            hub._message(f"ayni/v1/in/99/pi/{i}", b"", False)
            hub._message(topics.done("pi"), b"{}", False)
        await hub._tell(clock.wall_s())

    with caplog.at_level(logging.WARNING, "hub"):
        in_loop(story())
    told = [record.getMessage() for record in caplog.records if record.name == "hub"]
    assert len(told) == 3
    assert all("count=500" in line for line in told)


def test_however_many_look_a_node_is_told_seldom_and_only_while_it_is_there(hub: Hub, line: Line) -> None:
    async def story() -> None:
        for _ in range(200):
            assert hub._answers.answer(pack(AskWatch(for_s=1e9)), "ana", clock.wall_s()) == Done()
        await asyncio.sleep(0)
        assert line.on(topics.cmd("pi")) == [], "it is not there"
        up = NodeState(up=True, epoch="e9", boot="b", flush_s=300)
        hub._message(topics.state("pi"), pack(up), False)
        for _ in range(200):
            hub._answers.answer(pack(AskWatch(for_s=1e9)), "ana", clock.wall_s())

    in_loop(story())
    (found,) = line.on(topics.cmd("pi"))
    command = unpack(Command, found[0])
    assert (command.do, command.epoch, command.for_s, command.by) == ("watch", "e9", 300.0, "ana")
    assert found[2] is False, "a command is never kept"


def test_a_clock_that_jumps_ahead_costs_nothing_of_what_is_kept(hub: Hub) -> None:
    hub._store.write([("ap", Series("radio", "w", "signal_dbm"), 1_760_000_000.0, -60)])
    hub._forget_old(1_760_000_000.0 + 20 * 365 * 86_400)
    assert hub._store.newest() == 1_760_000_000.0
    hub._store.write([("ap", Series("radio", "w", "signal_dbm"), 1_790_000_000.0, -61)])
    hub._forget_old(1_790_000_000.0)
    assert hub._store.raw("ap", Series("radio", "w", "signal_dbm"), 0, 2e9) == [(1_790_000_000.0, -61)]
