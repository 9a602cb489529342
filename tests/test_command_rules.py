"""`ayni rules check` and `ayni rules try`: faults in one line each, and history through the same judge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ayni_core.message import Message
from ayni_core.readings import Series, Value
from ayni_core.schema import ConfigError
from ayni_core.wire.messages import Event
from ayni_hub import command_rules
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.ledger import Ledger
from ayni_hub.store import Sample

NETWORK = """\
network: {title: Prueba, poll_s: 60, flush_s: 300, rules: {cpu-high: off}}
sites:
  torre: {title: Torre, rules: {signal-low: {warn: 6}}}
  cerro: {title: Cerro}
nodes: {pi: {site: torre}}
devices:
  gw: {site: torre, address: 10.0.0.1, community: "env:X"}
  ap: {site: torre, address: 10.0.0.2, community: "env:X"}
  st: {site: cerro, address: 10.0.0.3, community: "env:X", rules: {device-restarts: {times: {critical: 2}}}}
links:
  torre-cerro: {a: {device: ap, expected_dbm: -58}, b: {device: st, expected_dbm: -58}}
"""
START = 1_760_054_400.0  # midnight, UTC
DAY = 86_400.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "network.yaml").write_text(NETWORK)
    return tmp_path


# ---- check


def test_it_lists_what_is_in_force_and_where_it_is_different(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_rules.check_main([str(folder / "network.yaml")]) == 0
    told = capsys.readouterr().out
    assert "signal-low             signal_dbm below normal 4 / 8      3 polls" in told
    assert "clock-unsynced (off)" in told
    assert told.split("Different here:\n")[1].splitlines() == [
        "  network                      cpu-high: off",
        "  sites.torre                  signal-low: warn 6",
        "  devices.st                   device-restarts: times critical 2",
    ]


def test_the_same_for_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_rules.check_main([str(folder / "network.yaml"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"at": "network", "rules": {"cpu-high": "off"}} in told["changes"]
    assert {"device-silent", "battery-low"} <= {rule["name"] for rule in told["rules"]}


def test_every_fault_of_rules_and_inventory_has_its_file_line_and_path(folder: Path) -> None:
    (folder / "network.yaml").write_text(
        NETWORK.replace("cpu-high: off", "cpu-hot: off").replace("{warn: 6}", "{wran: 6}")
    )
    with pytest.raises(ConfigError) as caught:
        command_rules.check_main([str(folder / "network.yaml")])
    faults = str(caught.value).replace(str(folder), "")
    assert '/network.yaml:1: network.rules.cpu-hot: unknown rule "cpu-hot"; did you mean "pi-hot"?' in faults
    assert '/network.yaml:3: sites.torre.rules.signal-low.wran: unknown key; did you mean "warn"?' in faults


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (
            "metric: signal_dmb, test: below, warn: 1",
            'mine.metric: unknown metric or sign "signal_dmb"; did you mean',
        ),
        ("metric: cpu_pct, test: over, warn: 1", 'mine.test: unknown value "over"'),
        ("metric: cpu_pct, test: above", "mine.warn: is missing: a rule needs warn, critical or both"),
        (
            "metric: cpu_pct, test: above, warn: 9, critical: 5",
            "mine.critical: must not be on the good side of warn",
        ),
        (
            "metric: cpu_pct, test: above, warn: 9, times: 3",
            "mine.within_s: is missing: times go with within_s",
        ),
        ("metric: cpu_pct, test: above, warn: 9, polls: {bad: 3}", 'mine.polls.bad: unknown key'),
        ("metric: cpu_pct, test: above, warn: 9, only: moon", 'mine.only: unknown condition "moon"'),
        ("metric: cpu_pct, test: above, warn: 9, suspect: ghosts", 'mine.suspect: unknown cause "ghosts"'),
        (
            "metric: cpu_pct, test: above, warn: 9, group: systems",
            'mine.group: unknown group "systems"; did you mean',
        ),
        (
            "metric: cpu_pct, test: above, warn: 9, ignore: none",
            "mine.ignore: expected a number, or a list of numbers",
        ),
        ("metric: cpu_pct, test: above, warn: 9, polls: 0", "mine.polls: must be at least 1, got 0"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_meant_is_a_fault(tmp_path: Path, rule: str, fault: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("rules:\n  mine: {scope: device, text: rule.cpu_high, " + rule + "}\n")
    with pytest.raises(ConfigError) as caught:
        command_rules.check_main([str(path), "--dir", str(tmp_path)])
    assert f"{path}:2: rules.{fault}" in str(caught.value)


def test_signs_are_listed_with_their_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_rules.check_main(["--signs"]) == 0
    assert "utilisation_pct      %     share of a port's speed in use, the busier direction" in (
        capsys.readouterr().out
    )


# ---- try


def history(days: int = 1) -> Iterator[Sample]:
    """Two radios and a router, polled each minute. On the first morning: a signal that is low for an hour, a
    dip of five polls, and ten minutes without the far radio."""
    for n in range(int(days * 1440)):
        at = START + 60.0 * n
        gone = 600 <= n < 610
        signal = -66 if 120 <= n < 180 or 300 <= n < 305 else -58
        for device in ("gw", "ap", "st"):
            if gone and device == "st":
                yield device, Series("system", "", "answered"), at, 0
                continue
            yield from _poll(device, at, n, None if gone else signal)


def _poll(device: str, at: float, n: int, signal: float | None) -> Iterator[Sample]:
    yield device, Series("system", "", "answered"), at, 1
    yield device, Series("system", "", "uptime_s"), at, 100_000 + 60 * n
    yield device, Series("system", "", "cpu_pct"), at, 99
    if device != "gw" and signal is not None:
        value: Value = signal
        yield device, Series("radio", "wlan1", "signal_dbm"), at, value


@pytest.fixture
def stored(folder: Path) -> Path:
    (folder / "hub").mkdir()
    store = EmbeddedStore(folder / "hub" / "store.db")
    store.write(history())
    store.close()
    return folder


def tried(stored: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    history, network = str(stored / "hub"), str(stored / "network.yaml")
    assert command_rules.try_main(["--history", history, "--network", network, *more]) == 0
    return capsys.readouterr().out


def test_history_goes_through_the_same_judge(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(tried(stored, capsys, "--json"))
    fired = [
        (each["rule"], each["name"], each["level"], round((each["since"] - START) / 60))
        for each in told["alarms"]
    ]
    assert fired == [
        ("signal-low", "torre-cerro", "warn", 122), ("signal-low", "torre-cerro", "warn", 122),
        ("signal-low", "torre-cerro", "warn", 302), ("signal-low", "torre-cerro", "warn", 302),
        ("link-down", "torre-cerro", "critical", 602), ("device-silent", "st", "critical", 602),
    ]  # fmt: skip
    by_rule = {(each["rule"], each["detail"]): each for each in told["alarms"]}
    assert by_rule["device-silent", ""]["explained"], "the link that is down says why"
    assert not by_rule["link-down", ""]["explained"]
    assert "cpu-high" not in {each["rule"] for each in told["alarms"]}, "it is off in this network"
    assert told["polls"] == 3 * 1440


def test_what_ends_by_itself_and_nobody_noted_counts_as_false(
    stored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads(tried(stored, capsys, "--json", "--short", "15"))
    false = [(each["rule"], each["detail"]) for each in told["alarms"] if each["false"]]
    assert false == [("signal-low", "a"), ("link-down", "")], "one end speaks for both"
    assert told["false_per_site_and_week"]["torre"] == pytest.approx(14, rel=0.01)
    ledger = Ledger(stored / "hub" / "ledger.db")
    note = Event(
        at=START + 4000 + 600 * 60, kind="link", name="torre-cerro",
        text=Message("event.note", {"author": "Ana", "text": "palo"}),
    )  # fmt: skip
    ledger.remember({}, {}, [note], {})
    ledger.close()
    told = json.loads(tried(stored, capsys, "--json", "--short", "15"))
    assert not [each for each in told["alarms"] if each["false"]]


def test_people_read_a_table_and_what_counts_as_false(
    stored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = tried(stored, capsys, "--from", "2025-10-10", "--to", "2025-10-11").splitlines()
    about = "2025-10-10 00:00 to 2025-10-10 23:59 (1.0 days): 4320 polls of 3 devices, tried in "
    assert told[0].startswith(about)
    rows = [line.split() for line in told]
    assert ["signal-low", "4", "2"] in [row[:3] for row in rows]
    assert ["link-down", "1", "0"] in [row[:3] for row in rows]
    assert told[-1].startswith("An alarm counts as false when it ended by itself within 10 minutes, no other")


def test_a_rule_is_tried_before_it_is_in_force(
    stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "rules:\n  cpu-mine: {scope: device, metric: cpu_pct, test: above, warn: 95, text: rule.cpu_high}\n"
    )
    told = json.loads(tried(stored, capsys, "--rules", str(mine), "--only", "cpu-mine", "--json"))
    assert [(each["rule"], each["name"], each["until"]) for each in told["alarms"]] == [
        ("cpu-mine", device, None) for device in ("gw", "ap", "st")
    ]


def test_what_cannot_be_tried_is_said_in_a_sentence(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history, network = str(stored / "hub"), str(stored / "network.yaml")
    assert command_rules.try_main(["--history", str(stored), "--network", network]) == 1
    assert "there is no such store" in capsys.readouterr().err
    late = ["--history", history, "--network", network, "--from", "2030-01-01"]
    assert command_rules.try_main(late) == 1
    assert "nothing was measured in that time" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="no-such: there is no such rule"):
        command_rules.try_main(["--history", history, "--network", network, "--only", "no-such"])
