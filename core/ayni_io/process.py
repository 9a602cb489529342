"""Process set-up that every long-running part shares: logging to stderr, and a clean stop on a signal."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from typing import Any

OWN_DEVICES = 20
"""The exit status by which the console says to the demo: the person wants their own network now."""


def set_up_logging(verbose: bool = False) -> None:
    """One line an event on stderr; without a time where systemd's journal adds its own."""
    form = (
        "%(name)s: %(message)s" if os.environ.get("JOURNAL_STREAM") else "%(asctime)s %(name)s: %(message)s"
    )
    logging.basicConfig(
        stream=sys.stderr, level=logging.DEBUG if verbose else logging.INFO, format=form, datefmt="%H:%M:%S"
    )
    for noisy in ("asyncio", "paho"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def run_until_stopped(main: Coroutine[Any, Any, int]) -> int:
    """Run `main`; SIGTERM and SIGINT cancel it, and it has the chance to finish tidily. Its exit status."""

    async def guarded() -> int:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(NotImplementedError, ValueError):
                loop.add_signal_handler(number, task.cancel)
        try:
            return await main
        except asyncio.CancelledError:
            return 0

    return asyncio.run(guarded())
