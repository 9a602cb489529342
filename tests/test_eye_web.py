"""Devices that speak over HTTP, against web servers on loopback: metrics, JSON, ubus, TLS."""

from __future__ import annotations

import asyncio
import base64
import datetime
import json
import random
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from parts import free_port

from ayni_agent import eyes
from ayni_agent.eyes import Eye, EyeError
from ayni_core import sources
from ayni_core.readings import NEIGHBOURS, Series, Value
from ayni_core.schema import ConfigError, Faults, Fields

PASSWORD = "pumamarca"
GRANTED = base64.b64encode(f"ana:{PASSWORD}".encode()).decode()
METRICS_PAGE = 'node_load1 0.5\nwifi_station_signal_dbm{ifname="w",mac="AA:BB:CC:11:22:01"} -61\n'
BABEL = {"IPv6": {"fe80::16cc:20ff:feda:4eac": {"dev": "wlan1", "txcost": 256, "rxcost": 256}}}


class Device(BaseHTTPRequestHandler):
    """A router: pages, and ubus. `sessions`: those that have not ended; `asked`: what ubus was asked."""

    sessions: ClassVar[set[str]] = set()
    asked: ClassVar[list[list[Any]]] = []
    headers_seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.headers_seen.append(str(self.headers.get("Authorization")))
        match self.path:
            case "/metrics":
                self._say(200, METRICS_PAGE)
            case "/locked":
                granted = self.headers.get("Authorization") == f"Basic {GRANTED}"
                self._say(200 if granted else 401, METRICS_PAGE if granted else "")
            case "/large":
                self._say(200, "node_load1 0.5\n" * 60_000)
            case "/html":
                self._say(200, "<html>please log in</html>")
            case "/else":
                self._say(200, "other_metric 1\n")
            case "/slow":
                time.sleep(2)
            case "/away":
                self.send_response(302)
                port = self.server.server_address[1]
                self.send_header("Location", f"http://127.0.0.2:{port}/metrics")
                self.end_headers()
            case "/node/links":
                link = {"ifName": "w", "remoteIP": "10.0.0.9", "linkCost": 1}
                self._say(200, json.dumps({"links": [link]}))
            case _:
                self._say(404, "")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        session, service, method, arguments = body["params"]
        self.asked.append([service, method, arguments])
        result: list[Any]
        if (service, method) == ("session", "login"):
            if arguments["password"] != PASSWORD:
                result = [6]
            else:
                new = f"{len(self.asked):032x}"
                self.sessions.add(new)
                result = [0, {"ubus_rpc_session": new}]
        elif session not in self.sessions and service != "open":
            self._say(200, json.dumps({"id": 1, "error": {"code": -32002, "message": "Access denied"}}))
            return
        elif (service, method) == ("babeld", "get_neighbours"):
            result = [0, BABEL]
        elif (service, method) == ("system", "board"):
            result = [0, {"hostname": "uno", "model": "M", "release": {"version": "24.10"}}]
        elif (service, method) == ("system", "info"):
            memory = {"total": 1000, "free": 500, "buffered": 100, "cached": 100}
            result = [0, {"uptime": 77, "load": [65536, 32768, 0], "memory": memory}]
        elif (service, method) == ("file", "exec"):
            batctl = json.dumps([{"hard_ifname": "w", "orig_address": "16:7b:3c:c2:bf:b8", "tq": 200,
                                  "neigh_address": "16:7b:3c:c2:bf:b8"}])  # fmt: skip
            result = [0, {"code": 0, "stdout": batctl}]
        else:
            result = [4]
        self._say(200, json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}))

    def _say(self, status: int, text: str) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_words: Any) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_words: Any) -> None:
        pass


def serve(server: ThreadingHTTPServer) -> Iterator[int]:
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def device() -> Iterator[int]:
    Device.sessions.clear()
    Device.asked.clear()
    Device.headers_seen.clear()
    yield from serve(Quiet(("0.0.0.0", 0), Device))


@pytest.fixture
def secret(tmp_path: Path) -> str:
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    return f"file:{path}"


def opened(**section: Any) -> Eye:
    faults = Faults("agent.yaml")
    source = sources.read(Fields(section, "source", faults))
    faults.stop()
    return eyes.open_eye(eyes.prepare(source, "agent.yaml: devices.x.source"))


def read(**section: Any) -> dict[Series, Value]:
    return dict(asyncio.run(opened(**section).read()))  # type: ignore[arg-type]


def test_a_page_of_metrics(device: int) -> None:
    found = read(kind="openmetrics", url=f"http://127.0.0.1:{device}/metrics", map="openwrt")
    assert found == {
        Series("station", "aabbcc112201", "signal_dbm"): -61,
        Series("system", "", "load_1m"): 0.5,
    }


def test_a_password_opens_the_page_and_goes_to_no_other_origin(device: int, secret: str) -> None:
    login = {"user": "ana", "password": secret}
    found = read(kind="openmetrics", url=f"http://127.0.0.1:{device}/locked", **login)
    assert found[Series("system", "", "load_1m")] == 0.5
    Device.headers_seen.clear()
    assert read(kind="openmetrics", url=f"http://127.0.0.1:{device}/away", **login)
    assert Device.headers_seen == [f"Basic {GRANTED}", "None"]


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ("/locked", "/locked: who asks is refused (status 401)"),
        ("/none", "/none: status 404; expected 200"),
        ("/large", "/large: the page is larger than 512 kB"),
        ("/html", "line 1 is no metric: '<html>please log in</html>'"),
        ("/else", 'nothing on it fits the map "node"'),
        ("/slow", "no answer within 0.5 s"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_the_eye_goes_on(device: int, page: str, why: str) -> None:
    url = f"http://127.0.0.1:{device}"
    with pytest.raises(EyeError) as caught:
        read(kind="openmetrics", url=url + page, timeout_s=0.5)
    assert why in str(caught.value) and str(caught.value).startswith(url)


def test_nobody_there_and_no_name_are_told() -> None:
    for url in (f"http://127.0.0.1:{free_port()}/metrics", "http://no-such-host.invalid/metrics"):
        with pytest.raises(EyeError, match=url):
            read(kind="openmetrics", url=url)


def test_a_read_that_is_cancelled_leaves_the_eye_usable(device: int) -> None:
    async def work() -> None:
        eye = opened(kind="openmetrics", url=f"http://127.0.0.1:{device}/slow")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(eye.read(), 0.1)
        for _ in range(100):  # its thread comes back as soon as its socket is shut
            with pytest.raises((EyeError, TimeoutError)) as caught:
                await asyncio.wait_for(eye.read(), 0.05)
            if caught.type is TimeoutError:
                return
            await asyncio.sleep(0.02)
        pytest.fail("the eye stays busy")

    asyncio.run(work())


def test_pages_of_json_stand_below_the_address(device: int) -> None:
    found = read(kind="json", url=f"http://127.0.0.1:{device}/node", map="olsr")
    assert found[Series("neighbour", "olsr/w/10.0.0.9", "etx")] == 1


def test_ubus_is_logged_into_once_and_anew_when_the_session_ends(device: int, secret: str) -> None:
    async def work() -> None:
        eye = opened(
            kind="json", url=f"http://127.0.0.1:{device}/ubus", map="babel", user="ana", password=secret
        )
        for _ in range(3):
            found = await eye.read()
            assert found[NEIGHBOURS] == 1
        assert [each[0] for each in Device.asked] == ["session", "babeld", "babeld", "babeld"]
        Device.sessions.clear()
        assert (await eye.read())[NEIGHBOURS] == 1
        assert [each[0] for each in Device.asked][4:] == ["babeld", "session", "babeld"]

    asyncio.run(work())


def test_ubus_of_openwrt_and_libremesh_answers_in_part(device: int, secret: str) -> None:
    login = {"user": "ana", "password": secret, "url": f"http://127.0.0.1:{device}/ubus", "kind": "json"}
    found = read(map="libremesh", **login)
    assert found[Series("system", "", "memory_used_pct")] == 30.0
    assert found[Series("system", "", "load_5m")] == 0.5
    assert found[Series("system", "", "uptime_s")] == 77
    assert NEIGHBOURS not in found, "what did not answer has said nothing"
    assert ["shared-state-async", "get", {"data_type": "wifi_links_info"}] in Device.asked
    found = read(map="batman-ubus", **login)
    assert found[Series("neighbour", "batman/w/167b3cc2bfb8", "neighbour_quality")] == 200
    assert Device.asked[-1][2] == {
        "command": "/usr/sbin/batctl", "params": ["meshif", "bat0", "originators_json"],
    }  # fmt: skip


def test_wrong_passwords_and_missing_rights_are_told_apart(device: int, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("hunter2\n")
    url = f"http://127.0.0.1:{device}/ubus"
    with pytest.raises(EyeError, match="refuses the user ana or the password") as caught:
        read(kind="json", url=url, map="babel", user="ana", password=f"file:{wrong}")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(EyeError, match="babeld get_neighbours: ubus says: Access denied"):
        read(kind="json", url=url, map="babel")


def test_a_certificate_must_be_right_unless_one_says_otherwise(tmp_path: Path) -> None:
    key, cert = certificate(tmp_path)
    server = Quiet(("127.0.0.1", 0), Device)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    for port in serve(server):
        url = f"https://127.0.0.1:{port}/metrics"
        with pytest.raises(EyeError, match="its certificate is not right: self"):
            read(kind="openmetrics", url=url)
        assert read(kind="openmetrics", url=url, verify=False)[Series("system", "", "load_1m")] == 0.5


def certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1))
    cert = builder.not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
    (folder / "key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    (folder / "cert").write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    return folder / "key", folder / "cert"


@pytest.mark.parametrize(
    ("section", "why"),
    [
        ({"kind": "openmetrics"}, "source.url: is missing"),
        ({"kind": "openmetrics", "url": "http://ana:x@y/"}, "does not have the form"),
        ({"kind": "openmetrics", "url": "http://y", "map": "nod"}, 'unknown map "nod"; did you mean "node"?'),
        ({"kind": "openmetrics", "url": "http://y", "user": "ana"}, "user and password belong together"),
        ({"kind": "openmetrics", "url": "http://y", "user": "a", "password": "x"}, "never the secret itself"),
        ({"kind": "json", "url": "http://y"}, "source.map: is missing"),
        ({"kind": "json", "url": "http://y", "map": "babel"}, "neighbours of this map are asked of ubus"),
        ({"kind": "json", "url": "http://y/ubus", "map": "olsr"}, "links of this map are pages"),
    ],
)
def test_faults_are_told_before_anything_is_asked(section: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        opened(**section)
    assert why in str(caught.value)


def test_an_own_map_is_found_beside_the_shipped_ones(device: int, tmp_path: Path, monkeypatch: Any) -> None:
    folder = tmp_path / "configs" / "sources"
    folder.mkdir(parents=True)
    monkeypatch.setenv("AYNI_CONFIGS", str(tmp_path / "configs"))
    (folder / "openmetrics-mine.yaml").write_text(
        "about: mine\nmetrics: [{name: node_load1, group: system, metric: load_5m}]\n"
    )
    section = {"kind": "openmetrics", "url": f"http://127.0.0.1:{device}/metrics", "map": "mine"}
    assert read(**section) == {Series("system", "", "load_5m"): 0.5}
    (folder / "openmetrics-mine.yaml").write_text("about: mine\nmetrics: [{name: a, metric: b}]\n")
    with pytest.raises(ConfigError, match=r"sources/openmetrics-mine\.yaml:2"):
        read(**section)


ANSWERS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\nnode_load1 0.5\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nf\r\nnode_load1 0.5\n\r\n0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://[::1/ a\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://ho st:99999/x?\xf1\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: //\r\n\r\n",
)


def test_whatever_answers_it_is_a_page_or_one_sentence() -> None:
    """Answers cut, and with octets changed at random: an eye that raised anything else would stop all."""
    chance = random.Random(3)

    def spoiled() -> bytes:
        answer = bytearray(chance.choice(ANSWERS))
        for _ in range(chance.randrange(4)):
            answer[chance.randrange(len(answer))] = chance.choice(b"\0\xff\r\n :/0fA%")
        return bytes(answer[: chance.randrange(len(answer)) if chance.random() < 0.3 else None])

    async def work() -> int:
        async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(spoiled())
            writer.close()

        server = await asyncio.start_server(serve_one, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        eye = opened(kind="openmetrics", url=f"http://127.0.0.1:{port}/metrics", timeout_s=2)
        good = 0
        for _ in range(250):
            try:
                good += bool(await eye.read())
            except EyeError as error:
                assert "\n" not in str(error)
        server.close()
        return good

    assert asyncio.run(work()) > 20
