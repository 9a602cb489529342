"""The first talk of the console: a real terminal, real brokers, a sentence for each thing that is wrong."""

from __future__ import annotations

import contextlib
import errno
import http.server
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import parts
import pytest
from test_mqtt_client import NOW, YEAR, Authority, mosquitto
from tmux_screen import Screen

from ayni_console import command_console, no_way, options, trusting
from ayni_core.schema import ConfigError
from ayni_io import broker_look, connection
from ayni_io.broker_look import LookError
from ayni_io.connection import Connection
from ayni_io.mqtt import BrokerConfig
from ayni_io.mqtt_trouble import Trouble, Why, of_error
from ayni_io.secret import Secret

AYNI = [sys.executable, "-P", "-m", "ayni_io.cli"]
FAR = "127.0.0.2"
"""An address of this machine that the console takes for another machine."""


@contextlib.contextmanager
def broker(folder: Path, port: int, *lines: str, host: str = "127.0.0.1") -> Iterator[None]:
    """A Mosquitto that knows Ana, and nobody else."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    passwords = folder / "passwords"
    passwords.touch(mode=0o600)
    command = [parts.need("mosquitto_passwd"), "-b", str(passwords), "p-ana", "sesame"]
    subprocess.run(command, check=True, capture_output=True)
    # the helper has its own first listener on 127.0.0.1; another address is one more
    more = (f"listener {port} {host}",) if host != "127.0.0.1" else ()
    first = port if host == "127.0.0.1" else parts.free_port()
    with mosquitto(folder, first, "allow_anonymous false", f"password_file {passwords}", *more, *lines):
        yield


@pytest.fixture
def web() -> Iterator[int]:
    """Something on a port that is no broker; its port."""
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_a_newcomer_is_led_to_the_broker_and_never_asked_again(tmp_path: Path) -> None:
    port = parts.free_port()
    ca = Authority(tmp_path, "ca")
    tls = ca.broker("server", host="hub.lan", begins=NOW - YEAR, ends=NOW + YEAR)
    home = tmp_path / "home"
    home.mkdir()
    openssl = [parts.need("openssl"), "x509", "-noout", "-fingerprint", "-sha256", "-in", "server.crt"]
    told = subprocess.run(openssl, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    fingerprint = told.strip().partition("=")[2]

    with (
        broker(tmp_path / "broker", port, *tls),
        Screen.running([*AYNI, "console"], home, size=(80, 45)) as screen,
    ):
        screen.wait("Where is the broker")
        screen.type(f"localhost:{port}")
        shown = screen.wait("Are they the same")
        assert re.sub(r"\s+", "", fingerprint).replace(":", "") in re.sub(r"[\s:]+", "", shown)
        assert "for: hub.lan" in shown, "the name is another one; the fingerprint counts"
        screen.type("y")
        screen.wait("Your name there")
        screen.type("ana")
        screen.wait("Your password")
        screen.type("open it")
        screen.wait("wrong name or password")
        assert "open it" not in screen.text()
        assert not (home / ".config" / "ayni" / "console").exists(), "nothing is kept before it works"
        screen.wait(r"network.yaml \[ana\]:")
        screen.press("Enter")
        screen.wait(lambda text: text.count("Your password") == 2)
        screen.type("sesame")
        screen.wait("Enter opens the console", within_s=15)
        assert "the central is not there. The console goes on" in screen.text()
        screen.press("Enter")
        screen.wait("DO FIRST")
        screen.press("C-q")
        screen.wait(lambda _text: screen.ended())

        kept = home / ".config" / "ayni" / "console"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o700
        assert {path.name for path in kept.iterdir()} == {"connection.yaml", "password", "broker.pem"}
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in kept.iterdir())
        assert "sesame" not in (kept / "connection.yaml").read_text()

        with Screen.running([*AYNI, "console"], home) as again:
            again.wait("WAITING", within_s=15)
            again.press("C-q")
            again.wait(lambda _text: again.ended())
        with Screen.running([*AYNI, "console", "--forget"], home) as gone:
            gone.wait("Forgotten")
        assert not kept.exists()


def test_a_real_central_says_what_the_person_may_do(tmp_path: Path) -> None:
    parts.need("mosquitto")
    folder, home = tmp_path / "ayni", tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "AYNI_LANG": "en", "XDG_RUNTIME_DIR": str(tmp_path)}
    first = ("--network", "Red Uno", "--site", "Torre", "--name", "Ana", "--no-console", "--dir", str(folder))
    done = subprocess.run([*AYNI, "start", *first], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    try:
        port = json.loads((folder / "running.json").read_text())["port"]
        password = (folder / "secrets" / "p-ana").read_text().strip()
        with Screen.running([*AYNI, "console"], home) as screen:
            screen.wait("Where is the broker")
            screen.type(f"127.0.0.1:{port}")
            screen.wait("Your name there")
            screen.type("ana")
            screen.wait("Your password")
            screen.type(password)
            screen.wait("● Connected to Red Uno: 0 links.", within_s=15)
            assert "● Ana: you can look and act." in screen.text()
            screen.wait("Enter opens the console")
            screen.press("Enter")
            screen.wait(r"LIVE \d+s", within_s=15)
            screen.press("C-q")
            screen.wait(lambda _text: screen.ended())
    finally:
        subprocess.run([*AYNI, "stop", "--dir", str(folder)], capture_output=True, env=environment)


def test_each_thing_that_is_wrong_has_a_sentence_of_its_own(tmp_path: Path, web: int) -> None:
    plain, future, good = parts.free_port(), parts.free_port(), parts.free_port()
    nobody = parts.free_port()
    ca, other = Authority(tmp_path, "ca"), Authority(tmp_path, "other")
    tomorrow = ca.broker("future", host=FAR, begins=NOW + YEAR, ends=NOW + 2 * YEAR)
    elsewhere = ca.broker("elsewhere", host="hub.lan", begins=NOW - YEAR, ends=NOW + YEAR)
    (tmp_path / "none.pem").write_text("nothing")
    with (
        broker(tmp_path / "plain", plain, host=FAR),
        broker(tmp_path / "future", future, *tomorrow, host=FAR),
        broker(tmp_path / "good", good, *elsewhere, host=FAR),
        Screen.running([*AYNI, "console", "--connect"], tmp_path, size=(100, 100)) as screen,
    ):

        def says(typed: str, wanted: str, *, within_s: float = 12.0) -> None:
            asked = screen.text().count("Where is the broker")
            screen.type(typed)
            screen.wait(wanted, within_s=within_s)
            screen.wait(lambda text: text.count("Where is the broker") > asked, within_s=within_s)

        screen.wait("Where is the broker")
        says("hub lan:x", "That is no address")
        says(f"127.0.0.1:{nobody}", f"127.0.0.1:{nobody}: nothing listens there")
        says("hub.invalid", r"hub.invalid:8883: (no machine of that name is known|nobody answers who knows)")
        says(f"127.0.0.1:{web}", f"{web}: what listens there is no broker for MQTT")
        says(f"{FAR}:{plain}", f"{plain}: what listens there does not speak TLS")
        assert f"ssh -N -L 1883:127.0.0.1:{plain} {FAR}" in screen.text()
        screen.type(f"{FAR}:{future}")
        screen.wait("Its certificate is good from .* on, and here it is")
        shown = screen.wait("must make a new certificate|Go on all the same")
        if "Go on" in shown:
            screen.type("n")
        screen.type(f"{FAR}:{good}")
        screen.wait("Are they the same")
        for typed, wanted in (
            (str(other.path), "an authority signed its certificate that is not known"),
            (str(ca.path), "its certificate is for another name"),
            (str(tmp_path / "none.pem"), "That is no certificate"),
            (str(tmp_path / "gone.pem"), "There is no such file"),
        ):
            screen.type(typed)
            screen.wait(wanted)
        screen.type("n")
        screen.wait("somebody stands in between")
        screen.press("C-c")
        screen.wait("Nothing was kept")
    assert not (tmp_path / ".config").exists()


def test_what_is_wrong_can_be_said_of_everything_that_is_told_apart() -> None:
    for why in get_args(Why):
        said = no_way.sentence(Trouble(kind="network", text="the text", why=why), "hub.lan:8883")
        assert said == "the text" if not why else said.startswith("hub.lan:8883: "), why
        assert no_way.advice(why) or why in ("", "other_version", "client_name", "banned")


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (TimeoutError(), "no_answer"),
        (ConnectionRefusedError(), "nothing_listens"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "no_route"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "no_route"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "no_name"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "no_name_server"),
        (ConnectionResetError(), "hung_up"),
    ],
)
def test_errors_of_the_network_are_told_apart(error: Exception, why: str) -> None:
    assert of_error(error, "broker x").why == why


def test_without_any_network_it_says_that_no_way_leads_there() -> None:
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rn", "true"]).returncode:
        pytest.skip("no network of its own may be made here")
    look = (
        "from ayni_io import broker_look\ntry:\n broker_look.listens('192.0.2.1', 8883)\n"
        "except broker_look.LookError as error:\n print(error.trouble.why)"
    )
    done = subprocess.run(
        ["unshare", "-rn", sys.executable, "-c", look], capture_output=True, text=True, timeout=20
    )
    assert done.stdout.strip() == "no_route", done.stderr


def test_the_certificate_is_read_before_anybody_trusts_it(tmp_path: Path) -> None:
    port = parts.free_port()
    ca = Authority(tmp_path, "ca")
    with mosquitto(tmp_path, port, *ca.broker("s", host="hub.lan", begins=NOW - 2 * YEAR, ends=NOW - YEAR)):
        shown = broker_look.certificate("127.0.0.1", port)
        broker_look.speaks_mqtt("127.0.0.1", port, tls=True)
        with pytest.raises(LookError) as without:
            broker_look.speaks_mqtt("127.0.0.1", port, tls=False)
    assert without.value.trouble.why == "no_mqtt"
    assert shown.names == ("hub.lan",)
    assert shown.issuer == "ca"
    assert not shown.public
    assert shown.ends is not None
    assert abs(shown.ends - (NOW - YEAR).timestamp()) < 2
    assert not trusting.in_time(shown, NOW.timestamp())
    assert trusting.in_time(shown, (NOW - 1.5 * YEAR).timestamp())


def test_what_was_kept_counts_until_the_command_line_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("AYNI_PASSWORD", raising=False)
    nothing = command_console.parser().parse_args([])
    assert options.is_first_time(nothing)
    assert options.broker_of(nothing, "x").host == "127.0.0.1"
    assert "--connect" in options.hint(nothing)

    here = BrokerConfig(port=4711, username="p-rosa", password=Secret("abc"))
    (tmp_path / "data" / "ayni" / "secrets").mkdir(parents=True)
    secret = tmp_path / "data" / "ayni" / "secrets" / "p-rosa"
    secret.write_text("abc\n")
    path = connection.of_this_machine() / connection.NAME
    connection.write(path, Connection(user="rosa", broker=here), ca=None, password=secret)
    assert options.user_of(nothing) == "rosa", "the network that ayni start runs here"
    assert options.broker_of(nothing, "rosa").port == 4711

    far = BrokerConfig(
        host="hub.lan", port=8883, username="p-ana", password=Secret("sesame"), exact=True, ca=Path("/x")
    )
    connection.keep(Connection(user="ana", broker=far), connection.folder(), certificate="pem")
    kept = options.broker_of(nothing, options.user_of(nothing))
    assert (kept.host, kept.username, kept.exact) == ("hub.lan", "p-ana", True)
    assert kept.password is not None
    assert kept.password.reveal() == "sesame"
    assert kept.ca == connection.folder() / "broker.pem"
    assert not options.is_first_time(nothing)
    assert options.hint(nothing) == ""

    other = command_console.parser().parse_args(["--user", "luz"])
    assert options.broker_of(other, options.user_of(other)).password is None, "Ana's is not Luz's"
    elsewhere = command_console.parser().parse_args(["--broker", "10.0.0.1"])
    assert options.broker_of(elsewhere, "ana").username is None
    (connection.folder() / "password").unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        options.broker_of(nothing, "ana")
    assert connection.forget(connection.folder())
    assert not connection.forget(connection.folder())
    assert options.user_of(nothing) == "rosa"
