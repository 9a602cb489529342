"""Digests: what is open and what happened, once a day or a week, at a time of the reader's own day."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from ayni_core.inventory import Network
from ayni_core.reach import next_at
from ayni_core.wire.messages import Alert, Event
from ayni_hub.people.wording import Reader, Text, fit

MOST_LATE_S = 6 * 3600.0
"""A digest whose time passed while the hub was down is told so late; after that it is left out."""
_MOST_LINES = 10
_WHOLE = 0.9995


class Period(enum.Enum):
    """What a digest is about."""

    DAY = "daily"
    WEEK = "weekly"

    @property
    def seconds(self) -> float:
        """How far it looks back."""
        return 86400.0 if self is Period.DAY else 7 * 86400.0


def is_open(alert: Alert) -> bool:
    """Whether people should see it as something by itself."""
    return alert.settled and alert.holds and alert.silenced_by is None


class Digests:
    """Writes them. `history` gives the events since a time, newest first; `shares` how much of a time links
    and ways out worked, 0 to 1 by their titles, as far as that is known."""

    def __init__(
        self,
        network: Network,
        history: Callable[[float], Iterable[Event]],
        shares: Callable[[float, float], Mapping[str, float]],
    ) -> None:
        self._network = network
        self._history = history
        self._shares = shares

    @staticmethod
    def due(last: datetime, minute: int, weekday: int | None) -> float:
        """When the next one after the `last` is due."""
        return next_at(last, minute, weekday)

    def text(self, period: Period, reader: Reader, alerts: Mapping[str, Alert], now: float) -> Text:
        """The digest for one reader."""
        roots = [alert for alert in alerts.values() if is_open(alert)]
        roots.sort(key=lambda each: (each.level != "critical", -each.homes, each.since))
        events = [event for event in self._history(now - period.seconds) if event.kind]
        alarms = [event for event in events if event.level in ("warn", "critical")]
        title = reader.say(
            f"tell.{period.value}",
            network=self._network.title,
            open=len(roots),
            alarms=len(alarms),
            over=sum(event.level == "clear" for event in events),
        )
        lines: list[str] = []
        if roots:
            lines += ["", reader.say("tell.open")]
            lines += _listed(reader, [self._open(alert, reader, now) for alert in roots])
        if alarms:
            lines += ["", reader.say("tell.happened")]
            told = [f"{reader.time(event.at, now)} {reader.text(event.text)}" for event in alarms]
            lines += _listed(reader, told)
        lines += self._worked(period, reader, now)
        if not roots:
            lines += ["", reader.say("tell.open_none")]
        return Text(title=title, body="\n".join(lines).strip(), short=fit([title]))

    def _worked(self, period: Period, reader: Reader, now: float) -> list[str]:
        """What did not work all the time, the worst first."""
        shares = self._shares(now - period.seconds, now)
        poor = sorted((share, title) for title, share in shares.items() if share < _WHOLE)
        if not poor:
            return []
        said = [reader.say("tell.available", what=title, percent=_percent(share)) for share, title in poor]
        return ["", reader.say("tell.availability"), *_listed(reader, said)]

    def _open(self, alert: Alert, reader: Reader, now: float) -> str:
        line = reader.say(
            f"tell.{alert.level}", what=reader.text(alert.text), time=reader.time(alert.since, now)
        )
        if alert.acked_by is None:
            return line
        return f"{line} ({reader.say('tell.has_it', who=alert.acked_by)})"


def _percent(share: float) -> float:
    """Rounded down: what failed did not work all the time."""
    return int(share * 1000) / 10


def _listed(reader: Reader, lines: list[str]) -> list[str]:
    shown = lines[:_MOST_LINES]
    if len(lines) > _MOST_LINES:
        shown.append(reader.say("tell.more", n=len(lines) - _MOST_LINES))
    return shown
