"""The central's disk is full: it says so, monitors keep their reports, and when there is room nothing is
missing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import parts
import pytest
from test_restore_drill import Monitor, central, everything, set_up

from ayni_core.wire import topics
from ayni_core.wire.messages import HubState
from ayni_core.wire.shape import unpack
from ayni_io.mqtt import BrokerConfig, MqttClient
from ayni_io.secret import Secret


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own, in memory; guarded, so that nobody fills another one."""
    if os.geteuid() != 0:
        pytest.skip("a small disk needs root, to mount one in memory")
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """A file that leaves no room."""
    assert os.path.ismount(disk)
    path = disk / "filler"
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    return path


def test_a_full_disk_stops_acknowledgements_and_with_room_again_nothing_is_missing(tmp_path: Path) -> None:
    asyncio.run(story(tmp_path))


async def story(folder: Path) -> None:
    parts.need("mosquitto")
    port = parts.free_port()
    with small_disk(folder, "8m") as disk:
        where = set_up(disk / "machine", port)
        assert where.config_dir

        def account(name: str) -> BrokerConfig:
            assert where.config_dir
            password = Secret((where.config_dir / "secrets" / name).read_text().strip())
            return BrokerConfig(port=port, username=name, password=password)

        states: list[str] = []
        listener = MqttClient(account("n-pi-b"), "n-pi-b")
        listener.on_message = lambda _topic, payload, _retained: states.append(
            unpack(HubState, payload).state
        )
        listener.subscribe(topics.HUB)
        listening = asyncio.create_task(listener.run())
        with central(where, port, folder):
            async with Monitor("pi-a", folder / "a", account("n-pi-a")) as monitor:
                monitor.send(5)
                await monitor.drained()
                filler = fill(disk)
                for _each in range(60):
                    monitor.send(20)
                    await asyncio.sleep(0.1)
                    if "store-down" in states:
                        break
                assert states[-1] == "store-down", "said to all"
                await asyncio.sleep(1.0)
                waiting = len(monitor.outbox)
                assert waiting > 0, "nothing is acknowledged that is not stored"
                filler.unlink()
                await monitor.drained()
                sent = monitor.sent
        assert states.index("store-down") < len(states) - 1
        assert "ready" in states[states.index("store-down") :]
        assert everything(where, "pi-a") == [float(number) for number in range(1, sent + 1)]
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
    log = (folder / "hub.log").read_text()
    assert "Traceback" not in log
    assert log.count("store down") <= 3, "one line for each change"
