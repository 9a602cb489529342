"""argparse's own words in the language of the reader: its `usage:`, its headings, its complaints.

argparse takes them from gettext's default domain, by a name in its module; `speak` puts ours there. What it
says that is not listed here stays English; tests/test_usage.py knows what that may be.
"""

from __future__ import annotations

import argparse

from ayni_io.i18n import _c, _n

_CONTEXT = "argparse"
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
_text("argparse", "invalid %(type)s value: %(value)r")
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
