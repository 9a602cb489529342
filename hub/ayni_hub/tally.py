"""Counts what happens again and again, so that it is told at once, and then now and then with its number."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


@dataclass(slots=True)
class _Entry:
    count: int = 0
    detail: str = ""
    told_at: float | None = None


class Tally(Generic[Key]):
    """One count for each key. `due` gives a key at its first time, and not again within `every_s`.

    Keys come from the network: at most `most` are told apart, what comes beyond has `overflow` as its key.
    """

    def __init__(self, every_s: float, overflow: Key, most: int = 500) -> None:
        self._every_s = every_s
        self._overflow = overflow
        self._most = most
        self._entries: dict[Key, _Entry] = {}

    def add(self, key: Key, detail: str = "", count: int = 1) -> None:
        """It happened again; `detail` is told with the last one."""
        entry = self._entries.get(key)
        if entry is None:
            known = key if len(self._entries) < self._most else self._overflow
            entry = self._entries.setdefault(known, _Entry())
        entry.count += count
        entry.detail = detail

    def due(self, now: float) -> list[tuple[Key, int, str]]:
        """(key, how often since it was told, the last detail) of what is to be told now."""
        found = []
        for key, entry in list(self._entries.items()):
            told_at = entry.told_at
            if told_at is not None and 0 <= now - told_at < self._every_s:
                continue
            if entry.count:
                found.append((key, entry.count, entry.detail))
                entry.count, entry.told_at = 0, now
            else:
                del self._entries[key]  # silent for a whole turn: the next time is a first time
        return found
