"""The passwords that an account on this machine may have: the one that worked last, and others to be tried.

While a password is renewed nobody can know on which side of the change a crash or a power cut fell, and a
broker that was restored from a backup knows an older one. So a new password is written down beside the one
that works, and comes first only once the broker has taken it; of what it replaced, the newest are kept.

One file of the account's name, mode 0600: the first line is what to use, more lines are to be tried. It is
replaced in one step and on the disk before anybody is told. What is in it wins over the seed in the
configuration; the seed is tried last.
"""

from __future__ import annotations

from pathlib import Path

from ayni_core.fault import fault
from ayni_core.schema import ConfigError
from ayni_io import files
from ayni_io.os_errors import os_cause
from ayni_io.secret import Secret

FOLDER = "secrets"
"""Within a part's state folder."""
MOST = 4
_LONGEST = 4096


class Keyring:
    """The passwords of one account. Raises `OSError` where they cannot be written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept = list(read(path))
        self._works: Secret | None = None

    def add(self, password: Secret) -> None:
        """Keep a password that may be the one from now on; back when it is on the disk."""
        first = self._works or (self._kept[0] if self._kept else None)
        if first != password:
            rest = [each for each in self._kept if each not in (first, password)]
            self._write([*([first] if first else []), password, *rest])

    def proven(self, password: Secret) -> None:
        """The broker took this one: it is the first from now on. A seed is not written down for that."""
        self._works = password
        if self._kept and self._kept[0] != password:
            self._write([password, *(each for each in self._kept if each != password)])

    def is_first(self, password: Secret) -> bool:
        """Whether nothing would change if this one were proven."""
        return not self._kept or self._kept[0] == password

    def works(self, password: Secret) -> bool:
        """Whether this is the one that the broker took last."""
        return self._works == password

    def _write(self, kept: list[Secret]) -> None:
        if kept == self._kept:
            return
        folder = self._path.parent
        if not folder.is_dir():
            folder.mkdir(mode=0o700)
            files.sync_folder(folder.parent)
        text = "".join(f"{each.reveal()}\n" for each in kept[:MOST])
        files.write_durably(self._path, text, mode=0o600)
        self._kept = kept[:MOST]


def read(path: Path) -> tuple[Secret, ...]:
    """The passwords in a file, the one that worked last first; none where there is no such file.

    Raises `ConfigError` for a file that cannot be read.
    """
    try:
        text = path.read_bytes()[:_LONGEST].decode("utf-8")
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ConfigError([fault(f"{path}", "fault.unreadable", cause=os_cause(error))]) from None
    except UnicodeDecodeError:
        return ()  # damaged: the seed is still there
    found = [Secret(line.strip()) for line in text.splitlines() if line.strip()]
    return tuple(dict.fromkeys(found))[:MOST]
