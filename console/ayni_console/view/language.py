"""The page where somebody chooses the language and the colours of the screens."""

from __future__ import annotations

from collections.abc import Mapping

from ayni_console.lines import Span, line, wrap
from ayni_console.view.page import BLANK, Look, Row, text
from ayni_io.i18n import LANGUAGES, _

COLOURS = ("dark", "light")


def rows(language: str, colours: str, look: Look) -> list[Row]:
    """Every language in its own words, then the colours; `colours` is empty where none are shown at all."""
    made = [text(" ", Span(_("LANGUAGE"), "head"))]
    made += [_choice("language", short, name, short == language) for short, name in LANGUAGES.items()]
    if colours:
        made += [BLANK, text(" ", Span(_("COLOURS"), "head"))]
        made += [_choice("colours", each, ground(each), each == colours) for each in COLOURS]
    made.append(BLANK)
    kept = _("Kept for the next time, and for all that ayni says in a shell.")
    return made + [text(" ", piece) for piece in wrap(kept, look.width - 2)]


def ground(colours: str) -> str:
    """What a choice of colours is called."""
    names: Mapping[str, str] = {
        "dark": _("light letters on dark"),
        "light": _("dark letters on light, for the sun"),
    }
    return names[colours]


def _choice(kind: str, value: str, name: str, chosen: bool) -> Row:
    made = line(" ", Span("●" if chosen else " ", "ok"), " ", name)
    return Row(lambda: made, f"{kind}:{value}")
