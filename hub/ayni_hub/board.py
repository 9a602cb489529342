"""The board: what is retained for people, always as it is now.

What could not be published stays to be published; by then it may say something else, so the words are asked
for at the last moment. After each connection all is told, and what somebody before us left retained goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable
from typing import Any

from ayni_core.wire import topics

ALERTS = topics.alert("")
_LOOK_S = 1.0


class Board:
    """`current` gives what a topic should say now, empty for one that is over; `publish` publishes retained
    and is False when that failed; `spawn` lets it do so in the background."""

    def __init__(
        self,
        current: Callable[[str], bytes],
        publish: Callable[[str, bytes], Awaitable[bool]],
        spawn: Callable[[Coroutine[Any, Any, object]], None],
    ) -> None:
        self._current, self._publish, self._spawn = current, publish, spawn
        self._unsent: set[str] = set()
        self._retained: set[str] = set()

    def found(self, topic: str) -> None:
        """Something is retained there."""
        self._retained.add(topic)

    def connected(self) -> None:
        """A new connection: what is retained will be heard again."""
        self._retained.clear()

    def put(self, changed: Iterable[str]) -> None:
        """These topics have something new to say."""
        self._unsent |= set(changed)

    def send(self) -> None:
        """Publish what has something new to say; there must be a connection."""
        unsent, self._unsent = self._unsent, set()
        for topic in sorted(unsent, key=lambda each: each.startswith(ALERTS)):  # the picture first
            self._spawn(self._say(topic))

    async def _say(self, topic: str) -> None:
        if not await self._publish(topic, self._current(topic)):
            self._unsent.add(topic)

    async def tell_all(self, all_: Collection[str]) -> None:
        """After connecting: the whole of it; then clear away what an older one left."""
        self.put(all_)
        self.send()
        await asyncio.sleep(_LOOK_S)
        for topic in self._retained:
            if not self._current(topic):
                await self._publish(topic, b"")
