"""A table of views that are decoded when somebody looks at them.

A first screen shows every link, and names a few of thousands of sites and radios: decoding all of them would
keep it waiting, and those that are told anew while nobody looks are never read.
"""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, KeysView, MutableMapping, ValuesView
from typing import Any, TypeVar

from ayni_core.wire.errors import WireError

View = TypeVar("View")
_UNKNOWN: Any = object()


class Late(MutableMapping[str, View]):
    """`decode` gives a view, or raises `WireError`: what was read before stays, and `refused` counts it."""

    def __init__(self, decode: Callable[[bytes], View]) -> None:
        self.refused = 0
        self._decode = decode
        self._views: dict[str, View] = {}
        """In the order in which things were first told of; `_UNKNOWN` for what was not read yet."""
        self._unread: dict[str, bytes] = {}

    def put(self, name: str, payload: bytes) -> None:
        """What was told of a thing, as it came."""
        self._views.setdefault(name, _UNKNOWN)
        self._unread[name] = payload

    def names(self) -> set[str]:
        """What something was told of, whether that can be read or not."""
        return set(self._views)

    def _read(self, name: str) -> None:
        try:
            self._views[name] = self._decode(self._unread.pop(name))
        except WireError:
            self.refused += 1
            if self._views[name] is _UNKNOWN:
                del self._views[name]

    def _all(self) -> dict[str, View]:
        for name in list(self._unread):
            self._read(name)
        return self._views

    def __getitem__(self, name: str) -> View:
        if name in self._unread:
            self._read(name)
        return self._views[name]

    def __setitem__(self, name: str, view: View) -> None:
        self._unread.pop(name, None)
        self._views[name] = view

    def __delitem__(self, name: str) -> None:
        self._unread.pop(name, None)
        del self._views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def keys(self) -> KeysView[str]:
        """All names."""
        return self._all().keys()

    def values(self) -> ValuesView[View]:
        """All views."""
        return self._all().values()

    def items(self) -> ItemsView[str, View]:
        """All names and views."""
        return self._all().items()
