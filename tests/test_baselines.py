"""What is normal is worked out of what is stored, kept over restarts, and asked for by rules."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from ayni_core import inventory
from ayni_core.inventory import Network
from ayni_core.readings import Series
from ayni_core.wire.frame import ANSWERED, DevicePolls
from ayni_core.wire.messages import NodeState
from ayni_hub.alerting.subject import Subject
from ayni_hub.baselines import Baselines, first_good_week, month_start
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.judge import Judge
from ayni_hub.ledger import Ledger
from ayni_hub.normals import Wanted
from ayni_hub.store import Sample
from ayni_io import yamlfile
from ayni_io.rulebook import load_rules

NETWORK = """\
network: {title: Prueba, poll_s: 60, flush_s: 300, rules: {signal-week: on}}
sites: {torre: {}, lejos: {satellite: true}}
nodes: {pi: {site: torre}}
devices:
  ap: {site: torre, address: 10.0.0.1, community: "env:X"}
  st: {site: torre, address: 10.0.0.2, community: "env:X"}
  probe: {site: lejos, address: 10.0.0.3, community: "env:X"}
links: {l: {a: {device: ap}, b: {device: st}}}
upstreams: {fibra: {device: ap, interface: ether1, data_cap_gb_per_month: 1}}
"""
DAY, HOUR = 86_400.0, 3600.0
START = 1_759_276_800.0  # 2025-10-01
SIGNAL, RTT = Series("radio", "w", "signal_dbm"), Series("ping", "far", "rtt_ms")
REFERENCE = Wanted("ap", SIGNAL, "reference")


@pytest.fixture
def network(tmp_path: Path) -> Network:
    path = tmp_path / "network.yaml"
    path.write_text(NETWORK)
    return yamlfile.read(path, inventory.parse)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    store = EmbeddedStore(tmp_path / "store.db", gap_s=1200)
    yield store
    store.close()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "ledger.db")
    yield ledger
    ledger.close()


def signals(first_day: int, days: int, dbm: float, device: str = "ap") -> Iterator[Sample]:
    rng = random.Random(f"{first_day}/{dbm}")
    for n in range(days * 96):
        yield device, SIGNAL, START + first_day * DAY + 900.0 * n, dbm + rng.choice((-1, 0, 0, 1))


def judged(network: Network) -> Judge:
    judge = Judge(network, load_rules())
    judge.node_state("pi", NodeState(up=True, flush_s=300), START)
    return judge


def poll(judge: Judge, at: float, dbm: float, count: int = 1) -> None:
    frame = DevicePolls()
    for n in range(count):
        values = {ANSWERED: 1, Series("system", "", "uptime_s"): at - START + 1e6 + 60 * n, SIGNAL: dbm}
        frame.add(60.0 * n, values)
    judge.take("pi", {"ap": frame}, at, None)


def work(baselines: Baselines, now: float) -> int:
    count = 0
    while baselines.look(now + count):
        count += 1
    return count


def test_the_first_good_week_is_the_reference_and_stays_it(
    network: Network, store: EmbeddedStore, ledger: Ledger
) -> None:
    store.write(signals(0, 8, -57))
    store.write(signals(8, 8, -70))
    judge = judged(network)
    baselines = Baselines(judge, store, ledger)
    now = START + 16 * DAY
    poll(judge, now, -64, 6)
    assert judge.level("signal-sank", Subject("link", "l", "a")) is None, "nobody knows yet"
    assert work(baselines, now) >= 1
    assert judge.normals.of(*_asked()) == -57
    poll(judge, now + 600, -64, 6)
    assert judge.level("signal-sank", Subject("link", "l", "a")) == "warn"
    again = judged(network)
    Baselines(again, store, ledger)
    assert again.normals.of(*_asked()) == -57, "it stands in the ledger"


def _asked() -> tuple[str, str, Series, None]:
    return ("reference", "ap", SIGNAL, None)


@pytest.mark.parametrize(
    ("weeks", "now_day", "expected"),
    [
        pytest.param([(0, 6, -57.0)], 6, None, id="a week has seven days"),
        pytest.param([(0, 7, -57.0)], 8, -57.0, id="now it is over"),
        pytest.param([(0, 2, -80.0), (12, 8, -60.0)], 21, -60.0, id="two days of trials do not count"),
        pytest.param([(0, 1, -80.0)], 30, None, id="one day and then nothing"),
        pytest.param([], 30, None, id="nothing at all"),
    ],
)
def test_a_week_is_good_when_most_of_it_was_measured(
    store: EmbeddedStore, weeks: list[tuple[int, int, float]], now_day: int, expected: float | None
) -> None:
    for first, days, dbm in weeks:
        store.write(signals(first, days, dbm))
    found = first_good_week(store, "ap", SIGNAL, START + now_day * DAY)
    assert (found is None) if expected is None else found == pytest.approx(expected, abs=0.6)


def test_what_was_normal_last_week_is_worked_out_anew_each_day(
    network: Network, store: EmbeddedStore, ledger: Ledger
) -> None:
    store.write(signals(0, 10, -57))
    store.write(signals(10, 10, -66))
    judge = judged(network)
    baselines = Baselines(judge, store, ledger)
    wanted = ("last_week", "ap", SIGNAL, None)
    poll(judge, START + 12 * DAY, -66)
    work(baselines, START + 12 * DAY)
    assert judge.normals.of(*wanted) == -57
    work(baselines, START + 12 * DAY + HOUR)
    work(baselines, START + 20 * DAY)
    lately = judge.normals.of(*wanted)
    assert lately == pytest.approx(-66, abs=0.3), "a drop that lasts is the new normal"


def test_a_satellite_has_its_own_normal(network: Network, store: EmbeddedStore, ledger: Ledger) -> None:
    store.write(("probe", RTT, START + 600.0 * n, 600 + n % 5) for n in range(5 * 144))
    judge = judged(network)
    baselines = Baselines(judge, store, ledger)
    now = START + 5 * DAY

    def polls(at: float, ms: float) -> None:
        frame = DevicePolls()
        for n in range(8):
            frame.add(60.0 * n, {ANSWERED: 1, RTT: ms})
        judge.take("pi", {"probe": frame}, at, None)

    polls(now, 640)
    work(baselines, now)
    polls(now + 600, 1700)
    assert judge.level("latency-satellite", Subject("device", "probe", "far")) is None
    polls(now + 1200, 2000)
    assert judge.level("latency-satellite", Subject("device", "probe", "far")) == "warn"
    assert judge.level("latency", Subject("device", "probe", "far")) is None


def test_the_data_of_a_month_is_counted_over_reboots_and_from_its_first_day(
    network: Network, store: EmbeddedStore, ledger: Ledger
) -> None:
    """0.3 GB a day both ways: 75 % after two and a half days, 90 % after three; September does not count."""
    port = Series("interface", "ether1", "in_octets")
    per_s = 0.15e9 / DAY
    samples: list[Sample] = []
    for n in range(-144 * 2, 144 * 4):
        at = START + 600.0 * n
        samples += [
            ("ap", series, at, round((1e6 + (n + 288) * 600) * per_s))
            for series in (port, port._replace(metric="out_octets"))
        ]
        samples.append(("ap", Series("system", "", "uptime_s"), at, 1e6 + 600 * n))
    store.write(samples)
    judge = judged(network)
    baselines = Baselines(judge, store, ledger)
    levels = []
    for day in (1.0, 2.6, 3.2):
        baselines.look(START + day * DAY)
        levels.append(judge.level("data-cap", Subject("upstream", "fibra")))
    assert levels == [None, "warn", "critical"]
    assert month_start(START + 3 * DAY) == START
    baselines.look(START + 31.1 * DAY)
    assert judge.level("data-cap", Subject("upstream", "fibra")) is None, "a new month"


def test_what_has_left_the_inventory_is_not_recalled(
    network: Network, store: EmbeddedStore, ledger: Ledger
) -> None:
    judge = judged(network)
    baselines = Baselines(judge, store, ledger)
    baselines._keep(Wanted("gone", SIGNAL, "reference"), -50.0, START)
    again = judged(network)
    Baselines(again, store, ledger)
    assert not again.normals.knows(Wanted("gone", SIGNAL, "reference"))
