"""Strict reading of configuration: mappings become values, every fault of a file is reported at once.

A `Fields` is one mapping at one path. Each method takes a key, checks it and returns a value of the
promised type; what is wrong is noted in the shared `Faults` and a harmless stand-in is returned, so
that reading goes on to the next fault. `Faults.stop()` ends with `ConfigError` if anything was noted.

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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
_REQUIRED: Any = object()
NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,46}[a-z0-9])?")
"""Names of sites, nodes, devices and links: they travel in MQTT topics and file names."""


class ConfigError(ValueError):
    """Everything that is wrong with one file, a line each. The author of the file can mend it."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class Faults:
    """Collects the faults of one source; `lines` maps a path to its line number where known."""

    def __init__(self, source: str, lines: Mapping[str, int] | None = None) -> None:
        self.source = source
        self.lines = lines or {}
        self.found: list[str] = []

    def add(self, path: str, text: str) -> None:
        """Note one fault at `path` (such as ``devices[2].profile``)."""
        where = self.source
        probe = path
        while probe and probe not in self.lines:
            probe = probe.rpartition(".")[0] if "." in probe else ""
        if probe in self.lines:
            where += f":{self.lines[probe]}"
        self.found.append(f"{where}: {path or 'the file'}: {text}" if path else f"{where}: {text}")

    def stop(self) -> None:
        """Raise `ConfigError` with everything noted so far, if anything was."""
        if self.found:
            raise ConfigError(self.found)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that somebody most likely meant."""
    return next(iter(difflib.get_close_matches(word, sorted(known), n=1)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean "x"?`` or the known words when they are few, or nothing."""
    words = sorted(known)
    close = nearest(word, words)
    if close is not None:
        return f'; did you mean "{close}"?'
    return f"; known are {', '.join(words)}" if 0 < len(words) <= 16 else ""


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
            faults.add(path, f"expected a mapping, got {_kind(value)}")

    def at(self, key: str) -> str:
        """The path of a key below this mapping."""
        return f"{self.path}.{key}" if self.path else key

    def __contains__(self, key: str) -> bool:
        return key in self._given

    def keys(self) -> Iterator[str]:
        """The keys that were given, in order."""
        return (str(key) for key in self._given)

    def fault(self, key: str, text: str) -> None:
        """Note a fault of one key."""
        self.faults.add(self.at(key), text)

    def raw(self, key: str, default: Any = None) -> Any:
        """The value as it stands in the file; marks the key as known."""
        self._seen.add(key)
        value = self._given.get(key, default)
        return default if value is None else value

    def _take(self, key: str, default: Any, wanted: str) -> Any:
        self._seen.add(key)
        value = self._given.get(key)
        if value is not None:
            return value
        if default is _REQUIRED:
            self.fault(key, f"is missing; expected {wanted}")
        return None

    def text(self, key: str, default: Any = _REQUIRED, *, pattern: str | None = None) -> Any:
        """A string. A number where a string is wanted is a fault: quotes were forgotten."""
        value = self._take(key, default, "a text")
        if value is None:
            return "" if default is _REQUIRED else default
        if not isinstance(value, str):
            self.fault(key, f'must be a text, got {_kind(value)}; write it in quotes: "{value}"')
            return ""
        if pattern and not re.fullmatch(pattern, value):
            self.fault(key, f'"{value}" does not have the form {pattern}')
        return value

    def name(self, key: str, default: Any = _REQUIRED) -> Any:
        """A name that can travel in topics and file names: lower case, digits, hyphen, underscore."""
        value = self.text(key, default)
        if value and not NAME.fullmatch(value):
            self.fault(key, f'"{value}" must be 1 to 48 of a-z, 0-9, hyphen and underscore')
        return value

    def choice(self, key: str, allowed: Iterable[str], default: Any = _REQUIRED) -> Any:
        """One of a closed list of words."""
        words = tuple(allowed)
        value = self._take(key, default, f"one of {', '.join(words)}")
        if value is None:
            return words[0] if default is _REQUIRED else default
        if value not in words:
            self.fault(key, f'unknown value "{value}"{did_you_mean(str(value), words)}')
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
        value = self._take(key, default, "a number")
        if value is None:
            return (at_least or 0) if default is _REQUIRED else default
        stand_in = at_least if at_least is not None else 0
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.fault(key, f"must be a number, got {_kind(value)}")
            return stand_in
        if whole and not isinstance(value, int):
            self.fault(key, f"must be a whole number, got {value}")
            return stand_in
        if at_least is not None and value < at_least:
            self.fault(key, f"must be at least {at_least}, got {value}")
            return at_least
        if at_most is not None and value > at_most:
            self.fault(key, f"must be at most {at_most}, got {value}")
            return at_most
        return value

    def boolean(self, key: str, default: Any = _REQUIRED) -> Any:
        """True or false."""
        value = self._take(key, default, "true or false")
        if value is None:
            return False if default is _REQUIRED else default
        if not isinstance(value, bool):
            self.fault(key, f"must be true or false, got {_kind(value)}")
            return False
        return value

    def child(self, key: str, *, required: bool = False) -> Fields:
        """A mapping below this one; an absent one reads as empty."""
        value = self._take(key, _REQUIRED if required else None, "a mapping")
        return Fields(value, self.at(key), self.faults)

    def items(self, key: str, read: Callable[[Fields], T], *, required: bool = False) -> tuple[T, ...]:
        """A list of mappings, each read by `read`."""
        value = self._take(key, _REQUIRED if required else None, "a list")
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            self.fault(key, f"expected a list, got {_kind(value)}")
            return ()
        return tuple(read(Fields(each, f"{self.at(key)}[{i}]", self.faults)) for i, each in enumerate(value))

    def named(self, key: str, read: Callable[[str, Fields], T], *, required: bool = False) -> dict[str, T]:
        """A mapping of names to mappings, each read by `read(name, fields)`."""
        below = self.child(key, required=required)
        result = {}
        for name in below._given:
            if not isinstance(name, str) or not NAME.fullmatch(name):
                below.fault(str(name), "a name must be 1 to 48 of a-z, 0-9, hyphen and underscore")
                continue
            result[name] = read(name, Fields(below._given[name], below.at(name), self.faults))
        return result

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of strings; one string alone counts as a list of one."""
        value = self._take(key, default, "a list of texts")
        if value is None:
            return default
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
            self.fault(key, f"expected a list of texts, got {_kind(value)}")
            return default
        return tuple(value)

    def done(self) -> None:
        """Note every key that nobody asked for."""
        for key in self._given:
            if key not in self._seen:
                self.fault(str(key), f"unknown key{did_you_mean(str(key), self._seen)}")


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'the text "{value[:40]}"'
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return f"{value}"
