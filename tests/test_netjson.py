"""The network as a NetJSON graph: what it must have, what it must not tell, and what is known right now."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from parts import free_port
from test_mqtt_client import Heard, mosquitto, until

from ayni_core import inventory, netjson
from ayni_core.wire import topics
from ayni_core.wire.messages import EndView, HubState, LinkView, SiteView
from ayni_core.wire.shape import pack
from ayni_io import cli, configs, yamlfile
from ayni_io.mqtt import BrokerConfig


@pytest.fixture
def network() -> inventory.Network:
    return yamlfile.read(configs.find("network.yaml"), inventory.parse)


def link(state: str, *, rates: tuple[float | None, ...] = (None, None, None, None)) -> LinkView:
    a = EndView(
        site="torre", device="torre-cerro", signal_dbm=-58, tx_rate_bps=rates[0], rx_rate_bps=rates[1]
    )
    b = EndView(site="cerro", device="cerro-torre", tx_rate_bps=rates[2], rx_rate_bps=rates[3])
    return LinkView(id="torre-cerro", title="Torre-Cerro", state=state, since=1.0, homes=1, a=a, b=b)


def check(graph: dict[str, Any]) -> None:
    """NetworkGraph of the specification: the keys that are required, and that ends are nodes."""
    assert graph["type"] == "NetworkGraph"
    for key in ("protocol", "version", "metric"):
        assert graph[key] is None or isinstance(graph[key], str)
    ids = [node["id"] for node in graph["nodes"]]
    assert len(set(ids)) == len(ids)
    for each in graph["links"]:
        assert {each["source"], each["target"]} <= set(ids)
        assert isinstance(each["cost"], float)


@pytest.mark.parametrize("devices", [False, True])
def test_a_graph_is_one_by_the_specification(network: inventory.Network, devices: bool) -> None:
    graph = netjson.graph(network, devices=devices)
    check(graph)
    assert len(graph["links"]) == len(network.links)
    assert len(graph["nodes"]) == len(network.devices if devices else network.sites)
    assert {each["cost"] for each in graph["links"]} == {1.0}


@pytest.mark.parametrize("options", [{}, {"devices": True}, {"places": True}])
def test_it_tells_nothing_of_people_addresses_secrets_and_of_places_only_if_wanted(
    network: inventory.Network, options: dict[str, bool]
) -> None:
    text = json.dumps(netjson.graph(network, **options), ensure_ascii=False)
    private = [device.host for device in network.devices.values()] + ["secrets", "community", "homes"]
    private += [person.title for person in network.people.values()]
    private += [] if "places" in options else ["-13.5", "-72.0", "location"]
    for each in private:
        assert each not in text, each
    assert ("location" in text) == ("places" in options)


@pytest.mark.parametrize(
    ("rates", "cost", "text"),
    [
        ((None, None, None, None), 1.0, ""),
        ((100e6, 200e6, None, None), 1.0, "100 Mb/s"),
        ((130e6, 65e6, 50e6, 130e6), 2.0, "50 Mb/s"),
        ((1e9, 1e9, 0, 0), 0.1, "1000 Mb/s"),
    ],
)
def test_the_cost_is_that_of_the_slower_direction(
    network: inventory.Network, rates: tuple[float | None, ...], cost: float, text: str
) -> None:
    graph = netjson.graph(network, links={"torre-cerro": link("ok", rates=rates)})
    (found,) = (each for each in graph["links"] if each["properties"]["id"] == "torre-cerro")
    assert (found["cost"], found["cost_text"]) == (cost, text)
    assert found["properties"]["signal_dbm_a"] == -58
    check(graph)


def test_what_is_down_says_so_and_measures_nothing_or_is_left_out(network: inventory.Network) -> None:
    links = {"torre-cerro": link("down", rates=(1e6, 1e6, 1e6, 1e6))}
    sites = {"cerro": SiteView(id="cerro", title="Cerro", state="down", homes=9, homes_behind=9)}
    graph = netjson.graph(network, links=links, sites=sites)
    (found,) = (each for each in graph["links"] if each["properties"]["id"] == "torre-cerro")
    assert (found["cost"], found["properties"]["state"]) == (1.0, "down")
    assert "signal_dbm_a" not in found["properties"]
    assert [n["properties"]["state"] for n in graph["nodes"] if "state" in n["properties"]] == ["down"]
    assert len(netjson.graph(network, links=links, only_up=True)["links"]) == len(network.links) - 1


def test_the_command_writes_the_inventory_and_asks_the_running_network_if_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "network.yaml").write_bytes(configs.find("network.yaml").read_bytes())
    words = ["network", "netjson", "--dir", str(tmp_path)]
    assert cli.main([*words, "-o", str(tmp_path / "graph.json")]) == 0
    assert capsys.readouterr().out == ""
    plain = json.loads((tmp_path / "graph.json").read_text())
    check(plain)
    assert cli.main([*words, "--devices", "--places"]) == 0
    check(json.loads(capsys.readouterr().out))
    assert cli.main([*words, "-o", str(tmp_path / "no" / "graph.json")]) == 2
    assert "graph.json: cannot be written: No such file" in capsys.readouterr().err
    assert cli.main([*words, "--live"]) == 2
    assert "nothing runs from here" in capsys.readouterr().err

    port = free_port()
    monkeypatch.setenv("AYNI_PASSWORD", "x")

    async def retain() -> None:
        async with Heard(BrokerConfig(port=port), "judge") as judge:
            await until(lambda: judge.client.connected)
            told = link("weak", rates=(10e6, 10e6, 10e6, 10e6))
            await judge.client.publish(topics.net("link", "torre-cerro"), pack(told), retain=True)
            await judge.client.publish(topics.HUB, pack(HubState(state="ready")), retain=True)

    with mosquitto(tmp_path, port):
        asyncio.run(retain())
        assert cli.main([*words, "--live", "--broker", f"127.0.0.1:{port}", "--user", "ana"]) == 0
    live = json.loads(capsys.readouterr().out)
    (found,) = (each for each in live["links"] if each["properties"]["id"] == "torre-cerro")
    assert (found["cost"], found["properties"]["state"]) == (10.0, "weak")
