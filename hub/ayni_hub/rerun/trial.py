"""Rules tried on stored history: what would have fired, and how much of it was for nothing.

The judge is the hub's own, with a clock that follows the samples. A day at a time is read from the store, so
that a year fits into memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ayni_core.inventory import Network
from ayni_core.rules import LEVELS, Rule
from ayni_core.rules.readers import NEEDED
from ayni_hub.alerting.subject import Subject, alert_id
from ayni_hub.baselines import worked_out
from ayni_hub.judge import Judge
from ayni_hub.rerun.rounds import Rounds, tell
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
    """What came of a trial."""

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


class Trial:
    """One run over a store. `notes` are what people wrote down."""

    def __init__(
        self, network: Network, rules: Sequence[Rule], store: Store, notes: Sequence[Note] = ()
    ) -> None:
        self._network = network
        self._rules = tuple(rules)
        self._store = store
        self._notes = notes
        metrics = _ALWAYS | {rule.metric for rule in rules}
        for rule in rules:
            metrics |= NEEDED.get(rule.metric, frozenset())
        self._rounds = Rounds(network, store, lambda series: series.metric in metrics)

    def run(
        self, start: float, end: float, progress: Callable[[float], None] = lambda share: None
    ) -> Outcome:
        """Try what was measured from `start` to `end`. Raises `StoreError`."""
        judge = Judge(self._network, self._rules)
        outcome = Outcome(start, end)
        open_alarms: dict[tuple[str, Subject], Alarm] = {}
        begin = start
        seen: set[str] = set()
        while begin < end:
            until = min(begin + DAY_S, end)
            self._learn_normals(judge, begin)
            for at, reports in self._rounds.read(begin, until):
                for devices in reports.values():
                    outcome.polls += sum(len(polls.times_s) for polls in devices.values())
                    seen.update(devices)
                tell(judge, reports, at)
                self._note_turns(judge, outcome, open_alarms)
            begin = until
            progress((begin - start) / (end - start))
        outcome.devices = len(seen)
        outcome.alarms.sort(key=lambda alarm: alarm.since)
        for alarm in outcome.alarms:
            alarm.noted = self._is_noted(alarm, end)
        return outcome

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
