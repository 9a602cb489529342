"""The demo: a whole network on this computer, in a temporary folder, gone when it ends.

Broker, simulated devices, central, monitors and console are the real programs, each in its own process.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import functools
import logging
import os
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from ayni_core.inventory import Network
from ayni_core.wire import topics
from ayni_core.wire.messages import LinkView
from ayni_io import local_broker, snmpd
from ayni_io.broker import free_port
from ayni_io.i18n import _, _n
from ayni_io.local_broker import LocalBroker
from ayni_io.onlooker import Onlooker
from ayni_io.stack import Part, Stack, StackError, ayni
from ayni_lab.village import EYES, EYES_RIGHTS, HUB, TRAINER, Village

_PREFIX = "ayni-demo-"
_FIRST_PICTURE_S = 20.0
Tell = Callable[[str], None]


class DemoError(Exception):
    """Why there is no demo, in one line that its user can act upon."""


class Demo:
    """A village that runs. `started_s` is monotonic; `first_live_s` how long the first picture took."""

    def __init__(self, village: Village, stack: Stack, tell: Tell) -> None:
        self.village = village
        self.stack = stack
        self.tell = tell
        self.started_s = time.monotonic()
        self.first_live_s: float | None = None
        self.broker: LocalBroker
        self.network: Network

    async def rise(self, wanted_broker: str) -> None:
        """Start everything. Raises `StackError` or `DemoError`."""
        await self._start_broker(wanted_broker)
        await self._start_lab()
        this_machine = await self._start_snmpd()
        self.network = self.village.write_network(self.broker, this_machine)
        await self._start_parts()

    async def _start_broker(self, wanted: str) -> None:
        local_broker.write_accounts(self.village.folder, self.village.roles(), {EYES: EYES_RIGHTS})
        self.broker = await local_broker.start(self.stack, f"h-{HUB}", wanted=wanted)
        port = self.broker.port
        if self.broker.kind == "mosquitto":
            self.tell(_("Broker: Mosquitto on port {port}", port=port))
        elif wanted == "embedded":
            self.tell(_("Broker: the embedded one, on port {port}", port=port))
        else:
            self.tell(_("Broker: the embedded one, as Mosquitto is missing, on port {port}", port=port))

    async def _start_lab(self) -> None:
        config = self.village.write_lab(self.broker)

        async def ready() -> bool:
            return self.village.ports.is_file()

        await self.stack.start(
            Part(name="lab", argv=ayni("lab", "simulate", "--config", str(config)), rank=2, ready=ready)
        )
        template = self.village.template
        self.tell(
            _(
                "Village: {title}, {devices} simulated devices, {links} radio links",
                title=template.title,
                devices=len(template.devices),
                links=len(template.links),
            )
        )

    async def _start_snmpd(self) -> int | None:
        port = free_port(socket.SOCK_DGRAM)
        community = self.village.community.read_text(encoding="utf-8").strip()
        part = snmpd.part(self.village.folder / "snmpd", port, community)
        if part is None:
            return None
        try:
            await self.stack.start(part)
        except StackError:
            await self.stack.end(part.name)  # it is an extra: the village lives without it
            return None
        self.tell(_("This computer: polled too, through snmpd"))
        return port

    async def _start_parts(self) -> None:
        village = self.village
        async with Onlooker(self.broker.config(f"p-{TRAINER}"), f"{topics.PREFIX}/net/link/+") as eyes:
            hub = Part(
                name="hub",
                argv=ayni("hub", "run", "--config", str(village.hub_config)),
                ready=eyes.sees_hub,
            )
            agents = [
                Part(
                    name=f"agent {node}",
                    argv=ayni("agent", "run", "--config", str(village.agent_config(node))),
                    rank=2,
                    ready=functools.partial(eyes.sees_node, node),
                )
                for node in self.network.nodes
            ]
            await self.stack.start(hub, *agents)
            nodes = len(self.network.nodes)
            self.tell(_n("Central and {n} monitor: ready", "Central and {n} monitors: ready", nodes))
            if not await eyes.until(lambda: self._all_known(eyes), _FIRST_PICTURE_S):
                raise DemoError(
                    _("the central has no picture of the village after {seconds} s", seconds=_FIRST_PICTURE_S)
                )
        self.first_live_s = time.monotonic() - self.started_s
        self.tell(_("First readings of every link after {seconds} s", seconds=round(self.first_live_s, 1)))

    def _all_known(self, eyes: Onlooker) -> bool:
        views = eyes.below(f"{topics.PREFIX}/net/link/", LinkView)
        return len(views) == len(self.network.links) and all(
            view.state in ("ok", "weak", "down") for view in views
        )

    async def open_console(self) -> int:
        """Run the console in this terminal until its user leaves; its exit status."""
        words = ["console", "--broker", f"127.0.0.1:{self.broker.port}", "--user", TRAINER]
        words += ["--password-file", str(self.broker.secrets / f"p-{TRAINER}"), "--watch"]
        words += ["--language", self.village.language, "--village"]
        if self.broker.protocol != "5":
            words += ["--mqtt", self.broker.protocol]
        logging.getLogger("stack").addHandler(logging.NullHandler())  # its lines would stand in the screen
        process = await asyncio.create_subprocess_exec(*ayni(*words))
        try:
            return await process.wait()
        finally:
            if process.returncode is None:
                process.terminate()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), 3.0)
            if process.returncode is None:
                process.kill()
                await process.wait()

    def deaths(self) -> list[str]:
        """One line for each part that ended though nobody asked it to."""
        return [
            _("{part} ended: {words}", part=name, words=self.stack.last_words(name) or "-")
            for name, alive in self.stack.alive().items()
            if not alive
        ]


@contextlib.asynccontextmanager
async def running(*, poll_s: float, language: str, wanted_broker: str, tell: Tell) -> AsyncIterator[Demo]:
    """A demo from start to the last file. Raises `StackError`, `DemoError` or `ConfigError`."""
    with _own_folder() as folder:
        village = Village.in_folder(folder, poll_s=poll_s, language=language)
        demo = Demo(village, Stack(folder, grace_s=2.0, env={"TMPDIR": str(folder / "tmp")}), tell)
        try:
            await demo.rise(wanted_broker)
            yield demo
        finally:
            await demo.stack.stop()


@contextlib.contextmanager
def _own_folder() -> Iterator[Path]:
    """A temporary folder; those of demos that were killed go first: nobody holds their lock."""
    for stale in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if stale.lstat().st_uid == os.getuid() and _is_free(stale / "lock"):
                shutil.rmtree(stale, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"new-{_PREFIX}"))
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = folder.rename(folder.with_name(folder.name.removeprefix("new-")))  # found only once locked
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _is_free(path: Path) -> bool:
    with path.open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
