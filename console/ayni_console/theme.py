"""The colours: each style of `lines.Span`, 7:1 or better on its ground; else bold and reverse."""

from __future__ import annotations

from rich.style import Style
from textual.theme import Theme

GROUND, TEXT = "#11161b", "#e6e6e6"
COLOURS = {
    "": TEXT,
    "dim": "#aab5be",
    "rule": "#aab5be",
    "ok": "#7ee787",
    "weak": "#f2cc60",
    "down": "#ffa198",
    "nonews": "#a5c8ff",
    "meaning": "#a5d6d6",
    "plot": "#8fd3ff",
    "key": "#f2cc60",
    "head": "#ffffff",
}
_BOLD = {"head", "down", "key"}

THEME = Theme(
    name="ayni",
    primary="#8fd3ff",
    foreground=TEXT,
    background=GROUND,
    surface=GROUND,
    panel=GROUND,
    success=COLOURS["ok"],
    warning=COLOURS["weak"],
    error=COLOURS["down"],
    dark=True,
)


def styles(colour: bool) -> dict[str, Style]:
    """What each style name looks like."""
    made: dict[str, Style] = {}
    for name, shade in COLOURS.items():
        made[name] = Style(
            color=shade if colour else None, bgcolor=GROUND if colour else None, bold=name in _BOLD
        )
    made["selected"] = Style(color=GROUND, bgcolor=TEXT) if colour else Style(reverse=True)
    made["training"] = (
        Style(color=GROUND, bgcolor=COLOURS["weak"], bold=True) if colour else Style(reverse=True, bold=True)
    )
    return made
