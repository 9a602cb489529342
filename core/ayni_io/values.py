"""What a reading says: its name in plain words, its value with a unit a person reads, its meaning."""

from __future__ import annotations

from ayni_core.metrics import METRICS, unit_of
from ayni_core.readings import Value
from ayni_io import words
from ayni_io.i18n import _, _c
from ayni_io.labels import label as label
from ayni_io.phrases import rate

__all__ = ["rate"]

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def meaning(metric: str) -> str:
    """One line on what a metric means."""
    entry = METRICS.get(metric)
    return _c(metric, entry.meaning) if entry else ""


def value(metric: str, reading: Value) -> str:
    """A value with its unit: `-57 dBm`, `130 Mb/s`, `41 days`, `up`."""
    if reading is None:
        return "--"
    if isinstance(reading, str):
        return reading
    entry = METRICS.get(metric)
    if entry is not None and entry.states:
        return _state(entry.states.get(int(reading), str(reading)))
    unit = unit_of(metric)
    match unit:
        case "s":
            return words.duration(reading)
        case "bps":
            return f"{_scaled(reading)}b/s"
        case "B":
            return f"{_scaled(reading)}B"
        case "V" | "A":
            return words.number(reading, 1, unit)
        case "%" | "dBm" | "dB" | "MHz" | "m" | "min" | "rpm" | "W" | "°C":
            return words.number(reading, 0 if float(reading).is_integer() else 1, unit)
    return words.number(reading, 0 if float(reading).is_integer() else 2)


def _scaled(reading: float) -> str:
    for size, prefix in _PREFIXES:
        if abs(reading) >= size:
            shown = reading / size
            return f"{words.number(shown, 0 if shown >= 100 or shown.is_integer() else 1)} {prefix}"
    return f"{words.number(reading)} "


def _state(name: str) -> str:
    names = {
        "up": _("up"), "down": _("down"), "yes": _("yes"), "no": _("no"), "full": _("full"),
        "half": _("half"),
        "good": _("good"), "warning": _("warning"), "critical": _("critical"), "unknown": _("not known"),
        "testing": _("testing"), "dormant": _("waiting"), "notPresent": _("not there"),
        "lowerLayerDown": _("down below"), "low now": _("low now"), "slowed now": _("slowed now"),
        "was low since the start": _("was low since the start"),
        "did since the start": _("did since the start"),
    }  # fmt: skip
    return names.get(name, name)
