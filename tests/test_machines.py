"""`ssh:` and `hub:` of network.yaml: where machines are, what each is given, and what Ansible is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ayni_agent import config as agent_config
from ayni_core import ansible_hosts, installed, inventory
from ayni_core.inventory import Network
from ayni_core.machines import Shell
from ayni_core.schema import ConfigError
from ayni_hub import config as hub_config
from ayni_io import cli, yamlfile, yamlwrite

VALLEY: dict[str, Any] = {
    "network": {"title": "Valley", "telegram": {"token": "file:/home/ana/secrets/telegram"}},
    "hub": {"address": "hub.lan", "also": ["10.20.0.2", "hub.example.org:9883"], "ssh": "ana@10.20.0.2"},
    "people": {"ana": {"notify": {"mail": {"address": "file:secrets/ana-mail"}}}},
    "sites": {"torre": {}, "cerro-norte": {}},
    "nodes": {
        "centro-pi": {"site": "torre", "ssh": "ana@10.20.0.2"},
        "cerro-pi": {"site": "cerro-norte", "ssh": "pi@[fd00::7]:2222", "data_cap_mb_per_month": 100},
        "lone-pi": {"site": "torre"},
    },
    "devices": {
        "radio": {
            "site": "torre",
            "node": "cerro-pi",
            "address": "10.20.2.13",
            "community": "file:secrets/snmp-radio",
        },
        "router": {
            "site": "torre",
            "node": "cerro-pi",
            "address": "10.20.2.1",
            "ssh": "root@10.20.2.1",
            "version": "3",
            "user": "monitor",
            "auth": {"protocol": "SHA", "password": "file:secrets/snmp-router-auth"},
            "priv": {"protocol": "AES", "password": "credential:snmp-router-priv"},
        },
        "supply": {
            "site": "torre",
            "node": "centro-pi",
            "source": {"kind": "nut", "address": "10.0.0.9", "username": "u", "password": "file:secrets/nut"},
        },
    },
}


def read(tmp_path: Path, **changes: Any) -> Network:
    return yamlfile.read(write(tmp_path, **changes), inventory.parse)


def write(tmp_path: Path, **changes: Any) -> Path:
    path = tmp_path / "network.yaml"
    yamlwrite.write(path, {**VALLEY, **changes})
    return path


def dump(document: Any) -> str:
    return yamlwrite.dump(document)


@pytest.mark.parametrize(
    ("text", "shell"),
    [
        ("hub.lan", Shell(host="hub.lan")),
        ("pi@10.0.0.2", Shell(user="pi", host="10.0.0.2")),
        ("pi@[fd00::7]:2222", Shell(user="pi", host="fd00::7", port=2222)),
    ],
)
def test_a_login_is_user_host_and_port(tmp_path: Path, text: str, shell: Shell) -> None:
    nodes = {**VALLEY["nodes"], "lone-pi": {"site": "torre", "ssh": text}}
    assert read(tmp_path, nodes=nodes).nodes["lone-pi"].ssh == shell


@pytest.mark.parametrize(
    "text",
    ["", "@host", "pi@", "-oProxyCommand=x", "pi@-oX", "Pi@host", "a b@host", "pi@host:0", "pi@h;reboot", 7],
)
def test_what_is_no_login_is_told_and_never_reaches_ssh(tmp_path: Path, text: Any) -> None:
    nodes = {**VALLEY["nodes"], "lone-pi": {"site": "torre", "ssh": text}}
    with pytest.raises(ConfigError, match=r"nodes\.lone-pi\.ssh: "):
        read(tmp_path, nodes=nodes)


@pytest.mark.parametrize(
    ("hub", "fault"),
    [
        ({"address": "127.0.0.1"}, "hub.address: "),
        ({"address": "localhost:8883"}, "hub.address: "),
        ({"address": "hub.lan:0"}, "hub.address: "),
        ({"also": ["hub.lan"]}, "hub.address: is missing"),
        ({"address": "hub.lan", "also": ["::1"]}, "hub.also: "),
        ({"port": 8883}, "hub.port: unknown key"),
    ],
)
def test_a_central_that_nobody_could_reach_is_a_fault(tmp_path: Path, hub: Any, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, hub=hub)
    assert any(fault in each for each in caught.value.faults), caught.value.faults


@pytest.mark.parametrize(
    ("hub", "places"),
    [
        (VALLEY["hub"], (("hub.lan", 8883), ("10.20.0.2", 8883), ("hub.example.org", 9883))),
        ({"address": "[fd00::1]:8884", "also": ["fd00::2"]}, (("fd00::1", 8884), ("fd00::2", 8883))),
        ({}, ()),
    ],
)
def test_nodes_try_the_addresses_of_the_central_in_order_over_tls(
    tmp_path: Path, hub: Any, places: Any
) -> None:
    assert read(tmp_path, hub=hub).hub.places == places


def test_a_node_with_the_login_of_the_hub_lives_on_its_machine(tmp_path: Path) -> None:
    found = installed.machines(read(tmp_path))
    assert [(each.name, each.hub, each.node) for each in found] == [
        ("hub", True, "centro-pi"),
        ("cerro-pi", False, "cerro-pi"),
    ]


def test_two_nodes_on_one_machine_are_a_fault(tmp_path: Path) -> None:
    nodes = {**VALLEY["nodes"], "lone-pi": {"site": "torre", "ssh": "pi@[fd00::7]:2222"}}
    with pytest.raises(ConfigError, match=r"nodes\.lone-pi\.ssh: is that of cerro-pi, too"):
        installed.machines(read(tmp_path, nodes=nodes))


def test_a_node_elsewhere_gets_the_way_to_the_central_and_only_its_own_devices(tmp_path: Path) -> None:
    network = read(tmp_path)
    given = installed.files(network, VALLEY, installed.machine(network, "cerro-pi"))
    assert given.credentials == ("n-cerro-pi", "snmp-radio", "snmp-router-auth", "snmp-router-priv")
    path = tmp_path / "agent.yaml"
    yamlwrite.write(path, given.documents["agent.yaml"])
    config = agent_config.load(path)
    assert (config.broker.host, config.broker.port, config.broker.ca) == ("hub.lan", 8883, "/etc/ayni/ca.crt")
    assert config.broker.also == ("10.20.0.2", "hub.example.org:9883")
    assert config.broker.password == "credential:n-cerro-pi"
    assert config.data_cap_mb_per_month == 100
    assert config.devices["radio"].community == "credential:snmp-radio"
    assert set(config.devices) == {"radio", "router"}


def test_the_machine_of_the_hub_gets_both_parts_and_no_secret_in_its_network(tmp_path: Path) -> None:
    network = read(tmp_path)
    given = installed.files(network, VALLEY, installed.machine(network, "hub"))
    assert set(given.documents) == {"hub.yaml", "network.yaml", "agent.yaml"}
    assert given.credentials == ("ana-mail", "h-hub", "k-hub", "n-centro-pi", "nut", "telegram")
    for name, document in given.documents.items():
        yamlwrite.write(tmp_path / name, document)
    hub = hub_config.load(tmp_path / "hub.yaml")
    assert (hub.name, hub.broker.host, hub.broker.port) == ("hub", "127.0.0.1", 1883)
    again = yamlfile.read(tmp_path / "network.yaml", inventory.parse)
    assert again.reach.telegram is not None
    assert again.reach.telegram.token == "credential:telegram"
    assert "file:" not in (tmp_path / "network.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("reference", "fault"),
    [
        ("env:COMMUNITY", "env:COMMUNITY exists here only"),
        ("file:other/snmp-router-auth", 'two files are called "snmp-router-auth"'),
        ("file:secrets/", '"" names no secret'),
    ],
)
def test_a_secret_that_cannot_travel_is_told(tmp_path: Path, reference: str, fault: str) -> None:
    radio = {**VALLEY["devices"]["radio"], "community": reference}
    raw = {**VALLEY, "devices": {**VALLEY["devices"], "radio": radio}}
    network = read(tmp_path, devices=raw["devices"])
    with pytest.raises(ConfigError) as caught:
        installed.files(network, raw, installed.machine(network, "cerro-pi"))
    assert fault in str(caught.value)


def test_ansible_is_told_of_machines_sites_and_routers(tmp_path: Path) -> None:
    network = read(tmp_path)
    told = ansible_hosts.hosts(network, VALLEY, "/home/ana/valley", dump)
    assert told["hubs"]["hosts"] == told["consoles"]["hosts"] == ["hub"]
    assert told["nodes"]["hosts"] == ["hub", "cerro-pi"]
    assert told["routers"]["hosts"] == ["router"]
    assert told["cerro-norte"]["hosts"] == told["site_cerro-norte"]["hosts"] == ["cerro-pi"]
    facts = told["_meta"]["hostvars"]["cerro-pi"]
    assert (facts["ansible_host"], facts["ansible_user"], facts["ansible_port"]) == ("fd00::7", "pi", 2222)
    assert "credential:n-cerro-pi" in facts["ayni_files"]["agent.yaml"]
    assert told["_meta"]["hostvars"]["router"]["ayni_snmp"] == {
        "user": "monitor",
        "auth": {"protocol": "SHA", "credential": "snmp-router-auth"},
        "priv": {"protocol": "AES", "credential": "snmp-router-priv"},
    }
    assert told["all"]["vars"]["ayni_accounts"] == {
        "h-hub": "", "k-hub": "", "n-centro-pi": "", "n-cerro-pi": "", "n-lone-pi": "", "p-ana": "operator",
    }  # fmt: skip
    assert told["all"]["vars"]["ayni_certificate_names"] == [
        "hub.lan", "10.20.0.2", "hub.example.org", "localhost", "127.0.0.1",
    ]  # fmt: skip
    assert told["all"]["vars"]["ayni_folder"] == "/home/ana/valley"
    assert told["all"]["vars"]["ayni_people"] == ["ana"]
    json.dumps(told)


def test_a_site_called_as_a_node_keeps_its_long_name_only(tmp_path: Path) -> None:
    nodes = {"torre": {"site": "torre", "ssh": "pi@a"}, "cerro-pi": {"site": "torre", "ssh": "pi@b"}}
    devices = {"radio": {**VALLEY["devices"]["radio"]}}
    network = read(tmp_path, nodes=nodes, devices=devices)
    told = ansible_hosts.hosts(network, {**VALLEY, "nodes": nodes, "devices": devices}, "/v", dump)
    assert "torre" not in told
    assert told["site_torre"]["hosts"] == ["torre", "cerro-pi"]


def test_the_commands_write_list_and_explain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(write(tmp_path))
    assert cli.main(["network", "machines", "--network", path]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert listed[1].split() == ["cerro-pi", "pi@fd00::7:2222", "agent", "cerro-pi"]
    assert listed[2].startswith("lone-pi")
    assert cli.main(["network", "machines", "--network", path, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["hubs"] == {"hosts": ["hub"]}
    to = tmp_path / "etc"
    assert cli.main(["network", "files", "hub", "--network", path, "--to", str(to)]) == 0
    secrets = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if line[:2] == "  "]
    assert dict(secrets)["h-hub"] == dict(secrets)["k-hub"] == "password of the account"
    assert dict(secrets)["ana-mail"] == "referred to in network.yaml"
    assert sorted(each.name for each in to.iterdir()) == ["agent.yaml", "hub.yaml", "network.yaml"]
    assert cli.main(["network", "files", "cerro", "--network", path, "--to", str(to)]) == 2
    assert 'did you mean "cerro-pi"' in capsys.readouterr().err
    lone = write(tmp_path, hub={})
    assert cli.main(["network", "files", "cerro-pi", "--network", str(lone), "--to", str(to)]) == 2
    assert "hub.address: is missing; expected where cerro-pi finds the central" in capsys.readouterr().err
