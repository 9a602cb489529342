"""A real hub with `numbers:`: what a monitor reports is on the page, and VictoriaMetrics takes it."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from parts import free_port, need, running, wait_until
from prometheus_client.parser import text_string_to_metric_families
from test_mqtt_client import Heard, mosquitto, until

from ayni_core.readings import Series
from ayni_core.wire import codec, topics
from ayni_core.wire.frame import ANSWERED, DevicePolls, Frame
from ayni_core.wire.messages import NodeState
from ayni_core.wire.shape import pack
from ayni_io import clock
from ayni_io.mqtt import BrokerConfig
from ayni_io.stack import ayni

NETWORK = """
network: {title: Red, poll_s: 60, flush_s: 300}
sites: {torre: {title: Torre}, cerro: {title: Cerro}}
nodes: {pi: {site: torre}}
devices:
  ta: {site: torre, node: pi, address: 10.99.0.1}
  ca: {site: cerro, node: pi, address: 10.99.0.2}
links: {tc: {title: Torre-Cerro, a: {device: ta}, b: {device: ca}}}
"""


def frame(seq: int) -> bytes:
    values = {ANSWERED: 1, Series("system", "", "uptime_s"): 900, Series("radio", "w", "signal_dbm"): -61}
    counter = Series("interface", "e1", "in_octets")
    devices = {}
    for number, device in enumerate(("ta", "ca")):
        polls = DevicePolls()
        polls.add(0.0, {**values, counter: 10**15 + number})
        devices[device] = polls
    now = clock.wall_s()
    made = Frame(
        node="pi", epoch="e", seq=seq, boot="b", mono_s=100.0 + seq, wall_s=now, synced=True, next_by_s=310,
        devices=devices,
    )  # fmt: skip
    return codec.encode(made, "field")


@pytest.fixture
def page(tmp_path: Path) -> Iterator[str]:
    """The address of the page of a hub that has one report of its only monitor."""
    port, pages = free_port(), free_port()
    (tmp_path / "network.yaml").write_text(NETWORK)
    config = tmp_path / "hub.yaml"
    config.write_text(
        f"broker: {{port: {port}}}\nnetwork: {tmp_path}/network.yaml\ndata_dir: {tmp_path}/hub\n"
        f"numbers: {{listen: '127.0.0.1:{pages}'}}\nhome_assistant: {{sites: [cerro]}}\n"
    )
    url = f"http://127.0.0.1:{pages}"

    async def report() -> None:
        async with Heard(BrokerConfig(port=port), "agent") as agent:
            agent.client.subscribe(topics.HUB, topics.ack("pi"))
            await until(lambda: any(topic == topics.HUB for topic, *_rest in agent.messages))
            up = NodeState(up=True, epoch="e", boot="b", flush_s=300, version="1")
            await agent.client.publish(topics.state("pi"), pack(up), retain=True)
            await agent.client.publish(topics.frame("pi", "live"), frame(1))
            await until(lambda: any(topic == topics.ack("pi") for topic, *_rest in agent.messages))
            agent.client.subscribe("homeassistant/#")
            await until(lambda: len([t for t, *_rest in agent.messages if t.startswith("home")]) >= 4)
            found = {topic for topic, *_rest in agent.messages if topic.startswith("home")}
            assert found == {
                "homeassistant/binary_sensor/ayni/link_tc/config",
                "homeassistant/sensor/ayni/link_tc_signal_a/config",
                "homeassistant/sensor/ayni/link_tc_signal_b/config",
                "homeassistant/binary_sensor/ayni/device_ca/config",
            }

    with (
        mosquitto(tmp_path, port),
        running(list(ayni("hub", "run", "--config", str(config))), tmp_path / "log"),
    ):
        asyncio.run(report())
        wait_until(lambda: "ayni_signal_dbm" in get(f"{url}/metrics"), "the report on the page")
        yield url


def get(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return str(answer.read().decode())
    except urllib.error.URLError:
        return ""


def test_what_a_monitor_reports_is_on_the_page_and_prometheus_like_servers_take_it(
    page: str, tmp_path: Path
) -> None:
    found = {
        (sample.name, sample.labels.get("device", "")): sample.value
        for family in text_string_to_metric_families(get(f"{page}/metrics"))
        for sample in family.samples
    }
    assert found["ayni_signal_dbm", "ca"] == -61
    assert found["ayni_in_octets_total", "ta"] == 10**15
    assert found["ayni_net_device_state", "ta"] == 4
    assert found["ayni_hub_frames_total", ""] == 1
    assert found["ayni_hub_acknowledged_frames_total", ""] == 1
    assert found["ayni_hub_samples_total", ""] == 8
    assert found["ayni_hub_broker_connected", ""] == 1
    graph = json.loads(get(f"{page}/netjson"))
    assert [(link["source"], link["target"]) for link in graph["links"]] == [("torre", "cerro")]
    assert graph["links"][0]["properties"]["signal_dbm_a"] == -61

    port = free_port()
    (tmp_path / "scrape.yaml").write_text(
        "scrape_configs:\n- job_name: ayni\n  scrape_interval: 1s\n"
        f"  static_configs: [{{targets: ['{page.removeprefix('http://')}']}}]\n"
    )
    command = [
        need("victoria-metrics"), f"-storageDataPath={tmp_path / 'data'}",
        f"-httpListenAddr=127.0.0.1:{port}", f"-promscrape.config={tmp_path / 'scrape.yaml'}",
        "-search.latencyOffset=0s",
    ]  # fmt: skip

    def value(query: str) -> float | None:
        get(f"http://127.0.0.1:{port}/internal/force_flush")
        form = urllib.parse.urlencode({"query": query, "nocache": "1"})
        body = get(f"http://127.0.0.1:{port}/api/v1/query?{form}")
        rows = json.loads(body)["data"]["result"] if body else []
        return float(rows[0]["value"][1]) if rows else None

    with running(command, tmp_path / "victoria.log"):
        wait_until(lambda: value('ayni_signal_dbm{device="ta",site="torre"}') == -61, "scraped", within_s=20)
        assert value('up{job="ayni"}') == 1
        assert value('ayni_in_octets_total{device="ca",item="e1",job="ayni"}') == 10**15 + 1
        assert value('ayni_net_link_state{link="tc"}') == 4
