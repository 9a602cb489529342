"""The colours: each style of `lines.Span`, 7:1 or better on its ground; else bold and reverse."""

from __future__ import annotations

from collections.abc import Mapping

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
LIGHT_GROUND, LIGHT_TEXT = "#fbfaf5", "#1c2024"
LIGHT_COLOURS = {
    "": LIGHT_TEXT,
    "dim": "#4d565f",
    "rule": "#4d565f",
    "ok": "#0b5a1e",
    "weak": "#6b2e00",
    "down": "#a0111b",
    "nonews": "#0b4a8f",
    "meaning": "#0f5257",
    "plot": "#0b4a7a",
    "key": "#6a2e00",
    "head": "#000000",
}
"""For a terminal in the sun: dark letters on a light ground."""

_BOLD = {"head", "down", "key"}


def _theme(name: str, colours: Mapping[str, str], ground: str) -> Theme:
    return Theme(
        name=name,
        primary=colours["plot"],
        foreground=colours[""],
        background=ground,
        surface=ground,
        panel=ground,
        success=colours["ok"],
        warning=colours["weak"],
        error=colours["down"],
        dark=ground == GROUND,
    )


THEME = _theme("ayni", COLOURS, GROUND)
LIGHT = _theme("ayni-light", LIGHT_COLOURS, LIGHT_GROUND)
THEMES = {"dark": THEME, "light": LIGHT}
"""What `--colours` takes."""


FEW = {
    "down": Style(color="bright_white", bgcolor="black", bold=True, reverse=True),
    "nonews": Style(color="bright_cyan", bgcolor="black"),
}
"""With sixteen colours the others come out right by themselves; no red of theirs is 7:1 on black."""


def styles(colour: bool, *, few: bool = False, light: bool = False) -> dict[str, Style]:
    """What each style name looks like; `few`: where there are sixteen colours only, which are dark then."""
    light = light and not few
    colours, ground = (LIGHT_COLOURS, LIGHT_GROUND) if light else (COLOURS, GROUND)
    made: dict[str, Style] = {}
    for name, shade in colours.items():
        made[name] = Style(
            color=shade if colour else None, bgcolor=ground if colour else None, bold=name in _BOLD
        )
    made["selected"] = Style(color=ground, bgcolor=colours[""]) if colour else Style(reverse=True)
    made["training"] = (
        Style(color=ground, bgcolor=colours["weak"], bold=True) if colour else Style(reverse=True, bold=True)
    )
    if colour and few:
        made |= FEW
    return made
