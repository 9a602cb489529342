"""A finger or a mouse, where the console is shown in a browser: what a click on the screen means.

On a row: select it; on the selected one: open it. On a word of the foot: what its key does. In a terminal the
mouse stays the terminal's own, for selecting text.
"""

from __future__ import annotations

from collections.abc import Sequence

from ayni_console import keys
from ayni_console.lines import Line, cells
from ayni_console.view.page import Look, Row, Window, room_for

WHEEL = 3
"""Rows for a notch of the wheel."""

_ACTIONS = {key.shown: key.action for key in keys.KEYS}


def row_at(look: Look, rows: Sequence[Row], window: Window, foot: int, y: int) -> str | None:
    """The key of the row on a line of the screen, above a foot of `foot` lines; None where none is that can
    be selected."""
    room = room_for(look, foot)
    line = y - (look.height - room - foot)
    at = window.top + line
    return rows[at].key if 0 <= line < room and at < len(rows) else None


def action_at(foot: Line, x: int) -> str | None:
    """The action of the key, or of its word, that stands at a column of the foot."""
    begin, shown = 0, ""
    for text, style in foot:
        shown = text if style == "key" else shown
        word = begin + cells(text) - cells(text.lstrip()), begin + cells(text.rstrip())
        if word[0] <= x < word[1]:
            return _ACTIONS.get(shown)
        begin += cells(text)
    return None
