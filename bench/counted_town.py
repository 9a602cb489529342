"""A town of real processes around devices that count their polls: agent, bad link, Mosquitto, hub.

The campaign and the backlog's benchmark stand on it. Everything is in one folder: `logs/`, the devices'
`polls.log`, the hub's `data/`, the agent's `state/` and `runtime/`, given to it as systemd gives them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import counted_site
import poll_count
from bad_link import BadLink
from poll_count import Count
from wire_tap import WireTap

from ayni_core import slices
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.store import StoreError
from ayni_io import broker, files, local_broker, yamlwrite
from ayni_io.mqtt import BrokerConfig
from ayni_io.secret import Secret
from ayni_io.stack import Part, Stack, StackError, ayni

PARTS = ("broker", "hub", "agent")
PERSON = "ana"
_PATIENCE_S = 120.0  # other work on the same machine must not look like a broken part


class Town:
    """Made by `town`. `ended` says when each start of the agent came to its end."""

    def __init__(
        self, folder: Path, link: BadLink, tap: WireTap, stack: Stack, parts: dict[str, Part]
    ) -> None:
        self.folder = folder
        self.link = link
        self.tap = tap
        self.ended: dict[int, float] = {}
        self._stack = stack
        self._parts = parts
        self._there: set[str] = set()
        self._start = 0

    def there(self) -> list[str]:
        """Which of PARTS run, as far as is known."""
        return sorted(self._there)

    async def begin(self, name: str) -> None:
        """Start one of PARTS."""
        if name == "agent":
            self._start += 1
            files.write_text(self.folder / "community", f"start-{self._start}\n")
        await self._stack.start(self._parts[name])
        self._there.add(name)

    async def end(self, name: str) -> None:
        """Ask one of PARTS to end, and wait for it."""
        self._gone(name)
        await self._stack.end(name)

    async def kill(self, name: str) -> bool:
        """SIGKILL; False if it was not there any more."""
        pid = self._stack.pids().get(name)
        if pid is None:
            return False
        self._gone(name)
        os.kill(pid, signal.SIGKILL)
        while name in self._stack.pids():  # noqa: ASYNC110  it dies at once, its parent hears of it later
            await asyncio.sleep(0.005)
        await self._stack.end(name)
        return True

    def ended_by_itself(self) -> dict[str, str]:
        """Those of PARTS that should be there and are not, with their last words; said once."""
        alive = self._stack.alive()
        found = {name: self._stack.last_words(name) for name in self.there() if not alive[name]}
        for name in found:
            self._gone(name)
        return found

    def person(self) -> BrokerConfig:
        """How a person connects to the broker, not through the bad link."""
        port = self.link.target
        password = Secret((self.folder / "secrets" / f"p-{PERSON}").read_text().strip())
        return BrokerConfig(port=port, username=f"p-{PERSON}", password=password)

    def mute(self, wanted: bool, *devices: str) -> None:
        """Make devices answer nothing any more, or again."""
        found = counted_site.ports(self.folder)
        for name in devices or found:
            counted_site.mute(found[name], wanted)

    def counted(self) -> Count:
        """What the devices wrote down against what is stored."""
        store = EmbeddedStore(self.folder / "data" / "store.db")
        try:
            asked = counted_site.read_log(self.folder)
            return poll_count.count(asked, self.ended, store)
        finally:
            store.close()

    async def until(self, enough: Callable[[Count], bool], within_s: float) -> bool:
        """Count every second until it is enough; False when the time was not."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            with contextlib.suppress(StoreError):
                if enough(await asyncio.to_thread(self.counted)):
                    return True
            await asyncio.sleep(1.0)
        return False

    def _gone(self, name: str) -> None:
        self._there.discard(name)
        if name == "agent":
            self.ended[self._start] = time.time()


@contextlib.asynccontextmanager
async def town(
    folder: Path,
    devices: Sequence[str],
    *,
    node: str = "pi",
    poll_s: float,
    flush_s: float,
    others: Iterable[str] = (),
) -> AsyncIterator[Town]:
    """The devices and the link are there, the parts are not begun. `others` are devices that the hub knows as
    this node's and nobody polls. Raises `StackError`."""
    mosquitto = broker.find_mosquitto()
    if mosquitto is None:
        raise StackError("Mosquitto is not installed")
    logging.getLogger("stack").setLevel(logging.ERROR)
    accounts = {"h-hub": "", f"n-{node}": "", f"p-{PERSON}": "viewer"}
    local_broker.write_accounts(folder, accounts)
    port = broker.free_port()
    part = local_broker.mosquitto_part(folder, mosquitto, port, "h-hub")
    parts = {"broker": replace(part, ready_within_s=_PATIENCE_S)}
    stack = Stack(folder, grace_s=15.0)
    tap = WireTap()
    async with BadLink(port, tap) as link:
        try:
            await stack.start(_site(folder, devices))
            _write_configs(folder, port, link.port, node, poll_s, flush_s, others)
            given = {"STATE_DIRECTORY": str(folder / "state"), "RUNTIME_DIRECTORY": str(folder / "runtime")}
            for each in given.values():
                Path(each).mkdir()
            for name, env in (("hub", {}), ("agent", given)):
                argv = ayni(name, "run", "--config", str(folder / f"{name}.yaml"))
                parts[name] = Part(name=name, argv=argv, env=env)
            yield Town(folder, link, tap, stack, parts)
        finally:
            await stack.stop()


def _site(folder: Path, devices: Sequence[str]) -> Part:
    async def answers() -> bool:
        return bool(counted_site.ports(folder))

    argv = (sys.executable, str(Path(counted_site.__file__)), str(folder), *devices)
    return Part(name="site", argv=argv, ready=answers)


def _write_configs(
    folder: Path,
    near_port: int,
    far_port: int,
    node: str,
    poll_s: float,
    flush_s: float,
    others: Iterable[str],
) -> None:
    devices = {
        name: {"address": f"127.0.0.1:{udp}", "community": f"file:{folder}/community"}
        for name, udp in counted_site.ports(folder).items()
    }
    pretend = {name: {"address": "127.0.0.1:9", "community": f"file:{folder}/community"} for name in others}
    network = {
        "network": {"title": "Counted", "poll_s": poll_s},
        "sites": {"torre": {}},
        "nodes": {node: {"site": "torre"}},
        "devices": {name: {"site": "torre", **device} for name, device in (devices | pretend).items()},
        "people": {PERSON: {"title": "Ana", "role": "viewer"}},
    }
    near = slices.BrokerFacts(port=near_port, secrets=str(folder / "secrets"))
    far = slices.BrokerFacts(port=far_port, secrets=str(folder / "secrets"))
    hub = slices.hub("hub", near, network_path=f"{folder}/network.yaml", data_dir=f"{folder}/data")
    agent = {
        "node": node,
        "broker": slices.broker_section(far, f"n-{node}"),
        "poll_s": poll_s,
        "flush_s": flush_s,
        "devices": devices,
    }
    for name, value in (("network", network), ("hub", hub), ("agent", agent)):
        yamlwrite.write(folder / f"{name}.yaml", value)
