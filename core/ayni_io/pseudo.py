"""The language `xx`, for those who draw screens: English with accents, 35 % longer, in brackets ⟦ ⟧.

Nobody translates it and nobody is offered it; `AYNI_LANG=xx` speaks it. What is not between ⟦ ⟧ is not
translated; a ⟦ without its ⟧ was cut off. So a screen that holds it holds most languages.
"""

from __future__ import annotations

import gettext
import math
import re

LANGUAGE = "xx"
OPENS, CLOSES = "⟦", "⟧"
LONGER = 0.35
_ACCENTED = str.maketrans("aceinouyACEINOUYs", "áçéíñóúýÁÇÉÍÑÓÚÝš")
_VOWEL = re.compile(r"[aeiouyAEIOUY]")
_KEPT = re.compile(
    r"(\{[^{}]*\}|%\(\w+\)[srd]|%[srd]|`[^`]*`|\b(?:Enter|Esc|Ctrl|Tab)\b|--[a-z-]+|[A-Z]+(?:_[A-Z]+)+)"
)
"""Places, commands, options, variables and keys stay as they are."""
_WORD = re.compile(r"[^\W\d_]{3}")
"""Without so many letters in a row a text is a unit or a mark, the same everywhere."""
_PATTERNS = ("date", "decimal mark")
"""Contexts of what is no text."""


class Pseudo(gettext.NullTranslations):
    """Makes its texts when it is asked."""

    def gettext(self, message: str) -> str:
        """One text."""
        return stretched(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The form for `n`."""
        return stretched(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        """One text of a context."""
        return message if context in _PATTERNS else stretched(message)


def stretched(text: str) -> str:
    """A text with accents, longer, in its brackets; blanks and line ends around it stay outside."""
    inner = text.strip()
    pieces = _KEPT.split(inner)
    if not any(_WORD.search(piece) for piece in pieces[::2]):
        return text
    letters = sum(map(len, pieces[::2]))
    more = math.ceil(letters * LONGER) - len(OPENS) - len(CLOSES)
    made = []
    for at, piece in enumerate(pieces):
        if at % 2:
            made.append(piece)
            continue
        wanted = min(more, math.ceil(len(piece) * LONGER))
        longer = _VOWEL.sub(lambda vowel: vowel[0] * 2, piece, count=wanted) if wanted > 0 else piece
        more -= len(longer) - len(piece)
        made.append(longer.translate(_ACCENTED))
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{before}{OPENS}{''.join(made)}{'~' * max(more, 0)}{CLOSES}{after}"
