"""Time that passes as soon as there is nothing to do: minutes of waiting in a test that does not wait."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable

import pytest

from ayni_io import clock

Skipping = Callable[[Callable[[], Awaitable[None]]], None]


class _NoWaiting(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now_s += timeout or 0
        return super().select(0)


class SkippedTime(asyncio.SelectorEventLoop):
    """A loop in which time passes as soon as there is nothing to do."""

    def __init__(self) -> None:
        self._skipping = _NoWaiting()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.now_s


@pytest.fixture(name="skipping")
def in_skipped_time(monkeypatch: pytest.MonkeyPatch) -> Skipping:
    """Runs a test in skipped time, which is also the agent's clock."""

    def run(test: Callable[[], Awaitable[None]]) -> None:
        with asyncio.Runner(loop_factory=SkippedTime) as runner:
            monkeypatch.setattr(clock, "monotonic_s", runner.get_loop().time)
            runner.run(test())

    return run
