"""Rules of devices as machines, and of probes, each with what fires it and with what only looks like it."""

from __future__ import annotations

import pytest
from ruled import Ruled, levels, short

from ayni_core.readings import Series, Value
from ayni_core.rules.place import Place

Poll = dict[Series, Value]
SATELLITE = Place(satellite=True)


def of(group: str, item: str = "", **values: float) -> Poll:
    return {Series(group, item, metric): value for metric, value in values.items()}


def system(item: str = "", **values: float) -> Poll:
    return of("system", item, **values)


def ping(*each: float, metric: str = "loss_pct") -> list[Poll]:
    return [of("ping", "provider", **{metric: one}) for one in each]


def cores(*loads: float) -> Poll:
    return {Series("system", str(n), "cpu_pct"): each for n, each in enumerate(loads, 1)}


MEMORY = {"memory_total_bytes": 1000, "memory_free_bytes": 20}


@pytest.mark.parametrize(
    ("rule", "polls", "item", "expected"),
    [
        pytest.param(
            "device-silent", [{}, None, None, None, None], "", ".3 c2", id="three polls without an answer"
        ),
        pytest.param("device-silent", [{}, None, None, {}, None, None], "", ".6", id="two of them"),
        pytest.param("cpu-high", [system(cpu_pct=95)] * 18, "", ".15 w3", id="95 % for a quarter of an hour"),
        pytest.param(
            "cpu-high", [system(cpu_pct=95)] * 9 + [system(cpu_pct=60)] * 9, "", ".18", id="a backup"
        ),
        pytest.param("cpu-high", [cores(100, 5, 5, 5)] * 18, "", ".18", id="one of four cores"),
        pytest.param("cpu-high", [cores(99, 95, 96, 97)] * 18, "", ".15 w3", id="all of four cores"),
        pytest.param("memory-high", [system(memory_used_pct=97)] * 18, "", ".15 w3", id="97 % of the memory"),
        pytest.param("memory-high", [system(**MEMORY)] * 18, "", ".15 w3", id="the same in bytes"),
        pytest.param(
            "memory-high", [system(**MEMORY, memory_cached_bytes=500)] * 18, "", ".18",
            id="half of it is cache",
        ),
        pytest.param(
            "disk-full", [system("/", storage_total_bytes=100, storage_used_bytes=95)] * 13, "/", ".10 w3",
            id="a card",
        ),
        pytest.param(
            "disk-full", [system("/", storage_total_bytes=100, storage_used_bytes=70)] * 13, "/", ".13",
            id="room enough",
        ),
        pytest.param(
            "disk-full", [system("/rom", storage_total_bytes=100, storage_used_bytes=100)] * 13,
            "/rom", ".13",
            id="what cannot be written is always full",
        ),
        pytest.param(
            "card-worn", [system("mmcblk0", wear_pct=80)] * 4, "mmcblk0", ".2 w2", id="80 % of its life"
        ),
        pytest.param("card-worn", [system("mmcblk0", wear_pct=100)] * 4, "mmcblk0", ".2 c2", id="all of it"),
        pytest.param("card-worn", [system("mmcblk0", wear_pct=40)] * 4, "mmcblk0", ".4", id="40 %"),
        pytest.param("device-alarms", [of("power", alarms=2)] * 4, "", ".2 w2", id="a UPS with two alarms"),
        pytest.param("device-alarms", [of("power", alarms=0)] * 4, "", ".4", id="without"),
        pytest.param(
            "part-faulty", [of("power", "battery packs", faulty=1)] * 4, "battery packs", ".2 w2", id="one"
        ),
        pytest.param(
            "part-faulty", [of("power", "battery packs", faulty=0)] * 4, "battery packs", ".4", id="none"
        ),
        pytest.param(
            "part-state", [of("power", "psu1", sensor_state=each) for each in [0, *[1] * 18]],
            "psu1", ".16 w3",
            id="a power supply failed a quarter of an hour ago",
        ),
        pytest.param(
            "part-state", [of("power", "psu2", sensor_state=1)] * 18, "psu2", ".18",
            id="it was always so: not fitted",
        ),
        pytest.param(
            "part-state", [of("power", "test", sensor_state=each) for each in [1, *[4] * 9, *[1] * 9]],
            "test", ".19",
            id="a self test",
        ),
        pytest.param(
            "clock-unsynced", [of("node", clock_synced=0)] * 63, "", ".60 w3",
            id="an hour without a source of time",
        ),
        pytest.param("clock-unsynced", [of("node", clock_synced=1)] * 63, "", ".63", id="it knows the time"),
        pytest.param(
            "packet-loss", ping(0, 20, 0, 20, 0, 20, 0), "provider", ".5 w2", id="now and then a packet"
        ),
        pytest.param("packet-loss", ping(*[40] * 8), "provider", ".2 w3 c3", id="two of five, all the time"),
        pytest.param(
            "packet-loss", ping(0, 20, 0, 0, 0, 20, 0), "provider", ".7", id="two packets in a while"
        ),
        pytest.param("packet-loss", ping(*[100] * 8), "provider", ".8", id="then the probe fails"),
        pytest.param(
            "latency", ping(*[400] * 8, metric="rtt_ms"), "provider", ".5 w3", id="400 ms for five minutes"
        ),
        pytest.param(
            "latency", ping(400, 400, 80, 400, 400, 80, metric="rtt_ms"), "provider", ".6", id="bursts"
        ),
        pytest.param("latency", ping(*[140] * 8, metric="rtt_ms"), "provider", ".8", id="140 ms"),
        pytest.param(
            "probe-failed", ping(0, 2, 2, 2, metric="probe_state"), "provider", ".3 c1", id="critical"
        ),
        pytest.param(
            "probe-failed", ping(1, 1, 1, 1, metric="probe_state"), "provider", ".2 w2", id="warning"
        ),
        pytest.param(
            "probe-failed", ping(2, 2, 0, 2, 2, metric="probe_state"), "provider", ".5", id="now and then"
        ),
        pytest.param(
            "probe-failed", ping(3, 3, 3, 3, metric="probe_state"), "provider", ".4", id="a broken plugin"
        ),
    ],
)  # fmt: skip
def test_machines_and_probes(rule: str, polls: list[Poll | None], item: str, expected: str) -> None:
    assert short(levels(rule, polls, item=item)) == expected


@pytest.mark.parametrize(
    ("rule", "place", "own", "expected"),
    [
        pytest.param("latency", SATELLITE, 600.0, ".8", id="nobody is told that a satellite is far"),
        pytest.param("latency-satellite", SATELLITE, 600.0, ".8", id="800 ms where 600 are usual"),
        pytest.param("latency-satellite", SATELLITE, 250.0, ".5 w3", id="800 ms where 250 are usual"),
        pytest.param("latency-satellite", SATELLITE, None, ".8", id="nobody knows yet what is usual"),
        pytest.param("latency-satellite", Place(), 250.0, ".8", id="no satellite"),
    ],
)
def test_a_satellite_is_held_against_itself(
    rule: str, place: Place, own: float | None, expected: str
) -> None:
    normals = {} if own is None else {"own": own}
    polls = ping(*[800] * 8, metric="rtt_ms")
    assert short(levels(rule, polls, item="provider", place=place, normals=normals)) == expected


def test_near_things_over_a_satellite_may_be_three_times_slower() -> None:
    polls = ping(*[12] * 8, metric="rtt_ms")
    found = levels("latency-satellite", polls, item="provider", place=SATELLITE, normals={"own": 2.0})
    assert short(found) == ".8"


def test_a_restart_is_told_for_ten_minutes_and_three_in_a_day_are_bad() -> None:
    ruled = Ruled()
    ruled.poll({})
    for _ in range(3):
        ruled.poll({}, uptime=20.0, after_s=3600.0)
        for n in range(1, 15):
            ruled.poll({}, uptime=20.0 + 60 * n)
    told = [level for rule, level in ruled.fired if rule == "device-restarts"]
    assert told == ["warn", None, "warn", None, "critical"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(42_949_672.0 - 30, 30.0, id="497 days: its clock of hundredths wraps"),
        pytest.param(5000.0, 5055.0, id="a clock that lags a little"),
    ],
)
def test_what_is_no_restart(before: float, after: float) -> None:
    ruled = Ruled()
    ruled.poll({}, uptime=before)
    ruled.poll({}, uptime=after)
    assert ruled.fired == []


def test_a_state_that_lasted_a_day_is_the_usual_one() -> None:
    ruled = Ruled()
    state = Series("power", "psu", "sensor_state")
    ruled.poll({state: 0})
    for _ in range(30):
        ruled.poll({state: 1}, after_s=3600.0)
    told = [level for rule, level in ruled.fired if rule == "part-state"]
    assert told == ["warn", None]
