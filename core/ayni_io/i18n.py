"""Language of the person in front of the screen: gettext catalogues, chosen once, changed at will.

`_("{count} of {total}", count=1, total=2)` for the rim's own texts, `_n` where a count decides the form,
`_c` where the same English words mean two things, `say` for a `Message` of the core. `speaking` is for
programs that serve people of several languages at once.
"""

from __future__ import annotations

import contextlib
import functools
import gettext
import os
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path

from ayni_core.message import Message
from ayni_core.texts import TEXTS
from ayni_io import chosen, pseudo

LOCALE = Path(__file__).resolve().parent / "locale"
LANGUAGES = {"en": "English", "es": "Español", "fr": "Français", "pt": "Português"}
"""What the catalogues hold; the key is also what AYNI_LANG and `--language` take."""

_NUMBERS = ("LC_ALL", "LC_NUMERIC", "LANG")
_COMMA = {f"es_{country}" for country in ("AR", "BO", "CL", "CO", "CR", "EC", "ES", "GQ", "PY", "UY", "VE")}
"""Where Spanish is written with a decimal comma; elsewhere in America with a point (Unicode CLDR)."""

_current: gettext.NullTranslations = gettext.NullTranslations()
_language = "en"
_mark = "."
_reader: ContextVar[str | None] = ContextVar("reader", default=None)
"""Whose language it is instead, in this thread or task."""


def use(language: str | None = None) -> str:
    """Choose a language: the one given, or what the environment asks for; returns the one in use."""
    global _current, _language, _mark
    wanted = [language] if language else _from_environment()
    for tag in wanted:
        short = tag.replace("-", "_").partition("_")[0].partition(".")[0].lower()
        if short in LANGUAGES or short == pseudo.LANGUAGE:
            _language, _current = short, _catalogue(short)
            _mark = _mark_here()
            break
    return _language


@contextlib.contextmanager
def speaking(short: str) -> Iterator[None]:
    """In this thread or task the language of one reader, a key of LANGUAGES; others are not touched."""
    token = _reader.set(short)
    try:
        yield
    finally:
        _reader.reset(token)


def language() -> str:
    """The language in use, such as `es`."""
    return _reader.get() or _language


def _texts() -> gettext.NullTranslations:
    reader = _reader.get()
    return _current if reader is None else _catalogue(reader)


def _from_environment() -> list[str]:
    own = os.environ.get("AYNI_LANG") or chosen.read(chosen.LANGUAGE, os.environ)
    if own:
        return [own]
    listed = [tag for tag in os.environ.get("LANGUAGE", "").split(":") if tag]
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(variable):
            return [*listed, os.environ[variable]]
    return listed


def _(text: str, /, **values: object) -> str:
    """The text in the language in use, its named places filled."""
    return _fill(_texts().gettext(text) if text else "", text, values)


def _n(one: str, many: str, n: int, /, **values: object) -> str:
    """The form of a text for `n` things; `{n}` is filled too."""
    return _fill(_texts().ngettext(one, many, n), many, {**values, "n": n})


def _c(context: str, text: str, /, **values: object) -> str:
    """A text whose English words mean more than one thing, told apart by a stable context."""
    return _fill(_texts().pgettext(context, text), text, values)


def say(message: Message | None) -> str:
    """A message of the core in the language in use; its bare context if the catalogue does not know it."""
    if message is None:
        return ""
    text = TEXTS.get(message.context)
    if text is None:
        return message.context
    return _c(message.context, text, **message.values)


def say_in(tag: str, message: Message) -> str:
    """A message of the core in somebody else's language; in English where no catalogue has that one."""
    text = TEXTS.get(message.context)
    if text is None:
        return message.context
    short = tag.replace("-", "_").partition("_")[0].lower()
    return _fill(_catalogue(short).pgettext(message.context, text), text, message.values)


@functools.cache
def _catalogue(short: str) -> gettext.NullTranslations:
    if short == pseudo.LANGUAGE:
        return pseudo.Pseudo()
    known = [short] if short in LANGUAGES else []
    return gettext.translation("ayni", str(LOCALE), languages=known or ["en"], fallback=True)


class _Number(float):
    """A number that is written with the decimal mark of the language in use."""

    def __format__(self, how: str) -> str:
        return super().__format__(how).replace(".", decimal_mark())


def decimal_mark() -> str:
    """What stands between the whole and the parts of a number: as in the reader's language or country."""
    return _mark if _reader.get() is None else _c("decimal mark", ".")


def _mark_here() -> str:
    own = next((os.environ[name] for name in _NUMBERS if os.environ.get(name)), "").partition(".")[0]
    if own.startswith(f"{_language}_") and own in _COMMA:
        return ","
    return _current.pgettext("decimal mark", ".")


def _fill(text: str, fallback: str, values: Mapping[str, object]) -> str:
    if not values:
        return text
    values = {name: _Number(each) if isinstance(each, float) else each for name, each in values.items()}
    try:
        return text.format(**values)
    except (KeyError, IndexError, ValueError):  # a translation with a wrong place must not end a program
        try:
            return fallback.format(**values)
        except (KeyError, IndexError, ValueError):
            return fallback


use()
