"""Files that are there whole or not at all, and secrets that only their owner can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_text(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Replace a file in one step: a reader sees the old text or the new one, even after a power cut."""
    import tempfile  # the compressions behind it take their time, and whoever only reads needs none

    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_durably(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Replace a file, and come back when not even a power cut can take it back."""
    write_text(path, text, mode=mode)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Let the disk know now which files a folder holds, and which no more."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def give(path: Path, like: Path) -> None:
    """What root makes belongs to whoever owns `like`: parts of Ayni run as users of their own."""
    if os.geteuid() == 0:
        owner = like.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def write_secret(path: Path, value: str) -> None:
    """Keep a secret in a file of its own, mode 0600."""
    write_text(path, value + "\n", mode=0o600)


def keep_secret(path: Path) -> str:
    """The secret in a file; a new random one is made when there is none yet."""
    if path.is_file():
        return path.read_text(encoding="utf-8").strip()
    value = secrets.token_urlsafe(24)
    write_secret(path, value)
    return value
