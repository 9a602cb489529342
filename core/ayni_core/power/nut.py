"""The answers of upsd, and what the variables of a supply mean as readings.

Lines as RFC 9271 and "Network protocol information" of NUT's developer guide have them: words apart by
blanks, values in double quotes with a backslash before quotes and backslashes.
"""

from __future__ import annotations

from collections.abc import Mapping

from ayni_core.readings import MAX_TEXT, Series, Value

LONGEST_LINE = 1024
MOST_VARIABLES = 512

_NUMBERS: Mapping[str, tuple[str, str, str, float]] = {
    # variable: group, item, metric, what one step is
    "battery.charge": ("power", "battery", "charge_pct", 1),
    "battery.voltage": ("power", "battery", "voltage_v", 1),
    "battery.current": ("power", "battery", "current_a", 1),
    "battery.temperature": ("power", "battery", "temperature_c", 1),
    "battery.runtime": ("power", "battery", "runtime_min", 1 / 60),
    "input.voltage": ("power", "input 1", "voltage_v", 1),
    "input.current": ("power", "input 1", "current_a", 1),
    "input.frequency": ("power", "input 1", "frequency_hz", 1),
    "input.realpower": ("power", "input 1", "power_w", 1),
    "output.voltage": ("power", "output 1", "voltage_v", 1),
    "output.current": ("power", "output 1", "current_a", 1),
    "output.frequency": ("power", "output", "frequency_hz", 1),
    "output.realpower": ("power", "output 1", "power_w", 1),
    "ups.load": ("power", "output 1", "load_pct", 1),
    "ups.realpower": ("power", "output 1", "power_w", 1),
    "ups.power": ("power", "output 1", "apparent_power_va", 1),
    "ups.temperature": ("sensor", "inside", "temperature_c", 1),
    "ambient.temperature": ("sensor", "ambient", "temperature_c", 1),
    "ambient.humidity": ("sensor", "ambient", "humidity_pct", 1),
    "solar.voltage": ("power", "array", "voltage_v", 1),
}
"""Items as the UPS profiles name them: `input 1` is the first phase."""
_TEXTS = {
    "model": ("device.model", "ups.model"),
    "serial": ("device.serial", "ups.serial"),
    "version": ("ups.firmware",),
}
BATTERY_STATES = {1: "unknown", 2: "normal", 3: "low", 4: "depleted", 5: "replace"}
OUTPUT_SOURCES = {
    1: "other",
    2: "none",
    3: "normal",
    4: "bypass",
    5: "battery",
    6: "booster",
    7: "reducer",
}
CHARGER_STATES = {0: "floating", 1: "charging", 2: "resting", 3: "discharging", 4: "normal"}
STATES: Mapping[Series, Mapping[int, str]] = {
    Series("power", "battery", "battery_state"): BATTERY_STATES,
    Series("power", "output", "output_source"): OUTPUT_SOURCES,
    Series("power", "battery", "charger_state"): CHARGER_STATES,
}
"""Numbers of UPS-MIB (RFC 1628), as the SNMP profiles have them."""
_SOURCES = (("OFF", 2), ("BYPASS", 4), ("OB", 5), ("BOOST", 6), ("TRIM", 7), ("OL", 3))
"""The first one that stands in ups.status counts."""


def words(line: str) -> list[str]:
    """The words of a line, quotes taken off."""
    found: list[str] = []
    word, quoted, open_, escaped = "", False, False, False
    for sign in line:
        if escaped:
            word, escaped = word + sign, False
        elif sign == "\\":
            escaped = True
        elif sign == '"':
            quoted, open_ = True, not open_
        elif sign.isspace() and not open_:
            if word or quoted:
                found.append(word)
            word, quoted = "", False
        else:
            word += sign
    if word or quoted:
        found.append(word)
    return found


def readings(variables: Mapping[str, str]) -> dict[Series, Value]:
    """The readings of a supply; what it does not tell gives none."""
    found: dict[Series, Value] = {}
    for name, (group, item, metric, step) in _NUMBERS.items():
        if name in variables and (number := _number(variables[name])) is not None:
            found.setdefault(Series(group, item, metric), round(number * step, 2))
    for metric, names in _TEXTS.items():
        text = next((variables[name].strip() for name in names if variables.get(name, "").strip()), "")
        if text:
            found[Series("system", "", metric)] = text[:MAX_TEXT]
    return found | _status(variables)


def _status(variables: Mapping[str, str]) -> dict[Series, Value]:
    flags = variables.get("ups.status", "").upper().split()
    if not flags:
        return {}
    source = next((number for flag, number in _SOURCES if flag in flags), 1)
    battery = 3 if "LB" in flags or "FSD" in flags else 5 if "RB" in flags else 2
    found: dict[Series, Value] = {
        Series("power", "output", "output_source"): source,
        Series("power", "battery", "battery_state"): battery,
        Series("power", "", "alarms"): sum(flag in flags for flag in ("ALARM", "OVER", "RB", "FSD")),
    }
    charger = {name: number for number, name in CHARGER_STATES.items()}.get(
        variables.get("battery.charger.status", "").lower()
    )
    if charger is None:
        charger = 1 if "CHRG" in flags else 3 if "DISCHRG" in flags or "OB" in flags else None
    if charger is not None:
        found[Series("power", "battery", "charger_state")] = charger
    return found


def _number(text: str) -> float | None:
    try:
        number = float(text) if len(text) <= 24 else None
    except ValueError:
        return None
    return number if number is not None and abs(number) < 1e12 else None
