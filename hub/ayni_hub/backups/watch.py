"""The central looks after its backups: how old the newest good one is, and whether one failed last night."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from ayni_core.message import Message
from ayni_core.wire.health import BackupHealth
from ayni_core.wire.messages import Event
from ayni_hub.backups import status
from ayni_hub.health import HealthDesk
from ayni_hub.judge import Judge
from ayni_io import clock
from ayni_io.aside import Aside, BusyError

METRIC = "backup_days"
NAME = "backup"
_LOOK_S, _FIRST_S = 600.0, 5.0
_DAY_S = 86_400.0


class BackupWatch:
    """Looks at `backup.json`. `since`: from when on there should be backups. `tell` gets what happened."""

    def __init__(
        self,
        data_dir: Path,
        since: float,
        desk: HealthDesk,
        judge: Judge | None,
        tell: Callable[[Event], None],
    ) -> None:
        self._data_dir, self._since = data_dir, since
        self._desk, self._judge, self._tell = desk, judge, tell
        self._told: dict[str, str] | None = None
        self._aside = Aside("backup")

    async def run(self) -> None:
        """A companion of the hub: until cancelled."""
        await asyncio.sleep(_FIRST_S)
        while True:
            try:
                found = await self._aside.run(lambda: status.read(self._data_dir))
            except BusyError:  # a card that does not answer
                pass
            else:
                self.look(found, clock.wall_s())
            await asyncio.sleep(_LOOK_S)

    def look(self, found: status.BackupStatus, now: float) -> None:
        """Say how it stands, and once of each failure that there was one."""
        self._desk.backup = BackupHealth(since=self._since, good_at=found.good_at, fault=found.fault)
        if self._judge is not None:
            newest = found.good_at if found.good_at is not None else self._since
            self._judge.central(METRIC, {NAME: max((now - newest) / _DAY_S, 0.0)}, now)
        faults = {name: each.fault for name, each in found.places.items() if each.fault}
        told, self._told = self._told, faults
        for name, reason in faults.items():
            if told is not None and told.get(name) != reason:
                text = Message("event.backup_failed", {"reason": reason[:200]})
                self._tell(Event(at=now, text=text, level="warn"))
