"""An agent's and a hub's slice of the inventory, and that the parts' own readers take them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ayni_agent import config as agent_config
from ayni_core import inventory, slices
from ayni_core.inventory import Network
from ayni_core.schema import ConfigError
from ayni_core.slices import BrokerFacts
from ayni_hub import config as hub_config
from ayni_io import configs, yamlfile, yamlwrite

FACTS = BrokerFacts(port=18830, secrets="/srv/secrets")


@pytest.fixture(scope="module")
def network() -> Network:
    return yamlfile.read(configs.find("network.yaml"), inventory.parse)


def test_the_example_community_is_whole(network: Network) -> None:
    assert len(network.devices) == 15
    assert len(network.links) == 8
    assert len(network.nodes) == 2
    assert len(network.upstreams) == 1
    assert network.people["rosa"].role == "trainer"
    for link in network.links.values():
        for letter, end in link.ends:
            assert end.expected_dbm is not None, f"{link.name}.{letter}"
            assert -65 < end.expected_dbm < -50


def test_every_device_is_polled_by_exactly_one_agent(network: Network) -> None:
    polled = [name for node in network.nodes for name in slices.agent(network, node, FACTS)["devices"]]
    assert sorted(polled) == sorted(network.devices)


def test_the_agent_reads_its_slice(network: Network, tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    yamlwrite.write(path, slices.agent(network, "molino-pi", FACTS))
    config = agent_config.load(path)
    assert config.node == "molino-pi"
    assert config.broker.username == "n-molino-pi"
    assert config.broker.password == "file:/srv/secrets/n-molino-pi"
    assert (config.poll_s, config.flush_s) == (60, 300)
    assert set(config.devices) == {"molino-radio", "molino-sector", "huerta-radio"}
    radio = config.devices["molino-radio"]
    assert (radio.host, radio.port, radio.expected_dbm) == ("10.20.5.11", 161, -61)


def test_a_sector_with_several_peers_has_no_single_expected_signal(network: Network) -> None:
    devices = slices.agent(network, "torre-pi", FACTS)["devices"]
    assert "expected_dbm" not in devices["torre-sector"]
    assert "expected_dbm" not in devices["centro-router"]


def test_what_a_link_may_carry_and_further_brokers_reach_the_agent(tmp_path: Path) -> None:
    raw = {
        "network": {"title": "Metered"},
        "broker": {"also": ["village.example:8884", "hub.example"], "ca": "/etc/ayni/ca.pem"},
        "sites": {"a": {"data_cap_mb_per_month": 100}, "b": {}},
        "nodes": {
            "one": {"site": "a"},
            "two": {"site": "a", "data_cap_mb_per_month": 50},
            "three": {"site": "b"},
        },
    }
    path = tmp_path / "network.yaml"
    yamlwrite.write(path, raw)
    metered = yamlfile.read(path, inventory.parse)
    facts = replace(FACTS, also=metered.broker.also, also_ca=metered.broker.ca)
    (tmp_path / "password").write_text("secret")
    caps = []
    for node in metered.nodes:
        given = slices.agent(metered, node, facts, metered=True)
        given["broker"]["password"] = f"file:{tmp_path / 'password'}"
        yamlwrite.write(path, given)
        config = agent_config.load(path)
        caps.append(config.data_cap_mb_per_month)
        broker = config.broker.resolve("agent.yaml")
        assert broker.addresses == (("127.0.0.1", 18830), ("village.example", 8884), ("hub.example", 8883))
        vouched = [broker.ca_of(*each) for each in broker.addresses]
        assert vouched == [None, Path("/etc/ayni/ca.pem"), Path("/etc/ayni/ca.pem")]
    assert caps == [100, 50, None]
    assert "data_cap_mb_per_month" not in slices.agent(metered, "one", FACTS), "a pretend network has no cap"


def test_a_broker_elsewhere_needs_an_authority_and_an_address(tmp_path: Path) -> None:
    path = tmp_path / "network.yaml"
    path.write_text("network: {title: X}\nsites: {a: {}}\nbroker: {also: ['hub:0']}\n")
    with pytest.raises(ConfigError) as caught:
        yamlfile.read(path, inventory.parse)
    assert [fault.split(": ", 1)[1] for fault in caught.value.faults] == [
        'broker.also: "hub:0": the port must be 1 to 65535',
        "broker.ca: is missing: off this machine the broker is reached over TLS only",
    ]


def test_the_hub_reads_its_slice(tmp_path: Path) -> None:
    path = tmp_path / "hub.yaml"
    yamlwrite.write(path, slices.hub("hub", FACTS, network_path="/srv/network.yaml", data_dir="/srv/hub"))
    config = hub_config.load(path)
    assert (config.name, config.broker.username, config.broker.port) == ("hub", "h-hub", 18830)
    assert config.network == Path("/srv/network.yaml")


def test_every_account_is_there_with_its_role(network: Network) -> None:
    accounts = slices.accounts(network, "hub", lab=True)
    assert set(accounts) == {
        "h-hub", "n-torre-pi", "n-molino-pi", "p-rosa", "p-ana", "p-tomas", "l-lab"
    }  # fmt: skip
    assert accounts["p-rosa"] == "trainer"


def test_ipv6_addresses_and_other_ports_survive(network: Network, tmp_path: Path) -> None:
    raw = {
        "network": {"title": "Six"},
        "sites": {"a": {}},
        "nodes": {"pi": {"site": "a"}},
        "devices": {
            "r": {"site": "a", "address": "[fe80::1]:1161", "community": "env:X", "profile": "airos"}
        },
    }
    path = tmp_path / "network.yaml"
    yamlwrite.write(path, raw)
    six = yamlfile.read(path, inventory.parse)
    device = slices.agent(six, "pi", FACTS)["devices"]["r"]
    assert device["address"] == "[fe80::1]:1161"
    assert device["profile"] == "airos"
    assert inventory.split_address(device["address"]) == ("fe80::1", 1161)
