"""The language of ours that a browser asks for: `Accept-Language` of RFC 9110, 12.5.4."""

from __future__ import annotations

from ayni_io import i18n

_MOST_TAGS = 20


def liked(accept_language: str) -> str:
    """The language of ours that is liked best, a key of LANGUAGES; empty where none is."""
    found: list[tuple[float, str]] = []
    for each in accept_language.split(",")[:_MOST_TAGS]:
        tag, _semicolon, weight = each.partition(";")
        short = tag.strip().partition("-")[0].lower()
        if short in i18n.LANGUAGES:
            found.append((_weight(weight), short))
    best = max(found, key=lambda pair: pair[0], default=(0.0, ""))
    return best[1] if best[0] > 0 else ""


def _weight(text: str) -> float:
    name, _equals, value = text.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
