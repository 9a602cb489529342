"""Who sets a machine up switches its services on, where that is systemd's; elsewhere nothing is touched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ayni_io.switched_on import switch_on

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root switches services on")
UNITS = ("mosquitto", "ayni-hub")


@pytest.fixture
def systemctl(tmp_path: Path) -> Path:
    """A stand-in that writes down how it is called, and refuses what the file `refuses` names."""
    path = tmp_path / "systemctl"
    path.write_text(
        f'#!/bin/sh\necho "$*" >> {tmp_path}/calls\n'
        f'[ "$1" != "$(cat {tmp_path}/refuses 2>/dev/null)" ] || {{ echo \'Job failed.\'; exit 1; }}\n'
    )
    path.chmod(0o755)
    return path


def test_units_are_switched_on_for_good_and_begin_anew(systemctl: Path, tmp_path: Path) -> None:
    assert switch_on(UNITS, systemctl=str(systemctl), systemd=tmp_path) == ""
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls == [
        "cat --no-pager mosquitto ayni-hub", "enable mosquitto ayni-hub", "restart mosquitto ayni-hub",
    ]  # fmt: skip


def test_where_a_unit_is_missing_nothing_is_touched(systemctl: Path, tmp_path: Path) -> None:
    (tmp_path / "refuses").write_text("cat")
    assert switch_on(UNITS, systemctl=str(systemctl), systemd=tmp_path) is None
    assert len((tmp_path / "calls").read_text().splitlines()) == 1


def test_what_systemd_says_against_it_is_told(systemctl: Path, tmp_path: Path) -> None:
    (tmp_path / "refuses").write_text("restart")
    assert switch_on(UNITS, systemctl=str(systemctl), systemd=tmp_path) == "Job failed."


def test_without_systemd_it_is_left_to_others(systemctl: Path, tmp_path: Path) -> None:
    assert switch_on(UNITS, systemctl=str(systemctl), systemd=tmp_path / "none") is None
    assert switch_on(UNITS, systemctl=str(tmp_path / "none"), systemd=tmp_path) is None
    assert not (tmp_path / "calls").exists()
