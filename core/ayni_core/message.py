"""A sentence for a person, not yet in a language: a stable context and the values that go into it.

The core and the wire carry a `Message`; the rim looks its context up in the catalogue of the reader's
language. The English texts of all contexts stand in `texts.TEXTS`. A `Phrase` is the same for use within one
program: a value of it may be a phrase, too, which is translated for itself ("expected {wanted}", "a list").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Plain = str | int | float | None

DEEPEST = 4
"""So many phrases are said one within another; of one that is deeper its bare context."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """`context` is a key of `texts.TEXTS`, `values` fill the named places of that text."""

    context: str
    values: Mapping[str, Plain | Phrase] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message(Phrase):
    """A phrase that can travel: its values are plain."""

    values: Mapping[str, Plain] = field(default_factory=dict)

    def to_wire(self) -> list[object]:
        """As JSON: [context, values]. Raises `TypeError` where a type check was got round: no reader could
        take a phrase within a phrase."""
        if any(isinstance(each, Phrase) for each in self.values.values()):
            raise TypeError(f"{self.context}: a phrase in a message does not travel")
        return [self.context, dict(self.values)]


def from_wire(value: object) -> Message | None:
    """A message out of decoded JSON; None for anything that is not one."""
    if not isinstance(value, list) or len(value) != 2:
        return None
    context, values = value
    if not isinstance(context, str) or not isinstance(values, dict) or len(context) > 80 or len(values) > 16:
        return None
    clean = {k: v for k, v in values.items() if isinstance(v, str | int | float | None)}
    return Message(context, clean)
