"""`scripts/machines units`: the units of this checkout on real machines, without Ansible and without a
bundle.

A hub with its broker and a node are booted and given what an installation gives (`trial_install`); then
everything is tried that a unit promises (`unit_checks`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import machine
import trial_install
import unit_checks as checks
from places import Trouble, say
from trial_install import HUB, NODE


def run(base: str = "bookworm", only: str = "", *, again: bool = False) -> None:
    """All of it, with a line for each check; `again`: on the machines that are there. Raises `Trouble` at the
    first that fails."""
    if not again:
        trial_install.deploy(base)
    for label, check in _checks():
        if only and only not in label:
            continue
        began_s = time.monotonic()
        told = check()
        say(
            f"ok  {label}"
            + (f": {told:.1f} s" if isinstance(told, float) else "")
            + f"  [{time.monotonic() - began_s:.1f} s]"
        )


def _checks() -> list[tuple[str, Callable[[], float | int | None]]]:
    hub, agent, broker = "ayni-hub.service", "ayni-agent.service", "mosquitto.service"
    web = "ayni-console-web.service"
    return [
        ("hub ready", lambda: checks.active(HUB, hub)),
        ("agent ready", lambda: checks.active(NODE, agent)),
        ("broker ready", lambda: checks.active(HUB, broker)),
        ("reports arrive over TLS", arrives),
        ("hub has its secrets", lambda: checks.credentials(HUB, hub)),
        ("agent has its secrets", lambda: checks.credentials(NODE, agent)),
        *((f"{unit} has no rights", lambda name=name, unit=unit: checks.sandbox(name, unit))
          for name, unit in ((HUB, hub), (NODE, agent), (HUB, broker))),
        ("agent writes only to its folders", lambda: checks.writes_only(NODE, agent, "/var/lib/ayni/agent")),
        ("hub writes only to its folders", lambda: checks.writes_only(HUB, hub, "/var/lib/ayni/hub")),
        ("broker writes only to its folders", lambda: checks.writes_only(HUB, broker, "/var/lib/mosquitto")),
        ("broker writes no log to the card", _broker_log),
        ("agent comes back after SIGKILL", lambda: checks.comes_back(NODE, agent, "KILL", 40)),
        ("hub comes back after SIGKILL", lambda: checks.comes_back(HUB, hub, "KILL", 40)),
        ("broker comes back after SIGKILL", lambda: checks.comes_back(HUB, broker, "KILL", 40)),
        ("watchdog frees a hanging agent", lambda: checks.watchdog(NODE, agent)),
        ("watchdog frees a hanging hub", lambda: checks.watchdog(HUB, hub)),
        ("reports arrive again", arrives),
        ("agent comes by itself after a reboot", lambda: checks.reboot(NODE, agent)),
        ("agent keeps its state over a power cut",
         lambda: checks.survives(NODE, agent, "/var/lib/ayni/agent/agent.sqlite", machine.powercut)),
        ("hub keeps its state over a power cut",
         lambda: checks.survives(HUB, hub, "/var/lib/ayni/hub/ledger.db", machine.powercut)),
        ("reports arrive after all that", arrives),
        ("half a file of accounts is put back", _half_a_file),
        ("worker ready", lambda: checks.active(HUB, "ayni-hub-worker@uno.service")),
        ("console in a browser ready", lambda: checks.active(HUB, web)),
        ("console in a browser has no rights", lambda: checks.sandbox(HUB, web)),
        ("console in a browser answers", _page),
        ("watchdog frees a hanging console in a browser", lambda: checks.watchdog(HUB, web)),
        ("traps come in on port 162", _traps),
        ("the agent may ping", _ping),
        ("a full disk ends nobody", lambda: checks.full_disk(NODE, agent, "/var/lib/ayni")),
        ("the agent lives on a root that forgets", _forgetful),
        ("reports arrive from there", arrives),
        ("a low battery switches the node off, and the hub knows why", _low_battery),
    ]  # fmt: skip


def arrives(within_s: float = 60.0) -> float:
    """A report of the node that is made from now on reaches the hub."""
    began = time.time()
    words = [
        "/opt/ayni/current/bin/ayni",
        "hub",
        "query",
        "latest",
        "pi",
        "--config",
        "/etc/ayni/hub.yaml",
        "--json",
    ]

    def there() -> bool:
        said = machine.told(HUB, *words, may_fail=True)
        return any(row > began for row in _times(said))

    return checks.wait("a new report at the hub", there, within_s)


def _times(said: str) -> list[float]:
    try:
        found = json.loads(said)
    except ValueError:
        return []
    rows = (
        found
        if isinstance(found, list)
        else next((each for each in found.values() if isinstance(each, list)), [])
    )
    return [
        float(row["at"]) for row in rows if isinstance(row, dict) and isinstance(row.get("at"), int | float)
    ]


def _broker_log() -> None:
    size = machine.told(HUB, "sh", "-c", "cat /var/log/mosquitto/mosquitto.log 2>/dev/null | wc -c").strip()
    if size != "0":
        raise Trouble(f"the broker's log: {size} bytes on the card; expected none")


def _half_a_file() -> None:
    """What a power cut in the middle of Mosquitto's writing leaves."""
    file = "/var/lib/mosquitto/ayni-accounts.json"
    machine.told(HUB, "touch", file)
    checks.wait("a good copy of the accounts", lambda: bool(machine.told(HUB, "find", f"{file}.good")))
    machine.told(HUB, "systemctl", "stop", "ayni-accounts-guard.path", "mosquitto")
    machine.told(HUB, "truncate", "--size=100", file)
    machine.told(HUB, "systemctl", "start", "ayni-accounts-guard.path", "mosquitto")
    arrives()


_ASK_PAGE = """
import urllib.error, urllib.request
try:
    urllib.request.urlopen("http://127.0.0.1:8047/")
except urllib.error.HTTPError as error:
    print(error.code)
"""
_ASK_EVENTS = """
import sqlite3
print(*sqlite3.connect("/var/lib/ayni/hub/ledger.db").execute("select * from event"))
"""


def _page() -> None:
    told = machine.told(HUB, "python3", "-c", _ASK_PAGE, may_fail=True)
    if "403" not in told:
        raise Trouble(
            f"the console in a browser does not answer: {told}{checks.log(HUB, 'ayni-console-web')}"
        )


def _traps() -> None:
    pid = checks.property_of(NODE, "ayni-agent.service", "MainPID")
    told = machine.told(NODE, "ss", "-Hulnp", "sport = :162")
    if f"pid={pid}," not in told:
        raise Trouble(f"port 162 is not the agent's: {told}\n{checks.log(NODE, 'ayni-agent')}")


def _ping() -> None:
    ask = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)"
    machine.told(NODE, "runuser", "-u", "ayni", "--", "python3", "-c", ask)


def _forgetful() -> float:
    """As with `overlayroot` on a card: what is not below /var/lib/ayni is as before after every boot."""
    machine.poweroff(NODE)
    machine.up(NODE, forgets=True)
    return checks.active(NODE, "ayni-agent.service")


def _low_battery() -> float:
    machine.told(NODE, "sh", "-c", "echo 23.0 >/run/volts")
    took_s = checks.goes_dark(NODE, 240)
    told = machine.told(HUB, "python3", "-c", _ASK_EVENTS)
    if "note.lights_out" not in told:
        raise Trouble(f"the hub was not told why the node is off\n{told[-1500:]}")
    machine.up(NODE)
    checks.active(NODE, "ayni-agent.service")
    return took_s
