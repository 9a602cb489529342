"""The polls of one device: when each was, and a column for each series, None where a poll had none of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeVar

from ayni_core.readings import Value

K = TypeVar("K")
T = TypeVar("T")


@dataclass(slots=True)
class Polls:
    """`times` are hundredths of a second since 1970, in order and each once; columns go by the number of
    their series and are as long."""

    times: list[int] = field(default_factory=list)
    columns: dict[int, list[Value]] = field(default_factory=dict)

    @classmethod
    def of(cls, times: Sequence[int], columns: dict[int, list[Value]]) -> Polls:
        """In whatever order the times are; of two polls at the same time the first counts, and the other
        where that had nothing."""
        if all(before < after for before, after in pairwise(times)):
            return cls(list(times), columns)
        slots: dict[int, list[int]] = {}
        for at, time in enumerate(times):
            slots.setdefault(time, []).append(at)
        order = sorted(slots)
        found = {
            series: [_first(column, slots[time]) for time in order] for series, column in columns.items()
        }
        return cls(order, found)

    def join(self, other: Polls) -> Polls:
        """Both together; where both have a value at the same time, it is ours."""
        own, more = len(self.times), len(other.times)
        columns: dict[int, list[Value]] = {}
        for series in self.columns.keys() | other.columns.keys():
            columns[series] = [
                *(self.columns.get(series) or [None] * own),
                *(other.columns.get(series) or [None] * more),
            ]
        return Polls.of([*self.times, *other.times], columns)

    def cut(self, most: int) -> Iterator[Polls]:
        """In pieces of `most` polls, and a shorter one; series that a piece has nothing of are left out."""
        for begin in range(0, len(self.times), most):
            span = slice(begin, begin + most)
            columns = {
                series: part
                for series, column in self.columns.items()
                if (part := column[span]).count(None) < len(part)
            }
            yield Polls(self.times[span], columns)

    def between(self, series: int, first: int, end: int) -> list[tuple[int, Value]]:
        """(time, value) of one series, first <= time < end, where there is a value."""
        column = self.columns.get(series)
        if column is None:
            return []
        begin, stop = bisect_left(self.times, first), bisect_left(self.times, end)
        found = list(zip(self.times[begin:stop], column[begin:stop], strict=True))
        return [pair for pair in found if pair[1] is not None] if None in column else found


def last_of(times: Sequence[T], columns: Mapping[K, Sequence[Value]]) -> Iterator[tuple[K, T, Value]]:
    """(series, time, value) of the last value in each column that has one."""
    for series, column in columns.items():
        for time, value in zip(reversed(times), reversed(column), strict=True):
            if value is not None:
                yield series, time, value
                break


def _first(column: Sequence[Value], places: Sequence[int]) -> Value:
    return next((column[at] for at in places if column[at] is not None), None)
