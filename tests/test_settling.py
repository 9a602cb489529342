"""What comes after the first devices, without a terminal: signals, and entries of network.yaml."""

from __future__ import annotations

import pytest

from ayni_core.schema import ConfigError
from ayni_hub.settling import signal_of
from ayni_io import yamledit, yamlfile

TEXT = """\
# ours
people:
  ana:
    title: Ana  # she knows

    # reads Quechua, too
    role: operator
  rosa: { title: Rosa }
links:
  uno:
    title: Uno
    a:
      device: torre
    b: { device: cerro }
"""


@pytest.mark.parametrize(
    ("path", "key", "value", "line"),
    [
        (("people", "ana"), "notify", {"alarms": {"address": "file:/x"}}, "    notify:\n      alarms:\n"),
        (("links", "uno", "a"), "expected_dbm", -61, "      expected_dbm: -61\n    b: "),
        (("links", "uno"), "frequency_mhz", 5580, "    frequency_mhz: 5580\n"),
    ],
)
def test_a_key_joins_its_entry_and_everything_else_stays(
    path: tuple[str, ...], key: str, value: object, line: str
) -> None:
    edited = yamledit.put(TEXT, path, key, value)
    assert line in edited
    assert all(each in edited.splitlines() for each in TEXT.splitlines())
    here = yamlfile.load(edited, "x")[0]
    for name in path:
        here = here[name]
    assert here[key] == value


@pytest.mark.parametrize(
    ("path", "key"),
    [(("people", "rosa"), "role"), (("links", "uno", "b"), "radio"), (("people", "ana"), "role")],
)
def test_an_entry_in_one_line_and_a_key_that_is_there_are_written_anew(
    path: tuple[str, ...], key: str
) -> None:
    edited = yamledit.put(TEXT, path, key, "new")
    assert edited.startswith("# ours\n")
    here = yamlfile.load(edited, "x")[0]
    for name in path:
        here = here[name]
    assert here[key] == "new"


def test_an_entry_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"people\.luz: expected a mapping"):
        yamledit.put(TEXT, ("people", "luz"), "role", "viewer")


@pytest.mark.parametrize(
    ("signals", "mac", "heard"),
    [
        ({}, "000c42aabbcc", None),
        ({"": -61.0}, "000c42aabbcc", -61.0),
        ({"00:0C:42:AA:BB:CC": -61.0, "000c42ddeeff": -70.0}, "000c42aabbcc", -61.0),
        ({"000c42aabbcc": -61.0, "000c42ddeeff": -70.0}, "", None),
        ({"000c42aabbcc": -61.0, "000c42ddeeff": -70.0}, "000c42000000", None),
    ],
)
def test_the_signal_of_a_link_is_that_of_the_radio_at_its_other_end(
    signals: dict[str, float], mac: str, heard: float | None
) -> None:
    assert signal_of(signals, mac) == heard
