"""The web server: the door, the page, and a socket for each console. Only this module knows aiohttp.

Theory of operation. Nothing is given without a token from the door but the page that asks for the password
and its style. A socket is opened only for a page of ours: browsers name the page in `Origin`, and one that is
not ours is refused, as is a request on this machine that does not ask for it by its own name (DNS rebinding).
Each socket has a console of its own; when either ends, so does the other.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web

from ayni_console.web import pages, password
from ayni_console.web.door import LIVES_S, Door
from ayni_console.web.options import Web
from ayni_console.web.session import Session, size
from ayni_core.fault import fault
from ayni_core.schema import ConfigError
from ayni_io import i18n
from ayni_io.http_listen import is_here
from ayni_io.i18n import _
from ayni_io.liked_language import liked
from ayni_io.os_errors import os_cause

log = logging.getLogger("web")
_LARGEST_FORM, _LARGEST_WORDS = 4096, 64 * 1024
_ALIVE_S = 15.0
WATCH_S = 20.0
_KEPT_S = 7 * 86_400

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WebServer:
    """Gives consoles, started as `argv`, to browsers. Where `language` gives none, each has its own."""

    def __init__(self, settings: Web, door: Door, argv: Sequence[str], language: Callable[[], str]) -> None:
        self.settings, self.door = settings, door
        self._argv, self._language = tuple(argv), language
        self._files = pages.files()
        self._open: dict[web.WebSocketResponse, str] = {}
        self._trying = asyncio.Lock()
        self._cookie = f"{'__Host-' if settings.cert else ''}ayni-{settings.port}"

    async def run(self, tls: ssl.SSLContext | None, ready: Callable[[], None]) -> None:
        """Serve until cancelled. Raises `ConfigError` where it cannot listen."""
        app = web.Application(client_max_size=_LARGEST_FORM, middlewares=[self._guard])
        app.add_routes([
            web.get("/", self._page), web.get("/ws", self._socket), web.get("/static/{name}", self._file),
            web.post("/enter", self._enter), web.post("/leave", self._leave),
        ])  # fmt: skip
        runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await runner.setup()
        where = f"{self.settings.host}:{self.settings.port}"
        try:
            await web.TCPSite(
                runner, self.settings.host, self.settings.port, ssl_context=tls, backlog=32
            ).start()  # fmt: skip
            ready()
            await asyncio.Event().wait()
        except OSError as error:
            told = fault(f"--listen: {where}", "fault.cannot_listen", cause=os_cause(error))
            raise ConfigError([told]) from None
        finally:
            await self._close(lambda _token: True)
            await runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Who does not ask for us, or asks from elsewhere, gets nothing; everybody else in their language."""
        language = self._language_of(request) or i18n.language()
        with i18n.speaking(language):
            try:
                refused = self._refused(request)
                answer = refused if refused is not None else await handler(request)
            except web.HTTPException as error:
                answer = web.Response(status=error.status, text=f"{error.status}\n", headers=_allow(error))
            if not answer.prepared:
                answer.headers.update(pages.policy(self._socket_url(request)))
                answer.headers.setdefault("Cache-Control", "no-store")
            return answer

    def _language_of(self, request: web.Request) -> str:
        return self._language() or liked(request.headers.get("Accept-Language", ""))

    def _refused(self, request: web.Request) -> web.Response | None:
        try:
            host = urlsplit(f"//{request.host}").hostname or ""
        except ValueError:
            return web.Response(status=400, text="400\n")
        if self.settings.here and not is_here(host):
            return web.Response(status=421, text="421\n")
        origin = request.headers.get("Origin")
        speaks = request.method == "POST" or request.path == "/ws"
        if speaks and origin != f"{'https' if self.settings.cert else 'http'}://{request.host}":
            return web.Response(status=403, text="403\n")
        return None

    def _socket_url(self, request: web.Request) -> str:
        return f"{'wss' if self.settings.cert else 'ws'}://{request.host}/ws"

    def _inside(self, request: web.Request) -> str:
        """The token of who came in; empty for everybody else."""
        token = request.cookies.get(self._cookie, "")
        return token if token and self.door.knows(token, time.monotonic()) else ""

    # the door

    def _asker(self, request: web.Request) -> str:
        return request.remote or ""

    async def _page(self, request: web.Request) -> web.StreamResponse:
        if "key" in request.query:
            token = self.door.try_key(request.query["key"], time.monotonic())
            return self._admitted(token) if token else self._shut()
        if not self._inside(request):
            return self._shut()
        if len(self._open) >= self.settings.most:
            return _html(pages.tells(pages.too_many(self.settings.most)), 503)
        return _html(pages.console(self._socket_url(request)))

    def _shut(self) -> web.Response:
        if self.door.kept():
            return _html(pages.asks_password(), 403)
        return _html(pages.tells(_("Open the link that `ayni console --web` has printed.")), 403)

    async def _enter(self, request: web.Request) -> web.StreamResponse:
        """A password: looked at one at a time, beside the loop, and not at once again after a wrong one."""
        given = (await request.post()).get("password", "")
        asker, kept = self._asker(request), self.door.kept()
        if not kept or not isinstance(given, str):
            return self._shut()
        wait_s = self.door.begin(asker, time.monotonic())
        if wait_s:
            answer = _html(pages.asks_password(pages.too_soon(wait_s)), 429)
            answer.headers["Retry-After"] = f"{int(wait_s) + 1}"
            return answer
        async with self._trying:
            right = await asyncio.to_thread(password.fits, given, kept)
        if not right:
            self.door.refuse(asker, time.monotonic())
            log.warning("wrong password from=%s", asker)
            return _html(pages.asks_password(_("This is not the password.")), 403)
        log.info("came in from=%s", asker)
        return self._admitted(self.door.admit(asker, kept, time.monotonic()))

    def _admitted(self, token: str) -> web.Response:
        answer = web.Response(status=303, headers={"Location": "/"})
        answer.set_cookie(
            self._cookie, token, max_age=int(LIVES_S), path="/", httponly=True, samesite="Lax",
            secure=self.settings.cert is not None,
        )  # fmt: skip
        return answer

    async def _leave(self, request: web.Request) -> web.StreamResponse:
        """The token ends, and with it every console that was opened by it."""
        token = self._inside(request)
        self.door.leave(token)
        await self._close(lambda each: each == token)
        answer = web.Response(status=303, headers={"Location": "/"})
        answer.del_cookie(self._cookie, path="/", secure=self.settings.cert is not None, httponly=True)
        return answer

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        file = self._files.get(name)
        if file is None or (name != "page.css" and not self._inside(request)):
            raise web.HTTPNotFound
        packed = "gzip" in request.headers.get("Accept-Encoding", "")
        headers = {
            "Content-Type": file.kind, "Vary": "Accept-Encoding",
            "Cache-Control": f"private, max-age={_KEPT_S}",
            **({"Content-Encoding": "gzip"} if packed else {}),
        }  # fmt: skip
        return web.Response(body=file.packed if packed else file.plain, headers=headers)

    # the consoles

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        token = self._inside(request)
        if not token:
            raise web.HTTPForbidden
        if len(self._open) >= self.settings.most:
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse(heartbeat=_ALIVE_S, max_msg_size=_LARGEST_WORDS)
        self._open[socket] = token
        try:
            await socket.prepare(request)
            watching = asyncio.create_task(self._watch(socket, token))
            try:
                await self._show(socket, request)
            finally:
                watching.cancel()
        finally:
            del self._open[socket]
        return socket

    async def _watch(self, socket: web.WebSocketResponse, token: str) -> None:
        """What is open is used, also if nobody touches it; and it ends with the password that opened it."""
        while True:
            if not self.door.knows(token, time.monotonic()):
                await socket.close()
                return
            await asyncio.sleep(WATCH_S)

    async def _show(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        session = Session(
            self._argv, self._language_of(request),
            write_bytes=socket.send_bytes, write_str=socket.send_str, close=socket.close,
        )  # fmt: skip
        log.info("a console opened from=%s open=%d", self._asker(request), len(self._open))
        try:
            await session.start(*size(request.query.get("width"), request.query.get("height")))
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await session.hear(message.data)
        finally:
            await asyncio.shield(session.stop())
            log.info("a console closed from=%s open=%d", self._asker(request), len(self._open) - 1)

    async def _close(self, which: Callable[[str], bool]) -> None:
        for socket in [socket for socket, token in self._open.items() if which(token)]:
            await socket.close()


def _html(page: str, status: int = 200) -> web.Response:
    return web.Response(status=status, text=page, content_type="text/html", charset="utf-8")


def _allow(error: web.HTTPException) -> dict[str, str]:
    return {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
