"""What alerts need of the world: a memory that outlives a restart, maintenance, and whether we see at all.

The hub calls `look` each second before the judge ticks, and `write` after its news were remembered.
"""

from __future__ import annotations

from datetime import tzinfo

from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.wire.messages import Event
from ayni_hub.alerting.blindness import HEARTBEAT_S, Blind, Blindness
from ayni_hub.alerting.desk import AlertDesk, shown
from ayni_hub.alerting.memory import KEPT_S, AlertMemory
from ayni_hub.alerting.states import Change, States
from ayni_hub.alerting.windows import Windows
from ayni_hub.judge import Judge
from ayni_hub.ledger import Ledger
from ayni_hub.picture import Picture

_CLEAN_EVERY_S = 86_400.0
_DAY_S = 86_400.0


class Life:
    """Of one judge and its picture. `zone` is the network's. Every method may raise `LedgerError`."""

    def __init__(
        self, network: Network, judge: Judge, picture: Picture, ledger: Ledger, zone: tzinfo, now: float,
        mono_s: float,
    ) -> None:  # fmt: skip
        self._network = network
        self._judge = judge
        self._picture = picture
        self.memory = AlertMemory(ledger)
        judge.book.recall(self.memory.fired())
        self.windows = Windows(network, zone, self.memory.windows())
        self.desk = AlertDesk(network, judge.book, self.windows, self.memory)
        self._states = States(self.memory.last_states())
        seen = self.memory.seen()
        self._blindness = Blindness(seen, now, mono_s)
        self._seen = 0.0 if seen is None or seen > now else seen
        self._cleaned = 0.0
        self._cause = "broker"  # until somebody says that we see
        self._blind: list[Blind] = []
        self._fired: dict[str, tuple[float, ...]] = {}
        self._recent = self.memory.blind(now - 2 * _DAY_S, now)

    def look(self, now: float, mono_s: float, cause: str) -> bool:
        """`cause` says why nothing reaches us (one of CAUSES), empty while it does; whether that changed."""
        blind = self._blindness.look(now, mono_s, cause)
        if blind is not None:
            self._blind.append(blind)
            self._recent = [*(each for each in self._recent if each.end > now - 2 * _DAY_S), blind]
        if self.windows.look(now):
            self._judge.book.in_maintenance = self.windows.asked
            self._judge.book.look_again()
        turned, self._cause = cause != self._cause, cause
        return turned

    def write(self, now: float, mono_s: float) -> list[Event]:
        """What is new, into the ledger: mostly nothing, once a minute a heartbeat. The events it wrote."""
        self._states.look(self._picture.take_changes(), now, mono_s, sees=not self._cause)
        if self._cause:
            return []
        self._fired |= self._judge.book.fired(now)
        changes = self._states.due(mono_s)
        beat = not 0 <= now - self._seen < HEARTBEAT_S or bool(self._blind)
        if not (self._fired or changes or beat):
            return []
        events = [self._told(blind) for blind in self._blind]
        self.memory.keep(
            fired=self._fired, changes=changes, blind=self._blind, seen=now if beat else None, events=events
        )
        self._seen = now if beat else self._seen
        self._fired, self._blind = {}, []
        self._states.kept(changes)
        if not 0 <= now - self._cleaned < _CLEAN_EVERY_S:
            self._cleaned = now
            self._clean(now)
        return events

    def _told(self, blind: Blind) -> Event:
        values = {"start": shown(blind.start, self.windows), "end": shown(blind.end, self.windows)}
        return Event(at=blind.end, text=Message(f"event.blind_{blind.cause}", values), level="warn")

    def _clean(self, now: float) -> None:
        over = self.windows.over(now - _DAY_S)
        if over:
            self.memory.drop_windows(over)
            for identifier in over:
                del self.windows.made[identifier]
        gone = [
            Change(kind, name, round(now, 1), "unknown") for kind, name in self._states.gone(self._network)
        ]
        if gone:
            self.memory.keep(fired={}, changes=gone)
            self._states.kept(gone)
        self.memory.forget_before(now - KEPT_S)

    def blind_s(self, hour: int) -> float:
        """For how many seconds of an hour (since 1970) of the last two days nothing was seen."""
        start, end = hour * 3600.0, (hour + 1) * 3600.0
        return sum(max(min(each.end, end) - max(each.start, start), 0.0) for each in self._recent)
