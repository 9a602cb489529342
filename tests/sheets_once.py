"""Textual's own sheets are parsed once for all apps of a test run.

Each app would parse the same hundred anew, which is a seventh of what a test of a screen costs. The console
that people run is one app.
"""

from __future__ import annotations

from typing import Any

from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

_parsed: dict[tuple[object, ...], list[RuleSet]] = {}
_parse = Stylesheet._parse_rules


def _parse_once(self: Stylesheet, *words: Any, **more: Any) -> list[RuleSet]:
    colours = tuple(self._variables.items())
    asked = (colours, words, tuple(more.items()))
    if asked not in _parsed:
        _parsed[asked] = _parse(self, *words, **more)
    return _parsed[asked]


def parse_sheets_once() -> None:
    """From now on."""
    Stylesheet._parse_rules = _parse_once  # type: ignore[method-assign]
