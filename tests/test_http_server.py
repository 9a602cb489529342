"""The small web server: pages at paths, bounded, and telling nobody more than asked."""

from __future__ import annotations

import gzip
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from parts import free_port
from test_mqtt_client import NOW, YEAR, Authority

from ayni_core.schema import ConfigError, Faults, Fields
from ayni_io import http_server
from ayni_io.http_listen import Listen, read_listen
from ayni_io.http_server import BusyError, HttpServer, HttpServerError, Page, Reply, Request

HERE = "127.0.0.1"


def hello(request: Request) -> Reply:
    return Reply(kind="text/plain", body=f"hello {request.query.get('who', 'all')}".encode(), fresh_s=5)


def long(_request: Request) -> Reply:
    return Reply(kind="text/plain", body=(b"%d\n" % n * 100 for n in range(50)))


def busy(_request: Request) -> Reply:
    raise BusyError


def broken(_request: Request) -> Reply:
    raise ValueError("a secret of the inside")


def half(_request: Request) -> Reply:
    def pieces() -> Iterator[bytes]:
        yield b"one"
        raise ValueError("a secret of the inside")

    return Reply(kind="text/plain", body=pieces())


PAGES: dict[str, Page] = {"/hello": hello, "/long": long, "/busy": busy, "/broken": broken, "/half": half}


@contextmanager
def serving(pages: dict[str, Page] = PAGES, **options: Any) -> Iterator[HttpServer]:
    server = HttpServer(Listen(**{"host": HERE, "port": free_port(), **options}), pages)
    server.start()
    try:
        yield server
    finally:
        server.close()


def ask(
    server: HttpServer, path: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(HERE, server.port, timeout=10)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, named)
    answer = connection.getresponse()
    found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    connection.close()
    return found


def test_a_page_has_its_length_its_etag_and_nothing_that_tells_what_serves_it() -> None:
    with serving() as server:
        status, headers, body = ask(server, "/hello?who=Ana")
        assert (status, body) == (200, b"hello Ana")
        assert headers["content-length"] == "9"
        assert headers["cache-control"] == "private, max-age=5"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["server"] == "ayni"
        status, again, body = ask(server, "/hello?who=Ana", If_None_Match=headers["etag"])
        assert (status, body, again["etag"]) == (304, b"", headers["etag"])
        assert ask(server, "/hello?who=Eva")[1]["etag"] != headers["etag"]
        status, headers, body = ask(server, "/hello", "HEAD")
        assert (status, headers["content-length"], body) == (200, "9", b"")


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/", "GET", 404),
        ("/hello/", "GET", 404),
        ("/../etc/passwd", "GET", 404),
        ("/hello", "POST", 405),
        ("/hello", "DELETE", 405),
        ("/hello", "BREW", 501),
        ("/busy", "GET", 503),
        ("/broken", "GET", 500),
        ("/hello?" + "&".join("a=b" for _ in range(50)), "GET", 400),
        ("/" + "x" * 20_000, "GET", 0),
    ],
)
def test_what_is_refused_says_a_number_and_no_more(path: str, method: str, status: int) -> None:
    with serving() as server:
        if not status:
            with pytest.raises((http.client.HTTPException, OSError)):
                ask(server, path, method)
            return
        found, headers, body = ask(server, path, method)
        assert (found, body) == (status, b"%d\n" % status)
        assert headers.get("allow") == ("GET, HEAD" if status == 405 else None)
        assert headers.get("retry-after") == ("5" if status == 503 else None)
        assert ask(server, "/hello")[0] == 200, "and it goes on"


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET http://[/hello HTTP/1.1", b" 400 "),
        (b"GET /hello HTTP/9.9", b"505"),
        (b"GET", b"400"),
        (b"\x16\x03\x01 hello", b"400"),
    ],
)
def test_rubbish_is_answered_in_one_line(line: bytes, status: bytes) -> None:
    with serving() as server, socket.create_connection((HERE, server.port)) as stranger:
        stranger.sendall(line + b"\r\nHost: localhost\r\n\r\n")
        said = b"".join(iter(lambda: stranger.recv(65536), b""))
        assert status in said and len(said) < 500
        assert b"Traceback" not in said and b"Python" not in said


def test_a_fault_of_a_page_is_told_once_and_to_the_log_only(caplog: pytest.LogCaptureFixture) -> None:
    with serving() as server:
        for _ in range(3):
            assert ask(server, "/broken")[2] == b"500\n"
    (told,) = [record for record in caplog.records if record.name == "http"]
    assert told.exc_info and "a secret of the inside" in caplog.text


def test_a_long_answer_comes_in_pieces_and_one_that_breaks_off_is_known_as_such() -> None:
    with serving() as server:
        whole = b"".join(b"%d\n" % n * 100 for n in range(50))
        status, headers, body = ask(server, "/long")
        assert (status, headers["transfer-encoding"], body) == (200, "chunked", whole)
        assert "etag" not in headers and headers["cache-control"] == "no-store"
        with pytest.raises(http.client.IncompleteRead):
            ask(server, "/half")
        with socket.create_connection((HERE, server.port)) as old:
            old.sendall(b"GET /long HTTP/1.0\r\n\r\n")
            said = b"".join(iter(lambda: old.recv(65536), b""))
        assert said.partition(b"\r\n\r\n")[2] == whole
        assert b"chunked" not in said


def test_it_is_packed_for_other_machines_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as server:
        assert "content-encoding" not in ask(server, "/long", Accept_Encoding="gzip")[1]
        monkeypatch.setattr(http_server, "is_here", lambda host: host == HERE and False)
        _status, headers, body = ask(server, "/long", Accept_Encoding="gzip", Host="")
        assert headers["content-encoding"] == "gzip"
        assert gzip.decompress(body) == b"".join(b"%d\n" % n * 100 for n in range(50))


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:9", 200), (HERE, 200), ("[::1]:9464", 200), ("evil.example.org", 421), ("10.0.0.1", 421)],
)
def test_without_a_password_only_who_asks_for_this_machine_gets_a_page(host: str, status: int) -> None:
    """A name that a stranger's web site lets point to 127.0.0.1 would make a browser read it for him."""
    with serving() as server:
        assert ask(server, "/hello", Host=host)[0] == status


def test_with_a_password_nothing_is_given_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "WRONG_S", 0.1)
    (tmp_path / "p").write_text("sésamo\n")
    with serving(user="grafana", password=f"file:{tmp_path / 'p'}") as server:
        status, headers, body = ask(server, "/hello")
        assert (status, body) == (401, b"401\n")
        assert headers["www-authenticate"].startswith("Basic ")
        for wrong in ("Basic x", "Basic Z3JhZmFuYTp3cm9uZw==", "", "Bearer y"):
            begun = time.monotonic()
            assert ask(server, "/hello", Authorization=wrong)[0] == 401
            assert time.monotonic() - begun >= 0.1, "who guesses, guesses slowly"
        assert ask(server, "/nothing")[0] == 401, "nor what exists"
        right = "Basic Z3JhZmFuYTpzw6lzYW1v"  # grafana:sésamo
        assert ask(server, "/hello", Authorization=right, Host="hub.lan")[0] == 200


def test_over_tls_and_plain_speech_there_is_cut_off(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ours")
    authority.broker("page", begins=NOW - YEAR, ends=NOW + YEAR)
    names = {"cert": str(tmp_path / "page.crt"), "key": str(tmp_path / "page.key")}
    with serving(**names) as server:
        trust = ssl.create_default_context(cafile=str(authority.path))
        for _ in range(2):
            connection = http.client.HTTPSConnection("localhost", server.port, context=trust, timeout=10)
            connection.request("GET", "/long")
            assert len(connection.getresponse().read()) > 10_000
            connection.close()
        with pytest.raises((http.client.HTTPException, OSError)):
            ask(server, "/hello")
    with pytest.raises(HttpServerError, match=r"cannot listen: .*none\.pem: No such file"):
        HttpServer(Listen(host=HERE, port=free_port(), cert=names["cert"], key="none.pem"), PAGES).start()
    with pytest.raises(HttpServerError, match="cert and key do not fit"):
        HttpServer(Listen(host=HERE, port=free_port(), cert=names["key"], key=names["cert"]), PAGES).start()


def test_it_listens_on_the_other_protocol_too() -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")
    with serving(host="::1") as server:
        connection = http.client.HTTPConnection("::1", server.port, timeout=10)
        connection.request("GET", "/hello")
        assert connection.getresponse().status == 200


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with (
        serving() as server,
        pytest.raises(HttpServerError, match=f"{server.port}: cannot listen: Address al"),
    ):
        HttpServer(Listen(host=HERE, port=server.port), PAGES).start()


def test_strangers_who_say_nothing_use_up_their_own_time_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "ASKS_WITHIN_S", 0.5)
    with serving() as server:
        silent = [socket.create_connection((HERE, server.port)) for _ in range(30)]
        for each in silent:
            each.sendall(b"GET /hello HT")
        begun = time.monotonic()
        while True:
            try:
                assert ask(server, "/hello")[0] == 200
                break
            except (http.client.HTTPException, OSError):  # no room yet
                assert time.monotonic() - begun < 5
                time.sleep(0.02)
        assert threading.active_count() < 30
        for each in silent:
            each.close()


def read(**given: object) -> tuple[Listen, list[str]]:
    faults = Faults("hub.yaml")
    found = read_listen(Fields(given, "numbers", faults), "127.0.0.1:9464")
    return found, faults.found


def test_where_it_listens_is_read_strictly() -> None:
    assert read() == (Listen(host=HERE, port=9464), [])
    assert read(listen="[::1]:80") == (Listen(host="::1", port=80), [])
    assert "expected HOST:PORT" in read(listen="127.0.0.1")[1][0]
    assert "1 to 65535" in read(listen="127.0.0.1:99999")[1][0]
    _listen, faults = read(listen="0.0.0.0:9464")
    assert [fault.split(":")[1].strip() for fault in faults] == [
        f"numbers.{key}" for key in ("user", "password", "cert", "key")
    ]
    assert "off this machine the page is given over TLS and with a password only" in faults[0]
    assert read(listen="hub.lan:1", user="u", password="env:P", cert="c", key="k")[1] == []
    assert "password: is missing: it belongs to user" in read(user="u")[1][0]
    (fault,) = read(user="u", password="sesame")[1]
    assert "never the secret itself" in fault and "sesame" not in fault


def test_a_password_that_cannot_be_read_is_a_fault_of_the_config() -> None:
    with pytest.raises(
        ConfigError, match=r"numbers\.password: the environment variable AYNI_NONE is not set"
    ):
        HttpServer(Listen(host=HERE, port=1, user="u", password="env:AYNI_NONE"), PAGES)
