"""How far long work is: one line on the terminal that is drawn over, and nothing where there is none."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TextIO

_EVERY_S = 0.2
_WIDTH = 30


class Progress:
    """Call it with a share, 0 to 1. The line is wiped at the end."""

    def __init__(self, title: str, out: TextIO | None = None) -> None:
        self._title = title
        self._out = out or sys.stderr
        self._shown_s = 0.0
        self._there = self._out.isatty()

    def __call__(self, share: float) -> None:
        """So much is done."""
        now = time.monotonic()
        if self._there and now - self._shown_s >= _EVERY_S:
            self._shown_s = now
            done = round(min(max(share, 0.0), 1.0) * _WIDTH)
            self._out.write(f"\r{self._title} {'#' * done}{'.' * (_WIDTH - done)} {100 * share:3.0f} %")
            self._out.flush()

    def __enter__(self) -> Progress:
        """Nothing is shown yet."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._there and self._shown_s:
            self._out.write("\r\x1b[K")
            self._out.flush()
