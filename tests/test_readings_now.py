"""What a device said last: only the groups that are wanted, and how fast its counters run."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ayni_core import inventory
from ayni_core.lastknown import DeviceKnown
from ayni_core.readings import UPTIME, Series, Value
from ayni_core.schema import Faults, Fields
from ayni_core.wire.questions import AskReadings, Readings
from ayni_core.wire.shape import pack, unpack
from ayni_hub.answers import Answers
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.judge import Judge
from ayni_hub.ledger import Ledger
from ayni_hub.links_found import LinksFound
from ayni_hub.readings_now import rates_of, readings

NOW = 1_795_300_000.0
OCTETS = Series("interface", "eth0", "in_octets")
ERRORS = Series("interface", "eth0", "in_errors")
SPEED = Series("interface", "eth0", "speed_bps")
VOLTS = Series("power", "", "voltage_v")


@pytest.fixture
def store(tmp_path: Path) -> EmbeddedStore:
    return EmbeddedStore(tmp_path / "store.db")


def known(**values: tuple[Series, float, Value]) -> DeviceKnown:
    return DeviceKnown(values={series: (at, value) for series, at, value in values.values()})


def minutes(store: EmbeddedStore, series: Series, first: float, each: float, polls: int = 5) -> None:
    """A poll a minute, the newest at NOW."""
    store.write(
        [("ap", series, NOW - 60.0 * (polls - 1 - at), first + each * at) for at in range(polls)]
    )  # fmt: skip


def test_only_the_groups_that_are_wanted_are_told() -> None:
    both = known(a=(SPEED, NOW, 100), b=(VOLTS, NOW - 5, 24.1))
    assert [reading.metric for reading in readings(both)] == ["speed_bps", "voltage_v"]
    (one,) = readings(both, ("power",))
    assert (one.group, one.value, one.at, one.per_s) == ("power", 24.1, NOW - 5, None)


def test_a_counter_runs_as_fast_as_it_grew_since_the_poll_before(store: EmbeddedStore) -> None:
    minutes(store, OCTETS, 1e6, 600_000)
    minutes(store, ERRORS, 7, 0)
    minutes(store, SPEED, 1e8, 0)
    device = known(a=(OCTETS, NOW, 1_000_000 + 4 * 600_000), b=(ERRORS, NOW, 7), c=(SPEED, NOW, 100_000_000))
    found = rates_of(store, "ap", device.values, (), 60.0)
    assert found == {OCTETS: 10_000.0, ERRORS: 0.0}
    (octets,) = [each for each in readings(device, (), found) if each.metric == "in_octets"]
    assert octets.per_s == 10_000.0
    assert rates_of(store, "ap", device.values, ("power",), 60.0) == {}


def test_a_copy_that_is_ahead_of_the_store_counts_from_what_is_stored(store: EmbeddedStore) -> None:
    minutes(store, OCTETS, 0, 60_000)
    device = known(a=(OCTETS, NOW + 240, 240_000 + 4 * 120_000))
    assert rates_of(store, "ap", device.values, (), 60.0) == {OCTETS: 2000.0}


@pytest.mark.parametrize(
    ("newest", "uptime", "rate"),
    [
        (5_000, 30.0, None),  # it restarted: what it counted before is lost
        (5_000, 9e5, None),  # it counts from 0 again, and does not say why
        (360_000, 9e5, 2000.0),
    ],
)
def test_a_restart_makes_no_rate(
    store: EmbeddedStore, newest: int, uptime: float, rate: float | None
) -> None:
    minutes(store, OCTETS, 5e9, 60_000)
    minutes(store, UPTIME, 9e5 - 300, 60)
    start = 0 if newest < 10_000 else 5_000_000_000
    device = known(a=(OCTETS, NOW + 60, start + newest), b=(UPTIME, NOW + 60, uptime))
    assert rates_of(store, "ap", device.values, (), 60.0).get(OCTETS) == rate


def test_what_is_too_old_or_was_never_stored_has_no_rate(store: EmbeddedStore) -> None:
    minutes(store, OCTETS, 0, 60_000)
    assert rates_of(store, "ap", known(a=(OCTETS, NOW + 5000, 9e6)).values, (), 60.0) == {}
    assert rates_of(store, "ap", known(a=(OCTETS, NOW + 5000, 9e6)).values, (), 3600.0) != {}
    assert rates_of(store, "other", known(a=(OCTETS, NOW, 9e6)).values, (), 60.0) == {}


# ---- as the hub answers it


def answers(folder: Path, store: EmbeddedStore) -> Answers:
    """A hub's desk with one switch, whose newest poll is known and whose earlier ones are stored."""
    raw = {
        "network": {"title": "T"},
        "sites": {"s": {}},
        "nodes": {"pi": {"site": "s"}},
        "devices": {"ap": {"site": "s", "address": "10.0.0.1"}},
    }
    faults = Faults("network.yaml")
    network = inventory.parse(Fields(raw, "", faults))
    faults.stop()
    minutes(store, OCTETS, 0, 600_000)
    judge = Judge(network, ())
    for series, value in ((OCTETS, 4 * 600_000), (SPEED, 100_000_000), (VOLTS, 24.1)):
        judge.known.learn("ap", series, NOW, value)
    found = LinksFound(network, judge.known)
    return Answers(network, judge, store, Ledger(folder / "ledger.db"), lambda *_: None, found)


def ask(desk: Answers, **asked: object) -> Readings:
    question = AskReadings(**{"device": "ap"} | asked)  # type: ignore[arg-type]
    answer = asyncio.run(desk.answered(pack(question), "ana", NOW))
    assert isinstance(answer, Readings)
    return unpack(Readings, pack(answer))


def test_who_asks_gets_groups_and_rates_as_wanted(tmp_path: Path, store: EmbeddedStore) -> None:
    desk = answers(tmp_path, store)
    assert [each.per_s for each in ask(desk).readings] == [None, None, None]
    assert {each.metric: each.per_s for each in ask(desk, rates=True).readings} == {
        "in_octets": 10_000.0,
        "speed_bps": None,
        "voltage_v": None,
    }
    assert [each.metric for each in ask(desk, groups=("power", "poe")).readings] == ["voltage_v"]
    assert ask(desk, device="x", rates=True).error is not None
    store.close()
    assert [each.per_s for each in ask(desk, rates=True).readings] == [None, None, None]
