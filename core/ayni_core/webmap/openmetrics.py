"""A page in the text format of Prometheus and OpenMetrics as samples; only wanted names are kept.

    # TYPE wifi_station_signal_dbm gauge
    wifi_station_signal_dbm{ifname="wlan0",mac="AA:BB:CC:11:22:01"} -55 1700000000

The page comes from the network: it is bounded in lines, labels and samples, and what is no line of the format
makes the page no such page, because a page of something else would otherwise read as "nothing to tell".
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from typing import NamedTuple

MOST_LINES, MOST_SAMPLES, MOST_LABELS, LONGEST = 50_000, 10_000, 32, 4_000
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,199}")
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]{0,99})\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|(?=\}))')
_VALUE = re.compile(r"\s+(\S{1,64})(?:\s+\S+)?\s*(?:# .*)?$")
_ESCAPES = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}


class PageError(ValueError):
    """The page is not of the format, or too large; the text is a part of a sentence."""


class Sample(NamedTuple):
    """One line. `value` is None for what is no number (NaN)."""

    name: str
    labels: dict[str, str]
    value: float | int | None


def parse(page: bytes, wanted: Collection[str]) -> list[Sample]:
    """The samples whose names are wanted, in order. Raises `PageError`."""
    lines = page.decode("utf-8", "replace").split("\n")
    if len(lines) > MOST_LINES:
        raise PageError(f"more than {MOST_LINES} lines")
    found: list[Sample] = []
    seen = False
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        name = _NAME.match(line)
        if name is None:
            raise PageError(f"line {number} is no metric: {line[:40]!r}")
        seen = True
        if name[0] not in wanted:
            continue
        if len(line) > LONGEST:
            raise PageError(f"line {number} is longer than {LONGEST} characters")
        if len(found) >= MOST_SAMPLES:
            raise PageError(f"more than {MOST_SAMPLES} samples")
        found.append(_sample(name[0], line, name.end(), number))
    if not seen:
        raise PageError("there are no metrics on it")
    return found


def _sample(name: str, line: str, at: int, number: int) -> Sample:
    labels: dict[str, str] = {}
    if line[at : at + 1] == "{":
        at += 1
        while label := _LABEL.match(line, at):
            at = label.end()
            labels[label[1]] = _plain(label[2])
            if len(labels) > MOST_LABELS:
                raise PageError(f"line {number} has more than {MOST_LABELS} labels")
        if line[at : at + 1] != "}":
            raise PageError(f'line {number}: its labels are not of the form name="text"')
        at += 1
    value = _VALUE.match(line, at)
    if value is None:
        raise PageError(f"line {number} has no value: {line[:40]!r}")
    return Sample(name, labels, _number(value[1], number))


def _plain(text: str) -> str:
    if "\\" not in text:
        return text
    return re.sub(r"\\.", lambda escape: _ESCAPES.get(escape[0], escape[0]), text)


def _number(text: str, number: int) -> float | int | None:
    try:
        value = float(text)
    except ValueError:
        raise PageError(f"line {number}: {text!r} is no number") from None
    if not math.isfinite(value):
        return None
    digits = text.lstrip("+-")
    return int(text) if digits.isascii() and digits.isdecimal() and len(digits) <= 20 else value
