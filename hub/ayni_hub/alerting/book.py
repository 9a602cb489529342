"""The book of alerts: which hold, since when, why, and which of them explains which.

The judge says that a rule turned; the book makes it an alert with a life. No clock and no disk here: times
come in, what changed goes out by `flush`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from ayni_core.inventory import Network
from ayni_core.message import Message, Plain
from ayni_core.rules import Rule, Track
from ayni_core.topology import Topology
from ayni_core.wire.messages import Alert, Event
from ayni_hub.alerting.silence import silenced_by
from ayni_hub.alerting.subject import Subject, alert_id


class AlertBook:
    """The alerts of one network, by identifier."""

    def __init__(
        self,
        network: Network,
        topology: Topology,
        rules: Collection[str],
        alerts: Mapping[str, Alert] | None = None,
    ) -> None:
        self._network = network
        self._topology = topology
        self.alerts: dict[str, Alert] = dict(alerts or {})
        self._changed: dict[str, Alert | None] = {}
        self._events: list[Event] = []
        self._forget_what_is_gone(rules)

    def _forget_what_is_gone(self, rules: Collection[str]) -> None:
        """Alerts about what left the inventory, or by a rule that is no longer in force, are over."""
        known = {
            "device": self._network.devices,
            "link": self._network.links,
            "node": self._network.nodes,
            "upstream": self._network.upstreams,
        }
        for identifier, alert in list(self.alerts.items()):
            if alert.rule not in rules or alert.name not in known.get(alert.kind, {}):
                del self.alerts[identifier]
                self._changed[identifier] = None

    def turned(self, rule: Rule, subject: Subject, track: Track, at: float, normal: float | None) -> None:
        """A rule has another level for a subject than before."""
        identifier = alert_id(rule, subject)
        if track.level is None:
            ended = self.alerts.pop(identifier, None)
            if ended is not None:
                self._changed[identifier] = None
                self._events.append(
                    Event(at=at, text=ended.text, level="clear", kind=subject.kind, name=subject.name)
                )
            return
        text = Message(rule.text, self._values(rule, subject, track, normal))
        before = self.alerts.get(identifier)
        alert = Alert(
            id=identifier,
            rule=rule.name,
            kind=subject.kind,
            name=subject.name,
            level=track.level,
            since=before.since if before else track.since,
            text=text,
            homes=self._homes(subject),
            acked_by=before.acked_by if before else None,
        )
        self._set(alert)
        self._events.append(Event(at=at, text=text, level=track.level, kind=subject.kind, name=subject.name))

    def explain(self, alert: str, cause: tuple[Message, Message] | None) -> None:
        """Write the probable cause onto an alert."""
        before = self.alerts.get(alert)
        words, headline = cause or (None, None)
        if before is not None and (before.cause, before.headline) != (words, headline):
            self._set(replace(before, cause=words, headline=headline))

    def relate(self) -> None:
        """Find out anew which alert is explained by which."""
        for identifier, parent in silenced_by(self.alerts, self._network, self._topology).items():
            if self.alerts[identifier].silenced_by != parent:
                self._set(replace(self.alerts[identifier], silenced_by=parent))

    def flush(self) -> tuple[dict[str, Alert | None], list[Event]]:
        """What changed since the last call; an alert of None is over."""
        changed, self._changed = self._changed, {}
        events, self._events = self._events, []
        return changed, events

    def _set(self, alert: Alert) -> None:
        self.alerts[alert.id] = alert
        self._changed[alert.id] = alert

    def _homes(self, subject: Subject) -> int:
        if subject.kind == "link":
            return self._topology.homes_behind(subject.name, self._network)
        if subject.kind == "upstream":
            return sum(site.homes for site in self._network.sites.values())
        return 0

    def _values(self, rule: Rule, subject: Subject, track: Track, normal: float | None) -> dict[str, Plain]:
        network, value = self._network, track.value
        match subject.kind:
            case "device":
                values: dict[str, Plain] = {
                    "device": network.devices[subject.name].title,
                    "port": subject.detail,
                }
                if rule.test == "below_best":
                    values |= {"speed": _mega(value), "best": _mega(track.best)}
            case "link":
                link = network.links[subject.name]
                values = {"link": link.title}
                if subject.detail:
                    end = link.a if subject.detail == "a" else link.b
                    values |= {
                        "end": network.site_of(end.device).title,
                        "signal": _round(value),
                        "normal": _round(normal),
                    }
            case "node":
                values = {"node": network.nodes[subject.name].title}
            case _:
                values = {"upstream": network.upstreams[subject.name].title}
        return values | {"value": _round(value)}


def _round(value: float | None) -> Plain:
    return None if value is None else round(value)


def _mega(value: float | None) -> Plain:
    return None if value is None else round(value / 1e6)
