"""Pages over HTTP, by Python's own client in a thread of its own: bounded in time, size and redirects.

Theory of operation. `http.client` blocks, so it works aside. Its time-out holds for each single wait; the
whole is bounded by whoever waits: when the time is up, or the task is cancelled, the socket is shut down, and
the thread comes back at once. Redirects are followed within http and https; what proves who we are goes to
the origin that was asked first, and to no other.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from ayni_io.aside import Aside
from ayni_io.i18n import _

MOST_REDIRECTS = 5
_MOVED = (301, 302, 303, 307, 308)
_CHUNK = 64 * 1024


class WebError(Exception):
    """There was no answer of HTTP; the text is a sentence without the address that was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question. With a `body` it is a POST. At most `most` bytes of the answer are taken."""

    url: str
    within_s: float
    most: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    verify: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`whole`: whether `body` is everything; `took_s` from the question to the last byte that was taken."""

    status: int
    body: bytes
    whole: bool
    took_s: float


class Web:
    """Asks one question at a time."""

    def __init__(self, name: str) -> None:
        self._aside = Aside(name)
        self._socket: socket.socket | None = None
        self._ended = False

    async def ask(self, ask: Ask) -> Answer:
        """The answer, whatever its status. Raises `WebError`."""
        if self._aside.busy:
            raise WebError(_("the last question has not come back; is the name server away?"))
        self._ended = False
        try:
            async with asyncio.timeout(ask.within_s):
                return await self._aside.run(lambda: self._follow(ask))
        except TimeoutError:
            self._shut()
            raise WebError(_("no answer within {within} s", within=f"{ask.within_s:g}")) from None
        except asyncio.CancelledError:
            self._shut()
            raise

    def _shut(self) -> None:
        self._ended = True
        opened = self._socket
        if opened is not None:
            try:
                opened.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    # ---- in the thread

    def _follow(self, ask: Ask) -> Answer:
        begun = time.monotonic()
        url, headers = ask.url, dict(ask.headers)
        for _hop in range(MOST_REDIRECTS + 1):
            parts = _split(url)
            status, location, body, whole = self._exchange(parts, ask, headers)
            if status not in _MOVED or not location or ask.body is not None:
                return Answer(status=status, body=body, whole=whole, took_s=time.monotonic() - begun)
            try:
                url = urljoin(url, location)
            except ValueError:
                raise WebError(_("sent on to {url}, which is no address", url=repr(location[:80]))) from None
            if _origin(_split(url)) != _origin(parts):
                headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        raise WebError(_("sent on more than {most} times", most=MOST_REDIRECTS))

    def _exchange(
        self, parts: SplitResult, ask: Ask, headers: Mapping[str, str]
    ) -> tuple[int, str, bytes, bool]:
        connection: http.client.HTTPConnection | None = None
        path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~") + (f"?{parts.query}" if parts.query else "")
        try:
            connection = _connection(parts, ask)
            connection.connect()
            self._socket = connection.sock
            if self._ended:
                raise WebError(_("nobody waits any more"))
            connection.request(
                "GET" if ask.body is None else "POST",
                path,
                ask.body,
                {"User-Agent": "ayni", "Accept-Encoding": "identity", "Connection": "close", **headers},
            )
            response = connection.getresponse()
            body = bytearray()
            while len(body) <= ask.most and (more := response.read(min(_CHUNK, ask.most + 1 - len(body)))):
                body += more
            whole = len(body) <= ask.most
            return response.status, response.getheader("Location") or "", bytes(body[: ask.most]), whole
        except WebError:
            raise
        except ssl.SSLCertVerificationError as error:
            raise WebError(_("its certificate is not right: {cause}", cause=error.verify_message)) from None
        except (OSError, http.client.HTTPException, UnicodeError, ValueError) as error:
            raise WebError(_why(error)) from None
        finally:
            self._socket = None
            if connection is not None:
                connection.close()


def basic(user: str, password: str) -> dict[str, str]:
    """The header that proves who we are (RFC 7617)."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")}


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise WebError(_("{url} is not an address of http or https", url=repr(url[:80])))
    return parts


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port


def _connection(parts: SplitResult, ask: Ask) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, parts.port, timeout=ask.within_s)
    context = ssl.create_default_context()
    if not ask.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, parts.port, timeout=ask.within_s, context=context)


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return _("it does not answer")
    if isinstance(error, http.client.HTTPException) and not isinstance(error, OSError):
        return _("what answers does not speak HTTP: {cause}", cause=repr(error)[:120])
    return (
        (error.strerror if isinstance(error, OSError) else None) or str(error)[:120] or type(error).__name__
    )
