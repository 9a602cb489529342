"""Which family a device belongs to: rules against what it says of itself, without doing the asking.

The caller gathers answers and calls `decide`, which names the family or says what to ask next. One round of
the system group is enough for most; all further questions that could still matter are asked together in a
second one, so nobody waits for a third. Rules are tried by rank, then those that need no further question,
then the longest prefix of sysObjectID; the first that holds wins. A device that no rule knows is `GENERIC`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ayni_core.convert import Raw, as_number, as_text
from ayni_core.oid_notation import parse
from ayni_core.profile import Check, Condition, Rule
from ayni_core.snmp import OID

GENERIC = "generic"
SYS_DESCR = parse("1.3.6.1.2.1.1.1.0")
SYS_OBJECT_ID = parse("1.3.6.1.2.1.1.2.0")
_ABSENT: Raw = (0x80, None)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a device was found to be, and what it said of itself then: while it says the same, it is."""

    family: str
    object_id: Raw
    description: Raw

    def still(self, scalars: Mapping[bytes, Raw]) -> bool:
        """Whether a device that now says this is still the one."""
        return (scalars[SYS_OBJECT_ID], scalars[SYS_DESCR]) == (self.object_id, self.description)


@dataclass(slots=True)
class Answers:
    """What the device has said: scalars by OID, the first rows of columns. Absent ones have value None."""

    scalars: dict[bytes, Raw] = field(default_factory=dict)
    columns: dict[bytes, tuple[Raw, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask before `decide` can go on: scalars by GET, and a few rows of columns."""

    scalars: tuple[bytes, ...]
    columns: tuple[bytes, ...] = ()


def decide(rules: Iterable[Rule], answers: Answers) -> str | Question:
    """The family's name, or what to ask next."""
    if SYS_OBJECT_ID not in answers.scalars or SYS_DESCR not in answers.scalars:
        return Question((SYS_OBJECT_ID, SYS_DESCR))
    tag, value = answers.scalars[SYS_OBJECT_ID]
    object_id = value if tag == OID and isinstance(value, bytes) else b""
    description = as_text(*answers.scalars[SYS_DESCR])
    scalars: dict[bytes, None] = {}
    columns: dict[bytes, None] = {}
    for rule in _candidates(rules, object_id, description):
        missing_scalars, missing_columns = _unasked(rule, answers)
        if not (scalars or columns or missing_scalars or missing_columns):
            if all(_holds(condition, answers) for condition in rule.get):
                return rule.family
            continue
        scalars |= missing_scalars
        columns |= missing_columns
        if not rule.get:
            break  # this one holds in any case, so nothing behind it matters
    if scalars or columns:
        return Question(tuple(scalars), tuple(columns))
    return GENERIC


def _candidates(rules: Iterable[Rule], object_id: bytes, description: str) -> list[Rule]:
    """The rules whose system conditions hold, in the order in which they are tried."""
    found = []
    for rule in rules:
        prefix = _longest(rule.object_ids, object_id)
        if prefix is None or _longest(rule.not_object_ids, object_id):
            continue
        if rule.descriptions and not any(pattern.search(description) for pattern in rule.descriptions):
            continue
        if any(pattern.search(description) for pattern in rule.not_descriptions):
            continue
        found.append(((rule.rank, bool(rule.get), -prefix, rule.family), rule))
    return [rule for _, rule in sorted(found, key=lambda each: each[0])]


def _longest(prefixes: tuple[tuple[bytes, bool], ...], object_id: bytes) -> int | None:
    """Length of the longest prefix that holds; 0 where none is asked for, None where none holds.

    Whole arcs only: 17713.6 is no prefix of 17713.60, because the octets of an arc end it.
    """
    if not prefixes:
        return 0
    lengths = [
        len(body) for body, itself in prefixes if object_id.startswith(body) and (itself or object_id != body)
    ]
    return max(lengths, default=None)


def _unasked(rule: Rule, answers: Answers) -> tuple[dict[bytes, None], dict[bytes, None]]:
    scalars = {c.oid: None for c in rule.get if c.oid is not None and c.oid not in answers.scalars}
    columns = {
        c.any_row: None for c in rule.get if c.any_row is not None and c.any_row not in answers.columns
    }
    return scalars, columns


def _holds(condition: Condition, answers: Answers) -> bool:
    if condition.oid is not None:
        return holds(condition.test, answers.scalars.get(condition.oid, _ABSENT))
    rows = answers.columns.get(condition.any_row or b"", ())
    return any(holds(condition.test, row) for row in rows or (_ABSENT,))


def holds(test: Check, raw: Raw) -> bool:
    """Whether an answer passes a test; an absent one passes only negations."""
    tag, value = raw
    present = value is not None
    if test.exists is not None and test.exists != present:
        return False
    if not present:
        return not (test.equals or test.matches or test.above is not None or test.below is not None)
    text = as_text(tag, value)
    if test.equals and not any(_same(each, raw, text) for each in test.equals):
        return False
    if any(_same(each, raw, text) for each in test.differs):
        return False
    if test.matches and not test.matches.search(text):
        return False
    if test.lacks and test.lacks.search(text):
        return False
    if test.above is None and test.below is None:
        return True
    number = as_number(tag, value)
    if number is None:
        return False
    return (test.above is None or number > test.above) and (test.below is None or number < test.below)


def _same(wanted: int | float | str, raw: Raw, text: str) -> bool:
    if isinstance(wanted, str):
        return text == wanted
    return as_number(*raw) == wanted
