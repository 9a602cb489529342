"""What a terminal can show, told from the environment: how many colours, and which signs.

Nobody asks the terminal: a question costs a round trip, and a terminal that does not know it prints it.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import TextIO

_NO_COLOUR = ("dumb", "vt100", "vt102", "vt220", "vt320", "unknown", "")
_SIXTEEN = ("linux", "ansi", "cygwin", "pcansi")
_FONT_ONLY = ("linux", "vt100", "vt102", "vt220", "vt320", "ansi", "pcansi", "cygwin", "dumb", "unknown", "")
"""Terminals whose font has few signs: that of a Linux console has 512 at most, and no braille."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """`colours` is `many`, `256`, `16` or `none`."""

    colours: str = "many"
    ascii_only: bool = False
    braille: bool = True


def found(environment: Mapping[str, str]) -> Terminal:
    """What the variables say: NO_COLOR, TERM, COLORTERM, and the locale's characters."""
    term = environment.get("TERM", "").lower()
    utf8 = speaks_utf8(environment)
    return Terminal(
        colours=_colours(term, environment), ascii_only=not utf8, braille=utf8 and term not in _FONT_ONLY
    )


def ground(environment: Mapping[str, str]) -> str:
    """`light` where the terminal says that its ground is (COLORFGBG, as Konsole sets it), else `dark`."""
    behind = environment.get("COLORFGBG", "").rpartition(";")[2]
    return "light" if behind in ("7", "15") else "dark"


def tell_textual(terminal: Terminal, environment: MutableMapping[str, str]) -> None:
    """Before Textual is imported: it reads the variables then."""
    if terminal.colours == "none":
        environment.update(TEXTUAL_THEME="ansi-dark", NO_COLOR="1")
    else:
        environment["TEXTUAL_COLOR_SYSTEM"] = {"many": "truecolor", "256": "256", "16": "standard"}[
            terminal.colours
        ]


def speaks_utf8(environment: Mapping[str, str]) -> bool:
    """Whether the locale is one of UTF-8. Without any it is C, which knows ASCII only.

    Only the name counts: one that is not installed here still says what the terminal, far away, shows.
    """
    names = (environment.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    chosen = next((name for name in names if name), "C")
    return "utf8" in chosen.lower().replace("-", "")


def prints_utf8(stream: TextIO) -> bool:
    """Whether what is printed there may have any letter and sign; a pipe takes what Python has chosen."""
    return (stream.encoding or "").lower().replace("-", "") == "utf8"


def charset(environment: Mapping[str, str]) -> str:
    """The characters that the terminal sends, as Python names them."""
    if speaks_utf8(environment):
        return "utf-8"
    names = (environment.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    chosen = next((name for name in names if name), "C")
    given = chosen.partition(".")[2].partition("@")[0]
    return given or "latin-1"


def _colours(term: str, environment: Mapping[str, str]) -> str:
    if environment.get("NO_COLOR") or term in _NO_COLOUR:
        return "none"
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit") or term.endswith("-direct"):
        return "many"
    if "256" in term or term.startswith(("xterm-kitty", "alacritty", "foot", "wezterm")):
        return "256"
    return "16"
