"""Units in which devices state a value, and how each becomes the unit of a metric."""

from __future__ import annotations

from collections.abc import Iterable

from ayni_core.message import Phrase

_PREFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_PARTS = {"d": 10, "c": 100, "m": 1000, "µ": 10**6}
_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}

Step = tuple[float, float, float]
"""(mul, div, add): value in the metric's unit = raw x mul / div + add."""


def conversions(unit: str) -> dict[str, Step]:
    """Every unit that becomes `unit`, with its step; a metric without unit takes none."""
    if not unit:
        return {}
    if unit == "%":
        return {"%": (1, 1, 0), "d%": (1, 10, 0), "c%": (1, 100, 0), "ratio": (100, 1, 0)}
    if unit == "°C":
        fahrenheit = {"°F": (5.0, 9.0, -160 / 9), "d°F": (5.0, 90.0, -160 / 9)}
        return {f"{prefix}°C": (1, div, 0) for prefix, div in {"": 1, **_PARTS}.items()} | fahrenheit
    if unit in ("s", "min"):
        seconds: dict[str, Step] = {
            "ticks": (1, 100, 0),
            "ms": (1, 1000, 0),
            "s": (1, 1, 0),
            "min": (60, 1, 0),
            "h": (3600, 1, 0),
            "d": (86400, 1, 0),
        }
        return seconds if unit == "s" else {name: (m, d * 60, 0) for name, (m, d, _) in seconds.items()}
    if unit == "MHz":
        return {"Hz": (1, 10**6, 0), "kHz": (1, 1000, 0), "MHz": (1, 1, 0), "GHz": (1000, 1, 0)}
    steps: dict[str, Step] = {prefix + unit: (mul, 1, 0) for prefix, mul in _PREFIXES.items()}
    steps |= {prefix + unit: (1, div, 0) for prefix, div in _PARTS.items()}
    if unit == "B":
        steps |= {prefix + unit: (mul, 1, 0) for prefix, mul in _BINARY.items()}
    return steps


def unit_fault(given: str, unit: str, known: Iterable[str]) -> Phrase:
    """What to say of a unit that does not become `unit`, which is that of the metric."""
    words = ", ".join(known)
    if not words:
        return Phrase("fault.no_unit", {"given": given})
    return Phrase("fault.unit", {"given": given, "unit": unit, "words": words})
