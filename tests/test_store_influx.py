"""InfluxDB 2 as its documentation describes it: what is asked, and what is made of the answers.

`data/influxdb-2.json` holds the exchange: each request as it has to be, and an answer of the form that the
documentation gives (docs.influxdata.com, "InfluxDB v2 API" and "Annotated CSV"); none of it was captured. A
real server is asked by `test_store_contract` where AYNI_TEST_INFLUX_URL names one.
"""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from ayni_core.readings import Series
from ayni_core.wire.frame import DevicePolls
from ayni_hub.remote.influx import Influx
from ayni_hub.remote.line_client import Access, LineClient
from ayni_hub.remote.lines import lines_of
from ayni_hub.remote.server import Found
from ayni_hub.store import Step, StoreError
from ayni_io.secret import Secret

RECORDED = json.loads((Path(__file__).parent / "data" / "influxdb-2.json").read_text(encoding="utf-8"))
START = 172_800_000_000
SIGNAL = Series("radio", 'wlan "0" \\${x}', "signal_dbm")
UPTIME = Series("system", "", "uptime_s")


class Player(http.server.BaseHTTPRequestHandler):
    """Answers from a recording; `asked` keeps what came."""

    asked: list[dict[str, Any]]
    answers: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        parts = urlsplit(self.path)
        said: dict[str, Any] = {
            "path": parts.path, "arguments": dict(parse_qsl(parts.query)),
            "authorization": self.headers.get("Authorization"),
        }  # fmt: skip
        if "json" in self.headers.get("Content-Type", ""):
            said["json"] = json.loads(body)
        else:
            said["text"] = body
        self.asked.append(said)
        answer = self.answers.pop(0)
        data = "\r\n".join(answer.get("lines", [])).encode()
        self.send_response(answer["status"])
        self.send_header("Content-Type", answer.get("type", "text/csv; charset=utf-8"))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_words: object) -> None:
        pass


@pytest.fixture
def played() -> Iterator[Callable[[str], tuple[Influx, list[dict[str, Any]]]]]:
    """Plays one part of the recording."""
    servers = []

    def play(part: str) -> tuple[Influx, list[dict[str, Any]]]:
        asked: list[dict[str, Any]] = []
        answers = [each["answer"] for each in RECORDED[part]]
        handler = type("Playing", (Player,), {"asked": asked, "answers": answers})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        access = Access(kind="influxdb", url=url, bucket="ayni", org="valle", token=Secret("t0ken"))
        return Influx(LineClient(access), url, "ayni"), asked

    yield play
    for server in servers:
        server.shutdown()
        server.server_close()


Played = Callable[[str], tuple[Influx, list[dict[str, Any]]]]


def test_lines_are_written_with_milliseconds_and_floats(played: Played) -> None:
    server, asked = played("write")
    polls = DevicePolls(times_s=[0.0, 60.0], values={SIGNAL: [-60, -61.5], UPTIME: [5, None]})
    server.write(list(lines_of("ap", polls, START)))
    assert asked == [each["request"] for each in RECORDED["write"]]


def test_samples_are_read_by_their_series(played: Played) -> None:
    server, asked = played("read")
    found = list(server.read("ap", (SIGNAL, UPTIME), START, START + 6001))
    assert asked == [each["request"] for each in RECORDED["read"]]
    assert found == [
        Found("ap", "radio_signal_dbm", SIGNAL.item, [(START, -60), (START + 6000, -61.5)]),
        Found("ap", "system_uptime_s", "", [(START, 5)]),
    ]


def test_samples_are_counted(played: Played) -> None:
    server, asked = played("count")
    assert server.count(["ap", "cpe"], START, START + 6000) == 3
    assert server.count(["ap"], START, START) == 0
    assert asked == [each["request"] for each in RECORDED["count"]]


def test_steps_begin_where_they_are_asked_to(played: Played) -> None:
    server, asked = played("steps")
    found = server.steps("ap", SIGNAL, START + 1000, START + 1000 + 720_000, 360_000)
    assert asked == [each["request"] for each in RECORDED["steps"]]
    assert found == [
        Step(START / 100 + 10, -66, -62.5, -60),
        Step(START / 100 + 3610, -70.25, -64, -61),
    ]


def test_points_that_are_too_old_do_not_hold_up_their_neighbours(played: Played) -> None:
    server, _asked = played("too old")
    server.write(["radio,device=ap signal_dbm=-60 1"])


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("wrong token", r"refuses our token or password \(HTTP 401\)"),
        ("no bucket", r'is the address right, and the bucket\? bucket "ayni" not found'),
        ("conflict", "answers HTTP 422: .*field type conflict"),
        ("busy", r"takes nothing now \(HTTP 503\)"),
    ],
)
def test_refusals_are_one_sentence(played: Played, part: str, sentence: str) -> None:
    server, _asked = played(part)
    with pytest.raises(StoreError, match=sentence) as caught:
        server.write(["radio,device=ap signal_dbm=-60 1"])
    assert "t0ken" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("part", ["error within", "garbage", "cut"])
def test_answers_that_make_no_sense_are_one_sentence(played: Played, part: str) -> None:
    server, _asked = played(part)
    with pytest.raises(StoreError, match="reading from influxdb at http"):
        list(server.read("ap", (UPTIME,), START, START + 6001))
