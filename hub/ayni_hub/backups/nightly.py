"""What the timer does each night: a backup to every place of the configuration, and what is too old goes.

Places are independent: each gets a stream of its own, and one that is away holds up no other. Nothing old
goes before the new one was read again and is what was written."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ayni_core.keeping import Keep, to_drop
from ayni_hub.backups import machine, making, status, stick
from ayni_hub.backups.config import BackupConfig, Folder, Machine, Target
from ayni_hub.backups.errors import BackupError
from ayni_hub.backups.layout import Layout
from ayni_hub.backups.places import FolderPlace, Place, digest
from ayni_hub.backups.status import BackupStatus, PlaceStatus
from ayni_io.i18n import _

_FORM = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"ayni-(.+)-([0-9]{8}T[0-9]{6}Z)\.tar\.gz\.age")


def run(
    central: str,
    layout: Layout,
    config: BackupConfig,
    now: float,
    progress: Callable[[float], None] = lambda _share: None,
) -> BackupStatus:
    """Make one at every place; how it went stands in `backup.json`, too. Raises `OSError` where that cannot
    be written."""
    before = status.read(layout.data_dir).places
    found: dict[str, PlaceStatus] = {}
    for target in config.to:
        old = before.get(target.name, PlaceStatus(tried_at=now))
        try:
            with opened(target) as place:
                found[target.name] = _one(central, layout, config, place, now, progress)
        except (BackupError, OSError) as error:
            reason = str(error) if target.name in str(error) else f"{target.name}: {error}"
            found[target.name] = replace(old, tried_at=now, fault=reason)
    result = BackupStatus(places=found)
    status.write(layout.data_dir, result)
    return result


@contextlib.contextmanager
def opened(target: Target) -> Iterator[Place]:
    """A place, as long as it is needed. Raises `BackupError`."""
    if isinstance(target, Folder):
        yield FolderPlace(target.path)
    elif isinstance(target, Machine):
        with machine.opened(target) as place:
            yield place
    else:
        with stick.opened(target) as place:
            yield place


def _one(
    central: str,
    layout: Layout,
    config: BackupConfig,
    place: Place,
    now: float,
    progress: Callable[[float], None],
) -> PlaceStatus:
    name = f"ayni-{central}-{datetime.fromtimestamp(now, UTC).strftime(_FORM)}.tar.gz.age"
    size, sha256 = _write(place, name, layout, config.recipients, now, progress)
    if digest(place, name) != sha256:
        place.remove(name)
        raise BackupError(_("what was written cannot be read again as it was: the medium is bad"))
    drop(central, place, config.keep, now)
    return PlaceStatus(tried_at=now, good_at=now, name=name, size_bytes=size, sha256=sha256)


def _write(
    place: Place,
    name: str,
    layout: Layout,
    recipients: tuple[str, ...],
    now: float,
    progress: Callable[[float], None],
) -> tuple[int, str]:
    """A new one at a place: its size, and the SHA-256 of what was handed on."""
    made, size = hashlib.sha256(), 0
    with place.writing(name) as write:

        def hand_on(piece: bytes) -> None:
            nonlocal size
            made.update(piece)
            size += len(piece)
            write(piece)

        making.make(layout, recipients, hand_on, now, progress)
    return size, made.hexdigest()


def drop(central: str, place: Place, keep: Keep, now: float) -> None:
    """Take away what the rule does not keep; of this central only, others may use the same place."""
    made = {at: name for name in place.names() if (at := _made(central, name)) is not None}
    for at in sorted(to_drop(made, keep, now)):
        place.remove(made[at])


def _made(central: str, name: str) -> float | None:
    match = _NAME.fullmatch(name)
    if match is None or match[1] != central:
        return None
    try:
        return datetime.strptime(match[2], _FORM).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def to_file(
    layout: Layout, path: Path, recipients: tuple[str, ...], now: float, progress: Callable[[float], None]
) -> int:
    """One backup by hand; how large it is. Raises `BackupError`."""
    size, _sha256 = _write(FolderPlace(path.parent), path.name, layout, recipients, now, progress)
    return size
