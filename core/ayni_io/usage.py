"""argparse's own words in the language of the reader, and the nearest word where one was mistyped.

argparse takes its `usage:`, its headings, its complaints from gettext's default domain, by a name in its
module; `speak` puts ours there. What it says that is not listed here stays English; tests/test_usage.py knows
what that may be. `Parser` is what every command has: it adds to a complaint what was probably meant.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NoReturn

from ayni_core.message import Phrase
from ayni_core.schema import A_NUMBER, A_WHOLE_NUMBER, nearest
from ayni_io.i18n import _c, _n, say

_CONTEXT = "argparse"
_NEGATIVE = re.compile(r"-[0-9.]+")
WORDS: set[str] = set()
"""The texts of argparse that are ours."""


def _text(_context: str, text: str) -> None:
    WORDS.add(text)


# the frame of a help page
_text("argparse", "usage: ")
_text("argparse", "positional arguments")
_text("argparse", "options")
_text("argparse", "optional arguments")
_text("argparse", "subcommands")
_text("argparse", "show this help message and exit")
_text("argparse", "show program's version number and exit")
# complaints
_text("argparse", "%(prog)s: error: %(message)s\n")
_text("argparse", "%(prog)s: warning: %(message)s\n")
_text("argparse", "argument %(argument_name)s: %(message)s")
_text("argparse", "unrecognized arguments: %s")
_text("argparse", "unexpected option string: %s")
_text("argparse", "the following arguments are required: %s")
_text("argparse", "one of the arguments %s is required")
_text("argparse", "not allowed with argument %s")
_text("argparse", "ignored explicit argument %r")
_text("argparse", "ambiguous option: %(option)s could match %(matches)s")
_text("argparse", "expected one argument")
_text("argparse", "expected at most one argument")
_text("argparse", "expected at least one argument")
_text("argparse", "invalid choice: %(value)r (choose from %(choices)s)")
_text("argparse", "invalid choice: %(value)r, maybe you meant %(suggestion)r? (choose from %(choices)s)")
_text("argparse", "unknown parser %(parser_name)r (choices: %(choices)s)")
_text("argparse", "can't open '%(filename)s': %(error)s")


def speak() -> None:
    """From now on argparse speaks the language in use, whatever that is when it speaks."""
    vars(argparse)["_"] = _one
    vars(argparse)["ngettext"] = _many


def _one(text: str) -> str:
    return _c(_CONTEXT, text) if text in WORDS else text


def _many(one: str, many: str, n: int) -> str:
    if one == "expected %s argument":
        return _n("expected %s argument", "expected %s arguments", n)
    return one if n == 1 else many


class Parser(argparse.ArgumentParser):
    """One that says the nearest option or word that it knows, also those of its subcommands."""

    _given: Sequence[str] = ()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As ever; what was given is remembered for a complaint, which may come before all of it is read."""
        self._given = tuple(sys.argv[1:] if args is None else args)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Complain, and end with 2."""
        super().error(message + meant(_mistyped(self, self._given)))

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        """What was expected is what its help says; argparse would name the function that reads it."""
        try:
            return super()._get_value(action, arg_string)
        except argparse.ArgumentError as error:
            if not isinstance(error.__context__, argparse.ArgumentTypeError):
                error.message = f'"{arg_string}": ' + _expected(self, action)
            raise

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            error.message += meant(_near(str(value), map(str, action.choices or ())))
            raise


def _expected(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    kind = {int: A_WHOLE_NUMBER, float: A_NUMBER}.get(action.type)  # type: ignore[call-overload]
    if kind is not None:
        return say(Phrase("fault.expected", {"wanted": kind}))
    about = parser._get_formatter()._expand_help(action) if action.help else ""
    what = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    expected = say(Phrase("fault.expected", {"wanted": what}))
    return f"{expected}, {about}" if about else expected


def meant(words: Iterable[str]) -> str:
    """`; did you mean "--json"?`; empty where there is nothing near."""
    found = '", "'.join(dict.fromkeys(words))
    return say(Phrase("fault.meant", {"word": found})) if found else ""


def _near(word: str, known: Iterable[str]) -> list[str]:
    """The known word that is nearest, whatever its case and its dashes."""
    plain = {_plain(each): each for each in known}
    close = nearest(_plain(word), plain)
    return [] if close is None else [plain[close]]


def _plain(word: str) -> str:
    return word.lstrip("-").replace("_", "-").casefold()


def _mistyped(parser: argparse.ArgumentParser, given: Sequence[str]) -> Iterator[str]:
    """For every option that there is not, the nearest one that there is."""
    options = dict(_options(parser, given))
    offered = [name for name, shown in options.items() if shown and name.startswith("--")]
    for word in given:
        if word == "--":
            return
        name = word.partition("=")[0]
        known = name in options or (not name.startswith("--") and name[:2] in options)
        begun = name.startswith("--") and any(each.startswith(name) for each in options)
        if name.startswith("-") and len(name) > 2 and not (known or begun or _NEGATIVE.fullmatch(name)):
            yield from _near(name, offered)


def _options(parser: argparse.ArgumentParser, given: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """(name, whether help tells of it) of every option; of a subcommand that was given, too."""
    for action in parser._actions:
        for name in action.option_strings:
            yield name, action.help != argparse.SUPPRESS
        if isinstance(action, argparse._SubParsersAction):
            chosen = next((word for word in given if word in action.choices), None)
            if chosen is not None:
                yield from _options(action.choices[chosen], given)
