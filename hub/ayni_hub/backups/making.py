"""One backup made: from what lies on this machine to bytes on their way."""

from __future__ import annotations

import io
import sqlite3
import tarfile
from collections.abc import Callable, Sequence
from typing import BinaryIO

from ayni_hub.backups import age, snapshot
from ayni_hub.backups.archive import Writer
from ayni_hub.backups.errors import BackupError
from ayni_hub.backups.layout import Layout
from ayni_io.i18n import _

LARGEST_FILE = 64 * 1024 * 1024
"""What is no database is small; an inventory of ten thousand sites has this much at most."""


def make(
    layout: Layout,
    recipients: Sequence[str],
    write: Callable[[bytes], object],
    at: float,
    progress: Callable[[float], None] = lambda _share: None,
) -> None:
    """Hand a backup to `write`, piece by piece; without recipients it is not encrypted and has no secrets.
    Raises `BackupError`, and what `write` raises."""
    if not layout.databases():
        raise BackupError(_("{path}: nothing is kept there", path=layout.data_dir))
    if recipients:
        with age.sealing(recipients, write) as out:
            _fill(layout, out, at, progress, secrets=True)
    else:
        _fill(layout, _Through(write), at, progress, secrets=False)  # type: ignore[arg-type]


def _fill(
    layout: Layout, out: BinaryIO, at: float, progress: Callable[[float], None], *, secrets: bool
) -> None:
    databases = layout.databases()
    whole = sum(path.stat().st_size for path in databases.values()) or 1
    done = 0

    def told(count: int) -> None:
        nonlocal done
        done += count
        progress(min(done / whole, 1.0))

    try:
        writer = Writer(out, {"at": at, "layout": layout.kind}, told)
        for name, path in databases.items():
            snapshot.hand_out(path, name, writer.add)
        for name, path in layout.files(secrets=secrets).items():
            body = path.read_bytes()
            if len(body) > LARGEST_FILE:
                raise BackupError(_("{path}: is too large to be what it should be", path=path))
            writer.add(name, io.BytesIO(body), len(body))
        writer.close()
    except BrokenPipeError:
        raise  # whoever reads says why it does not any more
    except (sqlite3.Error, tarfile.TarError) as error:
        raise BackupError(_("the backup could not be made: {reason}", reason=error)) from error
    except PermissionError as error:
        raise BackupError(
            _("{path}: cannot be read: {reason}", path=error.filename, reason=error.strerror)
        ) from error


class _Through:
    """A file that hands on."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def write(self, piece: bytes) -> int:
        self._write(piece)
        return len(piece)

    def flush(self) -> None:
        """Nothing waits here."""
