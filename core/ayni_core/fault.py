"""What is wrong with something that a person wrote: where, and what, not yet in a language.

`where` is as its author sees it, the file, the line and the path of the key, and is never translated:
`hub.yaml:12: broker.port`. `what` is a phrase: contexts `fault.…`, `word.…` for what stands inside others,
such as "a list". `str` of a fault or an error is its English, for logs and programs; the rim says them in the
language of the reader (`i18n.config_faults`, `i18n.reason`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ayni_core.message import Phrase, Plain
from ayni_core.texts import in_english


@dataclass(frozen=True, slots=True)
class Fault:
    """One line. `what` is a text where the rim has said it already."""

    where: str
    what: Phrase | str

    def __str__(self) -> str:
        said = self.what if isinstance(self.what, str) else in_english(self.what)
        return f"{self.where}: {said}" if self.where else said

    def below(self, where: str) -> Fault:
        """The same, found on the way to something else: `network.yaml: hub.address: is missing`."""
        return Fault(f"{where}: {self.where}" if self.where else where, self.what)


class ConfigError(ValueError):
    """Everything that is wrong with one file, a line each. The author of the file can mend it.

    A text among the faults is one that the rim has said already, in the language of the reader.
    """

    def __init__(self, faults: Sequence[Fault | str]) -> None:
        super().__init__(tuple(faults))
        self.noted = tuple(each if isinstance(each, Fault) else Fault("", each) for each in faults)

    @property
    def faults(self) -> tuple[str, ...]:
        """In English."""
        return tuple(str(each) for each in self.noted)

    def __str__(self) -> str:
        return "\n".join(self.faults)


class UnfitError(ValueError):
    """A text is not what it should be; `what` says why. Whoever knows where it stands makes a fault of it."""

    def __init__(self, context: str | Phrase, /, **values: Plain | Phrase) -> None:
        super().__init__(context, values)
        self.what = phrase(context, **values)

    def __str__(self) -> str:
        return in_english(self.what)


def phrase(context: str | Phrase, /, **values: Plain | Phrase) -> Phrase:
    """A phrase of this context. Numbers stay as files write them, in every language: with a point."""
    if isinstance(context, Phrase):
        return context
    return Phrase(context, {name: f"{v}" if isinstance(v, float) else v for name, v in values.items()})


def fault(where: str, context: str | Phrase, /, **values: Plain | Phrase) -> Fault:
    """One fault of what stands at `where`; instead of a context a phrase that is there already."""
    return Fault(where, phrase(context, **values))
