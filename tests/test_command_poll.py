"""`ayni agent poll`: one device once, for people and for programs, and one plain sentence where it cannot."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import in_process
import parts
import pytest

from ayni_agent import command_poll
from ayni_core.mibview import MibView
from ayni_core.schema import ConfigError
from ayni_core.snmp import decode_request
from ayni_core.snmprec import parse_snmprec

RADIO = """\
1.3.6.1.2.1.1.1.0|4|RouterOS RB951
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.14988.1
1.3.6.1.2.1.1.3.0|67|8640100
1.3.6.1.2.1.1.5.0|4|school
1.3.6.1.2.1.2.1.0|2|2
1.3.6.1.2.1.2.2.1.2.1|4|ether1
1.3.6.1.2.1.2.2.1.2.2|4|wlan1
1.3.6.1.2.1.2.2.1.5.1|66|1000000000
1.3.6.1.2.1.2.2.1.5.2|66|0
1.3.6.1.2.1.2.2.1.6.1|4x|000456ab43ba
1.3.6.1.2.1.2.2.1.7.1|2|1
1.3.6.1.2.1.2.2.1.7.2|2|2
1.3.6.1.2.1.2.2.1.8.1|2|1
1.3.6.1.2.1.2.2.1.8.2|2|2
1.3.6.1.2.1.2.2.1.10.1|65|4096
1.3.6.1.2.1.2.2.1.16.1|65|8192
1.3.6.1.4.1.14988.1.1.1.1.1.2.2|66|150000000
1.3.6.1.4.1.14988.1.1.1.1.1.4.2|2|-63
1.3.6.1.4.1.14988.1.1.1.1.1.9.2|65|0
1.3.6.1.4.1.14988.1.1.3.8.0|2|241
1.3.6.1.4.1.14988.1.1.7.3.0|4|ABC123
"""


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "radio.snmprec"
    path.write_text(RADIO, encoding="utf-8")
    return path


@pytest.fixture
def agent() -> Iterator[int]:
    """The same device behind UDP on loopback, for any community; yields its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        view = MibView(parse_snmprec(RADIO))

        def serve() -> None:
            while True:
                try:
                    datagram, sender = server.recvfrom(65535)
                except OSError:
                    return
                answer = view.answer(decode_request(datagram), 1472)
                if answer is not None:
                    server.sendto(answer, sender)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def run(*words: str, **environment: str) -> in_process.Run:
    return in_process.ayni("agent", "poll", *words, env=environment)


def reading(found: dict[str, Any], metric: str, item: str) -> dict[str, Any]:
    (one,) = [each for each in found["readings"] if (each["metric"], each["item"]) == (metric, item)]
    return one


def test_json_carries_family_system_ports_readings_and_cost(
    recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_poll.main(["--recording", str(recording), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["os"] == "routeros"
    assert found["system"]["model"] == "RB951"
    assert found["system"]["serial"] == "ABC123"
    ether, wlan = found["ports"]
    assert ether == {
        "index": 1,
        "name": "ether1",
        "oper": "up",
        "admin": "up",
        "speed_bps": 1000000000,
        "in_octets": 4096,
        "out_octets": 8192,
        "mac": "000456ab43ba",
    }
    assert (wlan["oper"], wlan["admin"], wlan["speed_bps"]) == ("down", "down", None)
    assert reading(found, "voltage_v", "") == {
        "group": "power",
        "item": "",
        "metric": "voltage_v",
        "value": 24.1,
        "unit": "V",
        "oid": "1.3.6.1.4.1.14988.1.1.3.8.0",
        "raw": 241,
    }
    assert reading(found, "signal_dbm", "wlan1")["value"] == -63
    ccq = reading(found, "ccq_pct", "wlan1")
    assert (ccq["value"], ccq["raw"]) == (None, 0)
    assert found["cost"]["pdus"] > 0


def test_people_get_a_table_with_units(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_poll.main(["--recording", str(recording)]) == 0
    text = capsys.readouterr().out
    for words in (
        "RB951",
        "ether1",
        "1 Gbit/s",
        "switched off",
        "-63 dBm",
        "24.1 V",
        "150 Mbit/s",
        "1 d 00:00:01",
    ):
        assert words in text


def test_an_unknown_device_is_read_by_the_standard_profile_and_it_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.snmprec"
    path.write_text("1.3.6.1.2.1.1.1.0|4|Thing\n1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.1\n", encoding="utf-8")
    assert command_poll.main(["--recording", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["os"] is None
    assert command_poll.main(["--recording", str(path)]) == 0
    assert "not known" in capsys.readouterr().out


@pytest.mark.parametrize("version", ["1", "2c"])
def test_a_device_over_udp(agent: int, version: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = [f"127.0.0.1:{agent}", "--community", "any", "--version", version, "--json"]
    assert command_poll.main(words) == 0
    assert json.loads(capsys.readouterr().out)["os"] == "routeros"


@pytest.mark.real("snmpd")
def test_net_snmp_is_read_with_the_community_of_a_file(
    snmpd_port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "community"
    secret.write_text(parts.SNMPD_COMMUNITY.decode() + "\n", encoding="utf-8")
    assert command_poll.main([f"127.0.0.1:{snmpd_port}", "--community", f"@{secret}", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["system"]["name"] == "school-router"
    assert {"lo"} <= {port["name"] for port in found["ports"]}


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["127.0.0.1:1", "--timeout", "0.3", "--retries", "0"], 1, "nothing listens on that port"),
        (["no-such-host.invalid", "--timeout", "1"], 1, "no-such-host.invalid"),
        (["10.1.2.3:snmp"], 2, "the port must be a number from 1 to 65535, got snmp"),
        (["10.1.2.3:99999"], 2, "the port must be a number"),
        (["[::1"], 2, "expected [address]:port"),
        ([], 2, "name a host, or a recording"),
        (["10.1.2.3", "--profile", "ruteros"], 2, 'unknown profile "ruteros"; did you mean "routeros"?'),
        (["10.1.2.3", "--community", "@/no/such/file"], 2, "/no/such/file: cannot be read"),
        (["--recording", "/no/such.snmprec"], 2, "/no/such.snmprec: cannot be read"),
        (["--recording", "/dev/null"], 1, "/dev/null: nothing was recorded"),
        (["--recording", "/dev/zero"], 2, "/dev/zero: too large for a recording"),
        (["10.1.2.3", "--timeout", "0"], 2, "must be more than 0"),
    ],
)
def test_what_goes_wrong_is_one_sentence(words: list[str], status: int, sentence: str) -> None:
    done = run(*words)
    assert done.returncode == status
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert sentence in done.stderr
    if "usage:" not in done.stderr:
        assert done.stderr.count("\n") == 1


def test_silence_names_its_usual_causes() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        done = run(host, "--timeout", "0.2", "--retries", "0")
    assert done.returncode == 1
    assert f"no answer from {host}: wrong community, SNMP off, or unreachable\n" in done.stderr


def test_a_file_that_is_no_recording_is_named(tmp_path: Path) -> None:
    path = tmp_path / "letter.snmprec"
    path.write_bytes(b"Dear all,\n\xff\xfe")
    done = run("--recording", str(path))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "is no recording: line 1" in done.stderr


def test_the_community_comes_from_the_environment_and_is_never_shown(agent: int) -> None:
    done = run(f"127.0.0.1:{agent}", AYNI_SNMP_COMMUNITY="s3cret-word")
    assert done.returncode == 0
    assert "s3cret" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.1.2.3", ("10.1.2.3", 161)),
        ("router.lan:1161", ("router.lan", 1161)),
        ("[::1]:161", ("::1", 161)),
        ("[fe80::1%eth0]", ("fe80::1%eth0", 161)),
        ("2001:db8::1", ("2001:db8::1", 161)),
    ],
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    assert command_poll.address(text) == expected


@pytest.mark.parametrize("text", ["", ":161", "host:", "host:0", "host:65536", "host:-1", "[::1]x", "[]:161"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ConfigError):
        command_poll.address(text)
