"""The judge: takes what was measured, keeps the newest, runs the rules, and says which alerts hold.

No clock and no disk: evidence comes in with its times, `now` is handed in, what changed is handed out in
`Changes`. Rules of the scopes device, interface, cable and end run over every poll in its order, on the
`Bench` that monitors use too; those of link, node and upstream run over what the newest polls mean together,
once a tick.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ayni_core import ends
from ayni_core.inventory import End, Link, Network
from ayni_core.lastknown import LastKnown
from ayni_core.readings import NEIGHBOURS, UPTIME, Series, Value
from ayni_core.rules import EMPTY, Rule, Track, step
from ayni_core.rules.bench import Bench, Mouth, Turn
from ayni_core.rules.track import quiet, worth_keeping
from ayni_core.topology import build
from ayni_core.wire.frame import ANSWERED, DevicePolls
from ayni_core.wire.messages import Alert, Event, NodeState
from ayni_hub.alerting.book import AlertBook
from ayni_hub.alerting.subject import Subject
from ayni_hub.jurisdiction import Jurisdiction
from ayni_hub.normals import Normals, Wanted

_MISSED_POLLS = 2
_LONGEST_FLUSH_S = 86400.0


@dataclass(slots=True)
class NodeNews:
    """What is known of a monitor: its last birth or will, its newest frame, when the next one is due.
    `excused`: it may not send just now, because nobody would store it."""

    state: NodeState | None = None
    as_of: float | None = None
    next_by: float | None = None
    excused: bool = False

    def reports(self, now: float, poll_s: float) -> bool | None:
        """Whether it speaks; None for one that never did. A frame may be two polls late."""
        if self.state is None or self.excused:
            return None
        return self.state.up and (self.next_by is None or now <= self.next_by + 2 * poll_s)


@dataclass(slots=True)
class EndTrack:
    """Where one end hears the other, and in how many full polls in a row it did not."""

    where: tuple[str, str] | None = None
    missed: int = 0
    heard_at: float = 0.0
    deaf_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Turned:
    """A rule has another level for a subject since `at`."""

    rule: str
    subject: Subject
    before: str | None
    level: str | None
    at: float


@dataclass(slots=True)
class Changes:
    """What is to be remembered and told since the last time."""

    tracks: dict[str, Track] = field(default_factory=dict)
    alerts: dict[str, Alert | None] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    devices: set[str] = field(default_factory=set)
    turns: list[Turned] = field(default_factory=list)


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
        self.law = Jurisdiction(network, rules)
        self.book = AlertBook(network, self.topology, {rule.name for rule in rules}, alerts)
        self.changes = Changes()
        self.normals = Normals(network)
        self._tracks: dict[str, Track] = dict(tracks or {})
        self._bench: Bench[str] = Bench(self._tracks, _key, self.normals.of)
        self._judged_until: dict[str, float] = {}
        self._links_of: dict[str, list[tuple[Link, str, End, End]]] = {}
        for link in network.links.values():
            self._links_of.setdefault(link.a.device, []).append((link, "a", link.a, link.b))
            self._links_of.setdefault(link.b.device, []).append((link, "b", link.b, link.a))
        self._links_at: dict[str, set[str]] = {}
        for link in network.links.values():
            for _side, end in link.ends:
                self._links_at.setdefault(network.devices[end.device].node, set()).add(link.name)
        self._upstreams_of: dict[str, list[str]] = {}
        for upstream in network.upstreams.values():
            self._upstreams_of.setdefault(upstream.device, []).append(upstream.name)
        self._mouths: dict[str, tuple[Mouth, ...]] = {}
        self._spoke: dict[str, tuple[bool | None, bool]] = {}
        self._stirred_links, self._stirred_upstreams = set(network.links), set(network.upstreams)
        self._waiting: set[tuple[str, str]] = set()
        self._looked_over = False

    @property
    def alerts(self) -> Mapping[str, Alert]:
        """The alerts that hold, by identifier."""
        return self.book.alerts

    def suspect(self, rule: str) -> str | None:
        """The cause that a rule suspects first; None where it names none."""
        return self.law.suspects.get(rule)

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

    def excuse(self, nodes: Collection[str], now: float) -> None:
        """These may not send just now. Who may again owes a report soon."""
        for name, news in self.nodes.items():
            if news.excused and name not in nodes and news.state is not None and not self._is_missed(name):
                soon = now + min(max(news.state.flush_s, 0.0), _LONGEST_FLUSH_S)
                news.next_by = max(news.next_by or 0.0, soon)
            news.excused = name in nodes

    def _is_missed(self, node: str) -> bool:
        """Whether a monitor was silent before nobody could be heard: a report must show that it lives."""
        return any(
            self.level(rule.name, Subject("node", node)) is not None
            for rule in self.law.of_node(node)
            if rule.metric == "node_reports"
        )

    def take(
        self,
        node: str,
        devices: Mapping[str, DevicePolls],
        start: float,
        next_by: float | None,
        synced: bool | None = None,
    ) -> None:
        """Live polls of a node; `start` is when its frame began, `synced` whether it knew the time. Polls
        that are not newer are passed over."""
        news = self.nodes.get(node)
        until: float | None = None
        for device, polls in devices.items():
            if device in self.network.devices and polls.times_s:
                self._take_device(device, polls, start)
                until = max(until or 0.0, start + polls.times_s[-1])
        if news is None:
            return
        if until is not None and until > (news.as_of or 0.0):
            if news.as_of is None:
                self._waiting.add(("node", node))
            news.as_of = until
            for rule in self.law.of_node(node) if synced is not None else ():
                if rule.metric == "node_clock":
                    self._step(rule, Subject("node", node), float(bool(synced)), until)
        if next_by is not None:
            news.next_by = max(news.next_by or 0.0, next_by)

    def learn_normal(self, wanted: Wanted, value: float) -> None:
        """What is normal for a series was worked out."""
        if self.normals.learn(wanted, value):
            self._bench.forget(wanted.device)

    def data_used(self, upstream: str, share_pct: float, at: float) -> None:
        """How much of its month's data a way out has carried."""
        for rule in self.law.of_upstream(upstream):
            if rule.metric == "data_used_pct":
                self._step(rule, Subject("upstream", upstream), share_pct, at)

    def central(self, metric: str, values: Mapping[str, float | None], at: float) -> None:
        """How the central itself stands, by what it is about; None: not known just now. What is not named any
        more is over."""
        rules = [rule for rule in self.law.of_central() if rule.metric == metric]
        for rule in rules:
            for name, value in values.items():
                if value is not None:
                    self._step(rule, Subject("central", name), value, at)
        names = {rule.name for rule in rules}
        for alert in [each for each in self.alerts.values() if each.kind == "central"]:
            if alert.rule in names and alert.name not in values:
                subject = Subject("central", alert.name)
                key = subject.key(self.law.rules[alert.rule])
                self._end(key, self.law.rules[alert.rule], subject, at)

    def _take_device(self, device: str, polls: DevicePolls, start: float) -> None:
        until = self._judged_until.get(device, 0.0)
        fresh = [(i, start + at_s) for i, at_s in enumerate(polls.times_s) if start + at_s > until]
        if not fresh:
            return
        self._judged_until[device] = fresh[-1][1]
        self.changes.devices.add(device)
        answers = self._learn(device, polls, fresh)
        self._take_ends(device, polls, fresh)
        known = self.known.of(device)
        about = self.law.device(device, self._mouths.get(device, ()))
        turns = self._bench.answered(about, ANSWERED, answers) if answers else []
        if len(polls.values) > 1:
            rows = list(zip(*polls.values.values(), strict=True))
            turns += self._bench.judge(
                about,
                tuple(polls.values),
                [(at, rows[i]) for i, at in fresh],
                kind_of=lambda item: known.number(Series("interface", item, "if_type")),
            )
        for turn in turns:
            self._turned(turn)
        self._stirred_upstreams.update(self._upstreams_of.get(device, ()))
        for link, _side, _end, _other in self._links_of.get(device, ()):
            self._stirred_links.add(link.name)
            self._compare_rates(link, fresh[-1][1])

    def _learn(
        self, device: str, polls: DevicePolls, fresh: list[tuple[int, float]]
    ) -> list[tuple[float, float]]:
        """Keep what is newest; (time, whether it answered) of each poll."""
        answers: list[tuple[float, float]] = []
        for i, at in fresh if ANSWERED in polls.values else ():
            value = polls.values[ANSWERED][i]
            if isinstance(value, int | float):
                self.known.learn(device, ANSWERED, at, value)
                answers.append((at, value))
        known = self.known.of(device)
        values, full_at = known.values, known.full_at
        (last, newest), older = fresh[-1], fresh[-2::-1]
        for series, column in polls.values.items():
            at, value = newest, column[last]
            if value is None:
                at, value = next(((at, column[i]) for i, at in older if column[i] is not None), (0.0, None))
            if value is not None and series.metric != ANSWERED.metric:
                values[series] = (at, value)
                if at > full_at:
                    full_at = at
        known.full_at = full_at
        if NEIGHBOURS in polls.values and NEIGHBOURS in values:
            known.forget_neighbours(values[NEIGHBOURS][0])
        return answers

    def _take_ends(self, device: str, polls: DevicePolls, fresh: list[tuple[int, float]]) -> None:
        """Where this device hears the other ends, and whether it did."""
        links = self._links_of.get(device)
        if not links:
            return
        uptimes = polls.values.get(UPTIME)
        full = [(i, at) for i, at in fresh if uptimes is not None and uptimes[i] is not None]
        mouths = []
        for link, side, end, other in links:
            track = self.ends[link.name, side]
            found = ends.resolve(self.known.of(device), self.known.of(other.device), end)
            track.where = found or track.where
            if track.where is None:
                continue
            mouths.append(Mouth(*track.where, link.name, side))
            column = polls.values.get(Series(*track.where, "signal_dbm"))
            for i, at in full:
                if column is not None and column[i] is not None:
                    track.missed, track.heard_at = 0, at
                else:
                    track.deaf_at = at if not track.missed else track.deaf_at
                    track.missed += 1
        found_now = tuple(mouths)
        if self._mouths.get(device) != found_now:
            self._mouths[device] = found_now

    def _compare_rates(self, link: Link, at: float) -> None:
        """How much slower one end sends than the other, as far as both told lately."""
        rules = self.law.of_link(link.name, "rates_differ_pct")
        if not rules:
            return
        rates: list[float] = []
        for side, end in link.ends:
            where = self.ends[link.name, side].where
            if where is None:
                return
            lately = at - 3 * max(self.network.poll_s, 20.0)
            found = self.known.of(end.device).number(Series(*where, "tx_rate_bps"), lately)
            if not found:
                return
            rates.append(found)
        for rule in rules:
            differ = 100 * (1 - min(rates) / max(rates))
            self._step(rule, Subject("link", link.name), differ, at)

    # ---- meaning

    def tick(self, now: float) -> None:
        """Judge what the newest evidence means together: monitors, ways out, links; then who explains whom.

        Looked at is what has news, what is about to change, and what hangs on a monitor that fell silent or
        speaks again: a network of a thousand sites is judged each second. Links come last: they ask whether
        the monitors speak.
        """
        if not self._looked_over:
            self._looked_over = True
            self._forget_what_is_off(now)
        waiting, self._waiting = self._waiting, set()
        for name, news in self.nodes.items():
            reports = news.reports(now, self.network.poll_s)
            said = (reports, news.as_of is None)  # a birth may be retained and old: a report is more
            if self._spoke.get(name) == said and ("node", name) not in waiting:
                continue
            self._judge_node(name, news, reports, now)
        upstreams, self._stirred_upstreams = self._stirred_upstreams, set()
        for name in sorted(upstreams | {name for kind, name in waiting if kind == "upstream"}):
            up = self.upstream_up(name)
            for rule in self.law.of_upstream(name) if up is not None else ():
                if rule.metric == "upstream_up":
                    self._step(rule, Subject("upstream", name), float(bool(up)), now)
        links, self._stirred_links = self._stirred_links, set()
        for name in sorted(links | {name for kind, name in waiting if kind == "link"}):
            rules = self.law.of_link(name, "link_up")
            up = self.link_up(self.network.links[name], now) if rules else None
            for rule in rules if up is not None else ():
                self._step(rule, Subject("link", name), float(bool(up)), now)
        self.book.relate(now, lambda node: self.nodes[node].as_of)

    def _judge_node(self, name: str, news: NodeNews, reports: bool | None, now: float) -> None:
        said = (reports, news.as_of is None)
        if self._spoke.get(name) != said:
            self._spoke[name] = said
            self._stirred_links |= self._links_at.get(name, set())
        if reports is None:
            return
        for rule in self.law.of_node(name):
            if rule.metric != "node_reports":
                continue
            if reports and news.as_of is None and self.level(rule.name, Subject("node", name)):
                continue  # its birth is retained; that it lives a report must show
            self._step(rule, Subject("node", name), float(reports), now)

    def _forget_what_is_off(self, now: float) -> None:
        """Alarms by rules that somebody switched off for a thing are over."""
        for key, track in list(self._tracks.items()):
            name, kind, about, detail = [*key.split("|", 3), "", "", ""][:4]
            rule = self.law.rules.get(name)
            if track.level is None or rule is None or self.law.holds(name, kind, about, detail):
                continue
            self._end(key, rule, Subject(kind, about, detail), now)

    def _end(self, key: str, rule: Rule, subject: Subject, now: float) -> None:
        """A rule no longer looks at something: its alarm is over."""
        ended = replace(self._tracks.get(key, EMPTY), level=None, pending=None, count=0)
        self._tracks[key] = self.changes.tracks[key] = ended
        self.book.turned(rule, subject, ended, now, None)

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
        not its link. Of two monitors the one with the newer news counts: the other may be cut off.
        """
        hears = {side: self._hears(link.name, side, end, now) for side, end in link.ends}
        for (_side, end), other in zip(link.ends, ("b", "a"), strict=True):
            if self.node_speaks(self.network.devices[end.device].node, now) and self.silent(end.device):
                failed = self.known.of(end.device).failed_since or 0.0
                if not (hears[other] and self.ends[link.name, other].heard_at > failed):
                    return False
        for side, other in (("a", "b"), ("b", "a")):
            deaf = self.ends[link.name, side]
            if hears[side] is False and hears[other] and self.ends[link.name, other].heard_at < deaf.deaf_at:
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

    def _step(self, rule: Rule, subject: Subject, value: float, at: float) -> None:
        """One number about something that no poll of one device tells."""
        key = subject.key(rule)
        before = self._tracks.get(key, EMPTY)
        low, high = quiet(rule, before, None)
        if low <= value <= high:
            return
        after = step(rule, before, value, at)
        if after.count and subject.kind != "device":
            self._waiting.add((subject.kind, subject.name))
        if after != before:
            self._tracks[key] = after
            self._changed(key, rule, subject, before, after, at, None)

    def _turned(self, turn: Turn[str]) -> None:
        end = turn.end
        if end is None:
            subject = Subject("device", turn.device, turn.series.item)
        else:
            subject = Subject("link", end.link, end.side)
        self._changed(turn.key, turn.rule, subject, turn.before, turn.after, turn.at, turn.normal)

    def _changed(
        self,
        key: str,
        rule: Rule,
        subject: Subject,
        before: Track,
        after: Track,
        at: float,
        normal: float | None,
    ) -> None:
        if worth_keeping(rule, before, after):
            self.changes.tracks[key] = after
        if after.level != before.level:
            self.changes.turns.append(Turned(rule.name, subject, before.level, after.level, at))
            self.book.turned(rule, subject, after, at, normal)

    def flush(self) -> Changes:
        """What changed since the last call."""
        changes, self.changes = self.changes, Changes()
        changes.alerts, events = self.book.flush()
        changes.events += events
        return changes


def _key(rule: Rule, device: str, series: Series, end: Mouth | None) -> str:
    if end is not None:
        return Subject("link", end.link, end.side).key(rule)
    return Subject("device", device, series.item).key(rule)
