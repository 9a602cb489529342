"""A hub that is killed while it stores, compacts and sums up has lost nothing and nothing is doubled."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import store_writer

from ayni_hub.embedded import EmbeddedStore, inspection

KILLS = 12


def test_what_was_safe_before_each_kill_is_there_once_and_in_order(tmp_path: Path) -> None:
    chance, safe = random.Random(1), 0
    for _ in range(KILLS):
        command = [sys.executable, str(Path(store_writer.__file__)), str(tmp_path), str(safe)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline()]
            time.sleep(chance.uniform(0.0, 0.4))
            process.kill()
            lines += process.stdout.readlines()
        told = [int(line) for line in lines if line.endswith("\n")]
        assert told, "the writer said nothing"
        safe = told[-1]
    assert not inspection.look(tmp_path / "store.db").faults
    store = EmbeddedStore(tmp_path / "store.db")
    for _twice in range(2):
        for device in store.devices():
            found = store.raw(device, store_writer.COUNT, 0, 4e9)
            numbers = [number for _at, number in found]
            assert numbers[: safe * store_writer.POLLS] == list(range(safe * store_writer.POLLS))
            assert numbers == sorted(set(numbers)), "one more report may have been written, but never twice"
        while store.upkeep(store_writer.START_S + 400 * 86_400):
            pass
    end = store_writer.START_S + safe * store_writer.FLUSH_S
    steps = store.steps("ap-0", store_writer.SIGNAL, store_writer.START_S, end, 3600.0)
    assert len(steps) == -int(-(end - store_writer.START_S) // 3600)
    store.close()
