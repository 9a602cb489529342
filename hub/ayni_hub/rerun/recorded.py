"""What a central wrote down beside samples, read while it runs: the ledger, never written here."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from ayni_core.wire import WireError
from ayni_core.wire.messages import Event
from ayni_core.wire.shape import unpack
from ayni_hub.baselines import Baseline, baselines_in

_LOCKED_S = 5.0


class Recorded:
    """The ledger in a file. What cannot be read is passed over: it only makes the past poorer."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def events(self, start: float = 0.0, end: float = 1e12) -> list[Event]:
        """What happened, oldest first."""
        found = []
        for (body,) in self._rows("SELECT body FROM event WHERE at>=? AND at<? ORDER BY at", start, end):
            try:
                found.append(unpack(Event, body))
            except WireError:
                continue
        return found

    def began(self, kind: str, name: str, text: str, before: float) -> float | None:
        """When something was last written about a thing by this text, before a time."""
        rows = self._rows(
            "SELECT body FROM event WHERE kind=? AND name=? AND at<? ORDER BY at DESC LIMIT 100", kind, name,
            before,
        )  # fmt: skip
        for (body,) in rows:
            try:
                event = unpack(Event, body)
            except WireError:
                continue
            if event.text.context == text:
                return event.at
        return None

    def hours(self, first: int, end: int) -> dict[str, dict[int, str]]:
        """See `Ledger.hours`; first <= hour < end."""
        found: dict[str, dict[int, str]] = {}
        rows = self._rows("SELECT link, hour, state FROM hour WHERE hour>=? AND hour<?", first, end)
        for link, hour, state in rows:
            found.setdefault(link, {})[hour] = state
        return found

    def baselines(self) -> list[Baseline]:
        """What is normal, as far as it was worked out by now."""
        return list(baselines_in(self._rows("SELECT key, value, at FROM baseline")))

    def _rows(self, asks: str, *values: object) -> Iterator[tuple[Any, ...]]:
        if not self._path.is_file():
            return
        try:
            file = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=_LOCKED_S)
            with closing(file):
                yield from file.execute(asks, values)
        except sqlite3.Error:
            return
