"""How a screen is laid out: a head, a body of rows of which a window is seen, and a foot.

A row is drawn only when it is seen, so a body of a thousand rows costs no more than one of twenty.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ayni_console.lines import Line, Span, crop, line, spread

SMALL = 22
"""Below so many lines a screen gives up the rule under its head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a view is drawn for: cells across, lines down, and the central's time now."""

    width: int = 80
    height: int = 24
    now: float = 0.0


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
        same = (i for i, row in enumerate(rows) if row.key is not None and row.key == self.key)
        chosen = next(same, None) if self.moved else _nearest(rows, 0)
        if chosen is None:
            chosen = _nearest(rows, self.at)
        self.key = rows[chosen].key if chosen is not None else None
        last = max(len(rows) - room, 0)
        if chosen is not None:
            self.at = chosen
            sticks = 1 if any(row.sticky for row in rows[:chosen]) else 0
            if chosen < self.top + sticks:
                self.top = max(chosen - sticks, 0)
            elif chosen >= self.top + room:
                self.top = chosen - room + 1
            if not any(row.key for row in rows[:chosen]) and chosen < room:
                self.top = 0
        self.top = min(max(self.top, 0), last)

    def move(self, rows: Sequence[Row], step: int, room: int) -> None:
        """Select the row `step` selectable rows away; past the last one the window scrolls."""
        self.moved = True
        places = [i for i, row in enumerate(rows) if row.key is not None]
        last = max(len(rows) - room, 0)
        if not places:
            self.top = min(max(self.top + step, 0), last)
            return
        here = places.index(self.at) if self.at in places else 0
        there = min(max(here + step, 0), len(places) - 1)
        if there == here and step > 0 and self.top < last and self.top + step <= self.at:
            self.top = min(self.top + step, last)
        self.at, self.key = places[there], rows[places[there]].key


def at_row(key: str) -> Window:
    """A window with one row selected."""
    return Window(key=key, moved=True)


def _nearest(rows: Sequence[Row], at: int) -> int | None:
    places = [i for i, row in enumerate(rows) if row.key is not None]
    return min(places, key=lambda place: abs(place - at)) if places else None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A whole screen: exactly `height` lines of exactly `width` cells, and where the selection is."""

    lines: tuple[Line, ...]
    selected: int | None = None


def room_for(look: Look, foot: int = 2) -> int:
    """How many rows of a body are seen at once, below the head and above a foot of `foot` lines."""
    return max(look.height - (1 if look.height < SMALL else 2) - foot, 1)


def arrange(look: Look, head: Line, rows: Sequence[Row], foot: Sequence[Line], window: Window) -> Drawn:
    """Put the screen together; `foot[0]` is a rule that also says which rows are seen."""
    room = room_for(look, len(foot))
    window.settle(rows, room)
    rule = Span("─" * look.width, "rule")
    made: list[Line] = [crop(head, look.width)]
    if look.height >= SMALL:
        made.append((rule,))
    selected = None
    seen = list(rows[window.top : window.top + room])
    if window.top and not seen[0].sticky:
        stuck = next((row for row in reversed(rows[: window.top]) if row.sticky), None)
        if stuck is not None:
            seen[0] = stuck
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
        foot = [
            spread((Span("─" * (look.width - len(shown) - 2), "rule"),), (), line(shown), look.width),
            *foot[1:],
        ]
    made += [crop(each, look.width) for each in foot]
    return Drawn(tuple(made[: look.height]), selected)


def _places(rows: Sequence[Row], top: int, room: int) -> str:
    total = sum(row.key is not None for row in rows)
    if not total:
        return f"{top + 1}-{min(top + room, len(rows))}/{len(rows)}"
    before = sum(row.key is not None for row in rows[:top])
    seen = sum(row.key is not None for row in rows[top : top + room])
    return f"{min(before + 1, total)}-{before + seen}/{total}"


def _marked(body: Line) -> Line:
    """The selected row: `>` in its first cell and one style throughout."""
    shown = "".join(span.text for span in body)
    return (Span(">" + shown[1:], "selected"),)


def fold(words: str) -> str:
    """A text for comparing: no case, no accents."""
    split = unicodedata.normalize("NFKD", words.casefold())
    return "".join(char for char in split if not unicodedata.combining(char))


def matches(wanted: str, *words: str) -> bool:
    """Whether a filter lets a row through; `!` in front inverts it."""
    needle = fold(wanted.strip())
    inverted = needle.startswith("!")
    needle = needle.removeprefix("!").strip()
    if not needle:
        return True
    return (needle in fold(" ".join(words))) != inverted
