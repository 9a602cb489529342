"""The judge: takes what was measured, keeps the newest, runs the rules, and says which alerts hold.

No clock and no disk: evidence comes in with its times, `now` is handed in, what changed is handed out in
`Changes`. Rules of the scopes device, interface and end run over every poll in its order; those of link,
node and upstream run over what the newest polls mean together, once a tick.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ayni_core import ends
from ayni_core.inventory import End, Link, Network
from ayni_core.lastknown import LastKnown
from ayni_core.readings import Series, Value
from ayni_core.rules import EMPTY, Rule, Track, by_metric, step
from ayni_core.topology import build
from ayni_core.wire.frame import ANSWERED, DevicePolls
from ayni_core.wire.messages import Alert, Event, NodeState
from ayni_hub.alerting.book import AlertBook
from ayni_hub.alerting.subject import Subject

_MISSED_POLLS = 2
_LONGEST_FLUSH_S = 86400.0


@dataclass(slots=True)
class NodeNews:
    """What is known of a monitor: its last birth or will, its newest frame, when the next one is due."""

    state: NodeState | None = None
    as_of: float | None = None
    next_by: float | None = None

    def reports(self, now: float, poll_s: float) -> bool | None:
        """Whether it speaks; None for one that never did. A frame may be two polls late."""
        if self.state is None:
            return None
        return self.state.up and (self.next_by is None or now <= self.next_by + 2 * poll_s)


@dataclass(slots=True)
class EndTrack:
    """Where one end hears the other, and in how many full polls in a row it did not."""

    where: tuple[str, str] | None = None
    missed: int = 0
    heard_at: float = 0.0


@dataclass(slots=True)
class Changes:
    """What is to be remembered and told since the last time."""

    tracks: dict[str, Track] = field(default_factory=dict)
    alerts: dict[str, Alert | None] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    devices: set[str] = field(default_factory=set)


class Judge:
    """One judge over the whole network."""

    def __init__(
        self,
        network: Network,
        rules: Sequence[Rule],
        tracks: Mapping[str, Track] | None = None,
        alerts: Mapping[str, Alert] | None = None,
    ) -> None:
        self.network = network
        self.topology = build(network)
        self.known = LastKnown()
        self.nodes: dict[str, NodeNews] = {name: NodeNews() for name in network.nodes}
        self.ends: dict[tuple[str, str], EndTrack] = {
            (link.name, side): EndTrack() for link in network.links.values() for side, _end in link.ends
        }
        self.book = AlertBook(network, self.topology, {rule.name for rule in rules}, alerts)
        self.changes = Changes()
        self._rules = tuple(rules)
        self._by_metric = by_metric(self._rules, ("device", "interface"))
        self._cable_rules = by_metric(self._rules, ("cable",))
        self._end_rules = tuple(rule for rule in self._rules if rule.scope == "end")
        self._tracks: dict[str, Track] = dict(tracks or {})
        self._judged_until: dict[str, float] = {}
        self._links_of: dict[str, list[tuple[Link, str, End, End]]] = {}
        for link in network.links.values():
            self._links_of.setdefault(link.a.device, []).append((link, "a", link.a, link.b))
            self._links_of.setdefault(link.b.device, []).append((link, "b", link.b, link.a))

    @property
    def alerts(self) -> Mapping[str, Alert]:
        """The alerts that hold, by identifier."""
        return self.book.alerts

    # ---- evidence

    def recall(self, device: str, newest: Iterable[tuple[Series, float, Value]]) -> None:
        """After a restart: the newest values as the store remembers them. They fire nothing."""
        for series, at, value in newest:
            self.known.learn(device, series, at, value)
        self._judged_until[device] = max(self.known.of(device).full_at, self.known.of(device).answered_at)

    def settle(self) -> None:
        """After all was recalled: where each end hears the other; whether it does, the next poll tells."""
        for link in self.network.links.values():
            for (side, end), other in zip(link.ends, (link.b, link.a), strict=True):
                track = self.ends[link.name, side]
                track.where = ends.resolve(self.known.of(end.device), self.known.of(other.device), end)
                track.missed = 1

    def node_state(self, node: str, state: NodeState, now: float) -> None:
        """A birth, or a last will. A monitor that says it is there owes a report soon: its birth is retained
        and may be older than its death."""
        news = self.nodes.get(node)
        if news is None:
            return
        news.state = state
        if state.up and news.next_by is None:
            news.next_by = now + min(max(state.flush_s, 0.0), _LONGEST_FLUSH_S)

    def take(
        self, node: str, devices: Mapping[str, DevicePolls], start: float, next_by: float | None
    ) -> None:
        """Live polls of a node; `start` is when its frame began. Polls that are not newer are passed over."""
        news = self.nodes.get(node)
        for device, polls in devices.items():
            if device in self.network.devices and polls.times_s:
                self._take_device(device, polls, start)
                if news is not None:
                    news.as_of = max(news.as_of or 0.0, start + polls.times_s[-1])
        if news is not None and next_by is not None:
            news.next_by = max(news.next_by or 0.0, next_by)

    def _take_device(self, device: str, polls: DevicePolls, start: float) -> None:
        until = self._judged_until.get(device, 0.0)
        fresh = [(i, start + at_s) for i, at_s in enumerate(polls.times_s) if start + at_s > until]
        if not fresh:
            return
        self._judged_until[device] = fresh[-1][1]
        self.changes.devices.add(device)
        for series, column in polls.values.items():
            rules = self._by_metric.get(series.metric, ())
            if device in self._links_of and self._is_cable(device, series):
                rules = (*rules, *self._cable_rules.get(series.metric, ()))
            newest: tuple[float, Value] | None = None
            for i, at in fresh:
                value = column[i]
                if value is None:
                    continue
                newest = (at, value)
                if series == ANSWERED:
                    self.known.learn(device, series, at, value)
                if rules and not isinstance(value, str):
                    for rule in rules:
                        self._step(rule, Subject("device", device, series.item), value, at)
            if newest is not None and series != ANSWERED:
                self.known.learn(device, series, *newest)
        self._take_ends(device, polls, fresh)

    def _is_cable(self, device: str, series: Series) -> bool:
        kind = Series("interface", series.item, "if_type")
        return series.group == "interface" and self.known.of(device).number(kind) == ends.ETHERNET

    def _take_ends(self, device: str, polls: DevicePolls, fresh: list[tuple[int, float]]) -> None:
        uptimes = polls.values.get(ends.UPTIME)
        full = [(i, at) for i, at in fresh if uptimes is not None and uptimes[i] is not None]
        for link, side, end, other in self._links_of.get(device, ()):
            track = self.ends[link.name, side]
            found = ends.resolve(self.known.of(device), self.known.of(other.device), end)
            track.where = found or track.where
            if track.where is None:
                continue
            for i, at in full:
                column = polls.values.get(Series(*track.where, "signal_dbm"))
                if column is not None and column[i] is not None:
                    track.missed, track.heard_at = 0, at
                else:
                    track.missed += 1
            for rule in self._end_rules:
                column = polls.values.get(Series(*track.where, rule.metric))
                for i, at in full if column is not None else ():
                    value = column[i] if column is not None else None
                    if isinstance(value, int | float):
                        self._step(rule, Subject("link", link.name, side), value, at, end.expected_dbm)

    # ---- meaning

    def tick(self, now: float) -> None:
        """Judge what the newest evidence means together: monitors, ways out, links; then who explains whom.

        Links come last: they ask whether the monitors speak.
        """
        for rule in self._rules:
            match rule.scope:
                case "node":
                    for name, news in self.nodes.items():
                        reports = news.reports(now, self.network.poll_s)
                        if reports is not None:
                            self._step(rule, Subject("node", name), float(reports), now)
                case "upstream":
                    for name in self.network.upstreams:
                        up = self.upstream_up(name)
                        if up is not None:
                            self._step(rule, Subject("upstream", name), float(up), now)
        for rule in self._rules:
            if rule.scope == "link":
                for link in self.network.links.values():
                    up = self.link_up(link, now)
                    if up is not None:
                        self._step(rule, Subject("link", link.name), float(up), now)
        self.book.relate()

    def node_speaks(self, node: str, now: float) -> bool:
        """Whether what a node told is still news."""
        news = self.nodes.get(node)
        return bool(news and news.reports(now, self.network.poll_s))

    def silent(self, device: str) -> bool:
        """Whether the rule for silent devices holds for this one."""
        return self.level("device-silent", Subject("device", device)) is not None

    def level(self, rule: str, subject: Subject) -> str | None:
        """The level that a rule has for a subject right now."""
        return self._tracks.get(f"{rule}|{subject.kind}|{subject.name}|{subject.detail}", EMPTY).level

    def upstream_up(self, name: str) -> bool | None:
        """Whether a way out works, as far as its interface tells; None while its device does not answer."""
        upstream = self.network.upstreams[name]
        if self.silent(upstream.device):
            return None
        oper = self.known.of(upstream.device).number(Series("interface", upstream.interface, "if_oper"))
        return None if oper is None else oper == 1

    def link_up(self, link: Link, now: float) -> bool | None:
        """Whether both ends still hear each other, by those ends whose monitor reports; None if nobody tells.

        A device that is silent while the far radio, asked later, still hears it has lost its monitor's cable,
        not its link.
        """
        hears = {side: self._hears(link.name, side, end, now) for side, end in link.ends}
        for (_side, end), other in zip(link.ends, ("b", "a"), strict=True):
            if self.node_speaks(self.network.devices[end.device].node, now) and self.silent(end.device):
                failed = self.known.of(end.device).failed_since or 0.0
                if not (hears[other] and self.ends[link.name, other].heard_at > failed):
                    return False
        if True in hears.values():
            return True
        return False if False in hears.values() else None

    def _hears(self, link: str, side: str, end: End, now: float) -> bool | None:
        """Whether one end hears the other; None while it cannot be asked, or after one missed poll."""
        track = self.ends[link, side]
        if not self.node_speaks(self.network.devices[end.device].node, now) or self.silent(end.device):
            return None
        if track.where is None or 0 < track.missed < _MISSED_POLLS:
            return None
        return track.missed == 0

    # ---- alerts

    def _step(
        self, rule: Rule, subject: Subject, value: float, at: float, normal: float | None = None
    ) -> None:
        key = subject.key(rule)
        before = self._tracks.get(key, EMPTY)
        after = step(rule, before, value, at, normal)
        if after == before:
            return
        self._tracks[key] = after
        if after.level != before.level or after.best != before.best:
            self.changes.tracks[key] = after
        if after.level != before.level:
            self.book.turned(rule, subject, after, at, normal)

    def flush(self) -> Changes:
        """What changed since the last call."""
        changes, self.changes = self.changes, Changes()
        changes.alerts, events = self.book.flush()
        changes.events += events
        return changes
