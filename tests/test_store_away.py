"""A store on a server that is killed, away, slow, or says what is not true: nothing is lost, and one clear
sentence says why nothing is taken."""

from __future__ import annotations

import http.server
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from parts import VictoriaMetrics, free_port, wait_until
from test_mqtt_client import NOW, YEAR, Authority
from test_store_contract import MODEL, QUICK, SIGNAL, START, report, settle_remote

from ayni_hub.remote import RemoteStore
from ayni_hub.remote.line_client import Access, LineClient
from ayni_hub.remote.marks import Times
from ayni_hub.remote.victoria import Victoria
from ayni_hub.store import StoreError
from ayni_io.secret import Secret

SECRET = "hunter2-and-more"
DAY = 86_400.0


def connected(url: str, *, answer_s: float = 5.0, **who: object) -> Victoria:
    access = Access(kind="victoriametrics", url=url, connect_s=1.0, answer_s=answer_s, **who)  # type: ignore[arg-type]
    return Victoria(LineClient(access), url, "ayni")


@contextmanager
def opened(
    folder: Path, server: Victoria, times: Times = QUICK, oldest_s: float = 0.0
) -> Iterator[RemoteStore]:
    with closing(RemoteStore(folder / "spool.db", server, times=times, oldest_s=oldest_s)) as store:
        yield store


@contextmanager
def pretender(
    answer: Callable[[http.server.BaseHTTPRequestHandler], None], tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Something that speaks HTTP and is no store."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer(self)

        def log_message(self, *_words: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"https://localhost:{server.server_port}" if tls else f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def says(
    status: int, body: bytes = b"", pause_s: float = 0.0
) -> Callable[[http.server.BaseHTTPRequestHandler], None]:
    def answer(asked: http.server.BaseHTTPRequestHandler) -> None:
        time.sleep(pause_s)
        asked.send_response(status)
        asked.send_header("Content-Length", str(len(body)))
        asked.end_headers()
        asked.wfile.write(body)

    return answer


def test_a_killed_server_gets_again_what_it_had_in_memory(tmp_path: Path) -> None:
    with VictoriaMetrics.running(tmp_path) as server:
        patient = Times(keep_s=2.0, settle_s=0.2, mark_every_s=1.0)
        with opened(tmp_path, connected(server.url), patient) as store:
            taken = 0
            for kill in range(3):
                for seq in range(taken, taken + 10):
                    store.keep([report(seq, "ap")])
                taken += 10
                wait_until(lambda: store.drain.waiting == 0, "all sent")
                server.stop(kill=True)
                if kill == 1:
                    time.sleep(1.5)  # long enough to be noticed, at other times it is not
                server.start()
                wait_until(lambda: _takes(store, server), "taking in again")
            settle_remote(store, server.show)
            expected = [(START + 60.0 * at, -60 - at % 7) for at in range(taken * 5)]
            assert store.raw("ap", SIGNAL, 0, 2e12) == expected
            steps = store.steps("ap", SIGNAL, START, START + 3 * DAY, 3600.0)
            assert len(steps) == 3


def _takes(store: RemoteStore, server: VictoriaMetrics | None = None) -> bool:
    if server is not None:
        server.show()
    try:
        store.probe(START)
    except StoreError:
        return False
    return True


def test_while_the_server_is_away_nothing_is_taken_and_then_again(tmp_path: Path) -> None:
    server = VictoriaMetrics(tmp_path)
    try:
        with opened(tmp_path, connected(server.url)) as store:
            with pytest.raises(
                StoreError, match=rf"victoriametrics at {server.url}: cannot be reached: .*refused"
            ):
                store.keep([report(0, "ap")])
            with pytest.raises(StoreError, match="cannot be reached"):
                store.probe(START)
            with pytest.raises(StoreError, match="cannot be reached"):
                store.raw("ap", SIGNAL, 0, 2e12)
            assert list(store.names("ap")) == [], "what was not taken left nothing"
            server.start()
            wait_until(lambda: _takes(store, server), "taking in")
            store.keep([report(0, "ap")])
            wait_until(lambda: store.drain.waiting == 0, "sent")
            server.stop()
            store.keep([report(1, "ap")])  # nobody knows yet
            wait_until(lambda: not _takes(store), "noticed")
            with pytest.raises(StoreError, match="cannot be reached"):
                store.keep([report(2, "ap")])
            assert {series: value for series, _at, value in store.latest("ap")}[MODEL] == "hAP ac²"
            server.start()
            wait_until(lambda: _takes(store, server), "taking in again")
            settle_remote(store, server.show)
            assert len(store.raw("ap", SIGNAL, 0, 2e12)) == 10
    finally:
        server.stop()


def test_what_waits_when_the_hub_is_killed_is_sent_after_its_start(tmp_path: Path) -> None:
    with VictoriaMetrics.running(tmp_path) as server:
        with opened(tmp_path, connected(server.url), Times(keep_s=60)) as store:
            store.keep([report(seq, "ap") for seq in range(10)])
        with opened(tmp_path, connected(server.url)) as store:
            assert len(store.raw("ap", SIGNAL, 0, 2e12)) == 50
            settle_remote(store, server.show)
            assert len(store.raw("ap", SIGNAL, 0, 2e12)) == 50


def test_too_old_for_the_server_is_told_and_holds_up_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        VictoriaMetrics.running(tmp_path, "-retentionPeriod=30d") as server,
        opened(tmp_path, connected(server.url), oldest_s=90 * DAY) as store,
    ):
        now = time.time()
        old = report(0, "old")
        store.keep([old, type(old)(old.frame, now, old.body)])
        fresh = report(1, "new")
        store.keep([type(fresh)(fresh.frame, now - 600, fresh.body)])

        def settled() -> bool:
            server.show()
            return not store.drain.held

        wait_until(settled, "settled")
        assert store.drain.refused == 20
        assert len(store.raw("new", SIGNAL, 0, 2e12)) == 5
        store.probe(now)
    assert "does not keep samples for 90 days: start it with a longer -retentionPeriod" in caplog.text
    assert "does not keep samples node=pi" in caplog.text
    assert "missing=20" in caplog.text


def test_a_server_that_keeps_repeats_is_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with (
        VictoriaMetrics.running(tmp_path, "-dedup.minScrapeInterval=0s") as server,
        opened(tmp_path, connected(server.url)) as store,
    ):
        for _ in range(2):
            store.keep([report(0, "ap")])
            settle_remote(store, server.show)
        wait_until(lambda: "keeps a sample that is sent twice as two" in caplog.text, "told")
        assert "-dedup.minScrapeInterval=1ms" in caplog.text
        assert len(store.raw("ap", SIGNAL, 0, 2e12)) == 5, "what is read has it once all the same"


def test_a_server_that_says_yes_to_everything_is_found_out(tmp_path: Path) -> None:
    quick = Times(keep_s=0.2, settle_s=0.05, missed_s=0.3, mark_every_s=5)
    with pretender(says(204)) as url, opened(tmp_path, connected(url), quick) as store:
        store.keep([report(0, "ap")])
        wait_until(lambda: not _takes(store), "found out")
        with pytest.raises(StoreError, match="says that it keeps samples, but they cannot be read back"):
            store.keep([report(1, "ap")])
        assert store.drain.held == 1, "what was taken waits"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (says(200, b"<html>welcome</html>"), "not an answer of it: '<html>welcome</html>'"),
        (says(200, b'{"metric":{}}'), "not an answer of it"),
        (
            says(200, b'{"metric":{"__name__":"a","device":"x"},"values":[1],"timestamps":[]}'),
            "not an answer of it",
        ),
        (says(200, b"[" * 100_000), "not an answer of it"),
        (says(401), r"refuses our token or password \(HTTP 401\)"),
        (says(403, b"no"), r"refuses our token or password \(HTTP 403\)"),
        (says(404, b"nothing"), r"nothing is there \(HTTP 404\)"),
        (says(500, b"disk \n full"), "answers HTTP 500: disk full"),
        (says(503), r"takes nothing now \(HTTP 503\)"),
        (says(301), "answers HTTP 301"),
        (says(200, b"", pause_s=1.0), "no answer within 0.3 s"),
    ],
)
def test_whatever_comes_back_becomes_one_sentence(
    answer: Callable[[http.server.BaseHTTPRequestHandler], None], sentence: str
) -> None:
    with pretender(answer) as url:
        server = connected(url, answer_s=0.3 if "0.3 s" in sentence else 30.0, token=Secret(SECRET))
        with pytest.raises(StoreError, match=sentence) as caught:
            list(server.read("ap", None, 0, 10))
            server.write(["a b=1 1"])
        assert "\n" not in str(caught.value)
        assert SECRET not in str(caught.value)
        assert len(str(caught.value)) < 400
        with pytest.raises(StoreError):
            server.count(["ap"], 0, 10)
            server.write(["a b=1 1"])
        server.close()


def test_nobody_there_is_one_sentence() -> None:
    server = connected(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(StoreError, match=r"writing to victoriametrics at .*: cannot be reached: .*refused$"):
        server.write(["a b=1 1"])
    server.close()


def test_a_password_opens_the_door_and_a_wrong_one_does_not(tmp_path: Path) -> None:
    with VictoriaMetrics.running(
        tmp_path, "-httpAuth.username=ayni", f"-httpAuth.password={SECRET}"
    ) as server:
        with opened(tmp_path, connected(server.url, username="ayni", password=Secret("wrong"))) as store:
            with pytest.raises(StoreError, match="refuses our token or password") as caught:
                store.keep([report(0, "ap")])
            assert "wrong" not in str(caught.value)
        with opened(tmp_path, connected(server.url, username="ayni", password=Secret(SECRET))) as store:
            store.keep([report(0, "ap")])
            wait_until(lambda: store.drain.waiting == 0, "sent")
            assert len(store.raw("ap", SIGNAL, 0, 2e12)) == 5


def test_more_than_the_server_takes_is_refused_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ayni_hub.remote.drain._MOST_BYTES", 1000)
    with (
        pretender(says(204, pause_s=0.5)) as url,
        opened(tmp_path, connected(url)) as store,
        pytest.raises(StoreError, match="takes samples in more slowly than they come"),
    ):
        for seq in range(100):
            store.keep([report(seq, "ap")])


def test_a_server_off_this_machine_must_have_the_right_certificate(tmp_path: Path) -> None:
    ours, other = Authority(tmp_path, "ours"), Authority(tmp_path, "other")
    ours.broker("store", begins=NOW - YEAR, ends=NOW + YEAR)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "store.crt", tmp_path / "store.key")
    with pretender(says(204), context) as url:
        for ca in (None, other.path):
            server = connected(url, token=Secret(SECRET), ca=ca)
            with pytest.raises(StoreError, match=r"cannot be reached: .*certificate verify failed") as caught:
                server.write(["a b=1 1"])
            assert "\n" not in str(caught.value)
        right = connected(url, token=Secret(SECRET), ca=ours.path)
        right.write(["a b=1 1"])
        with pytest.raises(StoreError, match="mismatch"):
            connected(url.replace("localhost", "127.0.0.1"), ca=ours.path).write(["a b=1 1"])


@pytest.mark.parametrize(
    ("who", "header"),
    [
        ({"token": Secret("abc")}, "Bearer abc"),
        ({"username": "ayni", "password": Secret("abc")}, "Basic YXluaTphYmM="),
        ({}, None),
    ],
)
def test_every_request_says_who_asks(who: dict[str, object], header: str | None) -> None:
    heard: list[str | None] = []

    def answer(asked: http.server.BaseHTTPRequestHandler) -> None:
        heard.append(asked.headers.get("Authorization"))
        says(200)(asked)

    with pretender(answer) as url:
        server = connected(url, **who)
        server.write(["a b=1 1"])
        assert list(server.read("ap", None, 0, 10)) == []
        server.close()
    assert heard == [header, header]
