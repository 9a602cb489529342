"""Work that blocks, beside the event loop: one thread each, and a stuck one holds up nobody else.

The loop's own pool of threads is shared, and it is waited for at the end of the program: a name server or
a card that never answers would hold up everything that needs a thread, and the end as well. A thread of this
kind is left behind instead; while it is stuck, the same place takes no other work.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class BusyError(Exception):
    """What was begun before has not come back."""


class Aside:
    """At most one thread at a time. Use it from one event loop."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._busy = False

    @property
    def busy(self) -> bool:
        """Whether work goes on, wanted by somebody still or not."""
        return self._busy

    async def run(self, work: Callable[[], T]) -> T:
        """The result of `work`, or what it raised; or `BusyError`. Cancelling leaves it to itself."""
        if self.busy:
            raise BusyError
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def tell(result: Any, error: BaseException | None) -> None:
            self._busy = False
            if done.done():
                return
            if error is None:
                done.set_result(result)
            else:
                done.set_exception(error)

        def whole() -> None:
            result: T | None = None
            error: BaseException | None = None
            try:
                result = work()
            except BaseException as caught:  # it is raised where it is waited for
                error = caught
            try:
                loop.call_soon_threadsafe(tell, result, error)
            except RuntimeError:  # the loop is gone
                return

        try:
            threading.Thread(target=whole, name=self._name, daemon=True).start()
        except RuntimeError:  # the machine has no room for another
            raise BusyError from None
        self._busy = True  # `tell` cannot run before the next await
        return await done
