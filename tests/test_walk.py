"""The walk of an operator with three radios and a Pi: found, a card each, opened, added; then it runs.

Through a real terminal, with the real search, against devices that answer discovery first and SNMP only when
somebody did what the card says.
"""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import parts
import pytest

from ayni_core.discovery.found import FoundDevice
from ayni_hub import walk, walk_keys
from ayni_hub.adding import Credentials
from ayni_hub.home import Answers, Home

AYNI = [sys.executable, "-P", "-m", "ayni_io.cli"]
HERE = Path(__file__).parent


class Terminal:
    """A program behind a terminal of 80x24; `said` is what it wrote so far, without escape sequences."""

    def __init__(self, command: list[str], language: str) -> None:
        ours, theirs = pty.openpty()
        self._ours = ours
        self.said = ""
        environment = {**os.environ, "AYNI_LANG": language, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
        )
        os.close(theirs)

    def until(self, words: str, within_s: float = 40.0) -> str:
        """What was said from here until it says these words; they are taken away."""
        end = time.monotonic() + within_s
        while words not in self.said:
            if time.monotonic() > end:
                pytest.fail(f"{words!r} did not come; it said: {self.said[-1500:]}")
            ready, _w, _e = select.select([self._ours], [], [], 0.1)
            if ready:
                try:
                    data = os.read(self._ours, 65536).decode("utf-8", "replace")
                except OSError:  # it ended
                    data = ""
                    if self.process.poll() is not None and words not in self.said:
                        pytest.fail(f"{words!r} did not come before it ended: {self.said[-1500:]}")
                self.said += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", data).replace("\r", "")
        before, _found, self.said = self.said.partition(words)
        return before

    def type(self, line: str) -> None:
        os.write(self._ours, (line + "\n").encode())

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        os.close(self._ours)


@pytest.fixture
def ports() -> tuple[int, int, int]:
    return tuple(parts.free_port(socket.SOCK_DGRAM) for _each in range(3))  # type: ignore[return-value]


def stands(address: str, port: int, within_s: float = 30.0) -> None:
    """Wait until somebody listens there for datagrams; nobody is disturbed by the question."""
    wanted = f"{socket.inet_aton(address)[::-1].hex().upper()}:{port:04X}"
    end = time.monotonic() + within_s
    while wanted not in Path("/proc/net/udp").read_text(encoding="ascii"):
        if time.monotonic() > end:
            pytest.fail(f"nobody listens at {address}:{port}")
        time.sleep(0.05)


@pytest.fixture
def village(tmp_path: Path, ports: tuple[int, int, int]) -> Iterator[Path]:
    """A router and two radios as programs; writing into file 0, 1 or 2 of the folder opens one."""
    folder = tmp_path / "village"
    folder.mkdir()
    running = []
    for at, (kind, name) in enumerate((("routeros", "torre"), ("airos", "Escuela"), ("airos", "Cerro"))):
        words = [sys.executable, str(HERE / "closed_device.py"), kind, f"127.0.0.{11 + at}", "--name", name]
        words += ["--open", str(folder / str(at)), "--ports", ",".join(map(str, ports))]
        running.append(subprocess.Popen(words, cwd=HERE))
    try:
        for at, port in enumerate((ports[1], ports[2], ports[2])):
            stands(f"127.0.0.{11 + at}", port)
        yield folder
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(5)


def test_three_devices_are_found_opened_by_their_cards_and_added(
    village: Path, ports: tuple[int, int, int], tmp_path: Path
) -> None:
    """One by version 3, one by a community, one is skipped; nothing secret stands in network.yaml."""
    home = Home(tmp_path / "home")
    home.begin(Answers(network="Uno", site="Torre", person="Ana"), language="es", host="pi")
    command = [
        *AYNI,
        "network",
        "discover",
        "127.0.0.11-13",
        "--dir",
        str(home.folder),
        "--for",
        "0",
        "--round",
        "0.5",
    ]
    command += ["--port", str(ports[0]), "--mndp-port", str(ports[1]), "--ubnt-port", str(ports[2])]
    terminal = Terminal(command, "en")
    try:
        headline = terminal.until("of them.", 40)
        assert "Found: RBD52G-5HacD2HnD, 2 LiteBeam 5AC Gen2" in headline
        terminal.until("Switch SNMP on there now? [Y/n/q]")
        terminal.type("")
        card = terminal.until("q: enough.")
        assert "addresses=127.0.0.1/32" in card
        terminal.type("")
        terminal.until("No answer yet.")
        flat = card.replace("\n", "")
        password = re.search(r'authentication-password="([a-z0-9-]{19})"', flat)
        assert password
        (village / "0").write_text("ayni not-that-password")
        terminal.until("It is there, but")
        (village / "0").write_text(f"ayni {password[1]}")
        terminal.until("● torre answers.")
        terminal.until("Add it?")
        terminal.type("")
        terminal.until("What is it called? [torre]")
        terminal.type("hAP de la torre")
        terminal.until("Where does it stand? [Torre]")
        terminal.type("")
        terminal.until("Added as hap-de-la-torre.")

        terminal.until("Switch SNMP on there now?")
        terminal.type("")
        card = terminal.until("q: enough.")
        community = re.search(r'Community\): "([a-z0-9-]{14})"', re.sub(r"\s+", " ", card))
        assert community
        assert community[1] not in password[1]
        (village / "1").write_text(community[1])
        terminal.until("● Escuela answers.")
        for question, answer in (("Add it?", "y"), ("called?", ""), ("stand?", "Escuela")):
            terminal.until(question)
            terminal.type(answer)
        terminal.until("Added as escuela.")

        terminal.until("Switch SNMP on there now?")
        (village / "2").write_text("of-old")
        terminal.type("y")
        terminal.until("q: enough.")
        stands("127.0.0.13", ports[0])
        for word, outcome in (("no-such", "No answer to that."), ("of-old", "● Cerro answers.")):
            terminal.type("c")
            terminal.until("you type):")
            terminal.type(word)
            terminal.until(outcome)
        terminal.until("Add it?")
        terminal.type("n")
        terminal.until("2 devices added.")
        assert terminal.process.wait(10) == 0
    finally:
        terminal.close()
    network = home.network()
    assert {
        (each.name, each.version, network.site_of(each.name).title)
        for each in network.devices.values()
        if each.source is None  # this machine itself
    } == {
        ("hap-de-la-torre", "3", "Torre"),
        ("escuela", "2c", "Escuela"),
    }
    text = home.network_path.read_text(encoding="utf-8")
    assert password[1] not in text
    assert community[1] not in text
    assert "of-old" not in terminal.said
    for path in (home.folder / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    # taken up again: only the one that is not in the network yet
    terminal = Terminal(command, "es")
    try:
        terminal.until("Cerro", 40)
        terminal.until("]")
        terminal.type("q")
        assert terminal.process.wait(10) == 1
    finally:
        terminal.close()
    assert len(home.network().devices) == 3


@pytest.mark.parametrize(
    ("devices", "words"),
    [
        ((("hAP", "closed"), ("LiteBeam", "closed"), ("LiteBeam", "denied")), "hAP, 2 LiteBeam; SNMP is off"),
        ((("hAP", "open"),), "Found: hAP; SNMP answers on all."),
    ],
)
def test_the_headline_counts_kinds(devices: tuple[tuple[str, str], ...], words: str) -> None:
    assert words in walk.headline([FoundDevice(model=model, snmp=snmp) for model, snmp in devices])


def test_secrets_of_a_walk_are_made_once_and_easy_to_type(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.begin(Answers(network="Uno", site="Torre", person="Ana"), language="es", host="pi")
    first = walk_keys.keys(home)
    assert walk_keys.keys(home).v2c.access.community == first.v2c.access.community
    community = first.v2c.access.community.decode()
    assert re.fullmatch(r"[a-hjkmnp-z2-9]{4}(-[a-hjkmnp-z2-9]{4}){2}", community)
    assert first.v3 is not None
    assert community not in repr(first)
    assert stat.S_IMODE((home.folder / "secrets" / "snmp-password").stat().st_mode) == 0o600


def test_a_device_whose_address_is_elsewhere_is_not_asked_but_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As it comes from the factory: heard on the cable, but in another network."""
    home = Home(tmp_path / "home")
    home.begin(Answers(network="Uno", site="Torre", person="Ana"), language="es", host="pi")
    fresh = FoundDevice(addresses=("203.0.113.20",), name="ubnt", model="LiteBeam", heard_by=("ubnt",))
    one = walk.Walk(home, port=161, searched=Credentials.community("2c", "public"), given=False)
    one.run([fresh])
    assert "none of this machine's networks" in capsys.readouterr().out
    assert one.added == 0


def test_the_first_start_offers_to_look_for_devices_and_takes_no_for_an_answer(tmp_path: Path) -> None:
    parts.need("mosquitto")
    folder = tmp_path / "home"
    terminal = Terminal([*AYNI, "start", "--no-console", "--dir", str(folder)], "en")
    try:
        for question, answer in (("called?", "Uno"), ("School)", "Torre"), ("name?", "Ana"), ("[Y/n]", "n")):
            terminal.until(question)
            terminal.type(answer)
        terminal.until("Add your first device: ayni network discover", 60)
        assert terminal.process.wait(10) == 0
    finally:
        terminal.close()
        subprocess.run([*AYNI, "stop", "--dir", str(folder)], capture_output=True, check=False)


def test_the_first_start_without_a_terminal_does_not_look_for_devices(tmp_path: Path) -> None:
    done = subprocess.run(
        [*AYNI, "start", "--network", "A", "--site", "B", "--name", "C", "--dir", "/proc/none"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "AYNI_LANG": "en"},
    )
    assert "Look for devices" not in done.stdout + done.stderr
