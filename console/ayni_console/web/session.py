"""One console for one browser: a process of its own, started without a shell and ended for certain.

Only this module knows how textual-serve speaks with the console's process. It has no promises for who builds
on it, so its version is pinned, and tests/test_web_console.py runs the real thing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from ayni_console.web.options import DRIVER

ENDS_WITHIN_S = 3.0
_LEAST, _MOST_ACROSS, _MOST_DOWN = 10, 400, 200
_MOST_PING = 40
_NOT_HERE = ("NO_COLOR", "TEXTUAL_THEME", "TEXTUAL", "TEXTUAL_LOG", "LINES")


class Session(AppService):
    """A console with its keys and its screen."""

    def __init__(
        self,
        argv: Sequence[str],
        language: str,
        *,
        write_bytes: Callable[[bytes], Awaitable[None]],
        write_str: Callable[[str], Awaitable[None]],
        close: Callable[[], Awaitable[Any]],
    ) -> None:
        async def closed() -> None:
            await close()

        super().__init__(
            "", write_bytes=write_bytes, write_str=write_str, close=closed, download_manager=DownloadManager()
        )
        self._argv = tuple(argv)
        self._language = language

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        made = super()._build_environment(width, height)
        for name in _NOT_HERE:
            made.pop(name, None)
        made |= {"TEXTUAL_DRIVER": DRIVER, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        if self._language:
            made["AYNI_LANG"] = self._language
        return made

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        environment = self._build_environment(width, height)
        self._process = await asyncio.create_subprocess_exec(
            *self._argv, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment
        )
        self._stdin = self._process.stdin
        return self._process

    async def run(self) -> None:
        """Carry what the console draws to the browser; when it has ended, however, so has the page."""
        try:
            await super().run()
        finally:
            with contextlib.suppress(ConnectionError, RuntimeError):
                await self.remote_close()

    async def stop(self) -> None:
        """Ask it to end, and see to it that it does."""
        process, showing = self._process, self._task
        if process is None or showing is None:
            return
        self._task = None
        asking = asyncio.create_task(self.send_meta({"type": "quit"}))
        ending = asyncio.create_task(process.wait())
        await asyncio.wait((ending,), timeout=ENDS_WITHIN_S)
        if not ending.done():
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        asking.cancel()
        showing.cancel()
        await asyncio.gather(asking, ending, showing, return_exceptions=True)

    async def hear(self, text: str) -> None:
        """What the browser says: keys, its size, whether it is looked at. What makes no sense is nothing."""
        match _said(text):
            case ["stdin", str(keys)]:
                await self.send_bytes(keys.encode("utf-8", "replace"))
            case ["resize", {"width": int(across), "height": int(down)}]:
                await self.set_terminal_size(*size(across, down))
            case ["ping", str(mark)]:
                await self.remote_write_str(json.dumps(["pong", mark[:_MOST_PING]]))
            case ["focus"]:
                await self.focus()
            case ["blur"]:
                await self.blur()


def size(across: object, down: object) -> tuple[int, int]:
    """What a browser says of its size, as cells that a screen can have."""
    try:
        wanted = int(str(across)[:6]), int(str(down)[:6])
    except ValueError:
        wanted = 80, 24
    return min(max(wanted[0], _LEAST), _MOST_ACROSS), min(max(wanted[1], _LEAST), _MOST_DOWN)


def _said(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
