"""A backup put back: read whole and checked before anything stands where a central would find it.

What it remembers goes into a folder where no central has remembered anything yet. Files of configuration take
the place of what is there, which stays beside them as `NAME.before-restore`. `restored.json` tells the
central that monitors have to be asked for what came after the backup."""

from __future__ import annotations

import contextlib
import grp
import json
import os
import pwd
import secrets
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from ayni_core.message import Message
from ayni_core.wire.messages import Event
from ayni_hub import lock
from ayni_hub.backups import age, archive, layout
from ayni_hub.backups.errors import BackupError
from ayni_hub.backups.layout import MARK, Layout, Owned
from ayni_hub.backups.making import LARGEST_FILE
from ayni_hub.ledger import Ledger, LedgerError
from ayni_hub.lock import HeldError
from ayni_io import files
from ayni_io.i18n import _

_BESIDE = ".before-restore"
_MOST_IN_MEMORY = 128 * 1024 * 1024


@dataclass(slots=True)
class Restored:
    """What was done: the backup's own words, which files were put where, which were left out."""

    about: Mapping[str, Any]
    placed: list[Path] = field(default_factory=list)
    beside: list[Path] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    nobody: set[str] = field(default_factory=set)
    """Users that files should belong to, and that this machine does not have."""


def restore(path: Path, where: Layout, identity: Path | None, now: float) -> Restored:
    """Put it back. All is checked before anything stands there. Raises `BackupError`."""
    taken = [name for name in layout.DATABASES if (where.data_dir / name).exists()]
    if taken:
        raise BackupError(
            _(
                "{path}: {name} stands there already; expected an empty folder",
                path=where.data_dir,
                name=taken[0],
            )
        )
    made = _make_folder(where.data_dir)
    try:
        with lock.held(where.data_dir):
            try:
                with tempfile.TemporaryDirectory(dir=where.data_dir, prefix=".restore-") as name:
                    return _restore(path, where, identity, now, Path(name))
            finally:
                (where.data_dir / lock.NAME).unlink()  # it is ours, and the central is another user
    except HeldError as error:
        raise BackupError(_("{reason}; stop it first", reason=error)) from error
    except (OSError, sqlite3.Error) as error:
        raise BackupError(_("{path}: cannot be put back: {reason}", path=path, reason=error)) from error
    finally:
        if made:
            with contextlib.suppress(OSError):  # it goes only where nothing was put there
                where.data_dir.rmdir()


def kind_of(path: Path, identity: Path | None) -> str:
    """Of which kind of layout a backup was made. Raises `BackupError`."""

    class Known(Exception):  # noqa: N818  no fault
        """Enough was read."""

    def begin(about: Mapping[str, Any]) -> None:
        raise Known(str(about.get("layout")))

    try:
        with age.opening(path, identity) as stream:
            archive.read(path, stream, lambda _name, _file: None, begin)
    except Known as known:
        return str(known)
    except OSError as error:
        raise BackupError(_("{path}: {reason}", path=path, reason=error.strerror or error)) from error
    return ""


def _restore(path: Path, where: Layout, identity: Path | None, now: float, folder: Path) -> Restored:
    small: dict[str, bytes] = {}
    databases: dict[str, Path] = {}
    done = Restored({})

    def take(name: str, file: BinaryIO) -> None:
        try:
            owned = where.place(name)
        except ValueError:
            raise BackupError(
                _("{path}: {name} does not belong into a backup", path=path, name=name[:80])
            ) from None
        if owned is None:
            done.left_out.append(name)
            while file.read(1024 * 1024):
                pass
        elif _is_database(name):
            databases[name] = folder / owned.path.name
            with databases[name].open("wb") as out:
                while piece := file.read(1024 * 1024):
                    out.write(piece)
        else:
            small[name] = file.read(LARGEST_FILE + 1)
            if len(small[name]) > LARGEST_FILE or sum(map(len, small.values())) > _MOST_IN_MEMORY:
                raise BackupError(_("{path}: {name} is too large", path=path, name=name))

    with age.opening(path, identity) as stream:
        done.about = archive.read(path, stream, take)
    for name, copy in databases.items():
        if name.endswith(".db"):
            _check(path, copy)
    _tell(databases.get("hub/ledger.db"), done, now)
    for name in databases:
        _put_database(where, name, folder, done)
    for name, body in small.items():
        _put(where, name, body, done)
    _leave_mark(where, done, now)
    _own(where.data_dir, Owned(path=where.data_dir, mode=0o750, user="ayni"), done)
    files.sync_folder(where.data_dir)
    return done


def _is_database(name: str) -> bool:
    return name.startswith("hub/") and name.endswith((".db", ".db-wal"))


def _check(path: Path, copy: Path) -> None:
    """Bring file and log together, and look through all of it."""
    with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (said,) = db.execute("PRAGMA integrity_check(1)").fetchone()
    if said != "ok":
        raise BackupError(_("{path}: {name} is damaged: {reason}", path=path, name=copy.name, reason=said))


def _tell(ledger: Path | None, done: Restored, now: float) -> None:
    """People read among the events that there was a return."""
    if ledger is None:
        return
    age_h = round(max(now - float(str(done.about.get("at", now))), 0.0) / 3600)
    text = Message("event.hub_restored", {"hours": age_h})
    try:
        with contextlib.closing(Ledger(ledger)) as opened:
            opened.remember({}, {}, [Event(at=now, text=text, level="warn")], {})
    except LedgerError as error:
        raise BackupError(_("the ledger in it cannot be written: {reason}", reason=error)) from error


def _put_database(where: Layout, name: str, folder: Path, done: Restored) -> None:
    owned = where.place(name)
    if owned is None or not name.endswith(".db"):
        return
    copy = folder / owned.path.name
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    _own(copy, owned, done)
    copy.replace(owned.path)
    done.placed.append(owned.path)


def _put(where: Layout, name: str, body: bytes, done: Restored) -> None:
    owned = where.place(name)
    if owned is None:
        return
    target = owned.path
    if target.is_file():
        if target.read_bytes() == body:
            return
        if where.kind == "own":
            done.left_out.append(name)
            return
        beside = target.with_name(target.name + _BESIDE)
        target.replace(beside)
        done.beside.append(beside)
    private = target.parent.name == "secrets"
    if _make_folder(target.parent, private=private):
        mode = 0o700 if private else 0o750
        _own(target.parent, replace(owned, path=target.parent, mode=mode), done)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    _own(Path(temporary), owned, done)
    Path(temporary).replace(target)
    done.placed.append(target)


def _leave_mark(where: Layout, done: Restored, now: float) -> None:
    """So that the central asks its monitors for what came after."""
    as_of = float(str(done.about.get("at", now)))
    target = Owned(path=where.data_dir / MARK, mode=0o600, user="ayni")
    body = {"id": secrets.token_hex(8), "as_of": as_of, "at": now}
    files.write_text(target.path, json.dumps(body) + "\n", mode=0o600)
    _own(target.path, target, done)


def _own(path: Path, owned: Owned, done: Restored) -> None:
    """Whose it is, where we may say so and there is such a user."""
    path.chmod(owned.mode)
    if os.geteuid() != 0:
        return
    try:
        user, group = pwd.getpwnam(owned.user).pw_uid, grp.getgrnam(owned.group).gr_gid
    except KeyError:
        done.nobody.update(_unknown(owned))
        return
    os.chown(path, user, group)


def _unknown(owned: Owned) -> Iterator[str]:
    for name in {owned.user, owned.group}:
        try:
            pwd.getpwnam(name)
        except KeyError:
            yield name


def _make_folder(folder: Path, *, private: bool = False) -> bool:
    """Have a folder; whether it was made."""
    if folder.is_dir():
        return False
    folder.mkdir(parents=True, mode=0o700 if private else 0o750)
    return True
