"""A USB stick, found by the label of its file system and mounted only while it is written to.

So it can be pulled out at any other time, and a power cut at any other time does it no harm. Where it is
mounted already, by a desktop or by hand, it stays so."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ayni_hub.backups.config import Stick
from ayni_hub.backups.errors import BackupError
from ayni_hub.backups.places import FolderPlace, Place
from ayni_io.broker import find_program
from ayni_io.i18n import _

_LABELS, _MOUNTS = Path("/dev/disk/by-label"), Path("/proc/self/mountinfo")
_OPTIONS = "nosuid,nodev,noexec,noatime"
_PATIENCE_S = 120.0


@contextlib.contextmanager
def opened(stick: Stick, labels: Path = _LABELS, mounts: Path = _MOUNTS) -> Iterator[Place]:
    """The folder on the stick. Raises `BackupError`."""
    link = labels / stick.label
    if not link.exists():
        raise BackupError(_("no stick with the label {label} is there", label=stick.label))
    device = link.resolve()
    there = _mounted_at(device, mounts)
    if there is not None:
        yield FolderPlace(there / stick.folder, make=True)
        return
    with tempfile.TemporaryDirectory(prefix="ayni-stick-") as name:
        _run("mount", "-o", _OPTIONS, str(device), name)
        try:
            yield FolderPlace(Path(name) / stick.folder, make=True)
        finally:
            _run("umount", name)  # comes back when all of it is on the stick


def _mounted_at(device: Path, mounts: Path) -> Path | None:
    """Where a device is mounted, to be written to (proc(5): field 5 is the place, the last but one the
    device)."""
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        before, _dash, after = line.partition(" - ")
        fields, (_kind, source, *_rest) = before.split(), [*after.split(), "", ""]
        if source == str(device) and "rw" in fields[5].split(","):
            return Path(fields[4].encode().decode("unicode_escape"))
    return None


def _run(program: str, *words: str) -> None:
    found = find_program(program)
    argv: Sequence[str] = (str(found or program), *words)
    try:
        done = subprocess.run(  # noqa: S603 (checked words, no shell)
            argv, capture_output=True, timeout=_PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BackupError(_("{program} failed: {reason}", program=program, reason=error)) from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise BackupError(_("{program} failed: {reason}", program=program, reason=said[0] if said else "?"))
