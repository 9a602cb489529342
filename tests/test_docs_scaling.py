"""The config files of `docs/scaling.md` are read by the real programs; a region's bridge carries frames."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import parts
import pytest
from sending_node import SendingNode
from test_mqtt_client import NOW, YEAR, Authority

from ayni_core import slices
from ayni_core.wire import topics
from ayni_hub import config as hub_config
from ayni_hub.config import HubConfig
from ayni_hub.roles import ROLES
from ayni_io import broker, local_broker, yamlwrite
from ayni_io.mqtt import BrokerConfig
from ayni_io.onlooker import Onlooker
from ayni_io.secret import Secret
from ayni_io.stack import Part, Stack, ayni

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "scaling.md").read_text(encoding="utf-8")
HUBS = {path.relative_to(DOCS).as_posix(): path for path in sorted((DOCS / "scaling").rglob("*.yaml"))}


def config(name: str) -> HubConfig:
    return hub_config.load(DOCS / "scaling" / name)


def test_every_file_is_shown_on_the_page_and_no_other() -> None:
    files = {path.relative_to(DOCS).as_posix() for path in (DOCS / "scaling").rglob("*") if path.is_file()}
    assert files == set(re.findall(r"\]\((scaling/[^)]+)\)", PAGE)) - {"scaling/"}


@pytest.mark.parametrize("name", HUBS)
def test_a_hubs_file_is_read_by_the_hub(name: str) -> None:
    found = hub_config.load(HUBS[name])
    kind = {"worker": "w", "judge": "h", "mirror": "h", "all": "h"}[found.role]
    assert found.broker.username == f"{kind}-{found.name}"


def test_the_steps_have_the_roles_that_the_page_tells_of() -> None:
    assert config("one-machine.yaml").role == "all"
    feed = config("village/village.yaml").feed
    assert feed is not None
    assert (feed.broker.username, feed.mb_per_day) == ("b-valle", 10)
    assert config("village/server.yaml").role == "mirror"
    workers = [config(f"workers/{name}.yaml") for name in ("uno", "dos")]
    assert sorted(number for each in workers for number in each.buckets) == list(range(topics.BUCKETS))
    assert {each.store.url for each in (*workers, config("workers/judge.yaml"))} == {workers[0].store.url}
    assert {hub_config.load(path).role for path in HUBS.values()} == set(ROLES)


@pytest.mark.parametrize("block", re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
def test_what_the_page_shows_is_read_too(tmp_path: Path, block: str) -> None:
    (tmp_path / "hub.yaml").write_text(f"network: n\ndata_dir: d\n{block}")
    assert hub_config.load(tmp_path / "hub.yaml")


def test_figures_of_the_page_are_those_of_the_code(tmp_path: Path) -> None:
    (tmp_path / "hub.yaml").write_text("network: n\ndata_dir: d\nfeed: {broker: {}}\n")
    feed = hub_config.load(tmp_path / "hub.yaml").feed
    assert feed is not None
    assert f"at most `keep_mb` ({feed.keep_mb}) and `keep_days` ({feed.keep_days})" in PAGE
    assert f"every `show_s` ({feed.show_s:g}) seconds" in PAGE


@contextlib.contextmanager
def mosquitto(folder: Path, text: str, port: int, account: str) -> Iterator[None]:
    (folder / "mosquitto.conf").write_text(text)
    password = (folder / "secrets" / account).read_text().strip()
    command = [parts.need("mosquitto"), "-c", str(folder / "mosquitto.conf")]
    with parts.running(command, folder / "broker.log"):
        parts.wait_until(lambda: broker.accepts("127.0.0.1", port, account, password), "broker up")
        yield


def as_here(name: str, folder: Path, **places: str) -> str:
    """A shipped mosquitto.conf with the places of this machine."""
    found = broker.find_mosquitto()
    if found is None:
        parts.need("mosquitto")
        pytest.fail("Mosquitto is there, but not its dynamic-security plugin")
    text = (DOCS / "scaling" / name).read_text(encoding="utf-8")
    places |= {
        "/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so": str(found.plugin),
        "/etc/mosquitto/ayni": str(folder),
        "/var/lib/mosquitto": str(folder),
    }
    for before, after in places.items():
        assert before in text or before.startswith(("/usr", "/etc/mosq", "/var")), before
        text = text.replace(before, after)
    return text + "\n".join(broker._stay_root()) + "\n"


def test_the_servers_broker_takes_a_village_over_tls_and_its_own_hub_without(tmp_path: Path) -> None:
    ca = Authority(tmp_path, "ca")
    ca.broker("server", begins=NOW - YEAR, ends=NOW + YEAR)
    (tmp_path / "server.crt").rename(tmp_path / "server.pem")
    local_broker.write_accounts(tmp_path, {"h-espejo": "", "b-valle": "", "p-ana": ""})
    port, tls = parts.free_port(), parts.free_port()
    text = as_here("village/mosquitto.conf", tmp_path, **{"1883 ": f"{port} ", "8883": str(tls)})

    async def story() -> None:
        def account(name: str) -> Secret:
            return Secret((tmp_path / "secrets" / name).read_text().strip())

        ana = BrokerConfig(
            host="localhost", port=tls, username="p-ana", password=account("p-ana"), ca=ca.path
        )
        async with Onlooker(ana) as looking:
            valle = BrokerConfig(
                host="localhost", port=tls, username="b-valle", password=account("b-valle"), ca=ca.path
            )
            async with Onlooker(valle) as village:
                assert await looking.until(lambda: looking._client.connected, 10)
                assert await village.until(lambda: village._client.connected, 10)

    with mosquitto(tmp_path, text, port, "h-espejo"):
        asyncio.run(story())


NETWORK = """
network: {title: Pais, poll_s: 60}
sites: {s: {}}
nodes: {torre: {site: s}}
devices: {torre-ap: {site: s, node: torre, address: 10.0.0.1}}
"""


def test_a_regions_broker_hands_frames_on_and_brings_acknowledgements_back(tmp_path: Path) -> None:
    """The hub stands at the centre, the node knows only its region's broker."""
    for name, roles in (
        ("centre", {"h-hub": "", "r-norte": "", "p-ana": ""}),
        ("region", {"n-torre": "", "p-ana": ""}),
    ):
        (tmp_path / name).mkdir()
        local_broker.write_accounts(tmp_path / name, roles)
    (tmp_path / "network.yaml").write_text(NETWORK)

    async def story(stack: Stack) -> None:
        local = await local_broker.start(stack, "h-hub", wanted="mosquitto")
        facts = slices.BrokerFacts(port=local.port, secrets=str(local.secrets))
        hub = slices.hub(
            "hub", facts, network_path=str(tmp_path / "network.yaml"), data_dir=str(tmp_path / "data")
        )
        yamlwrite.write(tmp_path / "hub.yaml", hub)
        await stack.start(Part(name="hub", argv=ayni("hub", "run", "--config", str(tmp_path / "hub.yaml"))))
        region, port = tmp_path / "region", parts.free_port()
        program = broker.find_mosquitto()
        assert program is not None
        text = broker.configuration(program, port=port, accounts=region / "accounts.json", data_dir=region)
        password = (local.secrets / "r-norte").read_text().strip()
        text += as_here(
            "country/bridge.conf",
            region,
            **{
                "broker.example.org:8883": f"127.0.0.1:{local.port}",
                "bridge_cafile /etc/ayni/ca.pem": "",
                "put-it-here-and-make-this-file-0600": password,
            },
        ).replace("user root\n", "")
        with mosquitto(region, text, port, "n-torre"):
            there = BrokerConfig(
                port=port,
                username="n-torre",
                password=Secret((region / "secrets" / "n-torre").read_text().strip()),
            )
            async with SendingNode("torre", there) as node:
                for _ in range(5):
                    node.send()
                for _ in range(200):
                    if not len(node.outbox):
                        break
                    await asyncio.sleep(0.1)
                assert not len(node.outbox), "acknowledged by the hub at the centre"

    async def run() -> None:
        stack = Stack(tmp_path / "centre")
        try:
            await story(stack)
        finally:
            await stack.stop()

    parts.need("mosquitto")
    asyncio.run(run())
