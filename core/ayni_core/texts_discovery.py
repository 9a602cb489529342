"""English texts of finding devices: what is wrong with a range."""

from __future__ import annotations

DISCOVERY_TEXTS: dict[str, str] = {}


def _text(context: str, english: str) -> None:
    DISCOVERY_TEXTS[context] = english


_text("discover.no_range", "no range to ask")
_text("discover.range_bad", '"{range}": expected 10.0.0.0/24, 10.0.0.5, or 10.0.0.5-20')
_text("discover.range_backwards", '"{range}": its end comes before its beginning')
_text("discover.range_v6", '"{range}": only ranges of IPv4 are asked; IPv6 has too many addresses')
_text(
    "discover.range_large",
    "{n} addresses are more than the {most} of a /20: give a smaller range, or --yes if you mean it",
)
_text("discover.range_ceiling", "{n} addresses are too many, --yes or not: at most {most} at a time")
