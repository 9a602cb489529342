"""What a device said: values under (group, item, metric), as one poll brings them.

A poll makes hundreds of readings, and the next one makes the same with other values. So a poll is a `Row` of
cells, and what the cells are is said by `Names` that it shares with the polls before it: whoever looks at
every poll (the frame, the rules) works out once per `Names` which cells matter, not once per poll.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, cast

Value = int | float | str | None
"""A reading's value; None means that the device gives none. None is never written as 0."""

MAX_TEXT = 1024
LARGEST = 2**64
"""Bounds of values: a text has at most so many characters, a number is finite and nearer to 0."""

GROUPS = ("system", "interface", "radio", "station", "power", "poe", "sensor", "ping", "node", "neighbour")


class Series(NamedTuple):
    """The name of one sequence of readings of a device.

    `group` is one of GROUPS; `item` says which one ("" where there is only one, otherwise an interface's
    name, a radio's, a peer's MAC as 12 lower-case hex digits, VIA/PORT/REMOTE of a neighbour); `metric` is a
    key of `metrics.METRICS`.
    """

    group: str
    item: str
    metric: str


UPTIME = Series("system", "", "uptime_s")
"""It stands in every full poll of a device that knows it."""
NEIGHBOURS = Series("neighbour", "", "neighbours")
"""How many neighbours a device told of. It stands in every poll that asked for them, and in no other: of the
readings of its group those that are older do not hold any more."""


class Names:
    """Which series the cells of a row are, in their order. Compared by identity."""

    __slots__ = ("at", "series")

    def __init__(self, series: Iterable[Series]) -> None:
        self.series = tuple(series)
        self.at = {each: position for position, each in enumerate(self.series)}


class Row(Mapping[Series, Value]):
    """The readings of one poll: a mapping from series to value, kept as `cells` beside shared `names`.

    Whoever makes one sees to it that every value is within bounds, and no `bool`.
    """

    __slots__ = ("cells", "names")

    def __init__(self, names: Names, cells: list[Value]) -> None:
        self.names = names
        self.cells = cells

    @classmethod
    def of(cls, values: Mapping[Series, Value], like: Names | None = None) -> Row:
        """The same readings as a row, with the names of `like` if they are the same series."""
        if isinstance(values, Row):
            return values
        if like is None or like.at.keys() != values.keys():
            return cls(Names(values), list(values.values()))
        return cls(like, [values[series] for series in like.series])

    def __getitem__(self, series: Series) -> Value:
        return self.cells[self.names.at[series]]

    def __iter__(self) -> Iterator[Series]:
        return iter(self.names.series)

    def __len__(self) -> int:
        return len(self.cells)

    def __contains__(self, series: object) -> bool:
        return series in self.names.at

    def items(self) -> ItemsView[Series, Value]:
        """Pairs of series and value."""
        return cast("ItemsView[Series, Value]", dict(zip(self.names.series, self.cells, strict=True)).items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """One poll of one device.

    `at_s` is monotonic seconds. `values` is empty when `error` says why the device did not answer.
    """

    device: str
    at_s: float
    values: Mapping[Series, Value]
    error: str | None = None
