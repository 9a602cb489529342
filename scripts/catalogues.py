"""The catalogues in `core/ayni_io/locale`: `extract` from the code, `update` them, `check` what is owed.

`scripts/i18n` sets everything up and runs this. Texts come from the code and go by way of one template
(`ayni.pot`, not kept) into one catalogue a language; a language begins with `update LANGUAGE`.
"""

from __future__ import annotations

import argparse
import re
import string
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "core/ayni_io/locale"
TEMPLATE = LOCALE / "ayni.pot"
PARTS = ("core", "agent", "hub", "console", "lab")
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": (1,),
    "_n": (1, 2),
    "_c": ((1, "c"), 2),
    "_text": ((1, "c"), 2),
    "_m": ((1, "c"), 4),
    "_s": ((1, "c"), 4),
    "Entry": (3,),
}
"""Who takes a text that a person reads, and in which argument; `c` is its context."""

_PERCENT = re.compile(r"%\((\w+)\)[srd]|%([srd])")
_ONE_OR_MORE = 2


def path_of(language: str) -> Path:
    """The catalogue of a language."""
    return LOCALE / language / "LC_MESSAGES/ayni.po"


def languages() -> list[str]:
    """The languages that have a catalogue."""
    return sorted(path.parent.parent.name for path in LOCALE.glob("*/LC_MESSAGES/ayni.po"))


def read(language: str) -> Catalog:
    """A catalogue as it is kept."""
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language)


def extracted() -> Catalog:
    """Every text of the code, as a template."""
    template = Catalog(project="Ayni", charset="utf-8")
    for part in PARTS:
        found = extract_from_dir(str(ROOT / part), [("**.py", "python")], keywords=KEYWORDS, comment_tags=())
        for _file, _line, text, comments, context in found:
            template.add(text, context=context, auto_comments=comments)
    return template


def keep(catalogue: Catalog, path: Path, *, header: bool = True) -> None:
    """Write a catalogue the way all are written: one line a text, sorted, without places in the code."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(
            file, catalogue, width=0, omit_header=not header, sort_output=True, no_location=True,
            ignore_obsolete=True,
        )  # fmt: skip


def update(language: str, template: Catalog) -> None:
    """New texts come into a catalogue untranslated, texts that nobody says any more leave it; compile it."""
    if path_of(language).is_file():
        catalogue = read(language)
        catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
    else:
        catalogue = Catalog(locale=Locale.parse(language), project="Ayni", fuzzy=False)
        for message in template:
            if message.id:
                catalogue[message.id] = Message(message.id, context=message.context)
    keep(catalogue, path_of(language))
    with path_of(language).with_suffix(".mo").open("wb") as file:
        write_mo(file, read(language))


# ---- what is wrong


def faults(language: str, template: Catalog | None = None) -> list[str]:
    """What a translator still has to do in one catalogue; with a template, also what the code says anew."""
    catalogue = read(language)
    found: list[str] = []
    for message in catalogue:
        if message.id:
            found += [f"{language}: {fault}" for fault in _faults(message, catalogue.num_plurals)]
    if template is not None:
        have, want = set(_keys(catalogue)), set(_keys(template))
        found += [f"{language}: not in the catalogue: {context} {text!r}" for context, text in want - have]
        found += [f"{language}: nobody says it any more: {context} {text!r}" for context, text in have - want]
    return found


def _keys(catalogue: Catalog) -> Iterator[tuple[str, str]]:
    for message in catalogue:
        if message.id:
            yield message.context or "", _forms(message.id)[0]


def _forms(texts: object) -> tuple[str, ...]:
    return tuple(texts) if isinstance(texts, tuple | list) else (str(texts or ""),)


def places(text: str) -> set[str]:
    """The named places of a text, `{link}` or `%(link)s`."""
    percent = {name or sign for name, sign in _PERCENT.findall(text)}
    if percent:
        return percent
    return {name.partition(".")[0] for _t, name, _f, _c in string.Formatter().parse(text) if name}


def _faults(message: Message, plurals: int) -> Iterator[str]:
    said, ids = _forms(message.string), _forms(message.id)
    name = f"{message.context or ''} {ids[0]!r}"
    if not all(said):
        yield f"not translated: {name}"
        return
    if message.fuzzy:
        yield f"fuzzy: {name}"
    if len(ids) == _ONE_OR_MORE and len(said) != plurals:
        yield f"has {len(said)} forms of {plurals}: {name}"
    allowed = set().union(*map(places, ids))
    for text in said:
        try:
            given = places(text)
        except ValueError as error:
            yield f"a brace too many or too few, {error}: {name} -> {text!r}"
            continue
        if not given <= allowed or (len(said) == 1 and given != allowed):
            yield f"places differ: {name} -> {text!r}"
        if _edges(text) != _edges(ids[0]):
            yield f"begins or ends with other blanks or line ends: {name} -> {text!r}"


def _edges(text: str) -> tuple[str, str]:
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]


# ---- the command


def main(argv: Sequence[str] | None = None) -> int:
    """0, or 1 where `check` or `update` finds something to do."""
    parser = argparse.ArgumentParser(prog="scripts/i18n", description="The catalogues of Ayni's texts.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("extract", help="collect every text of the code into the template ayni.pot")
    renew = commands.add_parser("update", help="extract, and bring the catalogues up to date with it")
    renew.add_argument("languages", nargs="*", metavar="LANGUAGE", help="only these; a new one is begun")
    commands.add_parser("check", help="tell what is not translated, out of date or broken")
    arguments = parser.parse_args(argv)
    template = extracted()
    if arguments.command == "extract":
        keep(template, TEMPLATE, header=False)
        print(f"{sum(bool(message.id) for message in template)} texts in {TEMPLATE.relative_to(ROOT)}")
        return 0
    if arguments.command == "update":
        keep(template, TEMPLATE, header=False)
        for language in arguments.languages or languages():
            update(language, template)
    told = sorted(fault for language in languages() for fault in faults(language, template))
    print("\n".join(told) if told else "every catalogue is complete")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
