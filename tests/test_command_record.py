"""`ayni agent record`: a whole device into a file, politely, bounded, masked, and readable again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import parts
import pytest

from ayni_agent import command_poll, command_record
from ayni_core.ber import encode_oid
from ayni_core.metrics import PRIVATE
from ayni_core.mibview import MibView
from ayni_core.snmp import GET_BULK, RESPONSE, Pdu, decode_request
from ayni_core.snmpfollow import read_after
from ayni_core.snmpread import BadAnswer, Pace
from ayni_core.snmprec import parse_snmprec

RADIO = """\
1.3.6.1.2.1.1.1.0|4|RouterOS RB951
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.14988.1
1.3.6.1.2.1.1.3.0|67|8640100
1.3.6.1.2.1.1.4.0|4|Maria Perez
1.3.6.1.2.1.1.5.0|4|torre-sur
1.3.6.1.2.1.2.1.0|2|2
1.3.6.1.2.1.2.2.1.2.1|4|ether1
1.3.6.1.2.1.2.2.1.2.2|4|wlan1
1.3.6.1.2.1.2.2.1.6.1|4x|000456ab43ba
1.3.6.1.2.1.2.2.1.7.1|2|1
1.3.6.1.2.1.2.2.1.8.1|2|1
1.3.6.1.2.1.2.2.1.10.1|65|4096
1.3.6.1.2.1.31.1.1.1.6.1|70|9999999999
1.3.6.1.2.1.31.1.1.1.18.1|4|to the Perez house
1.3.6.1.4.1.14988.1.1.1.1.1.2.2|66|150000000
1.3.6.1.4.1.14988.1.1.1.1.1.4.2|2|-63
1.3.6.1.4.1.14988.1.1.1.1.1.5.2|4|PerezNet
1.3.6.1.4.1.14988.1.1.1.1.1.6.2|4x|00156daabbcc
1.3.6.1.4.1.14988.1.1.3.8.0|2|241
1.3.6.1.4.1.14988.1.1.7.3.0|4|ABC123
"""


class Device:
    """A recording behind UDP on loopback, for any community; counts what it was asked."""

    def __init__(self, text: str, *, bulk: bool = True) -> None:
        self.view = MibView(parse_snmprec(text))
        self.asked = 0
        self.bulk = bulk
        self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.bind(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self.server.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                datagram, sender = self.server.recvfrom(65535)
            except OSError:
                return
            self.asked += 1
            request = decode_request(datagram)
            if request.pdu.kind == GET_BULK and not self.bulk:
                continue
            answer = self.view.answer(request, 1472)
            if answer is not None:
                self.server.sendto(answer, sender)


@pytest.fixture
def device() -> Iterator[Device]:
    made = Device(RADIO)
    yield made
    made.server.close()


def readings(words: list[str], capsys: pytest.CaptureFixture[str]) -> dict[tuple[str, str, str], Any]:
    assert command_poll.main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    return {(each["group"], each["item"], each["metric"]): each["value"] for each in found["readings"]}


MASKED = {"name", "if_alias", "if_mac", "ssid", "peer_mac", "radio_mac", "serial"}


@pytest.mark.parametrize("version", ["1", "2c"])
def test_what_was_recorded_reads_as_the_device_does_but_for_what_is_masked(
    device: Device, version: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "radio.snmprec"
    assert command_record.main([device.host, "-o", str(path), "--version", version, "--rate", "500"]) == 0
    said = capsys.readouterr()
    assert "hardware addresses" in said.out and "serial numbers" in said.out
    assert "objects, 0 s" in said.err
    text = path.read_text(encoding="utf-8")
    for secret in ("Perez", "torre-sur", "aabbcc", "ab43ba", "ABC123"):
        assert secret not in text
    live = readings([device.host, "--version", version], capsys)
    recorded = readings(["--recording", str(path), "--version", version], capsys)
    assert live.keys() == recorded.keys()
    same = {key for key in live if live[key] == recorded[key]}
    assert {key[2] for key in live.keys() - same} <= MASKED
    assert recorded["radio", "wlan1", "signal_dbm"] == -63
    assert (recorded["interface", "ether1", "if_mac"] or "").startswith("000456")


MOBILE_ROUTER = """\
1.3.6.1.2.1.1.1.0|4|Linux RUTX11
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.8072.3.2.10
1.3.6.1.2.1.1.3.0|67|8640100
1.3.6.1.4.1.48690.1.1.0|4|1100000001
1.3.6.1.4.1.48690.1.2.0|4|RUTX11
1.3.6.1.4.1.48690.1.3.0|4|RUTX11
1.3.6.1.4.1.48690.1.6.0|4|RUTX_R_00.07.00
1.3.6.1.4.1.48690.2.2.1.3.1|4|350000000000006
1.3.6.1.4.1.48690.2.2.1.7.1|4|350000000000006
1.3.6.1.4.1.48690.2.2.1.8.1|4|736010123456789
1.3.6.1.4.1.48690.2.2.1.12.1|2|-71
1.3.6.1.4.1.48690.2.2.1.27.1|4|89591010000000000012
1.3.6.1.4.1.48690.9.1.0|4|SIM of +591 70012345
"""


def test_a_mobile_router_tells_its_signal_and_not_whose_card_it_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """To whoever stands beside it and reads it, but neither to the hub nor in a recording."""
    device = Device(MOBILE_ROUTER)
    path = tmp_path / "router.snmprec"
    assert command_record.main([device.host, "-o", str(path), "--rate", "500"]) == 0
    capsys.readouterr()
    live = readings([device.host], capsys)
    assert live["radio", "modem 1", "rssi_dbm"] == -71
    recorded = readings(["--recording", str(path)], capsys)
    assert {key[2] for key in live if live[key] != recorded[key]} == {"serial", *PRIVATE}
    published = {key: value for key, value in live.items() if key[2] not in PRIVATE}
    told = f"{published}{path.read_text(encoding='utf-8')}"
    for number in ("350000000000006", "736010123456789", "89591010000000000012", "70012345"):
        assert number not in told


def test_unmasked_is_the_device_itself_for_its_owner_alone(device: Device, tmp_path: Path) -> None:
    path = tmp_path / "radio.snmprec"
    assert command_record.main([device.host, "-o", str(path), "--unmasked", "--rate", "500"]) == 0
    assert parse_snmprec(path.read_text(encoding="utf-8")) == parse_snmprec(RADIO)
    assert path.stat().st_mode & 0o777 == 0o600
    assert "NOT masked" in path.read_text(encoding="utf-8")


def test_a_file_that_is_there_stays_unless_forced(
    device: Device, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "radio.snmprec"
    path.write_text("mine\n", encoding="utf-8")
    assert command_record.main([device.host, "-o", str(path)]) == 2
    assert path.read_text(encoding="utf-8") == "mine\n"
    assert device.asked == 0, "it is said before the work"
    assert "--force" in capsys.readouterr().err
    assert command_record.main([device.host, "-o", str(path), "--force", "--rate", "500"]) == 0


def test_a_faulty_profile_of_ones_own_does_not_cost_the_walk(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own/profiles").mkdir(parents=True)
    (tmp_path / "own/profiles/mine.yaml").write_text("about: [\n", encoding="utf-8")
    monkeypatch.setenv("AYNI_CONFIGS", str(tmp_path / "own"))
    path = tmp_path / "radio.snmprec"
    assert command_record.main([device.host, "-o", str(path), "--rate", "500"]) == 0
    assert "Perez" not in path.read_text(encoding="utf-8")


def test_bounds_end_a_walk_and_the_file_says_so(
    device: Device, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "radio.snmprec"
    assert command_record.main([device.host, "-o", str(path), "--most", "5"]) == 1
    assert len(parse_snmprec(path.read_text(encoding="utf-8"))) == 5
    assert "PARTIAL" in path.read_text(encoding="utf-8")
    assert "PARTIAL" in capsys.readouterr().out


def test_a_device_is_not_asked_faster_than_told(device: Device, tmp_path: Path) -> None:
    began = time.monotonic()
    words = [device.host, "-o", str(tmp_path / "x.snmprec"), "--version", "1", "--rate", "25"]
    assert command_record.main(words) == 0
    assert device.asked == len(parse_snmprec(RADIO)), "v1: an object a request, no Counter64, and the end"
    assert time.monotonic() - began >= (device.asked - 1) / 25


def test_a_device_without_getbulk_is_walked_all_the_same(tmp_path: Path) -> None:
    device = Device(RADIO, bulk=False)
    path = tmp_path / "x.snmprec"
    words = [device.host, "-o", str(path), "--timeout", "0.2", "--retries", "1", "--rate", "500"]
    assert command_record.main(words) == 0
    assert len(parse_snmprec(path.read_text(encoding="utf-8"))) == len(parse_snmprec(RADIO))


def test_ctrl_c_keeps_what_was_read(device: Device, tmp_path: Path) -> None:
    path = tmp_path / "radio.snmprec"
    code = "import sys; from ayni_agent.command_record import main; sys.exit(main(sys.argv[1:]))"
    words = [device.host, "-o", str(path), "--version", "1", "--rate", "4"]
    with subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "AYNI_LANG": "en"},
    ) as process:  # fmt: skip
        parts.wait_until(lambda: device.asked >= 3, "the walk begins")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "PARTIAL: stopped by Ctrl+C" in out
    assert 2 <= len(parse_snmprec(path.read_text(encoding="utf-8"))) < 15


@pytest.mark.real("snmpd")
def test_net_snmp_is_recorded_whole(snmpd_port: int, tmp_path: Path) -> None:
    path = tmp_path / "this.snmprec"
    secret = tmp_path / "community"
    secret.write_text(parts.SNMPD_COMMUNITY.decode() + "\n", encoding="utf-8")
    words = [f"127.0.0.1:{snmpd_port}", "-o", str(path), "--community", f"@{secret}", "--rate", "500"]
    assert command_record.main([*words, "--most", "1500"]) in (0, 1)
    text = path.read_text(encoding="utf-8")
    assert len(parse_snmprec(text)) > 100
    for name in ("school-router", "mango", parts.SNMPD_COMMUNITY.decode()):
        assert name not in text


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["127.0.0.1:1", "-o", "x", "--timeout", "0.3", "--retries", "0"], 1, "nothing listens on that port"),
        (["-o", "x"], 2, "name a host"),
        (["10.1.2.3:snmp", "-o", "x"], 2, "the port must be a number"),
        (["10.1.2.3", "-o", "no-such-folder/x"], 2, "there is no folder no-such-folder"),
        (["10.1.2.3", "-o", "x", "--community", "@/no/such/file"], 2, "/no/such/file: cannot be read"),
    ],
)
def test_what_goes_wrong_is_one_sentence(
    words: list[str], status: int, sentence: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert command_record.main(words) == status
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_an_agent_that_goes_in_circles_ends_the_walk() -> None:
    start = encode_oid("1.3.6.1.2.1")
    view = MibView(parse_snmprec("1.3.6.1.2.1.1.1.0|2|1\n"))
    reading = read_after(start, Pace(version=1))
    next(reading)
    back = next(iter(view))
    with pytest.raises(BadAnswer, match="does not increase"):
        reading.send(Pdu(RESPONSE, 1, 0, 0, [back, back]))
