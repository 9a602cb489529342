"""A sentence for a person, not yet in a language: a stable context and the values that go into it.

The core and the wire carry a `Message`; the rim looks its context up in the catalogue of the reader's
language. The English texts of all contexts stand in `texts.TEXTS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Plain = str | int | float | None


@dataclass(frozen=True, slots=True)
class Message:
    """`context` is a key of `texts.TEXTS`, `values` fill the named places of that text."""

    context: str
    values: Mapping[str, Plain] = field(default_factory=dict)

    def to_wire(self) -> list[object]:
        """As JSON: [context, values]."""
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
