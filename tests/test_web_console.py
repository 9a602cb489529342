"""The console in a browser: what its server gives to whom, and the real thing in a real Chromium."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar, TCPConnector, WSMsgType, WSServerHandshakeError
from browser import Browser, chromium
from console_village import Village
from parts import free_port, need, wait_until
from pyte import Screen, Stream
from test_mqtt_client import NOW, Authority
from textual.events import MouseScrollDown, MouseScrollUp
from village_central import village_on_air

from ayni_console.app import ConsoleApp
from ayni_console.lines import line, plain
from ayni_console.pointer import action_at, row_at
from ayni_console.view import frame
from ayni_console.view.page import Look, Row, Window, text
from ayni_console.web import pages, password, server, session
from ayni_console.web.door import Door
from ayni_console.web.options import Web
from ayni_console.web.server import WebServer
from ayni_core.schema import ConfigError
from ayni_io import i18n
from ayni_io.stack import ayni

RIGHT = "correct horse battery"

SMALL_CONSOLE = """
import os, sys
def say(kind, data): os.write(1, kind + len(data).to_bytes(4, "big") + data)
os.write(1, b"__GANGLION__\\n")
say(b"D", b"began " + os.environ["COLUMNS"].encode() + b" " + os.environ.get("AYNI_LANG", "").encode())
while True:
    head = sys.stdin.buffer.read(5)
    if len(head) < 5:
        break
    data = sys.stdin.buffer.read(int.from_bytes(head[1:], "big"))
    if data == b"q" or b"quit" in data and head[:1] == b"M":
        say(b"M", b'{"type": "exit"}')
        break
    if data == b"die":
        os._exit(3)
    if data == b"hang":
        import signal, time
        time.sleep(600)
    say(b"D", head[:1] + data)
"""
"""Speaks as Textual's driver for browsers does, and starts in no time."""


class Visitor:
    """A browser without a screen."""

    def __init__(self, client: ClientSession, url: str) -> None:
        self.client, self.url = client, url
        self.headers = {"Origin": url}

    async def page(self, path: str = "/", **headers: str) -> tuple[int, str]:
        async with self.client.get(f"{self.url}{path}", headers=headers) as answer:
            return answer.status, await answer.text()

    async def enter(self, given: str, **headers: str) -> tuple[int, str]:
        wanted = {**self.headers, **headers}
        async with self.client.post(
            f"{self.url}/enter", data={"password": given}, headers=wanted
        ) as answer:  # fmt: skip
            return answer.status, await answer.text()

    def socket(self, query: str = "?width=80&height=24", **headers: str) -> Any:
        return self.client.ws_connect(f"{self.url}/ws{query}", headers={**self.headers, **headers})


@asynccontextmanager
async def serving(
    *, kept: str = "", tls: tuple[Path, Path] | None = None, most: int = 4, language: str = ""
) -> AsyncIterator[tuple[Visitor, Door]]:
    """The real server with small consoles, and somebody who visits it."""
    cert, key = tls or (None, None)
    settings = Web(
        host="127.0.0.1", port=free_port(), password_file=Path("unused"), cert=cert, key=key, most=most
    )  # fmt: skip
    door = Door(lambda: kept)
    ready = asyncio.Event()
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
    made = WebServer(settings, door, [sys.executable, "-c", SMALL_CONSOLE], lambda: language)
    task = asyncio.create_task(made.run(context, ready.set))
    await asyncio.wait_for(ready.wait(), 10)
    blind = TCPConnector(ssl=False)
    try:
        async with ClientSession(cookie_jar=CookieJar(unsafe=True), connector=blind) as client:
            yield Visitor(client, settings.url.rstrip("/")), door
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def run(scene: Callable[[Visitor, Door], Coroutine[Any, Any, None]], **settings: Any) -> None:
    async def play() -> None:
        async with asyncio.timeout(60), serving(**settings) as (visitor, door):
            await scene(visitor, door)

    asyncio.run(play())


async def heard(socket: Any, wanted: bytes) -> bytes:
    """What comes until something wanted is in it."""
    found = b""
    async with asyncio.timeout(15):
        while wanted not in found:
            message = await socket.receive()
            assert message.type is WSMsgType.BINARY, (message, found)
            found += message.data
    return found


# ---- what the server gives to whom


def test_without_the_link_nothing_is_given_but_a_sentence_and_its_style() -> None:
    async def scene(visitor: Visitor, door: Door) -> None:
        status, page = await visitor.page()
        assert status == 403
        assert "Open the link that" in page
        assert (await visitor.page("/static/page.css"))[0] == 200
        for path in ("/static/textual.js", "/static/", "/static/../server.py", "/other", "/ws"):
            assert (await visitor.page(path))[0] in (403, 404), path
        with pytest.raises(WSServerHandshakeError, match="403"):
            await visitor.socket()
        assert (await visitor.page("/?key=guessed"))[0] == 403

    run(scene)


def test_the_link_opens_a_console_whose_keys_and_sizes_arrive() -> None:
    async def scene(visitor: Visitor, door: Door) -> None:
        status, page = await visitor.page(f"/?key={door.key}")
        assert status == 200
        assert f'data-session-websocket-url="ws://{visitor.url[7:]}/ws"' in page
        assert (await visitor.page("/static/textual.js"))[0] == 200
        async with visitor.socket("?width=91&height=30") as socket:
            assert (await heard(socket, b"began")).startswith(b"began 91 ")
            await socket.send_json(["stdin", "ñ\ud800"])
            assert await heard(socket, b"D") == "Dñ?".encode()
            await socket.send_json(["resize", {"width": 10**9, "height": -5}])
            assert b'{"type": "resize", "width": 400, "height": 10}' in await heard(socket, b"M")
            await socket.send_json(["ping", "17"])
            assert (await socket.receive()).data == '["pong", "17"]'
            await socket.send_json(["stdin", "q"])
            assert (await socket.receive()).type is WSMsgType.CLOSE

    run(scene)


@pytest.mark.parametrize(
    "nonsense",
    [
        "", "null", "[]", '["stdin"]', '["stdin", 5]', '["resize", {}]',
        '["resize", {"width": "a", "height": 1}]', "{", '{"stdin": 1}', "[" * 20_000, '["ping", {}]',
        '["open_url", "x"]',
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_nothing(nonsense: str) -> None:
    async def scene(visitor: Visitor, door: Door) -> None:
        await visitor.page(f"/?key={door.key}")
        async with visitor.socket() as socket:
            await heard(socket, b"began")
            await socket.send_str(nonsense)
            await socket.send_bytes(b"\xff" * 100)
            await socket.send_json(["stdin", "x"])
            assert await heard(socket, b"D") == b"Dx"

    run(scene)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (("80", "24"), (80, 24)), ((None, None), (80, 24)), (("999999999", "1"), (400, 10)),
        (("-3", "x"), (80, 24)), (("٨٠", "24"), (80, 24)),
    ],
)  # fmt: skip
def test_a_screen_has_a_size_that_screens_have(wanted: tuple[Any, Any], expected: tuple[int, int]) -> None:
    assert session.size(*wanted) == expected


def test_no_page_of_the_world_can_open_a_console() -> None:
    """A web site that the operator's browser visits asks in its own name, or as whom it pretends to be."""

    async def scene(visitor: Visitor, door: Door) -> None:
        await visitor.page(f"/?key={door.key}")
        for origin in ("http://evil.example", "null", visitor.url.replace("http", "https"), ""):
            with pytest.raises(WSServerHandshakeError, match="403"):
                await visitor.socket(Origin=origin)
        assert (await visitor.enter("x", Origin="http://evil.example"))[0] == 403
        for host in ("evil.example", "evil.example:80", "[", "127.0.0.1.evil.example"):
            assert (await visitor.page("/", Host=host))[0] in (400, 421), host

    run(scene)


def test_the_password_is_asked_for_and_a_wrong_one_is_slowed() -> None:
    async def scene(visitor: Visitor, door: Door) -> None:
        status, page = await visitor.page("/", **{"Accept-Language": "fr;q=0.2, es-PE"})
        assert status == 403
        assert 'type="password"' in page
        assert 'lang="es"' in page
        assert (await visitor.page(f"/?key={door.key}"))[0] == 403
        assert (await visitor.enter("wrong"))[0] == 403
        began = time.monotonic()
        status, page = await visitor.enter(RIGHT)
        assert (status, "Not so fast: try again in 1 second." in page) == (429, True)
        assert time.monotonic() - began < 0.5
        await asyncio.sleep(1.05)
        status, page = await visitor.enter(RIGHT)
        assert status == 200
        assert "textual-terminal" in page
        async with visitor.socket() as socket:
            await heard(socket, b"began")
            async with visitor.client.post(f"{visitor.url}/leave", headers=visitor.headers) as answer:
                assert answer.status == 403
            assert (await socket.receive()).type in (WSMsgType.CLOSE, WSMsgType.CLOSING)
        assert (await visitor.page("/static/textual.js"))[0] == 404

    run(scene, kept=password.hashed(RIGHT))


def test_what_is_open_ends_with_the_password_that_opened_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "WATCH_S", 0.05)

    async def scene(visitor: Visitor, door: Door) -> None:
        await visitor.page(f"/?key={door.key}")
        async with visitor.socket() as socket:
            await heard(socket, b"began")
            await asyncio.sleep(0.2)
            await socket.send_json(["stdin", "x"])
            await heard(socket, b"Dx")
            monkeypatch.setattr(door, "_kept", lambda: password.hashed(RIGHT))
            assert (await socket.receive()).type is WSMsgType.CLOSE

    run(scene)


def test_a_huge_form_is_refused() -> None:
    async def scene(visitor: Visitor, door: Door) -> None:
        assert (await visitor.enter("x" * 100_000))[0] == 413

    run(scene, kept=password.hashed(RIGHT))


def test_more_consoles_than_allowed_are_told_so_and_a_closed_one_makes_room() -> None:
    async def scene(visitor: Visitor, door: Door) -> None:
        await visitor.page(f"/?key={door.key}")
        async with visitor.socket() as first:
            await heard(first, b"began")
            status, page = await visitor.page()
            assert status == 503
            assert "1 console is open in a browser already" in page
            with pytest.raises(WSServerHandshakeError, match="503"):
                await visitor.socket()
        for _each in range(100):
            if (await visitor.page())[0] == 200:
                break
            await asyncio.sleep(0.02)
        async with visitor.socket() as second:
            await heard(second, b"began")

    run(scene, most=1)


def test_a_console_that_dies_closes_its_page_and_one_that_hangs_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "ENDS_WITHIN_S", 0.3)

    async def scene(visitor: Visitor, door: Door) -> None:
        await visitor.page(f"/?key={door.key}")
        async with visitor.socket() as socket:
            await heard(socket, b"began")
            await socket.send_json(["stdin", "die"])
            assert (await socket.receive()).type is WSMsgType.CLOSE
        async with visitor.socket() as socket:
            await heard(socket, b"began")
            await socket.send_json(["stdin", "hang"])
        for _each in range(200):
            if not consoles():
                break
            await asyncio.sleep(0.02)
        assert consoles() == []

    def consoles() -> list[str]:
        asked = subprocess.run(["pgrep", "-P", str(os.getpid()), "-a"], capture_output=True, text=True)
        return [each for each in asked.stdout.splitlines() if "GANGLION" in each]

    run(scene)


def test_each_browser_has_its_language_unless_one_was_given() -> None:
    async def scene(visitor: Visitor, door: Door) -> None:
        await visitor.page(f"/?key={door.key}")
        async with visitor.socket(**{"Accept-Language": "pt-BR,pt;q=0.9"}) as socket:
            assert (await heard(socket, b"began 80 ")).endswith(b"pt")

    run(scene)

    async def given(visitor: Visitor, door: Door) -> None:
        await visitor.page(f"/?key={door.key}")
        async with visitor.socket(**{"Accept-Language": "pt"}) as socket:
            assert (await heard(socket, b"began 80 ")).endswith(b"fr")

    run(given, language="fr")


def test_over_tls_the_cookie_is_for_tls_alone(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "village")
    authority.broker("web", begins=NOW - timedelta(days=1), ends=NOW + timedelta(days=9))

    async def scene(visitor: Visitor, door: Door) -> None:
        async with visitor.client.post(
            f"{visitor.url}/enter", data={"password": RIGHT}, headers=visitor.headers, allow_redirects=False
        ) as answer:
            cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-ayni-")
        assert {"HttpOnly", "Secure", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        async with visitor.socket() as socket:
            await heard(socket, b"began")

    run(scene, kept=password.hashed(RIGHT), tls=(tmp_path / "web.crt", tmp_path / "web.key"))


def test_every_answer_forbids_what_comes_from_elsewhere() -> None:
    async def scene(visitor: Visitor, door: Door) -> None:
        for path in ("/", "/other", f"/?key={door.key}", "/static/textual.js"):
            async with visitor.client.get(f"{visitor.url}{path}") as answer:
                policy = answer.headers["Content-Security-Policy"]
                assert policy.startswith("default-src 'none'; script-src 'self';")
                assert answer.headers["X-Frame-Options"] == "DENY"
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Server"] == "ayni"

    run(scene)


def test_our_pages_name_no_address_of_the_world() -> None:
    for language in i18n.LANGUAGES:
        with i18n.speaking(language):
            written = pages.console("ws://127.0.0.1/ws") + pages.asks_password("?") + pages.tells("<b>")
            assert "<b>" not in written
            assert re.findall(r"(?:https?:)?//(?!127\.0\.0\.1)", written) == []
    ours = pages.files()
    assert all(b"//" not in ours[name].plain.replace(b"// ", b"") for name in ("page.css", "page.js"))
    assert len(ours["textual.js"].packed) < 150_000


def test_a_port_that_is_taken_or_no_address_of_ours_is_one_sentence() -> None:
    async def listen(host: str, port: int) -> None:
        settings = Web(host=host, port=port, password_file=Path("unused"))
        await WebServer(settings, Door(lambda: ""), ["true"], lambda: "").run(None, lambda: None)

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"--listen: 127.0.0.1:{port}: cannot listen: Address already"):
            asyncio.run(listen("127.0.0.1", port))
    with pytest.raises(ConfigError, match=r"--listen: 192\.0\.2\.1:80: cannot listen: "):
        asyncio.run(listen("192.0.2.1", 80))
    with pytest.raises(ConfigError, match=r"--listen: nobody\.invalid:80: cannot listen: "):
        asyncio.run(listen("nobody.invalid", 80))


# ---- where a click goes


ROWS: list[Row] = [text("head"), *(Row(lambda: line("row"), f"row:{number}") for number in range(40))]


@pytest.mark.parametrize(
    ("size", "top", "foot", "y", "key"),
    [
        ((80, 24), 0, 2, 0, None), ((80, 24), 0, 2, 1, None), ((80, 24), 0, 2, 2, None),
        ((80, 24), 0, 2, 3, "row:0"),
        ((80, 24), 0, 2, 21, "row:18"), ((80, 24), 0, 2, 22, None), ((80, 24), 0, 2, 23, None),
        ((80, 24), 30, 2, 2, "row:29"), ((60, 20), 0, 2, 2, "row:0"), ((60, 20), 0, 2, 17, "row:15"),
        ((60, 20), 0, 2, 18, None), ((80, 60), 0, 2, 50, None), ((80, 24), 0, 4, 19, "row:16"),
        ((80, 24), 0, 4, 20, None),
    ],
)  # fmt: skip
def test_a_click_finds_the_row_that_is_seen_there(
    size: tuple[int, int], top: int, foot: int, y: int, key: str | None
) -> None:
    look = Look(width=size[0], height=size[1])
    assert row_at(look, ROWS, Window(top=top), foot, y) == key


def test_a_click_finds_the_word_of_the_foot_and_nothing_between_or_after() -> None:
    shown = [("Enter", "open"), ("a", "advice"), ("Ctrl+Q", "leave")]
    foot = frame.keys(shown, Look())
    said = "".join(span.text for span in foot)
    assert action_at(foot, said.index("open")) == "open"
    assert action_at(foot, said.index("Enter")) == "open"
    assert action_at(foot, said.index("advice") + 5) == "advice"
    assert action_at(foot, said.index("leave")) == "leave"
    assert action_at(foot, said.index("advice") + 6) is None
    assert action_at((*foot, line(" " * 40)[0]), len(said) + 20) is None


def test_clicks_and_the_wheel_do_what_keys_do() -> None:
    village = Village()
    app = ConsoleApp(village, clock=village.clock)

    def selected() -> str:
        page = app.page()
        assert page is not None and page._sheet is not None
        return next((plain(each) for each in page._sheet.lines if plain(each).startswith(">")), "")

    async def play() -> None:
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            await pilot.click(offset=(20, 4))
            assert selected().startswith(">▲ WEAK    Torre-Clínica")
            assert app.crumbs() == ["Home"]
            await pilot.click(offset=(20, 4))
            assert app.crumbs() == ["Home", "Torre-Clínica"]
            await pilot.click(offset=(78, 23))
            assert len(app.crumbs()) == 2
            app.go_home()
            await pilot.pause()
            page = app.page()
            assert page is not None
            page.post_message(MouseScrollDown(page, 5, 5, 0, 1, 0, False, False, False))
            await pilot.pause()
            assert selected() != ""
            assert not selected().startswith(">■ DOWN")
            page.post_message(MouseScrollUp(page, 5, 5, 0, -1, 0, False, False, False))
            await pilot.pause()
            assert selected().startswith(">■ DOWN")
            await pilot.press("n")
            await pilot.click(offset=(20, 5))
            assert page.prompt is not None
            assert app.crumbs() == ["Home"]

    asyncio.run(play())


# ---- real parts


class Shown(Browser):
    """A window in which a console is shown: what it was sent, as a terminal shows it."""

    columns, rows = 0, 0

    def watch(self, width: int, height: int) -> None:
        """A window of this size; every console's bytes are kept."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.call("Security.setIgnoreCertificateErrors", ignore=True)
        self.call("Page.addScriptToEvaluateOnNewDocument", source=_KEEPING)

    def lines(self) -> list[str]:
        """The screen."""
        across, down, text = json.loads(
            self.value("JSON.stringify([window.across, window.down, window.came])")
        )
        screen = Screen(across, down)
        Stream(screen).feed(re.sub(r"\x1b\[\?1049h", "", base64.b64decode(text).decode()))
        return [each.rstrip() for each in screen.display]

    def until(self, words: str, within_s: float = 40) -> list[str]:
        """The screen, as soon as there are such words on it."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            if self.value("window.came ? 1 : 0") and any(words in each for each in self.lines()):
                return self.lines()
            time.sleep(0.05)
        raise AssertionError(f"{words!r} is not shown: {self.value('document.body.innerText')}")

    def click(self, x: float, y: float) -> None:
        """Where a finger would."""
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def click_words(self, words: str) -> None:
        """On words that are shown."""
        shown = self.lines()
        y = next(y for y, each in enumerate(shown) if words in each)
        cell = json.loads(
            self.value(
                "JSON.stringify((r => [r.width / window.across, r.height / window.down])"
                "(document.querySelector('.xterm-screen').getBoundingClientRect()))"
            )
        )
        self.click((shown[y].index(words) + 0.5) * cell[0], (y + 0.5) * cell[1])

    def clipboard(self) -> str:
        """What was copied."""
        read = "navigator.clipboard.readText()"
        found = self.call("Runtime.evaluate", expression=read, awaitPromise=True, returnByValue=True)
        return str(found["result"].get("value", ""))

    def press(self, text: str, key: str = "", code: int = 0) -> None:
        """A key."""
        named = {"key": key or text, "text": text, "windowsVirtualKeyCode": code or ord(text.upper())}
        self.call("Input.dispatchKeyEvent", type="keyDown", **named)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key or text)


_KEEPING = """
window.came = ""; window.across = 80; window.down = 24;
const real = window.WebSocket;
window.WebSocket = class extends real {
  constructor(url) {
    super(url);
    this.addEventListener("message", e => {
      if (typeof e.data !== "string")
        window.came = btoa(atob(window.came) + String.fromCharCode(...new Uint8Array(e.data)));
    });
  }
  send(data) {
    const said = JSON.parse(data);
    if (said[0] === "resize") { window.across = said[1].width; window.down = said[1].height; }
    super.send(data);
  }
};
"""


_COPYING = ["clipboardReadWrite", "clipboardSanitizedWrite"]
"""A browser with a window gives the second one to the page that is looked at."""


@contextmanager
def browser(folder: Path) -> Iterator[Shown]:
    with chromium(folder) as found:
        found.__class__ = Shown
        assert isinstance(found, Shown)
        yield found


@contextmanager
def web_console(folder: Path, broker: int, *words: str) -> Iterator[str]:
    """`ayni console --web` as a process; yields the address that it prints."""
    port = free_port()
    log = folder / f"web-{port}.log"
    argv = [
        *ayni("console", "--web", "--listen", f"127.0.0.1:{port}", "--broker", f"127.0.0.1:{broker}"),
        "--user", "rosa", *words,
    ]  # fmt: skip
    environment = {"XDG_CONFIG_HOME": str(folder), "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    with log.open("wb") as output:
        process = subprocess.Popen(argv, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=folder)
    try:
        wait_until(lambda: "http" in log.read_text() or process.poll() is not None, "an address", within_s=30)
        found = re.search(r"https?://\S+", log.read_text())
        assert found, log.read_text()
        yield found[0]
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    need("mosquitto")
    with village_on_air(tmp_path_factory.mktemp("broker")) as port:
        yield port


@pytest.mark.real("chromium")
@pytest.mark.real("mosquitto")
def test_in_a_real_browser_clicks_keys_and_colours_are_as_in_a_terminal(tmp_path: Path, broker: int) -> None:
    with browser(tmp_path) as shown, web_console(tmp_path, broker) as address:
        shown.watch(900, 560)
        shown.call("Page.navigate", url=address)
        home = shown.until("DO FIRST")
        assert any(each.startswith(">■ DOWN    Escuela-Cerro") for each in home)
        assert len(home) == 29
        shown.press("m")
        shown.until("Home > Map")
        shown.press("v")
        shown.until(" km")
        shown.click_words("Molino")
        shown.until(">● Molino")
        shown.click_words("Molino")
        shown.until("Home > Map > Molino")
        shown.press("h")
        shown.until("DO FIRST")
        shown.click_words("WEAK")
        shown.until(">▲ WEAK    Torre-Clínica")
        shown.click_words("WEAK")
        shown.until("hears")
        shown.press("", "Escape", 27)
        shown.until("DO FIRST")
        shown.click_words("help")
        shown.until("KEYS")
        shown.press("h")
        shown.until("DO FIRST")
        origin = address.partition("/?")[0]
        shown.call("Browser.grantPermissions", origin=origin, permissions=_COPYING)
        shown.press("c")
        shown.until("Copied.")
        wait_until(lambda: "Escuela-Cerro" in shown.clipboard(), "the copy in the clipboard")
        time.sleep(0.5)
        picture = base64.b64decode(shown.call("Page.captureScreenshot")["data"])
        (tmp_path / "console.png").write_bytes(picture)
        assert len(picture) > 10_000
        fetched = json.loads(
            shown.value("JSON.stringify(performance.getEntriesByType('resource').map(each => each.name))")
        )
        base = address.partition("?")[0]
        assert sorted(each.removeprefix(base) for each in fetched) == [
            "static/page.css", "static/page.js", "static/textual.js", "static/xterm.css",
        ]  # fmt: skip
        assert _share_of(shown, (17, 22, 27)) > 0.7
        assert _share_of(shown, (242, 204, 96)) > 0.0005
        shown.press("", "q", 81)
        shown.call("Page.navigate", url="about:blank")


_COUNTING = """
(colour => {
  const all = document.createElement("canvas"), screen = document.querySelector(".xterm-screen");
  all.width = screen.clientWidth; all.height = screen.clientHeight;
  const to = all.getContext("2d");
  for (const each of screen.querySelectorAll("canvas")) to.drawImage(each, 0, 0);
  const shown = to.getImageData(0, 0, all.width, all.height).data;
  let found = 0;
  for (let i = 0; i < shown.length; i += 4) if (colour.every((part, at) => shown[i + at] === part)) found++;
  return found / (shown.length / 4);
})
"""


def _share_of(shown: Shown, colour: tuple[int, int, int]) -> float:
    """How much of the picture on the screen has a colour."""
    share: float = shown.value(f"{_COUNTING}({json.dumps(colour)})")
    return share


@pytest.mark.real("chromium")
@pytest.mark.real("mosquitto")
def test_behind_a_password_and_tls_it_opens_with_the_password(tmp_path: Path, broker: int) -> None:
    authority = Authority(tmp_path, "village")
    authority.broker("web", begins=NOW - timedelta(days=1), ends=NOW + timedelta(days=9))
    password.write(tmp_path / "ayni" / "web-password", RIGHT)
    tls = ["--cert", str(tmp_path / "web.crt"), "--key", str(tmp_path / "web.key"), "--language", "es"]
    with browser(tmp_path) as shown, web_console(tmp_path, broker, *tls) as address:
        shown.watch(360, 640)
        assert address.startswith("https://")
        shown.call("Page.navigate", url=address)
        wait_until(lambda: bool(shown.value("document.querySelector('input[type=password]') && 1")), "a form")
        assert shown.value("document.documentElement.lang") == "es"
        assert shown.value("document.documentElement.scrollWidth") <= 360
        shown.value("document.querySelector('input[type=password]').focus()")
        shown.call("Input.insertText", text=RIGHT)
        shown.press("\r", "Enter", 13)
        shown.until("Escuela-Cerro")
        assert shown.value("window.across") >= 60
        time.sleep(0.5)
        (tmp_path / "phone.png").write_bytes(base64.b64decode(shown.call("Page.captureScreenshot")["data"]))
        assert RIGHT not in "".join(each.read_text() for each in tmp_path.glob("web-*.log"))
