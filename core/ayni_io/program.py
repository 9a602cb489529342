"""Another program, run once: no shell, nothing of our environment, bounded in time and in what it prints.

Theory of operation. It leads a process group of its own, which is killed when its time is up, when our task
is cancelled, and when it has ended: children that it left behind would hold the pipe open for ever. asyncio's
`Process.wait` waits for that pipe, too, so what tells the end here is a protocol of our own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass

MOST_OUTPUT = 64 * 1024
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
_REST_WITHIN_S = 0.5


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: its status, None where its time was up; the beginning of what it printed."""

    status: int | None
    output: str


async def run(command: Sequence[str], within_s: float, *, most: int = MOST_OUTPUT) -> Ended:
    """Run a program with its arguments to its end. Raises `OSError` where it cannot be started."""
    loop = asyncio.get_running_loop()
    transport, watch = await loop.subprocess_exec(
        lambda: _Watch(most),
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=_ENVIRONMENT,
        cwd="/",
        start_new_session=True,
    )
    group = transport.get_pid()
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await watch.exited.wait()
        status = transport.get_returncode()
        _kill(group)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REST_WITHIN_S):
                await watch.closed.wait()
    finally:
        _kill(group)
        transport.close()
    return Ended(status, watch.said.decode("utf-8", "replace"))


class _Watch(asyncio.SubprocessProtocol):
    """Keeps the beginning of what is printed, and lets the rest go, so that no full pipe stops it."""

    def __init__(self, most: int) -> None:
        self.said = bytearray()
        self.exited = asyncio.Event()
        self.closed = asyncio.Event()
        self._most = most

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        if isinstance(data, bytes):
            self.said += data[: self._most - len(self.said)]

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self.closed.set()

    def process_exited(self) -> None:
        self.exited.set()


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
