"""How the central itself is, for whoever asks (`AskHealth`): its memory, its parts, the monitors.

Sizes of files are looked up in a thread, and not more often than they change in a way that matters: a card
that fails lets whoever asks wait for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from ayni_core import __version__
from ayni_core.inventory import Network
from ayni_core.wire import topics
from ayni_core.wire.health import (
    MOST_MONITORS,
    AskHealth,
    BackupHealth,
    CentralHealth,
    CertificateHealth,
    Health,
    PartHealth,
)
from ayni_core.wire.messages import PartState
from ayni_hub.crew import in_words
from ayni_hub.intake import Intake
from ayni_hub.judge import NodeNews
from ayni_hub.monitors import Monitors
from ayni_hub.retention import Retention
from ayni_io.aside import Aside, BusyError

_LOOK_AGAIN_S, _PATIENCE_S = 60.0, 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Premises:
    """What the central is and where its files lie."""

    name: str = ""
    role: str = "all"
    store: str = "embedded"
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class _Disk:
    used_bytes: int | None = None
    free_bytes: int | None = None


class HealthDesk:
    """Of one central. `look` has to be called now and then, so that it is known since when a state holds."""

    def __init__(
        self,
        network: Network,
        intake: Intake,
        monitors: Monitors,
        news: Mapping[str, NodeNews],
        retain: Retention,
        now: float,
    ) -> None:
        self.premises = Premises()
        self.server: Callable[[], PartHealth] | None = None
        """The server that is fed, where there is one."""
        self.certificates: tuple[CertificateHealth, ...] = ()
        """As somebody looked at them last."""
        self.backup: BackupHealth | None = None
        self._network = network
        self._intake = intake
        self._monitors = monitors
        self._news = news
        self._retain = retain
        self._started_at = self._since = now
        self._state = intake.state
        self._parts: dict[str, tuple[PartState, float]] = {}
        self._aside = Aside("health")
        self._disk, self._looked_at = _Disk(), 0.0

    def look(self, now: float) -> None:
        """Notice when the state turns."""
        if self._intake.state != self._state:
            self._state, self._since = self._intake.state, now

    def hear(self, name: str, state: PartState | None, now: float) -> None:
        """A part says how it is; None: it was taken away for good."""
        before = self._parts.get(name)
        if state is None:
            self._parts.pop(name, None)
        elif before is not None and before[0].state == state.state:
            self._parts[name] = state, before[1]
        else:  # a last will was written long before it is heard
            written = state.at if 0 < state.at < now and before is None and state.state != "gone" else now
            self._parts[name] = state, written

    async def answer(self, asked: AskHealth, now: float) -> Health:
        """How all of it is."""
        self.look(now)
        await self._look_at_disk(now)
        names = asked.monitors or tuple(self._network.nodes)
        known = [name for name in names if name in self._network.nodes][:MOST_MONITORS]
        parts = [self._part(name) for name in sorted(self._parts)]
        if self.server is not None:
            parts.append(self.server())
        return Health(
            central=self._central(),
            parts=tuple(parts),
            monitors=tuple(self._monitors.of(name) for name in known),
            certificates=self.certificates,
            backup=self.backup,
        )

    def _central(self) -> CentralHealth:
        totals = self._intake.ingest.totals
        heard = (news.as_of for news in self._news.values() if news.as_of is not None)
        return CentralHealth(
            name=self.premises.name,
            role=self.premises.role,
            version=__version__,
            state=self._state,
            since=round(self._since, 1),
            started_at=round(self._started_at, 1),
            newest_at=max(heard, default=None),
            reports=totals.frames,
            refused=totals.refused,
            waiting=len(self._intake.inbox),
            store=self.premises.store,
            memory_bytes=self._disk.used_bytes,
            free_bytes=self._disk.free_bytes,
            samples_days=self._retain.samples_days,
            events_days=self._retain.events_days,
        )

    def _part(self, name: str) -> PartHealth:
        state, since = self._parts[name]
        own: Collection[int] = frozenset(state.buckets)
        return PartHealth(
            name=name,
            role=state.role,
            state=state.state,
            since=round(since, 1),
            version=state.version,
            buckets=in_words(own),
            monitors=sum(topics.bucket(node) in own for node in self._network.nodes),
        )

    async def _look_at_disk(self, now: float) -> None:
        folder = self.premises.folder
        if folder is None or 0 <= now - self._looked_at < _LOOK_AGAIN_S:
            return
        self._looked_at = now
        with contextlib.suppress(BusyError, TimeoutError):  # then what was seen last stays
            async with asyncio.timeout(_PATIENCE_S):
                self._disk = await self._aside.run(lambda: _sizes(folder))


def _sizes(folder: Path) -> _Disk:
    """Of the files there, and of what is left on that disk."""
    used = 0
    try:
        for path in folder.iterdir():
            try:
                used += path.stat().st_size if path.is_file() else 0
            except OSError:  # gone meanwhile
                continue
        return _Disk(used, shutil.disk_usage(folder).free)
    except OSError:
        return _Disk()
