"""Which rules hold where: sections of the inventory, the nearest wins, and monitors judge as the hub does."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruled import SHIPPED, Ruled

from ayni_agent import config as agent_config
from ayni_agent.verdict import Verdicts
from ayni_core import inventory, slices
from ayni_core.inventory import Network
from ayni_core.readings import Poll, Series, Value
from ayni_core.rules import Track
from ayni_core.rules.bench import Mouth
from ayni_core.rules.law import Law, read, together, written
from ayni_core.rules.track import of_row
from ayni_core.schema import Faults, Fields
from ayni_core.wire.frame import ANSWERED, DevicePolls
from ayni_core.wire.messages import NodeState
from ayni_hub.alerting.subject import Subject
from ayni_hub.judge import Judge
from ayni_hub.jurisdiction import Jurisdiction
from ayni_io import yamlfile, yamlwrite

NETWORK = """\
network: {title: Prueba, poll_s: 60, flush_s: 300, rules: {signal-low: {warn: 6}, cpu-high: off}}
sites:
  torre: {power: solar, battery_v: 24, latitude: -13.5, longitude: -72.0, rules: {cpu-high: on}}
  cerro: {}
nodes: {pi: {site: torre}}
devices:
  ap:
    site: torre
    address: 10.0.0.1
    community: "env:X"
    rules: {signal-low: {critical: 20}, cpu-high: {warn: 50}}
  st: {site: cerro, address: 10.0.0.2, community: "env:X"}
links:
  torre-cerro:
    rules: {signal-low: {warn: 3}, link-down: off}
    a: {device: ap, expected_dbm: -58}
    b: {device: st, expected_dbm: -58}
"""


@pytest.fixture
def network(tmp_path: Path) -> Network:
    path = tmp_path / "network.yaml"
    path.write_text(NETWORK)
    return yamlfile.read(path, inventory.parse)


def test_the_nearest_section_wins_key_by_key(network: Network) -> None:
    law = Jurisdiction(network, list(SHIPPED.values()))
    mouth_a, mouth_b = Mouth("radio", "w", "torre-cerro", "a"), Mouth("radio", "w", "torre-cerro", "b")
    ap, st = law.device("ap", (mouth_a,)), law.device("st", (mouth_b,))
    near = {rule.name: rule for rule in ap.ends[mouth_a]}
    far = {rule.name: rule for rule in st.ends[mouth_b]}
    assert (near["signal-low"].warn, near["signal-low"].critical) == (3, 20)
    assert (far["signal-low"].warn, far["signal-low"].critical) == (3, 8)
    assert {rule.name: rule for rule in ap.rules}["cpu-high"].warn == 50, "the site switched it on again"
    assert "cpu-high" not in {rule.name for rule in st.rules}
    assert law.of_link("torre-cerro", "link_up") == ()
    assert law.device("ap", (mouth_a,)) is not ap, "another tuple may be another mouth"


def test_rules_that_nobody_changed_are_one_object_for_all() -> None:
    law = Law(tuple(SHIPPED.values()))
    assert law.under({}, {}) is law.under({}) is law.under({}, {}, {})
    assert law.under({"cpu-high": {"on": False}}) is law.under({}, {"cpu-high": {"on": False}})


def test_a_level_that_is_not_named_keeps_what_it_had() -> None:
    (changed,) = (
        rule
        for rule in Law(tuple(SHIPPED.values())).under({"port-flaps": {"on": True, "times": (None, 5)}})
        if rule.name == "port-flaps"
    )
    assert (changed.window(1).times, changed.window(2).times) == (3, 5)


def test_what_a_section_says_can_be_written_and_read_again() -> None:
    raw = {"a": "off", "b": "on", "c": {"warn": 6, "polls": {"critical": 7}, "for_s": 60}}
    faults = Faults("x")
    section = read(Fields({"rules": raw}, "", faults))
    faults.stop()
    assert written(section) == raw
    assert together({"a": {"on": True, "warn": 1}}, section)["a"] == {"on": False, "warn": 1}


def test_a_monitor_is_told_what_is_different_for_its_devices(network: Network, tmp_path: Path) -> None:
    facts = slices.BrokerFacts(secrets="/s")
    path = tmp_path / "agent.yaml"
    path.write_text(yamlwrite.dump(slices.agent(network, "pi", facts)))
    config = agent_config.load(path)
    assert config.rules == network.rules
    ap = config.devices["ap"]
    assert ap.rules["signal-low"] == {"on": True, "warn": 3, "critical": 20}
    assert (ap.place.power, ap.place.battery_v, ap.place.latitude) == ("solar", 24, -13.5)
    assert "place" not in slices.agent(network, "pi", facts)["devices"]["st"], "nothing is special there"


def polls(dbm: float, count: int = 6) -> list[dict[Series, Value]]:
    uptime = Series("system", "", "uptime_s")
    return [
        {uptime: 1000 + 60 * n, Series("radio", "w", "signal_dbm"): dbm, Series("system", "", "cpu_pct"): 60}
        for n in range(count)
    ]


def at_the_hub(network: Network, device: str, values: list[dict[Series, Value]]) -> dict[str, str | None]:
    judge = Judge(network, list(SHIPPED.values()))
    judge.node_state("pi", NodeState(up=True, flush_s=300), 0.0)
    frame = DevicePolls()
    for n, each in enumerate(values):
        frame.add(60.0 * n, {ANSWERED: 1, **each})
    judge.take("pi", {device: frame}, 1e9, None)
    side = "a" if device == "ap" else "b"
    return {
        "signal-low": judge.level("signal-low", Subject("link", "torre-cerro", side)),
        "cpu-high": judge.level("cpu-high", Subject("device", device)),
    }


def at_the_site(network: Network, device: str, values: list[dict[Series, Value]]) -> dict[str, str | None]:
    written_down = slices.agent(network, "pi", slices.BrokerFacts(secrets="/s"))
    faults = Faults("agent.yaml")
    config = agent_config.parse(Fields(written_down, "", faults))
    faults.stop()
    told = config.devices[device]
    verdicts = Verdicts.over(
        SHIPPED.values(), {device: told.expected_dbm}, sections={device: (config.rules, told.rules)}
    )
    for n, each in enumerate(values):
        verdicts.judge(Poll(device=device, at_s=60.0 * n, values=each))
    held: dict[str, str | None] = {"signal-low": None, "cpu-high": None}
    for (_device, rule, _series), track in verdicts.tracks.items():
        if track.level and rule in held:
            held[rule] = track.level
    return held


@pytest.mark.parametrize("device", ["ap", "st"])
@pytest.mark.parametrize("dbm", [-58, -61, -62, -65, -67, -79])
def test_monitor_and_hub_agree(network: Network, device: str, dbm: float) -> None:
    values = polls(dbm, 30)
    here, there = at_the_site(network, device, values), at_the_hub(network, device, values)
    assert here == there
    if dbm == -67:
        assert there["signal-low"] == ("warn" if device == "ap" else "critical")


def test_an_alarm_by_a_rule_that_was_switched_off_is_over(network: Network, tmp_path: Path) -> None:
    judge = Judge(network, list(SHIPPED.values()))
    values = polls(-80)
    frame = DevicePolls()
    for n, each in enumerate(values):
        frame.add(60.0 * n, each)
    judge.take("pi", {"ap": frame}, 1e9, None)
    saved = judge.flush()
    assert saved.alerts
    path = tmp_path / "network.yaml"
    path.write_text(NETWORK.replace("signal-low: {warn: 3}", "signal-low: off"))
    again = Judge(yamlfile.read(path, inventory.parse), list(SHIPPED.values()), saved.tracks, judge.alerts)
    again.tick(1e9 + 400)
    changes = again.flush()
    assert again.alerts == {}
    assert [track.level for track in changes.tracks.values()] == [None]


def test_tracks_are_small_json_and_old_ones_are_read() -> None:
    old = ["warn", 5.0, None, 1, 6.0, -58.0, -64.0]
    assert of_row(old) == Track(
        level="warn", since=5.0, pending=None, count=1, pending_since=6.0, best=-58.0, value=-64.0
    )
    assert of_row(old).to_row() == old
    marked = Track(marks=((1.0, 2), (2.0, 1)), more=3, more_since=1.5)
    assert of_row(marked.to_row()) == marked


def test_what_a_rule_counts_over_a_day_survives_a_restart() -> None:
    tracks: dict[str, Track] = {}
    for start in (0.0, 40_000.0, 80_000.0):
        ruled = Ruled(start=start, tracks=tracks)
        ruled.poll({}, uptime=5000.0)
        ruled.poll({}, uptime=10.0)
    assert ruled.level("device-restarts") == "critical"


def test_of_two_levels_the_milder_one_is_believed_while_numbers_go_to_and_fro() -> None:
    ruled = Ruled(rules=[SHIPPED["signal-low"]], normals={"budget": -58.0})
    for n in range(6):
        ruled.poll({Series("radio", "wlan1", "signal_dbm"): -64 if n % 2 else -70})
    assert ruled.level("signal-low") == "warn"


def test_a_monitor_passes_over_rules_that_it_does_not_know_and_its_check_tells(tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text(
        "node: pi\nbroker: {}\nrules: {cpu-hgh: off}\n"
        'devices: {ap: {address: 10.0.0.1, community: "env:X", rules: {later-rule: on}}}\n'
    )
    config = agent_config.load(path)
    unknown = agent_config.unknown_rules(config, list(SHIPPED), "agent.yaml")
    assert [str(each) for each in unknown] == [
        'agent.yaml: rules.cpu-hgh: unknown rule "cpu-hgh"; did you mean "cpu-high"?',
        'agent.yaml: devices.ap.rules.later-rule: unknown rule "later-rule"; did you mean "battery-left"?',
    ]
