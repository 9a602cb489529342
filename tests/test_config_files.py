"""Configuration is read strictly: no surprises of YAML 1.1, and every fault of a file at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ayni_agent import config as agent_config
from ayni_core import inventory
from ayni_core.schema import ConfigError, Fields
from ayni_io import configs, secret, yamlfile
from ayni_io.rulebook import load_rules


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("12:34:56", "12:34:56"),
        ("010", "010"),
        ("0x10", "0x10"),
        ("2026-11-21", "2026-11-21"),
        ("true", True),
        ("12", 12),
        ("-2.5", -2.5),
        ("~", None),
        ("''", ""),
    ],
)
def test_only_plain_words_of_yaml_mean_something(text: str, value: object) -> None:
    assert yamlfile.load(f"key: {text}", "f")[0] == {"key": value}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: 1\na: 2", 'f.yaml:2: key "a" stands twice'),
        ("a: &x 1\nb: *x", "f.yaml:2: aliases (*name) are not allowed"),
        ("a: !!python/object:os.system 1", "f.yaml:1: the tag tag:yaml.org,2002:python/object:os.system"),
        ("a: [1", "f.yaml:2: not valid YAML"),
        ("a: " + "[" * 100_000 + "]" * 100_000, "nested more than 40 deep"),
    ],
)
def test_what_yaml_allows_and_we_do_not(text: str, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        yamlfile.load(text, "f.yaml")
    assert fault in str(caught.value)


def test_every_fault_of_a_file_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text(
        "node: Torre\n"
        "broker: {host: hub.lan, prot: 1}\n"
        "poll_s: 0\n"
        "flush_s: soon\n"
        "devices:\n"
        "  ap:\n"
        "    address: 10.0.0.1:99999\n"
        "    community: public\n"
        "    verson: 2c\n"
        "colour: red\n"
    )
    with pytest.raises(ConfigError) as caught:
        agent_config.load(path)
    told = str(caught.value)
    for part in (
        ':1: node: "Torre" must be 1 to 48 of a-z',
        'prot: unknown key; did you mean "port"?',
        "broker.ca: is missing: off this machine the broker is reached over TLS only",
        ":3: poll_s: must be at least 1, got 0",
        ':4: flush_s: must be a number, got the text "soon"',
        ':7: devices.ap.address: "10.0.0.1:99999": the port must be 1 to 65535',
        ":8: devices.ap.community: must be file:PATH, env:NAME or credential:NAME, never the secret itself",
        'devices.ap.verson: unknown key; did you mean "version"?',
        ":10: colour: unknown key",
    ):
        assert part in told
    assert len(told.splitlines()) == 9


def test_the_example_community_and_the_shipped_rules_are_sound() -> None:
    network = yamlfile.read(configs.find("network.yaml"), inventory.parse)
    assert len(network.devices) >= 15
    assert len(network.links) >= 8
    assert {rule.name for rule in load_rules()} >= {"device-silent", "link-down", "signal-low"}


def test_references_between_parts_of_the_inventory_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "network.yaml"
    path.write_text(
        "network: {title: T}\nsites: {torre: {}}\nnodes: {pi: {site: tore}}\n"
        "devices: {apu: {site: torre, address: 10.0.0.1}}\n"
        "links: {l: {a: {device: apu}, b: {device: app}}}\n"
    )
    with pytest.raises(ConfigError) as caught:
        yamlfile.read(path, inventory.parse)
    assert 'nodes.pi.site: unknown site "tore"; did you mean "torre"?' in str(caught.value)
    assert 'links.l.b.device: unknown device "app"; did you mean "apu"?' in str(caught.value)


def test_a_link_budget_gives_what_both_ends_should_hear(tmp_path: Path) -> None:
    """10 km at 5800 MHz lose 127.7 dB in free space; 23 dBm and two 25 dBi dishes leave -54.7 dBm."""
    path = tmp_path / "network.yaml"
    path.write_text(
        "network: {title: T}\nsites: {s: {}}\nnodes: {pi: {site: s}}\n"
        "devices: {p: {site: s, address: 10.0.0.1}, q: {site: s, address: 10.0.0.2}}\n"
        "links:\n  l:\n    frequency_mhz: 5800\n    a: {device: p}\n    b: {device: q, expected_dbm: -60}\n"
        "    budget: {tx_power_dbm: 23, gains_db: 50, distance_km: 10}\n"
    )
    link = yamlfile.read(path, inventory.parse).links["l"]
    assert link.a.expected_dbm == pytest.approx(-54.7, abs=0.05)
    assert link.b.expected_dbm == -60


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.1", ("10.0.0.1", 161)),
        ("name.lan:1161", ("name.lan", 1161)),
        ("[fe80::1]:162", ("fe80::1", 162)),
        ("fe80::1", ("fe80::1", 161)),
    ],
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    assert inventory.split_address(text) == expected


@pytest.mark.parametrize("text", ["", "a:b", "a:0", "[::1", "[::1]x", "two words"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError):
        inventory.split_address(text)


def test_a_secret_shows_itself_only_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s").write_text("sésamo\n")
    found = secret.resolve(f"file:{tmp_path / 's'}", "here")
    assert found.reveal() == "sésamo"
    assert "sésamo" not in f"{found} {found!r} {[found]}"
    monkeypatch.setenv("AYNI_X", "y")
    assert secret.resolve("env:AYNI_X", "here").reveal() == "y"
    for wrong in ("sésamo", "file:/nowhere", "env:AYNI_NONE", "credential:x"):
        with pytest.raises(ConfigError, match="here: "):
            secret.resolve(wrong, "here")


def test_a_users_own_file_hides_a_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "basic.yaml").write_text(
        "rules:\n"
        "  mine: {scope: device, metric: answered, test: equals, critical: 0, text: rule.device_silent}\n"
    )
    monkeypatch.setenv("AYNI_CONFIGS", str(tmp_path))
    names = [rule.name for rule in load_rules()]
    assert "mine" in names
    assert "device-silent" not in names, "it stands in the shipped basic.yaml"
    assert "port-errors" in names, "it stands in a file that nobody hid"


def test_a_users_own_rule_comes_before_the_shipped_one_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = (
        "rules:\n  cpu-high: {scope: device, metric: cpu_pct, test: above, warn: 99, text: rule.cpu_high}\n"
    )
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "mine.yaml").write_text(mine)
    monkeypatch.setenv("AYNI_CONFIGS", str(tmp_path))
    assert [rule.warn for rule in load_rules() if rule.name == "cpu-high"] == [99]
    (tmp_path / "rules" / "more.yaml").write_text(mine)
    with pytest.raises(ConfigError, match=r"more.yaml: rules.cpu-high: stands in mine.yaml too"):
        load_rules()


def test_fields_tell_the_allowed_words() -> None:
    with pytest.raises(ConfigError, match="unknown value"):
        yamlfile.read(configs.find("network.yaml"), lambda fields: _choose(fields), "network.yaml")


def _choose(fields: Fields) -> None:
    for key in list(fields.keys()):
        fields.raw(key)
    fields.child("network").choice("title", ("one", "two"))
