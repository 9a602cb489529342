"""Talking with a person in a plain terminal: lines that fit, in signs that it has; questions and answers."""

from __future__ import annotations

import os
import shutil
import textwrap

from ayni_console import lines, no_way, terminal
from ayni_io.mqtt_trouble import Trouble

_YES = ("y", "s", "o")
"""Yes, sí, sim, oui."""


def say(text: str) -> None:
    """A line, folded to the width; what follows stands below its first word."""
    print(_folded(text), flush=True)


def good(text: str) -> None:
    """Something is as it should be."""
    say(f"● {text}")


def wrong(text: str) -> None:
    """Something is not."""
    say(f"■ {text}")


def trouble(found: Trouble, host: str, port: int) -> None:
    """Why there is no way, and what to do about it."""
    wrong(no_way.sentence(found, f"{host}:{port}"))
    if advice := no_way.advice(found.why):
        say("  " + advice)


def ask(question: str) -> str:
    """What the person types. Raises `EOFError`."""
    return input(_folded(question) + " ").strip()


def is_yes(answer: str) -> bool:
    """Whether that means yes, in any of our languages."""
    return answer[:1].casefold() in _YES


def _folded(text: str) -> str:
    shown = text if terminal.speaks_utf8(os.environ) else lines.to_ascii(text)
    indent = " " * (len(text) - len(text.lstrip(" ●■")))
    return textwrap.fill(
        shown, shutil.get_terminal_size().columns, subsequent_indent=indent, break_on_hyphens=False
    )
