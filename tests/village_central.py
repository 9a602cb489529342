"""A broker with the village on it and a stand-in for the central that answers, for real programs to meet."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from test_command_status import Central, mosquitto


@contextlib.contextmanager
def village_on_air(folder: Path) -> Iterator[int]:
    """Yields the broker's port on loopback; the central lives in a thread of its own."""
    with mosquitto(folder) as port:
        begun, loop = threading.Event(), asyncio.new_event_loop()
        ended = asyncio.Event()

        async def work() -> None:
            async with Central(port).working():
                begun.set()
                await ended.wait()

        thread = threading.Thread(target=loop.run_until_complete, args=(work(),), daemon=True)
        thread.start()
        assert begun.wait(15)
        try:
            yield port
        finally:
            loop.call_soon_threadsafe(ended.set)
            thread.join(10)
            loop.close()
