"""Rules that can never win: whatever device they hold for, a rule that is asked earlier holds for, too."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ayni_core.profile import Condition, Rule


def never_wins(rule: Rule, others: Sequence[Rule]) -> Rule | None:
    """The rule of another family that is always asked before this one and holds wherever it holds."""
    for other in others:
        if other.family != rule.family and _earlier(other, rule) and _covers(other, rule):
            return other
    return None


def _earlier(one: Rule, two: Rule) -> bool:
    """Whether `one` is tried before `two` for every device that both hold for (see `identify`)."""
    before, after = (one.rank, bool(one.get)), (two.rank, bool(two.get))
    if before != after:
        return before < after
    if set(one.object_ids) == set(two.object_ids):
        return one.family < two.family
    return False  # the longer prefix is tried first, and that is the narrower one


def _covers(wide: Rule, narrow: Rule) -> bool:
    """Whether every condition of `wide` follows from those of `narrow`."""
    prefixes = not wide.object_ids or (
        bool(narrow.object_ids) and all(_below(each, wide.object_ids) for each in narrow.object_ids)
    )
    texts = not wide.descriptions or (
        bool(narrow.descriptions) and _texts(narrow.descriptions) <= _texts(wide.descriptions)
    )
    return (
        prefixes
        and texts
        and set(wide.not_object_ids) <= set(narrow.not_object_ids)
        and _texts(wide.not_descriptions) <= _texts(narrow.not_descriptions)
        and all(_stands_in(each, narrow.get) for each in wide.get)
    )


def _below(prefix: tuple[bytes, bool], wide: Sequence[tuple[bytes, bool]]) -> bool:
    body, itself = prefix
    return any(body.startswith(each) and (more or body != each or not itself) for each, more in wide)


def _texts(patterns: Sequence[re.Pattern[str]]) -> set[str]:
    return {pattern.pattern for pattern in patterns}


def _stands_in(condition: Condition, among: Sequence[Condition]) -> bool:
    return any(condition == each for each in among)
