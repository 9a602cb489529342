"""What a monitoring plugin prints: a line for people, and numbers behind a bar.

    DISK OK - 3 GB free | /=2643MB;5948;5958;0;5968 'swap used'=12%;;80
    more lines for people
    still more | /boot=68MB;88;93;0;98

By the Monitoring Plugins' guidelines: `'label'=value[unit];warn;crit;min;max`, labels in quotes where they
hold blanks, a quote inside doubled, `U` for a value that could not be had. Limits are not read: Ayni's own
rules judge. What is not of the form is passed over, word by word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ayni_core.readings import LARGEST

MOST = 64
"""Numbers of one plugin."""
_LONGEST_LABEL, _LONGEST_TEXT = 64, 255
_LABEL = re.compile(r"\s*(?:'((?:[^']|'')+)'|([^\s'=]+))=")
_VALUE = re.compile(
    r"([-+]?(?:\d{1,30}(?:[.,]\d{0,30})?|[.,]\d{1,30})(?:[eE][-+]?\d{1,2})?)([^\s;\d]{0,8})(?=[\s;]|$)"
)
_UNKNOWN = re.compile(r"U(?=[\s;]|$)")
_WORD = re.compile(r"\S*\s*")
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"B": 1} | {f"{sign}B": 1000**power for power, sign in enumerate("KMGT", 1)}
_BYTES |= {f"{sign}IB": 1024**power for power, sign in enumerate("KMGT", 1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Perf:
    """One number: the metric that its unit asks for, and its value in that metric's unit; None for `U`."""

    label: str
    metric: str
    value: int | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a plugin said: its first line without the numbers, and those of all its lines."""

    text: str
    perf: tuple[Perf, ...]


def parse(output: str) -> Said:
    """Everything in the output of a plugin. Never raises; what is odd is left out."""
    first, _newline, rest = output.replace("\r", "").lstrip("\n").partition("\n")
    text, _bar, numbers = first.partition("|")
    _long, _bar, more = rest.partition("|")
    found: dict[str, Perf] = {}
    for perf in _perfs(f"{numbers} {more}".replace("\n", " ")):
        if len(found) < MOST:
            found.setdefault(perf.label, perf)
    return Said(text=_printable(text)[:_LONGEST_TEXT], perf=tuple(found.values()))


def _perfs(text: str) -> Iterator[Perf]:
    at = 0
    while at < len(text):
        label = _LABEL.match(text, at)
        if label is None:
            at = max(at + 1, _next(text, at))
            continue
        perf, at = _perf((label[1] or label[2]).replace("''", "'"), text, label.end())
        if perf is not None:
            yield perf
        at = max(at, _next(text, at))  # past the limits


def _next(text: str, at: int) -> int:
    word = _WORD.match(text, at)
    return word.end() if word else len(text)


def _perf(label: str, text: str, at: int) -> tuple[Perf | None, int]:
    name = _printable(label)[:_LONGEST_LABEL]
    if unknown := _UNKNOWN.match(text, at):
        return (Perf(label=name, metric="perf_value", value=None) if name else None), unknown.end()
    found = _VALUE.match(text, at)
    if found is None or not name:
        return None, at
    value = float(found[1].replace(",", "."))
    whole = re.fullmatch(r"[-+]?\d+", found[1]) is not None
    metric, mul = _unit(found[2])
    value = int(found[1]) if whole and mul == 1 else round(value * mul, 9)
    if metric == "perf_count":
        value = int(value)
    return (Perf(label=name, metric=metric, value=value) if abs(value) < LARGEST else None), found.end()


def _unit(unit: str) -> tuple[str, float]:
    if unit in _SECONDS:
        return "perf_s", _SECONDS[unit]
    if unit.upper() in _BYTES:
        return "perf_bytes", _BYTES[unit.upper()]
    return {"%": "perf_pct", "c": "perf_count"}.get(unit, "perf_value"), 1


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()
