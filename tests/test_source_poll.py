"""`ayni agent poll --config FILE --device NAME` tries a device beyond SNMP; the pages' examples work."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ayni_agent import command_poll
from ayni_core import sources
from ayni_core.schema import Faults, Fields
from ayni_core.webmap.reader import read_json_map, read_metrics_map
from ayni_io import yamlfile

ROOT = Path(__file__).parent.parent


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "network.yaml"
    path.write_text(
        "network: {this is: no matter}\n"
        "devices:\n"
        "  router: {address: 10.0.0.1}\n"
        "  pi: {site: torre, source: {kind: host}}\n"
        "  way-out:\n"
        "    source:\n"
        "      kind: probes\n"
        "      probes: {me: {what: plugin, command: [/bin/echo, 'FINE | t=5ms']}}\n"
        "  page: {source: {kind: openmetrics, url: 'http://127.0.0.1:1/metrics'}}\n"
        "  wrong: {source: {kind: probes, probes: {a: {what: ping, hots: b}}}}\n"
    )
    return path


def test_a_source_is_shown_once_for_people_and_for_programs(network: Path, capsys: Any) -> None:
    assert command_poll.main(["--config", str(network), "--device", "way-out"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"me +probe state +good\n +probe text +FINE\n +me/t +perf +0.005 s", shown)
    assert command_poll.main(["--config", str(network), "--device", "way-out", "--json"]) == 0
    readings = json.loads(capsys.readouterr().out)["readings"]
    assert {"group": "ping", "item": "me/t", "metric": "perf_s", "value": 0.005, "unit": "s"} in readings
    assert command_poll.main(["--config", str(network), "--device", "pi"]) == 0
    assert "MONITOR" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "status", "why"),
    [
        (["--device", "router"], 2, 'no device "router" with a source; known are page, pi, way-out, wrong'),
        (["--device", "way-uot"], 2, 'did you mean "way-out"?'),
        (
            ["--device", "wrong"],
            2,
            "network.yaml:10: devices.wrong.source.probes.a.hots: unknown key; did you mean",
        ),
        (["--device", "page"], 1, "http://127.0.0.1:1/metrics: Connection refused"),
        (["--device", "pi", "10.0.0.1"], 2, "give a host or a device of a file, not both"),
        ([], 2, "belong together"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    network: Path, capsys: Any, words: list[str], status: int, why: str
) -> None:
    assert command_poll.main(["--config", str(network), *words]) == status
    assert why in capsys.readouterr().err


def fenced(page: str) -> list[Any]:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)
    return [yamlfile.load(block, page)[0] for block in blocks]


def test_every_source_in_the_guide_is_right() -> None:
    seen = set()
    for block in fenced("docs/operators-guide.md"):
        for name, device in (block.get("devices") or {}).items():
            if "source" in device:
                faults = Faults("docs/operators-guide.md")
                seen.add(sources.read(Fields(device["source"], name, faults)).KIND)
                faults.stop()
    assert {"host", "probes", "openmetrics", "json"} <= seen


def test_the_examples_of_maps_are_right_and_every_map_is_listed() -> None:
    for block in fenced("configs/sources/README.md"):
        faults = Faults("configs/sources/README.md")
        if "metrics" in block:
            read_metrics_map("x", Fields(block, "", faults))
        elif "requests" in block:
            read_json_map("x", Fields(block, "", faults))
        faults.stop()
    page = (ROOT / "configs/sources/README.md").read_text()
    shipped = {path.stem for path in (ROOT / "configs/sources").glob("*.yaml")}
    listed = set(re.findall(r"^\| `((?:openmetrics|json)-[a-z-]+)`", page, re.MULTILINE))
    assert listed == {stem for stem in shipped if stem.startswith(("openmetrics-", "json-"))}
