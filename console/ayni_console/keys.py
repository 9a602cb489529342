"""Every key and what it does: the one table behind bindings, footers, help and the command palette.

Letters work on every keyboard; F-keys are their twins, because phone terminals send none.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ayni_io.i18n import _ as translate
from ayni_io.i18n import language


@dataclass(frozen=True, slots=True)
class Key:
    """`keys` as Textual names them, `shown` as people read them."""

    action: str
    keys: str
    shown: str


KEYS: tuple[Key, ...] = (
    Key("open", "enter", "Enter"),
    Key("back", "escape", "Esc"),
    Key("home", "h,f2", "h"),
    Key("advice", "a", "a"),
    Key("map", "m", "m"),
    Key("events", "e", "e"),
    Key("health", "i", "i"),
    Key("messages", "g", "g"),
    Key("lab", "b,f7", "b"),
    Key("side", "tab", "Tab"),
    Key("zoom", "z", "z"),
    Key("zoom_out", "Z", "Z"),
    Key("other_view", "v", "v"),
    Key("align", "l", "l"),
    Key("sound", "q", "q"),
    Key("filter", "slash", "/"),
    Key("sort", "s", "s"),
    Key("ideas", "w", "w"),
    Key("could_not", "x", "x"),
    Key("do", "d", "d"),
    Key("take_on", "k", "k"),
    Key("note", "n", "n"),
    Key("copy", "c", "c"),
    Key("pause", "p", "p"),
    Key("replay", "r", "r"),
    Key("faster", "f", "f"),
    Key("language", "L", "L"),
    Key("help", "question_mark,f1", "?"),
    Key("palette", "ctrl+p", "Ctrl+P"),
    Key("repaint", "ctrl+l", "Ctrl+L"),
    Key("leave", "ctrl+q", "Ctrl+Q"),
)
MOVES = (
    ("up", "move(-1)"),
    ("down", "move(1)"),
    ("left", "aside(-1)"),
    ("right", "aside(1)"),
    ("pageup", "page(-1)"),
    ("pagedown", "page(1)"),
    ("home", "move(-1000000)"),
    ("end", "move(1000000)"),
)
BY_ACTION = {key.action: key for key in KEYS}
EVERYWHERE = (
    "back", "home", "advice", "do", "take_on", "map", "events", "health", "messages", "lab", "filter", "note",
    "copy", "pause", "replay", "faster", "language", "help", "palette", "repaint", "leave",
)  # fmt: skip


def texts(_: Callable[[str], str]) -> dict[str, tuple[str, str]]:
    """For each action its word in the footer and its sentence in help and palette, by way of `_`."""
    return {
        "open": (_("open"), _("Open what is selected")),
        "home": (_("home"), _("Go to Home")),
        "advice": (_("advice"), _("Advice: what do I do now?")),
        "map": (_("map"), _("Map: who is behind whom")),
        "events": (_("events"), _("Events and notebook")),
        "health": (_("health"), _("Health: the central, the monitors, messages to people")),
        "messages": (_("told"), _("Messages: who was told what, and whether it arrives")),
        "lab": (_("lab"), _("Lab: break and repair a pretend network")),
        "side": ("A/B", _("The other end of the link")),
        "zoom": (_("zoom"), _("Zoom in: look closer, or at a shorter time")),
        "zoom_out": (_("wider"), _("Zoom out: see more, or a longer time")),
        "align": (_("align"), _("Align: huge live numbers while you turn an antenna")),
        "sound": (_("sound"), _("Let the bell sound while you align, or be quiet")),
        "other_view": (_("view"), _("Show the same another way")),
        "filter": (_("find"), _("Find: show only lines with a word (! in front: without it)")),
        "sort": (_("sort"), _("Sort the links another way")),
        "ideas": (_("ideas"), _("Other ideas: what else may it be?")),
        "could_not": (_("could not"), _("This step could not be done")),
        "do": (_("do"), _("What can I do here? Acknowledge, note, maintenance, commands")),
        "take_on": (_("take on"), _("Take an alarm on: you see to it; once more gives it back")),
        "note": (_("note"), _("Write a note on what is shown")),
        "copy": (_("copy"), _("Copy as a message for any chat")),
        "replay": (_("past"), _("The past: show again what was, and back to now")),
        "faster": (_("faster"), _("In the past: another speed")),
        "pause": (_("pause"), _("Hold the screen still, or let it go on")),
        "language": (_("language"), _("Language and colours of the screens")),
        "back": (_("back"), _("Go back one step")),
        "help": (_("help"), _("Help for this screen")),
        "palette": (_("commands"), _("Find a command by its name")),
        "repaint": (_("repaint"), _("Draw the screen anew")),
        "leave": (_("leave"), _("Leave the console")),
    }


def footer(actions: tuple[str, ...], enter: str = "") -> list[tuple[str, str]]:
    """(key, word) for the footer of a screen; `enter` is what Enter does there, if not to open."""
    words = _words(language())
    return [
        (BY_ACTION[action].shown, enter if enter and action == "open" else words[action])
        for action in actions
    ]


@functools.lru_cache(2)
def _words(_language: str) -> Mapping[str, str]:
    """What stands in footers: with each paint."""
    return {action: word for action, (word, _sentence) in texts(translate).items()}


def twin(key: Key) -> str:
    """The key as help shows it, with its F-key: `h F2`."""
    others = [name.upper() for name in key.keys.split(",") if name.startswith("f") and name[1:].isdigit()]
    return " ".join([key.shown, *others])
