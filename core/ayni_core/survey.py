"""What a device showed when it was looked over: scalars, columns by index, texts about the system.

Everything that is asked of it beside the readings themselves is answered here: tests of other columns, the
names of rows, factors that stand in a column. So a poll need not do any of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ayni_core.ber import MAX_SUBID
from ayni_core.convert import Raw, as_ip, as_mac, as_number, as_text, extracted
from ayni_core.identify import holds
from ayni_core.oid_notation import index_arcs, index_body
from ayni_core.profile import Condition, Factor, IndexPart, ItemSource, Profile, Reading, SystemSource
from ayni_core.snmp import VarBind

ABSENT: Raw = (0x80, None)


@dataclass(slots=True)
class Survey:
    """`columns` maps a column to its rows: index octets and answer."""

    scalars: dict[bytes, Raw] = field(default_factory=dict)
    columns: dict[bytes, dict[bytes, Raw]] = field(default_factory=dict)
    system: dict[str, str] = field(default_factory=dict)

    def add_scalars(self, varbinds: Iterable[VarBind]) -> None:
        """Note the answers to a GET."""
        for oid, tag, value in varbinds:
            self.scalars[oid] = (tag, value)

    def add_columns(self, columns: Sequence[bytes], varbinds: Iterable[VarBind]) -> None:
        """Note a walk of these columns; what was known of them is replaced."""
        for column in columns:
            self.columns[column] = {}
        lengths = sorted({len(column) for column in columns}, reverse=True)
        for oid, tag, value in varbinds:
            for length in lengths:
                rows = self.columns.get(oid[:length]) if oid[:length] in self.columns else None
                if rows is not None:
                    if value is not None:
                        rows[oid[length:]] = (tag, value)
                    break

    def allows(self, conditions: Sequence[Condition], index: bytes) -> bool:
        """Whether all conditions hold for a row; `index` is b"" for a scalar."""
        return all(self._allows(condition, index) for condition in conditions)

    def _allows(self, condition: Condition, index: bytes) -> bool:
        test = condition.test
        if condition.column is not None:
            return holds(test, self.columns.get(condition.column, {}).get(index, ABSENT))
        if condition.oid is not None:
            return holds(test, self.scalars.get(condition.oid, ABSENT))
        if condition.any_row is not None:
            rows = self.columns.get(condition.any_row, {}).values()
            return any(holds(test, row) for row in rows or (ABSENT,))
        if condition.index is not None:
            text = ".".join(map(str, _part(index_arcs(index), condition.index)))
            return holds(test, (0x04, text.encode()) if text else ABSENT)
        text = self.system.get(condition.system or "", "")
        return holds(test, (0x04, text.encode()) if text else ABSENT)

    def item(self, sources: Sequence[ItemSource], index: bytes) -> str | None:
        """The item of a row: the first source that gives a text, else its index. None where a `match`
        says that the row is none of these.
        """
        for source in sources:
            text = self.text(source, index)
            if text or source.text is not None:
                return text
            if source.match and len(sources) == 1 and self._item(source, index):
                return None
        return ".".join(map(str, index_arcs(index)))

    def text(self, source: ItemSource, index: bytes) -> str:
        """What one source gives for a row; "" for nothing."""
        if source.text is not None:
            return source.text
        text = self._item(source, index)
        if text and source.match:
            text = extracted(source.match, text) or ""
        return f"{source.prefix} {text}".strip() if text else ""

    def _item(self, source: ItemSource, index: bytes) -> str:
        if source.lookup is not None:
            if source.column is not None:
                number = as_number(*self.columns.get(source.column, {}).get(index, ABSENT))
                key: tuple[int, ...] = (
                    (int(number),) if number is not None and 0 <= number <= MAX_SUBID else ()
                )
            else:
                key = _part(index_arcs(index), source.index or IndexPart())
            if source.through is not None:
                at = self.columns.get(source.through, {}).get(index_body(key) if key else b"", ABSENT)[1]
                key = (at,) if isinstance(at, int) and 0 <= at <= MAX_SUBID else ()
            raw = self.columns.get(source.lookup, {}).get(index_body(key) if key else b"", ABSENT)
            return as_text(*raw)
        if source.column is not None:
            raw = self.columns.get(source.column, {}).get(index, ABSENT)
            if source.as_ == "mac":
                return as_mac(*raw) or ""
            return (as_ip(*raw) if source.as_ == "ip" else as_text(*raw)) or ""
        return _index_text(_part(index_arcs(index), source.index or IndexPart()), source.as_)

    def factor(self, factors: Sequence[Factor], index: bytes) -> float | None:
        """The product of what other columns contribute; None where one of them is missing."""
        product: float = 1
        for factor in factors:
            raw = self.columns.get(factor.column, {}).get(index, ABSENT)
            number = as_number(*raw)
            if factor.values:
                number = factor.values.get(as_text(*raw))
            if number is None or (factor.decimals and not -9 <= number <= 9):
                return None
            product = product / 10**number if factor.decimals else product * number
        return product


def _part(arcs: tuple[int, ...], part: IndexPart) -> tuple[int, ...]:
    return arcs[part.first - 1 : part.last]


def _index_text(arcs: tuple[int, ...], as_: str) -> str:
    if as_ == "mac" and len(arcs) == 6 and max(arcs) < 256:
        return bytes(arcs).hex()
    if as_ == "ip" and len(arcs) == 4 and max(arcs) < 256:
        return ".".join(map(str, arcs))
    if as_ == "text" and arcs:
        inner = arcs[1:] if arcs[0] == len(arcs) - 1 else arcs
        if all(0x20 <= arc < 0x7F for arc in inner):
            return bytes(inner).decode("ascii")
    return ".".join(map(str, arcs))


# ---- what has to be asked


def scalars_of(profile: Profile) -> list[bytes]:
    """Every scalar that readings, conditions and system texts of a profile want."""
    wanted: dict[bytes, None] = {}
    for part in profile.parts:
        for sources in part.system.values():
            for source in sources:
                wanted |= dict.fromkeys((source.oid,) if source.oid else source.join, None)
        for reading in part.scalars:
            wanted[reading.source] = None
        for reading in _readings(profile):
            wanted |= {condition.oid: None for condition in reading.when if condition.oid}
    return list(wanted)


def columns_of(readings: Iterable[Reading], *, lookups: bool = True) -> list[bytes]:
    """Every column that these readings of a table want, for themselves or to be understood; those of other
    tables only with `lookups`.
    """
    wanted: dict[bytes, None] = {}
    for reading in readings:
        asked = [
            reading.source,
            *(factor.column for factor in reading.factors),
            *(item.column for item in (*reading.items, *reading.suffix)),
            *(other for item in (*reading.items, *reading.suffix) if lookups for other in others_of(item)),
            *(column for condition in reading.when for column in (condition.column, condition.any_row)),
        ]
        wanted |= {column: None for column in asked if column}
    return list(wanted)


def others_of(item: ItemSource) -> tuple[bytes | None, bytes | None]:
    """The columns of other tables that an item is looked up in."""
    return item.lookup, item.through


def tables_of(profile: Profile) -> list[list[bytes]]:
    """The columns to walk, those of one table together; no column twice."""
    seen: set[bytes] = set()
    walks = []
    for part in profile.parts:
        for table in part.tables:
            columns = [column for column in columns_of(table.readings) if column not in seen]
            seen.update(columns)
            walks.append(columns)
        loose = [c for r in part.scalars for k in r.when if (c := k.any_row) and c not in seen]
        seen.update(loose)
        walks.append(loose)
    return [columns for columns in walks if columns]


def _readings(profile: Profile) -> Iterable[Reading]:
    for part in profile.parts:
        yield from part.scalars
        for table in part.tables:
            yield from table.readings


def system_text(source: SystemSource, raws: Iterable[Raw]) -> str:
    """The first non-empty text among the answers that a source of a system text got, or all joined."""
    texts = [as_text(tag, value) for tag, value in raws]
    if source.join:
        texts = [" ".join(text for text in texts if text)]
    for text in texts:
        if source.match and text:
            text = extracted(source.match, text) or ""
        if text:
            return text
    return source.text
