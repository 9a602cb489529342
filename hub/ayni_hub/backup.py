"""A backup of what the hub remembers: one file, made while it runs, and put back on another machine.

It is a tar archive with a copy of each SQLite file as of one moment (sqlite.org/backup.html), its SHA-256 in
`backup.json` beside it. The inventory belongs to it too: without it nobody knows what was measured.
"""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from ayni_core import __version__

FILES = ("ledger.db", "store.db", "spool.db", "people.db", "feed.db")
NETWORK = "network.yaml"
_ABOUT = "backup.json"
_KIND = "ayni hub backup"
_PAGES, _PAUSE_S = 512, 0.01
_LARGEST_ABOUT = 64 * 1024


class BackupError(Exception):
    """It could not be made, read or put back; one sentence with the path."""


def make(data_dir: Path, network: Path, target: Path, progress: Callable[[float], None]) -> int:
    """Write a backup; how large it is. `target` appears whole or not at all. Raises `BackupError`."""
    temporary = target.with_name(f".{target.name}.part")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".ayni-backup-") as name:
            folder = Path(name)
            sources = [data_dir / each for each in FILES if (data_dir / each).is_file()]
            if not sources:
                raise BackupError(f"{data_dir}: nothing is kept there")
            for number, source in enumerate(sources):
                _copy(source, folder / source.name, number, len(sources), progress)
            if network.is_file():
                (folder / NETWORK).write_bytes(network.read_bytes())
            files = {each.name: _digest(each) for each in sorted(folder.iterdir())}
            about = {"kind": _KIND, "version": __version__, "at": int(time.time()), "files": files}
            with tarfile.open(temporary, "w:gz", compresslevel=3) as archive:
                body = json.dumps(about, indent=1).encode()
                entry = tarfile.TarInfo(_ABOUT)
                entry.size, entry.mode, entry.mtime = len(body), 0o600, int(time.time())
                archive.addfile(entry, io.BytesIO(body))
                for each in files:
                    archive.add(folder / each, each)
        temporary.chmod(0o600)
        temporary.replace(target)
        return target.stat().st_size
    except (OSError, sqlite3.Error, tarfile.TarError) as error:
        raise BackupError(f"{target}: the backup could not be made: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _copy(source: Path, target: Path, number: int, count: int, progress: Callable[[float], None]) -> None:
    def told(_status: int, remaining: int, total: int) -> None:
        progress((number + 1 - remaining / max(total, 1)) / count)

    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new, pages=_PAGES, progress=told, sleep=_PAUSE_S)


def read_about(path: Path) -> Mapping[str, object]:
    """What a backup says of itself. Raises `BackupError`."""
    try:
        with tarfile.open(path) as archive:
            return _about(path, archive)
    except (OSError, tarfile.TarError, EOFError) as error:
        raise BackupError(f"{path}: not a backup that can be read: {error}") from error


def restore(path: Path, data_dir: Path, network: Path | None) -> Mapping[str, object]:
    """Put a backup back into an empty folder. All is checked before anything stands there. `network` is where
    the inventory goes unless one is there. Raises `BackupError`."""
    taken = [name for name in FILES if (data_dir / name).exists()]
    if taken:
        raise BackupError(f"{data_dir}: {taken[0]} stands there already; expected an empty folder")
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=data_dir, prefix=".restore-") as name:
            folder = Path(name)
            with tarfile.open(path) as archive:
                about = _about(path, archive)
                files = about.get("files")
                if not isinstance(files, dict):
                    raise BackupError(f"{path}: its {_ABOUT} lists no files")
                for each, digest in files.items():
                    if each not in (*FILES, NETWORK):
                        raise BackupError(f"{path}: {each} does not belong into a backup")
                    _take(path, archive, each, folder / each)
                    if _digest(folder / each) != digest:
                        raise BackupError(f"{path}: {each} is damaged")
            for each in FILES:
                if (folder / each).is_file():
                    _check(path, folder / each)
                    (folder / each).chmod(0o600)
                    (folder / each).replace(data_dir / each)
            if network is not None and (folder / NETWORK).is_file() and not network.exists():
                network.write_bytes((folder / NETWORK).read_bytes())
        return about
    except (OSError, tarfile.TarError, EOFError, sqlite3.Error) as error:
        raise BackupError(f"{path}: cannot be put back: {error}") from error


def _about(path: Path, archive: tarfile.TarFile) -> Mapping[str, object]:
    first = archive.next()
    file = archive.extractfile(first) if first is not None and first.name == _ABOUT else None
    if file is None:
        raise BackupError(f"{path}: not a backup of Ayni: no {_ABOUT} at its beginning")
    try:
        about = json.loads(file.read(_LARGEST_ABOUT))
    except ValueError:
        about = None
    if not isinstance(about, dict) or about.get("kind") != _KIND:
        raise BackupError(f"{path}: not a backup of Ayni")
    return about


def _take(path: Path, archive: tarfile.TarFile, name: str, target: Path) -> None:
    try:
        file = archive.extractfile(name)
    except KeyError:
        file = None
    if file is None:
        raise BackupError(f"{path}: {name} is missing in it")
    with target.open("wb") as out:
        while piece := file.read(1024 * 1024):
            out.write(piece)


def _check(path: Path, database: Path) -> None:
    with closing(sqlite3.connect(database)) as db:
        (said,) = db.execute("PRAGMA integrity_check(1)").fetchone()
    if said != "ok":
        raise BackupError(f"{path}: {database.name} is damaged: {said}")


def _digest(path: Path) -> str:
    result = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1024 * 1024):
            result.update(piece)
    return result.hexdigest()
