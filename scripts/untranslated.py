"""Tells what each catalogue lacks: texts without a translation, and places such as {link} that differ."""

from __future__ import annotations

import string
import sys
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.pofile import read_po

LOCALE = Path(__file__).resolve().parent.parent / "core/ayni_io/locale"


def places(text: str) -> set[str]:
    """The named places of a text."""
    return {name.partition(".")[0] for _t, name, _f, _c in string.Formatter().parse(text) if name}


def faults(path: Path) -> list[str]:
    """What a translator still has to do in one catalogue."""
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.parent.parent.name)
    found = []
    for message in catalogue:
        if message.id:
            found += [f"{path.parent.parent.name}: {fault}" for fault in _faults(message)]
    return found


def _faults(message: Message) -> list[str]:
    ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
    strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
    if not all(strings):
        return [f"not translated: {message.context or ''} {ids[0]!r}"]
    allowed = set().union(*(places(text) for text in ids))
    return [
        f"places differ: {ids[0]!r} -> {text!r}"
        for text in strings
        if not places(text) <= allowed or (len(strings) == 1 and places(text) != allowed)
    ]


def main() -> int:
    """List everything; 1 if there is anything."""
    told = [fault for path in sorted(LOCALE.glob("*/LC_MESSAGES/ayni.po")) for fault in faults(path)]
    print("\n".join(told) if told else "every catalogue is complete")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
