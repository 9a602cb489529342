"""Stored history through the judge again: what would have fired, and how much of it was for nothing.

The judge is the hub's own, with a clock that follows the samples. A day at a time is read from the store, so
that a year fits into memory. Monitors count as reporting while any of their devices has samples: what a
report was late for is not stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ayni_core.inventory import Network
from ayni_core.readings import Series, Value
from ayni_core.rules import LEVELS, Rule
from ayni_core.rules.readers import NEEDED
from ayni_core.wire.frame import DevicePolls
from ayni_core.wire.messages import NodeState
from ayni_hub.alerting.subject import Subject, alert_id
from ayni_hub.baselines import worked_out
from ayni_hub.judge import Judge
from ayni_hub.store import Store

DAY_S = 86_400.0
_ALWAYS = frozenset(("answered", "uptime_s", "signal_dbm", "tx_rate_bps", "if_oper", "if_type", "if_mac"))
"""What tells whether links stand, beside what rules look at."""

Note = tuple[float, str, str]
"""(when, kind, name): somebody wrote something down about a thing."""


@dataclass(slots=True)
class Alarm:
    """One rule that fired for one thing; `until` None: it still holds at the end. `explained`: another alarm
    said why, so nobody would have been told of it. `noted`: somebody wrote a note meanwhile, or within a
    day."""

    rule: str
    subject: Subject
    site: str
    level: str
    since: float
    until: float | None = None
    explained: bool = False
    noted: bool = False

    def lasted_s(self, end: float) -> float:
        """How long it held."""
        return (end if self.until is None else self.until) - self.since

    def is_false(self, short_s: float) -> bool:
        """Whether it was for nothing: it ended by itself after less than `short_s`, nothing explains it, and
        nobody found it worth a note."""
        return (
            self.until is not None
            and self.until - self.since < short_s
            and not (self.explained or self.noted)
        )


@dataclass(slots=True)
class Outcome:
    """What came of a replay."""

    start: float
    end: float
    devices: int = 0
    polls: int = 0
    alarms: list[Alarm] = field(default_factory=list)

    @property
    def weeks(self) -> float:
        """How long it was, in weeks."""
        return max(self.end - self.start, 1.0) / (7 * DAY_S)

    def false_per_site_and_week(self, short_s: float, sites: Sequence[str]) -> dict[str, float]:
        """False alarms of each site, counted for a week."""
        found = dict.fromkeys(sites, 0)
        for alarm in self.alarms:
            if alarm.is_false(short_s) and alarm.site in found:
                found[alarm.site] += 1
        return {site: count / self.weeks for site, count in found.items()}


class Replay:
    """One run over a store. `notes` are what people wrote down."""

    def __init__(
        self, network: Network, rules: Sequence[Rule], store: Store, notes: Sequence[Note] = ()
    ) -> None:
        self._network = network
        self._rules = tuple(rules)
        self._store = store
        self._notes = notes
        self._metrics = _ALWAYS | {rule.metric for rule in rules}
        for rule in rules:
            self._metrics |= NEEDED.get(rule.metric, frozenset())

    def run(
        self, start: float, end: float, progress: Callable[[float], None] = lambda share: None
    ) -> Outcome:
        """Replay what was measured from `start` to `end`. Raises `StoreError`."""
        judge = Judge(self._network, self._rules)
        outcome = Outcome(start, end)
        open_alarms: dict[tuple[str, Subject], Alarm] = {}
        begin = start
        seen: set[str] = set()
        while begin < end:
            until = min(begin + DAY_S, end)
            polls = self._polls(begin, until)
            outcome.polls += sum(len(each) for each in polls.values())
            seen.update(device for device, each in polls.items() if each)
            self._learn_normals(judge, begin)
            self._day(judge, polls, begin, until, outcome, open_alarms)
            begin = until
            progress((begin - start) / (end - start))
        outcome.devices = len(seen)
        outcome.alarms.sort(key=lambda alarm: alarm.since)
        for alarm in outcome.alarms:
            alarm.noted = self._is_noted(alarm, end)
        return outcome

    def _polls(self, begin: float, until: float) -> dict[str, list[tuple[float, dict[Series, Value]]]]:
        """The polls of each device in time order."""
        found: dict[str, list[tuple[float, dict[Series, Value]]]] = {}
        for device in self._network.devices:
            rows: dict[float, dict[Series, Value]] = {}
            for series in self._store.names(device):
                if series.metric in self._metrics:
                    for at, value in self._store.values(device, series, begin, until):
                        rows.setdefault(at, {})[series] = value
            found[device] = sorted(rows.items(), key=lambda row: row[0])
        return found

    def _day(
        self,
        judge: Judge,
        polls: Mapping[str, list[tuple[float, dict[Series, Value]]]],
        begin: float,
        until: float,
        outcome: Outcome,
        open_alarms: dict[tuple[str, Subject], Alarm],
    ) -> None:
        """A round of polls at a time, as reports would come that are sent after each."""
        places = dict.fromkeys(polls, 0)
        step_s = max(self._network.poll_s, 1.0)
        for at in _steps(begin, until, step_s):
            nodes: dict[str, dict[str, DevicePolls]] = {}
            for device, rows in polls.items():
                place = places[device]
                if place >= len(rows) or rows[place][0] >= at:
                    continue
                taken = DevicePolls()
                while place < len(rows) and rows[place][0] < at:
                    taken.add(rows[place][0], rows[place][1])
                    place += 1
                places[device] = place
                nodes.setdefault(self._network.devices[device].node, {})[device] = taken
            for node, devices in nodes.items():
                if judge.nodes[node].state is None:  # before its first sample nobody missed it
                    judge.node_state(node, NodeState(up=True, flush_s=self._network.flush_s), at)
                judge.take(node, devices, 0.0, at + self._network.flush_s)
            judge.tick(at)
            self._note_turns(judge, outcome, open_alarms)

    def _note_turns(
        self, judge: Judge, outcome: Outcome, open_alarms: dict[tuple[str, Subject], Alarm]
    ) -> None:
        for turn in judge.flush().turns:
            key = (turn.rule, turn.subject)
            alarm = open_alarms.get(key)
            if turn.level is None:
                if alarm is not None:
                    alarm.until = turn.at
                    del open_alarms[key]
            elif alarm is None:
                site = self._site(turn.subject)
                alarm = Alarm(turn.rule, turn.subject, site, turn.level, turn.at)
                outcome.alarms.append(alarm)
                open_alarms[key] = alarm
            elif LEVELS.index(turn.level) > LEVELS.index(alarm.level):
                alarm.level = turn.level
        for (name, subject), alarm in open_alarms.items():
            alert = judge.alerts.get(alert_id(judge.law.rules[name], subject))
            if alert is not None and alert.silenced_by is not None:
                alarm.explained = True

    def _learn_normals(self, judge: Judge, now: float) -> None:
        """What the hub would have known on that day."""
        for wanted in list(judge.normals.wanted):
            if wanted.baseline != "reference" or not judge.normals.knows(wanted):
                value = worked_out(self._store, wanted, now)
                if value is not None:
                    judge.learn_normal(wanted, round(value, 1))

    def _is_noted(self, alarm: Alarm, end: float) -> bool:
        about = {(alarm.subject.kind, alarm.subject.name), ("site", alarm.site)}
        until = (end if alarm.until is None else alarm.until) + DAY_S
        return any(alarm.since <= at <= until and (kind, name) in about for at, kind, name in self._notes)

    def _site(self, subject: Subject) -> str:
        network = self._network
        match subject.kind:
            case "device":
                return network.devices[subject.name].site
            case "link":
                link = network.links[subject.name]
                return network.devices[link.b.device if subject.detail == "b" else link.a.device].site
            case "node":
                return network.nodes[subject.name].site
        return network.devices[network.upstreams[subject.name].device].site


def _steps(begin: float, until: float, step_s: float) -> Iterator[float]:
    count = 1
    while begin + count * step_s < until:
        yield begin + count * step_s
        count += 1
    yield until
