"""From the answers of a poll to its readings, by the device's plan.

Theory of operation. The plain way looks every var-bind up and stores its reading. But poll after poll answers
of the same shape come, so what each shape means is worked out once, into a `_Piece`: which of its values are
readings, and which of these want a conversion. By pieces a poll costs a tenth. A poll in which one answer has
no known shape goes the plain way; both give the same readings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from typing import Any

from ayni_core.convert import Converter
from ayni_core.plan import Derivation, Plan, number
from ayni_core.readings import LARGEST, Names, Row, Series, Value
from ayni_core.snmp import (
    COUNTER32,
    COUNTER64,
    GAUGE32,
    INTEGER,
    TIME_TICKS,
    UINTEGER32,
    Binds,
    Shape,
    VarBind,
)
from ayni_core.snmpread import Answers

_ABSENT_FROM = 0x80
"""noSuchObject, noSuchInstance and endOfMibView are the largest tags."""
_NUMBERS = frozenset((INTEGER, COUNTER32, COUNTER64, GAUGE32, TIME_TICKS, UINTEGER32))
_MOST_PIECES = 256
_UNKNOWN: Any = ()


class Extractor:
    """What is known of the answers that one plan brings; `harvest` begins a poll."""

    __slots__ = ("_names", "_pieces", "_series", "last", "plan")

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.last: Names | None = None
        self._pieces: dict[Shape, _Piece] = {}
        self._series: dict[tuple[Series, ...], int] = {}
        self._names: dict[tuple[int, ...], tuple[Names, list[_Sum]]] = {}

    def renewed(self, plan: Plan) -> Extractor:
        """For a plan made anew: what is known stays if it reads the same out of the same answers."""
        fresh = Extractor(plan)
        fresh.last = self.last
        old = self.plan
        if plan.signature == old.signature and (plan.slow.keys(), plan.derived) == (
            old.slow.keys(),
            old.derived,
        ):
            fresh._pieces, fresh._series, fresh._names = self._pieces, self._series, self._names
        return fresh

    def harvest(self) -> Harvest:
        """The readings of one poll, still to be gathered."""
        return Harvest(self)

    def piece(self, shape: Shape) -> _Piece:
        """What answers of this shape mean."""
        piece = self._pieces.get(shape)
        if piece is None:
            if len(self._pieces) >= _MOST_PIECES:
                self._pieces.clear()
            piece = self._pieces[shape] = _Piece(self.plan, shape)
            piece.number = self._series.setdefault(piece.series, len(self._series))
        return piece

    def names(self, pieces: Sequence[_Piece]) -> tuple[Names, list[_Sum]]:
        """The names of a poll in these pieces, and what is computed at its end."""
        key = tuple([piece.number for piece in pieces])
        found = self._names.get(key)
        if found is None:
            if len(self._names) >= _MOST_PIECES:
                self._names.clear()
            series = [each for piece in pieces for each in piece.series]
            names = Names([*series, *self.plan.slow, *(each[0] for each in self.plan.derived)])
            found = self._names[key] = (names, _sums(self.plan.derived, names.at))
        return found


class Harvest:
    """Takes the answers of one poll as they come and makes a row of them."""

    __slots__ = ("_answers", "_cells", "_extractor", "_pieces", "_plain")

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor
        self._answers: list[Sequence[VarBind]] = []
        self._cells: list[Value] = []
        self._pieces: list[_Piece] = []
        self._plain = False

    def take(self, answers: Sequence[VarBind]) -> tuple[int, bool]:
        """Take answers; how many of the plan's cells were met, and whether a row is unknown to it."""
        self._answers.append(answers)
        met, strange = 0, False
        for part in answers.parts if isinstance(answers, Answers) else (answers,):
            if isinstance(part, Binds):
                piece = self._extractor.piece(part.shape)
                self._pieces.append(piece)
                self._cells += piece.read(part.values)
                met += piece.met
                strange = strange or piece.strange
            else:
                self._plain = True
                more, unknown = _survey(self._extractor.plan, part)
                met += more
                strange = strange or unknown
        return met, strange

    def row(self) -> Row:
        """All readings, with those that do not change meanwhile and those that are computed."""
        plan = self._extractor.plan
        if not self._plain:
            cells = self._cells
            cells += plan.slow.values()
            names, sums = self._extractor.names(self._pieces)
            self._extractor.last = names
            for sum_ in sums:
                cells.append(sum_.of(cells))
            return Row(names, cells)
        return read_plainly(plan, self._answers, self._extractor.last)


class _Piece:
    """What the values of one shape of answer mean: cells of a row, in their order."""

    __slots__ = ("_conversions", "_further", "_wanted", "met", "number", "series", "strange")

    def __init__(self, plan: Plan, shape: Shape) -> None:
        series: list[Series] = []
        further: list[tuple[int, int, Converter | None]] = []
        further_series: list[Series] = []
        conversions: list[tuple[int, int, Converter | None]] = []
        wanted: list[bool] = []
        self.number = 0
        self.met = 0
        self.strange = False
        for at, (oid, tag) in enumerate(zip(shape.names, shape.tags, strict=True)):
            entry = plan.lookup.get(oid, _UNKNOWN)
            wanted.append(bool(entry))
            if entry:
                if entry[1] is not None or tag not in _NUMBERS:
                    conversions.append((len(series), tag, entry[1]))
                series.append(entry[0])
                self.met += tag < _ABSENT_FROM
            elif entry is _UNKNOWN:
                self.strange = True
            for other, convert in plan.further.get(oid, ()):
                further.append((at, tag, convert))
                further_series.append(other)
        self.series = (*series, *further_series)
        self._wanted = tuple(wanted)
        self._conversions = tuple(conversions)
        self._further = tuple(further)

    def read(self, values: Sequence[int | bytes | None]) -> list[Value]:
        """The cells that one answer brings."""
        cells: list[Any] = list(compress(values, self._wanted))
        for at, tag, convert in self._conversions:
            cells[at] = convert(tag, cells[at]) if convert else None
        for at, tag, convert in self._further:
            cells.append(convert(tag, values[at]) if convert else number(values[at]))
        return cells


def read_plainly(plan: Plan, answers: Iterable[Sequence[VarBind]], like: Names | None = None) -> Row:
    """All readings in these answers, each looked up by itself; with the names of `like` if they fit."""
    values: dict[Series, Value] = {}
    for varbinds in answers:
        _read(plan, varbinds, values)
    values.update(plan.slow)
    at = {series: position for position, series in enumerate((*values, *(each[0] for each in plan.derived)))}
    cells = list(values.values())
    for sum_ in _sums(plan.derived, at):
        cells.append(sum_.of(cells))
    return Row.of(dict(zip(at, cells, strict=True)), like)


class _Sum:
    """A reading that is computed from cells of the same row, which stand before it."""

    __slots__ = ("_kind", "_minus", "_plus")

    def __init__(self, kind: str, plus: list[int], minus: list[int]) -> None:
        self._kind = kind
        self._plus = plus
        self._minus = minus

    def of(self, cells: Sequence[Value]) -> Value:
        """The value, None where what it needs is not there."""
        added = _numbers(self._plus, cells)
        if not added or (self._kind != "mean" and not isinstance(cells[self._plus[0]], int | float)):
            return None
        result: float
        if self._kind == "share":
            result = 100 * added[0] / added[1] if len(added) == 2 and added[1] else -1
        elif self._kind == "mean":
            result = sum(added) / len(added)
        else:
            result = sum(added) - sum(
                cell for at in self._minus if isinstance(cell := cells[at], int | float)
            )
        return round(result, 2) if 0 <= result < LARGEST else None


def _numbers(positions: Iterable[int], cells: Sequence[Value]) -> list[int | float]:
    return [cell for at in positions if isinstance(cell := cells[at], int | float)]


def _sums(derivations: Iterable[Derivation], at: Mapping[Series, int]) -> list[_Sum]:
    found = []
    for target, kind, plus, minus in derivations:
        there = [
            [at[each] for each in sources if at.get(each, at[target]) < at[target]]
            for sources in (plus, minus)
        ]
        missing = kind != "mean" and plus[0] not in at
        found.append(_Sum(kind, [] if missing else there[0], there[1]))
    return found


def _survey(plan: Plan, varbinds: Iterable[VarBind]) -> tuple[int, bool]:
    """How many of the plan's cells these var-binds meet, and whether one of them is not known to it."""
    find = plan.lookup.get
    met = 0
    strange = False
    for oid, tag, _value in varbinds:
        entry = find(oid, _UNKNOWN)
        if entry:
            met += tag < _ABSENT_FROM
        elif entry is _UNKNOWN:
            strange = True
    return met, strange


def _read(plan: Plan, varbinds: Iterable[VarBind], values: dict[Series, Value]) -> None:
    for oid, tag, value in varbinds:
        entry = plan.lookup.get(oid)
        if entry:
            series, convert = entry
            values[series] = convert(tag, value) if convert else number(value)
        for series, convert in plan.further.get(oid, ()):
            values[series] = convert(tag, value) if convert else number(value)
