"""Language of the person in front of the screen: gettext catalogues, chosen once, changed at will.

`_("{count} of {total}", count=1, total=2)` for the rim's own texts, `_n` where a count decides the form,
`_c` where the same English words mean two things, `say` for a `Message` or a `Phrase` of the core,
`config_faults` for what is wrong with a configuration. `speaking` is for programs that serve people of
several languages at once.
"""

from __future__ import annotations

import contextlib
import functools
import gettext
import os
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path

from ayni_core.fault import ConfigError, Fault, UnfitError
from ayni_core.message import DEEPEST, Phrase
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


def say(message: Phrase | None) -> str:
    """A message of the core in the language in use; its bare context if the catalogue does not know it."""
    return "" if message is None else _said(message, _texts())


def say_in(tag: str, message: Phrase) -> str:
    """A message of the core in somebody else's language; in English where no catalogue has that one."""
    return _said(message, _catalogue(tag.replace("-", "_").partition("_")[0].lower()))


def config_faults(error: ConfigError) -> list[str]:
    """What is wrong, a line each, in the language in use. Files, lines, keys and values stay as they are."""
    return [fault_line(each) for each in error.noted]


def fault_line(fault: Fault) -> str:
    """One of these lines."""
    said = spoken(fault.what)
    return f"{fault.where}: {said}" if fault.where else said


def spoken(what: Phrase | str) -> str:
    """A phrase, or a text that needs no saying."""
    return what if isinstance(what, str) else say(what)


def reason(error: Exception) -> str:
    """What an error says, in the language in use as far as it can be."""
    if isinstance(error, ConfigError):
        return "\n".join(config_faults(error))
    return say(error.what) if isinstance(error, UnfitError) else str(error)


def _said(phrase: Phrase, texts: gettext.NullTranslations, deep: int = 0) -> str:
    text = TEXTS.get(phrase.context)
    if text is None or deep > DEEPEST:
        return phrase.context
    return _fill(texts.pgettext(phrase.context, text), text, phrase.values, texts, deep)


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


def _fill(
    text: str,
    fallback: str,
    values: Mapping[str, object],
    texts: gettext.NullTranslations | None = None,
    deep: int = 0,
) -> str:
    if not values:
        return text

    def filled(value: object) -> object:
        if isinstance(value, Phrase):
            return _said(value, texts or _texts(), deep + 1)
        return _Number(value) if isinstance(value, float) else value

    values = {name: filled(each) for name, each in values.items()}
    try:
        return text.format(**values)
    except (KeyError, IndexError, ValueError):  # a translation with a wrong place must not end a program
        try:
            return fallback.format(**values)
        except (KeyError, IndexError, ValueError):
            return fallback


use()
