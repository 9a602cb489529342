"""The register of checks: each is a function with a line that says what holds, printed with its time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class Failure(Exception):  # noqa: N818  what a person reads
    """What did not hold, in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`says` what holds. `short`: also in the short form. `basic`: without it no other makes sense."""

    says: str
    does: Callable[[Any], str | None]
    short: bool
    basic: bool


@dataclass(slots=True)
class Report:
    """What came of it."""

    failed: list[str] = field(default_factory=list)
    passed: int = 0


CHECKS: list[Check] = []


def check(
    says: str, *, short: bool = False, basic: bool = False
) -> Callable[[Callable[[Any], str | None]], Callable[[Any], str | None]]:
    """Enter a function. It returns figures to print, if it has any, and raises `Failure`."""

    def enter(does: Callable[[Any], str | None]) -> Callable[[Any], str | None]:
        CHECKS.append(Check(says=says, does=does, short=short, basic=basic))
        return does

    return enter


def expect(holds: object, otherwise: str) -> None:
    """Raise `Failure` unless it holds."""
    if not holds:
        raise Failure(otherwise)


def until(holds: Callable[[], object], within_s: float, otherwise: str, *, every_s: float = 0.5) -> float:
    """Wait until it holds; how long that took. Raises `Failure`."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > within_s:
            raise Failure(f"{otherwise} (waited {within_s:g} s)")
        time.sleep(every_s)
    return time.monotonic() - began


def run_all(lab: Any, *, short: bool, only: str) -> Report:
    """Run those that are asked for, one line each."""
    report = Report()
    for each in CHECKS:
        named = not only or each.basic or any(words in each.says for words in only.split(","))
        if (short and not each.short) or not named:
            continue
        began = time.monotonic()
        try:
            figures = each.does(lab)
        except (Failure, lab.trouble) as failure:
            _line("FAILED", began, each.says, str(failure))
            report.failed.append(each.says)
            if each.basic:
                break
        else:
            _line("ok", began, each.says, figures or "")
            report.passed += 1
    return report


def _line(word: str, began: float, says: str, more: str) -> None:
    print(f"{word:<6} {time.monotonic() - began:6.1f} s  {says}{': ' if more else ''}{more}", flush=True)
