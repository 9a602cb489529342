"""What the labels of VE.Direct mean as readings. A label that a device leaves out gives no reading.

Numbers of states are Victron's own (VE.Direct Protocol, revision 3.34); "---" says that nothing is measured.
"""

from __future__ import annotations

from collections.abc import Mapping

from ayni_core.power.vedirect import Block
from ayni_core.readings import Series, Value

_NUMBERS: Mapping[str, tuple[str, str, str, float]] = {
    # label: group, item, metric, what one step is
    "V": ("power", "battery", "voltage_v", 0.001),
    "V2": ("power", "battery 2", "voltage_v", 0.001),
    "V3": ("power", "battery 3", "voltage_v", 0.001),
    "VS": ("power", "starter", "voltage_v", 0.001),
    "VM": ("power", "battery middle", "voltage_v", 0.001),
    "VPV": ("power", "array", "voltage_v", 0.001),
    "PPV": ("power", "array", "power_w", 1),
    "I": ("power", "battery", "current_a", 0.001),
    "I2": ("power", "battery 2", "current_a", 0.001),
    "I3": ("power", "battery 3", "current_a", 0.001),
    "IL": ("power", "load", "current_a", 0.001),
    "P": ("power", "battery", "power_w", 1),
    "SOC": ("power", "battery", "charge_pct", 0.1),
    "T": ("sensor", "battery", "temperature_c", 1),
    "H17": ("power", "discharged", "energy_kwh", 0.01),
    "H18": ("power", "charged", "energy_kwh", 0.01),
    "H19": ("power", "charged", "energy_kwh", 0.01),
    "H20": ("power", "charged", "energy_today_kwh", 0.01),
    "AC_OUT_V": ("power", "output", "voltage_v", 0.01),
    "AC_OUT_I": ("power", "output", "current_a", 0.1),
    "AC_OUT_S": ("power", "output", "apparent_power_va", 1),
}
_STATES: Mapping[str, tuple[str, str]] = {
    "CS": ("battery", "charger_state"),
    "ERR": ("battery", "charger_error"),
    "MPPT": ("array", "operating_state"),
    "MODE": ("output", "operating_state"),
}
_SWITCHES: Mapping[str, tuple[str, str]] = {
    "LOAD": ("load", "outlet_state"),
    "Relay": ("relay", "contact_state"),
}
_TEXTS: Mapping[str, str] = {"SER#": "serial"}
_BITS = ("AR", "WARN")
"""Reasons of alarms and warnings, a bit each."""

CHARGER_STATES: Mapping[int, str] = {
    0: "off",
    1: "low power",
    2: "fault",
    3: "bulk",
    4: "absorption",
    5: "float",
    6: "storage",
    7: "equalize",
    9: "inverting",
    11: "power supply",
    245: "starting",
    246: "repeated absorption",
    247: "automatic equalize",
    248: "battery safe",
    252: "controlled from outside",
}
CHARGER_ERRORS: Mapping[int, str] = {
    0: "none",
    2: "battery voltage too high",
    17: "charger too hot",
    18: "charger current too high",
    19: "charger current reversed",
    20: "bulk took too long",
    21: "current sensor broken",
    26: "terminals too hot",
    28: "converter broken",
    33: "array voltage too high",
    34: "array current too high",
    38: "input shut down: battery voltage too high",
    39: "input shut down: current while off",
    65: "lost its partner",
    66: "partner is set up otherwise",
    67: "battery management lost",
    68: "network is set up wrongly",
    116: "calibration lost",
    117: "wrong firmware",
    119: "settings are not valid",
}
STATES: Mapping[Series, Mapping[int, str]] = {
    Series("power", "battery", "charger_state"): CHARGER_STATES,
    Series("power", "battery", "charger_error"): CHARGER_ERRORS,
    Series("power", "array", "operating_state"): {0: "off", 1: "limited", 2: "at its best"},
    Series("power", "load", "outlet_state"): {0: "off", 1: "on"},
    Series("power", "relay", "contact_state"): {0: "open", 1: "closed"},
}
"""Names of numbers."""


def readings(block: Block) -> dict[Series, Value]:
    """The readings of a block, or of several that were put together."""
    found: dict[Series, Value] = {}
    for label, text in block.items():
        if label in _NUMBERS:
            group, item, metric, step = _NUMBERS[label]
            number = _whole(text)
            found[Series(group, item, metric)] = None if number is None else round(number * step, 3)
        elif label in _STATES:
            item, metric = _STATES[label]
            found[Series("power", item, metric)] = _whole(text)
        elif label in _SWITCHES and text.upper() in ("ON", "OFF"):
            item, metric = _SWITCHES[label]
            found[Series("power", item, metric)] = int(text.upper() == "ON")
        elif label in _TEXTS and text:
            found[Series("system", "", _TEXTS[label])] = text
        elif label == "TTG":
            minutes = _whole(text)
            found[Series("power", "battery", "runtime_min")] = minutes if minutes != -1 else None
    return found | _alarms(block) | _what(block)


def _alarms(block: Block) -> dict[Series, Value]:
    reasons = [number for label in _BITS if (number := _whole(block.get(label, ""))) is not None]
    if reasons:
        return {Series("power", "", "alarms"): sum((number & 0xFFFF).bit_count() for number in reasons)}
    if (alarm := block.get("Alarm", "").upper()) in ("ON", "OFF"):
        return {Series("power", "", "alarms"): int(alarm == "ON")}
    return {}


def _what(block: Block) -> dict[Series, Value]:
    """Model and firmware: `BMV` is a name, `PID` a number that only the maker's list explains."""
    found: dict[Series, Value] = {}
    model = f"BMV-{block['BMV']}" if block.get("BMV", "")[:1].isdigit() else block.get("BMV", "")
    if model or block.get("PID"):
        found[Series("system", "", "model")] = model or f"Victron {block['PID']}"
    version = block.get("FW") or block.get("FWE", "")
    if version.isdigit() and len(version) >= 3:
        version = f"{int(version[:-2])}.{version[-2:]}"
    if version:
        found[Series("system", "", "version")] = version
    return found


def _whole(text: str) -> int | None:
    """A decimal or, after 0x, a hexadecimal number; None for "---" and all else."""
    digits = text.strip()
    if len(digits) > 12:
        return None
    try:
        return int(digits, 16 if digits[:2].lower() == "0x" else 10)
    except ValueError:
        return None
