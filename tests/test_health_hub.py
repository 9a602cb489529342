"""What the central says of itself, its parts and the monitors: pure parts, then all over a real broker."""

from __future__ import annotations

import asyncio
from pathlib import Path

import parts
import pytest

from ayni_core import inventory, slices
from ayni_core.schema import Faults, Fields
from ayni_core.wire import topics
from ayni_core.wire.frame import Frame
from ayni_core.wire.health import MOST_MONITORS, AskHealth, CentralHealth, Health, MonitorHealth, PartHealth
from ayni_core.wire.messages import PartState
from ayni_core.wire.node_health import NodeHealth
from ayni_core.wire.questions import AskEvents, AskNote, Done, Events
from ayni_core.wire.shape import pack, unpack
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.health import Premises
from ayni_hub.hub import Hub
from ayni_hub.ledger import Ledger
from ayni_hub.monitors import Monitors
from ayni_hub.retention import DEFAULT as RETENTION
from ayni_io import local_broker, yamlwrite
from ayni_io.mqtt import BrokerConfig
from ayni_io.onlooker import Onlooker
from ayni_io.stack import Part, Stack, ayni

NOW = 1_795_300_000.0
NODES = [f"pi-{number}" for number in range(8)]


# ---- monitors


def frame(
    *, mono_s: float = 1000.0, ahead_s: float = 0.0, boot: str = "b", synced: bool = True,
    health: NodeHealth | None = None, now: float = NOW,
) -> Frame:  # fmt: skip
    """A frame that was closed one second before it came, at a node whose clock is ahead."""
    return Frame(
        node="pi-0", epoch="e", seq=1, boot=boot, mono_s=mono_s - 60.0, wall_s=now - 61.0 + ahead_s,
        synced=synced, next_by_s=310.0, devices={}, made_s=mono_s, health=health,
    )  # fmt: skip


def test_of_a_monitor_that_said_nothing_nothing_is_known() -> None:
    assert Monitors().of("pi-0") == MonitorHealth(id="pi-0")


@pytest.mark.parametrize(
    ("ahead_s", "synced", "trusted", "clock", "said_s"),
    [
        (0.0, True, True, "right", -1.0),
        (180.0, True, True, "right", 179.0),
        (-7200.0, False, False, "unsure", -7201.0),
        (0.0, False, True, "right", -1.0),
    ],
)
def test_a_clock_is_compared_with_when_news_came(
    ahead_s: float, synced: bool, trusted: bool, clock: str, said_s: float
) -> None:
    monitors = Monitors()
    monitors.take(frame(ahead_s=ahead_s, synced=synced, health=NodeHealth(trusted=trusted)), NOW)
    found = monitors.of("pi-0")
    assert (found.clock, found.ahead_s, found.clock_at) == (clock, said_s, NOW)


def test_a_report_that_was_long_on_its_way_makes_no_clock_wrong() -> None:
    monitors = Monitors()
    monitors.take(frame(), NOW)
    monitors.take(frame(mono_s=1300.0, now=NOW + 300.0), NOW + 420.0)
    assert monitors.of("pi-0").ahead_s == pytest.approx(-1.0, abs=0.1)


def test_what_it_told_stays_until_it_tells_more_also_over_a_restart() -> None:
    monitors = Monitors()
    told = NodeHealth(waiting=61, waiting_bytes=210_000, room_days=29, saving=1, cap_bytes=50_000_000)
    monitors.take(frame(health=told), NOW)
    monitors.take(frame(mono_s=1300.0, now=NOW + 300.0), NOW + 300.0)
    monitors.take(frame(mono_s=20.0, boot="c", now=NOW + 600.0), NOW + 600.0)
    found = monitors.of("pi-0")
    assert (found.told_at, found.clock_at) == (NOW, NOW + 600.0)
    assert (found.waiting, found.waiting_bytes, found.room_days, found.saving) == (61, 210_000, 29, 1)
    assert found.cap_bytes == 50_000_000


def test_what_a_village_brings_says_nothing_of_the_clock() -> None:
    monitors = Monitors()
    monitors.take(frame(health=NodeHealth(waiting=3, trusted=False)), NOW, itself=False)
    found = monitors.of("pi-0")
    assert (found.waiting, found.told_at, found.clock, found.ahead_s) == (3, NOW, "unsure", None)
    monitors.take(frame(), NOW + 9, itself=False)
    assert monitors.of("pi-0").told_at == NOW


# ---- the desk of a hub


@pytest.fixture(name="hub")
def the_hub(tmp_path: Path) -> Hub:
    raw = {
        "network": {"title": "T"},
        "sites": {"s": {}},
        "nodes": {node: {"site": "s"} for node in NODES},
        "devices": {f"{node}-ap": {"site": "s", "node": node, "address": "10.0.0.1"} for node in NODES},
    }
    faults = Faults("network.yaml")
    network = inventory.parse(Fields(raw, "", faults))
    faults.stop()
    ledger, store = Ledger(tmp_path / "ledger.db"), EmbeddedStore(tmp_path / "store.db")
    return Hub("hub", network, (), BrokerConfig(), ledger, store, RETENTION)


def ask(hub: Hub, *monitors: str, now: float = NOW) -> Health:
    return asyncio.run(hub.health.answer(AskHealth(monitors=monitors), now))


def central(hub: Hub, now: float = NOW) -> CentralHealth:
    found = ask(hub, now=now).central
    assert found is not None
    return found


def test_the_central_says_what_it_keeps_and_where(hub: Hub, tmp_path: Path) -> None:
    hub.health.premises = Premises(name="hub", role="all", store="embedded", folder=tmp_path)
    said = central(hub)
    assert (said.name, said.role, said.state, said.store) == ("hub", "all", "ready", "embedded")
    assert said.memory_bytes is not None
    assert said.memory_bytes >= (tmp_path / "ledger.db").stat().st_size
    assert said.free_bytes
    assert (said.samples_days, said.events_days) == (RETENTION.samples_days, RETENTION.events_days)


def test_a_folder_that_cannot_be_read_is_no_trouble(hub: Hub, tmp_path: Path) -> None:
    hub.health.premises = Premises(folder=tmp_path / "gone")
    assert central(hub).memory_bytes is None


def test_since_when_it_is_blind_is_known(hub: Hub) -> None:
    hub.health.look(NOW)
    hub._intake.state = "store-down"
    hub.health.look(NOW + 1)
    hub.health.look(NOW + 60)
    assert central(hub, NOW + 61).since == NOW + 1
    hub._intake.state = "ready"
    assert (central(hub, NOW + 90).state, central(hub, NOW + 95).since) == ("ready", NOW + 90)


def test_parts_are_told_with_since_when_they_are_as_they_are(hub: Hub) -> None:
    own = tuple(sorted({topics.bucket(node) for node in NODES[:3]}))
    worker = PartState(role="worker", state="ready", at=NOW - 500, version="0.1", buckets=own)
    hub.health.hear("uno", worker, NOW)
    hub.health.hear("valle", PartState(role="village", state="gone", at=NOW - 9000), NOW)
    uno, valle = ask(hub).parts
    assert (uno.name, uno.role, uno.state, uno.since, uno.version) == (
        "uno",
        "worker",
        "ready",
        NOW - 500,
        "0.1",
    )
    assert uno.monitors == sum(topics.bucket(node) in own for node in NODES)
    assert (valle.state, valle.since) == ("gone", NOW), "a last will was written when it connected"
    hub.health.hear("uno", PartState(role="worker", state="gone", at=NOW - 9000, buckets=own), NOW + 60)
    hub.health.hear("uno", PartState(role="worker", state="gone", at=NOW - 9000, buckets=own), NOW + 90)
    assert ask(hub).parts[0].since == NOW + 60
    hub.health.hear("valle", None, NOW)
    assert [part.name for part in ask(hub).parts] == ["uno"]
    hub.health.server = lambda: PartHealth(name="x", role="server", state="gone", since=NOW, waiting=9)
    assert [part.role for part in ask(hub).parts] == ["worker", "server"]


def test_monitors_are_those_that_are_named_and_known(hub: Hub) -> None:
    assert [each.id for each in ask(hub).monitors] == NODES
    assert [each.id for each in ask(hub, "pi-3", "nobody", "pi-1").monitors] == ["pi-3", "pi-1"]
    assert len(ask(hub, *["pi-1"] * (MOST_MONITORS + 9)).monitors) == MOST_MONITORS


def test_the_answer_travels(hub: Hub) -> None:
    answer = ask(hub)
    assert unpack(Health, pack(answer)) == answer


# ---- a real hub and a real monitor


def test_a_real_monitor_tells_and_a_real_central_answers(tmp_path: Path) -> None:
    """Monitor, broker and central are processes; a search over the notebook goes the same way."""
    parts.need("mosquitto")
    raw = {
        "network": {"title": "Prueba", "poll_s": 5, "flush_s": 10},
        "sites": {"torre": {"title": "Torre", "data_cap_mb_per_month": 50}},
        "nodes": {"pi": {"site": "torre", "title": "Caja"}},
        "devices": {"itself": {"site": "torre", "node": "pi", "source": {"kind": "host"}}},
        "people": {"ana": {"title": "Ana"}},
    }
    faults = Faults("network.yaml")
    network = inventory.parse(Fields(raw, "", faults))
    faults.stop()

    async def story() -> None:
        local_broker.write_accounts(tmp_path, {"h-hub": "", "n-pi": "", "p-ana": "operator"})
        stack = Stack(tmp_path)
        try:
            local = await local_broker.start(stack, "h-hub", wanted="mosquitto")
            facts = slices.BrokerFacts(port=local.port, secrets=str(tmp_path / "secrets"))
            hub = slices.hub(
                "hub", facts, network_path=f"{tmp_path}/network.yaml", data_dir=f"{tmp_path}/data"
            )
            agent = slices.agent(
                network, "pi", facts, state_dir=f"{tmp_path}/agent", runtime_dir=f"{tmp_path}/run",
                metered=True,
            )  # fmt: skip
            for name, value in (("network", raw), ("hub", hub), ("agent", agent)):
                yamlwrite.write(tmp_path / f"{name}.yaml", value)
            await stack.start(Part(name="hub", argv=ayni("hub", "run", "--config", f"{tmp_path}/hub.yaml")))
            await stack.start(
                Part(name="agent", argv=ayni("agent", "run", "--config", f"{tmp_path}/agent.yaml"))
            )
            async with Onlooker(local.config("p-ana")) as ana:
                assert await ana.until(lambda: topics.HUB in ana.said, 30)
                told = await _told(ana)
                assert told.clock
                assert abs(told.ahead_s or 0.0) < 5.0, "the same clock"
                assert told.on_disk
                assert told.cap_bytes == 50_000_000
                note = AskNote(kind="site", name="torre", text="Mástil torcido")
                assert await ana.ask(note, Done) == Done()
                found = await ana.ask(AskEvents(words="mastil", only="notes"), Events)
                assert found is not None
                assert [event.text.values["text"] for event in found.events] == ["Mástil torcido"]
        finally:
            await stack.stop()

    async def _told(ana: Onlooker) -> MonitorHealth:
        for _try in range(60):
            health = await ana.ask(AskHealth(), Health)
            if health is not None and health.monitors and health.monitors[0].told_at is not None:
                assert health.central is not None
                assert (health.central.state, health.central.store) == ("ready", "embedded")
                assert health.central.reports >= 1
                assert health.central.memory_bytes
                return health.monitors[0]
            await asyncio.sleep(0.5)
        raise AssertionError("the monitor never told")

    asyncio.run(story())
