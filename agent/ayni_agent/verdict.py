"""The local verdict: the shared rules over this node's own polls, so that news need not wait for the flush.

The hub judges the same readings and is the only one that alarms; what changes here closes the frame early.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ayni_core.ends import ETHERNET
from ayni_core.readings import Poll, Series, Value
from ayni_core.rules import EMPTY, Rule, Track, by_metric, step
from ayni_core.wire.frame import ANSWERED

_MISSED_POLLS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A rule changed its level for something on this node; None is all well."""

    device: str
    rule: str
    item: str
    level: str | None
    before: str | None

    @property
    def critical(self) -> bool:
        """Whether the news is of the kind that always goes at once."""
        return "critical" in (self.level, self.before)


@dataclass(slots=True)
class Verdicts:
    """What the rules remember of every device of this node."""

    rules: Mapping[str, tuple[Rule, ...]]
    expected_dbm: Mapping[str, float | None]
    tracks: dict[tuple[str, str, Series], Track] = field(default_factory=dict)
    missed: dict[str, dict[str, int]] = field(default_factory=dict)

    @classmethod
    def over(cls, rules: Iterable[Rule], expected_dbm: Mapping[str, float | None]) -> Verdicts:
        """Verdicts by those of the rules that one node can judge alone."""
        return cls(by_metric(rules, ("device", "interface", "cable", "end")), expected_dbm)

    def judge(self, poll: Poll) -> list[Transition]:
        """The transitions that one poll brings."""
        values: Mapping[Series, Value] = {ANSWERED: 0} if poll.error else {ANSWERED: 1, **poll.values}
        radio = any(series.group == "radio" for series in values)
        found = []
        for series, value in values.items():
            rules = self.rules.get(series.metric)
            if not rules or value is None or isinstance(value, str):
                continue
            for rule in rules:
                if rule.scope == "end" and series.group not in ("radio", "station"):
                    continue
                if rule.scope == "cable" and not (radio and is_cable(values, series)):
                    continue
                key = (poll.device, rule.name, series)
                before = self.tracks.get(key, EMPTY)
                after = step(rule, before, value, poll.at_s, self.expected_dbm.get(poll.device))
                self.tracks[key] = after
                if after.level != before.level:
                    found.append(
                        Transition(
                            device=poll.device,
                            rule=rule.name,
                            item=series.item,
                            level=after.level,
                            before=before.level,
                        )
                    )
        if not poll.error and poll.values:
            found += self._peers(poll)
        return found

    def _peers(self, poll: Poll) -> list[Transition]:
        """Stations that came or stayed away: the far end of a link is visible only from here."""
        heard = {series.item for series in poll.values if series.group == "station"}
        missed = self.missed.setdefault(poll.device, {})
        found = []
        for peer in heard:
            if missed.get(peer, 0) >= _MISSED_POLLS:
                found.append(_peer(poll.device, peer, None, "critical"))
            missed[peer] = 0
        for peer, count in list(missed.items()):
            if peer in heard:
                continue
            missed[peer] = count + 1
            if count + 1 == _MISSED_POLLS:
                found.append(_peer(poll.device, peer, "critical", None))
        return found


def is_cable(values: Mapping[Series, Value], series: Series) -> bool:
    """Whether a reading of an interface is about an Ethernet port."""
    return values.get(Series("interface", series.item, "if_type")) == ETHERNET


def _peer(device: str, peer: str, level: str | None, before: str | None) -> Transition:
    return Transition(device=device, rule="peer-lost", item=peer, level=level, before=before)
