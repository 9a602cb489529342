"""Textual's driver for browsers, without what it says too much, and as quick at Esc as in a terminal.

It would have the browser tell every movement of the mouse; here only clicks and the wheel mean something.
"""

from __future__ import annotations

from textual.drivers.web_driver import WebDriver

from ayni_console import esc

esc.hasten_in_browser()


class BrowserDriver(WebDriver):
    """What a console in a browser draws with; named in TEXTUAL_DRIVER."""

    def start_application_mode(self) -> None:
        """Begin; clicks and the wheel only."""
        super().start_application_mode()
        self._enable_mouse_support()

    def _enable_mouse_support(self) -> None:
        # leaving 1003 leaves every kind of telling, so 1000 comes after it
        self.write("\x1b[?1003l\x1b[?1000h\x1b[?1006h")

    def _disable_mouse_support(self) -> None:
        self.write("\x1b[?1000l\x1b[?1006l")
