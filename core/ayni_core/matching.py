"""Whether a text holds what somebody typed: capitals and accents do not count, `!` in front inverts."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable


def fold(words: str) -> str:
    """A text for comparing: no case, no accents."""
    return words.lower() if words.isascii() else _bare(words)


@functools.lru_cache(8192)
def _bare(words: str) -> str:
    split = unicodedata.normalize("NFKD", words.casefold())
    return "".join(char for char in split if not unicodedata.combining(char))


def matcher(wanted: str) -> Callable[..., bool]:
    """What tells of many things, by their words, whether what was typed lets them through."""
    needle = fold(wanted.strip())
    inverted = needle.startswith("!")
    needle = needle.removeprefix("!").strip()
    if not needle:
        return lambda *_words: True
    return lambda *words: (needle in fold(" ".join(words))) != inverted


def matches(wanted: str, *words: str) -> bool:
    """Whether what was typed lets something through that has these words."""
    return matcher(wanted)(*words)
