"""Example configs parse with the real parsers, show every key, and their values equal the defaults."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ayni_agent import config as agent_config
from ayni_core import inventory
from ayni_core.schema import Faults, Fields
from ayni_hub import config as hub_config
from ayni_io import yamlfile
from ayni_io.mqtt import BrokerReference

ROOT = Path(__file__).parent.parent
Parse = Callable[[Fields], Any]
EXAMPLES: list[tuple[str, Parse]] = [
    ("agent/agent.yaml", agent_config.parse),
    ("hub/hub.yaml", hub_config.parse),
    ("configs/network.yaml", inventory.parse),
]
NEEDED: dict[str, dict[str, Any]] = {
    "agent/agent.yaml": {
        "node": "n",
        "devices": {"torre-cerro": {"address": "10.0.0.1", "community": "env:X"}},
    },
    "hub/hub.yaml": {"network": "n", "data_dir": "d"},
}
"""The least that each file must say: everything else has a default."""
PLACE_ONLY = {
    ".node", ".network", ".data_dir", ".broker.username", ".broker.password",
    ".devices.torre-cerro.host", ".devices.torre-cerro.community", ".devices.torre-cerro.expected_dbm",
}  # fmt: skip
"""What is different in every network, so that it has no default to equal."""


def from_mapping(parse: Parse, mapping: dict[str, Any]) -> Any:
    faults = Faults("defaults")
    fields = Fields(mapping, "", faults)
    value = parse(fields)
    fields.done()
    faults.stop()
    return value


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """A config value as path -> plain value."""
    if dataclasses.is_dataclass(value):
        pairs = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    elif isinstance(value, dict):
        pairs = value
    else:
        return {path: value}
    return {key: leaf for name, each in pairs.items() for key, leaf in flat(each, f"{path}.{name}").items()}


@pytest.mark.parametrize(("name", "parse"), EXAMPLES, ids=[name for name, _parse in EXAMPLES])
def test_an_example_parses_with_the_real_parser(name: str, parse: Parse) -> None:
    assert yamlfile.read(ROOT / name, parse)


@pytest.mark.parametrize("name", NEEDED)
def test_values_of_an_example_equal_the_defaults(name: str) -> None:
    parse = dict(EXAMPLES)[name]
    shown = flat(yamlfile.read(ROOT / name, parse))
    default = flat(from_mapping(parse, NEEDED[name]))
    assert shown.keys() == default.keys()
    for path, value in default.items():
        if path not in PLACE_ONLY:
            assert shown[path] == value, path


@pytest.mark.parametrize("name", NEEDED)
def test_a_line_marked_as_default_may_be_left_out(name: str) -> None:
    parse = dict(EXAMPLES)[name]
    text = (ROOT / name).read_text(encoding="utf-8")
    short = "\n".join(line for line in text.splitlines() if "(default" not in line)
    assert short.count("\n") < text.count("\n") - 3
    value, lines = yamlfile.load(short, name)
    faults = Faults(name, lines)
    read = parse(Fields(value, "", faults))
    faults.stop()
    assert read == yamlfile.read(ROOT / name, parse)


@pytest.mark.parametrize("name", NEEDED)
def test_an_example_shows_every_key(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    asked: set[str] = set()

    class Recording(Fields):
        """Notes every key that the parser asks for."""

        def _take(self, key: str, default: Any, wanted: str) -> Any:
            asked.add(key)
            return super()._take(key, default, wanted)

        def child(self, key: str, *, required: bool = False) -> Fields:
            return Recording(self._take(key, None, ""), self.at(key), self.faults)

        def named(self, key: str, read: Callable[[str, Fields], Any], *, required: bool = False) -> Any:
            below = self.child(key)
            return {
                name: read(name, Recording(value, name, self.faults)) for name, value in below._given.items()
            }

    value, _lines = yamlfile.load(text, name)
    dict(EXAMPLES)[name](Recording(value, "", Faults(name)))
    assert {field.name for field in dataclasses.fields(BrokerReference)} <= asked
    missing = [key for key in asked if f"{key}:" not in text]
    assert not missing, "a key that the parser reads and the example does not show"
