"""The local verdict: the shared rules over this node's own polls, so that news need not wait for the flush.

The hub judges the same readings and is the only one that alarms; what changes here closes the frame early.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ayni_core.ends import ETHERNET
from ayni_core.readings import Names, Poll, Row, Series, Value
from ayni_core.rules import EMPTY, Rule, Track, by_metric, step
from ayni_core.wire.frame import ANSWERED

MISSED_POLLS = 2
_FORGOTTEN_POLLS = 2880  # two days at a minute: a telephone that passed by


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


class _Seat:
    """One cell of a device's rows that one rule looks at. `quiet` is the value that changes nothing."""

    __slots__ = ("position", "quiet", "rule", "series")

    def __init__(self, position: int, series: Series, rule: Rule) -> None:
        self.position = position
        self.series = series
        self.rule = rule
        self.quiet: Value = None


@dataclass(slots=True)
class _Sheet:
    """What matters in the rows of one device while they have the same names."""

    names: Names
    seats: list[_Seat]
    peers: frozenset[str]


@dataclass(slots=True)
class Verdicts:
    """What the rules remember of every device of this node."""

    rules: Mapping[str, tuple[Rule, ...]]
    expected_dbm: Mapping[str, float | None]
    tracks: dict[tuple[str, str, Series], Track] = field(default_factory=dict)
    missed: dict[str, dict[str, int]] = field(default_factory=dict)
    sheets: dict[str, _Sheet] = field(default_factory=dict)
    answering: set[str] = field(default_factory=set)

    @classmethod
    def over(cls, rules: Iterable[Rule], expected_dbm: Mapping[str, float | None]) -> Verdicts:
        """Verdicts by those of the rules that one node can judge alone."""
        return cls(by_metric(rules, ("device", "interface", "cable", "end")), expected_dbm)

    def judge(self, poll: Poll) -> list[Transition]:
        """The transitions that one poll brings."""
        found: list[Transition] = []
        if poll.error or poll.device not in self.answering:
            self._answered(poll, found)
        if poll.error or not poll.values:
            return found
        row = Row.of(poll.values)
        sheet = self.sheets.get(poll.device)
        if sheet is None or sheet.names is not row.names:
            sheet = self.sheets[poll.device] = self._sheet(row)
        cells = row.cells
        for seat in sheet.seats:
            value = cells[seat.position]
            if value == seat.quiet or value is None or isinstance(value, str):
                continue
            if not self._step(poll, seat.series, seat.rule, value, found):
                seat.quiet = value
        return found + self._peers(poll.device, sheet.peers)

    def _sheet(self, row: Row) -> _Sheet:
        radio = any(series.group == "radio" for series in row)
        seats = []
        for position, series in enumerate(row.names.series):
            for rule in self.rules.get(series.metric, ()):
                if rule.scope == "end" and series.group not in ("radio", "station"):
                    continue
                if rule.scope == "cable" and not (radio and is_cable(row, series)):
                    continue
                seats.append(_Seat(position, series, rule))
        peers = frozenset(series.item for series in row if series.group == "station")
        return _Sheet(row.names, seats, peers)

    def _answered(self, poll: Poll, found: list[Transition]) -> None:
        """Whether the device answers at all; `answering` has those of which one more answer says nothing."""
        quiet = True
        for rule in self.rules.get(ANSWERED.metric, ()):
            quiet = not self._step(poll, ANSWERED, rule, 0 if poll.error else 1, found) and quiet
        if quiet and not poll.error:
            self.answering.add(poll.device)
        else:
            self.answering.discard(poll.device)

    def _step(self, poll: Poll, series: Series, rule: Rule, value: float, found: list[Transition]) -> bool:
        """Take one number; whether the same number once more could change anything."""
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
        return after.count > 0

    def _peers(self, device: str, heard: frozenset[str]) -> list[Transition]:
        """Stations that came or stayed away: the far end of a link is visible only from here."""
        missed = self.missed.setdefault(device, {})
        found = []
        for peer in heard:
            if missed.get(peer, 0) >= MISSED_POLLS:
                found.append(_peer(device, peer, None, "critical"))
            missed[peer] = 0
        for peer, count in list(missed.items()):
            if peer in heard:
                continue
            missed[peer] = count + 1
            if count > _FORGOTTEN_POLLS:
                del missed[peer]
            if count + 1 == MISSED_POLLS:
                found.append(_peer(device, peer, "critical", None))
        return found


def is_cable(values: Mapping[Series, Value], series: Series) -> bool:
    """Whether a reading of an interface is about an Ethernet port."""
    return values.get(Series("interface", series.item, "if_type")) == ETHERNET


def _peer(device: str, peer: str, level: str | None, before: str | None) -> Transition:
    return Transition(device=device, rule="peer-lost", item=peer, level=level, before=before)
