"""Notes that were written while there was no contact: kept in a file until the central has them.

The file of a login has a line a note: the question as it will be asked, with the time it was written at, by
which the central knows one that comes twice. It is for its owner's eyes only. Two consoles may share it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ayni_core.wire import WireError
from ayni_core.wire.shape import pack, unpack
from ayni_io import files

if TYPE_CHECKING:  # forty classes, which the first screen can do without
    from ayni_core.wire.questions import AskNote

MOST = 200
LATER = ("", "answer.store_down", "answer.too_many", "answer.too_many_notes")
"""Why a note is not taken now, but may be later: no contact, or the central cannot write."""
_LARGEST = 1_000_000


def path_for(login: str, host: str, environment: Mapping[str, str]) -> Path:
    """Where the notes of a login wait: in the user's state folder, one file a login and central."""
    base = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "ayni" / f"notes-{login}@{host}"


def read(path: Path) -> list[AskNote]:
    """The notes that wait, oldest first; what cannot be read is passed over."""
    try:
        with path.open("rb") as file:
            lines = file.read(_LARGEST).splitlines()
    except OSError:
        return []
    from ayni_core.wire.questions import AskNote

    found = []
    for line in lines[:MOST]:
        try:
            found.append(unpack(AskNote, line))
        except WireError:
            continue
    return found


def keep(path: Path, note: AskNote) -> str:
    """One more; why it cannot be kept, else nothing."""
    return _write(path, [*read(path), note][-MOST:])


def drop(path: Path, note: AskNote) -> None:
    """The central has it. One that is left there for a full disk is sent again, and known again."""
    _write(path, [each for each in read(path) if each != note])


def _write(path: Path, notes: list[AskNote]) -> str:
    try:
        if not notes:
            path.unlink(missing_ok=True)
            return ""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write_text(path, b"\n".join(map(pack, notes)).decode("utf-8") + "\n", mode=0o600)
    except OSError as error:
        return error.strerror or str(error)
    return ""
