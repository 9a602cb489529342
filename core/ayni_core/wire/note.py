"""Notes in a frame: what the node itself has to tell, as sentences for people.

`[at, context, values, level, device]`, the last ones left out where they say nothing: `at` in hundredths of a
second after the start of the frame (before it: negative), the rest a `Message` and whom it is about. Notes
are small: what is too long is cut when it is sent, and refused when it comes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ayni_core.message import Message, Plain
from ayni_core.wire.errors import WireError

MAX_NOTES = 64
"""Of one frame."""
VERDICT = "note.verdict"
"""So begin the sentences by which a node tells what it judged by itself."""
LEVELS = ("info", "note", "clear", "warn", "critical")
_MOST_VALUES, _LONGEST_KEY, _LONGEST_TEXT, _LONGEST_CONTEXT = 12, 32, 200, 80
_EARLIEST, _LATEST = -(10**11), 10**11
_LARGEST = 1e15
_DEFAULTS: tuple[Any, ...] = ({}, "info", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameNote:
    """Something that happened at the node: `at_s` is relative to the start of the frame and may be negative;
    `level` is one of LEVELS; `device` is empty where the note is about the node itself."""

    at_s: float
    text: Message
    level: str = "info"
    device: str = ""


def encode_notes(notes: Iterable[FrameNote]) -> list[list[Any]]:
    """Notes as they travel; never more in one than `decode_notes` takes."""
    return [_encode(note) for note in notes]


def _encode(note: FrameNote) -> list[Any]:
    ticks = round(min(max(note.at_s * 100, _EARLIEST), _LATEST)) if note.at_s == note.at_s else 0
    values = {
        key[:_LONGEST_KEY]: _fitting(value) for key, value in list(note.text.values.items())[:_MOST_VALUES]
    }
    whole = [ticks, note.text.context[:_LONGEST_CONTEXT], values, note.level, note.device]
    while len(whole) > 2 and whole[-1] == _DEFAULTS[len(whole) - 3]:
        whole.pop()
    return whole


def _fitting(value: Plain) -> Plain:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")[:_LONGEST_TEXT]
    if value is not None and not -_LARGEST < value < _LARGEST:
        return None  # also not-a-number
    return value


def decode_notes(value: object) -> tuple[FrameNote, ...]:
    """Notes out of decoded JSON, all or `WireError`."""
    if not isinstance(value, list) or len(value) > MAX_NOTES:
        raise WireError("too many notes")
    return tuple(_decode(each) for each in value)


def _decode(value: object) -> FrameNote:
    if not isinstance(value, list) or not 2 <= len(value) <= 5:
        raise WireError("a note is its time, its text, its values, its level and its device")
    ticks, context, values, level, device = [*value, *_DEFAULTS[len(value) - 2 :]]
    if type(ticks) is not int or not _EARLIEST <= ticks <= _LATEST:
        raise WireError("a note's time is not a time")
    if not isinstance(context, str) or not 1 <= len(context) <= _LONGEST_CONTEXT:
        raise WireError("a note's text is the key of a sentence")
    if not isinstance(values, dict) or len(values) > _MOST_VALUES:
        raise WireError("a note has too many values")
    for key, each in values.items():
        _check(key, each)
    if level not in LEVELS:
        raise WireError("a note's level is not a level")
    if not isinstance(device, str) or len(device) > 48:
        raise WireError("a note is about a device")
    return FrameNote(at_s=ticks / 100, text=Message(context, values), level=level, device=device)


def _check(key: str, value: object) -> None:
    if len(key) > _LONGEST_KEY:
        raise WireError("a note's value has too long a name")
    if isinstance(value, str):
        if len(value) > _LONGEST_TEXT:
            raise WireError("a note's text is too long")
    elif value is not None and (
        isinstance(value, bool) or not isinstance(value, int | float) or not -_LARGEST < value < _LARGEST
    ):
        raise WireError("a note's value is a number or a text")
