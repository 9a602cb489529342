"""The numbers of a device's series. Of ten thousand devices most have the same names: these are kept once."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, KeysView

from ayni_core.readings import Series

Layout = dict[Series, int]
"""Names, and the place of each."""
_MOST_LAYOUTS = 4096


class Numbers:
    """Of one device: name -> number. It never changes; `Naming.of` makes another."""

    __slots__ = ("_layout", "_numbers")

    def __init__(self, layout: Layout, numbers: array[int]) -> None:
        self._layout = layout
        self._numbers = numbers

    def get(self, series: Series) -> int | None:
        """The number of a series; None where it has none."""
        place = self._layout.get(series)
        return None if place is None else self._numbers[place]

    def __getitem__(self, series: Series) -> int:
        return self._numbers[self._layout[series]]

    def __contains__(self, series: object) -> bool:
        return series in self._layout

    def __len__(self) -> int:
        return len(self._numbers)

    def names(self) -> KeysView[Series]:
        """Every series."""
        return self._layout.keys()

    def items(self) -> Iterator[tuple[Series, int]]:
        """(series, number) of every series."""
        return zip(self._layout, self._numbers, strict=True)


class Naming:
    """Makes `Numbers` that share their names."""

    def __init__(self) -> None:
        self._layouts: dict[tuple[Series, ...], Layout] = {}

    def of(self, items: Iterable[tuple[Series, int]]) -> Numbers:
        """Out of (series, number), each series once."""
        pairs = list(items)
        names = tuple(series for series, _number in pairs)
        layout = self._layouts.get(names)
        if layout is None:
            if len(self._layouts) >= _MOST_LAYOUTS:
                self._layouts.clear()  # who has one keeps it
            layout = self._layouts[names] = {series: place for place, series in enumerate(names)}
        return Numbers(layout, array("q", [number for _series, number in pairs]))
