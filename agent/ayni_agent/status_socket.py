"""`agent.sock`: a line of JSON in, a line of JSON out, for those who may open the socket on this machine.

    {"do": "status"}  ->  {"status": {...}}  or  {"error": "..."}

Nothing can be changed through it. What comes is taken as hostile: one short line, a few seconds, a few guests
at a time. The socket is in place whole or not at all; one that an agent left behind is replaced, one of an
agent that lives is left alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from ayni_agent.status import SOCKET, Status
from ayni_agent.status_ask import ANSWER_S
from ayni_core.wire.shape import pack

log = logging.getLogger("agent")
MODE = 0o660
_LARGEST_QUESTION = 1024
_MOST_AT_ONCE = 8
_PATIENCE_S = 5.0

Answer = Callable[[], Awaitable[Status]]


async def serve(folder: Path | None, answer: Answer) -> None:
    """Answer until cancelled; without a folder, or where there can be no socket, nobody is answered."""
    if folder is None:
        return
    path = folder / SOCKET
    try:
        listening = await asyncio.to_thread(_listen, path)
    except OSError as error:
        log.warning("no local status socket=%s cause=%s", path, error.strerror or error)
        return
    own = path.stat().st_ino
    server = await asyncio.start_unix_server(_Host(answer).greet, sock=listening, limit=_LARGEST_QUESTION)
    try:
        await asyncio.Event().wait()
    finally:
        server.close()  # and no word to guests who are still there: the agent must not wait for them
        with contextlib.suppress(OSError):
            if path.stat().st_ino == own:
                path.unlink()


def _listen(path: Path) -> socket.socket:
    """A socket under this name. Raises `OSError`, also where another agent listens there."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
            probe.connect(str(path))
            raise OSError("another agent listens there")
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        draft.unlink(missing_ok=True)
        listening.bind(str(draft))
        draft.chmod(MODE)
        listening.listen(_MOST_AT_ONCE)
        draft.replace(path)
    except BaseException:
        listening.close()
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    return listening


class _Host:
    """Greets who comes to the socket."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._guests = 0

    async def greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One question, one answer."""
        self._guests += 1
        try:
            if self._guests <= _MOST_AT_ONCE:
                await self._talk(reader, writer)
        except (OSError, TimeoutError):
            pass  # the guest went away, or sleeps
        finally:
            self._guests -= 1
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            try:
                line = await reader.readuntil(b"\n")
            except asyncio.IncompleteReadError:
                return
            except asyncio.LimitOverrunError:
                line = b""
        reply = b'{"error":"expected {\\"do\\":\\"status\\"} in one line"}'
        if _is_question(line):
            async with asyncio.timeout(ANSWER_S):
                try:
                    reply = b'{"status":' + pack(await self._answer()) + b"}"
                except Exception:  # whoever asks must not be able to end the agent
                    log.exception("status not told")
                    reply = b'{"error":"the agent tripped over the question; its log says more"}'
        async with asyncio.timeout(_PATIENCE_S):
            writer.write(reply + b"\n")
            await writer.drain()


def _is_question(line: bytes) -> bool:
    try:
        question = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(question, dict) and question.get("do") == "status"
