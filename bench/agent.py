"""What an agent weighs at work: memory, and processor time a poll, with ten devices and TLS to the broker.

    bench/agent.py [--json] [--for 90]

Two agents as they run in the field (`ayni agent run`, outbox and journal kept), one asking in v2c, one in v3
with authPriv, each polling ten routers of 24 interfaces every 15 s: the quickest pace at which names and
speeds are read only every ten minutes. The routers are one responder under ten names. Mosquitto has a TLS
listener; a hub that acknowledges everything stands beside it. Modules come from compiled files, as they do on
a node: an agent that compiles at start weighs 2 to 3 MB more.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measure
from driven_agent import DEVICES
from poll import daemon, find, free_port
from snmp_device import device, user
from wire import certificate

POLL_S = 15
TICKS = os.sysconf("SC_CLK_TCK")
_BROKER = """\
per_listener_settings false
allow_anonymous true
listener {plain} 127.0.0.1
listener {tls} 127.0.0.1
certfile {folder}/broker.pem
keyfile {folder}/broker.key
"""
_AGENT = """\
node: {node}
broker: {{host: localhost, port: {tls}, ca: {folder}/ca.pem}}
poll_s: {poll_s}
flush_s: 30
state_dir: {folder}/{node}/state
runtime_dir: {folder}/{node}/run
devices:
"""


def configuration(folder: Path, node: str, tls: int, port: int) -> Path:
    """agent.yaml of one of the two, with its folders and secrets."""
    for name in ("state", "run"):
        (folder / node / name).mkdir(parents=True)
    who = user()
    secrets = {"community": b"public", "auth": who.auth_password, "priv": who.priv_password}
    for name, secret in secrets.items():
        (folder / node / name).write_bytes(secret)
    how = f"community: 'file:{folder / node / 'community'}'"
    if node == "v3":
        how = (
            f"version: '3', user: {who.name.decode()}, "
            f"auth: {{protocol: {who.auth}, password: 'file:{folder / node / 'auth'}'}}, "
            f"priv: {{protocol: {who.priv}, password: 'file:{folder / node / 'priv'}'}}"
        )
    text = _AGENT.format(node=node, tls=tls, folder=folder, poll_s=POLL_S)
    for at in range(DEVICES):
        text += f"  router-{at}: {{address: '127.0.0.1:{port}', {how}}}\n"
    path = folder / f"{node}.yaml"
    path.write_text(text)
    return path


def measured(folder: Path, for_s: float) -> dict[str, tuple[float, float]]:
    """By version: (resident memory in MB, processor ms a device's poll) after `for_s` seconds."""
    mosquitto = find("mosquitto")
    if mosquitto is None:
        sys.exit("bench/agent.py: Mosquitto is not installed")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    os.environ.update(environment)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    certificate(folder)
    plain, tls = free_port(), free_port()
    (folder / "mosquitto.conf").write_text(_BROKER.format(plain=plain, tls=tls, folder=folder))
    os.chmod(folder, 0o755)
    os.chmod(folder / "broker.key", 0o644)
    found: dict[str, tuple[float, float]] = {}
    with contextlib.ExitStack() as stack:
        stack.enter_context(daemon([mosquitto, "-c", str(folder / "mosquitto.conf")], folder))
        time.sleep(0.5)
        hub = [sys.executable, str(Path(__file__).with_name("driven_agent.py")), "--hub", str(plain)]
        stack.enter_context(daemon(hub, folder))
        seen = stack.enter_context(device())
        pids = {}
        for node in ("v2c", "v3"):
            config = configuration(folder, node, tls, seen.port)
            command = [sys.executable, "-m", "ayni_io.cli", "agent"]
            checked = subprocess.run([*command, "check", str(config)], capture_output=True, text=True)
            if checked.returncode:
                sys.exit(f"bench/agent.py: {checked.stdout}{checked.stderr}")
            with contextlib.ExitStack() as once:  # the first start compiles
                once.enter_context(daemon([*command, "run", "--config", str(config)], folder))
                time.sleep(3)
            pids[node] = stack.enter_context(daemon([*command, "run", "--config", str(config)], folder))
        time.sleep(for_s / 3)
        before, polls, started = {n: cpu_s(pid) for n, pid in pids.items()}, seen.stats(), time.monotonic()
        time.sleep(for_s * 2 / 3)
        elapsed = time.monotonic() - started
        if seen.stats()["polls"] - polls["polls"] < elapsed / POLL_S * DEVICES:
            sys.exit("bench/agent.py: the agents do not poll; see their log: " + tail(folder))
        if not list((folder / "v2c").glob("state/*.sqlite")):
            sys.exit("bench/agent.py: no frame was kept; nothing was measured")
        for node, pid in pids.items():
            used = cpu_s(pid) - before[node]
            found[node] = (rss_mb(pid), 1000 * used / (elapsed / POLL_S * DEVICES))
    return found


def tail(folder: Path) -> str:
    """The last lines of the agents' log."""
    logs = sorted(folder.glob("python*.log"))
    return logs[-1].read_text()[-400:] if logs else "there is none"


def cpu_s(pid: int) -> float:
    """Processor seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_mb(pid: int) -> float:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> int:
    """Measure once; memory does not vary from run to run."""
    parser = measure.arguments((__doc__ or "").splitlines()[0])
    parser.add_argument("--for", type=float, default=90.0, dest="for_s", help="seconds of work")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ayni-bench-") as folder:
        found = measured(Path(folder), arguments.for_s)
    figures = []
    for version, target in (("v2c", 28), ("v3", 36)):
        memory, cpu_ms = found[version]
        figures += [
            measure.Figure(key=f"agent_rss_{version}_mb", value=round(memory, 1), unit="MB", target=target),
            measure.Figure(key=f"agent_{version}_cpu_per_poll_ms", value=round(cpu_ms, 2), unit="ms"),
        ]
    measure.report("agent", figures, as_json=arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
