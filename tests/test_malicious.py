"""A monitor in wrong hands, with a valid account: it reads and writes nothing of others, holds nobody up, and
what it can leave on the disk is bounded. The long form is bench/malicious.py."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import parts
import pytest

from ayni_core import inventory
from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.readings import Series
from ayni_core.schema import Faults, Fields
from ayni_core.wire import codec, topics
from ayni_core.wire.frame import ANSWERED, DevicePolls, Frame
from ayni_core.wire.messages import Event
from ayni_core.wire.topics import rights
from ayni_hub import event_budget, toll
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.event_budget import EventBudget
from ayni_hub.ingest import Arrival, Ingest
from ayni_hub.ledger import Ledger
from ayni_hub.placing import Placing
from ayni_hub.questions import Asked, Questions
from ayni_hub.toll import MIB, Toll, allowed

ROOT = Path(__file__).parent.parent
NOW = 1_795_300_000.0
DAY = 86_400.0
SIGNAL = Series("radio", "w", "signal_dbm")
RAW = {
    "network": {"title": "T"},
    "sites": {"s": {}},
    "nodes": {"evil": {"site": "s"}, "good": {"site": "s"}},
    "devices": {
        "evil-ap": {"site": "s", "node": "evil", "address": "10.0.0.1"},
        "good-ap": {"site": "s", "node": "good", "address": "10.0.0.2"},
    },
}


@pytest.fixture
def network() -> Network:
    faults = Faults("network.yaml")
    found = inventory.parse(Fields(RAW, "", faults))
    faults.stop()
    return found


def frame(node: str, seq: int, epoch: str = "e", boot: str = "b", *, polls: int = 1) -> bytes:
    times = [float(at) for at in range(polls)]
    values = {ANSWERED: [1] * polls, SIGNAL: [-60 - seq % 7] * polls}
    made = Frame(
        node=node, epoch=epoch, seq=seq, boot=boot, mono_s=1000.0 + seq, wall_s=NOW + seq, synced=True,
        next_by_s=310,
        devices={f"{node}-ap": DevicePolls(times_s=times, values=values)},  # type: ignore[arg-type]
    )  # fmt: skip
    return codec.encode(made, "field")


# ---- all of it, for some seconds


def test_a_thousand_hostile_messages_a_second_hold_nobody_up_and_reach_nothing_of_others() -> None:
    parts.need("mosquitto")
    program = ROOT / "bench" / "malicious.py"
    done = subprocess.run(
        [sys.executable, str(program), "--json", "--seconds", "4"], capture_output=True, text=True,
        timeout=120, check=False, env={**os.environ, "PYTHONPATH": str(program.parent)},
    )  # fmt: skip
    assert done.stdout, done.stderr[-2000:]
    found = {each["key"]: each["value"] for each in json.loads(done.stdout)["figures"]}
    assert found["malicious_rate"] >= 100, "this machine could not even send so much"
    assert found["malicious_heard_of_others"] == 0
    assert found["malicious_written_for_others"] == 0
    assert found["malicious_ack_p99_s"] <= 5
    assert found["malicious_events"] <= 100
    assert found["malicious_disk_mb"] <= 50


# ---- what it may cost


def test_an_honest_monitor_is_never_put_off_not_even_after_a_month_without_us() -> None:
    """The reference site: 10 devices, 560 readings a minute, a report of 4 kB and 6 ms of work each 5 min."""
    found = Toll(lambda _node: allowed(10))
    for number in range(30 * 288):  # all of a month within ten minutes
        now = number * 600 / (30 * 288)
        assert not found.closed("pi", now)
        found.charge("pi", now, work_s=0.006, size_bytes=4000 + toll.FRAME_BYTES, readings=2800)
    for number in range(30 * 288):  # and then the next month
        now = 600 + number * 300.0
        assert not found.closed("pi", now)
        found.charge("pi", now, work_s=0.006, size_bytes=4000 + toll.FRAME_BYTES, readings=2800)
    assert found.events(now, "?") == []


def test_a_full_outbox_and_all_that_is_kept_for_a_return_fit_in_at_once() -> None:
    found = Toll(lambda _node: allowed(1))
    for _each in range(72):
        assert not found.closed("pi", 0.0)
        found.charge("pi", 0.0, work_s=0.0, size_bytes=MIB + 250 * toll.FRAME_BYTES)


@pytest.mark.parametrize("devices", [1, 10, 100])
def test_what_a_flood_leaves_on_the_disk_in_a_year_is_bounded_by_the_inventory(devices: int) -> None:
    found, size = Toll(lambda _node: allowed(devices)), 0
    for turn in range(365 * 144):
        now = turn * 600.0
        if not found.closed("pi", now):
            found.charge("pi", now, work_s=0.0, size_bytes=8 * MIB)
            size += 8 * MIB
    assert size <= (128 + 8 + 365 * (8 + 2 * devices) + 1) * MIB
    (told,) = found.events(now, "?")
    assert told.text.context == "event.monitor_floods"
    assert found.events(now + 60, "?") == [], "once an hour"


def test_work_and_readings_are_bounded_too_and_one_vessel_does_not_close_another() -> None:
    found = Toll(lambda _node: allowed(1))
    found.charge("evil", 0.0, work_s=121.0)
    assert found.closed("evil", 0.0)
    assert not found.closed("good", 0.0)
    assert not found.closed("evil", 10.0), "it has paid a little off"
    found.charge("evil", 10.0, work_s=0.0, readings=26_000_000)
    assert found.closed("evil", 3600.0)


def test_what_is_put_off_is_dropped_before_it_is_read_not_acknowledged_and_taken_later(
    network: Network, tmp_path: Path
) -> None:
    ingest = Ingest(network, Ledger(tmp_path / "ledger.db"), EmbeddedStore(tmp_path / "store.db"))
    outcome = ingest.take([Arrival(topics.frame("evil", "live"), frame("evil", 1, polls=200), NOW)])
    ingest.charge(outcome)
    cost = outcome.costs["evil"]
    assert cost.count == 1
    assert cost.readings == 400
    assert cost.size_bytes > toll.FRAME_BYTES
    assert 0 < cost.work_s < 5


# ---- what grows for ever


def test_events_about_one_monitor_are_bounded_by_the_hour_and_what_people_write_is_kept(
    network: Network,
) -> None:
    budget = EventBudget(network)
    most = event_budget.MOST + event_budget.MOST_OF_DEVICE

    def made(kind: str, name: str, author: str | None = None) -> Event:
        return Event(
            at=NOW, text=Message("event.cloned_node", {"node": name}), kind=kind, name=name, author=author
        )

    many = [made("device", "evil-ap") for _each in range(5000)]
    kept = budget.keep([*many, made("node", "good"), made("node", "evil", "ana"), made("", "")], NOW)
    count = Counter((each.kind, each.name, each.author) for each in kept)
    assert count["device", "evil-ap", None] == most
    assert count["node", "good", None] == count["node", "evil", "ana"] == count["", "", None] == 1
    assert [each.text.context for each in kept][-1] == "event.many_events"
    assert len(budget.keep(many, NOW + 10)) == 0
    assert len(budget.keep(many, NOW + 3600)) == most + 1


def test_epochs_and_boots_without_number_are_forgotten_by_the_ledger(tmp_path: Path) -> None:
    ledger, names = Ledger(tmp_path / "ledger.db"), [f"{number:016x}" for number in range(5000)]
    ledger.record([("evil", name, 1, 7) for name in names], NOW)
    ledger.record([("good", "old", 1, 7)], NOW)
    ledger.record([("evil", "newest", 1, 7)], NOW + 8 * DAY)
    ledger.forget_before(NOW - DAY, NOW - DAY)
    assert ledger.seen("good", "old", 1), "an honest one keeps its names"
    assert ledger.seen("evil", "newest", 1)
    assert not ledger.seen("evil", names[0], 1)
    (count,) = ledger._db.execute("SELECT count(*) FROM frames").fetchone()
    assert count == 2


def test_boots_without_number_are_forgotten_in_memory_and_in_the_ledger(
    network: Network, tmp_path: Path
) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ingest = Ingest(network, ledger, EmbeddedStore(tmp_path / "store.db"))
    for turn in range(12):
        at = NOW + turn
        batch = [
            Arrival(topics.frame("evil", "live"), frame("evil", 1, f"e{turn}-{each}", f"b{turn}-{each}"), at)
            for each in range(100)
        ]
        ingest.take(batch)
        placing: Placing = ingest._placing
        assert len(placing._lines.get("evil", {})) <= 1100
    ledger.forget_before(NOW - DAY, NOW - DAY)
    (count,) = ledger._db.execute("SELECT count(*) FROM line").fetchone()
    assert count == 1000


def test_a_monitor_has_no_topic_of_its_own_choice_on_which_something_could_be_retained() -> None:
    allowed_topics = rights("n-evil").publish
    assert not [each for each in allowed_topics if "+" in each or "#" in each]
    assert len(allowed_topics) <= 8


# ---- people


def test_slow_questions_of_one_person_leave_somebody_to_answer_the_others() -> None:
    async def story() -> None:
        done: list[str] = []
        gate = asyncio.Event()

        async def answer(asked: Asked) -> None:
            if asked.user == "evil":
                await gate.wait()
            done.append(asked.user)

        async def refuse(_topic: str) -> None:
            done.append("refused")

        questions = Questions(answer, refuse)
        running = asyncio.create_task(questions.run())
        for number in range(100):
            questions.put(Asked("evil", f"a/{number}", b"{}"))
        for number in range(5):
            questions.put(Asked("ana", f"b/{number}", b"{}"))
        for _each in range(300):
            await asyncio.sleep(0)
        assert done.count("ana") == 5
        assert done.count("evil") == 0
        gate.set()
        for _each in range(2000):
            await asyncio.sleep(0)
        assert done.count("evil") == 64
        assert done.count("refused") == 36
        questions.put(Asked("ana", "b/6", b"{}"))
        for _each in range(20):
            await asyncio.sleep(0)
        assert done.count("ana") == 6
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    asyncio.run(story())
