"""Strict reading of configuration: mappings become values, every fault of a file is reported at once.

A `Fields` is one mapping at one path. Each method takes a key, checks it and returns a value of the
promised type; what is wrong is noted in the shared `Faults`, by a context of `texts_faults` and its values,
and a harmless stand-in is returned, so that reading goes on to the next fault. `Faults.stop()` ends with
`ConfigError` if anything was noted.

    faults = Faults("agent.yaml")
    fields = Fields(mapping, "", faults)
    interval = fields.number("poll_s", default=60, at_least=5)
    fields.done()          # unknown keys are faults too
    faults.stop()
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from ayni_core.fault import ConfigError, Fault, phrase
from ayni_core.message import Phrase, Plain

__all__ = ["NAME", "ConfigError", "Faults", "Fields", "did_you_mean", "nearest", "one_of"]

T = TypeVar("T")
_REQUIRED: Any = object()
NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,46}[a-z0-9])?")
"""Names of sites, nodes, devices and links: they travel in MQTT topics and file names."""
A_TEXT, TEXTS = Phrase("word.text"), Phrase("word.texts")
A_NUMBER, A_WHOLE_NUMBER = Phrase("word.number"), Phrase("word.whole_number")
A_LIST, A_MAPPING = Phrase("word.list"), Phrase("word.mapping")
TRUE_OR_FALSE = Phrase("word.boolean")
"""What is expected, or was found."""


class Faults:
    """Collects the faults of one source; `lines` maps a path to its line number where known."""

    def __init__(self, source: str, lines: Mapping[str, int] | None = None) -> None:
        self.source = source
        self.lines = lines or {}
        self.noted: list[Fault] = []

    @property
    def found(self) -> list[str]:
        """In English."""
        return [str(each) for each in self.noted]

    def add(self, path: str, context: str | Phrase, /, **values: Plain | Phrase) -> None:
        """Note one fault at `path` (such as ``devices[2].profile``)."""
        where = self.source
        probe = path
        while probe and probe not in self.lines:
            probe = probe.rpartition(".")[0] if "." in probe else ""
        if probe in self.lines:
            where += f":{self.lines[probe]}"
        self.noted.append(Fault(f"{where}: {path}" if path else where, phrase(context, **values)))

    def stop(self) -> None:
        """Raise `ConfigError` with everything noted so far, if anything was."""
        if self.noted:
            raise ConfigError(self.noted)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that somebody most likely meant."""
    return next(iter(difflib.get_close_matches(word, sorted(known), n=1)), None)


def did_you_mean(word: str, known: Iterable[str]) -> Phrase | str:
    """``; did you mean "x"?`` or the known words when they are few, or nothing."""
    words = sorted(known)
    close = nearest(word, words)
    if close is not None:
        return Phrase("fault.meant", {"word": close})
    return Phrase("fault.known", {"words": ", ".join(words)}) if 0 < len(words) <= 16 else ""


def one_of(*words: str) -> Phrase:
    """What is expected where only these words will do."""
    return Phrase("word.one_of", {"words": ", ".join(words)})


class Fields:
    """One mapping of a configuration file, read key by key."""

    def __init__(self, value: object, path: str, faults: Faults) -> None:
        self.path = path
        self.faults = faults
        self._seen: set[str] = set()
        self._given: Mapping[str, Any] = {}
        if isinstance(value, Mapping):
            self._given = value
        elif value is not None:
            faults.add(path, "fault.expected_got", wanted=A_MAPPING, got=_kind(value))

    def at(self, key: str) -> str:
        """The path of a key below this mapping."""
        return f"{self.path}.{key}" if self.path else key

    def __contains__(self, key: str) -> bool:
        return key in self._given

    def keys(self) -> Iterator[str]:
        """The keys that were given, in order."""
        return (str(key) for key in self._given)

    def fault(self, key: str, context: str | Phrase, /, **values: Plain | Phrase) -> None:
        """Note a fault of one key."""
        self.faults.add(self.at(key), context, **values)

    def raw(self, key: str, default: Any = None) -> Any:
        """The value as it stands in the file; marks the key as known."""
        self._seen.add(key)
        value = self._given.get(key, default)
        return default if value is None else value

    def _take(self, key: str, default: Any, wanted: Phrase) -> Any:
        self._seen.add(key)
        value = self._given.get(key)
        if value is not None:
            return value
        if default is _REQUIRED:
            self.fault(key, "fault.missing", wanted=wanted)
        return None

    def text(self, key: str, default: Any = _REQUIRED, *, pattern: str | None = None) -> Any:
        """A string. A number where a string is wanted is a fault: quotes were forgotten."""
        value = self._take(key, default, A_TEXT)
        if value is None:
            return "" if default is _REQUIRED else default
        if not isinstance(value, str):
            self.fault(key, "fault.quotes", got=_kind(value), given=f"{value}")
            return ""
        if pattern and not re.fullmatch(pattern, value):
            self.fault(key, "fault.form", given=value, form=pattern)
        return value

    def name(self, key: str, default: Any = _REQUIRED) -> Any:
        """A name that can travel in topics and file names: lower case, digits, hyphen, underscore."""
        value = self.text(key, default)
        if value and not NAME.fullmatch(value):
            self.fault(key, "fault.name", given=value)
        return value

    def choice(self, key: str, allowed: Iterable[str], default: Any = _REQUIRED) -> Any:
        """One of a closed list of words."""
        words = tuple(allowed)
        value = self._take(key, default, one_of(*words))
        if value is None:
            return words[0] if default is _REQUIRED else default
        if value not in words:
            self.fault(key, "fault.value", given=f"{value}", hint=did_you_mean(str(value), words))
            return words[0]
        return value

    def number(
        self,
        key: str,
        default: Any = _REQUIRED,
        *,
        at_least: float | None = None,
        at_most: float | None = None,
        whole: bool = False,
    ) -> Any:
        """A finite number within bounds; `whole` refuses fractions."""
        value = self._take(key, default, A_NUMBER)
        if value is None:
            return (at_least or 0) if default is _REQUIRED else default
        stand_in = at_least if at_least is not None else 0
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.fault(key, "fault.must_be", wanted=A_NUMBER, got=_kind(value))
            return stand_in
        if whole and not isinstance(value, int):
            self.fault(key, "fault.must_be", wanted=A_WHOLE_NUMBER, got=value)
            return stand_in
        if at_least is not None and value < at_least:
            self.fault(key, "fault.at_least", least=at_least, got=value)
            return at_least
        if at_most is not None and value > at_most:
            self.fault(key, "fault.at_most", most=at_most, got=value)
            return at_most
        return value

    def boolean(self, key: str, default: Any = _REQUIRED) -> Any:
        """True or false."""
        value = self._take(key, default, TRUE_OR_FALSE)
        if value is None:
            return False if default is _REQUIRED else default
        if not isinstance(value, bool):
            self.fault(key, "fault.must_be", wanted=TRUE_OR_FALSE, got=_kind(value))
            return False
        return value

    def child(self, key: str, *, required: bool = False) -> Fields:
        """A mapping below this one; an absent one reads as empty."""
        value = self._take(key, _REQUIRED if required else None, A_MAPPING)
        return Fields(value, self.at(key), self.faults)

    def items(self, key: str, read: Callable[[Fields], T], *, required: bool = False) -> tuple[T, ...]:
        """A list of mappings, each read by `read`."""
        value = self._take(key, _REQUIRED if required else None, A_LIST)
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            self.fault(key, "fault.expected_got", wanted=A_LIST, got=_kind(value))
            return ()
        return tuple(read(Fields(each, f"{self.at(key)}[{i}]", self.faults)) for i, each in enumerate(value))

    def named(self, key: str, read: Callable[[str, Fields], T], *, required: bool = False) -> dict[str, T]:
        """A mapping of names to mappings, each read by `read(name, fields)`."""
        below = self.child(key, required=required)
        result = {}
        for name in below._given:
            if not isinstance(name, str) or not NAME.fullmatch(name):
                below.fault(str(name), "fault.a_name")
                continue
            result[name] = read(name, Fields(below._given[name], below.at(name), self.faults))
        return result

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of strings; one string alone counts as a list of one."""
        value = self._take(key, default, TEXTS)
        if value is None:
            return default
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
            self.fault(key, "fault.expected_got", wanted=TEXTS, got=_kind(value))
            return default
        return tuple(value)

    def done(self) -> None:
        """Note every key that nobody asked for."""
        for key in self._given:
            if key not in self._seen:
                self.fault(str(key), "fault.key", hint=did_you_mean(str(key), self._seen))


def _kind(value: object) -> Phrase | str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return Phrase("word.the_text", {"text": value[:40]})
    if isinstance(value, Mapping):
        return A_MAPPING
    if isinstance(value, list | tuple):
        return A_LIST
    return f"{value}"
