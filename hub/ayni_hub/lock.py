"""One program at a time works on what a hub remembers: `hub.lock` in its folder is held while it runs."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from ayni_io.i18n import _

NAME = "hub.lock"


class HeldError(Exception):
    """Somebody else works on this folder."""


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder. Raises `HeldError` when somebody else does, `OSError` where it cannot be written."""
    with (folder / NAME).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HeldError(_("{folder}: a hub runs on it", folder=folder)) from None
        yield
