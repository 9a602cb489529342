"""Places for backups: a small port, and a folder behind it.

What is written is there whole or not at all, and is read again afterwards, from the medium where that can be
told to the system: a stick that swallows what it is given is found out at once, not on the day of need."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from ayni_hub.backups.errors import BackupError
from ayni_io import files
from ayni_io.i18n import _

_PIECE = 1024 * 1024


class Place(Protocol):
    """Where backups lie. What goes wrong is a `BackupError`."""

    def names(self) -> list[str]:
        """What lies there."""

    def writing(self, name: str) -> AbstractContextManager[Callable[[bytes], object]]:
        """A new file, there under its name when the block was left well; else nothing is left of it."""

    def reading(self, name: str) -> Iterator[bytes]:
        """What a file holds."""

    def remove(self, name: str) -> None:
        """Take a file away."""


def digest(place: Place, name: str) -> str:
    """The SHA-256 of what lies there."""
    result = hashlib.sha256()
    for piece in place.reading(name):
        result.update(piece)
    return result.hexdigest()


class FolderPlace:
    """A folder. `make`: it is made where it is missing; else it must be there, because it belongs to a disk
    that may not be mounted."""

    def __init__(self, folder: Path, *, make: bool = False) -> None:
        self._folder = folder
        with _told(folder):
            if make:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            elif not folder.is_dir():
                raise BackupError(_("{path}: there is no such folder", path=folder))
            for left in folder.glob(".*.part"):  # of a night when the power went
                left.unlink(missing_ok=True)

    def names(self) -> list[str]:
        """See `Place`."""
        with _told(self._folder):
            return sorted(path.name for path in self._folder.iterdir() if path.is_file())

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[Callable[[bytes], object]]:
        """See `Place`."""
        target, part = self._folder / name, self._folder / f".{name}.part"
        try:
            with _told(target), part.open("wb") as file:
                part.chmod(0o600)

                def write(piece: bytes) -> None:
                    with _told(target):
                        file.write(piece)

                yield write
                file.flush()
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            with _told(target):
                part.replace(target)
                files.sync_folder(self._folder)
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def reading(self, name: str) -> Iterator[bytes]:
        """See `Place`."""
        with _told(self._folder / name), (self._folder / name).open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece

    def remove(self, name: str) -> None:
        """See `Place`."""
        with _told(self._folder / name):
            (self._folder / name).unlink(missing_ok=True)


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """What the disk says, as one sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise BackupError(
                _("{path}: there is no room: {free} MB are free", path=path, free=_free(path))
            ) from error
        raise BackupError(_("{path}: {reason}", path=path, reason=error.strerror or error)) from error


def _free(path: Path) -> int:
    try:
        return shutil.disk_usage(path.parent).free // 1_000_000
    except OSError:
        return 0
