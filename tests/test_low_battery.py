"""When a node switches itself off: late enough, never by mistake, never so that nobody can reach it again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ayni_agent.config import load
from ayni_agent.lights_out import FILE, LightsOut
from ayni_core import inventory, slices
from ayni_core.low_battery import AFTER_BOOT_S, AGAIN_S, Seen, Shutdown, is_time, look, read
from ayni_core.readings import Poll, Series, Value
from ayni_core.schema import ConfigError, Faults, Fields
from ayni_core.slices import BrokerFacts
from ayni_core.wire.note import FrameNote

RULE = Shutdown(device="sol", metric="voltage_v", below=23.2)
LATE = 10 * AFTER_BOOT_S


def poll(at_s: float, value: Value, device: str = "sol", error: str | None = None) -> Poll:
    values = {} if error else {Series("power", "battery", "voltage_v"): value}
    return Poll(device=device, at_s=at_s, values=values, error=error)


def after(*values: Value, every_s: float = 60.0, start_s: float = LATE) -> tuple[Seen, float]:
    """What is known after these readings, and when the last one was."""
    seen, at_s = Seen(), start_s
    for number, value in enumerate(values):
        at_s = start_s + number * every_s
        seen = look(RULE, seen, poll(at_s, value))
    return seen, at_s


LOW = (23.0,) * 11


@pytest.mark.parametrize(
    ("values", "every_s", "start_s", "expected"),
    [
        (LOW, 60, LATE, True),
        (LOW[:10], 60, LATE, False),  # nine minutes
        ((23.0, 23.0), 600, LATE, False),  # long enough, but seen twice only
        ((23.0, 23.0, 23.0), 300, LATE, True),
        ((*LOW[:5], 24.5, *LOW[:6]), 60, LATE, False),  # it was well again in between
        ((*LOW[:5], 23.4, *LOW[:6]), 60, LATE, True),  # a little above the limit is no recovery
        ((*LOW, 23.4), 60, LATE, False),  # but it is not low at this moment
        ((0.0,) * 20, 60, LATE, False),  # a wire is off
        ((None,) * 20, 60, LATE, False),
        ((23.0, *(None,) * 20), 60, LATE, False),  # nobody knows any more
        (("low",) * 20, 60, LATE, False),
        (LOW, 60, 0.0, False),  # just booted
        (LOW, 60, AFTER_BOOT_S - 599, True),
        (LOW, 60, AFTER_BOOT_S - 601, False),
        ((23.0,) * 3, 1000, LATE, False),  # too seldom to believe that it was low all the time
    ],
)
def test_it_is_time_only_when_it_is_certain(
    values: tuple[Value, ...], every_s: float, start_s: float, expected: bool
) -> None:
    seen, now_s = after(*values, every_s=every_s, start_s=start_s)
    assert is_time(RULE, seen, now_s) is expected


def test_polls_that_fail_and_other_devices_say_nothing_about_the_battery() -> None:
    seen, now_s = after(*LOW)
    for other in (poll(now_s + 60, None, error="timed out"), poll(now_s + 60, 30.0, device="radio")):
        assert look(RULE, seen, other) == seen


def test_it_does_not_ask_again_before_an_hour() -> None:
    seen, now_s = after(*LOW)
    asked = Seen(since_s=seen.since_s, polls=99, last_s=now_s, value=23.0, asked_s=now_s)
    assert not is_time(RULE, asked, now_s + 60)
    later = look(RULE, Seen(since_s=0.0, polls=99, last_s=now_s + AGAIN_S - 60, value=23.0, asked_s=now_s),
                 poll(now_s + AGAIN_S, 23.0))  # fmt: skip
    assert is_time(RULE, later, now_s + AGAIN_S)


def test_a_share_of_charge_does_as_well() -> None:
    rule = Shutdown(device="sol", metric="charge_pct", below=20)
    seen, at_s = Seen(), LATE
    for number in range(11):
        at_s = LATE + 60 * number
        charge: dict[Series, Value] = {Series("power", "battery", "charge_pct"): 0.0}
        seen = look(rule, seen, Poll(device="sol", at_s=at_s, values=charge))
    assert is_time(rule, seen, at_s)


# ---- configuration


def section(**given: Any) -> tuple[Shutdown | None, list[str]]:
    faults = Faults("agent.yaml")
    return read(Fields({"shutdown": given} if given else {}, "", faults)), faults.found


def test_the_section_is_read_with_its_defaults() -> None:
    assert section() == (None, [])
    assert section(device="sol", below_v=11.6) == (
        Shutdown(device="sol", metric="voltage_v", below=11.6, item="battery", for_s=600), []
    )  # fmt: skip
    assert section(device="sol", below_pct=20, for_min=5, item="bank", wake_after_h=6)[0] == Shutdown(
        device="sol", metric="charge_pct", below=20, item="bank", for_s=300, wake_s=21600
    )


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"device": "sol"}, "either below_v or below_pct"),
        ({"device": "sol", "below_v": 11, "below_pct": 20}, "either below_v or below_pct"),
        ({"below_v": 11}, "shutdown.device: is missing"),
        ({"device": "sol", "below_v": 11, "for_min": 1}, "at least 2"),
        ({"device": "sol", "below_v": 11, "for_s": 1}, "for_s"),
    ],
)
def test_what_is_wrong_in_the_section_is_named(given: dict[str, Any], fault: str) -> None:
    assert any(fault in each for each in section(**given)[1])


def test_an_agent_cannot_look_at_a_battery_that_it_does_not_poll(tmp_path: Path) -> None:
    file = tmp_path / "agent.yaml"
    file.write_text(
        "node: torre\nbroker: { host: 127.0.0.1 }\nshutdown: { device: sol, below_v: 11.6 }\n"
        "devices: { sole: { address: 10.0.0.1, community: file:/dev/null } }\n"
    )
    with pytest.raises(ConfigError, match=r'shutdown.device: "sol" is not polled from here.*"sole"'):
        load(file)


def test_a_node_s_section_travels_from_the_inventory_to_its_agent() -> None:
    document: dict[str, Any] = {
        "network": {"title": "Red"},
        "sites": {"torre": {"title": "Torre"}},
        "nodes": {"pi": {"title": "Pi", "site": "torre", "shutdown": {"device": "sol", "below_v": 11.6}}},
        "devices": {"sol": {"site": "torre", "address": "10.0.0.1", "community": "file:/dev/null"}},
    }
    faults = Faults("network.yaml")
    network = inventory.parse(Fields(document, "", faults))
    assert faults.found == []
    made = slices.agent(network, "pi", BrokerFacts(secrets="/s"))
    assert made["shutdown"] == {"device": "sol", "below_v": 11.6}
    document["nodes"]["pi"]["shutdown"]["device"] = "other"
    inventory.parse(Fields(document, "", faults))
    assert any("nodes.pi.shutdown.device" in fault for fault in faults.found)


# ---- the agent


def test_it_says_good_bye_before_it_leaves_the_file(tmp_path: Path) -> None:
    said: list[FrameNote] = []
    waiting = [2]
    now_s = [LATE]

    async def run() -> None:
        lights = LightsOut(
            Shutdown(device="sol", metric="voltage_v", below=23.2, wake_s=21600), tmp_path,
            said.append, lambda: waiting[0], lambda: now_s[0],
        )  # fmt: skip
        task = asyncio.create_task(lights.run())
        for number in range(11):
            now_s[0] = LATE + 60 * number
            lights.take(poll(now_s[0], 23.04))
        await asyncio.sleep(1.3)
        assert said and not (tmp_path / FILE).exists(), "the central does not have the report yet"
        waiting[0] = 0
        while not (tmp_path / FILE).exists():
            await asyncio.sleep(0.05)
        task.cancel()

    asyncio.run(asyncio.wait_for(run(), 20))
    assert (tmp_path / FILE).read_text() == "21600\n"
    assert [(note.level, note.text.context, note.text.values) for note in said] == [
        ("critical", "note.lights_out", {"device": "sol", "value": 23.0, "unit": "V"})
    ]
