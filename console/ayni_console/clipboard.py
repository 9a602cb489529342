"""The file that `c` writes, for terminals that take nothing into their clipboard."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ayni_io.i18n import _


def default_path(environment: Mapping[str, str]) -> Path:
    """`copied.txt` in the user's state folder."""
    base = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "ayni" / "copied.txt"


def write(path: Path, text: str) -> str:
    """Replace the file's text, readable for its owner only; a sentence when that fails, else nothing."""
    fresh = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        fresh.replace(path)
    except OSError as error:
        return _("Copied; no file: {reason}", reason=error.strerror)
    return ""


def short(path: Path) -> str:
    """The path as people write it, with `~` for home."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except ValueError:
        return str(path)
