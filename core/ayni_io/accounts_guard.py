"""A good copy of the file in which Mosquitto keeps its accounts.

Mosquitto 2.0 writes that file in place: opened, emptied, written, never synced (seen with strace: 2.0.11
opens the file itself and then renames it onto itself). A power cut in that moment leaves half a file or none,
with which the broker does not start: nobody gets in any more. So a copy is made, whole and synced, whenever
the file is good, and put back before a start where it is not. It may be one change older; nodes then try the
password before.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from ayni_io import files

_LARGEST = 64 << 20
_LOOKS, _PAUSE_S = 10, 0.1
"""A file that is bad for so long is not being written: that takes milliseconds."""


def copy_of(path: Path) -> Path:
    """Where the copy is."""
    return path.with_name(f"{path.name}.good")


def guard(path: Path) -> str:
    """`kept`: the copy is as the file now; `same`: it was; `restored`: the file is as the copy again; `lost`:
    neither is good; `none`: there is no file yet. Raises `OSError`."""
    copy = copy_of(path)
    if not path.exists() and not copy.exists():
        return "none"
    text, good = _read(path), _read(copy)
    for _ in range(_LOOKS if text is None else 0):
        time.sleep(_PAUSE_S)  # the broker may be writing just now
        text = _read(path)
        if text is not None:
            break
    if text is not None:
        if text == good:
            return "same"
        _write(copy, text, path)
        return "kept"
    if good is None:
        return "lost"
    _write(path, good, copy)
    return "restored"


def _read(path: Path) -> str | None:
    """The text of a file that the plugin can read; else None."""
    try:
        text = path.read_bytes()[:_LARGEST].decode("utf-8")
        document = json.loads(text)
    except (FileNotFoundError, ValueError):
        return None
    whole = isinstance(document, dict) and document.get("clients") and document.get("roles")
    return text if whole else None


def _write(path: Path, text: str, like: Path) -> None:
    """Whole, and of the same owner."""
    files.write_durably(path, text, mode=0o600)
    files.give(path, like)
