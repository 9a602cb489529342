"""A family as a whole: its own part and the shared ones, less what it replaces, leaves out or corrects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ayni_core.profile import Neighbours, Part, Profile, Reading
from ayni_core.profile_format import Body, Change
from ayni_core.schema import Faults


def assemble(name: str, about: str, own: Body, shared: Sequence[Part], faults: Faults) -> Profile:
    """Own part first, then the shared ones less what the family replaces, leaves out or corrects."""
    mine = {r.source for r in own.part.scalars} | {r.source for t in own.part.tables for r in t.readings}
    touched: set[bytes] = set()

    def keep(reading: Reading) -> list[Reading]:
        if reading.source in mine:
            return []
        for oid in own.without:
            if reading.source.startswith(oid):
                touched.add(oid)
                return []
        for change in own.change:
            if reading.source == change.oid:
                touched.add(change.oid)
                reading = _apply(change, reading)
        return [reading]

    def told(neighbours: Neighbours) -> bool:
        for oid in own.without:
            if any(column.startswith(oid) for column in neighbours.columns):
                touched.add(oid)
                return False
        return True

    parts = [own.part]
    for part in shared:
        tables = [replace(t, readings=tuple(k for r in t.readings for k in keep(r))) for t in part.tables]
        parts.append(
            replace(
                part,
                scalars=tuple(kept for reading in part.scalars for kept in keep(reading)),
                tables=tuple(table for table in tables if table.readings),
                neighbours=tuple(each for each in part.neighbours if told(each)),
            )
        )
    for oid in (*own.without, *(change.oid for change in own.change)):
        if oid and oid not in touched:
            faults.add("without" if oid in own.without else "change", "fault.oid_not_read")
    return Profile(name=name, about=about, parts=tuple(parts))


def _apply(change: Change, reading: Reading) -> Reading:
    conversion = reading.conversion
    if change.scale is not None:
        mul, div, add = change.scale
        conversion = replace(conversion, mul=mul, div=div, add=add)
    if change.none is not None:
        conversion = replace(conversion, none=change.none)
    return replace(reading, conversion=conversion, slow=reading.slow if change.slow is None else change.slow)
