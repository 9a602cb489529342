"""What a reading says: its name in plain words, its value with a unit a person reads, its meaning."""

from __future__ import annotations

from ayni_core.metrics import METRICS, unit_of
from ayni_core.readings import Value
from ayni_io import words
from ayni_io.i18n import _, _c
from ayni_io.phrases import rate

__all__ = ["rate"]

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def label(metric: str) -> str:
    """A metric's name in plain words; its bare name where there are none."""
    names = {
        "signal_dbm": _("hears"),
        "signal_chain_dbm": _("H/V"),
        "remote_signal_dbm": _("other side hears"),
        "noise_dbm": _("noise"),
        "snr_db": _("signal over noise"),
        "tx_rate_bps": _("rate out"),
        "rx_rate_bps": _("rate in"),
        "retry_pct": _("repeats"),
        "ccq_pct": _("quality"),
        "quality_pct": _("quality"),
        "connected_s": _("up since"),
        "uptime_s": _("runs for"),
        "voltage_v": _("power"),
        "speed_bps": _("speed"),
        "temperature_c": _("temperature"),
        "charge_pct": _("battery charge"),
        "cpu_pct": _("processor"),
        "memory_used_pct": _("memory"),
        "clients": _("clients"),
        "frequency_mhz": _("frequency"),
        "if_oper": _("works"),
        "if_admin": _("switched on"),
        "in_octets": _("received"),
        "out_octets": _("sent"),
        "in_errors": _("damaged in"),
        "out_errors": _("damaged out"),
        "answered": _("answers"),
        "model": _("model"),
        "version": _("version"),
        "name": _("name"),
    }
    return names.get(metric) or metric.replace("_", " ")


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
    names = {"up": _("up"), "down": _("down"), "yes": _("yes"), "no": _("no")}
    return names.get(name, name)
