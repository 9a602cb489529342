"""A hub whose store is a server: while it is away nothing is acknowledged, and a slow one holds up nobody."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from parts import VictoriaMetrics, wait_until
from test_hub_loop import LIVE, NETWORK, Line, frame, in_loop
from test_store_away import connected, pretender, says
from test_store_contract import QUICK

from ayni_core import inventory
from ayni_core.readings import Series
from ayni_core.wire import topics
from ayni_core.wire.messages import HubState
from ayni_core.wire.questions import AskEvents, AskHistory, Events, History
from ayni_core.wire.shape import pack, unpack
from ayni_hub.hub import Hub
from ayni_hub.ingest import Arrival
from ayni_hub.ledger import Ledger
from ayni_hub.remote import RemoteStore
from ayni_hub.store import StoreError
from ayni_io import clock, yamlfile
from ayni_io.mqtt import BrokerConfig

Made = Callable[[RemoteStore], tuple[Hub, Line]]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    """A hub on a store."""

    def make(store: RemoteStore) -> tuple[Hub, Line]:
        (tmp_path / "network.yaml").write_text(NETWORK)
        network = yamlfile.read(tmp_path / "network.yaml", inventory.parse)
        hub = Hub("hub", network, (), BrokerConfig(), Ledger(tmp_path / "ledger.db"), store, 30)
        line = Line()
        hub._voice.client = line  # type: ignore[assignment]
        return hub, line

    yield make


def states(line: Line) -> list[str]:
    return [unpack(HubState, payload).state for payload, _qos, _retain in line.on(topics.HUB)]


def test_while_the_server_is_away_nothing_is_acknowledged_and_it_is_said_once(
    tmp_path: Path, made: Made
) -> None:
    server = VictoriaMetrics(tmp_path)
    try:
        with closing(RemoteStore(tmp_path / "spool.db", connected(server.url), times=QUICK)) as store:
            hub, line = made(store)
            for seq in (1, 2, 2):
                in_loop(hub._intake.take([Arrival(LIVE, frame(seq), clock.wall_s())]))
                in_loop(hub._intake.try_again(clock.wall_s()))
            assert line.on(topics.ack("pi")) == []
            assert states(line) == ["store-down"]
            server.start()
            wait_until(lambda: store.drain.trouble is None, "back", within_s=20)
            in_loop(hub._intake.try_again(clock.wall_s()))
            assert states(line) == ["store-down", "ready"]
            in_loop(hub._intake.take([Arrival(LIVE, frame(seq), clock.wall_s()) for seq in (1, 2)]))
            assert len(line.on(topics.ack("pi"))) == 1
            assert store.names("ap")
    finally:
        server.stop()


def test_a_slow_history_holds_up_nobody_and_ends(tmp_path: Path, made: Made) -> None:
    quick = says(204)
    slow = says(200, b"", pause_s=0.6)
    with pretender(lambda asked: (slow if "export" in asked.path else quick)(asked)) as url:
        store = RemoteStore(tmp_path / "spool.db", connected(url, answer_s=0.3), writes=False)
        with closing(store):
            hub, _line = made(store)
            asked = AskHistory(
                device="ap", group="system", item="", metric="uptime_s", start=0, end=100, step_s=10
            )

            async def story() -> None:
                begun = time.monotonic()
                history = asyncio.create_task(hub._answers.answered(pack(asked), "ana", 5.0))
                await asyncio.sleep(0)
                events = await hub._answers.answered(pack(AskEvents()), "ana", 5.0)
                assert isinstance(events, Events)
                assert time.monotonic() - begun < 0.2
                with pytest.raises(StoreError, match=r"no answer within 0.3 s"):
                    await history
                assert 0.2 < time.monotonic() - begun < 2

            in_loop(story())


def test_a_history_from_a_server_is_an_answer_like_any_other(tmp_path: Path, made: Made) -> None:
    with (
        VictoriaMetrics.running(tmp_path) as server,
        closing(RemoteStore(tmp_path / "spool.db", connected(server.url), times=QUICK)) as store,
    ):
        hub, _line = made(store)
        uptime = Series("system", "", "uptime_s")
        now = float(int(clock.wall_s()))
        store.write(("ap", uptime, now - 600 + at, at) for at in range(0, 600, 60))
        wait_until(lambda: server.show() or len(store.raw("ap", uptime, 0, now)) == 10, "shown")
        asked = AskHistory(
            device="ap", group="system", item="", metric="uptime_s", start=now - 600, end=now, step_s=300
        )

        async def story() -> None:
            answer = await hub._answers.answered(pack(asked), "ana", now)
            assert isinstance(answer, History)
            assert [(step.low, step.mean, step.high) for step in answer.steps] == [
                (0, 120, 240),
                (300, 420, 540),
            ]

        in_loop(story())
