"""The dashboards ask for what exists, each store in its own language; the files are those of the script."""

from __future__ import annotations

import importlib
import json
import re
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from parts import free_port, need, running, wait_until

from ayni_core.metrics import METRICS
from ayni_core.readings import GROUPS, Series
from ayni_hub.numbers import health, readings, states

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
dashboards = importlib.import_module("dashboards")
queries = importlib.import_module("dashboard_queries")
FILES: dict[Path, str] = dashboards.files()
IDS = [str(path.relative_to(dashboards.FOLDER)) for path in FILES]
PROMQL = [path for path in FILES if path.parent.name != "influxdb"]

_NOBODY = health.Health(
    version="", state="ready", started_at=0, connected=True, frames=0, samples=0, repeated=0, refused=0,
    inbox_frames=0, inbox_bytes=0, newest=None,
)  # fmt: skip


def load(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def targets(board: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in board["panels"]:
        yield from panel["targets"]


def page_names() -> set[str]:
    """Every name of a sample that the page has, readings apart."""
    return {family.sample for family, _rows in [*health.families(_NOBODY, []), *states.families([])]}


def reading_names(store: str) -> set[str]:
    numbers = [metric for metric in METRICS.values() if metric.kind != "text"]
    if store == "prometheus":
        return {readings.family_of(metric).sample for metric in numbers}
    victoria = pytest.importorskip("ayni_hub.remote.victoria")
    name = victoria.Victoria.name
    return {name(None, Series(group, "", metric.name)) for metric in numbers for group in GROUPS}


def names_in(expression: str) -> set[str]:
    bare = re.sub(
        r"\{[^}]*\}|\[[^\]]*\]|\([a-z, ]*\) (?=\()|\b(sum|rate|by|time|offset|7d)\b", " ", expression
    )
    return set(re.findall(r"[a-z][a-z0-9_]+", bare))


def test_the_files_are_what_the_script_writes(capsys: pytest.CaptureFixture[str]) -> None:
    assert dashboards.main(["--check"]) == 0, capsys.readouterr().out
    shipped = set(dashboards.FOLDER.rglob("*.json"))
    assert shipped == set(FILES)


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_a_file_is_a_dashboard_that_grafana_takes(path: Path) -> None:
    board = load(path)
    assert len(board["uid"]) <= 40 and "id" not in board
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    source = {"type": "influxdb" if path.parent.name == "influxdb" else "prometheus", "uid": "${source}"}
    names = {each["name"] for each in board["templating"]["list"]}
    for panel in board["panels"]:
        assert panel["datasource"] == source
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for other in board["panels"]:
            if other is not panel:
                theirs = other["gridPos"]
                apart = (
                    place["x"] + place["w"] <= theirs["x"] or theirs["x"] + theirs["w"] <= place["x"]
                    or place["y"] + place["h"] <= theirs["y"] or theirs["y"] + theirs["h"] <= place["y"]
                )  # fmt: skip
                assert apart, f"{panel['title']} lies on {other['title']}"
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(board["panels"])))
    assert used - {"__rate_interval", "__field"} <= names, "a variable that nobody chooses"


def test_every_dashboard_has_a_name_of_its_own() -> None:
    uids = [load(path)["uid"] for path in FILES]
    titles = [load(path)["title"] for path in FILES]
    assert len(set(uids)) == len(set(titles)) == len(FILES) == 12


@pytest.mark.parametrize("path", PROMQL, ids=[str(path.relative_to(dashboards.FOLDER)) for path in PROMQL])
def test_every_name_that_is_asked_for_exists(path: Path) -> None:
    known = page_names() | reading_names(path.parent.name)
    for target in targets(load(path)):
        names = names_in(target["expr"])
        assert names and names <= known, target["expr"]
    for choice in load(path)["templating"]["list"]:
        if choice["type"] == "query":
            (family,) = re.findall(r"label_values\((\w+)", choice["query"]["query"])
            assert family in known


@pytest.mark.parametrize("path", [path for path in FILES if path not in PROMQL], ids=lambda path: path.stem)
def test_flux_asks_for_what_exists_and_is_well_formed(path: Path) -> None:
    """No parser of Flux in Python: brackets, quotes and pipes, and every measurement and field."""
    pairs = {(group, metric) for group in GROUPS for metric in METRICS}
    kinds = {
        family.sample: "counter" if family.kind == "counter" else "gauge"
        for family, _rows in [*states.families([]), *health.families(_NOBODY, [])]
    }
    pairs |= set(kinds.items())
    for target in targets(load(path)):
        query = target["query"]
        (pair,) = re.findall(r'r\._measurement == "(\w+)" and r\._field == "(\w+)"', query)
        assert pair in pairs, query
        bare = re.sub(r'"[^"]*"|/\^[^/]*\$/', "", query)
        for opens, closes in ("()", "[]", "{}"):
            assert bare.count(opens) == bare.count(closes), query
        assert query.count('"') % 2 == 0
        steps = query.splitlines()
        begin = next(i for i, line in enumerate(steps) if line.startswith("from("))
        assert all(line.startswith("  |> ") for line in steps[begin + 1 :]), query
        assert ("date." in query) == ('import "date"' in query)


@pytest.fixture(scope="module")
def victoria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A VictoriaMetrics with nothing in it: its address."""
    program, folder, port = need("victoria-metrics"), tmp_path_factory.mktemp("victoria"), free_port()
    command = [
        program, f"-storageDataPath={folder / 'data'}", f"-httpListenAddr=127.0.0.1:{port}",
        "-retentionPeriod=100y",
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"

    def up() -> bool:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    with running(command, folder / "victoria.log"):
        wait_until(up, "VictoriaMetrics answering", within_s=20)
        yield url


@pytest.mark.parametrize("path", PROMQL, ids=[str(path.relative_to(dashboards.FOLDER)) for path in PROMQL])
def test_every_expression_is_one_that_a_server_answers(path: Path, victoria: str) -> None:
    values = {"$__rate_interval": "5m", "$link": "a|b", "$site": "s", "$device": "x|y", "$db": "ayni"}
    for target in targets(load(path)):
        expression = target["expr"]
        for name, value in values.items():
            expression = expression.replace(name, value)
        assert "$" not in expression
        form = urllib.parse.urlencode(
            {"query": expression, "start": "1790000000", "end": "1790003600", "step": "60"}
        )
        with urllib.request.urlopen(f"{victoria}/api/v1/query_range?{form}", timeout=10) as answer:
            assert json.load(answer)["status"] == "success", expression
    with pytest.raises(OSError):  # and it does refuse what is none
        urllib.request.urlopen(f"{victoria}/api/v1/query?query=rate(x", timeout=10)


def test_one_description_gives_each_store_its_own_names() -> None:
    ask = queries.Ask(name="in_octets", group="interface", where={"device": "$device"}, rate=True, times=8)
    assert queries.promql(ask, "prometheus") == (
        'rate(ayni_in_octets_total{device=~"$device",group="interface"}[$__rate_interval]) * 8'
    )
    assert queries.promql(ask, "victoriametrics") == (
        'rate(interface_in_octets{db=~"$db",device=~"$device"}[$__rate_interval]) * 8'
    )
    assert queries.flux(ask).splitlines() == [
        'from(bucket: "${bucket}")',
        "  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)",
        '  |> filter(fn: (r) => r._measurement == "interface" and r._field == "in_octets"'
        " and r.device =~ /^${device:regex}$/)",
        "  |> derivative(unit: 1s, nonNegative: true)",
        "  |> aggregateWindow(every: v.windowPeriod, fn: mean, createEmpty: false)",
        "  |> map(fn: (r) => ({r with _value: r._value * 8.0}))",
    ]
