"""Cards "how to switch SNMP on" from `advice/snmp-on/*.yaml`, and one of them as lines for a person."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from ayni_core.discovery.cards import Card, Text, Way, fill, in_language, read_card
from ayni_core.fault import Fault
from ayni_core.schema import ConfigError
from ayni_io import configs, yamlfile
from ayni_io.i18n import _, language

FOLDER = "advice/snmp-on"
_WIDTH = 78


def load() -> dict[str, Card]:
    """All cards by name. Raises `ConfigError` with every fault of every file."""
    found: dict[str, Card] = {}
    faults: list[Fault] = []
    for path in configs.each(FOLDER):
        try:
            card = yamlfile.read(path, functools.partial(read_card, path.stem), f"{FOLDER}/{path.name}")
            found[path.stem] = card
        except ConfigError as error:
            faults += error.noted
    if faults:
        raise ConfigError(faults)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is to be shown of a card: all its ways or one, and what stands in its places."""

    card: Card
    values: Mapping[str, str]
    way: Way | None = None

    def lines(self) -> list[str]:
        """The card in the language in use, at most 78 columns wide; lines to type stay as they are."""
        result = _wrapped(_("{title}: switch read-only SNMP on", title=self.card.title), "", "")
        ways = self.card.ways if self.way is None else (self.way,)
        for way in ways:
            version = _("SNMP {version}", version=f"v{way.version}")
            result += ["", *_wrapped(f"{self._in_words(way.where)} ({version})", "", "")]
            for number, step in enumerate(way.steps, 1):
                result += _wrapped(self._in_words(step), f" {number}. ", "    ")
            result += [f"    {fill(line, self.values)}" for line in way.lines]
        if self.card.notes:
            result.append("")
        for note in self.card.notes:
            result += _wrapped(self._in_words(note), " - ", "   ")
        return result

    def _in_words(self, text: Text) -> str:
        return fill(in_language(text, language()), self.values)


def placeholders(monitor: str) -> dict[str, str]:
    """What stands in the places where nobody chose secrets yet."""
    return {
        "monitor": monitor,
        "device": _("ITS-ADDRESS"),
        "user": "ayni",
        "auth": _("PASSWORD-OF-YOURS"),
        "priv": _("PASSWORD-OF-YOURS"),
        "community": _("WORD-OF-YOURS"),
    }


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
