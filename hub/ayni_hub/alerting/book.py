"""The book of alerts: which hold, since when, why, which of them explains which, and who has them in hand.

The judge says that a rule turned; the book makes it an alert with a life:

    fires -> not settled -> settled -> (silenced by a root | flapping | acknowledged | in maintenance) -> over

An alert is settled after one poll, so that what explains it can be known first. A silent monitor waits until
others near it were heard, for at most a flush and two polls: seen from outside, a cut looks like many silent
monitors, one after the other. What was explained by a root that is over speaks for itself two polls later (a
monitor a flush and two polls), if it still holds. What fires more often than three times within an hour comes
and goes: it stays, calls people once more, and is then flapping; nothing more is said of it until it was calm
for half an hour. No clock and no disk here: times
come in, what changed goes out by `flush` and `fired`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from ayni_core.inventory import Network
from ayni_core.message import Message
from ayni_core.rules import Rule, Track
from ayni_core.topology import Topology
from ayni_core.wire.messages import Alert, Event
from ayni_hub.alerting import wording
from ayni_hub.alerting.cuts import MUTE
from ayni_hub.alerting.ground import Ground
from ayni_hub.alerting.silence import Behind, Found, Silence
from ayni_hub.alerting.subject import Subject, alert_id

MOST_FIRES, WITHIN_S = 3, 3600.0
"""What fires more often than that within this time flaps."""
CALM_S = 1800.0
GRACE_POLLS = 2
_LOOK_AGAIN_S = 5.0
_NEVER = float("inf")


class AlertBook:
    """The alerts of one network, by identifier. `in_maintenance`, while a window is open, names that of a
    thing."""

    def __init__(
        self,
        network: Network,
        topology: Topology,
        rules: Collection[str],
        alerts: Mapping[str, Alert] | None = None,
    ) -> None:
        self._network = network
        self._topology = topology
        self._ground = Ground(network, topology)
        slack_s = max(5 * network.poll_s, network.flush_s + 2 * network.poll_s)
        self._silence = Silence(self._ground, slack_s)
        self._settle_s = network.poll_s
        self._wait_s = network.flush_s + 2 * network.poll_s
        self._grace_s = GRACE_POLLS * network.poll_s
        self.alerts: dict[str, Alert] = dict(alerts or {})
        self.in_maintenance: Callable[[str, str], str | None] | None = None
        self._fired: dict[str, tuple[float, ...]] = {}
        self._changed: dict[str, Alert | None] = {}
        self._changed_fired: set[str] = set()
        self._events: list[Event] = []
        self._seen: dict[str, float] = {}
        self._grace: dict[str, float] = {}
        self._turned: dict[str, float] = {}
        self._comes_and_goes: dict[str, float | None] = {}
        self._dirty = True
        self._due = self._look_again = _NEVER
        self._now = 0.0
        self._forget_what_is_gone(rules)

    def recall(self, fired: Mapping[str, Iterable[float]]) -> None:
        """When alerts fired lately, as `fired` handed it out before a restart."""
        self._fired = {each: tuple(at) for each, at in fired.items()}
        for identifier, alert in self.alerts.items():
            lately = self._fired.get(identifier, ())
            if len(lately) > MOST_FIRES and lately[-1] - lately[0] < WITHIN_S and not alert.flapping:
                self._comes_and_goes[identifier] = None

    def _forget_what_is_gone(self, rules: Collection[str]) -> None:
        """Alerts about what left the inventory, or by a rule that is no longer in force, are over."""
        known = {
            "device": self._network.devices,
            "link": self._network.links,
            "node": self._network.nodes,
            "upstream": self._network.upstreams,
            "site": self._network.sites,
        }
        for identifier, alert in list(self.alerts.items()):
            gone = alert.kind != "central" and alert.name not in known.get(alert.kind, {})
            if alert.rule not in rules or gone:
                self._end(identifier)

    # ---- what the judge says

    def turned(self, rule: Rule, subject: Subject, track: Track, at: float, normal: float | None) -> None:
        """A rule has another level for a subject than before."""
        identifier = alert_id(rule, subject)
        self._dirty = True
        self._turned[identifier] = at
        before = self.alerts.get(identifier)
        if track.level is None:
            if before is not None:
                self._cleared(before, at)
            return
        text = Message(rule.text, wording.values(self._network, rule, subject, track, normal, at))
        if before is not None:
            self._goes_on(before, track.level, text, at)
            return
        alert = Alert(
            id=identifier,
            rule=rule.name,
            kind=subject.kind,
            name=subject.name,
            level=track.level,
            since=track.since,
            text=text,
            homes=self._homes(subject.kind, subject.name),
            settled=False,
        )
        self._set(alert)
        self._say(alert, alert.level, at)
        if self._flaps(identifier, at):
            self._comes_and_goes[identifier] = None
            self._say_flapping(alert, at)

    def _flaps(self, identifier: str, at: float) -> bool:
        """Count that it fires; whether that is too often."""
        lately = [each for each in self._fired.get(identifier, ()) if at - WITHIN_S < each <= at]
        self._fired[identifier] = (*lately[-MOST_FIRES:], at)
        self._changed_fired.add(identifier)
        return len(lately) >= MOST_FIRES

    def _goes_on(self, before: Alert, level: str, text: Message, at: float) -> None:
        worse = level == "critical" and before.level != "critical"
        alert = replace(before, level=level, text=text, holds=True)
        if worse:  # whoever took it on took on something else
            alert = replace(alert, acked_by=None, acked_at=None, ack_note="")
        if before.flapping or before.id in self._comes_and_goes:
            self._flaps(before.id, at)
        elif level != before.level:
            self._say(alert, level, at)
        self._set(alert)

    def _cleared(self, before: Alert, at: float) -> None:
        if before.flapping or before.id in self._comes_and_goes:
            self._set(replace(before, holds=False))
            return
        self._end(before.id)
        self._say(before, "clear", at)

    def _end(self, identifier: str) -> None:
        del self.alerts[identifier]
        self._changed[identifier] = None
        for table in (self._seen, self._grace, self._turned, self._comes_and_goes):
            table.pop(identifier, None)

    # ---- what people say

    def take_on(self, identifier: str, by: str, note: str, now: float) -> Alert | None:
        """Somebody has it in hand; None where there is no such alert."""
        before = self.alerts.get(identifier)
        if before is None:
            return None
        alert = replace(before, acked_by=by, acked_at=round(now, 1), ack_note=note)
        self._set(alert)
        return alert

    def give_back(self, identifier: str) -> Alert | None:
        """Nobody has it in hand any more; None where there is no such alert."""
        before = self.alerts.get(identifier)
        if before is None:
            return None
        alert = replace(before, acked_by=None, acked_at=None, ack_note="")
        self._set(alert)
        return alert

    def explain(self, alert: str, cause: tuple[Message, Message] | None) -> None:
        """Write the probable cause onto an alert."""
        before = self.alerts.get(alert)
        words, headline = cause or (None, None)
        if before is not None and (before.cause, before.headline) != (words, headline):
            self._set(replace(before, cause=words, headline=headline))

    # ---- who explains whom

    def look_again(self) -> None:
        """Something outside changed that `relate` should know of, such as a window of maintenance."""
        self._dirty = True

    def relate(self, now: float, heard: Callable[[str], float | None]) -> None:
        """Find out anew which alert is explained by which, and what else time brings; cheap while nothing
        changed. `heard`: when a monitor last measured something that reached us."""
        due = min(self._due, self._look_again)
        before, self._now = self._now, now
        if not self._dirty and before <= now < due:
            return
        self._dirty = False
        self._calm(now)
        found = self._silence.look(self.alerts, heard)
        roots, behind, window_of = found.root, found.behind, self.in_maintenance
        self._due = _NEVER
        mute = False
        for identifier, alert in list(self.alerts.items()):
            mute = mute or alert.rule == MUTE
            parent = roots.get(identifier)
            if parent is None and alert.silenced_by is not None:
                parent = self._in_grace(alert, now)
            elif self._grace:
                self._grace.pop(identifier, None)
            settled = alert.settled or self._is_settled(alert, parent, found, now)
            window = window_of(alert.kind, alert.name) if window_of else None
            counted = identifier in behind or alert.behind_alerts or alert.behind_sites
            counts = self._counts(alert, behind.get(identifier)) if counted else None
            if (
                alert.silenced_by != parent
                or alert.settled != settled
                or alert.maintenance != window
                or (counts and counts != (alert.homes, alert.behind_sites, alert.behind_alerts))
            ):
                homes, sites, count = counts or (alert.homes, 0, 0)
                self._set(
                    replace(
                        alert, silenced_by=parent, settled=settled, homes=homes, behind_sites=sites,
                        behind_alerts=count, maintenance=window,
                    )
                )  # fmt: skip
        self._look_again = now + _LOOK_AGAIN_S if mute else _NEVER
        flapping = (self._turned.get(each.id, now) for each in self.alerts.values() if each.flapping)
        soon = (at for at in self._comes_and_goes.values() if at is not None)
        self._due = min(self._due, *(at + CALM_S for at in flapping), *soon, *self._grace.values(), _NEVER)

    def _in_grace(self, alert: Alert, now: float) -> str | None:
        """Its root is over: it keeps quiet a little longer, for it may be over soon, too."""
        grace_s = self._wait_s if alert.rule == MUTE else self._grace_s
        until = self._grace.setdefault(alert.id, now + grace_s)
        if now < until <= now + grace_s:
            return alert.silenced_by
        del self._grace[alert.id]
        return None

    def _is_settled(self, alert: Alert, parent: str | None, found: Found, now: float) -> bool:
        if parent is not None or alert.kind == "upstream":
            return True
        seen = self._seen.setdefault(alert.id, now)
        until = seen + (self._wait_s if alert.id in found.waits else self._settle_s)
        if not seen <= now < until:
            del self._seen[alert.id]
            return True
        self._due = min(self._due, until)
        return False

    def _counts(self, alert: Alert, behind: Behind | None) -> tuple[int, int, int]:
        if behind is None:
            return self._homes(alert.kind, alert.name), 0, 0
        homes = behind.homes if behind.sites else self._homes(alert.kind, alert.name)
        return homes, behind.sites, behind.alerts

    def _calm(self, now: float) -> None:
        """What comes and goes called people once, and is flapping; what was calm is over, or speaks again."""
        for identifier, until in list(self._comes_and_goes.items()):
            if until is None or until - now > 2 * self._settle_s:
                self._comes_and_goes[identifier] = now + 2 * self._settle_s
            elif now >= until:
                del self._comes_and_goes[identifier]
                self._set(replace(self.alerts[identifier], flapping=True, settled=True))
        for alert in [each for each in self.alerts.values() if each.flapping]:
            turned = self._turned.setdefault(alert.id, min(now, max(self._fired.get(alert.id, (now,)))))
            if 0 <= now - turned < CALM_S:
                continue
            if alert.holds:
                alert = replace(alert, flapping=False)
                self._set(alert)
                self._say(alert, alert.level, now)
            else:
                self._end(alert.id)
                self._say(alert, "clear", now)

    def fired(self, now: float) -> dict[str, tuple[float, ...]]:
        """When alerts fired lately: those that changed since the last call; nothing for one long ago."""
        for identifier, times in list(self._fired.items()) if self._changed_fired else ():
            if identifier not in self.alerts and now - times[-1] > WITHIN_S:
                del self._fired[identifier]
                self._changed_fired.add(identifier)
        changed = {each: self._fired.get(each, ()) for each in self._changed_fired}
        self._changed_fired = set()
        return changed

    def flush(self) -> tuple[dict[str, Alert | None], list[Event]]:
        """What changed since the last call; an alert of None is over."""
        changed, self._changed = self._changed, {}
        events, self._events = self._events, []
        return changed, events

    # ---- small things

    def _set(self, alert: Alert) -> None:
        self.alerts[alert.id] = alert
        self._changed[alert.id] = alert

    def _say(self, alert: Alert, level: str, at: float) -> None:
        self._events.append(Event(at=at, text=alert.text, level=level, kind=alert.kind, name=alert.name))

    def _say_flapping(self, alert: Alert, at: float) -> None:
        name = wording.title(self._network, alert.kind, alert.name)
        text = Message("event.flapping", {"name": name, "minutes": round(CALM_S / 60)})
        self._events.append(Event(at=at, text=text, level="note", kind=alert.kind, name=alert.name))

    def _homes(self, kind: str, name: str) -> int:
        if kind == "link":
            return self._topology.homes_behind(name, self._network)
        if kind == "upstream":
            return sum(site.homes for site in self._network.sites.values())
        return 0
