"""What an installation puts on a hub and a node, done by hand for a trial: this checkout, its units, a
certificate of two days for the broker, accounts, and a supply whose battery we can let sink."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import subprocess
import tomllib
from pathlib import Path

import machine
from places import CACHE, LIVING, Trouble, call

ROOT = Path(__file__).resolve().parents[2]
HUB, NODE = "hub", "torre"
HUB_ADDRESS, NODE_ADDRESS = "10.77.0.10", "10.77.0.11"
_PACKAGES = ("core/ayni_core", "core/ayni_io", "agent/ayni_agent", "hub/ayni_hub", "console/ayni_console")
_EXTRAS = ("agent", "hub", "snmpv3", "web")
_UNITS = (
    "agent/ayni-agent.service",
    "agent/ayni-agent-traps.socket", "hub/ayni-hub.service", "hub/ayni-hub-worker@.service",
    "console/ayni-console-web.service", "deploy/systemd/ayni-poweroff.path",
    "deploy/systemd/ayni-poweroff.service", "deploy/systemd/ayni-accounts-guard.path",
    "deploy/systemd/ayni-accounts-guard.service",
)  # fmt: skip
_SUPPLY = """\
import socketserver
class Supply(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            if line.startswith(b"LIST VAR"):
                volts = open("/run/volts").read().strip()
                answer = f'BEGIN LIST VAR sol\\nVAR sol battery.voltage "{volts}"\\nEND LIST VAR sol\\n'
                self.wfile.write(answer.encode())
            elif line.startswith(b"LOGOUT"):
                return
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", 3493), Supply).serve_forever()
"""
"""As much of upsd as the agent asks for."""
_SUPPLY_UNIT = """\
[Service]
ExecStartPre=/bin/sh -c "echo 26.4 >/run/volts"
ExecStart=/usr/bin/python3 /opt/supply.py
[Install]
WantedBy=multi-user.target
"""
NETWORK = """\
network: { title: Trial, poll_s: 5, flush_s: 10 }
sites: { torre: { title: Torre } }
people: { ana: { title: Ana, role: operator } }
nodes:
  torre: { title: Torre, site: torre, shutdown: { device: sol, below_v: 23.2, for_min: 2 } }
devices:
  sol: { title: Sol, site: torre, source: { kind: nut, address: "127.0.0.1:3493", ups: sol } }
  pi: { title: Pi, site: torre, source: { kind: host } }
"""


def deploy(base: str) -> None:
    """A hub and a node, fresh, with everything that `base` needs."""
    site = _program(base)
    secret = {each: secrets.token_urlsafe(18) for each in ("h-hub", "k-hub", "n-torre", "p-ana")}
    _authority()
    for name, address in ((HUB, HUB_ADDRESS), (NODE, NODE_ADDRESS)):
        machine.down(name)
        machine.up(
            name, address, base=f"{base}+chrony+mosquitto", prepare=lambda each: _install(each, site),
            small={"/var/lib/ayni": "32M"},
        )  # fmt: skip
    _set_up_hub(secret)
    _set_up_node(secret)


def _program(base: str) -> Path:
    """What pip would put into a venv there: our packages as they are now; what they need is fetched once."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needs = [
        *project["dependencies"],
        *(one for each in _EXTRAS for one in project["optional-dependencies"][each]),
    ]
    version = {"bookworm": "3.11", "trixie": "3.13"}[base]
    mark = hashlib.sha256(repr((needs, version)).encode()).hexdigest()[:12]
    kept = CACHE / "trial" / f"{base}-{mark}"
    if not kept.is_dir():
        half = kept.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        pip = (ROOT / ".venv/bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check")
        call(*pip, "install", "--no-compile", "--target", half, "--only-binary=:all:",
             "--python-version", version, "--implementation", "cp", *needs)  # fmt: skip
        half.rename(kept)
    place = LIVING / f"site-{base}"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(kept, place)
    for package in _PACKAGES:
        target = place / Path(package).name
        shutil.copytree(ROOT / package, target, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "configs", place / "ayni_io/_configs")
    return place


def _install(name: str, site: Path) -> None:
    """Before the first boot: the program, the units, the users."""
    files = machine.root(name)
    library = files / "opt/ayni/trial/lib"
    shutil.copytree(site, library)
    program = files / "opt/ayni/trial/bin/ayni"
    program.parent.mkdir(parents=True)
    program.write_text(
        "#!/usr/bin/python3 -sP\nimport sys\nsys.path.insert(0, '/opt/ayni/trial/lib')\n"
        "from ayni_io.cli import main\nsys.exit(main())\n"
    )
    program.chmod(0o755)
    (files / "opt/ayni/current").symlink_to("trial")
    (files / "usr/local/bin/ayni").symlink_to("/opt/ayni/current/bin/ayni")
    units = files / "etc/systemd/system"
    for unit in _UNITS:
        shutil.copy(ROOT / unit, units)
    for source, place in (
        ("agent/ayni.sysusers.conf", "usr/lib/sysusers.d/ayni.conf"),
        ("agent/ayni.sysctl.conf", "etc/sysctl.d/60-ayni.conf"),
        ("deploy/systemd/ayni.tmpfiles.conf", "usr/lib/tmpfiles.d/ayni.conf"),
        ("deploy/systemd/journald.conf", "etc/systemd/journald.conf.d/60-ayni.conf"),
        ("deploy/systemd/watchdog.conf", "etc/systemd/system.conf.d/60-ayni.conf"),
        ("deploy/systemd/var-log.mount", "etc/systemd/system/var-log.mount"),
        ("deploy/systemd/tmp.mount", "etc/systemd/system/tmp.mount"),
        ("deploy/systemd/ayni-card.tmpfiles.conf", "usr/lib/tmpfiles.d/ayni-card.conf"),
        ("deploy/systemd/mosquitto.conf", "etc/systemd/system/mosquitto.service.d/ayni.conf"),
    ):
        (files / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / source, files / place)
    if "trixie" in (files / "etc/os-release").read_text():
        for unit in ("ayni-", "mosquitto"):
            folder = units / f"{unit}.service.d"
            folder.mkdir(exist_ok=True)
            shutil.copy(ROOT / "deploy/systemd/growing-pauses.conf", folder)
    for mount in ("var-log.mount", "tmp.mount"):
        call("chroot", files, "systemctl", "enable", mount)
    for service in ("mosquitto", "chrony"):
        call("chroot", files, "systemctl", "disable", service, may_fail=True)
    (files / "opt/supply.py").write_text(_SUPPLY)
    (units / "supply.service").write_text(_SUPPLY_UNIT)


def _authority() -> None:
    """A certificate for the broker, by an authority of two days with all that Python 3.13 wants to see."""
    if (LIVING / "server.crt").exists():
        return
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    made = ("openssl", "req", "-x509", *curve, "-nodes", "-days", "2")
    call(*made, "-subj", "/CN=Trial CA", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
         "-keyout", LIVING / "ca.key", "-out", LIVING / "ca.crt")  # fmt: skip
    call(*made, "-subj", "/CN=hub", "-CA", LIVING / "ca.crt", "-CAkey", LIVING / "ca.key",
         "-addext", f"subjectAltName=IP:{HUB_ADDRESS}", "-addext", "basicConstraints=critical,CA:FALSE",
         "-keyout", LIVING / "server.key", "-out", LIVING / "server.crt")  # fmt: skip


def _put(name: str, path: str, text: str | bytes, mode: str = "640", owner: str = "root:ayni") -> None:
    """A file in a machine that runs."""
    content = text.encode() if isinstance(text, str) else text
    words = machine.words(
        name,
        [
            "sh",
            "-c",
            'mkdir -p "$(dirname "$1")" && umask 077 && cat >"$1" && chmod "$2" "$1" && chown "$3" "$1"',
            "sh",
            path,
            mode,
            owner,
        ],
    )
    done = subprocess.run(words, input=content, capture_output=True, check=False)
    if done.returncode:
        raise Trouble(f"{name}: {path}: {done.stderr.decode(errors='replace').strip()}")


def _set_up_hub(secret: dict[str, str]) -> None:
    _put(HUB, "/etc/ayni/network.yaml", NETWORK)
    _put(HUB, "/etc/ayni/ca.crt", (LIVING / "ca.crt").read_bytes(), "644")
    _put(HUB, "/etc/ayni/hub.yaml",
         "name: hub\nbroker: { username: h-hub, password: credential:h-hub }\n"
         "network: /etc/ayni/network.yaml\ndata_dir: /var/lib/ayni/hub\n"
         "accounts: { password: credential:k-hub }\n")  # fmt: skip
    for account in ("h-hub", "k-hub"):
        _put(HUB, f"/etc/ayni/secrets/{account}", secret[account], "600", "root:root")
    _put(HUB, "/etc/mosquitto/ayni/server.crt", (LIVING / "server.crt").read_bytes(), "640", "root:mosquitto")
    _put(HUB, "/etc/mosquitto/ayni/server.key", (LIVING / "server.key").read_bytes(), "640", "root:mosquitto")
    machine.told(HUB, "chmod", "755", "/etc/mosquitto/ayni")
    _put(
        HUB,
        "/etc/mosquitto/conf.d/ayni.conf",
        (ROOT / "deploy/mosquitto/ayni.conf").read_bytes(),
        "644",
        "root:root",
    )
    _put(HUB, "/root/passwords.json", json.dumps(secret), "600", "root:root")
    machine.told(HUB, "ayni", "hub", "accounts", "/etc/ayni/network.yaml", "--hub", "hub", "--dir",
                 "/root/accounts", "--passwords", "/root/passwords.json", "--seed",
                 "/var/lib/mosquitto/ayni-accounts.json")  # fmt: skip
    machine.told(HUB, "systemctl", "enable", "--now", "ayni-accounts-guard.path", "mosquitto")
    _put(HUB, "/etc/ayni/worker-uno.yaml",
         "name: uno\nrole: worker\nbuckets: [0-31]\nbroker: { username: w-uno, password: credential:h-hub }\n"
         "network: /etc/ayni/network.yaml\ndata_dir: /var/lib/ayni/uno\n")  # fmt: skip
    services = ("ayni-hub", "ayni-hub-worker@uno", "ayni-console-web")
    machine.told(HUB, "systemctl", "enable", "--now", "--no-block", *services)


def _set_up_node(secret: dict[str, str]) -> None:
    _put(NODE, "/etc/ayni/ca.crt", (LIVING / "ca.crt").read_bytes(), "644")
    _put(NODE, "/etc/ayni/secrets/n-torre", secret["n-torre"], "600", "root:root")
    _put(NODE, "/etc/ayni/agent.yaml",
         f"node: torre\nbroker: {{ host: {HUB_ADDRESS}, port: 8883, ca: /etc/ayni/ca.crt, username: n-torre, "
         "password: credential:n-torre }\npoll_s: 5\nflush_s: 10\n"
         "shutdown: { device: sol, below_v: 23.2, for_min: 2 }\ntraps: {}\ndevices:\n"
         "  sol: { source: { kind: nut, address: '127.0.0.1:3493', ups: sol } }\n"
         "  pi: { source: { kind: host } }\n")  # fmt: skip
    machine.told(
        NODE, "systemctl", "enable", "--now", "supply", "ayni-poweroff.path", "ayni-agent-traps.socket"
    )
    machine.told(NODE, "systemctl", "enable", "--now", "--no-block", "ayni-agent")
