"""Several parts as child processes under one roof: `ayni demo` and `ayni start` both stand on this.

Theory of operation. Each child has its own session, so that Ctrl+C in a terminal reaches the roof only,
which then ends them in order: the highest rank first, the broker (rank 0) last. On Linux the kernel kills
a child when the roof dies, even by `kill -9` (PR_SET_PDEATHSIG, prctl(2)); children are therefore started
from the main thread only. What a child says goes to `logs/NAME.log` in the folder of the stack.

With `restart`, a child that ends is started again after a pause that doubles up to a minute; without,
`died` tells of it. One that ends with EX_TEMPFAIL (sysexits.h) asks to be started again, and always is.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

log = logging.getLogger("stack")
_PR_SET_PDEATHSIG = 1
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _STEADY_S = 1.0, 60.0, 60.0
_LARGEST_LOG = 2 * 1024 * 1024
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class StackError(Exception):
    """A part did not start; the message ends with its own last words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One child process. `ready` is asked until it says yes; lower `rank` ends later."""

    name: str
    argv: tuple[str, ...]
    rank: int = 1
    ready: Callable[[], Awaitable[bool]] | None = None
    ready_within_s: float = 20.0
    env: Mapping[str, str] = field(default_factory=dict)


def ayni(*words: str) -> tuple[str, ...]:
    """The command line of a subcommand of ours, run by this very interpreter and never by what happens to
    lie in the current folder (`-P`)."""
    return (sys.executable, "-P", "-m", "ayni_io.cli", *words)


class Stack:
    """Parts that run together. `grace_s` is what each rank gets to end by itself; `env` is set for all."""

    def __init__(
        self,
        folder: Path,
        *,
        restart: bool = False,
        grace_s: float = 5.0,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self._env = dict(env or {})
        self._restart = restart
        self._grace_s = grace_s
        self._children: dict[str, _Child] = {}
        self._deaths: asyncio.Queue[str] = asyncio.Queue()
        (folder / "logs").mkdir(parents=True, exist_ok=True)

    async def start(self, *parts: Part) -> None:
        """Start parts side by side and wait until each is ready. Raises `StackError`; what started, stays."""
        for part in parts:
            child = _Child(part, self.log_of(part.name), self._env)
            self._children[part.name] = child
            await child.spawn(self.folder)
        results = await asyncio.gather(
            *(self._children[part.name].wait_ready() for part in parts), return_exceptions=True
        )
        for part in parts:
            child = self._children[part.name]
            child.keeper = asyncio.create_task(self._keep(child))
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def end(self, *names: str) -> None:
        """End some parts, all at once."""
        children = [self._children.pop(name) for name in names if name in self._children]
        await asyncio.gather(*(child.end(self._grace_s) for child in children))

    async def replace(self, *parts: Part) -> None:
        """End the parts of these names and start them as they are described now."""
        await self.end(*(part.name for part in parts))
        await self.start(*parts)

    async def stop(self) -> None:
        """End everything, rank by rank."""
        ranks = sorted({child.part.rank for child in self._children.values()}, reverse=True)
        for rank in ranks:
            await self.end(*(n for n, child in self._children.items() if child.part.rank == rank))

    async def died(self) -> str:
        """Wait until a part ends by itself; its name."""
        return await self._deaths.get()

    def alive(self) -> dict[str, bool]:
        """Which parts run."""
        return {name: child.runs for name, child in self._children.items()}

    def pids(self) -> dict[str, int]:
        """The process of each part that runs."""
        return {name: child.pid for name, child in self._children.items() if child.runs}

    def log_of(self, name: str) -> Path:
        """The file that a part's words go to."""
        return self.folder / "logs" / f"{name.replace(' ', '-')}.log"

    def last_words(self, name: str, lines: int = 3) -> str:
        """The end of a part's log."""
        return _tail(self.log_of(name), lines)

    async def _keep(self, child: _Child) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            started = time.monotonic()
            status = await child.wait()
            if status == os.EX_TEMPFAIL:  # somebody told it to restart: it wants to be started again
                log.info("part starts again name=%s", child.part.name)
            else:
                self._deaths.put_nowait(child.part.name)
                log.warning("part ended name=%s status=%d", child.part.name, status)
                if not self._restart:
                    return
            if time.monotonic() - started > _STEADY_S:
                pause_s = _FIRST_PAUSE_S
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            try:
                await child.spawn(self.folder)
            except StackError as error:
                log.warning("%s", error)


class _Child:
    """A part and the process that is it at the moment."""

    def __init__(self, part: Part, log_path: Path, env: Mapping[str, str]) -> None:
        self.part = part
        self._env = {**os.environ, **env, **part.env}
        self.keeper: asyncio.Task[None] | None = None
        self._log_path = log_path
        self._process: asyncio.subprocess.Process | None = None

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    async def spawn(self, folder: Path) -> None:
        if self._log_path.is_file() and self._log_path.stat().st_size > _LARGEST_LOG:
            self._log_path.replace(self._log_path.with_suffix(".old.log"))
        parent = os.getpid()
        with self._log_path.open("ab") as output:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self.part.argv,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=asyncio.subprocess.STDOUT,
                    cwd=folder,
                    env=self._env,
                    start_new_session=True,
                    preexec_fn=lambda: _die_with(parent),
                )
            except OSError as error:
                raise StackError(
                    f"starting {self.part.name}: {self.part.argv[0]}: {error.strerror}"
                ) from None

    async def wait_ready(self) -> None:
        if self.part.ready is None:
            return
        end = time.monotonic() + self.part.ready_within_s
        while self.runs and time.monotonic() < end:
            if await self.part.ready():
                return
            await asyncio.sleep(0.05)
        words = _tail(self._log_path, 3)
        why = "it ended" if not self.runs else f"not ready after {self.part.ready_within_s:.0f} s"
        raise StackError(f"starting {self.part.name}: {why}" + (f": {words}" if words else ""))

    async def wait(self) -> int:
        return await self._process.wait() if self._process else 0

    async def end(self, grace_s: float) -> None:
        if self.keeper is not None:
            self.keeper.cancel()
            await asyncio.gather(self.keeper, return_exceptions=True)
        if self._process is None or not self.runs:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), grace_s)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()


def _die_with(parent: int) -> None:
    """In the child, before it becomes the part: die when the roof dies, also when it is dead already."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def _tail(path: Path, lines: int) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4096))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
