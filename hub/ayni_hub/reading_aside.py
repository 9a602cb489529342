"""History that is read without holding up the loop: in threads of its own where the store is far away."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ayni_hub.store import Store, StoreError, is_far
from ayni_io.aside import Aside, BusyError

T = TypeVar("T")
_PLACES = 4
"""As many as questions are answered side by side."""


class ReadingAside:
    """At most a few reads at a time; one that hangs ends by its own time-out. Use it from one event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._far = is_far(store)
        self._places = [Aside(f"reading-{number}") for number in range(_PLACES)]

    async def read(self, what: Callable[[Store], T]) -> T:
        """What `what` reads from the store. Raises `StoreError`, also where too many wait for an answer."""
        if not self._far:
            return what(self._store)
        for place in self._places:
            if not place.busy:
                try:
                    return await place.run(lambda: what(self._store))
                except BusyError:
                    continue
        raise StoreError("reading samples: the store has not answered what was asked before")
