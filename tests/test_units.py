"""The units that a deployed machine is given: systemd understands every key of them, and finds them tight."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
AGENT, TRAPS = ROOT / "agent/ayni-agent.service", ROOT / "agent/ayni-agent-traps.socket"
HUB, WORKER = ROOT / "hub/ayni-hub.service", ROOT / "hub/ayni-hub-worker@.service"
WEB = ROOT / "console/ayni-console-web.service"
DEPLOYED = ROOT / "deploy/systemd"
POWEROFF = DEPLOYED / "ayni-poweroff.service"
SERVICES = (AGENT, HUB, WORKER, WEB, POWEROFF, DEPLOYED / "ayni-accounts-guard.service")
BACKUP = ROOT / "hub/ayni-hub-backup.service"
DAEMONS = (AGENT, HUB, WORKER, WEB)
UNITS = (
    *SERVICES, TRAPS, BACKUP, BACKUP.with_suffix(".timer"),
    *(each for kind in ("path", "mount", "timer") for each in sorted(DEPLOYED.glob(f"*.{kind}"))),
)  # fmt: skip
PROGRAM = "/opt/ayni/current/bin/ayni"
MOSQUITTO = """\
[Unit]
Description=Mosquitto MQTT Broker
After=network.target
[Service]
Type=notify
NotifyAccess=main
ExecStart=/bin/true -c /etc/mosquitto/mosquitto.conf
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
ExecStartPre=/bin/mkdir -m 740 -p /var/log/mosquitto
ExecStartPre=/bin/chown mosquitto /var/log/mosquitto
[Install]
WantedBy=multi-user.target
"""
"""As Debian 12 and 13 have it, for machines where it is not installed."""
SANDBOX = re.compile(
    r"(NoNewPrivileges|CapabilityBoundingSet|Protect\w+|Private\w+|Restrict\w+|SystemCall\w+|Lock\w+|Memory\w+Exec\w*)="
)


@pytest.fixture(scope="module")
def analyze() -> str:
    """systemd's own judge; in CI it has to be there."""
    found = shutil.which("systemd-analyze")
    if found is None:
        reason = "systemd-analyze is missing: install the package systemd"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    assert found is not None
    return found


def settings(unit: Path) -> dict[str, list[str]]:
    """Keys of a unit, each with its values in their order."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text(encoding="utf-8").splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def said(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(each) for each in command], capture_output=True, text=True, timeout=60)


def score(analyze: str, unit: Path, most: float) -> None:
    judged = said(analyze, "security", "--offline=true", f"--threshold={most * 10:.0f}", unit)
    assert judged.returncode == 0, judged.stdout[-400:] + judged.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda each: each.name)
def test_systemd_understands_every_key(analyze: str, unit: Path, tmp_path: Path) -> None:
    """An unknown key gives exit status 0 and a line on stderr, so any line there is a fault."""
    for each in UNITS:  # a socket and a path name their services
        text = each.read_text(encoding="utf-8").replace(PROGRAM, sys.executable)
        (tmp_path / each.name).write_text(text)
    judged = subprocess.run(
        [analyze, "verify", "--man=no", str(tmp_path / unit.name)],
        capture_output=True, text=True, timeout=60, env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )  # fmt: skip
    assert (judged.returncode, judged.stderr) == (0, "")


def test_a_key_that_systemd_does_not_know_is_found(analyze: str, tmp_path: Path) -> None:
    """The control of the test above."""
    (tmp_path / AGENT.name).write_text(
        AGENT.read_text().replace(PROGRAM, sys.executable).replace("WatchdogSec=", "WatchDogSec=")
    )
    assert "WatchDogSec" in said(analyze, "verify", "--man=no", tmp_path / AGENT.name).stderr


@pytest.mark.parametrize("unit", SERVICES, ids=lambda each: each.name)
def test_systemd_finds_the_services_tight(analyze: str, unit: Path) -> None:
    score(analyze, unit, 1.5)


def test_the_backup_has_only_the_rights_of_root_that_it_needs(analyze: str) -> None:
    """It reads secrets and the broker's key, and mounts a stick."""
    score(analyze, BACKUP, 3.0)


def test_a_service_without_its_sandbox_is_found_loose(analyze: str, tmp_path: Path) -> None:
    """The control of the test above."""
    bare = "\n".join(line for line in AGENT.read_text().splitlines() if not SANDBOX.match(line))
    (tmp_path / AGENT.name).write_text(bare)
    with pytest.raises(AssertionError):
        score(analyze, tmp_path / AGENT.name, 1.5)


def test_the_drop_in_makes_debian_s_mosquitto_tight(analyze: str, tmp_path: Path) -> None:
    unit = tmp_path / "mosquitto.service"
    installed = Path("/lib/systemd/system/mosquitto.service")
    unit.write_text(installed.read_text() if installed.exists() else MOSQUITTO)
    with pytest.raises(AssertionError):
        score(analyze, unit, 1.5)
    (tmp_path / "mosquitto.service.d").mkdir()
    drop_in = (DEPLOYED / "mosquitto.conf").read_text().replace(PROGRAM, sys.executable)
    (tmp_path / "mosquitto.service.d/ayni.conf").write_text(drop_in)
    verified = said(analyze, "verify", "--man=no", unit)
    assert (verified.returncode, verified.stderr) == (0, "")
    score(analyze, unit, 1.5)


# ---- what the programs rely on


@pytest.mark.parametrize("unit", DAEMONS, ids=lambda each: each.name)
def test_what_never_ends_is_watched_and_never_given_up(unit: Path) -> None:
    found = settings(unit)
    assert found["Type"] == ["notify"]
    assert int(found["WatchdogSec"][0]) >= 60
    assert found["Restart"] == ["always"] and int(found["RestartSec"][0]) > 0
    assert found["StartLimitIntervalSec"] == ["0"]
    assert found["ExecStart"][0].startswith(f"{PROGRAM} ")
    assert "LogRateLimitBurst" in found


@pytest.mark.parametrize("unit", DAEMONS, ids=lambda each: each.name)
def test_memory_has_an_end_but_nobody_is_throttled_until_the_watchdog_comes(unit: Path) -> None:
    found = settings(unit)
    assert "MemoryMax" in found and "MemoryHigh" not in found


@pytest.mark.parametrize("unit", DAEMONS, ids=lambda each: each.name)
def test_the_clock_may_be_asked_but_not_set(unit: Path) -> None:
    found = settings(unit)
    assert found["SystemCallFilter"][-1].split() == ["adjtimex", "clock_adjtime", "clock_adjtime64"]
    assert "ProtectClock" not in found and found["CapabilityBoundingSet"] == [""]


@pytest.mark.parametrize("unit", SERVICES, ids=lambda each: each.name)
def test_every_unit_says_where_to_read_on(unit: Path) -> None:
    for page in settings(unit)["Documentation"]:
        assert (ROOT / "docs" / page.rpartition("/")[2]).is_file()


def test_the_open_frame_survives_a_kill() -> None:
    found = settings(AGENT)
    assert found["RuntimeDirectoryPreserve"] == ["yes"]
    assert (found["StateDirectory"], found["RuntimeDirectory"]) == (["ayni/agent"], ["ayni"])
    waited_for = settings(DEPLOYED / "ayni-poweroff.path")["PathExists"]
    assert waited_for == [f"/run/{found['RuntimeDirectory'][0]}/poweroff"]


def test_all_services_have_the_same_sandbox() -> None:
    """One that is looser than the others has to say so here."""

    def kept(unit: Path) -> list[str]:
        return [line for line in unit.read_text().splitlines() if SANDBOX.match(line)]

    assert kept(AGENT) == kept(HUB) == kept(WORKER) == kept(WEB)


def test_what_only_newer_systemd_knows_is_in_a_drop_in_of_its_own() -> None:
    """Debian 12 has 252, which would complain about these at every start."""
    newer = set(settings(DEPLOYED / "growing-pauses.conf"))
    assert newer == {"RestartSteps", "RestartMaxDelaySec"}
    assert not [unit.name for unit in (*DAEMONS, DEPLOYED / "mosquitto.conf") if newer & set(settings(unit))]
