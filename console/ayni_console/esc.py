"""Esc at once: Textual waits for the rest of another key after a lone Esc, and looks up every 100 ms only.

So a way back took 100 to 200 ms. The wait is the terminal's `ESCDELAY`, as ncurses calls it; and after a key
the input thread has to look up again as soon as that is over. Its loop has no handle for that, so it is given
another module `selectors`. Textual is pinned, and tests/test_console_slow.py knows that loop.

After any key Textual waits for the next of 60 frames a second: up to 17 ms, twice when a screen is opened.
Here nothing moves by itself, so that more frames a second are no more frames.
"""

from __future__ import annotations

import os
import selectors
from collections.abc import MutableMapping
from types import SimpleNamespace

WAIT_MS, FRAMES_PER_S = 20, 240
_LOOK_UP_S = 0.003


class _Attentive(selectors.SelectSelector):
    """Right after a key it sleeps no longer than a lone Esc waits."""

    _wait_s = float("inf")

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What can be read."""
        found = super().select(min(self._wait_s, timeout or 0.1))
        wait_ms = os.environ.get("ESCDELAY", "")
        self._wait_s = int(wait_ms) / 1000 + _LOOK_UP_S if found and wait_ms.isdecimal() else float("inf")
        return found


def hasten(environment: MutableMapping[str, str] = os.environ) -> None:
    """Before Textual is imported: wait no longer than is good, unless somebody said how long."""
    environment.setdefault("ESCDELAY", str(WAIT_MS))
    environment.setdefault("TEXTUAL_FPS", str(FRAMES_PER_S))
    from textual.drivers import linux_driver

    vars(linux_driver)["selectors"] = SimpleNamespace(
        SelectSelector=_Attentive, EVENT_READ=selectors.EVENT_READ
    )


def hasten_in_browser() -> None:
    """The same where keys come from a browser: Textual reads them in another loop of the same kind."""
    from textual.drivers import _input_reader_linux

    vars(_input_reader_linux)["selectors"] = SimpleNamespace(
        DefaultSelector=_Attentive, EVENT_READ=selectors.EVENT_READ
    )
