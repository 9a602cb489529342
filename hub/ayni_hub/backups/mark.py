"""`restored.json`: that this central came back from a backup, so that monitors are asked for what it
misses."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from ayni_hub.backups.layout import MARK

log = logging.getLogger("hub")
_FOR_S = 60 * 86_400.0
"""Longer than any monitor keeps what was acknowledged, and than most are off."""
_LARGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Mark:
    """A return: its name, when the backup was made and when it was put back, in seconds since 1970."""

    id: str
    as_of: float
    at: float

    def missing_s(self, now: float) -> float | None:
        """How old the backup is by now; None when no monitor is asked any more, or our clock is wrong."""
        return round(now - self.as_of, 1) if self.as_of < now < self.at + _FOR_S else None


def read(data_dir: Path) -> Mark | None:
    """That of a central; None where it never came back from one."""
    try:
        with (data_dir / MARK).open("rb") as file:
            found = json.loads(file.read(_LARGEST))
        return Mark(str(found["id"])[:64], float(found["as_of"]), float(found["at"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.error("it is not known what to ask monitors for file=%s cause=%s", data_dir / MARK, error)
        return None
