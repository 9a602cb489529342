"""The coordinator's desk: a folder with a network, an authority, secrets, bundles; and three empty machines.

Everything lives in the lab of scripts/nspawn that belongs to this process, and in one temporary folder;
`close` takes all of it away, also after a failure.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import faults
import machine
from checks import Failure, until
from places import DESK, LIVING, SSH_CONFIG, Trouble, inside

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".venv" / "bin"
ANSIBLE = ROOT / "deploy" / "ansible"
DEBIAN = os.environ.get("AYNI_DEBIAN", "bookworm")
HUB, TORRE, CERRO = "hub", "torre-pi", "cerro-pi"
ADDRESSES = {HUB: "10.77.0.10", TORRE: "10.77.0.11", CERRO: "10.77.0.12"}
DESK_ADDRESS = "10.77.0.1"
POLL_S, FLUSH_S = 5, 10
AYNI = ("/usr/local/bin/ayni",)
ACCOUNTS = (*AYNI, "hub", "accounts", "/etc/ayni/network.yaml", "--config", "/etc/ayni/hub.yaml")
_RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)
_NETWORK = f"""\
network: {{ title: Valle de prueba, poll_s: {POLL_S}, flush_s: {FLUSH_S} }}
hub: {{ address: {ADDRESSES[HUB]}, ssh: pi@{ADDRESSES[HUB]} }}
people:
  ana: {{ title: Ana }}
  luis: {{ title: Luis, role: viewer }}
sites:
  centro: {{ title: Centro }}
  torre: {{ title: Torre }}
  cerro: {{ title: Cerro }}
nodes:
  {TORRE}: {{ title: Pi Torre, site: torre, ssh: pi@{ADDRESSES[TORRE]} }}
  {CERRO}: {{ title: Pi Cerro, site: cerro, ssh: pi@{ADDRESSES[CERRO]} }}
devices:
  torre-radio:
    {{ site: torre, node: {TORRE}, address: "{DESK_ADDRESS}:1161", community: file:secrets/snmp }}
  cerro-radio:
    {{ site: cerro, node: {CERRO}, address: "{DESK_ADDRESS}:1161", community: file:secrets/snmp }}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What a play said of each machine: changed and failed tasks."""

    changed: dict[str, int]
    failed: dict[str, int]
    status: int
    text: str

    def must_work(self) -> Play:
        """Raises `Failure` with what the play said last."""
        if self.status:
            lines = [line for line in self.text.splitlines() if line.strip()]
            wrong = [line for line in lines if "fatal:" in line or "ERROR" in line or "msg:" in line]
            raise Failure(" / ".join(line.strip() for line in (wrong or lines)[-6:])[:900])
        return self


@dataclass(slots=True)
class Lab:
    """All of it."""

    bundle: Path
    keep_logs: Path | None = None
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="ayni-deploy-test-")))
    hasty: bool = False
    """All monitors at once, where time is short."""
    commands: list[str] = field(default_factory=list)
    label: str = "0.1.0"
    """Which bundle is deployed, as `ayni_version` names it."""
    read_since: float = 0.0
    """When the first readings had come."""
    trouble: type[Exception] = Trouble
    _programs: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _plays: int = 0

    @property
    def valley(self) -> Path:
        """The coordinator's own folder."""
        return self.folder / "valley"

    # ---- building up and taking away

    def open(self) -> None:
        """The desk with a network.yaml, the machines as fresh cards, and a device that answers SNMP."""
        for sub in ("valley/secrets", "valley/bundles", "home"):
            (self.folder / sub).mkdir(parents=True)
        (self.valley / "network.yaml").write_text(_NETWORK)
        (self.valley / "secrets/snmp").write_text("public\n")
        (self.folder / "vault-password").write_text("a test's vault\n")
        machine.up(HUB, ADDRESSES[HUB], base=DEBIAN)
        self.fresh(TORRE)
        machine.up(CERRO, ADDRESSES[CERRO], base=DEBIAN)
        self._device()

    def fresh(self, name: str) -> None:
        """A machine with a new card, a clock that can be shifted, and a small place for its reports."""
        machine.up(
            name, ADDRESSES[name], base=DEBIAN, small={"/var/lib/ayni": "16M"}, prepare=faults.install_clock
        )

    def close(self) -> None:
        """Nothing stays."""
        for control in (self.folder / "home").glob("cp/*"):
            subprocess.run(["ssh", "-S", control, "-O", "exit", "x"], capture_output=True, check=False)
        for program in self._programs:
            program.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.wait(5)
        machine.down_all()
        for folder in (self.folder, *([] if machine.machines() else [LIVING])):
            shutil.rmtree(folder, ignore_errors=True)

    def _device(self) -> None:
        config = self.folder / "snmpd.conf"
        config.write_text(f"rocommunity public\nsysName radio\nagentaddress udp:{DESK_ADDRESS}:1161\n")
        snmpd = shutil.which("snmpd", path="/usr/sbin:/usr/bin:/sbin") or "snmpd"
        words = [*inside(DESK), snmpd, "-f", "-Lf", self.folder / "snmpd.log", "-C", "-c", config,
                 "-p", self.folder / "snmpd.pid"]  # fmt: skip
        environment = {**os.environ, "SNMP_PERSISTENT_DIR": str(self.folder / "snmp")}
        self._programs.append(subprocess.Popen(words, env=environment))

    # ---- at the desk

    def desk(self, *command: str | Path, may_fail: bool = False, stdin: str = "") -> str:
        """What a program at the coordinator's desk prints. Raises `Failure`."""
        done = subprocess.run(
            [*inside(DESK), *map(str, command)], env=self.environment(), cwd=self.valley,
            input=stdin, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode and not may_fail:
            raise Failure(
                f"{' '.join(map(str, command))[:120]}: {(done.stderr or done.stdout).strip()[-500:]}"
            )
        return done.stdout

    def types(self, *command: str | Path) -> str:
        """As `desk`, counted: a command that the coordinator really has to type."""
        self.commands.append(Path(str(command[0])).name + " " + " ".join(map(str, command[1:])))
        return self.desk(*command)

    def play(self, *options: str, book: str = "site.yml", typed: bool = False) -> Play:
        """Run a play. Its whole output is kept where `--logs` says."""
        haste = ["-e", "ayni_serial=9"] if self.hasty else []
        words = [str(BIN / "ansible-playbook"), book, *options, *haste]
        if typed:
            self.commands.append(f"ansible-playbook {book} {' '.join(options)}".strip())
        lines, status = self._alone([*inside(DESK), *words])
        text = "".join(line for _at, line in lines)
        self._plays += 1
        if self.keep_logs is not None:
            self.keep_logs.mkdir(parents=True, exist_ok=True)
            timed = "".join(f"{at:6.1f} {line}" for at, line in lines)
            (self.keep_logs / f"play-{self._plays:02}.log").write_text(f"{words}\n{timed}")
        rows = _RECAP.findall(text)
        return Play(
            changed={name: int(changed) for name, _ok, changed, _away, _failed in rows},
            failed={name: int(failed) + int(away) for name, _ok, _changed, away, failed in rows},
            status=status,
            text=text,
        )

    def _alone(self, words: list[str]) -> tuple[list[tuple[float, str]], int]:
        """A program with all that it starts, also in the background: it ends with us if we are interrupted.

        What it printed, each line with the seconds since it began.
        """
        began = time.monotonic()
        own = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        with subprocess.Popen(
            [*own, *words], env=self.environment(), cwd=ANSIBLE, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as process:  # fmt: skip
            try:
                lines = [(time.monotonic() - began, line) for line in process.stdout or ()]
                process.wait()
            except BaseException:
                process.kill()
                raise
        return lines, process.returncode

    def environment(self) -> dict[str, str]:
        """What programs at the desk are told."""
        home = self.folder / "home"
        return {
            **{key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "AYNI_"))},
            "PATH": f"{BIN}:{os.environ.get('PATH', '')}",
            "AYNI_NETWORK": str(self.valley / "network.yaml"),
            "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"),
            "ANSIBLE_HOME": str(home),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(home / "cp"),
            "ANSIBLE_SSH_COMMON_ARGS": f"-F {SSH_CONFIG}",
            "ANSIBLE_VAULT_PASSWORD_FILE": str(self.folder / "vault-password"),
            "ANSIBLE_NOCOLOR": "1",
            "LC_ALL": "C.UTF-8",
        }

    def secret(self, name: str) -> str:
        """A secret of the vault."""
        return self.desk(BIN / "ansible-vault", "view", self.valley / "secrets" / name).strip()

    # ---- on the machines

    def on(self, name: str, *command: str, may_fail: bool = False) -> str:
        """What a command, run by root on a machine, prints."""
        return machine.told(name, *command, may_fail=may_fail)

    def status(self, name: str) -> dict[str, Any]:
        """`ayni agent status --json`; empty where the agent does not answer."""
        text = self.on(name, "/usr/local/bin/ayni", "agent", "status", "--json", may_fail=True)
        try:
            found: dict[str, Any] = json.loads(text)
        except ValueError:
            return {}
        return found

    def has_central(self, name: str) -> bool:
        """Whether a node has the central, and the central is ready."""
        hub = self.status(name).get("hub", {})
        return bool(hub.get("connected")) and hub.get("state") == "ready"

    def wait_for_central(self, name: str, within_s: float = 60.0) -> float:
        """Until it has; how long that took."""
        return until(lambda: self.has_central(name), within_s, f"{name} has no contact to the central")

    def delivered(self, name: str) -> bool:
        """Whether nothing waits on a node any more."""
        status = self.status(name)
        return bool(status) and status["outbox"]["frames"] == 0

    def latest(self, device: str) -> list[dict[str, Any]]:
        """What the hub has of a device, newest values."""
        text = self.on(
            HUB, "/usr/local/bin/ayni", "hub", "query", "latest", device, "--json",
            "--config", "/etc/ayni/hub.yaml", may_fail=True,
        )  # fmt: skip
        try:
            found = json.loads(text)
        except ValueError:
            return []
        return found if isinstance(found, list) else found.get("rows", [])

    def starts(self, name: str, unit: str) -> int:
        """How often systemd has restarted a unit by itself."""
        return int(self.on(name, "systemctl", "show", unit, "--property=NRestarts", "--value").strip() or 0)

    def pid(self, name: str, unit: str) -> int:
        """Its main process, as the machine numbers it; 0 where there is none."""
        return int(self.on(name, "systemctl", "show", unit, "--property=MainPID", "--value").strip() or 0)

    def version(self, name: str) -> str:
        """Which version is in use."""
        return Path(self.on(name, "readlink", "/opt/ayni/current").strip()).name


def pause(seconds: float) -> None:
    """Let something go on for a while."""
    time.sleep(seconds)
