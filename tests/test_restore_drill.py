"""The drill: a central dies with its disk, is put back elsewhere, and nothing is lost or there twice.

Real parts: Mosquitto with accounts, a hub, `age`, monitors made of the agent's own courier and outbox.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import parts
import pytest
from sending_node import COUNT, SIGNAL

from ayni_agent.config import AgentConfig
from ayni_agent.contact import Contact
from ayni_agent.courier import Courier
from ayni_agent.outbox import row_of
from ayni_agent.outbox_steady import SteadyOutbox
from ayni_core.clockwatch import Moment
from ayni_core.keeping import Keep
from ayni_core.wire import codec
from ayni_core.wire.frame import ANSWERED, DevicePolls, Frame
from ayni_core.wire.messages import HubState
from ayni_hub import command_backup
from ayni_hub.backups import layout, nightly
from ayni_hub.backups.config import BackupConfig, Folder
from ayni_hub.backups.layout import Layout
from ayni_hub.embedded import EmbeddedStore
from ayni_hub.ledger import Ledger
from ayni_io import accounts, broker, clock, yamlwrite
from ayni_io.mqtt import BrokerConfig, BrokerReference
from ayni_io.secret import Secret

NODES = ("pi-a", "pi-b")
ACCOUNTS = ("h-hub", *(f"n-{node}" for node in NODES))


class Monitor:
    """The agent's courier over its outbox on disk, fed with numbered frames; it may be started anew."""

    def __init__(
        self, node: str, folder: Path, config: BrokerConfig, epoch: str = "e1", sent: int = 0
    ) -> None:
        self.node, self.sent, self._folder, self._broker = node, sent, folder, config
        folder.mkdir(exist_ok=True)
        self.epoch = epoch
        self.outbox = SteadyOutbox(folder / "agent.sqlite", self._now(), f"boot-{node}")
        given = AgentConfig(
            node=node,
            broker=BrokerReference(
                host="127.0.0.1", port=config.port, username=None, password=None, ca=None, protocol="5"
            ),
            poll_s=60, flush_s=300, encoding="field", state_dir=None, runtime_dir=None, devices={},
        )  # fmt: skip
        contact = Contact("here", clock.monotonic_s())
        self.courier = Courier(given, config, epoch, f"boot-{node}", self.outbox, contact)
        self._begun_s = clock.wall_s() - 86_400.0
        self._task: asyncio.Task[None] | None = None

    def _now(self) -> Moment:
        return Moment(mono_s=clock.monotonic_s(), wall_s=clock.wall_s(), synced=True)

    async def __aenter__(self) -> Monitor:
        self._task = asyncio.create_task(self.courier.run())
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self.outbox.close()

    def send(self, count: int) -> None:
        """Make frames and give them to the courier."""
        for _each in range(count):
            self.sent += 1
            polls = DevicePolls()
            polls.add(0.0, {ANSWERED: 1, COUNT: self.sent, SIGNAL: -60})
            frame = Frame(
                node=self.node, epoch=self.epoch, seq=self.sent, boot=f"boot-{self.node}",
                mono_s=1000.0 + self.sent, wall_s=self._begun_s + 60.0 * self.sent, synced=True,
                next_by_s=310, devices={f"{self.node}-ap": polls},
            )  # fmt: skip
            payload = codec.encode(frame, "field")
            self.outbox.put([row_of(self.epoch, self.sent, payload, clock.monotonic_s())])
        self.flush()
        self.courier.wake()

    def flush(self) -> None:
        """What an agent does with each report: everything to the card."""
        assert self.outbox.write(self._now())

    async def drained(self) -> None:
        """The central has everything."""
        for _each in range(400):
            if not len(self.outbox):
                return
            await asyncio.sleep(0.05)
        pytest.fail(f"{self.node}: {len(self.outbox)} frames wait")


def set_up(root: Path, port: int) -> Layout:
    """A deployed machine below a root, as docs/deploying.md has it; TLS is left out."""
    where = layout.of_machine(root)
    assert where.config_dir and where.accounts
    for path in (where.config_dir / "secrets", where.data_dir, where.accounts.parent):
        path.mkdir(parents=True)
    nodes = {node: {"site": "s"} for node in NODES}
    devices = {
        f"{node}-ap": {"site": "s", "node": node, "address": f"10.0.0.{at + 1}"}
        for at, node in enumerate(NODES)
    }
    network = {"network": {"title": "T"}, "hub": {"address": "hub.lan"}, "sites": {"s": {}}}
    yamlwrite.write(where.network, {**network, "nodes": nodes, "devices": devices})
    password = f"file:{where.config_dir / 'secrets/h-hub'}"
    hub = {
        "broker": {"port": port, "username": "h-hub", "password": password},
        "network": str(where.network),
        "data_dir": str(where.data_dir),
    }
    yamlwrite.write(where.config_dir / "hub.yaml", hub)
    passwords = accounts.prepare(ACCOUNTS, where.config_dir / "secrets")
    accounts.write(where.accounts, accounts.dynamic_security(passwords, {}))
    return where


@contextlib.contextmanager
def central(where: Layout, port: int, logs: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Broker and hub of a machine; what still runs is ended on leaving."""
    found = broker.find_mosquitto()
    if found is None:
        parts.need("mosquitto")
        raise AssertionError
    assert where.accounts and where.config_dir
    config = where.accounts.parent / "mosquitto.conf"
    config.write_text(
        broker.configuration(found, port=port, accounts=where.accounts, data_dir=where.accounts.parent)
    )
    hub = [
        sys.executable,
        "-P",
        "-m",
        "ayni_io.cli",
        "hub",
        "run",
        "--config",
        str(where.config_dir / "hub.yaml"),
    ]
    with parts.running([str(found.program), "-c", str(config)], logs / "broker.log") as first:
        password = (where.config_dir / "secrets/h-hub").read_text().strip()
        parts.wait_until(lambda: broker.accepts("127.0.0.1", port, "h-hub", password), "the broker")
        with parts.running(hub, logs / "hub.log") as second:
            yield [first, second]


def everything(where: Layout, node: str) -> list[float]:
    """Every number that is stored of a monitor, in the order of time."""
    with contextlib.closing(EmbeddedStore(where.data_dir / "store.db")) as store:
        return [value for _at, value in store.raw(f"{node}-ap", COUNT, 0, 4e9)]


def test_a_central_that_died_with_its_disk_is_put_back_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    asyncio.run(drill(tmp_path))


async def drill(folder: Path) -> None:
    keygen, port = parts.need("age-keygen"), parts.free_port()
    parts.need("age")
    private = folder / "key.txt"
    subprocess.run(  # noqa: ASYNC221  nothing else runs yet
        [keygen, "-o", str(private)], check=True, capture_output=True
    )
    public = next(line for line in private.read_text().splitlines() if "public" in line).rpartition(" ")[2]
    where, disk = set_up(folder / "machine", port), folder / "disk"
    disk.mkdir()
    assert where.config_dir
    configs = {
        node: BrokerConfig(
            port=port, username=f"n-{node}",
            password=Secret((where.config_dir / "secrets" / f"n-{node}").read_text().strip()),
        )
        for node in NODES
    }  # fmt: skip
    async with contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(Monitor("pi-a", folder / "a", configs["pi-a"]))
        second = Monitor("pi-b", folder / "b", configs["pi-b"])
        async with second:
            with central(where, port, folder) as programs:
                for monitor in (first, second):
                    monitor.send(5)
                    await monitor.drained()
                backup = BackupConfig(recipients=(public,), to=(Folder(path=disk),), keep=Keep())
                made = await asyncio.to_thread(nightly.run, "hub", where, backup, clock.wall_s())
                assert made.fault == ""
                for monitor in (first, second):
                    monitor.send(5)
                    await monitor.drained()
                second.flush()  # of the first one the card does not know yet what was acknowledged
                for program in reversed(programs):
                    program.send_signal(signal.SIGKILL)
                    await asyncio.to_thread(program.wait)
            shutil.rmtree(folder / "machine")
            for monitor in (first, second):
                monitor.send(3)
        # the second one is started anew before there is a central again
        again = Monitor("pi-b", folder / "b", configs["pi-b"], epoch="e2", sent=second.sent)
        again = await stack.enter_async_context(again)
        file = next(disk.iterdir())
        argv = [str(file), "--identity", str(private), "--root", str(folder / "machine")]
        assert await asyncio.to_thread(command_backup.restore_main, argv) == 0
        again.send(2)
        with central(where, port, folder):
            for monitor in (first, again):
                for _each in range(200):  # it has heard that it is asked
                    if monitor.outbox.state("taken back") is not None:
                        break
                    await asyncio.sleep(0.05)
                await monitor.drained()
    assert everything(where, "pi-a") == [float(number) for number in range(1, 14)]
    assert everything(where, "pi-b") == [float(number) for number in range(1, 16)]
    with contextlib.closing(Ledger(where.data_dir / "ledger.db")) as ledger:
        told = [event.text.context for event in ledger.events(None, 100)]
    assert "event.hub_restored" in told
    assert "event.cloned_node" not in told
    assert "refused" not in (folder / "hub.log").read_text().replace("refused=0", "")


def test_a_monitor_is_asked_once_for_a_return_and_again_for_the_next(tmp_path: Path) -> None:
    config = BrokerConfig(port=1, username="n-pi-a", password=Secret("x"))
    monitor = Monitor("pi-a", tmp_path / "a", config)
    monitor.send(4)
    ack_all(monitor)
    now_s = clock.monotonic_s()
    assert monitor.outbox.take_back("one", 3600.0, now_s) == 4
    assert len(monitor.outbox) == 4
    assert not any(row.live for row in monitor.outbox.due(now_s, 10)), "they are no news"
    ack_all(monitor)
    monitor.outbox.close()
    monitor = Monitor("pi-a", tmp_path / "a", config, sent=4)
    assert monitor.outbox.take_back("one", 3600.0, now_s) == 0
    assert monitor.outbox.take_back("two", 0.0, now_s + 3600.0) == 0, "nothing is so young"
    assert monitor.outbox.take_back("three", 3600.0, clock.monotonic_s()) == 4
    monitor.outbox.close()


def ack_all(monitor: Monitor) -> None:
    from ayni_core.wire.messages import Ack

    monitor.outbox.acknowledge(Ack(epoch=monitor.epoch, stored=((1, monitor.sent),)), clock.wall_s())
    monitor.flush()
    assert not len(monitor.outbox)


def test_a_hub_state_without_a_return_costs_no_byte_more() -> None:
    from ayni_core.wire.shape import pack

    assert b"restored" not in pack(HubState(state="ready", at=1.0))
