"""What somebody chose once for all screens, such as the language: one word a file, in their own folder."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from pathlib import Path

LANGUAGE, COLOURS = "language", "colours"
_WORD = re.compile(r"[a-z]{2,12}")
_MOST = 20


def folder(environment: Mapping[str, str]) -> Path:
    """Where the choices of this account are kept, as the XDG base directory specification says."""
    base = environment.get("XDG_CONFIG_HOME") or ""
    return (Path(base) if base.startswith("/") else _home(environment) / ".config") / "ayni"


def read(name: str, environment: Mapping[str, str]) -> str:
    """The word chosen; empty where there is none, or none that can be read."""
    try:
        with (folder(environment) / name).open(encoding="ascii") as file:
            word = file.read(_MOST).strip()
    except (OSError, ValueError):
        return ""
    return word if _WORD.fullmatch(word) else ""


def write(name: str, word: str, environment: Mapping[str, str]) -> str:
    """Remember a word, for the programs started later; why that failed, else nothing."""
    from ayni_io import files  # every command reads a choice when it starts, hardly any writes one

    place = folder(environment)
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write_text(place / name, word + "\n", mode=0o600)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _home(environment: Mapping[str, str]) -> Path:
    home = environment.get("HOME", "")
    if not home:
        with contextlib.suppress(RuntimeError, OSError):
            return Path.home()
    return Path(home or "/nonexistent")
