"""Questions wait their turn: a few of each person at a time, one of each person after the other.

Whoever asks faster than the hub answers is refused, and told so; the others do not notice.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from ayni_core.wire.questions import MAX_QUESTION
from ayni_hub.tally import Tally

log = logging.getLogger("hub")
MOST_WAITING = 64
"""Of one person. A console asks some ten at once when a page opens."""
_MOST_REFUSALS = 1000
_MOST_PEOPLE = 500
_WORKERS, _MOST_UNDER_WAY = 4, 3
"""So many are answered at a time, of one person less: one is left for whoever comes next."""
_LOG_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it came: who, where the answer goes, and its bytes."""

    user: str
    topic: str
    payload: bytes


class Questions:
    """`answer` and `refuse` each see one question through; `run` goes on until it is cancelled."""

    def __init__(
        self, answer: Callable[[Asked], Awaitable[None]], refuse: Callable[[str], Awaitable[None]]
    ) -> None:
        self._answer = answer
        self._refuse = refuse
        self._waiting: dict[str, deque[Asked]] = {}
        self._under_way: dict[str, int] = {}
        self._refusals: deque[str] = deque()
        self._refused: Tally[str] = Tally(_LOG_EVERY_S, "")
        self._wake = asyncio.Semaphore(0)
        self._passed_over = 0

    def put(self, asked: Asked) -> None:
        """Take a question, or refuse it when too many of the same person wait."""
        asked = replace(asked, payload=asked.payload[: MAX_QUESTION + 1])  # what is longer is refused anyway
        queue = self._waiting.get(asked.user)
        waiting = (len(queue) if queue else 0) + self._under_way.get(asked.user, 0)
        if waiting < MOST_WAITING and (queue or len(self._waiting) < _MOST_PEOPLE):
            self._waiting.setdefault(asked.user, deque()).append(asked)
        elif len(self._refusals) < _MOST_REFUSALS:
            self._refusals.append(asked.topic)
            self._refused.add(asked.user)
        else:
            self._refused.add(asked.user)
            return
        self._wake.release()

    def write(self, now: float) -> None:
        """Who was refused, into the log."""
        for user, count, _detail in self._refused.due(now):
            log.warning("questions refused user=%s count=%d", user, count)

    async def run(self) -> None:
        """Answer, a few at a time."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(_WORKERS):
                tasks.create_task(self._work())

    async def _work(self) -> None:
        while True:
            await self._wake.acquire()
            asked = self._next()
            if asked is None:
                if self._refusals:
                    await self._refuse(self._refusals.popleft())
                else:  # all who wait have as much under way as they may
                    self._passed_over += 1
                continue
            self._under_way[asked.user] = self._under_way.get(asked.user, 0) + 1
            try:
                await self._answer(asked)
            finally:
                left = self._under_way.pop(asked.user) - 1
                if left:
                    self._under_way[asked.user] = left
                if self._passed_over:
                    self._passed_over -= 1
                    self._wake.release()

    def _next(self) -> Asked | None:
        """The oldest question of the person whose turn it is; None: of all that is to be done, a refusal."""
        for user, queue in self._waiting.items():
            if self._under_way.get(user, 0) >= _MOST_UNDER_WAY:
                continue
            asked = queue.popleft()
            del self._waiting[user]  # behind all others, if there is more
            if queue:
                self._waiting[user] = queue
            return asked
        return None
