"""What has arrived and is not stored yet: a line for each sender, and whoever cost least lately is next.

So a sender that floods us, or whose reports are heavy, waits behind itself and not before the others
(start-time fair queueing, Goyal, Vin and Cheng 1996, with seconds of work in place of bytes). Of the room a
sender may hold as much as it leaves free: alone half of it, of ten who all want more each an eleventh.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Mapping

from ayni_hub.ingest import Arrival

MOST_BYTES = 64 * 1024 * 1024
_LARGEST_BATCH, _HISTORY_BYTES = 200, 64 * 1024
_MOST_S = 0.1
"""Of work in one batch, as far as it is known before: so long others wait for their acknowledgement."""
_HISTORY_TURN = 4
"""While news never end, each fourth batch is of a backlog."""
_LEARN = 0.25
_LEAST_S = 0.0001
"""Of work for one, in whose turn it is: of two who cost nothing yet each has its turn."""
_OVERHEAD = 256
_MOST_SENDERS = 10_000
Lines = dict[str, deque[Arrival]]


class Inbox:
    """Put in by sender; taken out in batches: news before a backlog, of that a little at a time."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self.size_bytes = 0
        self._news: Lines = {}
        self._old: Lines = {}
        self._held: dict[str, int] = {}
        self._used: dict[str, float] = {}
        self._each: dict[str, float] = {}
        self._floor = 0.0
        self._turn = 0

    def __len__(self) -> int:
        """How many wait."""
        return sum(map(len, self._news.values())) + sum(map(len, self._old.values()))

    def __bool__(self) -> bool:
        """Whether any waits."""
        return bool(self._news or self._old)

    def put(self, sender: str, arrival: Arrival) -> bool:
        """Take one; False where its sender holds too much already."""
        size, held = len(arrival.payload) + _OVERHEAD, self._held.get(sender, 0)
        if held + size > self._most - self.size_bytes:
            return False
        if not held:
            self._used[sender] = max(self._used.get(sender, 0.0), self._floor)
        lines = self._old if arrival.topic.endswith("/history") else self._news
        lines.setdefault(sender, deque()).append(arrival)
        self._held[sender] = held + size
        self.size_bytes += size
        return True

    def take(self) -> list[Arrival]:
        """The next batch."""
        self._turn += 1
        if self._old and (not self._news or self._turn % _HISTORY_TURN == 0):
            return self._pick(self._old, _HISTORY_BYTES)
        return self._pick(self._news, self._most)

    def charge(self, costs: Mapping[str, tuple[int, float]]) -> None:
        """What a batch has cost: by sender how many there were, and seconds of work."""
        for sender, (count, spent_s) in costs.items():
            self._used[sender] = self._used.get(sender, self._floor) + spent_s
            before = self._each.get(sender, 0.0)
            self._each[sender] = before + _LEARN * (spent_s / max(count, 1) - before)
        if len(self._used) > _MOST_SENDERS:
            for each in [name for name in self._used if name not in self._held]:
                del self._used[each]
                self._each.pop(each, None)

    def _pick(self, lines: Lines, most_bytes: int) -> list[Arrival]:
        turns = [(self._used.get(sender, 0.0), sender) for sender in lines]
        heapq.heapify(turns)
        if turns:
            self._floor = max(self._floor, turns[0][0])
        batch: list[Arrival] = []
        size, expected_s = 0, 0.0
        while turns and len(batch) < _LARGEST_BATCH and size < most_bytes and expected_s < _MOST_S:
            used, sender = turns[0]
            line = lines[sender]
            arrival = line.popleft()
            batch.append(arrival)
            size += len(arrival.payload)
            each = self._each.get(sender, 0.0)
            expected_s += each
            self._let_go(sender, len(arrival.payload) + _OVERHEAD)
            if line:
                heapq.heapreplace(turns, (used + max(each, _LEAST_S), sender))
            else:
                heapq.heappop(turns)
                del lines[sender]
        return batch

    def _let_go(self, sender: str, size: int) -> None:
        self.size_bytes -= size
        left = self._held[sender] - size
        if left:
            self._held[sender] = left
        else:
            del self._held[sender]
