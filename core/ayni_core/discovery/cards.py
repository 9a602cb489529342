"""Cards "how to switch SNMP on", one a family: data, in several languages, for this monitor's address alone.

A card says how a device is known as one of its family before it answers SNMP (`know`: what it says of itself
in its discovery, then which discovery it speaks, then the maker's part of its MAC address), and gives one or
more ways: menus or lines to type. The first way that can be used is the best one; one with SNMPv3 stands
first where the family can. Places in texts: `PLACES`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ayni_core.discovery.found import HEARD_BY, FoundDevice
from ayni_core.message import Phrase
from ayni_core.schema import Fields
from ayni_core.snmpaccess import VERSIONS

PLACES = ("monitor", "device", "user", "auth", "priv", "community")
"""This machine's address and the device's; who asks in version 3, with both passwords; the community."""

GENERIC = "generic"
"""The card for a device that no other suits."""

_PLACE = re.compile(r"\{([^{}\s]*)\}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_OUI = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){2}")

Text = Mapping[str, str]
"""A text by language; English is always there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How to switch it on in one version of SNMP: `where` (a menu, a terminal), steps, lines to type."""

    version: str
    where: Text
    steps: tuple[Text, ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One family. `families`: profiles that it belongs to."""

    name: str
    title: str
    ways: tuple[Way, ...]
    notes: tuple[Text, ...] = ()
    families: tuple[str, ...] = ()
    says: tuple[re.Pattern[str], ...] = ()
    heard_by: tuple[str, ...] = ()
    oui: frozenset[str] = frozenset()

    def way(self, *, versions: Sequence[str] = VERSIONS) -> Way | None:
        """The best way in one of these versions."""
        return next((way for way in self.ways if way.version in versions), None)


def card_for(cards: Mapping[str, Card], device: FoundDevice) -> Card | None:
    """The card that suits a device; None where only the generic one is left."""
    told = " ".join((device.maker, device.model, device.version))
    makers = {mac[:8] for mac in device.macs}
    tests: tuple[Callable[[Card], bool], ...] = (
        lambda card: device.family in card.families,
        lambda card: any(pattern.search(told) for pattern in card.says),
        lambda card: not set(card.heard_by).isdisjoint(device.heard_by),
        lambda card: not card.oui.isdisjoint(makers),
    )
    for suits in tests:
        for name in sorted(cards):
            if suits(cards[name]):
                return cards[name]
    return None


def fill(text: str, values: Mapping[str, str]) -> str:
    """A text with its places filled; what has no value stays as it is."""
    return _PLACE.sub(lambda match: values.get(match[1], match[0]), text)


def in_language(text: Text, language: str) -> str:
    """The text in a language, else in English."""
    return text.get(language, text["en"])


def read_card(name: str, fields: Fields) -> Card:
    """One file; its faults are noted in the fields' collector."""
    know = fields.child("know")
    says = []
    for pattern in know.texts("says"):
        try:
            says.append(re.compile(pattern, re.IGNORECASE))
        except re.error as error:
            know.fault("says", "fault.pattern", given=pattern, cause=str(error))
    heard_by = know.texts("heard_by")
    for word in heard_by:
        if word not in HEARD_BY:
            hint = Phrase("fault.known", {"words": ", ".join(HEARD_BY)})
            know.fault("heard_by", "fault.value", given=word, hint=hint)
    ouis = know.texts("oui")
    for oui in ouis:
        if not _OUI.fullmatch(oui):
            know.fault("oui", "fault.form", given=oui, form="4c:5e:0c")
    know.done()
    card = Card(
        name=name,
        title=fields.text("title"),
        ways=fields.items("ways", _way, required=True),
        notes=_texts(fields, "notes"),
        families=fields.texts("families"),
        says=tuple(says),
        heard_by=heard_by,
        oui=frozenset(ouis),
    )
    if "ways" in fields and not card.ways:
        fields.fault("ways", "fault.expected", wanted=Phrase("word.at_least_one"))
    fields.done()
    return card


def _way(fields: Fields) -> Way:
    lines = fields.texts("lines")
    for number, line in enumerate(lines):
        _check_places(fields, f"lines[{number}]", line)
    way = Way(
        version=fields.choice("version", VERSIONS),
        where=_text(fields.child("where", required=True)),
        steps=_texts(fields, "steps"),
        lines=lines,
    )
    if not way.steps and not way.lines:
        fields.fault("steps", "fault.missing", wanted=Phrase("word.steps_or_lines"))
    fields.done()
    return way


def _texts(fields: Fields, key: str) -> tuple[Text, ...]:
    return fields.items(key, _text)


def _text(fields: Fields) -> Text:
    """A mapping of languages to one text."""
    found = {}
    for language in tuple(fields.keys()):
        if not _LANGUAGE.fullmatch(language):
            fields.fault(language, "fault.expected", wanted=Phrase("word.language"))
        found[language] = fields.text(language)
        _check_places(fields, language, found[language])
    if "en" not in found:
        fields.fault("en", "fault.missing", wanted=Phrase("word.english"))
        found["en"] = ""
    fields.done()
    return found


def _check_places(fields: Fields, key: str, text: str) -> None:
    for word in _PLACE.findall(text):
        if word not in PLACES:
            hint = Phrase("fault.known", {"words": ", ".join(PLACES)})
            fields.fault(key, "fault.unknown", what=Phrase("word.place"), name=f"{{{word}}}", hint=hint)
