"""Whom a device hears: read with a look-over, at most once an hour, for it costs bytes and changes seldom.

A device that answers these tables in a broken way, or too slowly, keeps all its other readings, and is asked
for its neighbours again an hour later.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from ayni_core.neighbour_tables import Found, others, tables_of, told
from ayni_core.plan import Origin
from ayni_core.profile import Profile
from ayni_core.readings import Series, Value
from ayni_core.snmp import VarBind
from ayni_core.survey import Survey
from ayni_io.snmp import SnmpReader
from ayni_io.snmp_errors import SnmpError

EVERY_S = 3600.0
_NEVER = float("-inf")


class Neighbourhood:
    """The neighbours of the device behind `reader`. `answers` are those of the last reading."""

    def __init__(self, reader: SnmpReader) -> None:
        self._reader = reader
        self._read_s = _NEVER
        self._found: Found = {}
        self.answers: list[Sequence[VarBind]] = []

    def soon(self) -> None:
        """Read them with the next look-over, whenever they were read last."""
        self._read_s = _NEVER

    def origin(self, series: Series) -> Origin | None:
        """Where a reading came from."""
        return self._found[series][1] if series in self._found else None

    async def read(
        self, profile: Profile, survey: Survey, now_s: float, *, every_s: float, skipped: list[str]
    ) -> dict[Series, Value]:
        """The readings, if their hour has come and the device has such tables.

        `survey` is what the look-over found: it is not asked for again.
        """
        self.answers = []
        tables = tables_of(profile)
        if not tables or now_s - self._read_s < every_s:
            return {}
        self._read_s = now_s
        heard = Survey(columns=dict(survey.columns), scalars=survey.scalars, system=survey.system)
        try:
            there = await self._present(list(dict.fromkeys(chain.from_iterable(t.columns for t in tables))))
            tables = [table for table in tables if there.intersection(table.columns)]
            if not tables:
                return {}
            for table in tables:
                await self._add(heard, [column for column in table.columns if column in there], table.most)
            for column in others(tables):
                if column not in heard.columns:
                    await self._add(heard, [column])
        except SnmpError as error:
            skipped.append(str(error))
            return {}
        self._found = told(tables, heard)
        return {series: value for series, (value, _origin) in self._found.items()}

    async def _present(self, columns: Sequence[bytes]) -> set[bytes]:
        found = await self._reader.columns(columns, None, 1)
        lengths = {len(column) for column in columns}
        return {oid[:length] for oid, _, _ in found for length in lengths}

    async def _add(self, survey: Survey, columns: Sequence[bytes], most: int = 4096) -> None:
        answers = await self._reader.columns(columns, None, most)
        survey.add_columns(columns, answers)
        self.answers.append(answers)
