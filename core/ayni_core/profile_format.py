"""The file format of profiles: mappings become `profile` values, every fault noted with its place.

The format is described in `configs/profiles/README.md`. A file holds the head (`about`, `identify`), which
`read_head` reads alone, and a body, which `read_part` reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ayni_core.message import Phrase
from ayni_core.metrics import METRICS
from ayni_core.oid_notation import parse
from ayni_core.profile import Conversion, Derived, Part, Reading, Rule, SystemSource, Table
from ayni_core.profile_actions import read_actions
from ayni_core.profile_neighbours import read_neighbours
from ayni_core.profile_values import (
    check_metric,
    columns_at,
    conditions_at,
    constants_at,
    factors_at,
    items_at,
    known_text,
    metric_at,
    oid_at,
    parse_oid,
    pattern_at,
    patterns_at,
    prefixes_at,
)
from ayni_core.readings import GROUPS
from ayni_core.schema import A_NUMBER, A_TEXT, Fields, one_of
from ayni_core.units import conversions, unit_fault

_AS = ("number", "text", "mac", "ip", "unsigned32", "mw_to_dbm", "channel_to_mhz", "hex_number")
_TIERS = ("fast", "slow")
_DESCRIPTION = parse("1.3.6.1.2.1.1.1.0")
HEAD = ("about", "identify")
_OF_FAMILY = "family"
"""What a part gives as its root when several families have the same objects below roots of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A correction of an included reading: whatever is given replaces what the part says."""

    oid: bytes
    scale: tuple[float, float, float] | None
    none: tuple[int | float | str, ...] | None
    slow: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One file as it stands, includes not yet followed."""

    part: Part
    root: bytes
    family_root: bool
    """Whether this is a part that continues the root of the family."""
    include: tuple[str, ...]
    without: tuple[bytes, ...]
    change: tuple[Change, ...]


# ---- head


def read_head(name: str, fields: Fields) -> tuple[str, tuple[Rule, ...]]:
    """(about, rules) of a family."""
    about: str = fields.text("about")
    return about, fields.items("identify", lambda rule: _rule(name, rule))


def _rule(name: str, fields: Fields) -> Rule:
    rule = Rule(
        family=name,
        rank=fields.number("rank", 5, at_least=0, at_most=9, whole=True),
        object_ids=prefixes_at(fields, "object_id"),
        not_object_ids=prefixes_at(fields, "not_object_id"),
        descriptions=patterns_at(fields, "description"),
        not_descriptions=patterns_at(fields, "not_description"),
        get=conditions_at(fields, "get", b"", b""),
    )
    if not (rule.object_ids or rule.descriptions or rule.get):
        fields.faults.add(fields.path, "fault.expected", wanted=one_of("object_id", "description", "get"))
    for condition in rule.get:
        if condition.oid is None and condition.any_row is None:
            fields.fault("get", "fault.expected", wanted=one_of("oid", "any_row"))
    fields.done()
    return rule


# ---- body


def read_part(name: str, fields: Fields, *, shared: bool, family_root: bytes = b"") -> Body:
    """The body of a file; a `shared` one has no head. `family_root` is what "root: family" stands for."""
    if shared:
        fields.text("about")
    of_family = shared and fields.raw("root") == _OF_FAMILY
    root = family_root if of_family else oid_at(fields, "root", b"", default=b"")
    if of_family and not root:
        fields.fault("root", "fault.family_no_root")
    part = Part(
        name=name,
        scalars=_each(fields, "scalars", lambda each: _reading(each, root, None)),
        tables=fields.items("tables", lambda each: _table(each, root)),
        system=_system(fields.child("system"), root),
        derived=fields.items("derived", _derived),
        neighbours=fields.items("neighbours", lambda each: read_neighbours(each, root)),
        actions=read_actions(fields.child("actions"), root),
    )
    body = Body(
        part=part,
        root=root,
        family_root=of_family,
        include=fields.texts("include"),
        without=tuple(parse_oid(fields, "without", text, root) for text in fields.texts("without")),
        change=fields.items("change", lambda each: _change(each, root)),
    )
    if shared and (body.without or body.change):
        fields.faults.add("", "fault.shared_part")
    return body


def _table(fields: Fields, root: bytes) -> Table:
    entry = oid_at(fields, "entry", root)
    items = items_at(fields, root, entry)
    when = conditions_at(fields, "when", root, entry)
    factors = factors_at(fields, root, entry)
    slow = fields.boolean("slow", False)
    tier: Any = fields.choice("tier", _TIERS, "fast")
    one_of = fields.text("one_of", "")
    group = fields.choice("group", GROUPS, None) if "group" in fields else None
    volatile = fields.boolean("volatile", False)

    def read(each: Fields) -> list[Reading]:
        return [
            replace(
                reading,
                items=reading.items or items,
                factors=reading.factors or factors,
                when=when + reading.when,
                slow=slow or reading.slow,
                tier=tier if reading.tier == "fast" else reading.tier,
                one_of=reading.one_of or one_of,
            )
            for reading in _reading(each, root, entry, group)
        ]

    table = Table(readings=_each(fields, "readings", read), volatile=volatile)
    if not table.readings:
        fields.fault("readings", "fault.missing", wanted=Phrase("word.column_meanings"))
    fields.done()
    return table


def _reading(fields: Fields, root: bytes, entry: bytes | None, group: str | None = None) -> list[Reading]:
    """One entry of `scalars` or of a table's `readings`; a list of columns makes one reading each."""
    single = entry is None
    sources = [oid_at(fields, "oid", root)] if single else columns_at(fields, "column", root, entry or b"")
    if group is None or "group" in fields:
        group = fields.choice("group", GROUPS)
    metric = metric_at(fields, "metric")
    states, values = _states(fields)
    tier: Any = fields.choice("tier", _TIERS, "fast")
    reading = Reading(
        source=sources[0],
        group=group,
        metric=metric,
        items=items_at(fields, root, entry),
        suffix=items_at(fields, root, entry, "suffix"),
        conversion=_conversion(fields, metric, values),
        factors=factors_at(fields, root, entry),
        states=states or METRICS[metric].states,
        when=conditions_at(fields, "when", root, entry),
        one_of=fields.text("one_of", ""),
        pass_zero=fields.boolean("pass_zero", False),
        slow=fields.boolean("slow", METRICS[metric].kind == "text"),
        tier=tier,
    )
    fields.done()
    return [replace(reading, source=source) for source in sources]


def _conversion(fields: Fields, metric: str, values: Mapping[str, int]) -> Conversion:
    known = METRICS[metric]
    as_: Any = fields.choice("as", _AS, "text" if known.kind == "text" else "number")
    if known.kind == "text" and as_ not in ("text", "mac", "ip"):
        fields.fault("as", "fault.is_a", name=metric, kind=A_TEXT)
    if known.kind != "text" and as_ in ("text", "mac", "ip"):
        fields.fault("as", "fault.is_a", name=metric, kind=A_NUMBER)
    mul, div, add = _scale(fields, known.unit)
    return Conversion(
        as_=as_,
        mul=mul,
        div=div,
        add=add,
        none=constants_at(fields, "none"),
        at_least=fields.number("at_least", None),
        at_most=fields.number("at_most", None),
        extract=pattern_at(fields, "extract"),
        values=values,
        counter=known.kind == "counter",
    )


def _scale(fields: Fields, unit: str) -> tuple[float, float, float]:
    mul, div, add = fields.number("mul", 1), fields.number("div", 1), fields.number("add", 0)
    if div == 0:
        fields.fault("div", "fault.zero")
        div = 1
    given = fields.text("unit", None)
    if given is None:
        return mul, div, add
    known = conversions(unit)
    if given not in known:
        fields.fault("unit", unit_fault(given, unit, known))
        return mul, div, add
    more, per, plus = known[given]
    return mul * more, div * per, add * more / per + plus


def _states(fields: Fields) -> tuple[dict[int, str], dict[str, int]]:
    """`states` (number: name) and `values` (text of the device: number)."""
    names: dict[int, str] = {}
    values: dict[str, int] = {}
    below = fields.child("states")
    for key in tuple(below.keys()):
        name = below.raw(key)
        if not re.fullmatch(r"-?\d+", key) or not isinstance(name, str | int):
            below.fault(key, "fault.expected", wanted=Phrase("word.state"))
            continue
        names[int(key)] = str(name)
        values[str(name).casefold()] = int(key)
    below = fields.child("values")
    for key in tuple(below.keys()):
        number = below.number(key, whole=True)
        values[key.casefold()] = number
    return names, values


def _system(fields: Fields, root: bytes) -> dict[str, tuple[SystemSource, ...]]:
    system = {}
    for key in tuple(fields.keys()):
        given = fields.raw(key)
        if not known_text(fields, key, key):
            continue
        choices = given if isinstance(given, list) else [given]
        system[key] = tuple(_system_source(each, fields, key, root) for each in choices)
    return system


def _system_source(given: object, parent: Fields, key: str, root: bytes) -> SystemSource:
    if isinstance(given, str):
        return SystemSource(oid=parse_oid(parent, key, given, root))
    fields = Fields(given, parent.at(key), parent.faults)
    match = pattern_at(fields, "match")
    if "description" in fields:
        source = SystemSource(oid=_DESCRIPTION, match=pattern_at(fields, "description"))
    else:
        source = SystemSource(
            oid=oid_at(fields, "oid", root, default=b"") or None,
            join=tuple(parse_oid(fields, "join", text, root) for text in fields.texts("join")),
            any_row=oid_at(fields, "any_row", root, default=b"") or None,
            text=fields.text("text", ""),
            match=match,
        )
        if not (source.oid or source.join or source.any_row or source.text):
            wanted = Phrase("word.oid_or", {"words": "oid, join, any_row, description, text"})
            fields.faults.add(fields.path, "fault.expected", wanted=wanted)
    fields.done()
    return source


def _derived(fields: Fields) -> Derived:
    group = fields.choice("group", GROUPS)
    metric = metric_at(fields, "metric")
    minus = fields.texts("minus")
    if "share" in fields:
        kind: Any = "share"
        plus: tuple[str, ...] = (metric_at(fields, "share"), metric_at(fields, "of"))
    elif "mean" in fields or "total" in fields:
        kind = "mean" if "mean" in fields else "total"
        plus = (metric_at(fields, kind),)
    else:
        kind, plus = "sum", fields.texts("plus")
        for key, names in (("plus", plus), ("minus", minus)):
            for name in names:
                check_metric(fields, key, name)
        if not plus:
            fields.faults.add(fields.path, "fault.expected", wanted=one_of("plus", "share", "mean", "total"))
    fields.done()
    return Derived(group=group, metric=metric, kind=kind, plus=plus, minus=minus)


def _change(fields: Fields, root: bytes) -> Change:
    oid = oid_at(fields, "oid", root)
    scaled = any(key in fields for key in ("mul", "div", "add"))
    change = Change(
        oid=oid,
        scale=_scale(fields, "") if scaled else None,
        none=constants_at(fields, "none") if "none" in fields else None,
        slow=fields.boolean("slow", None),
    )
    fields.done()
    return change


def _each(fields: Fields, key: str, read: Callable[[Fields], list[Reading]]) -> tuple[Reading, ...]:
    return tuple(reading for readings in fields.items(key, read) for reading in readings)
