"""Where scripts keep what they could make again: a folder of the user's cache (XDG)."""

from __future__ import annotations

import os
from pathlib import Path


def cache(name: str) -> Path:
    """The folder of this purpose; it need not be there."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ayni" / name
