"""From profile and survey to the plan of a device.

`resolve` does once what is expensive: which of several columns to use, what each row is called, which rows
are meant at all, what scales a value. Its result is a `Plan`: what to ask at every poll, and for each raw OID
the series and the conversion. `extract` does the rest at every poll.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ayni_core.convert import Converter, Raw, converter
from ayni_core.oid_notation import parse
from ayni_core.profile import Derived, Profile, Reading, Table
from ayni_core.readings import MAX_TEXT, Series, Value
from ayni_core.survey import Survey, columns_of

_SPARSE = 0.6
_SMALL = 16
"""Where less than this share of a table's cells is in use, or not more than this number, they are asked for
one by one, together with the scalars, instead of being walked."""

PULSE = (parse("1.3.6.1.2.1.1.3.0"), parse("1.3.6.1.2.1.2.1.0"))
"""sysUpTime and ifNumber, which every poll asks for: they tell that a device is not quite the one it was."""

Entry = tuple[Series, Converter | None]
"""None: the value is the number as it stands, and nothing if it is no number."""

Derivation = tuple[Series, str, tuple[Series, ...], tuple[Series, ...]]
"""A reading that is computed: which, how, out of which, and less which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Columns to read side by side at every poll; `rows` None where they come and go."""

    columns: tuple[bytes, ...]
    rows: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a series comes from, for people who want to know."""

    oid: bytes
    states: Mapping[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to poll one device: what to ask, what each answer is, and what does not change meanwhile."""

    gets: tuple[bytes, ...]  # PULSE first
    walks: tuple[Walk, ...]
    slow_gets: tuple[bytes, ...]  # what is asked for at every few polls, besides
    slow_walks: tuple[Walk, ...]
    watched: Mapping[bytes, tuple[bytes, ...]]  # a column of each empty volatile table, and all it has
    lookup: Mapping[bytes, Entry | None]
    further: Mapping[bytes, tuple[Entry, ...]]  # more readings out of the same answer
    expected: int
    slow_expected: int
    slow: Mapping[Series, Value]
    derived: tuple[Derivation, ...]
    origins: Mapping[Series, Origin]
    signature: frozenset[tuple[object, ...]]  # equal: the same answers become the same readings


@dataclass(slots=True)
class _Choice:
    reading: Reading
    oid: bytes
    raw: Raw
    factor: float
    table: Table | None


@dataclass(slots=True)
class _Draft:
    chosen: dict[Series, _Choice] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Tier:
    """What is asked for together: single objects, cells by table, and how many answers that makes."""

    gets: dict[bytes, None] = field(default_factory=dict)
    cells: dict[int, list[_Choice]] = field(default_factory=dict)
    expected: int = 0


def _is_rare(choice: _Choice) -> bool:
    return choice.reading.tier == "slow" and not (choice.table and choice.table.volatile)


def number(value: int | bytes | None) -> int | None:
    """A value that is meant to be a number as it stands."""
    return value if isinstance(value, int) else None


def resolve(profile: Profile, survey: Survey, *, tiers: bool = False) -> Plan:
    """The plan for a device that showed itself like this; with `tiers` the slow one is asked for apart."""
    draft = _Draft()
    for number, part in enumerate(profile.parts):
        for reading in part.scalars:
            raw = survey.scalars.get(reading.source)
            if raw is None or raw[1] is None or not survey.allows(reading.when, b""):
                continue
            item = (reading.items[0].text or "") if reading.items else ""
            _offer(draft, number, reading, _joined(item, survey, reading, b""), reading.source, raw, 1, None)
        for table in part.tables:
            for reading in table.readings:
                _offer_rows(draft, number, reading, table, survey)
    return _plan(profile, survey, draft, tiers)


def _offer_rows(draft: _Draft, number: int, reading: Reading, table: Table, survey: Survey) -> None:
    rows = survey.columns.get(reading.source)
    if not rows:
        return
    named: list[tuple[bytes, str]] = []
    for index in rows:
        if survey.allows(reading.when, index):
            item = survey.item(reading.items, index)
            if item is not None:
                named.append((index, _joined(item, survey, reading, index)))
    doubles = Counter(item for _, item in named)
    for index, item in named:
        factor = survey.factor(reading.factors, index)
        if factor is None:
            continue
        if doubles[item] > 1:
            item = f"{item}#{survey.item((), index)}"
        _offer(draft, number, reading, item, reading.source + index, rows[index], factor, table)


def _joined(item: str, survey: Survey, reading: Reading, index: bytes) -> str:
    if not reading.suffix:
        return item
    return f"{item} {survey.item(reading.suffix, index) or ''}".strip()


def _offer(
    draft: _Draft,
    number: int,
    reading: Reading,
    item: str,
    oid: bytes,
    raw: Raw,
    factor: float,
    table: Table | None,
) -> None:
    if reading.one_of and draft.taken.setdefault(reading.one_of, number) != number:
        return
    series = Series(reading.group, item, reading.metric)
    known = draft.chosen.get(series)
    if known is None or (known.reading.pass_zero and known.raw[1] == 0 and raw[1] not in (0, None)):
        draft.chosen[series] = _Choice(reading, oid, raw, factor, table)


def _plan(profile: Profile, survey: Survey, draft: _Draft, tiers: bool) -> Plan:
    lookup: dict[bytes, Entry | None] = {}
    further: dict[bytes, tuple[Entry, ...]] = {}
    slow: dict[Series, Value] = {}
    origins: dict[Series, Origin] = {}
    fast, rare = _Tier(gets=dict.fromkeys(PULSE)), _Tier()
    made: dict[tuple[int, float, bool], Converter | None] = {}
    signature: list[tuple[object, ...]] = []
    for metric, text in survey.system.items():
        slow[Series("system", "", metric)] = text[:MAX_TEXT]
    # an answer that both tiers want belongs to the fast one, which comes first
    for series, choice in sorted(draft.chosen.items(), key=lambda each: tiers and _is_rare(each[1])):
        reading = choice.reading
        key = (id(reading), choice.factor, isinstance(choice.raw[1], int))
        if key not in made:
            made[key] = converter(reading.conversion, choice.factor, choice.raw)
        convert = made[key]
        signature.append((series, choice.oid, *key))
        origins[series] = Origin(oid=choice.oid, states=reading.states)
        if reading.slow and not (choice.table and choice.table.volatile):
            slow[series] = convert(*choice.raw) if convert else number(choice.raw[1])
            continue
        if choice.oid in lookup:
            further[choice.oid] = (*further.get(choice.oid, ()), (series, convert))
            continue
        lookup[choice.oid] = (series, convert)
        tier = rare if tiers and _is_rare(choice) else fast
        tier.expected += 1
        if choice.table is None:
            tier.gets[choice.oid] = None
        else:
            tier.cells.setdefault(id(choice.table), []).append(choice)
    watched: dict[bytes, tuple[bytes, ...]] = {}
    walks = _walks(survey, profile, fast, lookup, watched)
    slow_walks = _walks(survey, profile, rare, lookup, None)
    for oid in PULSE:
        lookup.setdefault(oid, None)
    return Plan(
        gets=tuple(fast.gets),
        walks=tuple(walks),
        slow_gets=tuple(rare.gets),
        slow_walks=tuple(slow_walks),
        watched=watched,
        lookup=lookup,
        further=further,
        expected=fast.expected,
        slow_expected=rare.expected,
        slow=slow,
        derived=_derivations(profile, {**dict.fromkeys(draft.chosen), **dict.fromkeys(slow)}),
        origins=origins,
        signature=frozenset(signature),
    )


def _walks(
    survey: Survey,
    profile: Profile,
    tier: _Tier,
    lookup: dict[bytes, Entry | None],
    watched: dict[bytes, tuple[bytes, ...]] | None,
) -> list[Walk]:
    """The walks of one tier; tables whose rows come and go are walked where `watched` is given."""
    walks: list[Walk] = []
    for table in (table for part in profile.parts for table in part.tables):
        if table.volatile:
            if watched is None:
                continue
            full = tuple(columns_of(table.readings, lookups=False))
            there = tuple(column for column in full if survey.columns.get(column))
            if not there:
                watched[table.readings[0].source] = full
                continue
            walks.append(Walk(columns=there, rows=None))
        elif id(table) in tier.cells:
            choices = tier.cells[id(table)]
            columns = list(dict.fromkeys(choice.reading.source for choice in choices))
            size = sum(len(survey.columns[column]) for column in columns)
            cells_used = len({choice.oid for choice in choices})
            if cells_used <= _SMALL or cells_used < _SPARSE * size:
                tier.gets.update(dict.fromkeys(choice.oid for choice in choices))
                continue
            walks.append(
                Walk(columns=tuple(columns), rows=max(len(survey.columns[column]) for column in columns))
            )
        else:
            continue
        for column in walks[-1].columns:
            for index in survey.columns.get(column, ()):
                lookup.setdefault(column + index, None)
    return walks


def _derivations(profile: Profile, known: Mapping[Series, object]) -> tuple[Derivation, ...]:
    found: dict[Series, Derivation] = {}
    have = dict(known)
    for derived in (derived for part in profile.parts for derived in part.derived):
        for target, plus, minus in _targets(derived, have):
            if target not in have and plus:
                found[target] = (target, derived.kind, plus, minus)
                have[target] = None
    return tuple(found.values())


def _targets(
    derived: Derived, have: Mapping[Series, object]
) -> list[tuple[Series, tuple[Series, ...], tuple[Series, ...]]]:
    group = derived.group
    sources = [series for series in have if series.group == group and series.metric == derived.plus[0]]
    if derived.kind in ("mean", "total"):
        return [(Series(group, "", derived.metric), tuple(each for each in sources if each.item), ())]
    targets = []
    for source in sources:
        plus = tuple(Series(group, source.item, metric) for metric in derived.plus)
        minus = tuple(Series(group, source.item, metric) for metric in derived.minus)
        if derived.kind != "share" or plus[1] in have:
            targets.append((Series(group, source.item, derived.metric), plus, minus))
    return targets
