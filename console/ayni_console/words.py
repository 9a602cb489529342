"""Plain words for states, durations, times and numbers; the same for every onlooker."""

from __future__ import annotations

from ayni_io.words import (
    DAY,
    HOUR,
    MINUTE,
    STYLES,
    SYMBOLS,
    clock,
    duration,
    number,
    short,
    style,
    symbol,
    weekday,
    when,
    word,
)

__all__ = [
    "DAY",
    "HOUR",
    "MINUTE",
    "STYLES",
    "SYMBOLS",
    "clock",
    "duration",
    "number",
    "short",
    "style",
    "symbol",
    "weekday",
    "when",
    "word",
]
