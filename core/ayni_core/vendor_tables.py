"""Tables found in a heap of objects without a MIB: by the shape that SMIv2 gives their numbers.

A scalar ends in .0. A table's rows are called entry.column.index, where entry ends in .1 and all columns have
the same indexes, more or less (RFC 2578, section 7.7). So an entry is the first prefix ending in 1 below
which the numbers that follow share their indexes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ayni_core.convert import Raw

Arcs = tuple[int, ...]
_ALIKE = 0.5
"""Share of the rows that a column has on average, in what is taken for a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTable:
    """One table: its entry, and the rows of each column by index."""

    entry: Arcs
    columns: Mapping[int, Mapping[Arcs, Raw]]

    @property
    def indexes(self) -> list[Arcs]:
        """The index of every row."""
        return sorted({index for rows in self.columns.values() for index in rows})


def find_tables(objects: Mapping[Arcs, Raw], branch: Arcs) -> tuple[dict[Arcs, Raw], list[FoundTable]]:
    """(scalars, tables) among the objects below a vendor's branch; what fits no table counts as scalar."""
    inside = {arcs: raw for arcs, raw in objects.items() if arcs[: len(branch)] == branch}
    tables = _below(branch, sorted(arcs for arcs in inside if arcs[-1] != 0), inside)
    placed = {
        (*table.entry, column, *index)
        for table in tables
        for column, rows in table.columns.items()
        for index in rows
    }
    return {arcs: raw for arcs, raw in sorted(inside.items()) if arcs not in placed}, tables


def _below(prefix: Arcs, cells: Sequence[Arcs], objects: Mapping[Arcs, Raw]) -> list[FoundTable]:
    depth = len(prefix)
    if prefix[-1] == 1 and cells and all(len(arcs) >= depth + 2 for arcs in cells):
        table = _as_table(prefix, cells, objects)
        if table is not None:
            return [table]
    groups: dict[int, list[Arcs]] = defaultdict(list)
    for arcs in cells:
        if len(arcs) > depth:
            groups[arcs[depth]].append(arcs)
    return [
        table for arc, below in sorted(groups.items()) for table in _below((*prefix, arc), below, objects)
    ]


def _as_table(entry: Arcs, cells: Sequence[Arcs], objects: Mapping[Arcs, Raw]) -> FoundTable | None:
    depth = len(entry)
    columns: dict[int, dict[Arcs, Raw]] = defaultdict(dict)
    for arcs in cells:
        columns[arcs[depth]][arcs[depth + 1 :]] = objects[arcs]
    if any(len({tag for tag, _value in rows.values()}) > 1 for rows in columns.values()):
        return None  # a column has one type: these are several tables
    if set(columns) == {1} and all(len(arcs) >= depth + 3 for arcs in cells):
        return None  # the next arc is an entry, too, and the deeper one explains as much
    every = {index for rows in columns.values() for index in rows}
    share = sum(len(rows) for rows in columns.values()) / (len(columns) * len(every))
    if len(columns) > 1 and share < _ALIKE:
        return None
    return FoundTable(entry=entry, columns=columns)


def dotted(arcs: Arcs, root: Arcs) -> str:
    """An OID as a profile has it: from the root on where it stands below."""
    if root and arcs[: len(root)] == root and len(arcs) > len(root):
        return "." + ".".join(map(str, arcs[len(root) :]))
    return ".".join(map(str, arcs))
