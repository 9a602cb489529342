"""Rules of links, monitors and ways out: what only the hub can judge, because it sees all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ayni_core import inventory
from ayni_core.readings import Series, Value
from ayni_core.wire.frame import ANSWERED, DevicePolls
from ayni_core.wire.messages import NodeState
from ayni_hub.alerting.subject import Subject
from ayni_hub.judge import Judge
from ayni_io import yamlfile
from ayni_io.rulebook import load_rules

NETWORK = """\
network: {title: Prueba, poll_s: 60, flush_s: 300}
sites: {torre: {}, cerro: {}}
nodes: {pi: {site: torre}}
devices:
  ap: {site: torre, address: 10.0.0.1, community: "env:X"}
  st: {site: cerro, address: 10.0.0.2, community: "env:X"}
links: {l: {a: {device: ap}, b: {device: st}}}
upstreams: {fibra: {device: ap, interface: ether1, data_cap_gb_per_month: 100}}
"""
START = 1_760_000_000.0
RULES = load_rules()


class Watched:
    """A judge that hears a report of one monitor each minute."""

    def __init__(self, tmp_path: Path) -> None:
        path = tmp_path / "network.yaml"
        path.write_text(NETWORK)
        self.judge = Judge(yamlfile.read(path, inventory.parse), RULES)
        self.judge.node_state("pi", NodeState(up=True, flush_s=300), START)
        self.now = START

    def minute(
        self, *, a_bps: float | None = 1e8, b_bps: float | None = 1e8, synced: bool = True, way_out: int = 1
    ) -> None:
        """Both radios and the router's port are polled and reported."""
        self.now += 60
        devices = {}
        for name, rate in (("ap", a_bps), ("st", b_bps)):
            values: dict[Series, Value] = {
                ANSWERED: 1,
                Series("system", "", "uptime_s"): 1e6 + self.now - START,
                Series("radio", "w", "signal_dbm"): -60,
                Series("interface", "ether1", "if_oper"): way_out,
            }
            if rate is not None:
                values[Series("radio", "w", "tx_rate_bps")] = rate
            devices[name] = DevicePolls()
            devices[name].add(0.0, values)
        self.judge.take("pi", devices, self.now, self.now + 310, synced)
        self.judge.tick(self.now + 1)

    def silence(self, seconds: float) -> None:
        """Nobody reports; the hub looks every five seconds."""
        for _ in range(int(seconds // 5)):
            self.now += 5
            self.judge.tick(self.now)

    def level(self, rule: str, kind: str, name: str) -> str | None:
        """What holds now."""
        return self.judge.level(rule, Subject(kind, name))


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


@pytest.mark.parametrize(
    ("a_bps", "b_bps", "minutes", "expected"),
    [
        pytest.param(1e8, 4e7, 35, "warn", id="60 % slower for half an hour"),
        pytest.param(1e8, 4e7, 25, None, id="not yet half an hour"),
        pytest.param(1e8, 6e7, 60, None, id="40 % are usual"),
        pytest.param(1e8, None, 60, None, id="one end does not tell"),
        pytest.param(0.0, 1e8, 60, None, id="0: it sends nothing just now"),
    ],
)
def test_one_end_that_sends_much_slower_than_the_other(
    watched: Watched, a_bps: float | None, b_bps: float | None, minutes: int, expected: str | None
) -> None:
    for _ in range(minutes):
        watched.minute(a_bps=a_bps, b_bps=b_bps)
    assert watched.level("rates-differ", "link", "l") == expected


def test_rates_that_differ_now_and_then_are_what_modulation_does(watched: Watched) -> None:
    for n in range(90):
        watched.minute(a_bps=1e8 if n % 5 else 2e7)
    assert watched.level("rates-differ", "link", "l") is None


def test_a_monitor_that_never_learns_the_time_is_told_after_half_an_hour(watched: Watched) -> None:
    for _ in range(25):
        watched.minute(synced=False)
    assert watched.level("clock-unset", "node", "pi") is None, "it may still find somebody to ask"
    for _ in range(10):
        watched.minute(synced=False)
    assert watched.level("clock-unset", "node", "pi") == "warn"
    watched.minute(synced=True)
    assert watched.level("clock-unset", "node", "pi") is None


def test_a_silent_monitor_is_a_warning_first_and_bad_after_half_an_hour(watched: Watched) -> None:
    watched.minute()
    watched.silence(420)
    assert watched.level("agent-offline", "node", "pi") is None, "a report may be two polls late"
    watched.silence(60)
    assert watched.level("agent-offline", "node", "pi") == "warn"
    watched.silence(1700)
    assert watched.level("agent-offline", "node", "pi") == "warn"
    watched.silence(200)
    assert watched.level("agent-offline", "node", "pi") == "critical"
    watched.minute()
    assert watched.level("agent-offline", "node", "pi") is None


def test_a_silent_monitor_is_no_broken_link_and_no_dead_way_out(watched: Watched) -> None:
    watched.minute()
    watched.silence(3600)
    assert watched.level("link-down", "link", "l") is None
    assert watched.level("upstream-down", "upstream", "fibra") is None


def test_a_way_out_that_flickers_is_no_alarm_and_one_that_stays_down_is(watched: Watched) -> None:
    watched.minute()
    watched.minute(way_out=2)
    assert watched.level("upstream-down", "upstream", "fibra") is None
    watched.minute()
    watched.silence(10)
    assert watched.level("upstream-down", "upstream", "fibra") is None
    watched.minute(way_out=2)
    watched.silence(10)
    assert watched.level("upstream-down", "upstream", "fibra") == "critical"


@pytest.mark.parametrize(("used", "expected"), [(60.0, None), (80.0, "warn"), (95.0, "critical")])
def test_the_data_of_a_month(watched: Watched, used: float, expected: str | None) -> None:
    watched.judge.data_used("fibra", used, START)
    assert watched.level("data-cap", "upstream", "fibra") == expected


def test_a_quiet_second_of_a_thousand_sites_costs_next_to_nothing(watched: Watched) -> None:
    """Nothing is judged again that has no news."""
    watched.minute()
    asked: list[str] = []
    watched.judge.link_up = lambda link, now: asked.append(link.name)  # type: ignore[assignment,func-returns-value]
    watched.silence(30)
    assert asked == []


def test_every_shipped_rule_has_its_cases() -> None:
    here = Path(__file__).parent
    files = [
        *here.glob("test_rules_*.py"),
        *(here / f"test_{each}.py" for each in ("judge", "baselines", "certificate_alarm", "backup_watch")),
    ]
    said = "\n".join(path.read_text(encoding="utf-8") for path in files)
    assert [rule.name for rule in RULES if f'"{rule.name}"' not in said and rule.name not in said] == []
