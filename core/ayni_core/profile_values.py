"""Single values of a profile file: OIDs, columns, items, conditions, patterns; each fault noted at its key.

Functions take the mapping and the key. `root` is what OIDs with a leading dot continue, `entry` the table's
own OID below which column numbers stand (None outside of tables).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ayni_core.message import Phrase
from ayni_core.metrics import METRICS
from ayni_core.oid_notation import OidError, parse
from ayni_core.profile import Check, Condition, Factor, IndexPart, ItemSource
from ayni_core.schema import Faults, Fields, did_you_mean

_INTERFACE_NAMES = (parse("1.3.6.1.2.1.31.1.1.1.1"), parse("1.3.6.1.2.1.2.2.1.2"))
"""ifName, and ifDescr where that is missing or empty."""


def items_at(fields: Fields, root: bytes, entry: bytes | None, key: str = "item") -> tuple[ItemSource, ...]:
    """Where the item of a row comes from: one source, or a list in order of preference."""
    given = fields.raw(key)
    if given is None:
        return ()
    path = fields.at(key)
    choices = given if isinstance(given, list) else [given]
    return tuple(item for each in choices for item in _item(each, path, fields.faults, root, entry))


def _item(
    given: object, path: str, faults: Faults, root: bytes, entry: bytes | None
) -> tuple[ItemSource, ...]:
    if isinstance(given, str | int) and not isinstance(given, bool):
        return (ItemSource(text=str(given)),)
    fields = Fields(given, path, faults)
    if entry is None:
        fields.faults.add(path, "fault.scalar_item")
        return (ItemSource(text=""),)
    if "interface" in fields:
        return _interface(fields, root, entry)
    item = ItemSource(
        index=_index_part(fields, "index"),
        column=column_at(fields, "column", root, entry),
        lookup=oid_at(fields, "lookup", root, default=b"") or None,
        through=_through(fields, root),
        as_=fields.choice("as", ("text", "mac", "ip", "number"), "text" if "column" in fields else "number"),
        match=pattern_at(fields, "match"),
        prefix=fields.text("prefix", ""),
    )
    if item.index is None and item.column is None and item.lookup is None:
        words = "index, column, lookup, interface"
        faults.add(path, "fault.expected", wanted=Phrase("word.text_or", {"words": words}))
    if item.through is not None and item.lookup is None:
        fields.fault("through", "fault.needs_lookup")
    fields.done()
    return (item,)


def _interface(fields: Fields, root: bytes, entry: bytes) -> tuple[ItemSource, ...]:
    """The name of an interface, whose ifIndex is part of the index, or stands where the mapping says."""
    where = fields.child("interface") if isinstance(fields.raw("interface"), Mapping) else None
    if where is None:
        found = ItemSource(index=_index_part(fields, "interface"))
    else:
        found = ItemSource(
            index=_index_part(where, "index"),
            column=column_at(where, "column", root, entry),
            through=_through(where, root),
        )
        if found.index is None and found.column is None:
            where.faults.add(where.path, "fault.expected", wanted=Phrase("word.index_or_column"))
        where.done()
    fields.done()
    return tuple(replace(found, lookup=column) for column in _INTERFACE_NAMES)


def _through(fields: Fields, root: bytes) -> bytes | None:
    return oid_at(fields, "through", root, default=b"") or None


def _index_part(fields: Fields, key: str) -> IndexPart | None:
    given = fields.raw(key)
    if given is None:
        return None
    match = re.fullmatch(r"(?:all|(\d+)(?:(-)(\d+)?)?)", str(given))
    if match is None or match[1] == "0":
        fields.fault(key, "fault.index_part", given=f"{given}")
        return IndexPart()
    if match[1] is None:
        return IndexPart()
    first = int(match[1])
    return IndexPart(first=first, last=first if match[2] is None else int(match[3]) if match[3] else None)


def factors_at(fields: Fields, root: bytes, entry: bytes | None) -> tuple[Factor, ...]:
    """The factors of `scaled_by`."""

    def read(each: Fields) -> Factor:
        below = each.child("values")
        factor = Factor(
            column=column_at(each, "column", root, entry or b"") or b"",
            values={key: below.number(key) for key in tuple(below.keys())},
            decimals=each.boolean("decimals", False),
        )
        if entry is None or not factor.column:
            each.faults.add(each.path, "fault.expected", wanted=Phrase("word.same_table"))
        each.done()
        return factor

    return fields.items("scaled_by", read)


def conditions_at(fields: Fields, key: str, root: bytes, entry: bytes | None) -> tuple[Condition, ...]:
    """One condition, or a list of which all must hold."""
    given = fields.raw(key)
    if given is None:
        return ()
    each = given if isinstance(given, list) else [given]
    return tuple(
        _condition(Fields(one, f"{fields.at(key)}[{i}]", fields.faults), root, entry)
        for i, one in enumerate(each)
    )


def _condition(fields: Fields, root: bytes, entry: bytes | None) -> Condition:
    condition = Condition(
        oid=oid_at(fields, "oid", root, default=b"") or None,
        column=column_at(fields, "column", root, entry) if entry else None,
        any_row=oid_at(fields, "any_row", root, default=b"") or None,
        system=fields.text("system", None),
        index=_index_part(fields, "index"),
        test=Check(
            exists=fields.boolean("exists", None),
            equals=constants_at(fields, "is"),
            differs=constants_at(fields, "not"),
            matches=pattern_at(fields, "matches"),
            lacks=pattern_at(fields, "lacks"),
            above=fields.number("above", None),
            below=fields.number("below", None),
        ),
    )
    asked = (condition.oid, condition.column, condition.any_row, condition.system, condition.index)
    if sum(one is not None for one in asked) != 1:
        wanted = Phrase("word.exactly_one_of", {"words": "oid, column, any_row, system, index"})
        fields.faults.add(fields.path, "fault.expected", wanted=wanted)
    if condition.system is not None:
        known_text(fields, "system", condition.system)
    if condition.test == Check():
        wanted = Phrase("word.test", {"words": "exists, is, not, matches, lacks, above, below"})
        fields.faults.add(fields.path, "fault.expected", wanted=wanted)
    fields.done()
    return condition


def parse_oid(fields: Fields, key: str, text: str, root: bytes) -> bytes:
    """The OID body of a text; b"" after a fault."""
    try:
        return parse(text, root)
    except OidError as error:
        fields.fault(key, error.what)
        return b""


def oid_at(fields: Fields, key: str, root: bytes, default: bytes | None = None) -> bytes:
    """The OID of a key; `default` where it may be absent."""
    text = fields.text(key, None) if default is not None else fields.text(key)
    if not text:
        return default or b""
    return parse_oid(fields, key, text, root)


def column_at(fields: Fields, key: str, root: bytes, entry: bytes) -> bytes | None:
    """A column: its number within the table, several with dots in quotes, or a whole OID."""
    given = fields.raw(key)
    if given is None:
        return None
    return _one_column(fields, key, given, root, entry)


def columns_at(fields: Fields, key: str, root: bytes, entry: bytes) -> list[bytes]:
    """One or several columns."""
    given = fields.raw(key)
    if given is None:
        fields.fault(key, "fault.missing", wanted=Phrase("word.column"))
        return [b""]
    return [
        _one_column(fields, key, one, root, entry) for one in (given if isinstance(given, list) else [given])
    ]


def _one_column(fields: Fields, key: str, given: object, root: bytes, entry: bytes) -> bytes:
    if isinstance(given, int) and not isinstance(given, bool) and given >= 0:
        return parse_oid(fields, key, f".{given}", entry) if entry else b""
    if isinstance(given, str) and given:
        return parse_oid(fields, key, given, root)
    fields.fault(key, "fault.expected_got", wanted=Phrase("word.column"), got=f"{given}")
    return b""


def metric_at(fields: Fields, key: str) -> str:
    """A metric of the closed list."""
    name: str = fields.text(key)
    return name if check_metric(fields, key, name) else "name"


def check_metric(fields: Fields, key: str, name: str) -> bool:
    """Whether the name is in the closed list; a fault if not."""
    if name in METRICS:
        return True
    if name:
        what, hint = Phrase("word.metric"), did_you_mean(name, METRICS)
        fields.fault(key, "fault.unknown", what=what, name=name, hint=hint)
    return False


def known_text(fields: Fields, key: str, name: str) -> bool:
    """Whether the name is a metric that is a text; a fault if not."""
    texts = [metric.name for metric in METRICS.values() if metric.kind == "text"]
    if name in texts:
        return True
    fields.fault(key, "fault.no_system_text", given=name, hint=did_you_mean(name, texts))
    return False


def pattern_at(fields: Fields, key: str) -> re.Pattern[str] | None:
    """A regular expression, or None."""
    text = fields.text(key, None)
    return _compiled(fields, key, text) if text else None


def patterns_at(fields: Fields, key: str) -> tuple[re.Pattern[str], ...]:
    """Regular expressions, of which one must match."""
    found = [_compiled(fields, key, text) for text in fields.texts(key)]
    return tuple(pattern for pattern in found if pattern is not None)


def _compiled(fields: Fields, key: str, text: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text)
    except re.error as error:
        fields.fault(key, "fault.pattern", given=text, cause=str(error))
        return None


def constants_at(fields: Fields, key: str) -> tuple[int | float | str, ...]:
    """Numbers or texts: one, or a list."""
    given = fields.raw(key)
    if given is None:
        return ()
    each = given if isinstance(given, list) else [given]
    for one in each:
        if isinstance(one, bool) or not isinstance(one, int | float | str):
            fields.fault(key, "fault.expected_got", wanted=Phrase("word.numbers_or_texts"), got=f"{one}")
            return ()
    return tuple(each)


def prefixes_at(fields: Fields, key: str) -> tuple[tuple[bytes, bool], ...]:
    """Prefixes of sysObjectID; one that ends in a dot leaves out the OID itself."""
    found = []
    for text in fields.texts(key):
        body = parse_oid(fields, key, text.removesuffix("."), b"")
        if body:
            found.append((body, not text.endswith(".")))
    return tuple(found)
