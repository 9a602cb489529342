"""How a screen is laid out: a head, a body of rows of which a window is seen, and a foot.

A row is drawn only when it is seen, so a body of a thousand rows costs no more than one of twenty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import overload

from ayni_console.lines import Line, Span, crop, line, spread
from ayni_core.matching import fold as fold
from ayni_core.matching import matches as matches

SMALL = 22
"""Below so many lines a screen gives up the rule under its head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a view is drawn for: cells across, lines down, and the central's time now.

    `braille` is whether the terminal has its 256 patterns; all else that it lacks is no matter of views.
    """

    width: int = 80
    height: int = 24
    now: float = 0.0
    braille: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a body. `key` makes it one that can be selected; a `sticky` one stays in sight."""

    draw: Callable[[], Line]
    key: str | None = None
    sticky: bool = False


def text(*parts: str | Span) -> Row:
    """A row that is only read."""
    made = line(*parts)
    return Row(lambda: made)


BLANK = text("")


class Rows(Sequence[Row]):
    """Rows of which there may be thousands: some `above`, then a table of which only those that are looked at
    are made. `keys` are those of all rows."""

    def __init__(self, above: Sequence[Row], keys: Sequence[str], make: Callable[[int], Row]) -> None:
        self._above, self._make = above, make
        self.keys: list[str | None] = [row.key for row in above]
        self.keys += keys

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, at: int) -> Row: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Row]: ...

    def __getitem__(self, at: int | slice) -> Row | Sequence[Row]:
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(len(self)))]
        place = range(len(self))[at]
        above = len(self._above)
        return self._above[place] if place < above else self._make(place - above)

    def sticky(self) -> list[int]:
        """Where rows are that stay in sight."""
        return [at for at, row in enumerate(self._above) if row.sticky]


def _keys(rows: Sequence[Row]) -> list[str | None]:
    return rows.keys if isinstance(rows, Rows) else [row.key for row in rows]


def _sticky(rows: Sequence[Row]) -> list[int]:
    return rows.sticky() if isinstance(rows, Rows) else [at for at, row in enumerate(rows) if row.sticky]


@dataclass(slots=True)
class Window:
    """Which part of a body is seen, and which row is selected; it survives rows coming and going.

    Until somebody moves, the first row is selected, whatever comes to stand there: the worst, on Home.
    """

    key: str | None = None
    top: int = 0
    at: int = 0
    moved: bool = False

    def settle(self, rows: Sequence[Row], room: int) -> None:
        """Find the selected row again, and move the window so that it is seen."""
        keys = _keys(rows)
        if self.moved and self.key is not None and self.key in keys:
            chosen: int | None = keys.index(self.key)
        else:
            chosen = _nearest(keys, self.at if self.moved else 0)
        self.key = keys[chosen] if chosen is not None else None
        last = max(len(rows) - room, 0)
        if chosen is not None:
            self.at = chosen
            sticks = 1 if any(at < chosen for at in _sticky(rows)) else 0
            if chosen < self.top + sticks:
                self.top = max(chosen - sticks, 0)
            elif chosen >= self.top + room:
                self.top = chosen - room + 1
            if not any(keys[:chosen]) and chosen < room:
                self.top = 0
        self.top = min(max(self.top, 0), last)

    def move(self, rows: Sequence[Row], step: int, room: int) -> None:
        """Select the row `step` selectable rows away; past the last one the window scrolls."""
        self.moved = True
        keys = _keys(rows)
        places = [at for at, key in enumerate(keys) if key is not None]
        last = max(len(rows) - room, 0)
        if not places:
            self.top = min(max(self.top + step, 0), last)
            return
        here = places.index(self.at) if self.at in places else 0
        there = min(max(here + step, 0), len(places) - 1)
        if there == here and step > 0 and self.top < last and self.top + step <= self.at:
            self.top = min(self.top + step, last)
        self.at, self.key = places[there], keys[places[there]]


def at_row(key: str, seen: Window | None = None) -> Window:
    """A window with one row selected, and as far down as another one."""
    return Window(key=key, top=seen.top if seen is not None else 0, moved=True)


def _nearest(keys: Sequence[str | None], at: int) -> int | None:
    at = min(at, len(keys) - 1)
    for away in range(len(keys)):
        for place in (at - away, at + away):
            if 0 <= place < len(keys) and keys[place] is not None:
                return place
    return None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A whole screen: exactly `height` lines of exactly `width` cells, and where the selection is."""

    lines: tuple[Line, ...]
    selected: int | None = None


def room_for(look: Look, foot: int = 2) -> int:
    """How many rows of a body are seen at once, below the head and above a foot of `foot` lines."""
    return max(look.height - (1 if look.height < SMALL else 2) - foot, 1)


def arrange(look: Look, head: Line, rows: Sequence[Row], foot: Sequence[Line], window: Window) -> Drawn:
    """Put the screen together; `foot[0]`, a rule or words in its place, also says which rows are seen."""
    room = room_for(look, len(foot))
    window.settle(rows, room)
    rule = Span("─" * look.width, "rule")
    made: list[Line] = [crop(head, look.width)]
    if look.height >= SMALL:
        made.append((rule,))
    selected = None
    seen = list(rows[window.top : window.top + room])
    if window.top and not seen[0].sticky:
        stuck = [at for at in _sticky(rows) if at < window.top]
        if stuck:
            seen[0] = rows[stuck[-1]]
    for row in seen:
        body = crop(row.draw(), look.width)
        if row.key is not None and row.key == window.key:
            selected = len(made)
            body = crop(_marked(body), look.width)
        made.append(body)
    made += [crop((), look.width)] * (room - len(seen))
    below = len(rows) - window.top - room
    if window.top or below > 0:
        arrows = ("↑" if window.top else " ") + ("↓" if below > 0 else " ")
        shown = f" {_places(rows, window.top, room)} {arrows} "
        said = (Span("─" * (look.width - len(shown) - 2), "rule"),) if foot[0] == (rule,) else foot[0]
        foot = [spread(said, (), line(shown), look.width), *foot[1:]]
    made += [crop(each, look.width) for each in foot]
    return Drawn(tuple(made[: look.height]), selected)


def _places(rows: Sequence[Row], top: int, room: int) -> str:
    keys = _keys(rows)
    total = len(keys) - keys.count(None)
    if not total:
        return f"{top + 1}-{min(top + room, len(rows))}/{len(rows)}"
    before = top - keys[:top].count(None)
    seen = keys[top : top + room]
    return f"{min(before + 1, total)}-{before + len(seen) - seen.count(None)}/{total}"


def _marked(body: Line) -> Line:
    """The selected row: `>` in its first cell and one style throughout."""
    shown = "".join(span.text for span in body)
    return (Span(">" + shown[1:], "selected"),)
