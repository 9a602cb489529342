"""Probes against real peers on loopback: echo, a name server, a web server, programs."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dns.message
import dns.rrset
import pytest
from parts import free_port

from ayni_agent.eyes import Sight, prepare
from ayni_agent.eyes.probes import ProbesEye, open_eye
from ayni_core import sources
from ayni_core.readings import Series, Value
from ayni_core.schema import ConfigError, Faults, Fields
from ayni_core.sources.probes import Probes
from ayni_io import ping
from ayni_io.ping import Address

Found = dict[str, Value]


def probes(**each: dict[str, Any]) -> Probes:
    faults = Faults("agent.yaml")
    named = {name.replace("_", "-"): probe for name, probe in each.items()}
    source = sources.read(Fields({"kind": "probes", "probes": named}, "source", faults))
    faults.stop()
    assert isinstance(source, Probes)
    return source


def read(within_s: float = 10, **each: dict[str, Any]) -> dict[str, Found]:
    """By item: metric and value."""
    found = asyncio.run(ProbesEye(probes(**each), within_s).read())
    result: dict[str, Found] = {}
    for (group, item, metric), value in found.items():
        assert group == "ping"
        result.setdefault(item, {})[metric] = value
    return result


def script(path: Path, text: str) -> list[str]:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return [str(path)]


# ---- ping


def may_ping() -> bool:
    try:
        opened = ping._open(Address(socket.AF_INET, "127.0.0.1"))
    except (OSError, ping.PingError):
        return False
    if opened is not None:
        opened.close()
    return opened is not None


@pytest.mark.skipif(not may_ping(), reason="echo requests are not allowed here")
def test_ping_tells_loss_times_and_jitter() -> None:
    found = read(far={"what": "ping", "host": "127.0.0.1", "count": 4, "every_s": 0.05})["far"]
    assert (found["loss_pct"], found["probe_state"], found["probe_text"]) == (0.0, 0, None)
    best, mean, worst, jitter = (found[m] for m in ("rtt_best_ms", "rtt_ms", "rtt_worst_ms", "jitter_ms"))
    assert isinstance(best, float) and isinstance(mean, float) and isinstance(worst, float)
    assert 0 < best <= mean <= worst < 1000
    assert isinstance(jitter, float)


@pytest.mark.skipif(not may_ping(), reason="echo requests are not allowed here")
def test_ping_of_ipv6_and_side_by_side_do_not_mix_up(monkeypatch: Any) -> None:
    async def both() -> list[list[float | None]]:
        async def run(address: Address) -> list[float | None]:
            return [echo.ms async for echo in ping.ping(address, count=3, every_s=0.02)]

        ends = [Address(socket.AF_INET, "127.0.0.1"), Address(socket.AF_INET, "127.0.0.2")]
        if Path("/proc/net/if_inet6").exists() and "lo" in Path("/proc/net/if_inet6").read_text():
            ends.append(Address(socket.AF_INET6, "::1"))
        return list(await asyncio.gather(*map(run, ends)))

    for times in asyncio.run(both()):
        assert len(times) == 3 and None not in times


@pytest.mark.skipif(not may_ping(), reason="echo requests are not allowed here")
def test_requests_go_out_at_their_pace_though_no_answer_comes(monkeypatch: Any) -> None:
    """Ten lost answers cost one time-out, not ten."""
    monkeypatch.setattr(ping, "TIMEOUT_S", 0.3)
    monkeypatch.setattr(ping._Exchange, "receive", lambda _self, _count: asyncio.sleep(60))
    begun = time.monotonic()
    found = read(gone={"what": "ping", "host": "127.0.0.1", "count": 10, "every_s": 0.05})["gone"]
    assert time.monotonic() - begun < 2
    assert (found["loss_pct"], found["rtt_ms"], found["probe_state"]) == (100.0, None, 2)


def test_a_name_without_address_is_a_finding() -> None:
    found = read(gone={"what": "ping", "host": "no-such-host.invalid"})["gone"]
    assert (found["loss_pct"], found["probe_state"]) == (100.0, 2)
    assert found["probe_text"]


def test_where_we_may_not_ping_it_is_unknown_not_lost(monkeypatch: Any) -> None:
    monkeypatch.setattr(ping, "_open", lambda _address: None)
    monkeypatch.setattr(ping.shutil, "which", lambda *_a, **_k: None)
    found = read(far={"what": "ping", "host": "127.0.0.1"})["far"]
    assert (found["loss_pct"], found["probe_state"]) == (None, 3)


@pytest.mark.skipif(not may_ping(), reason="echo requests are not allowed here")
def test_what_a_ping_knows_counts_when_its_time_is_up(monkeypatch: Any) -> None:
    """At a quick pace of polls there is less time than for all requests to be lost."""
    monkeypatch.setattr(ping, "TIMEOUT_S", 0.2)
    monkeypatch.setattr(ping._Exchange, "receive", lambda _self, _count: asyncio.sleep(60))
    found = read(0.4, gone={"what": "ping", "host": "127.0.0.1", "count": 10, "every_s": 0.1})["gone"]
    assert (found["loss_pct"], found["probe_state"]) == (100.0, 2)


# ---- names


class NameServer(asyncio.DatagramProtocol):
    """Answers A for good.example, says no to others, and is silent for slow.example."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        question = dns.message.from_wire(data)
        name = str(question.question[0].name)
        answer = dns.message.make_response(question)
        if name == "slow.example.":
            return
        if name == "garbage.example.":
            self.transport.sendto(b"\0" * 3, addr)
            return
        if name == "good.example.":
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "10.1.2.3", "10.1.2.4"))
        else:
            answer.set_rcode(3)
        self.transport.sendto(answer.to_wire(), addr)


def ask_names(**each: dict[str, Any]) -> dict[str, Found]:
    async def work() -> dict[Series, Value]:
        loop = asyncio.get_running_loop()
        transport, _server = await loop.create_datagram_endpoint(NameServer, ("127.0.0.1", 0))
        port = transport.get_extra_info("sockname")[1]
        named = {
            name: {"what": "dns", "server": f"127.0.0.1:{port}", "timeout_s": 0.5} | probe
            for name, probe in each.items()
        }
        try:
            return await ProbesEye(probes(**named), 5).read()
        finally:
            transport.close()

    result: dict[str, Found] = {}
    for (_group, item, metric), value in asyncio.run(work()).items():
        result.setdefault(item, {})[metric] = value
    return result


def test_names_are_asked_of_the_server_that_is_named() -> None:
    found = ask_names(
        good={"name": "good.example"},
        same={"name": "good.example", "expected": ["10.1.2.4", "10.1.2.3"]},
        other={"name": "good.example", "expected": "10.9.9.9"},
        none={"name": "bad.example"},
        slow={"name": "slow.example"},
        garbage={"name": "garbage.example"},
        long={"name": "x" * 70},
    )
    states = {name: each["probe_state"] for name, each in found.items()}
    assert states == {"good": 0, "same": 0, "other": 2, "none": 2, "slow": 2, "garbage": 2, "long": 2}
    assert found["good"]["probe_text"] == "10.1.2.3, 10.1.2.4"
    assert isinstance(found["good"]["response_ms"], float)
    assert "expected 10.9.9.9" in str(found["other"]["probe_text"])
    assert "NXDOMAIN" in str(found["none"]["probe_text"])
    assert "no answer within 0.5 s" in str(found["slow"]["probe_text"])


def test_names_are_asked_as_this_machine_asks_them() -> None:
    found = read(me={"what": "dns", "name": "localhost"})["me"]
    assert (found["probe_state"], found["probe_text"]) == (0, "127.0.0.1")
    assert read(no={"what": "dns", "name": "no-such-host.invalid"})["no"]["probe_state"] == 2


# ---- pages


class Pages(BaseHTTPRequestHandler):
    """One page a way in which a page can be."""

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/good":
                self._say(200, "all is well")
            case "/moved":
                self._say(302, "", {"Location": "/good"})
            case "/circle":
                self._say(302, "", {"Location": "/circle"})
            case "/away":
                self._say(302, "", {"Location": "file:///etc/passwd"})
            case "/broken":
                self._say(500, "oh")
            case "/huge":
                self._say(200, "x" * 3_000_000)
            case "/drip":
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                for _ in range(100):
                    time.sleep(0.05)
                    self.wfile.write(b"X: y\r\n")
            case "/garbage":
                self.wfile.write(b"\0\1\2 what?\r\n\r\n")
            case _:
                self._say(404, "")

    def _say(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_words: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_words: Any) -> None:
            pass

    server = Quiet(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("page", "wants", "state", "status", "text"),
    [
        ("/good", {}, 0, 200, None),
        ("/good?a=1", {"contains": "well"}, 0, 200, None),
        ("/good", {"contains": "ill"}, 2, 200, 'does not contain "ill"'),
        ("/good", {"status": [301, 204]}, 2, 200, "status 200; expected 301, 204"),
        ("/moved", {"contains": "well"}, 0, 200, None),
        ("/circle", {}, 2, None, "sent on more than 5 times"),
        ("/away", {}, 2, None, "'file:///etc/passwd' is not an address of http"),
        ("/broken", {}, 2, 500, "status 500"),
        ("/none", {"status": 404}, 0, 404, None),
        ("/huge", {"contains": "x"}, 0, 200, None),
        ("/drip", {"timeout_s": 0.5}, 2, None, "no answer within 0.5 s"),
        ("/garbage", {}, 2, None, "does not speak HTTP"),
    ],
)
def test_pages(
    site: str, page: str, wants: dict[str, Any], state: int, status: int | None, text: str | None
) -> None:
    found = read(page={"what": "http", "url": site + page} | wants)["page"]
    assert (found["probe_state"], found["http_status"]) == (state, status)
    assert found["probe_text"] is None if text is None else text in str(found["probe_text"])


def test_nobody_there_is_a_finding_and_the_eye_goes_on(site: str) -> None:
    found = read(
        none={"what": "http", "url": f"http://127.0.0.1:{free_port()}/"},
        name={"what": "http", "url": "http://no-such-host.invalid/"},
        good={"what": "http", "url": f"{site}/good"},
    )
    assert {name: each["probe_state"] for name, each in found.items()} == {"none": 2, "name": 2, "good": 0}


# ---- plugins


def test_plugins_give_state_text_and_numbers(tmp_path: Path) -> None:
    found = read(
        disk={
            "what": "plugin",
            "command": script(tmp_path / "a", "echo \"DISK OK - fine | /=3MB;5;6 '/a b'=7%\""),
        },
        warn={"what": "plugin", "command": [*script(tmp_path / "b", 'echo "$1"; exit 1'), "; rm -rf / #"]},
        odd={"what": "plugin", "command": script(tmp_path / "c", "exit 77")},
        none={"what": "plugin", "command": [str(tmp_path / "missing")]},
    )
    assert found["disk"] == {"probe_state": 0, "probe_text": "DISK OK - fine"}
    assert found["disk//"] == {"perf_bytes": 3_000_000}
    assert found["disk//a b"] == {"perf_pct": 7}
    assert found["warn"] == {"probe_state": 1, "probe_text": "; rm -rf / #"}, "arguments meet no shell"
    assert found["odd"]["probe_state"] == 3 and "status 77" in str(found["odd"]["probe_text"])
    assert found["none"]["probe_state"] == 3 and "No such file" in str(found["none"]["probe_text"])


def test_a_plugin_sees_nothing_of_our_environment(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("AYNI_SECRET", "do-not-tell")
    found = read(env={"what": "plugin", "command": script(tmp_path / "a", "env | tr '\\n' ' '")})["env"]
    assert "LC_ALL" in str(found["probe_text"]) and "do-not-tell" not in str(found["probe_text"])


def test_a_plugin_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = script(tmp_path / "a", f"echo $$ >> {pids}; sleep 60 & echo $! >> {pids}; echo so far; wait")
    begun = time.monotonic()
    found = read(slow={"what": "plugin", "command": command, "timeout_s": 0.5})["slow"]
    assert time.monotonic() - begun < 5
    assert found == {"probe_state": 3, "probe_text": "it was not done within 0.5 s"}
    for pid in pids.read_text().split():
        assert gone(int(pid)), "a process of the group lives"


def test_a_plugin_that_leaves_a_child_behind_ends_at_once(tmp_path: Path) -> None:
    begun = time.monotonic()
    found = read(child={"what": "plugin", "command": script(tmp_path / "a", "sleep 60 & echo fine")})["child"]
    assert time.monotonic() - begun < 5
    assert found == {"probe_state": 0, "probe_text": "fine"}


def test_a_talkative_plugin_is_cut_and_ends(tmp_path: Path) -> None:
    found = read(
        talk={
            "what": "plugin",
            "command": script(tmp_path / "a", "head -c 3000000 /dev/zero | tr '\\0' x; exit 2"),
        }
    )["talk"]
    assert found["probe_state"] == 2 and found["probe_text"] == "x" * 255


def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


# ---- all together


def test_a_probe_that_takes_too_long_does_not_take_the_others_readings(tmp_path: Path) -> None:
    slow = script(tmp_path / "a", "sleep 60")
    quick = script(tmp_path / "b", "echo fine")
    found = read(
        0.6,
        slow={"what": "plugin", "command": slow, "timeout_s": 20},
        quick={"what": "plugin", "command": quick},
    )
    assert found["quick"] == {"probe_state": 0, "probe_text": "fine"}
    assert found["slow"]["probe_state"] == 3


@pytest.mark.parametrize(
    ("probe", "fault"),
    [
        ({"what": "pong"}, 'what: unknown value "pong"; did you mean "ping"?'),
        (
            {"what": "ping", "host": "a", "count": 50, "every_s": 5},
            "50 requests every 5 s take more than 20 s",
        ),
        ({"what": "dns", "name": "a", "server": "ns.example"}, 'server: "ns.example" does not have the form'),
        ({"what": "dns", "name": "a", "type": "MX"}, 'type: unknown value "MX"'),
        ({"what": "http", "url": "ftp://x"}, 'url: "ftp://x" does not have the form'),
        ({"what": "http", "url": "http://user:secret@x/"}, "does not have the form"),
        ({"what": "http", "url": "http://x", "status": 99}, "status: expected a number of 100 to 599"),
        ({"what": "plugin", "command": "check_disk -w 5%"}, "command: expected a list"),
        ({"what": "plugin", "command": ["check_disk"]}, '"check_disk" must be a whole path'),
    ],
)
def test_what_is_wrong_with_a_probe_is_told(probe: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        probes(x=probe)
    assert fault in str(caught.value)


def test_the_sight_gives_the_eye_its_patience() -> None:
    sight = prepare(probes(x={"what": "dns", "name": "a"}), "agent.yaml")
    assert sight == Sight(sight.source, patience_s=5.0)
    assert isinstance(open_eye(sight), ProbesEye)


def test_what_a_probe_does_not_use_is_not_loaded() -> None:
    """paho would take in dnspython wherever it is installed: 4 MB of an agent that asks no name server."""
    code = (
        "import sys, ayni_agent.command_run, ayni_agent.eyes.probes;"
        "print([name for name in ('dns', 'icmplib', 'pysnmp') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
