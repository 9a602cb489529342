"""The machines of the lab (`scripts/machines`): what is refused before anything is touched."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

LAB = Path(__file__).resolve().parent.parent / "scripts/nspawn"
NAMES = ("places", "bases", "wires", "machine", "faults", "card", "cell")


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """The modules of the lab, with a cache of their own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.syspath_prepend(str(LAB))
    yield lambda name: importlib.import_module(name)
    for name in NAMES:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", ["", "../x", "Hub", "a b", "-x", "switch", "desk", "a-very-long-name"])
def test_a_name_that_would_leave_the_lab_is_refused(lab: Any, name: str) -> None:
    with pytest.raises(lab("places").Trouble):
        lab("places").check_name(name)


@pytest.mark.parametrize("address", ["10.78.0.2", "127.0.0.1", "10.77.0.300", "hub", ""])
def test_an_address_outside_the_lab_is_refused(lab: Any, address: str) -> None:
    with pytest.raises(lab("places").Trouble, match=r"beside 10\.77\.0\.1"):
        lab("wires").leg("n1", address)


def test_only_a_folder_with_a_size_of_its_own_is_filled(lab: Any, tmp_path: Path) -> None:
    place = tmp_path / "ayni/machines/labs/ayni/machines/n1/small/var_lib_ayni"
    place.mkdir(parents=True)
    with pytest.raises(lab("places").Trouble, match="has no size of its own"):
        lab("faults").fill("n1", "/var/lib/ayni")
    assert list(place.iterdir()) == []


def test_nothing_is_run_in_a_machine_that_could_set_our_clock(lab: Any) -> None:
    """The bounding set of PID 1 here, which may do everything, or of ourselves."""
    first = 1 if int(status("CapBnd", 1), 16) >> 25 & 1 else None
    if first is None:
        pytest.skip("PID 1 here may not set the clock itself")
    with pytest.raises(lab("places").Trouble, match="this computer's clock"):
        lab("cell").drops(first)


def status(key: str, pid: int) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{key}:"))


def test_what_is_not_there_is_said_so(lab: Any) -> None:
    assert lab("machine").state("n1") == "none"
    for verb in ("powercut", "poweroff"):
        with pytest.raises(lab("places").Trouble, match="is not running"):
            getattr(lab("machine"), verb)("n1")
    lab("machine").down("n1")
