"""Tells a search while it runs: a bar on a terminal, a line for each device as soon as it is known."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TextIO

from ayni_agent.discovery.search import Search
from ayni_core.discovery.found import FoundDevice
from ayni_io import found_view
from ayni_io.clock import monotonic_s
from ayni_io.i18n import _, _n

_PAUSE_S, _BAR = 0.2, 24


class Reporter:
    """The bar goes to stderr, lines to stdout; with `quiet` (JSON) there are no lines."""

    def __init__(self, *, quiet: bool) -> None:
        self.search: Search | None = None
        self._quiet = quiet
        self._bar: TextIO | None = sys.stderr if sys.stderr.isatty() else None
        self._next_s = 0.0
        self._told: set[str] = set()

    def changed(self) -> None:
        """Something moved; shown at most five times a second."""
        now = monotonic_s()
        if now < self._next_s or self.search is None:
            return
        self._next_s = now + _PAUSE_S
        if self.search.stage == "naming":
            self.tell(device for device in self.search.devices() if device.snmp == "open" and device.family)
        self._draw(self.search)

    def end(self) -> None:
        """Take the bar away, tell all that was not told yet."""
        self._wipe()
        if self.search is not None:
            self.tell(self.search.devices())

    def tell(self, devices: Iterable[FoundDevice]) -> None:
        """A line for each device that has none yet."""
        if self._quiet:
            return
        for device in devices:
            names = {*device.addresses, *device.macs} or {device.title}
            if not names & self._told:
                self._wipe()
                print(found_view.line(device), flush=True)
            self._told |= names

    def _draw(self, search: Search) -> None:
        if self._bar is None:
            return
        words = {
            "tables": _("reading its tables"),
            "asking": _("asking"),
            "calling": _("calling"),
            "listening": _("listening"),
            "naming": _("what are they?"),
        }
        filled = round(_BAR * min(search.done / search.total, 1)) if search.total else 0
        count = f" {search.done}/{search.total}" if search.total and search.stage != "listening" else ""
        found = _n("{n} found", "{n} found", len(search.devices()))
        text = f"{'█' * filled}{'░' * (_BAR - filled)} {words[search.stage]}{count}, {found}"
        self._bar.write(f"\r\x1b[K{text[:78]}")
        self._bar.flush()

    def _wipe(self) -> None:
        if self._bar is not None:
            self._bar.write("\r\x1b[K")
            self._bar.flush()


def summary(devices: tuple[FoundDevice, ...]) -> str:
    """What was found, in a sentence."""
    answering = sum(device.snmp == "open" for device in devices)
    return _(
        "{found}; SNMP answers on {answering}",
        found=_n("{n} device", "{n} devices", len(devices)),
        answering=answering,
    )
