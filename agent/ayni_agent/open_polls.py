"""The polls of one device since the last frame, row by row, until a frame wants them as columns."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby, islice

from ayni_core.metrics import PRIVATE
from ayni_core.readings import LARGEST, MAX_TEXT, Names, Poll, Row, Series, Value
from ayni_core.wire.frame import ANSWERED, DevicePolls
from ayni_core.wire.limits import MAX_ITEM, MAX_SERIES

_NOTHING = Row(Names(()), [])


class OpenPolls:
    """Rows are kept as they come: polls with the same names are turned into columns at a stroke."""

    __slots__ = ("_answered", "_rows", "_times_s")

    def __init__(self) -> None:
        self._times_s: list[float] = []
        self._answered: list[Value] = []
        self._rows: list[Row] = []

    def add(self, at_s: float, poll: Poll) -> None:
        """Take one poll, `at_s` seconds after the start of the frame; a failed one is a reading too."""
        self._times_s.append(max(0.0, at_s))
        self._answered.append(0 if poll.error else 1)
        if not poll.values:
            self._rows.append(_NOTHING)
        elif isinstance(poll.values, Row):
            self._rows.append(poll.values)
        else:
            self._rows.append(Row.of({series: _fitting(value) for series, value in poll.values.items()}))

    @property
    def values(self) -> int:
        """About how many values a frame of these polls has."""
        return len(self._rows) + sum(map(len, self._rows))

    def columns(self) -> DevicePolls:
        """All of them as a frame has them: names no longer than the wire takes, and nothing private."""
        columns: dict[Series, list[Value]] = {ANSWERED: self._answered}
        before = 0
        even = True
        for names, group in groupby(self._rows, key=lambda row: row.names):
            rows = [row.cells for row in group]
            transposed = map(list, zip(*rows, strict=True))
            if not before:
                columns |= zip(names.series, transposed, strict=True)
            else:
                even = False
                for series, values in zip(names.series, transposed, strict=True):
                    column = columns.setdefault(series, [])
                    column += [None] * (before - len(column))
                    column += values
            before += len(rows)
            even = even and not _has_odd(names)
        if not even:
            for column in columns.values():
                column += [None] * (before - len(column))
            kept = ((_short(each), column) for each, column in columns.items() if each.metric not in PRIVATE)
            columns = dict(islice(kept, MAX_SERIES))
        return DevicePolls(times_s=self._times_s, values=columns)


@lru_cache(maxsize=64)  # poll after poll they are the same
def _has_odd(names: Names) -> bool:
    """Whether any of these names cannot go out as it is."""
    if len(names.series) >= MAX_SERIES:
        return True
    return any(len(series.item) > MAX_ITEM or series.metric in PRIVATE for series in names.series)


def _short(series: Series) -> Series:
    """What a device calls a thing may be longer than the wire takes."""
    return series if len(series.item) <= MAX_ITEM else series._replace(item=series.item[:MAX_ITEM])


def _fitting(value: Value) -> Value:
    """One odd value must not cost the whole frame: the hub would refuse it."""
    if isinstance(value, str):
        return value[:MAX_TEXT]
    if isinstance(value, int | float) and not -LARGEST < value < LARGEST:
        return None  # also not-a-number, which compares with nothing
    return value
