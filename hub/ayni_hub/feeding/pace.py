"""How much of a backlog may follow: what the budget of a day leaves, saved up for a few minutes at most.

Everything that is sent is paid for. News go in any case, on credit if need be; a backlog waits until there is
something left.
"""

from __future__ import annotations

_MB = 1_000_000
_DAY_S = 86_400.0
_SAVED_S = 600.0
_LEAST_SAVED = 64 * 1024
_OVERHEAD = 80
"""Of IP, TCP, TLS and MQTT around a message, there and back."""


class Pace:
    """`mb_per_day` None: no limit."""

    def __init__(self, mb_per_day: float | None) -> None:
        self._rate = None if mb_per_day is None else mb_per_day * _MB / _DAY_S
        self._most = max(_LEAST_SAVED, (self._rate or 0.0) * _SAVED_S)
        self._left = self._most
        self._at_s: float | None = None

    def allows(self, now_s: float) -> bool:
        """Whether something may be sent that can wait; `now_s` is monotonic."""
        if self._rate is None:
            return True
        if self._at_s is not None:
            self._left = min(self._most, self._left + self._rate * max(0.0, now_s - self._at_s))
        self._at_s = now_s
        return self._left > 0

    def spend(self, size_bytes: int) -> None:
        """A message of so many bytes was sent."""
        if self._rate is not None:
            self._left -= size_bytes + _OVERHEAD
