"""What is told: one message for the alert that explains the others, once it is sure which one that is.

Pure: alerts and `now` come in, tellings go out. The book of alerts settles which alert calls people: at the
latest one poll after it fired, and two polls after what explained it is over (`Alert.calls`). Here it waits a
moment more, for others that settle in the same second. What was told is handed in after a restart, so that
nothing is told twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ayni_core.reach import Escalation
from ayni_core.wire.messages import Alert

SETTLE_S = 2.0
CALM_S = 5.0
"""An alert that comes back so soon was never over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An alert that was told: since when it holds, at what level it was told and when, how far it went up."""

    alert: Alert
    at: float
    steps: int = 0
    acked_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Something to tell: `what` is fired, worse, nobody (nobody takes it on), taken or over. Escalation has
    gone up `steps`: 1 is the next person, 2 all."""

    what: str
    alert: Alert
    at: float
    steps: int = 0


class Herald:
    """Takes what changed, each second. `changed` then names the alerts whose `told` differs from before."""

    def __init__(self, escalation: Escalation, told: Mapping[str, Told]) -> None:
        self._escalation = escalation
        self.told: dict[str, Told] = dict(told)
        self.changed: set[str] = set()
        self._waiting: dict[str, float] = {}
        self._ending: dict[str, float] = {}

    def recall(self, alerts: Mapping[str, Alert], now: float) -> None:
        """After a restart: what holds now is news, unless it was told; what was told and is gone, is over."""
        gone: dict[str, Alert | None] = {each: None for each in self.told if each not in alerts}
        self._notice({**alerts, **gone}, now)

    def take(
        self, changed: Mapping[str, Alert | None], alerts: Mapping[str, Alert], now: float
    ) -> list[Telling]:
        """What is to be told now."""
        self._notice(changed, now)
        tellings = [*self._begun(alerts, now), *self._over(alerts, now), *self._going_up(alerts, now)]
        for identifier, alert in changed.items():
            told = self.told.get(identifier)
            if alert is not None and told is not None and told.acked_by != alert.acked_by:
                self._keep(identifier, replace(told, acked_by=alert.acked_by))
                if alert.acked_by is not None:
                    tellings.append(Telling(what="taken", alert=alert, at=now))
        return tellings

    def _notice(self, changed: Mapping[str, Alert | None], now: float) -> None:
        for identifier, alert in changed.items():
            told = self.told.get(identifier)
            if alert is None:
                self._waiting.pop(identifier, None)
                if told is not None:
                    self._ending.setdefault(identifier, now + CALM_S)
                continue
            self._ending.pop(identifier, None)
            if alert.calls and (told is None or _worse(alert, told.alert)):
                self._waiting.setdefault(identifier, now + SETTLE_S)
            else:
                self._waiting.pop(identifier, None)

    def _begun(self, alerts: Mapping[str, Alert], now: float) -> Iterable[Telling]:
        due = [each for each, at in self._waiting.items() if now >= at or at - now > SETTLE_S]
        for identifier in due:
            del self._waiting[identifier]
            alert = alerts.get(identifier)
            if alert is None or not alert.calls:
                continue
            before = self.told.get(identifier)
            at = before.at if before else now
            self._keep(identifier, Told(alert=alert, at=at, steps=before.steps if before else 0))
            what = "worse" if before else "fired"
            yield Telling(what=what, alert=alert, at=now)

    def _over(self, alerts: Mapping[str, Alert], now: float) -> Iterable[Telling]:
        due = [each for each, at in self._ending.items() if now >= at or at - now > CALM_S]
        for identifier in due:
            ended = self._ending.pop(identifier)
            told = self.told.pop(identifier, None)
            if told is None or identifier in alerts:
                continue
            self.changed.add(identifier)
            yield Telling(what="over", alert=told.alert, at=min(ended - CALM_S, now))

    def _going_up(self, alerts: Mapping[str, Alert], now: float) -> Iterable[Telling]:
        limits = (self._escalation.next_after_min, self._escalation.all_after_min)
        if limits == (None, None):
            return
        for identifier, told in list(self.told.items()):
            alert = alerts.get(identifier)
            if alert is None or alert.level != "critical" or not alert.calls:
                continue
            passed = [
                step
                for step, limit in enumerate(limits, 1)
                if limit is not None and now - told.at >= limit * 60
            ]
            step = max(passed, default=0)
            if step > told.steps:
                self._keep(identifier, replace(told, steps=step))
                yield Telling(what="nobody", alert=alert, at=now, steps=step)

    def _keep(self, identifier: str, told: Told) -> None:
        self.told[identifier] = told
        self.changed.add(identifier)


def _worse(alert: Alert, before: Alert) -> bool:
    return alert.level == "critical" and before.level != "critical"
