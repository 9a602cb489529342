"""A small web server: a few pages at fixed paths, for programs and telephones near by.

Theory of operation. A *page* is a function at a path: it gets a `Request` and gives a `Reply`. At a path
that ends in `/` it is for all that lies just below: `/link/` for `/link/torre`. One thread
accepts; each connection has a thread of its own and carries one request, so that a page may take its time
and a stranger can hold up nobody but himself. All is bounded: connections at once, the size of a request,
the seconds to say it, the seconds to take the answer. Only GET and HEAD exist. An answer of bytes has a
length and an ETag, a long one comes in pieces as it is made. What fails inside a page is told to the log,
never to the asker.

Off this machine there is a password, and TLS that hides it, or what is shown is for all neighbours, and only
addresses of theirs are answered: `http_listen` takes nothing else. Without a password a page is given only to
who asks for this machine by name (neighbours: by an address or a name that nobody can have in the world's
DNS): a web site that a browser visits could otherwise read it (DNS rebinding).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import io
import logging
import socket
import socketserver
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from ayni_io import secret
from ayni_io.http_listen import Listen, is_here, is_local_name, is_neighbour
from ayni_io.secret import Secret

log = logging.getLogger("http")
MOST_CONNECTIONS = 8
ASKS_WITHIN_S, TAKES_WITHIN_S, WRONG_S = 5.0, 60.0, 1.0
_LARGEST_REQUEST, _MOST_WORDS = 16 * 1024, 20
_STALLS_S = 10.0
_SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


class HttpServerError(Exception):
    """The server cannot listen; the text says where and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked: the path, the query's words, the headers by their names in lower case."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer: its media type and its bytes, whole or in pieces. `fresh_s` is how long it may be kept."""

    kind: str
    body: bytes | Iterable[bytes]
    status: int = 200
    fresh_s: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)


Page = Callable[[Request], Reply]


class BusyError(Exception):
    """Raised by a page that cannot answer right now; the asker may come again."""


class HttpServer:
    """Pages by their paths. `start` begins to listen, `close` ends it; both at once return."""

    def __init__(self, listen: Listen, pages: Mapping[str, Page], where: str = "numbers") -> None:
        """Raises `ConfigError` where the password cannot be had."""
        self._listen = listen
        self._pages = dict(pages)
        password = secret.resolve(listen.password, f"{where}.password") if listen.password else None
        self._login = _login(listen.user or "", password) if password else None
        self._server: _Server | None = None

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.server_address[1] if self._server else self._listen.port

    @property
    def host(self) -> str:
        """Where it listens."""
        return self._listen.host

    def start(self) -> None:
        """Begin. Raises `HttpServerError`."""
        listen = self._listen
        where = f"{listen.host}:{listen.port}"
        try:
            self._server = _Server(listen, self._pages, self._login, _tls(listen))
        except ssl.SSLError as error:
            raise HttpServerError(f"{where}: cert and key do not fit: {error.reason or error}") from None
        except OSError as error:
            what = f"{error.filename}: " if error.filename else ""
            raise HttpServerError(f"{where}: cannot listen: {what}{error.strerror or error}") from None
        serving = threading.Thread(target=self._server.serve_forever, name="http", daemon=True)
        serving.start()

    def close(self) -> None:
        """End; what is being answered goes on to its end in a thread of its own."""
        server, self._server = self._server, None
        if server is not None:
            threading.Thread(target=server.end, name="http-end", daemon=True).start()


def _tls(listen: Listen) -> ssl.SSLContext | None:
    if not listen.cert or not listen.key:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for path in (listen.cert, listen.key):
        with Path(path).open("rb"):  # ssl would not say which one is missing
            pass
    context.load_cert_chain(listen.cert, listen.key)
    return context


def _login(user: str, password: Secret) -> bytes:
    return b"Basic " + base64.b64encode(f"{user}:{password.reveal()}".encode())


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 16

    def __init__(
        self, listen: Listen, pages: Mapping[str, Page], login: bytes | None, tls: ssl.SSLContext | None
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
        self.pages, self.login, self.tls, self.listen = pages, login, tls, listen
        self.told: set[tuple[str, type[Exception]]] = set()
        self._room = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__((listen.host, listen.port), _Handler)

    def server_bind(self) -> None:
        """Without asking a name server who we are, as the library does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.listen.host, self.server_address[1]

    def verify_request(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: tuple[str, int]
    ) -> bool:
        """Who is no neighbour gets no answer."""
        return not self.listen.neighbours or is_neighbour(str(client_address[0]), self.listen.neighbours)

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], address: object) -> None:
        """In a thread of its own, if there is room for one more."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, address)
        except RuntimeError:  # the machine has no room for another thread
            self._room.release()
            self.shutdown_request(request)

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], address: object
    ) -> None:
        """One connection, from its first byte to its last."""
        try:
            super().process_request_thread(request, address)
        finally:
            self._room.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever goes away in the middle is no event."""
        log.debug("a connection broke", exc_info=True)

    def end(self) -> None:
        """Stop accepting and give the port back."""
        self.shutdown()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        """TLS begins here, in the connection's own thread."""
        self.request.settimeout(ASKS_WITHIN_S)
        if self.server.tls is not None:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def handle(self) -> None:
        """One request, read whole within its time before anything else is looked at."""
        head = self._head()
        if not head:
            return
        self.rfile = io.BytesIO(head)
        self.connection.settimeout(_STALLS_S)
        self.close_connection = True
        self.handle_one_request()

    def finish(self) -> None:
        """Give the socket back; the one that TLS took over is nobody else's to close."""
        super().finish()
        if self.server.tls is not None:
            self.connection.close()

    def _head(self) -> bytes:
        end = time.monotonic() + ASKS_WITHIN_S
        head = bytearray()
        while b"\r\n\r\n" not in head and b"\n\n" not in head:
            left = end - time.monotonic()
            if left <= 0 or len(head) > _LARGEST_REQUEST:
                return b""  # who is that slow or long-winded is not answered
            self.connection.settimeout(left)
            piece = self.connection.recv(4096)
            if not piece:
                return b""
            head += piece
        return bytes(head) if len(head) <= _LARGEST_REQUEST else b""

    def version_string(self) -> str:
        """Nobody needs to know which library this is."""
        return "ayni"

    def log_message(self, format: str, *args: object) -> None:
        """Silence while healthy."""
        log.debug("%s %s", self.address_string(), format % args)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """In one plain line."""
        self._say(Reply(kind="text/plain; charset=utf-8", status=code, body=f"{code}\n".encode()))

    def _only_reading(self) -> None:
        allowed = {"Allow": "GET, HEAD"}
        self._say(Reply(kind="text/plain; charset=utf-8", status=405, body=b"405\n", headers=allowed))

    do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_CONNECT = do_TRACE = _only_reading  # noqa: N815

    def do_GET(self) -> None:
        """Find the page and let it answer."""
        if not self._is_meant_for_us():
            self.send_error(421)
        elif not self._may():
            if "Authorization" in self.headers:
                time.sleep(WRONG_S)  # who guesses, guesses slowly
            ask = {"WWW-Authenticate": 'Basic realm="ayni", charset="UTF-8"'}
            self._say(Reply(kind="text/plain; charset=utf-8", status=401, body=b"401\n", headers=ask))
        else:
            self._answer()

    do_HEAD = do_GET  # noqa: N815

    def _is_meant_for_us(self) -> bool:
        if self.server.login is not None:
            return True
        name = self.headers.get("Host", "").strip()
        try:
            host = urlsplit(f"//{name}").hostname or ""
        except ValueError:
            return False
        return not name or (is_local_name(host) if self.server.listen.neighbours else is_here(host))

    def _may(self) -> bool:
        if self.server.login is None:
            return True
        given = self.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        return hmac.compare_digest(given, self.server.login)

    def _answer(self) -> None:
        try:
            url = urlsplit(self.path)
            query = dict(parse_qsl(url.query, max_num_fields=_MOST_WORDS))
        except ValueError:
            self.send_error(400)
            return
        page = _page_at(self.server.pages, url.path)
        if page is None:
            self.send_error(404)
            return
        request = Request(
            path=url.path,
            query=query,
            headers={name.lower(): value for name, value in self.headers.items()},
        )
        try:
            reply = page(request)
        except BusyError:
            self._say(Reply(kind="text/plain", status=503, body=b"503\n", headers={"Retry-After": "5"}))
        except Exception as error:
            self._tell(url.path, error)
            self.send_error(500)
        else:
            self._say(reply)

    def _say(self, reply: Reply) -> None:
        whole = reply.body if isinstance(reply.body, bytes) else None
        headers = {**_SAFE, "Content-Type": reply.kind, "Connection": "close", **reply.headers}
        headers["Cache-Control"] = f"private, max-age={reply.fresh_s}" if reply.fresh_s else "no-cache"
        status = reply.status
        if whole is None:
            headers["Cache-Control"] = "no-store"
        elif status == 200:
            headers["ETag"] = f'"{hashlib.sha256(whole).hexdigest()[:24]}"'
            if headers["ETag"] in self.headers.get("If-None-Match", ""):
                status, whole = 304, b""
        packed = whole is None and self._wants_it_packed()
        if packed:
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        chunked = whole is None and self.request_version != "HTTP/1.0"
        if chunked:
            headers["Transfer-Encoding"] = "chunked"
        elif whole is not None and status != 304:
            headers["Content-Length"] = f"{len(whole)}"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if whole is not None:
            self.connection.settimeout(TAKES_WITHIN_S)
            self.wfile.write(whole)
            return
        self._stream(_packed(reply.body) if packed else iter(reply.body), chunked)  # type: ignore[arg-type]

    def _stream(self, pieces: Iterator[bytes], chunked: bool) -> None:
        """A stream that breaks off lacks its end, and so its reader knows."""
        end = time.monotonic() + TAKES_WITHIN_S
        try:
            for piece in pieces:
                if time.monotonic() > end:
                    return
                if piece:
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        except OSError:
            raise  # the reader went away
        except Exception as error:
            self._tell(urlsplit(self.path).path, error)
            return
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _tell(self, path: str, error: Exception) -> None:
        """A fault of ours, once for each page and kind: somebody may ask every few seconds."""
        if (path, type(error)) not in self.server.told:
            self.server.told.add((path, type(error)))
            log.error("a page failed path=%s", path, exc_info=error)

    def _wants_it_packed(self) -> bool:
        """Between programs of one machine packing costs time and saves nothing."""
        wanted = "gzip" in self.headers.get("Accept-Encoding", "")
        return wanted and not is_here(str(self.client_address[0]))


def _page_at(pages: Mapping[str, Page], path: str) -> Page | None:
    above = path.rpartition("/")[0] + "/"
    return pages.get(path) or (pages.get(above) if above != "/" else None)


def _packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()
