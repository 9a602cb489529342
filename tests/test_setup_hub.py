"""A machine becomes a hub by hand: what is asked, what is written for whom; a second run changes nothing."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import parts
import pytest

from ayni_core import account_plan, machines
from ayni_core.schema import ConfigError
from ayni_core.wire import topics
from ayni_hub import config as hub_config
from ayni_hub.keys import command_setup
from ayni_io import broker, broker_look, files
from ayni_io.control import controlling
from ayni_io.mqtt import BrokerConfig
from ayni_io.secret import Secret

authority = pytest.importorskip("ayni_hub.pki.authority", exc_type=ImportError)
WORDS = "cuatro palabras que nadie adivina"


@pytest.fixture(autouse=True)
def all_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "_is_here", lambda _host: False)


def answering(*answers: str) -> Callable[[str], str]:
    left = list(answers)

    def ask(_question: str) -> str:
        return left.pop(0)

    return ask


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority that has signed for localhost already: making one takes a second and more."""
    folder = tmp_path_factory.mktemp("pki")
    made = authority.make("V", time.time(), "t1")
    certificate, key = authority.issue(made, ["localhost", "127.0.0.1"], time.time())
    (folder / "issued").mkdir()
    for name, text in (
        ("ca.crt", authority.to_pem(made.certificate)),
        ("issued/hub.crt", authority.to_pem(certificate)),
        ("issued/hub.key", authority.key_to_pem(key)),
    ):
        files.write_text(folder / name, text, mode=0o600)
    return folder


def set_up(tmp_path: Path, *words: str, ask: Callable[[str], str] | None = None) -> int:
    argv = ["--root", str(tmp_path / "root"), "--pki", str(tmp_path / "pki"), *words]  # a later one wins
    return command_setup.main(argv, ask or answering(), lambda _question: WORDS)


async def change_much(keeper: BrokerConfig) -> None:
    """Accounts come and go: with a memory_limit Mosquitto 2.0.11 would hang up on everybody from then on."""
    async with controlling(keeper) as control:
        for _ in range(3):
            step = account_plan.creation("n-a", topics.rights("n-a"))
            await control.ask(*step.with_password("x"))
            await control.ask(*account_plan.removal("n-a", await control.look()))


def everything(root: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(root)): (stat.S_IMODE(path.stat().st_mode), path.read_bytes())
        for path in root.rglob("*")
        if path.is_file()
    }


def test_three_answers_and_a_passphrase_make_a_hub_and_a_second_run_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set_up(tmp_path, ask=answering("Valle del Río", "localhost hub.lan", "torre-pi molino-pi")) == 0
    said = capsys.readouterr().out
    root = tmp_path / "root"
    found = everything(root)
    assert {name: mode for name, (mode, _text) in found.items()} == {
        "etc/ayni/network.yaml": 0o640,
        "etc/ayni/hub.yaml": 0o640,
        "etc/ayni/ca.crt": 0o644,
        "etc/ayni/secrets/h-hub": 0o600,
        "etc/ayni/secrets/k-hub": 0o600,
        "etc/mosquitto/ayni/server.crt": 0o644,
        "etc/mosquitto/ayni/server.key": 0o640,
        "etc/mosquitto/conf.d/ayni.conf": 0o644,
        "var/lib/mosquitto/ayni-accounts.json": 0o600,
    }
    assert stat.S_IMODE((root / "etc/ayni/secrets").stat().st_mode) == 0o700
    for name in found:
        assert f"written  {root / name}" in said
    assert "sudo ayni hub invite torre-pi" in said
    assert "take it away from here" in said
    secret = (root / "etc/ayni/secrets/k-hub").read_text().strip()
    assert secret not in said
    assert WORDS not in said
    assert set_up(tmp_path) == 0
    assert "nothing changed" in capsys.readouterr().out
    assert everything(root) == found


def test_the_broker_of_it_takes_the_hub_and_the_keeper_of_accounts_over_tls_too(
    tmp_path: Path, pki: Path
) -> None:
    parts.need("mosquitto")
    assert (
        set_up(tmp_path, "--pki", str(pki), "--title", "V", "--address", "localhost", "--node", "torre-pi")
        == 0
    )
    root = tmp_path / "root"
    plain, tls = broker.free_port(), broker.free_port()
    text = (root / "etc/mosquitto/conf.d/ayni.conf").read_text()
    for here, there in (
        ("listener 8883", f"listener {tls} 127.0.0.1"),
        ("listener 1883 ", f"listener {plain} "),
        ("/etc/mosquitto/", f"{root}/etc/mosquitto/"),
        ("/var/lib/mosquitto/", f"{root}/var/lib/mosquitto/"),
    ):
        assert here in text
        text = text.replace(here, there)
    if os.geteuid() == 0:
        text += "user root\n"  # the files of this test are root's
    files.write_text(tmp_path / "mosquitto.conf", text)
    program = broker.find_mosquitto()
    assert program is not None
    passwords = {path.name: path.read_text().strip() for path in (root / "etc/ayni/secrets").iterdir()}
    with parts.running([str(program.program), "-c", str(tmp_path / "mosquitto.conf")], tmp_path / "log"):
        for account in ("h-hub", "k-hub"):
            parts.wait_until(
                lambda account=account: broker.accepts("127.0.0.1", plain, account, passwords[account]),
                f"{account} is taken: {(tmp_path / 'log').read_text()[-300:]}",
            )
        broker_look.proves("localhost", tls, root / "etc/ayni/ca.crt", check_time=True)
        keeper = BrokerConfig(port=plain, username="k-hub", password=Secret(passwords["k-hub"]))
        asyncio.run(change_much(keeper))
        assert broker.accepts("127.0.0.1", plain, "h-hub", passwords["h-hub"]), "and it still takes everybody"
    config = hub_config.load(root / "etc/ayni/hub.yaml")
    assert config.accounts is not None
    assert (config.accounts.username, config.accounts.password) == ("k-hub", "credential:k-hub")
    assert (config.broker.host, config.broker.username) == ("127.0.0.1", "h-hub")
    accounts = json.loads((root / "var/lib/mosquitto/ayni-accounts.json").read_text())
    assert {each["username"] for each in accounts["clients"]} == {"h-hub", "k-hub"}
    assert any(row["topic"] == topics.CONTROL for role in accounts["roles"] for row in role["acls"])


def test_a_network_that_is_there_is_taken_over_and_its_secrets_are_asked_for(
    tmp_path: Path, pki: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network: dict[str, Any] = {
        "network": {"title": "Valle"},
        "hub": {"address": "hub.lan"},
        "sites": {"torre": {}},
        "nodes": {"torre-pi": {"site": "torre"}},
        "people": {"ana": {"role": "operator"}},
        "devices": {
            "ap": {"site": "torre", "node": "torre-pi", "address": "10.0.0.1", "community": "file:secrets/ap"}
        },
    }
    path = tmp_path / "network.yaml"
    path.write_text(json.dumps(network))
    assert set_up(tmp_path, str(path), "--pki", str(pki)) == 0
    said = capsys.readouterr().out
    assert "hub accounts /etc/ayni/network.yaml --apply" in said
    hub = tmp_path / "root/etc/ayni/hub.yaml"
    hub.write_text(hub.read_text() + "retain: {samples_days: 400}\n")
    network["nodes"]["rio-pi"] = {"site": "torre"}
    path.write_text(json.dumps(network))
    assert set_up(tmp_path, str(path), "--pki", str(pki)) == 0
    said = capsys.readouterr().out
    assert said.count("written ") == 1
    assert "sudo ayni hub invite rio-pi" in said
    assert "samples_days: 400" in hub.read_text(), "what somebody added to hub.yaml stays"


def test_a_certificate_that_was_made_on_a_laptop_is_installed_and_no_authority_is_made(
    tmp_path: Path, pki: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    basics = ["--title", "V", "--address", "localhost", "--node", "torre-pi"]
    brought = {"certificate": "issued/hub.crt", "key": "issued/hub.key", "ca": "ca.crt"}
    words = [word for name, path in brought.items() for word in (f"--{name}", str(pki / path))]
    argv = ["--root", str(tmp_path / "other"), "--pki", str(tmp_path / "none"), *basics]
    assert command_setup.main([*argv, *words], answering(), answering()) == 0
    assert not (tmp_path / "none").exists()
    installed = tmp_path / "other/etc/mosquitto/ayni/server.crt"
    assert installed.read_bytes() == (pki / "issued/hub.crt").read_bytes()
    words[words.index("--key") + 1] = str(pki / "ca.crt")
    capsys.readouterr()
    assert command_setup.main([*argv, *words], answering(), answering()) == 1
    assert "do not belong together" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command_setup.main([*argv, "--key", "x"])


def test_what_cannot_be_is_said_in_a_sentence_and_nothing_is_half_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set_up(tmp_path, ask=answering("", "hub.lan", "")) == 1
    assert "a network needs a name" in capsys.readouterr().err
    assert set_up(tmp_path, ask=answering("V", "hub.lan", "Torre!")) == 1
    assert '"Torre!": expected 1 to 48 of a-z' in capsys.readouterr().err
    assert set_up(tmp_path, ask=answering("V", "hub lan:99999", "")) == 1
    assert "the port must be 1 to 65535" in capsys.readouterr().err
    assert not (tmp_path / "root").exists()
    (tmp_path / "bare.yaml").write_text("network: {title: V}\nsites: {}\n")
    with pytest.raises(ConfigError, match=r"hub\.address"):
        set_up(tmp_path, str(tmp_path / "bare.yaml"))
    with pytest.raises(ConfigError, match="no such file"):
        set_up(tmp_path, str(tmp_path / "none.yaml"))
    (tmp_path / "list.yaml").write_text("- V\n")
    with pytest.raises(ConfigError, match="a mapping"):
        set_up(tmp_path, str(tmp_path / "list.yaml"))
    (tmp_path / "weak").write_text("short\n")
    words = ["--title", "V", "--address", "hub.lan", "--passphrase-file", str(tmp_path / "weak")]
    assert set_up(tmp_path, *words) == 1
    problem = capsys.readouterr().err
    assert "the passphrase is too weak" in problem
    assert "Traceback" not in problem
