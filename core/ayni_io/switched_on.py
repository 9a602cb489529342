"""Services of this machine switched on by who sets it up: where systemd runs it and has their units."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from ayni_io import program

_SYSTEMD = Path("/run/systemd/system")
_WITHIN_S = 150.0
"""A unit that never gets ready is given up by systemd within that time."""


def switch_on(units: Sequence[str], *, systemctl: str = "systemctl", systemd: Path = _SYSTEMD) -> str | None:
    """Enable and (re)start units. Empty: they run. None: that is somebody else's, for systemd does not run
    this machine, has no such unit, or we are not root. Else what systemd said against it."""
    if not systemd.is_dir() or os.geteuid() != 0:
        return None
    try:
        return asyncio.run(_switch_on(units, systemctl))
    except OSError:
        return None


async def _switch_on(units: Sequence[str], systemctl: str) -> str | None:
    known = await program.run((systemctl, "cat", "--no-pager", *units), _WITHIN_S)
    if known.status != 0:
        return None
    for what in ("enable", "restart"):
        ended = await program.run((systemctl, what, *units), _WITHIN_S)
        if ended.status != 0:
            return " ".join(ended.output.split())[:300] or f"systemctl {what}: {ended.status}"
    return ""
