"""The local verdict: the shared rules over this node's own polls, so that news need not wait for the flush.

The hub judges the same readings and is the only one that alarms; what changes here closes the frame early.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ayni_core.ends import ETHERNET
from ayni_core.readings import Poll, Row, Series, Value
from ayni_core.rules import Rule, Track, by_metric
from ayni_core.rules.bench import Bench, Device, Mouth, Turn
from ayni_core.rules.law import Law, Section
from ayni_core.rules.place import NOWHERE, Place
from ayni_core.wire.frame import ANSWERED

MISSED_POLLS = 2
_FORGOTTEN_POLLS = 2880  # two days at a minute: a telephone that passed by
_SCOPES = ("device", "interface", "cable", "end")

Key = tuple[str, str, Series]
"""The device, the rule, and what it is about."""


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
class _Sheet:
    """One device while its rows have the same names."""

    names: tuple[Series, ...]
    device: Device
    peers: frozenset[str]


@dataclass(slots=True)
class Verdicts:
    """What the rules remember of every device of this node."""

    rules: Mapping[str, tuple[Rule, ...]]
    expected_dbm: Mapping[str, float | None]
    law: Law
    sections: Mapping[str, tuple[Section, ...]] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    tracks: dict[Key, Track] = field(default_factory=dict)
    missed: dict[str, dict[str, int]] = field(default_factory=dict)
    sheets: dict[str, _Sheet] = field(default_factory=dict)
    bench: Bench[Key] = field(init=False)

    def __post_init__(self) -> None:
        """A bench over these tracks."""
        self.bench = Bench(self.tracks, _key, self._normal)

    @classmethod
    def over(
        cls,
        rules: Iterable[Rule],
        expected_dbm: Mapping[str, float | None],
        *,
        sections: Mapping[str, tuple[Section, ...]] | None = None,
        places: Mapping[str, Place] | None = None,
    ) -> Verdicts:
        """Verdicts by those of the rules that one node can judge alone; `sections` say by device what is
        different there, `places` where it stands."""
        alone = tuple(rule for rule in rules if rule.scope in _SCOPES)
        return cls(
            by_metric(alone, _SCOPES), expected_dbm, Law(alone), sections=sections or {}, places=places or {}
        )

    def judge(self, poll: Poll, wall_s: float | None = None) -> list[Transition]:
        """The transitions that one poll brings; `wall_s` is when it was, in seconds since 1970, if that is
        known."""
        if poll.error or not poll.values:
            device = self._sheet(poll.device, ()).device if poll.device not in self.sheets else None
            device = device or self.sheets[poll.device].device
            answer = 0.0 if poll.error else 1.0
            return _transitions(self.bench.answered(device, ANSWERED, [(poll.at_s, answer)]))
        row = Row.of(poll.values)
        names = row.names.series
        sheet = self.sheets.get(poll.device)
        if sheet is None or (sheet.names is not names and sheet.names != names):
            sheet = self.sheets[poll.device] = self._sheet(poll.device, names)
        turns = self.bench.answered(sheet.device, ANSWERED, [(poll.at_s, 1.0)])
        turns += self.bench.judge(
            sheet.device,
            sheet.names,
            [(poll.at_s, row.cells)],
            kind_of=lambda item: _number(row.get(Series("interface", item, "if_type"))),
            wall_s=None if wall_s is None else wall_s - poll.at_s,
        )
        return _transitions(turns) + self._peers(poll.device, sheet.peers)

    def _sheet(self, device: str, names: tuple[Series, ...]) -> _Sheet:
        """What may be the end of a link: its radios, and a station that is the only one. Which of many
        stations are links, and which are homes, only the central knows."""
        rules = self.law.under(*self.sections.get(device, ()))
        stations = {series.item for series in names if series.group == "station"}
        mouths = {
            Mouth(series.group, series.item)
            for series in names
            if series.group == "radio" or (series.group == "station" and len(stations) == 1)
        }
        about = Device(
            name=device,
            place=self.places.get(device, NOWHERE),
            rules=rules,
            ends={} if len(stations) > 1 else dict.fromkeys(sorted(mouths), rules),
            has_link=any(series.group == "radio" for series in names),
        )
        return _Sheet(names, about, frozenset(stations))

    def _normal(self, baseline: str, device: str, series: Series, _end: Mouth | None) -> float | None:
        """Here nothing is known but what the inventory says."""
        return (
            self.expected_dbm.get(device) if baseline == "budget" and series.metric == "signal_dbm" else None
        )

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


def _key(rule: Rule, device: str, series: Series, _end: Mouth | None) -> Key:
    return (device, rule.name, series)


def _number(value: Value) -> float | None:
    return value if isinstance(value, int | float) else None


def _transitions(turns: Iterable[Turn[Key]]) -> list[Transition]:
    return [
        Transition(
            device=turn.device, rule=turn.rule.name, item=turn.series.item,
            level=turn.after.level, before=turn.before.level,
        )
        for turn in turns
        if turn.after.level != turn.before.level
    ]  # fmt: skip


def _peer(device: str, peer: str, level: str | None, before: str | None) -> Transition:
    return Transition(device=device, rule="peer-lost", item=peer, level=level, before=before)
