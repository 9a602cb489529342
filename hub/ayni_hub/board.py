"""The board: what is retained for people, always as it is now.

What could not be published stays to be published; by then it may say something else, so the words are asked
for at the last moment. After each connection all is told, and what somebody before us left retained goes.

A large network has a hundred thousand topics to tell then. So the board never takes more than half of the
places that a connection has for messages on their way: acknowledgements and answers take the others. And
news goes before what is only told again.
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
    and is False when that failed; `spawn` lets it do so in the background; `places` is how many messages may
    be on their way at once."""

    def __init__(
        self,
        current: Callable[[str], bytes],
        publish: Callable[[str, bytes], Awaitable[bool]],
        spawn: Callable[[Coroutine[Any, Any, object]], None],
        places: Callable[[], int],
    ) -> None:
        self._current, self._publish, self._spawn, self._places = current, publish, spawn, places
        self._news: dict[str, None] = {}
        self._again: dict[str, None] = {}
        self._lanes = 0
        self._retained: set[str] = set()

    def found(self, topic: str) -> None:
        """Something is retained there."""
        self._retained.add(topic)

    def connected(self) -> None:
        """A new connection: what is retained will be heard again."""
        self._retained.clear()

    def put(self, changed: Iterable[str]) -> None:
        """These topics have something new to say: what is seen first, then the alerts that speak of it."""
        for topic in sorted(changed, key=_is_alert):
            self._again.pop(topic, None)
            self._news[topic] = None

    def send(self) -> None:
        """Publish what has something to say; there must be a connection."""
        wanted = min(max(self._places() // 2, 1), len(self._news) + len(self._again))
        for _each in range(wanted - self._lanes):
            self._lanes += 1
            self._spawn(self._lane())

    async def _lane(self) -> None:
        """One after the other, until all is said or one cannot be said."""
        try:
            while self._news or self._again:
                waiting = self._news or self._again
                topic = next(iter(waiting))
                del waiting[topic]
                if not await self._publish(topic, self._current(topic)):
                    self._news.setdefault(topic)
                    return
        finally:
            self._lanes -= 1

    async def tell_all(self, all_: Collection[str]) -> None:
        """After connecting: the whole of it; then clear away what an older one left."""
        for topic in sorted(all_, key=_is_alert):
            if topic not in self._news:
                self._again[topic] = None
        self.send()
        await asyncio.sleep(_LOOK_S)
        left = (topic for topic in self._retained.difference(all_) if not self._current(topic))
        self._again |= dict.fromkeys(left)
        self.send()


def _is_alert(topic: str) -> bool:
    return topic.startswith(ALERTS)
