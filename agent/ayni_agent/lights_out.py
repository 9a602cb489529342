"""Switching this machine off before its battery is empty (`ayni_core.low_battery` says when).

The agent itself has no right to do so. It says good-bye to the central first, then leaves a file in its
folder in memory; a unit of systemd that waits for it does the rest (deploy/systemd/ayni-poweroff.path).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ayni_core import low_battery
from ayni_core.low_battery import Seen, Shutdown
from ayni_core.message import Message
from ayni_core.readings import Poll
from ayni_core.wire.note import FrameNote
from ayni_io import clock, files

log = logging.getLogger("agent")
FILE = "poweroff"
"""In the folder in memory: how many seconds later to wake up, or nothing."""
_FAREWELL_S = 30.0
_LOOK_S = 0.5


class LightsOut:
    """One agent's. `say` takes a note that goes at once; `waiting` is how many reports the central lacks."""

    def __init__(
        self,
        rule: Shutdown | None,
        folder: Path | None,
        say: Callable[[FrameNote], None],
        waiting: Callable[[], int],
        now_s: Callable[[], float] = clock.monotonic_s,
    ) -> None:
        self._rule, self._folder = rule, folder
        self._say, self._waiting, self._now_s = say, waiting, now_s
        self._seen = Seen()
        self._due = asyncio.Event()
        if rule is not None and folder is None:
            log.warning("shutdown not possible: expected a runtime_dir for its file")

    def use(self, rule: Shutdown | None) -> None:
        """Another rule is in force."""
        if rule != self._rule:
            self._rule, self._seen = rule, Seen()

    def take(self, poll: Poll) -> None:
        """A poll that was just made."""
        if self._rule is None or self._folder is None:
            return
        before = self._seen
        self._seen = low_battery.look(self._rule, before, poll)
        if (before.since_s is None) != (self._seen.since_s is None):
            log.info(
                "battery %s device=%s value=%g",
                "well again" if self._seen.since_s is None else "low",
                self._rule.device, self._seen.value or 0.0,
            )  # fmt: skip
        if low_battery.is_time(self._rule, self._seen, self._now_s()):
            self._seen = replace(self._seen, asked_s=self._now_s())
            self._due.set()

    async def run(self) -> None:
        """Switch off when it is time; until cancelled."""
        while True:
            await self._due.wait()
            self._due.clear()
            rule, folder = self._rule, self._folder
            if rule is not None and folder is not None:
                await self._switch_off(rule, folder)

    async def _switch_off(self, rule: Shutdown, folder: Path) -> None:
        value = round(self._seen.value or 0.0, 1)
        log.warning("switching off device=%s value=%g", rule.device, value)
        text = Message("note.lights_out", {"device": rule.device, "value": value, "unit": rule.unit})
        self._say(FrameNote(at_s=self._now_s(), text=text, level="critical", device=rule.device))
        until_s = self._now_s() + _FAREWELL_S
        await asyncio.sleep(2 * _LOOK_S)  # the frame is being closed
        while self._waiting() and self._now_s() < until_s:  # noqa: ASYNC110  nobody tells when all is there
            await asyncio.sleep(_LOOK_S)
        wake = "" if rule.wake_s is None else f"{rule.wake_s:.0f}"
        try:
            await asyncio.to_thread(files.write_text, folder / FILE, f"{wake}\n")
        except OSError as error:
            log.error("switching off failed file=%s cause=%s", folder / FILE, error.strerror or error)
