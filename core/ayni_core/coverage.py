"""How far a profile goes with a device: what it reads that is not there, what is there that it leaves."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ayni_core import neighbour_tables
from ayni_core.ber import decode_oid
from ayni_core.profile import Part, Profile
from ayni_core.survey import scalars_of, tables_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """One reading that the device has nothing for; `table` tells a column from a scalar."""

    oid: bytes
    group: str
    metric: str
    table: bool


def unanswered(part: Part, there: Collection[bytes]) -> list[Unanswered]:
    """The readings of a part whose scalar, or any row of whose column, is not among the objects."""
    found = []
    prefixes = {oid[:length] for oid in there for length in range(1, len(oid) + 1)}
    for table, readings in (
        (False, part.scalars),
        (True, tuple(reading for each in part.tables for reading in each.readings)),
    ):
        for reading in readings:
            if reading.source not in prefixes:
                found.append(
                    Unanswered(oid=reading.source, group=reading.group, metric=reading.metric, table=table)
                )
    return list(dict.fromkeys(found))


def unused(profile: Profile, objects: Iterable[bytes], branch: bytes) -> list[bytes]:
    """The objects below a branch that no reading, name or condition of the profile looks at, in OID order."""
    wanted = {*scalars_of(profile), *(column for columns in tables_of(profile) for column in columns)}
    neighbours = neighbour_tables.tables_of(profile)
    wanted |= {column for table in neighbours for column in table.columns}
    wanted |= set(neighbour_tables.others(neighbours))
    for part in profile.parts:
        for sources in part.system.values():
            wanted |= {oid for source in sources for oid in (source.any_row, *source.join) if oid}
    lengths = sorted({len(oid) for oid in wanted})
    left = [
        oid
        for oid in objects
        if oid.startswith(branch) and not any(oid[:length] in wanted for length in lengths)
    ]
    return sorted(left, key=decode_oid)
