"""Text that is laid out by us: lines of styled spans, measured in terminal cells, in full or in ASCII.

Views write with the few symbols of UX (`●▲■─│░▒█`) and `↑↓` for trends; `displayed` turns a whole line
into what this terminal can show. So no view asks which terminal it is for.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ayni_io.words import clean as clean


class Span(NamedTuple):
    """A piece of a line; `style` is a name of `theme.STYLES`."""

    text: str
    style: str = ""


Line = tuple[Span, ...]

_TERMINAL = str.maketrans({"↑": "▲", "↓": "▼"})
_ASCII = str.maketrans(
    {
        "●": "+", "▲": "!", "■": "X", "↑": "^", "↓": "v", "▼": "v", "─": "-", "│": "|", "█": "#", "▒": "=",
        "░": ".", "·": "-", "…": "~", "×": "x", "°": "o", "–": "-", "—": "-", "’": "'", "“": '"', "”": '"',
        "±": "~", "└": "`", "├": "|", "µ": "u", "¿": "?", "¡": "!",
    }
)  # fmt: skip


@functools.lru_cache(4096)
def char_cells(char: str) -> int:
    """How many terminal cells a character takes: none where it joins the one before."""
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cells(text: str) -> int:
    """How many terminal cells a text takes."""
    return len(text) if text.isascii() else sum(map(char_cells, text))


def clip(text: str, width: int) -> str:
    """At most `width` cells of a text; a cut is shown by `…`."""
    if cells(text) <= width:
        return text
    room, kept = max(width - 1, 0), []
    for char in text:
        room -= char_cells(char)
        if room < 0:
            break
        kept.append(char)
    return "".join(kept).rstrip() + "…" if width > 0 else ""


@functools.lru_cache(1024)
def fit(text: str, width: int, align: str = "<") -> str:
    """The text in exactly `width` cells, padded at the right (`<`), left (`>`) or both sides (`^`)."""
    text = clip(clean(text), width)
    room = max(width - cells(text), 0)
    match align:
        case ">":
            return " " * room + text
        case "^":
            return " " * (room // 2) + text + " " * (room - room // 2)
    return text + " " * room


def line(*parts: str | Span) -> Line:
    """A line out of plain texts and spans."""
    return tuple(Span(clean(part)) if isinstance(part, str) else part for part in parts if part)


def plain(spans: Line) -> str:
    """The text of a line without its styles and trailing space."""
    return "".join(span.text for span in spans).rstrip()


def width(spans: Line) -> int:
    """The cells that a line takes."""
    return sum(cells(span.text) for span in spans)


@functools.lru_cache(256)
def crop(spans: Line, room: int) -> Line:
    """The line in exactly `room` cells: cut or filled up."""
    kept: list[Span] = []
    for span in spans:
        size = cells(span.text)
        if size > room:
            kept.append(Span(fit(span.text, room), span.style))
            room = 0
            break
        kept.append(span)
        room -= size
    if room:
        kept.append(Span(" " * room))
    return tuple(kept)


def spread(left: Line, middle: Line, right: Line, room: int) -> Line:
    """Three parts over the whole width; the left one is cut first, then the middle one is left out."""
    if width(left) + width(middle) + width(right) + 4 > room:
        shorter = room - width(middle) - width(right) - 4
        if middle and shorter >= 8:
            left = crop(left, shorter)
        else:
            middle = ()
            left = crop(left, max(min(width(left), room - width(right) - 1), 0))
    free = max(room - width(left) - width(middle) - width(right), 0)
    before = (free + 1) // 2 if middle else free
    return crop((*left, Span(" " * before), *middle, Span(" " * (free - before)), *right), room)


def wrap(text: str, room: int, indent: str = "") -> list[str]:
    """The text broken at spaces into pieces of at most `room` cells; `indent` leads all but the first."""
    pieces: list[str] = []
    current = ""
    for word in clean(text).split():
        longer = f"{current} {word}" if current.strip() else current + word
        if cells(longer) <= room or not current.strip():
            current = longer
        else:
            pieces.append(clip(current, room))
            current = indent + word
    pieces.append(clip(current, room))
    return pieces


def to_ascii(text: str) -> str:
    """The same text in as many ASCII characters as it has cells."""
    if text.isascii():
        return text
    made: list[str] = []
    for char in text.translate(_ASCII):
        size = char_cells(char)
        if size == 0 or char.isascii():
            made.append(char if char.isascii() else "")
            continue
        base = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
        made.append((base or "?" * size)[:size].ljust(size))
    return "".join(made)


@functools.lru_cache(256)
def displayed(spans: Line, ascii_only: bool) -> Line:
    """The line as this terminal can show it; neighbours of one style become one span."""
    merged: list[Span] = []
    for text, style in spans:
        shown = to_ascii(text) if ascii_only else text.translate(_TERMINAL)
        if merged and merged[-1].style == style:
            merged[-1] = Span(merged[-1].text + shown, style)
        elif shown:
            merged.append(Span(shown, style))
    return tuple(merged)


def changed(old: Sequence[Span], new: Sequence[Span]) -> tuple[int, int] | None:
    """First and one past the last cell in which two lines differ; None when they are the same."""
    if old == new:
        return None
    same = at = 0
    while same < min(len(old), len(new)) and old[same] == new[same]:
        at += cells(old[same].text)
        same += 1
    end = 0
    while end < min(len(old), len(new)) - same and old[-1 - end] == new[-1 - end]:
        end += 1
    before, after = _by_cell(old[same : len(old) - end]), _by_cell(new[same : len(new) - end])
    if len(before) != len(after):
        return 0, max(width(tuple(old)), width(tuple(new)))
    differing = [at for at, (was, is_) in enumerate(zip(before, after, strict=True), at) if was != is_]
    return (differing[0], differing[-1] + 1) if differing else None


def _by_cell(spans: Iterable[Span]) -> list[tuple[str, str]]:
    made: list[tuple[str, str]] = []
    for text, style in spans:
        if text.isascii():
            made += [(char, style) for char in text]
        else:
            for char in text:
                made += [(char, style)] * char_cells(char)
    return made
