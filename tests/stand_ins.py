"""What messages go to, on loopback: a web server that keeps what it is asked, a mail server, and a bot."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Page:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class WebStandIn:
    """Answers everything with `status` and `answer`; `asked` is what came. With `delay_s` it is slow."""

    status: int = 200
    answer: bytes = b"{}"
    delay_s: float = 0.0
    asked: list[Page] = field(default_factory=list)
    port: int = 0
    gone: threading.Event = field(default_factory=threading.Event)

    def reply(self, page: Page) -> tuple[int, bytes]:
        return self.status, self.answer


@contextlib.contextmanager
def web(stand_in: WebStandIn) -> Iterator[WebStandIn]:
    """Serve until left."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            page = Page(self.command, self.path, dict(self.headers), self.rfile.read(length))
            stand_in.asked.append(page)
            stand_in.gone.wait(stand_in.delay_s)
            status, body = stand_in.reply(page)
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        do_GET = do_POST = do_PUT = handle_one  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stand_in.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        stand_in.gone.set()
        server.shutdown()
        server.server_close()


class BotStandIn(WebStandIn):
    """The two methods of Telegram's bots that we use: people `say`, `written` is what the bot wrote."""

    def __init__(self, token: str = "123:token") -> None:
        super().__init__()
        self.token = token
        self.updates: deque[dict[str, Any]] = deque()
        self.offsets: list[int] = []
        self.written: list[tuple[str, str]] = []
        self.refuses: dict[str, object] | None = None
        self.slow = False
        """Whether a message is taken, but neither written nor answered."""
        self._next = 100
        self._lock = threading.Condition()

    def say(self, chat: str, text: str, sender: str | None = None) -> None:
        with self._lock:
            message = {"chat": {"id": int(chat)}, "from": {"id": int(sender or chat)}, "text": text}
            self.updates.append({"update_id": self._next, "message": message})
            self._next += 1
            self._lock.notify_all()

    def reply(self, page: Page) -> tuple[int, bytes]:
        if not page.path.startswith(f"/bot{self.token}/"):
            return 401, json.dumps({"ok": False, "error_code": 401, "description": "Unauthorized"}).encode()
        if self.refuses is not None:
            return int(str(self.refuses["error_code"])), json.dumps(self.refuses).encode()
        asked, method = page.json, page.path.rpartition("/")[2]
        result: object = True
        if method == "sendMessage" and self.slow:
            self.gone.wait(60)
        elif method == "sendMessage":
            self.written.append((str(asked["chat_id"]), asked["text"]))
            result = {"message_id": len(self.written)}
        elif method == "getUpdates":
            result = self._wait(asked["offset"], asked["timeout"])
        return 200, json.dumps({"ok": True, "result": result}).encode()

    def _wait(self, offset: int, timeout: float) -> list[dict[str, Any]]:
        with self._lock:
            self.offsets.append(offset)
            while self.updates and self.updates[0]["update_id"] < offset:
                self.updates.popleft()
            if not self.updates:
                self._lock.wait(min(timeout, 1.0))
            return list(self.updates)


@dataclass
class MailStandIn:
    """Letters as they came: (sender, recipients, text). With `refuses` every recipient is refused."""

    letters: list[tuple[str, list[str], str]] = field(default_factory=list)
    refuses: bool = False
    port: int = 0


@contextlib.asynccontextmanager
async def mail(stand_in: MailStandIn) -> AsyncIterator[MailStandIn]:
    """An SMTP server (RFC 5321), as much of it as a client needs."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender, to = "", []

        def say(line: str) -> None:
            writer.write(line.encode() + b"\r\n")

        say("220 stand-in")
        while line := (await reader.readline()).decode().strip():
            word = line.partition(" ")[0].upper()
            match word:
                case "EHLO" | "HELO":
                    say("250 stand-in")
                case "MAIL":
                    sender = re.sub(r".*<(.*?)>.*", r"\1", line)
                    say("250 OK")
                case "RCPT" if stand_in.refuses:
                    say("550 nobody of that name")
                case "RCPT":
                    to.append(re.sub(r".*<(.*?)>.*", r"\1", line))
                    say("250 OK")
                case "DATA":
                    say("354 go on")
                    text = (await reader.readuntil(b"\r\n.\r\n")).decode().removesuffix(".\r\n")
                    stand_in.letters.append((sender, to, text))
                    say("250 taken")
                case "QUIT":
                    say("221 bye")
                    break
                case _:
                    say("250 OK")
        with contextlib.suppress(OSError):
            await writer.drain()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    stand_in.port = server.sockets[0].getsockname()[1]
    try:
        yield stand_in
    finally:
        server.close()
