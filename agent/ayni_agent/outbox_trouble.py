"""What is wrong with the disk under the outbox: told once, tried again later and later."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from ayni_agent.outbox_file import OutboxError

log = logging.getLogger("agent")
_FIRST_RETRY_S, _LONGEST_RETRY_S = 30.0, 900.0


class Trouble:
    """`kind` is empty while all is well; `why` is a sentence."""

    def __init__(self, kind: str = "", why: str = "") -> None:
        self.kind, self.why = kind, why
        self.times = 0
        self._retry_s, self._pause_s = float("-inf"), _FIRST_RETRY_S

    def may_try(self, now_s: float) -> bool:
        """Whether it is time to try the disk (again)."""
        return now_s >= self._retry_s

    def met(self, error: OutboxError | OSError, path: Path, now_s: float) -> None:
        """It failed."""
        self.times += 1
        self._retry_s = now_s + self._pause_s
        self._pause_s = min(self._pause_s * 2, _LONGEST_RETRY_S)
        kind = kind_of(error, path)
        if not self.why:
            log.error("outbox in memory only trouble=%s cause=%s", kind, error)
        self.kind, self.why = kind, str(error)

    def over(self, waiting: int) -> None:
        """It worked."""
        if self.why:
            log.warning("outbox on disk again frames=%d", waiting)
        self.kind = self.why = ""
        self.times = 0
        self._retry_s, self._pause_s = float("-inf"), _FIRST_RETRY_S


def kind_of(error: OutboxError | OSError, path: Path) -> str:
    """The kind of trouble, looking at the disk where SQLite says only that it could not."""
    kind = error.kind if isinstance(error, OutboxError) else "denied"
    if kind in ("denied", "failing"):
        with contextlib.suppress(OSError):
            disk = os.statvfs(next(each for each in path.absolute().parents if each.exists()))
            if disk.f_flag & os.ST_RDONLY:
                return "read-only"
            if not disk.f_bavail:
                return "full"
    return kind
