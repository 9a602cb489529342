"""What `ayni start` leaves running: one supervisor with broker, hub and agent under it.

A lock on a file says that it runs, `running.json` what and where. SIGHUP makes it read network.yaml again and
restart what that changes; SIGTERM ends everything.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ayni_core import home_assistant, slices
from ayni_core.inventory import Network
from ayni_core.schema import ConfigError
from ayni_core.wire.topics import Rights
from ayni_hub import memory_folder
from ayni_hub.home import HUB, Home, Settings
from ayni_hub.numbers.home_assistant import earlier_prefix
from ayni_io import files, local_broker
from ayni_io.i18n import _
from ayni_io.local_broker import LocalBroker
from ayni_io.onlooker import Onlooker
from ayni_io.stack import Part, Stack, StackError, ayni

log = logging.getLogger("start")
_LOOK_S = 2.0


class AlreadyRunningError(Exception):
    """Another supervisor holds the folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What `running.json` says. `ready` is false while things start."""

    pid: int
    port: int
    protocol: str
    broker: str
    ready: bool
    since: float
    parts: dict[str, int]


def look(home: Home) -> Running | None:
    """What runs in a folder; None when nothing does, or nothing that has told of itself yet."""
    if not is_locked(home):
        return None
    try:
        running = Running(**json.loads(home.state_path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return running if _exists(running.pid) else None  # else: the words of one that was killed


def tell_to_read_again(home: Home) -> bool:
    """Make a running supervisor read network.yaml again; False when none runs."""
    running = look(home)
    if running is None:
        return False
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(running.pid, signal.SIGHUP)
        return True
    return False


class Roof:
    """The supervisor of one folder."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.stack = Stack(home.folder, restart=True, grace_s=8.0)
        self._again = asyncio.Event()
        self._since = time.time()
        self._broker: LocalBroker | None = None
        self._network_text = ""

    async def run(self) -> int:
        """Run until cancelled. Raises `AlreadyRunningError`, `StackError` or `ConfigError`."""
        with _locked(self.home):
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._again.set)
            before = self._last_port()
            try:
                await self._rise(before)
                log.info("started folder=%s port=%d", self.home.folder, self._port)
                while True:
                    self._write_state(ready=True)
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._again.wait(), _LOOK_S)
                    if self._again.is_set():
                        self._again.clear()
                        await self._read_again()
            finally:
                await self.stack.stop()
                memory_folder.leave(self.home.runtime_dir)
                self._write_state(ready=False)
                log.info("stopped")
        return 0

    @property
    def _port(self) -> int:
        return self._broker.port if self._broker else 0

    async def _rise(self, preferred: int | None) -> None:
        settings, network = self.home.settings(), self.home.network()
        self._write_accounts(settings, network)
        self._broker = await local_broker.start(self.stack, f"h-{HUB}", preferred=preferred)
        self._write_state(ready=False)
        self.home.write_parts(self._broker, settings, network)
        self._network_text = self.home.network_path.read_text(encoding="utf-8")
        async with Onlooker(self._broker.config(f"p-{settings.person}")) as eyes:
            await self.stack.start(*self._parts(settings, eyes))

    def _write_accounts(self, settings: Settings, network: Network) -> bool:
        extra = self._rights_at_home(settings)
        return local_broker.write_accounts(self.home.folder, slices.accounts(network, HUB), extra)

    def _rights_at_home(self, settings: Settings) -> dict[str, Rights]:
        """What Home Assistant adds to the accounts, also where something of it is still to be taken away."""
        wanted = settings.home_assistant
        earlier = earlier_prefix(self.home.folder / "hub")
        return home_assistant.extra_rights(f"h-{HUB}", wanted.prefix if wanted else None, earlier)

    def _parts(self, settings: Settings, eyes: Onlooker) -> tuple[Part, Part]:
        async def agent_ready() -> bool:
            return await eyes.sees_node(settings.node)

        hub = Part(
            name="hub", argv=ayni("hub", "run", "--config", str(self.home.hub_config)), ready=eyes.sees_hub
        )
        agent = Part(
            name="agent",
            argv=ayni("agent", "run", "--config", str(self.home.agent_config)),
            rank=2,
            ready=agent_ready,
        )
        return hub, agent

    async def _read_again(self) -> None:
        """Take in a changed network.yaml; one with faults is told of and left alone."""
        assert self._broker is not None  # noqa: S101
        try:
            settings, network = self.home.settings(), self.home.network()
            text = self.home.network_path.read_text(encoding="utf-8")
            accounts_changed = self._write_accounts(settings, network)
            agent_changed = self.home.write_parts(self._broker, settings, network)
            if accounts_changed:
                await self.stack.end(local_broker.NAME)
                self._broker = await local_broker.start(
                    self.stack, f"h-{HUB}", preferred=self._broker.port, wanted=self._broker.kind
                )
                self.home.write_parts(self._broker, settings, network)
            async with Onlooker(self._broker.config(f"p-{settings.person}")) as eyes:
                hub, agent = self._parts(settings, eyes)
                if text != self._network_text:
                    self._network_text = text
                    await self.stack.replace(hub)
                if agent_changed:
                    await self.stack.replace(agent)
            log.info("network read again devices=%d", len(network.devices))
        except (ConfigError, StackError) as error:
            log.error("network.yaml was not taken: %s", error)

    def _last_port(self) -> int | None:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            return int(json.loads(self.home.state_path.read_text(encoding="utf-8"))["port"]) or None
        return None

    def _write_state(self, *, ready: bool) -> None:
        state: dict[str, Any] = {
            "pid": os.getpid(),
            "port": self._port or self._last_port() or 0,
            "protocol": self._broker.protocol if self._broker else "5",
            "broker": self._broker.kind if self._broker else "",
            "ready": ready,
            "since": self._since,
            "parts": self.stack.pids(),
        }
        text = json.dumps(state, indent=1) + "\n"
        if not self.home.state_path.is_file() or self.home.state_path.read_text(encoding="utf-8") != text:
            files.write_text(self.home.state_path, text)


@contextlib.contextmanager
def _locked(home: Home) -> Iterator[None]:
    with home.lock_path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AlreadyRunningError(_("a network runs already in {folder}", folder=home.folder)) from None
        yield


def is_locked(home: Home) -> bool:
    """Whether a supervisor holds a folder."""
    try:
        with home.lock_path.open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
