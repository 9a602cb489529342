"""The PINs of people on shared logins: one file beside the ledger that only the central can read.

It has a salted hash of each PIN, never the PIN. `ayni hub pin` writes it; a central that runs sees the change
with the next question.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from ayni_core import pin
from ayni_core.schema import NAME
from ayni_io import files

FILE = "pins.json"
_LARGEST = 1 << 20


class PinsError(Exception):
    """The file cannot be read or written: which, and why."""


class Pins:
    """`path`: where the file is; without one nobody has a PIN."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._kept: dict[str, str] = {}

    def of(self, person: str) -> str | None:
        """How the PIN of a person is kept; None: there is none. Raises `PinsError`."""
        return self._all().get(person)

    def _all(self) -> Mapping[str, str]:
        """What the file has, read again when it was replaced."""
        if self._path is None:
            return {}
        try:
            found = self._path.stat()
            seen = (found.st_ino, found.st_mtime_ns, found.st_size)
            if seen != self._seen:
                self._kept = _read(self._path)
                self._seen = seen
        except FileNotFoundError:
            self._kept, self._seen = {}, None
        except OSError as error:
            raise PinsError(f"{self._path}: {error.strerror}") from None
        return self._kept


def keep(path: Path, person: str, text: str | None) -> None:
    """Write down how the PIN of a person is kept; None takes it away. Raises `PinsError`."""
    try:
        kept = _read(path) if path.exists() else {}
        if text is None:
            kept.pop(person, None)
        else:
            kept[person] = text
        files.write_durably(path, json.dumps({"pins": kept}, indent=1, sort_keys=True) + "\n", mode=0o600)
        files.give(path, path.parent)
    except OSError as error:
        raise PinsError(f"{path}: {error.strerror}") from None


def salt() -> bytes:
    """New for every PIN."""
    return secrets.token_bytes(pin.SALT)


def _read(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_LARGEST))["pins"]
        if not all(NAME.fullmatch(name) and pin.is_kept(text) for name, text in found.items()):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError):
        raise PinsError(f"{path}: is damaged; remove it and give the PINs anew") from None
    return dict(found)
