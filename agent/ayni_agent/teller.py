"""Tells the hub how commands go: the newest state of each, progress not too often, what was lost again.

Of one command only the newest state matters, so what waits is bounded by the commands there are; lines of a
progress that was not told yet travel with the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from ayni_core.commands import FINAL
from ayni_core.wire.messages import CommandState
from ayni_io.mqtt import MqttError
from ayni_io.waiting import Clock, within

PROGRESS_EVERY_S = 1.0
AGAIN_S = 30.0
_TELL_S = 20.0
_MOST_LINES = 100


class Teller:
    """`tell` sends one state and says whether the hub heard it; `told` hears of final ones that were heard;
    `again` is called when all was quiet for a while, to send once more what nobody heard."""

    def __init__(
        self,
        tell: Callable[[CommandState], Awaitable[bool]],
        told: Callable[[str], None],
        again: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._tell = tell
        self._told = told
        self._again = again
        self._clock = clock
        self._waiting: dict[tuple[str, str], CommandState] = {}
        self._last_s: dict[str, float] = {}
        self._something = asyncio.Event()

    def send(self, state: CommandState) -> CommandState:
        """To be told as soon as may be; the state as it will be told."""
        if state.do == "hello":
            self._waiting[state.id, "hello"] = state
        elif state.state == "running":
            before = self._waiting.get((state.id, "running"))
            if before is not None:
                state = replace(state, lines=(before.lines + state.lines)[-_MOST_LINES:])
            self._waiting[state.id, "running"] = state
        else:
            self._waiting.pop((state.id, "running"), None)  # it is older, and may say less
            self._waiting[state.id, "news"] = state
        self._something.set()
        return state

    async def run(self) -> None:
        """Tell what there is to tell, until cancelled."""
        while True:
            self._something.clear()
            wait_s = await self._round()
            try:
                await within(self._clock, wait_s, self._something.wait())
            except TimeoutError:
                if wait_s == AGAIN_S:
                    self._again()

    async def _round(self) -> float:
        """Everything that is due; how long the rest may wait."""
        wait_s = AGAIN_S
        for key, state in list(self._waiting.items()):
            now = self._clock.now()
            if key[1] == "running" and (left := self._last_s.get(state.id, 0.0) + PROGRESS_EVERY_S - now) > 0:
                wait_s = min(wait_s, left)
                continue
            if self._waiting.get(key) is not state:
                continue  # a newer one came meanwhile: its turn is next
            del self._waiting[key]
            self._last_s[state.id] = now
            final = state.state in FINAL and state.do != "hello"
            if final:
                del self._last_s[state.id]
            if await self._heard(state) and final:
                self._told(state.id)
        return wait_s

    async def _heard(self, state: CommandState) -> bool:
        try:
            return await within(self._clock, _TELL_S, _call(self._tell, state))
        except (TimeoutError, MqttError):
            return False


async def _call(tell: Callable[[CommandState], Awaitable[bool]], state: CommandState) -> bool:
    return await tell(state)
