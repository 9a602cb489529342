"""English texts of what other programs call our things (Home Assistant)."""

from __future__ import annotations

NUMBER_TEXTS: dict[str, str] = {}


def _text(context: str, english: str) -> None:
    NUMBER_TEXTS[context] = english


_text("home.link", "Link {title}")
_text("home.connection", "Connection")
_text("home.signal", "Signal at {site}")
_text("home.voltage_v", "Voltage {item}")
_text("home.current_a", "Current {item}")
_text("home.power_w", "Power {item}")
_text("home.charge_pct", "Battery charge {item}")
_text("home.temperature_c", "Temperature {item}")
_text("home.humidity_pct", "Humidity {item}")
