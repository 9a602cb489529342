"""Which rules hold where: what is shipped, changed by `rules` sections of the inventory; the nearest wins.

    rules: {signal-low: {warn: 6, critical: 10}, cpu-high: off}

A section can stand at the network, a site, a device and a link. From far to near that is the order, too: what
a link says of its ends comes before what their devices say.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ayni_core.message import Phrase
from ayni_core.rules.reading import PER_LEVEL, read_numbers, with_numbers
from ayni_core.rules.rule import LEVELS, Rule
from ayni_core.schema import Faults, Fields, did_you_mean

Change = Mapping[str, Any]
"""What is changed in one rule: `on`, and numbers as `read_numbers` gives them."""
Section = Mapping[str, Change]
"""Changes by the name of the rule."""


def read(fields: Fields, key: str = "rules", *, known: Collection[str] | None = None) -> Section:
    """A section of a file; whether a rule has that name is looked at where `known` is given."""
    below = fields.child(key)
    section: dict[str, Change] = {}
    for name in below.keys():  # noqa: SIM118  keys() of Fields, which is no mapping
        if known is not None and name not in known:
            what, hint = Phrase("word.rule"), did_you_mean(name, known)
            below.fault(name, "fault.unknown", what=what, name=name, hint=hint)
        given = below.raw(name)
        if given in ("on", "off"):
            section[name] = {"on": given == "on"}
        elif isinstance(given, Mapping):
            inside = below.child(name)
            section[name] = {"on": True, **read_numbers(inside)}
            inside.done()
        else:
            below.fault(name, "fault.expected", wanted=Phrase("word.rule_change", {"example": "{warn: 6}"}))
    return section


def written(section: Section) -> dict[str, Any]:
    """What `read` reads again."""
    return {name: _written(change) for name, change in section.items()}


def _written(change: Change) -> Any:
    numbers = {
        key: {level: each for level, each in zip(LEVELS, value, strict=True) if each is not None}
        if isinstance(value, tuple)
        else value
        for key, value in change.items()
        if key != "on"
    }
    return numbers or ("on" if change.get("on", True) else "off")


def together(*sections: Section) -> Section:
    """Several sections as one, from far to near."""
    found: dict[str, Change] = {}
    for section in sections:
        for name, change in section.items():
            found[name] = {**found.get(name, {}), **change}
    return found


def unknown(section: Section, known: Collection[str], where: str, faults: Faults) -> None:
    """Note the rules of a section that there are not."""
    for name in section:
        if name not in known:
            what, hint = Phrase("word.rule"), did_you_mean(name, known)
            faults.add(f"{where}.{name}", "fault.unknown", what=what, name=name, hint=hint)


class Law:
    """The rules, and what they are where somebody changed them."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._made: dict[tuple[tuple[str, str], ...], tuple[Rule, ...]] = {}

    def under(self, *sections: Section) -> tuple[Rule, ...]:
        """The rules that are on under these sections, from far to near; the same tuple for the same
        changes."""
        section = together(*sections)
        key = tuple(sorted((name, repr(sorted(change.items()))) for name, change in section.items()))
        if key not in self._made:
            self._made[key] = tuple(
                rule for rule in (changed(rule, section.get(rule.name)) for rule in self.rules) if rule.on
            )
        return self._made[key]


def changed(rule: Rule, change: Change | None) -> Rule:
    """One rule with what is different in it."""
    if not change:
        return rule
    numbers = {key: value for key, value in change.items() if key != "on"}
    for key in PER_LEVEL:  # a level that is not named keeps what it had
        if isinstance(numbers.get(key), tuple):
            had = (getattr(rule.window(1), key), getattr(rule.window(2), key))
            numbers[key] = tuple(
                old if new is None else new for new, old in zip(numbers[key], had, strict=True)
            )
    return replace(with_numbers(rule, numbers), on=change.get("on", rule.on))
