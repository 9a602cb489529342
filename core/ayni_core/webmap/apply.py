"""Rows and a map to readings. Nothing here raises for what a page says: what does not fit is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from ayni_core.convert import first_number
from ayni_core.metrics import METRICS
from ayni_core.readings import LARGEST, MAX_TEXT, NEIGHBOURS, Series, Value
from ayni_core.webmap import As, Derived, Field, Map, Reading, Rows, Share, Table, Test, document
from ayni_core.webmap.document import Row
from ayni_core.webmap.openmetrics import Sample

MOST_SERIES = 4_000
_MOST_SET, _LONGEST_ITEM, _MOST_EACH = 2_000, 128, 8

Page = Any
"""A document, or the samples of a page of metrics under the key ""."""
Counts = dict[Share, tuple[float, float]]
"""Busy and all of a share's counters, to compare the next poll with."""


def names(source: Map) -> frozenset[str]:
    """The samples that a map wants."""
    tables = {table.rows.name for table in source.tables} | {
        rows.name for rows, _field in source.sets.values()
    }
    return frozenset(tables | {share.name for share in source.shares}) - {""}


def apply(source: Map, pages: Mapping[str, Page], before: Counts) -> tuple[dict[Series, Value], Counts]:
    """All readings of a poll, and what to hand over to the next. `pages`: the requests that were answered."""
    sets: dict[str, frozenset[str]] = {}
    for name, (rows, field) in source.sets.items():
        texts = (_word(_field(row, field), field.as_) for row in _rows(rows, pages, sets))
        sets[name] = frozenset(
            [text for text, _n in zip(filter(None, texts), range(_MOST_SET), strict=False)]
        )
    found: dict[Series, Value] = {}
    for table in source.tables:
        _table(table, pages, sets, found)
    for derived in source.derived:
        _derive(derived, found)
    counts: Counts = {}
    for share in source.shares:
        _share(share, pages, before, counts, found)
    found = {series: value for series, value in found.items() if not series.metric.startswith("_")}
    if any(table.group == "neighbour" and table.rows.source in pages for table in source.tables):
        items = {series.item for series in found if series.group == "neighbour"}
        found[NEIGHBOURS] = len(items)
    return found, counts


def _rows(
    rows: Rows, pages: Mapping[str, Page], sets: Mapping[str, frozenset[str]]
) -> Iterator[Row | Sample]:
    page = pages.get(rows.source)
    if page is None:
        return
    if rows.name:
        all_rows: Iterator[Row | Sample] = (sample for sample in page if sample.name == rows.name)
    else:
        all_rows = (row for path in rows.paths for row in document.rows(page, path))
    yield from (row for row in all_rows if all(_holds(test, row, sets) for test in rows.tests))


def _field(row: Row | Sample, field: Field) -> Any:
    if field.text:
        return field.text
    if isinstance(row, Sample):
        found: Any = row.labels.get(field.label) if field.label else row.value
    elif field.key:
        found = row.keys[field.key - 1] if field.key <= len(row.keys) else None
    else:
        found = document.get(row.node, field.at or ())
    if field.match is not None and isinstance(found, str):
        match = field.match.search(found[:MAX_TEXT])
        return (match[1] if match.re.groups else match[0]) if match else None
    return found


def _holds(test: Test, row: Row | Sample, sets: Mapping[str, frozenset[str]]) -> bool:
    text = _word(_field(row, test.field), test.field.as_)
    if test.equals is not None:
        held = text in test.equals
    elif test.among:
        held = text in sets.get(test.among, ())
    elif test.same is not None:
        held = text is not None and text == _word(_field(row, test.same), test.same.as_)
    elif test.matches is not None:
        held = text is not None and test.matches.search(text) is not None
    else:
        held = text is not None
    return held != test.negate


def _word(value: Any, as_: As) -> str | None:
    """A scalar as a text of one form; None for nothing, lists and mappings."""
    if value is None or isinstance(value, list | dict):
        return None
    text = str(value).lower() if isinstance(value, bool) else str(value)[:MAX_TEXT]
    text = "".join(sign for sign in text if sign.isprintable()).strip()
    match as_:
        case "mac":
            pairs = re.split(r"[:.-]", text)
            digits = "".join(pair.zfill(2) for pair in pairs) if len(pairs) == 6 else text
            return digits.lower() if re.fullmatch("(?!0{12})[0-9a-fA-F]{12}", digits) else None
        case "ip":
            try:
                return str(ip_address(text.partition("%")[0]))
            except ValueError:
                return None
        case "number":
            number = first_number(text)
            return None if number is None else str(number)
    return text or None


def _table(
    table: Table, pages: Mapping[str, Page], sets: Mapping[str, frozenset[str]], found: dict[Series, Value]
) -> None:
    known = {series.item for series in found if series.group == table.group} if table.known else None
    for row in _rows(table.rows, pages, sets):
        parts = [_word(_field(row, part), part.as_) for part in table.item]
        if None in parts:
            continue
        item = "/".join(part for part in parts if part is not None)[:_LONGEST_ITEM]
        if known is not None and item not in known:
            continue
        for reading in table.readings:
            if len(found) >= MOST_SERIES:
                return
            _read(reading, row, Series(table.group, item, reading.metric), found)


def _read(reading: Reading, row: Row | Sample, series: Series, found: dict[Series, Value]) -> None:
    raw = _field(row, reading.field)
    if reading.each:
        for place, one in enumerate(raw[:_MOST_EACH] if isinstance(raw, list) else ()):
            item = f"{series.item} {reading.each} {place}".strip()[:_LONGEST_ITEM]
            found.setdefault(series._replace(item=item), _value(reading, one))
        return
    value = _value(reading, raw)
    if found.get(series) is None and (value is not None or raw is not None):
        found[series] = value


def _value(reading: Reading, raw: Any) -> Value:
    metric = METRICS.get(reading.metric)
    kind = metric.kind if metric else "gauge"
    if kind == "text":
        return _word(raw, reading.field.as_)
    if reading.states is not None:
        text = _word(raw, "text")
        return reading.states.get(text) if text is not None else None
    if isinstance(raw, bool):
        number: float | int | None = int(raw)
    elif isinstance(raw, str):
        number = first_number(raw[:64])
    else:
        number = raw if isinstance(raw, int | float) else None
    if number is None or not -LARGEST < number < LARGEST or number in reading.none:
        return None  # what is not a number compares with nothing
    for mul, div, add in reading.steps:
        number = number * mul / div + add
    if kind in ("counter", "state") or (isinstance(number, float) and number.is_integer()):
        number = int(number)
    else:
        number = round(number, 6)
    return number if -LARGEST < number < LARGEST else None


def _derive(derived: Derived, found: dict[Series, Value]) -> None:
    def value(item: str, metric: str) -> float | None:
        one = found.get(Series(derived.group, item, metric))
        return one if isinstance(one, int | float) else None

    items = {s.item for s in found if s.group == derived.group and s.metric == derived.plus[0]}
    for item in items:
        first = value(item, derived.plus[0])
        series = Series(derived.group, item, derived.metric)
        if first is None or found.get(series) is not None:
            continue
        if derived.of:
            whole = value(item, derived.of)
            if whole:
                found[series] = round(100 * first / whole, 1)
            continue
        total = sum(value(item, each) or 0 for each in derived.plus)
        total -= sum(value(item, each) or 0 for each in derived.minus)
        found[series] = int(total) if float(total).is_integer() else round(total, 6)


def _share(
    share: Share, pages: Mapping[str, Page], before: Counts, counts: Counts, found: dict[Series, Value]
) -> None:
    samples = [s for s in pages.get("", ()) if s.name == share.name and s.value is not None]
    if not samples:
        return
    total = float(sum(sample.value for sample in samples))
    idle = float(sum(sample.value for sample in samples if sample.labels.get(share.label) in share.idle))
    busy = total - idle
    counts[share] = (busy, total)
    was_busy, was_total = before.get(share, (busy, total))
    passed = total - was_total
    value = round(100 * (busy - was_busy) / passed, 1) if passed > 0 and busy >= was_busy else None
    found[Series("system", "", share.metric)] = min(100.0, value) if value is not None else None
