"""What the village's judge retains at the server: links, sites, alerts, as few bytes as tell the truth.

What changed in meaning (a state, a cause, an alert) is shown at once. Numbers that only moved wait for
`show_s`: whoever wants them asks the server, which has the readings.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable

_TELLING = (
    "state", "since", "cause", "headline", "level", "silenced_by", "acked_by", "homes", "homes_behind",
    "title", "parent", "maintenance", "flapping", "holds",
)  # fmt: skip
"""Keys whose change means something; the others are numbers on the move."""
_ALL_AGAIN_S = 86_400.0
UNSURE = -1
"""In place of a CRC: something may stand there."""


class Showcase:
    """`shown` is the CRC of what each topic says at the server, as far as is known; times are monotonic."""

    def __init__(self, shown: dict[str, int], current: Callable[[str], bytes], show_s: float) -> None:
        self._shown = shown
        self._current = current
        self._show_s = show_s
        self._meant: dict[str, str] = {}
        self._said_s: dict[str, float] = {}
        self._waiting: set[str] = set(shown)
        self._all_s: float | None = None

    def put(self, topics: Iterable[str]) -> None:
        """These may have something new to say."""
        self._waiting |= set(topics)

    def all(self, topics: Iterable[str], now_s: float) -> None:
        """Everything that has something to say, and what may be left over there; once a day even what is
        known to stand there: brokers lose things."""
        if self._all_s is None or now_s - self._all_s > _ALL_AGAIN_S:
            self._all_s = now_s
            self._shown = dict.fromkeys(self._shown, UNSURE)
        self._waiting |= {*topics, *self._shown}

    def due(self, now_s: float) -> list[tuple[str, bytes]]:
        """(topic, what it says) of what is to be told now."""
        found = []
        for topic in sorted(self._waiting):
            payload = self._current(topic)
            if (zlib.crc32(payload) if payload else None) == self._shown.get(topic):
                self._waiting.discard(topic)
            elif (
                not payload
                or self._shown.get(topic) == UNSURE
                or meaning(payload) != self._meant.get(topic)
                or now_s - self._said_s.get(topic, -self._show_s) >= self._show_s
            ):
                found.append((topic, payload))
        return found

    def begin(self, topic: str) -> bool:
        """It is about to be told: until it was, nobody knows what stands there. True: nothing did before."""
        new = topic not in self._shown
        self._shown[topic] = UNSURE
        return new

    def said(self, topic: str, payload: bytes, now_s: float) -> int | None:
        """It stands there now; what to note of it."""
        crc = zlib.crc32(payload) if payload else None
        self._said_s[topic] = now_s
        if crc is None:
            self._shown.pop(topic, None)
            self._meant.pop(topic, None)
        else:
            self._shown[topic], self._meant[topic] = crc, meaning(payload)
        return crc


def meaning(payload: bytes) -> str:
    """What of a view or an alert must not wait."""
    try:
        value = json.loads(payload)
    except ValueError:
        return ""
    return json.dumps({key: value.get(key) for key in _TELLING}) if isinstance(value, dict) else ""
