"""The way without Ansible: the commands of docs/deploying.md, as they stand there, on two bare machines.

The page has three blocks: what makes the bundles (its file is given here), what is typed at the central, and
at the monitor. What `ayni hub setup` asks is answered as on the page.
"""

from __future__ import annotations

import contextlib
import os
import pty
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import machine
from places import DESK, Trouble, inside

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "deploying.md"
SECTION = "By hand: one central, one monitor"
CENTRAL, MONITOR = ("central", "10.77.0.41"), ("torre", "10.77.0.42")
MOST_COMMANDS = 6
_STICK = "/media/stick"
_WITHIN_S = 900
_RADIO = ("10.77.0.13", "10.77.0.1")
"""The radio of the page, and the pretend one of this test: at the desk."""
_ANSWERS = {
    "assphrase": "long words for a test",
    "Again:": "long words for a test",
}
"""To what `setup` asks."""


def blocks(page: str, kind: str = "") -> list[str]:
    """What stands in the section's blocks of a kind, ``` or ```yaml."""
    found = re.search(rf"^## {SECTION}\n(.*?)(?=^## )", page, flags=re.MULTILINE | re.DOTALL)
    if found is None:
        raise Trouble(f'{PAGE.name} has no section "{SECTION}"')
    every = re.findall(r"^```(\w*)\n(.*?)^```$", found[1], flags=re.MULTILINE | re.DOTALL)
    return [text for its, text in every if its == kind]


def run(bundle: Path) -> str:
    """Do it all; what it took. Raises `Trouble` where a command of the page does not work."""
    page = PAGE.read_text(encoding="utf-8")
    _laptop, central, monitor = (block.splitlines() for block in blocks(page))
    (network,) = blocks(page, "yaml")
    typed = [*central, *monitor]
    if len(typed) > MOST_COMMANDS:
        raise Trouble(f"{len(typed)} commands, {MOST_COMMANDS} are allowed: {typed}")
    for name, address in (CENTRAL, MONITOR):
        machine.up(name, address)
        stick = machine.root(name) / _STICK.lstrip("/")
        stick.mkdir(parents=True, exist_ok=True)
        (stick / "network.yaml").write_text(network.replace(*_RADIO))
        (stick / "snmp").write_text("public\n")
        for command in typed:
            for file in re.findall(rf"{_STICK}/(\S+\.tar)", command):
                shutil.copy(bundle, stick / file)
    with _radio():
        return _typed(central, monitor)


def _typed(central: list[str], monitor: list[str]) -> str:
    began = time.monotonic()
    line = ""
    for command in central:
        told = _type(CENTRAL[0], command)
        line = next((word for word in told.split() if word.startswith("ayni1.")), line)
    if not line:
        raise Trouble("ayni hub invite printed no line that begins with ayni1.")
    for command in monitor:
        _type(MONITOR[0], command.replace("ayni1.…", line))
    _first_reading(began)
    return f"{len(central) + len(monitor)} commands, {(time.monotonic() - began) / 60:.1f} minutes"


@contextlib.contextmanager
def _radio() -> Iterator[None]:
    """A device that answers SNMP at the desk."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "snmpd.conf"
        config.write_text(f"agentaddress udp:{_RADIO[1]}:161\nrocommunity public\n")
        program = shutil.which("snmpd", path="/usr/sbin:/usr/bin:/sbin") or "snmpd"
        words = [program, "-f", "-Lf", f"{folder}/log", "-C", "-c", str(config), "-p", f"{folder}/pid"]
        environment = {**os.environ, "SNMP_PERSISTENT_DIR": folder}
        device = subprocess.Popen([*inside(DESK), *words], env=environment)
        try:
            yield
        finally:
            device.terminate()
            device.wait(10)


def _type(name: str, command: str) -> str:
    """What a command says at a terminal of the machine. A question ends in a blank, and is answered."""
    words = machine.words(name, ["sh", "-c", f"cd /root && {command}"])
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(words[0], words)
    said, asked = b"", 0
    while True:
        try:
            some = os.read(terminal, 4096)
        except OSError:  # how a terminal says that nobody is left at its other end
            some = b""
        if not some:
            break
        said += some
        if re.search(rb"[:?] $", said[asked:]):
            question = said[asked:].decode(errors="replace")
            asked = len(said)
            answer = next((answer for part, answer in _ANSWERS.items() if part in question), "")
            os.write(terminal, f"{answer}\n".encode())
    os.close(terminal)
    text = said.decode(errors="replace").replace("\r", "")
    if os.waitpid(child, 0)[1]:
        raise Trouble(f"{name}: {command}: {text.strip()[-600:]}")
    return text


def _first_reading(began: float) -> None:
    """What the monitor read of the radio is in the central's store."""
    asking = ("ayni", "hub", "query", "latest", "torre-radio", "--config", "/etc/ayni/hub.yaml", "--json")
    while time.monotonic() < began + _WITHIN_S:
        told = machine.told(CENTRAL[0], *asking, may_fail=True)
        if '"value"' in told:
            return
        time.sleep(2)
    log = machine.told(MONITOR[0], "journalctl", "-u", "ayni-agent", "-n", "5", "--no-pager", may_fail=True)
    raise Trouble(f"no reading of torre-radio at the central; its log: {log.strip()[-600:]}")
