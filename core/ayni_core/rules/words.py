"""How the value of an alarm is said: exactly enough to act on."""

from __future__ import annotations

from ayni_core.message import Plain

_FINE = 20.0


def shown(value: float | None, unknown: Plain = None) -> Plain:
    """A whole number, but small ones that are none with one decimal: 11.8 V, not 12."""
    if value is None:
        return unknown
    return round(value) if abs(value) >= _FINE or value == round(value) else round(value, 1)
