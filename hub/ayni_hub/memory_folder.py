"""Where a user may keep files in memory, so that what is written at every poll does not wear out the card.

systemd gives such a place to a service and to whoever is logged in. Without one there is /dev/shm, where
everybody may write: a folder there is taken only if it is this user's and nobody else can look into it.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

RUN, SHARED = Path("/run/user"), Path("/dev/shm")  # noqa: S108  what is taken there is looked at first


def find(name: str) -> Path | None:
    """A place for a folder `name` in memory; None where there is none."""
    for variable in ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        place = os.environ.get(variable, "").partition(":")[0]
        if os.access(place, os.W_OK):
            return Path(place) / name
    own = RUN / str(os.geteuid())
    if _is_private(own):
        return own / name
    own = SHARED / f"ayni-{os.geteuid()}"
    with contextlib.suppress(OSError):  # it is there, or cannot be: what there is decides
        own.mkdir(mode=0o700)
    return own / name if _is_private(own) else None


def leave(folder: Path) -> None:
    """Clear away a folder that was found here, as far as nothing is in it."""
    with contextlib.suppress(OSError):  # there is something in it
        folder.rmdir()
    if folder.parent.parent == SHARED:
        with contextlib.suppress(OSError):
            folder.parent.rmdir()


def _is_private(folder: Path) -> bool:
    """Whether it is a folder, no link to one, of this user, that nobody else may enter."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    mine = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return mine and stat.S_IMODE(found.st_mode) & 0o777 == 0o700
