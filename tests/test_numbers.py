"""The page of numbers: both forms parse, nothing stale looks fresh, and it says what the hub knows."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from parts import free_port
from prometheus_client.openmetrics import parser as open_parser
from prometheus_client.parser import text_string_to_metric_families

from ayni_core import inventory
from ayni_core.message import Message
from ayni_core.metrics import METRICS
from ayni_core.readings import NEIGHBOURS, Series, Value
from ayni_core.schema import Faults, Fields
from ayni_core.wire.frame import ANSWERED
from ayni_core.wire.messages import Alert, NodeState
from ayni_hub import config as hub_config
from ayni_hub.judge import Judge
from ayni_hub.normals import Wanted
from ayni_hub.numbers import config, exposition, health, readings, states
from ayni_hub.numbers.config import NumbersConfig
from ayni_hub.numbers.exposition import OPENMETRICS, TEXT, Family
from ayni_hub.numbers.health import Health
from ayni_hub.numbers.serving import Numbers
from ayni_hub.numbers.snapshot import Snapshot
from ayni_hub.picture import Picture
from ayni_io import clock, yamlfile
from ayni_io.http_listen import Listen
from ayni_io.http_server import HttpServer

NETWORK = """
network: {title: Red, poll_s: 60, flush_s: 300}
people: {ana: {title: Ana Quispe}}
sites:
  torre: {title: "La \\"Torre\\"", homes: 3, latitude: -13.5, longitude: -72.0, power: solar}
  cerro: {title: Cerro, homes: 5}
nodes: {pi: {site: torre}}
devices:
  ta: {title: Radio A, site: torre, node: pi, address: 10.99.0.1, community: "env:X"}
  ca: {title: Radio B, site: cerro, node: pi, address: 10.99.0.2, community: "env:X"}
links:
  tc: {title: Torre-Cerro, a: {device: ta, radio: w, expected_dbm: -60}, b: {device: ca, radio: w}}
upstreams: {isp: {title: Fibra, device: ta, interface: e1}}
"""
SIGNAL = Series("radio", "w", "signal_dbm")
OCTETS = Series("interface", "e1", "in_octets")
NOW = 1_790_000_000.0


@pytest.fixture
def network(tmp_path: Path) -> inventory.Network:
    (tmp_path / "network.yaml").write_text(NETWORK)
    return yamlfile.read(tmp_path / "network.yaml", inventory.parse)


@pytest.fixture
def judge(network: inventory.Network, monkeypatch: pytest.MonkeyPatch) -> Judge:
    monkeypatch.setattr(clock, "wall_s", lambda: NOW)
    judge = Judge(network, ())
    judge.node_state("pi", NodeState(up=True, flush_s=300), NOW - 200)
    judge.nodes["pi"].as_of, judge.nodes["pi"].next_by = NOW - 60, NOW + 100
    known: dict[str, dict[Series, Value]] = {
        "ta": {
            SIGNAL: -61, OCTETS: 2**63 + 1, Series("system", "", "uptime_s"): 5.5,
            Series("interface", "e1", "if_oper"): 1, Series("system", "", "model"): 'X"\\\n1',
        },
        "ca": {SIGNAL: -70.5, Series("station", 'a"\\\n}', "signal_dbm"): -60},
    }  # fmt: skip
    for device, values in known.items():
        judge.known.learn(device, ANSWERED, NOW - 60, 1)
        for series, value in values.items():
            judge.known.learn(device, series, NOW - 60, value)
    judge.settle()
    return judge


def figures(**changed: Any) -> Health:
    given: dict[str, Any] = {
        "version": "1.2", "state": "ready", "started_at": NOW, "connected": True, "frames": 7, "samples": 70,
        "repeated": 2, "refused": 1, "inbox_frames": 3, "inbox_bytes": 400, "newest": NOW - 60,
    }  # fmt: skip
    return Health(**(given | changed))


@contextlib.contextmanager
def pages(judge: Judge, *, look: Any = figures, **options: Any) -> Iterator[Any]:
    """A function that asks for a page while the hub's loop runs: (status, headers, text)."""
    picture = Picture(judge, {}, NOW)
    picture.news(NOW, set(judge.network.devices))
    snapshot = Snapshot(judge, picture)

    def get(path: str, **headers: str) -> tuple[int, dict[str, str], str]:
        listen = Listen(host="127.0.0.1", port=free_port())
        made = Numbers(NumbersConfig(listen=listen, **options), judge.network, snapshot, look)

        def blocking() -> tuple[int, dict[str, str], str]:
            connection = http.client.HTTPConnection("127.0.0.1", listen.port, timeout=10)
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, found, answer.read().decode()

        async def story() -> tuple[int, dict[str, str], str]:
            task = asyncio.create_task(made.run())
            await asyncio.sleep(0)
            try:
                return await asyncio.to_thread(blocking)
            finally:
                task.cancel()

        return asyncio.run(story())

    yield get


def samples(text: str, kind: str = TEXT) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    parse = text_string_to_metric_families
    if kind == OPENMETRICS:
        parse = open_parser.text_string_to_metric_families
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse(text)
        for sample in family.samples
    }


def of(found: dict[tuple[str, frozenset[tuple[str, str]]], float], name: str, **labels: str) -> list[float]:
    return [value for (n, marks), value in found.items() if n == name and marks >= frozenset(labels.items())]


def test_both_forms_say_the_same_and_what_reads_them_understands_it(judge: Judge) -> None:
    with pages(judge) as get:
        _status, headers, plain = get("/metrics")
        assert headers["content-type"] == TEXT
        accept = "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;q=0.1"
        _status, headers, openly = get("/metrics", Accept=accept)
        assert headers["content-type"] == OPENMETRICS
    assert openly.endswith("# EOF\n") and "# EOF" not in plain
    one, other = samples(plain), samples(openly, OPENMETRICS)
    moves = ("ayni_hub_cpu", "ayni_hub_resident", "ayni_hub_open")
    assert {k: v for k, v in one.items() if not k[0].startswith(moves)} == {
        k: v for k, v in other.items() if not k[0].startswith(moves)
    }
    assert of(
        one, "ayni_in_octets_total", site="torre", node="pi", device="ta", group="interface", item="e1"
    ) == [2**63 + 1]
    assert of(one, "ayni_signal_dbm", device="ca", item='a"\\\n}') == [-60]
    assert of(one, "ayni_signal_dbm", device="ta", group="radio", item="w") == [-61]
    assert of(one, "ayni_net_device_info", device="ta", model='X"\\\n1') == [1]
    assert "# UNIT ayni_signal_dbm dbm" in openly
    assert "# TYPE ayni_in_octets counter" in openly
    assert "# TYPE ayni_in_octets_total counter" in plain
    assert "# HELP ayni_if_oper whether the interface works (ifOperStatus): 1 up, 2 down," in plain


def test_how_the_hub_is(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"x" * 100)
    (tmp_path / "store.db-wal").write_bytes(b"x" * 11)
    alerts = tuple(
        Alert(
            id=f"a{i}",
            rule="r",
            kind="link",
            name="tc",
            level=level,
            since=1.0,
            text=Message("rule.x"),
            **more,
        )
        for i, (level, more) in enumerate(
            [
                ("warn", {"homes": 3}),
                ("critical", {"silenced_by": "a0", "homes": 20}),
                ("critical", {"acked_by": "ana", "homes": 7}),
                ("critical", {"maintenance": "roof", "acked_by": "ana"}),
                ("critical", {"flapping": True}),
            ]
        )
    )
    look = lambda: figures(alerts=alerts, folder=tmp_path, state="store-down")  # noqa: E731
    with pages(judge, look=look) as get:
        found = samples(get("/metrics")[2])
    assert of(found, "ayni_hub_info", version="1.2") == [1]
    assert of(found, "ayni_hub_state", state="store-down") == [1]
    assert of(found, "ayni_hub_state", state="ready") == [0]
    assert of(found, "ayni_hub_frames_total") == [7]
    assert of(found, "ayni_hub_acknowledged_frames_total") == [9]
    assert of(found, "ayni_hub_inbox_bytes") == [400]
    assert of(found, "ayni_hub_file_bytes", file="store") == [111]
    assert of(found, "ayni_hub_newest_sample_timestamp_seconds") == [NOW - 60]
    assert of(found, "ayni_hub_things", kind="node", state="ok") == [1]
    assert of(found, "ayni_hub_alerts", level="warn", state="firing") == [1]
    assert of(found, "ayni_hub_alerts", level="critical", state="silenced") == [1]
    assert of(found, "ayni_hub_alerts", level="critical", state="acknowledged") == [1]
    assert of(found, "ayni_hub_alerts", level="critical", state="maintenance") == [1]
    assert of(found, "ayni_hub_alerts", level="critical", state="flapping") == [1]
    assert of(found, "ayni_hub_alerts", level="critical", state="firing") == [0]
    assert of(found, "ayni_hub_homes_cut") == [7], "what explains others counts for them"
    assert of(found, "ayni_hub_resident_memory_bytes")[0] > 5e6


def test_how_the_network_is(judge: Judge) -> None:
    with pages(judge, readings=False) as get:
        found = samples(get("/metrics")[2])
    assert of(found, "ayni_net_link_state", link="tc", site_a="torre", site_b="cerro") == [4]
    assert of(found, "ayni_net_site_state", site="torre", title='La "Torre"') == [4]
    assert of(found, "ayni_net_node_as_of_timestamp_seconds", node="pi") == [NOW - 60]
    assert of(found, "ayni_net_link_signal_dbm", link="tc", end="b", site="cerro") == [-70.5]
    assert of(found, "ayni_net_link_normal_dbm", link="tc", end="a") == [-60]
    assert of(found, "ayni_net_site_homes", site="cerro") == [5]
    assert not of(found, "ayni_signal_dbm"), "readings were not wanted"


def test_what_was_worked_out_as_normal_stands_beside_what_is_expected(judge: Judge) -> None:
    judge.normals.learn(Wanted("ta", SIGNAL, "reference"), -58.5)
    judge.normals.learn(Wanted("ca", SIGNAL, "last_week"), -69)
    with pages(judge) as get:
        found = samples(get("/metrics")[2])
    assert of(found, "ayni_net_link_baseline_dbm", link="tc", end="a", baseline="reference") == [-58.5]
    assert of(found, "ayni_net_link_baseline_dbm", link="tc", site="cerro", baseline="last_week") == [-69]
    assert len(of(found, "ayni_net_link_baseline_dbm")) == 2


def test_every_state_has_a_number_and_worse_is_smaller() -> None:
    for kind, words in states.WORDS.items():
        numbers = [states.NUMBERS[word] for word in words]
        assert numbers == sorted(numbers), kind
    assert set(states.WORDS["link"]) == set(states.NUMBERS) - {"silent"}


def values_of(judge: Judge, now: float, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many readings of each device would be shown at a time."""
    monkeypatch.setattr(clock, "wall_s", lambda: now)
    picture = Picture(judge, {}, now)
    snapshot = Snapshot(judge, picture)
    found: dict[str, int] = {}
    for last in filter(None, map(snapshot.look_at, judge.network.devices)):
        for _family, rows in readings.families([last]):
            found[last.device] = found.get(last.device, 0) + len(list(rows))
    return found


def test_readings_vanish_when_their_monitor_is_late(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    assert values_of(judge, NOW + 220, monkeypatch) == {"ta": 5, "ca": 3}, "two polls late is not late"
    assert values_of(judge, NOW + 221, monkeypatch) == {}
    judge.node_state("pi", NodeState(up=False), NOW)
    assert values_of(judge, NOW, monkeypatch) == {}


def test_readings_vanish_when_their_device_stops_answering(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge.known.learn("ta", ANSWERED, NOW, 0)
    assert values_of(judge, NOW + 60, monkeypatch)["ta"] == 5, "one poll may fail"
    assert values_of(judge, NOW + 120, monkeypatch) == {"ta": 1, "ca": 3}, "only that it does not answer"
    judge.known.learn("ta", ANSWERED, NOW + 130, 1)
    assert values_of(judge, NOW + 130, monkeypatch)["ta"] == 5


def test_readings_vanish_when_their_device_gives_them_no_more(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, slow = Series("station", "0a0b0c0d0e0f", "signal_dbm"), Series("sensor", "", "temperature_c")
    judge.known.learn("ca", gone, NOW - 120, -50)
    judge.known.learn("ca", slow, NOW - 1800, 40)
    judge.known.learn("ca", NEIGHBOURS, NOW - 3600, 4)
    assert values_of(judge, NOW, monkeypatch)["ca"] == 5, "what is asked for seldom stays, the station went"
    judge.known.learn("ca", SIGNAL, NOW + 7200, -70)
    judge.nodes["pi"].next_by = NOW + 7300
    assert values_of(judge, NOW + 7200, monkeypatch)["ca"] == 2, "the signal, and that it answered"


def test_what_only_the_store_remembers_is_not_shown_as_news(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hub that was down for a day recalls yesterday's readings."""
    judge.nodes["pi"].as_of = None
    judge.nodes["pi"].next_by = NOW + 86_400 + 300
    assert values_of(judge, NOW + 60, monkeypatch)["ta"] == 5
    assert values_of(judge, NOW + 86_400, monkeypatch) == {}


def test_every_metric_that_is_a_number_has_a_sound_family() -> None:
    found = [readings.family_of(metric) for metric in METRICS.values() if metric.kind != "text"]
    text = b"".join(
        exposition.written([(family, [('device="d"', 1)]) for family in found], OPENMETRICS)
    ).decode()
    assert len(samples(text, OPENMETRICS)) == len(found)
    names = {family.name for family in found}
    theirs = {family.name for family, _rows in [*states.families([]), *health.families(figures(), [])]}
    assert not names & theirs, "one name, one meaning"


def test_a_text_as_help_and_label_is_escaped_in_both_forms() -> None:
    family = Family(name="x", kind="gauge", help='a "b" \\ c\nd')
    for kind in (TEXT, OPENMETRICS):
        text = b"".join(exposition.written([(family, [('y="1"', 1)])], kind)).decode()
        (parsed,) = (
            open_parser if kind == OPENMETRICS else __import__("prometheus_client.parser").parser
        ).text_string_to_metric_families(text)
        assert parsed.documentation == 'a "b" \\ c\nd'


def test_a_graph_of_the_network_without_people_addresses_and_places(judge: Judge) -> None:
    with pages(judge) as get:
        status, headers, text = get("/netjson")
        assert (status, headers["content-type"]) == (200, "application/json")
        for secret in ("Ana", "10.99", "-13.5", "env:X"):
            assert secret not in text
        assert json.loads(get("/netjson?nodes=devices")[2])["links"][0]["source"] == "ta"
    with pages(judge, places=True) as get:
        assert json.loads(get("/netjson")[2])["nodes"][0]["properties"]["location"] == {
            "lat": -13.5,
            "lng": -72.0,
        }
        assert get("/")[2] == "/metrics\n/netjson\n"


def test_a_busy_hub_is_said_to_be_busy(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ayni_hub.numbers.snapshot._WAIT_S", 0.05)
    picture = Picture(judge, {}, NOW)
    snapshot = Snapshot(judge, picture)
    listen = Listen(host="127.0.0.1", port=free_port())
    server = HttpServer(
        listen, Numbers(NumbersConfig(listen=listen), judge.network, snapshot, figures)._pages
    )
    server.start()
    try:
        connection = http.client.HTTPConnection("127.0.0.1", listen.port, timeout=10)
        connection.request("GET", "/metrics")
        assert connection.getresponse().status == 503, "its loop does not run at all"
    finally:
        server.close()


def test_a_port_that_is_taken_is_told_once_and_taken_as_soon_as_it_is_free(
    judge: Judge, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ayni_io.http_standing._AGAIN_S", 0.02)
    listen = Listen(host="127.0.0.1", port=free_port())
    other = HttpServer(listen, {})
    other.start()
    made = Numbers(
        NumbersConfig(listen=listen), judge.network, Snapshot(judge, Picture(judge, {}, NOW)), figures
    )

    async def story() -> None:
        task = asyncio.create_task(made.run())
        await asyncio.sleep(0.2)
        other.close()
        async with asyncio.timeout(10):
            while "numbers are served" not in caplog.text:
                await asyncio.sleep(0.02)
        task.cancel()

    with caplog.at_level(logging.INFO, "http"):
        asyncio.run(story())
    assert caplog.text.count("numbers are not served") == 1


def test_the_section_is_off_unless_it_is_there() -> None:
    def read(given: dict[str, Any]) -> tuple[NumbersConfig | None, list[str]]:
        faults = Faults("hub.yaml")
        return config.read(Fields(given, "", faults)), faults.found

    assert read({}) == (None, [])
    found, faults = read({"numbers": {}})
    assert faults == [] and found == NumbersConfig(listen=Listen(host="127.0.0.1", port=9464))
    assert (
        'numbers.redings: unknown key; did you mean "readings"?' in read({"numbers": {"redings": True}})[1][0]
    )
    assert len(read({"numbers": {"listen": "10.0.0.1:9464"}})[1]) == 4


def test_what_the_page_on_deploying_shows_is_taken() -> None:
    root = Path(__file__).parent.parent
    text = (
        (root / "docs" / "deploying.md")
        .read_text(encoding="utf-8")
        .partition("## Numbers for other programs")[2]
    )
    shown = [block.partition("```")[0] for block in text.partition("\n## ")[0].split("```yaml\n")[1:]]
    taken = [yamlfile.load(block, "deploying.md")[0] for block in shown]
    faults = Faults("deploying.md")
    assert config.read(Fields(taken[0], "", faults)) == NumbersConfig(
        listen=Listen(host="127.0.0.1", port=9464)
    )
    assert taken[1]["scrape_configs"][0]["static_configs"] == [{"targets": [config.LISTEN]}]
    assert config.read_home_assistant(Fields(taken[2], "", faults)) is not None
    assert faults.found == []


@pytest.mark.parametrize("role", ["worker", "mirror"])
def test_only_a_hub_that_judges_has_these_pages(role: str) -> None:
    faults = Faults("hub.yaml")
    given = {
        "network": "n", "data_dir": "d", "role": role, "numbers": {}, "home_assistant": {},
        "buckets": [1] if role == "worker" else [],
    }  # fmt: skip
    hub_config.parse(Fields(given, "", faults))
    assert [fault.partition(": ")[2] for fault in faults.found] == [
        f"{name}: belongs to a hub that judges; the role here is {role}"
        for name in ("numbers", "home_assistant")
    ]
