"""A part that asks to be started again comes back, whoever supervises it; a dead one only if it shall."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from ayni_io.stack import Part, Stack

COUNTS = """\
import pathlib, sys, time
count = pathlib.Path("count")
started = int(count.read_text()) + 1 if count.exists() else 1
count.write_text(str(started))
if started <= int(sys.argv[1]):
    sys.exit(int(sys.argv[2]))
time.sleep(60)
"""


async def _starts(folder: Path, times: int, status: int) -> tuple[int, bool]:
    """How often a part was started that ends so often with a status, and whether it runs at last."""
    stack = Stack(folder)
    part = Part(name="p", argv=(sys.executable, "-c", COUNTS, str(times), str(status)))
    await stack.start(part)
    try:
        died = asyncio.create_task(stack.died())
        for _each in range(300):
            await asyncio.sleep(0.02)
            count = folder / "count"
            if died.done() or (count.exists() and count.read_text() == str(times + 1)):
                break
        died.cancel()
        return int((folder / "count").read_text()), stack.alive()["p"]
    finally:
        await stack.stop()


def test_a_part_that_asks_for_it_is_started_again(tmp_path: Path) -> None:
    assert asyncio.run(_starts(tmp_path, 1, 75)) == (2, True)


def test_a_part_that_dies_stays_dead_where_nobody_wants_it_back(tmp_path: Path) -> None:
    assert asyncio.run(_starts(tmp_path, 1, 1)) == (1, False)
