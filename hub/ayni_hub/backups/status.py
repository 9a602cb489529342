"""How the last backups went: `backup.json` beside the ledger, written by who makes them, read by the
central."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ayni_io import files

FILE = "backup.json"
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceStatus:
    """Of one place: when (seconds since 1970) it was last tried, and the newest good backup there. `fault`
    says why the last one failed; empty: it did not."""

    tried_at: float
    good_at: float | None = None
    name: str = ""
    size_bytes: int = 0
    sha256: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupStatus:
    """Of all places that the configuration names, by what they are called."""

    places: Mapping[str, PlaceStatus]

    @property
    def good_at(self) -> float | None:
        """When the newest one anywhere was made."""
        return max((each.good_at for each in self.places.values() if each.good_at is not None), default=None)

    @property
    def fault(self) -> str:
        """What was wrong the last time, of the places where something was."""
        return "; ".join(each.fault for each in self.places.values() if each.fault)


def read(data_dir: Path) -> BackupStatus:
    """What is known; nothing where no backup was ever made, or where the file cannot be read."""
    try:
        with (data_dir / FILE).open("rb") as file:
            found = json.loads(file.read(_LARGEST))["places"]
        return BackupStatus(places={str(name): PlaceStatus(**each) for name, each in found.items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return BackupStatus(places={})


def write(data_dir: Path, status: BackupStatus) -> None:
    """Keep it, for the central to read whoever makes backups. Raises `OSError`."""
    path = data_dir / FILE
    body = {"places": {name: asdict(each) for name, each in status.places.items()}}
    files.write_text(path, json.dumps(body, indent=1) + "\n", mode=0o600)
    files.give(path, data_dir)
