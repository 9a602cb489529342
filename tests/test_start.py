"""`ayni start`, `stop` and `network`: a real small network on one machine, and growing it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import in_process
import parts
import pytest

from ayni_core import inventory
from ayni_core.slug import slug
from ayni_core.wire import topics
from ayni_core.wire.messages import DeviceView
from ayni_hub import memory_folder
from ayni_hub.home import Home
from ayni_io import yamledit, yamlfile
from ayni_io.local_broker import LocalBroker
from ayni_io.mqtt import BrokerConfig
from ayni_io.onlooker import Onlooker
from ayni_io.secret import Secret

AYNI = [sys.executable, "-P", "-m", "ayni_io.cli"]
FIRST = ("--network", "Red Ñandú", "--site", "Clínica", "--name", "José", "--no-console")


def ayni(folder: Path, *words: str, status: int | None = 0) -> str:
    """Run a command on a folder; what it printed."""
    done = subprocess.run(
        [*AYNI, *words, "--dir", str(folder)],
        capture_output=True,
        text=True,
        timeout=70,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "AYNI_LANG": "en", "XDG_RUNTIME_DIR": str(folder.parent)},
    )
    said = done.stdout + done.stderr
    assert "Traceback" not in said, said
    if status is not None:
        assert done.returncode == status, said
    return said


def quick(folder: Path, *words: str, status: int | None = 0) -> str:
    """The same in the test's own process: for what starts nothing."""
    run = in_process.ayni(*words, "--dir", str(folder), env={"XDG_RUNTIME_DIR": str(folder.parent)})
    said = run.stdout + run.stderr
    assert "Traceback" not in said, said
    if status is not None:
        assert run.returncode == status, said
    return said


def running(folder: Path) -> dict[str, int]:
    """Name and process of each part, the supervisor's as `roof`."""
    state = json.loads((folder / "running.json").read_text())
    return {"roof": state["pid"], **state["parts"]}


def is_alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    parts.need("mosquitto")
    home = tmp_path / "home"
    yield home
    if home.exists():
        quick(home, "stop", status=None)


def test_it_starts_once_says_what_runs_and_ends_without_a_trace(folder: Path) -> None:
    began = time.monotonic()
    said = ayni(folder, "start", *FIRST)
    assert time.monotonic() - began < 60, "a few seconds, where nothing else runs"
    assert "Add your first device" in said
    before = running(folder)
    assert {"broker", "hub", "agent"} <= set(before)
    assert all(is_alive(pid) for pid in before.values())
    status = quick(folder, "start", "--status")
    assert "Red Ñandú" in status
    assert "hub: runs" in status

    assert "runs already" in ayni(folder, "start", "--no-console")
    assert running(folder) == before, "a second start attaches"
    ayni(folder, "start", "--network", "Other", "--no-console", status=2)

    for secret in (folder / "secrets").iterdir():
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    text = (folder / "network.yaml").read_text()
    assert text.startswith("# Your network.")
    assert not any(secret.read_text().strip() in text for secret in (folder / "secrets").iterdir())

    assert "Stopped" in ayni(folder, "stop")
    assert not any(is_alive(pid) for pid in before.values())
    assert "Nothing runs" in quick(folder, "start", "--status", status=3)
    assert "Nothing runs" in quick(folder, "stop")

    secrets = {path.name: path.read_text() for path in (folder / "secrets").iterdir()}
    ayni(folder, "start", "--no-console")
    assert secrets == {path.name: path.read_text() for path in (folder / "secrets").iterdir()}
    assert (folder / "network.yaml").read_text() == text


def test_a_part_that_dies_comes_back_and_nothing_outlives_its_supervisor(folder: Path) -> None:
    ayni(folder, "start", *FIRST)
    before = running(folder)
    os.kill(before["hub"], signal.SIGKILL)
    parts.wait_until(lambda: running(folder).get("hub") not in (None, before["hub"]), "hub again")
    now = running(folder)
    assert now["broker"] == before["broker"]
    os.kill(now["roof"], signal.SIGKILL)
    parts.wait_until(lambda: not any(is_alive(pid) for pid in now.values()), "all dead")
    assert "Nothing runs" in quick(folder, "start", "--status", status=3)
    ayni(folder, "start", "--no-console")
    assert is_alive(running(folder)["hub"])


def test_a_device_that_is_added_is_polled_without_a_restart_by_hand(
    folder: Path, tmp_path: Path, snmpd_port: int
) -> None:
    ayni(folder, "start", *FIRST)
    community = tmp_path / "community"
    community.write_bytes(parts.SNMPD_COMMUNITY + b"\n")
    address = f"127.0.0.1:{snmpd_port}"
    add = ("network", "add", address, "--title", "Radio Torre", "--site", "Torre")
    said = ayni(folder, *add, "--community", f"@{community}")
    assert "Added radio-torre; it answers." in said
    assert "takes it in now" in said
    assert "is there already" in ayni(folder, *add, "--community", f"@{community}", status=2)

    state = json.loads((folder / "running.json").read_text())
    password = Secret((folder / "secrets" / "p-jose").read_text().strip())
    broker = BrokerConfig(port=state["port"], username="p-jose", password=password)
    topic = topics.net("device", "radio-torre")

    async def seen() -> bool:
        async with Onlooker(broker, topic) as eyes:

            def answers() -> bool:
                view = eyes.read(DeviceView, topic)
                return view is not None and view.state == "ok"

            return await eyes.until(answers, 60)

    assert asyncio.run(seen())


@pytest.fixture
def begun(folder: Path) -> Path:
    """A network that does not run."""
    from ayni_hub.home import Answers, Home

    answers = Answers(network="Uno", site="Escuela", person="Ana")
    Home(folder).begin(answers, language="es", host="pi")
    return folder


def broker_of(folder: Path) -> LocalBroker:
    return LocalBroker(kind="mosquitto", port=18830, protocol="5", secrets=folder / "secrets")


def test_what_network_yaml_says_of_links_and_brokers_stands_in_agent_yaml(begun: Path) -> None:
    home = Home(begun)
    text = home.network_path.read_text(encoding="utf-8")
    text = text.replace("nodes:\n  pi:\n", "nodes:\n  pi:\n    data_cap_mb_per_month: 90\n")
    home.network_path.write_text(
        text + "broker:\n  also: [hub.example]\n  ca: /etc/ca.pem\n", encoding="utf-8"
    )
    assert home.write_parts(broker_of(begun), home.settings(), home.network())
    agent = yamlfile.load(home.agent_config.read_text(encoding="utf-8"), "agent.yaml")[0]
    assert agent["data_cap_mb_per_month"] == 90
    assert (agent["broker"]["also"], agent["broker"]["also_ca"]) == (["hub.example"], "/etc/ca.pem")
    assert "ca" not in agent["broker"], "the broker on this machine has none"
    hub = yamlfile.load(home.hub_config.read_text(encoding="utf-8"), "hub.yaml")[0]
    assert "also" not in hub["broker"]


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        ("nothing", "shm"),
        ("ours", "shm"),
        ("open", "home"),
        ("link", "home"),
        ("file", "home"),
        ("run", "run"),
    ],
)
def test_the_open_report_is_kept_in_memory_where_nobody_else_can_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theirs: str, expected: str
) -> None:
    shared, run, home = tmp_path / "shm", tmp_path / "run", tmp_path / "home"
    for folder in (shared, run, home):
        folder.mkdir()
    monkeypatch.setattr(memory_folder, "SHARED", shared)
    monkeypatch.setattr(memory_folder, "RUN", run)
    for variable in ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(variable, raising=False)
    own = shared / f"ayni-{os.geteuid()}"
    match theirs:
        case "ours":
            own.mkdir(mode=0o700)
        case "open":
            own.mkdir()
            own.chmod(0o750)
        case "link":
            (tmp_path / "elsewhere").mkdir(mode=0o700)
            own.symlink_to(tmp_path / "elsewhere")
        case "file":
            own.touch()
        case "run":
            (run / str(os.geteuid())).mkdir(mode=0o700)
    found = Home(home).runtime_dir
    assert found.is_relative_to(tmp_path / expected)
    assert found == Home(home).runtime_dir
    if expected == "shm":
        assert stat.S_IMODE(own.stat().st_mode) == 0o700
        found.mkdir()
        memory_folder.leave(found)
        assert not own.exists()


def test_a_folder_in_memory_that_belongs_to_somebody_else_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_folder, "SHARED", tmp_path)
    monkeypatch.setattr(memory_folder, "RUN", tmp_path)
    for variable in ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(variable, raising=False)
    mine = os.geteuid()
    for name in (f"ayni-{mine + 1}", str(mine + 1)):
        (tmp_path / name).mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    assert memory_folder.find("x") is None


def test_growing_a_network_that_does_not_run(begun: Path, tmp_path: Path) -> None:
    community = tmp_path / "c"
    community.write_text("secret\n")
    for address, site in (("127.0.0.1:1", "Escuela"), ("127.0.0.1:2", "Torre Ñ")):
        said = quick(begun, "network", "add", address, "--site", site, "--community", f"@{community}")
        assert "does not answer yet" in said
        assert "takes it in" not in said
    names = [line.split()[0] for line in quick(begun, "network", "list").splitlines() if "127.0.0.1" in line]
    quick(begun, "network", "link", *names, "--expected-dbm", "-61")
    network = yamlfile.read(begun / "network.yaml", inventory.parse)
    (link,) = network.links.values()
    assert (link.name, link.title, link.b.expected_dbm) == ("escuela-torre-n", "Escuela-Torre Ñ", -61)
    assert "linked already" in quick(begun, "network", "link", *reversed(names), status=2)
    assert (begun / "secrets" / f"snmp-{names[0]}").read_text() == "secret\n"
    assert (begun / "network.yaml").read_text().startswith("# Your network.")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("network", "add", "10.0.0.1", "--community", "public"), "@FILE"),
        (("network", "add", "10.0.0.1"), "--community"),
        (("network", "add", "10.0.0.1:99999", "--community", "@/dev/null"), "1 to 65535"),
        (("network", "add", "10.0.0.1", "--profile", "routeross"), 'did you mean "routeros"?'),
        (("network", "link", "a", "b"), 'no device "a"'),
    ],
)
def test_a_mistake_is_told_in_a_line_and_changes_nothing(
    begun: Path, words: tuple[str, ...], hint: str
) -> None:
    before = (begun / "network.yaml").read_bytes()
    said = quick(begun, *words, status=2)
    assert hint in said
    assert len(said.strip().splitlines()) == 1
    assert (begun / "network.yaml").read_bytes() == before


def test_without_a_terminal_the_three_answers_must_be_given(tmp_path: Path) -> None:
    said = quick(tmp_path / "x", "start", "--network", "A", status=2)
    assert "--site and --name" in said
    assert not (tmp_path / "x").exists()


def test_a_network_with_faults_does_not_start_and_says_why(begun: Path) -> None:
    with (begun / "network.yaml").open("a") as file:
        file.write("nonsense: 1\n")
    assert "nonsense: unknown key" in ayni(begun, "start", "--no-console", status=2)


def test_check_names_every_fault_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "network.yaml"
    path.write_text("network: {title: A}\nsites:\n  a: {power: coal}\nnodes:\n  n: {site: b}\nnonsense: 1\n")
    done = in_process.ayni("network", "check", str(path))
    assert done.returncode == 2
    for hint in (":3: sites.a.power", ":5: nodes.n.site", ":6: nonsense"):
        assert hint in done.stderr
    good = in_process.ayni("network", "check", "configs/network.yaml", cwd=Path(__file__).parent.parent)
    assert (good.returncode, "15 devices" in good.stdout) == (0, True)


ENTRY = {"title": "Two", "site": "a"}
EDITS = {
    "a block with comments": (
        "# top\nsites:\n  a: {}  # here\n\n# devices of the mast\ndevices:\n    one:   # old\n"
        "        site: a\n\n# links\nlinks: {}\n",
        "# top\nsites:\n  a: {}  # here\n\n# devices of the mast\ndevices:\n    one:   # old\n"
        "        site: a\n    two:\n      title: Two\n      site: a\n\n# links\nlinks: {}\n",
    ),
    "an empty mapping": (
        "devices: {}  # none yet\nlinks: {}\n",
        "devices:   # none yet\n  two:\n    title: Two\n    site: a\nlinks: {}\n",
    ),
    "nothing below": ("devices:\nlinks: {}\n", "devices:\n  two:\n    title: Two\n    site: a\nlinks: {}\n"),
    "no such section": ("links: {}\n", "links: {}\n\ndevices:\n  two:\n    title: Two\n    site: a\n"),
    "a section in one line": (
        "# top\n\ndevices: {one: {site: a}}\n",
        "# top\n\ndevices:\n  one:\n    site: a\n  two:\n    title: Two\n    site: a\n",
    ),
}


@pytest.mark.parametrize("case", EDITS)
def test_an_entry_is_added_and_what_people_wrote_stays(case: str) -> None:
    before, after = EDITS[case]
    assert yamledit.insert(before, "devices", "two", ENTRY) == after


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Clínica San José", "clinica-san-jose"),
        ("  ", "x"),
        ("Ñandú / 2", "nandu-2"),
        ("北", "x"),
        ("a" * 60, "a" * 32),
        ("Torre", "torre-3"),
    ],
)
def test_titles_become_names(title: str, name: str) -> None:
    assert slug(title, "x", {"torre", "torre-2"}) == name
