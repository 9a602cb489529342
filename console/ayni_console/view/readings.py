"""Readings in words: what each is called, where it stands among the others, its value and its age."""

from __future__ import annotations

from collections.abc import Sequence

from ayni_console.lines import Line, Span, cells, clean, clip, fit, line
from ayni_console.view.page import Look
from ayni_core.readings import Value
from ayni_core.wire.questions import Reading
from ayni_io import values, words
from ayni_io.i18n import _, _c
from ayni_io.readings import Part, reading_order, shown

_BETWEEN = "\x1f"
_AGES = (59.0, 119 * 60.0, 47 * 3600.0, 999 * 86400.0)
"""The longest of their kind."""


def reading_key(reading: Reading) -> str:
    """The key of a reading's row; `parse_key` takes it apart."""
    return _BETWEEN.join(("reading", reading.group, reading.item, reading.metric))


def parse_key(key: str) -> tuple[str, str, str]:
    """(group, item, metric) of a row's key."""
    _kind, group, item, metric = key.split(_BETWEEN)
    return group, item, metric


def part_key(part: Part) -> str:
    """The key of the row that stands for all readings of a part."""
    return _BETWEEN.join(("part", *part))


def parse_part(key: str) -> Part | None:
    """The part that a row stands for; None for any other row."""
    kind, *names = key.split(_BETWEEN)
    return (names[0], names[1]) if kind == "part" else None


def is_reading(key: str) -> bool:
    """Whether a row's key is one of these two."""
    return key.partition(_BETWEEN)[0] in ("reading", "part")


def age(at: float, now: float) -> str:
    """`12 s ago`, at the right of a column that holds any age."""
    longest = max(cells(ago(seconds)) for seconds in _AGES)
    return fit(ago(now - at), longest, ">")


def ago(seconds: float) -> str:
    """`10 s ago`, `now`: as short as a column wants it, and as calm as `words.ago`."""
    return _c("age", "now") if seconds < words.JUST_NOW_S else _("{age} ago", age=words.calm(seconds))


def reading_line(reading: Reading, look: Look, indent: int = 3, of: str = "") -> Line:
    """`hears  -57 dBm  12 s ago`; `of` is what it is about, where that is not said above."""
    name = look.width * 9 // 20
    label = values.label(reading.metric)
    room = name - indent
    if of:  # a name may be cut, the word for the number is not
        label = f"{clip(of, max(room - cells(label) - 2, 3))}: {label}"
    told = age(reading.at, look.now)
    return line(
        " " * indent,
        fit(label, room),
        " ",
        fit(shown(reading), look.width - name - cells(told) - 3),
        " ",
        Span(told, "dim"),
    )


def meaning(metric: str, value: Value = None) -> str:
    """`hears: how loud the other side is heard; nearer to 0 is louder`; a text in full before it."""
    told = f"{values.label(metric)}: {values.meaning(metric)}"
    return f"{value} ({told})" if isinstance(value, str) and value else told


def in_a_row(readings: Sequence[Reading]) -> str:
    """All readings of a part in one line: `speed 100 Mb/s, received 1.2 Mb/s (123 MB), …`."""
    return ", ".join(
        clean(f"{values.label(each.metric)} {shown(each)}") for each in sorted(readings, key=reading_order)
    )
