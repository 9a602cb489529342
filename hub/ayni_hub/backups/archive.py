"""The form of a backup: a tar archive, packed, written and read from its beginning to its end in one go.

First comes `backup.json`, which says what it is, last `digests.json` with the SHA-256 of each file: of a
store that is read while others write nobody knows it before."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ayni_core import __version__
from ayni_hub.backups.errors import BackupError
from ayni_io.i18n import _

KIND = "ayni hub backup"
FORM = 2
_ABOUT, _DIGESTS = "backup.json", "digests.json"
_LARGEST_WORD = 1024 * 1024
_PIECE = 1024 * 1024
_LEVEL = 1
"""Most of it is packed already: more would cost a Pi minutes for one part in a hundred."""


class Writer:
    """Writes one; `progress` hears how many bytes were read."""

    def __init__(
        self,
        out: BinaryIO,
        about: Mapping[str, object],
        progress: Callable[[int], None] = lambda _count: None,
    ) -> None:
        self._packed = gzip.GzipFile(filename="", fileobj=out, mode="wb", compresslevel=_LEVEL, mtime=0)
        self._archive = tarfile.open(fileobj=self._packed, mode="w|", bufsize=_PIECE)  # noqa: SIM115  `close`
        self._digests: dict[str, str] = {}
        self._progress = progress
        self._at = int(float(str(about.get("at", 0))))
        self._word(_ABOUT, {"kind": KIND, "form": FORM, "version": __version__, **about})

    def add(self, name: str, file: BinaryIO, size: int) -> None:
        """Exactly `size` bytes of a file; zeros where it has become shorter."""
        source = _Source(file, size, self._progress)
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = size, 0o600, self._at
        self._archive.addfile(entry, source)
        self._digests[name] = source.digest()

    def close(self) -> None:
        """All of it was added."""
        self._word(_DIGESTS, self._digests)
        self._archive.close()
        self._packed.close()

    def _word(self, name: str, value: object) -> None:
        body = json.dumps(value, indent=1).encode()
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = len(body), 0o600, self._at
        self._archive.addfile(entry, io.BytesIO(body))


class _Source:
    """What is read, hashed; filled up with zeros."""

    def __init__(self, file: BinaryIO, size: int, progress: Callable[[int], None]) -> None:
        self._file, self._left, self._progress = file, size, progress
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        piece = self._file.read(wanted)
        piece += bytes(wanted - len(piece))
        self._left -= wanted
        self._hash.update(piece)
        self._progress(wanted)
        return piece

    def digest(self) -> str:
        return self._hash.hexdigest()


def read(
    path: Path,
    stream: BinaryIO,
    take: Callable[[str, BinaryIO], None],
    begin: Callable[[Mapping[str, Any]], None] = lambda _about: None,
) -> Mapping[str, Any]:
    """Hand every file of a backup to `take`, which reads it to its end; what the backup says of itself.
    `begin` hears that before. `path` is for what is told. Raises `BackupError`; then nothing that was taken
    is sound."""
    try:
        with (
            gzip.GzipFile(fileobj=stream, mode="rb") as packed,
            tarfile.open(fileobj=packed, mode="r|", bufsize=_PIECE) as archive,
        ):
            return _read(path, archive, take, begin)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BackupError(
            _("{path}: not a backup that can be read: {reason}", path=path, reason=error)
        ) from error


def _read(
    path: Path,
    archive: tarfile.TarFile,
    take: Callable[[str, BinaryIO], None],
    begin: Callable[[Mapping[str, Any]], None],
) -> Mapping[str, Any]:
    first = archive.next()
    about = _json(archive, first) if first is not None and first.name == _ABOUT else None
    if about is None or about.get("kind") != KIND or about.get("form") != FORM:
        raise BackupError(_("{path}: not a backup of this version of Ayni", path=path))
    begin(about)
    found: dict[str, str] = {}
    promised: Mapping[str, Any] | None = None
    while (entry := archive.next()) is not None:
        if entry.name == _DIGESTS:
            promised = _json(archive, entry)
            break
        file = archive.extractfile(entry) if entry.isreg() else None
        if file is None or entry.name in found:
            raise BackupError(
                _("{path}: {name} does not belong into a backup", path=path, name=entry.name[:80])
            )
        source = _Source(file, entry.size, lambda _count: None)  # type: ignore[arg-type]
        take(entry.name, source)  # type: ignore[arg-type]
        found[entry.name] = source.digest()
    if promised is None:
        raise BackupError(_("{path}: it is cut: its end is missing", path=path))
    wrong = sorted(name for name in found.keys() | promised.keys() if found.get(name) != promised.get(name))
    if wrong:
        raise BackupError(_("{path}: {name} is damaged", path=path, name=wrong[0][:80]))
    return about


def _json(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> Mapping[str, Any] | None:
    file = archive.extractfile(entry) if entry.isreg() and entry.size <= _LARGEST_WORD else None
    if file is None:
        return None
    try:
        value = json.loads(file.read())
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
