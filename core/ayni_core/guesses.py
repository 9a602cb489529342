"""What an object of unknown meaning may be, by its type and the values it had: a help for whoever drafts.

A guess names a metric only where the values speak for one; otherwise it asks a question in `hint`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ayni_core.convert import Raw, as_mac, as_text, first_number
from ayni_core.snmp import COUNTER32, COUNTER64, IP_ADDRESS, OCTET_STRING, OID, TIME_TICKS

_VERSION = re.compile(r"(?i)(?:v|ver\.?|version|fw)?\s?\d+\.\d+(?:\.\d+)*[-_+.\w]{0,24}")
_WITH_UNIT = re.compile(r"[-+]?\d+(?:\.\d+)?\s?([A-Za-z%°/]{1,6})")
_BY_UNIT = {
    "dbm": ("signal_dbm", ""), "db": ("snr_db", ""), "v": ("voltage_v", ""), "mv": ("voltage_v", "mV"),
    "a": ("current_a", ""), "ma": ("current_a", "mA"), "w": ("power_w", ""), "c": ("temperature_c", ""),
    "°c": ("temperature_c", ""), "mhz": ("frequency_mhz", ""), "ghz": ("frequency_mhz", "GHz"),
    "mbps": ("tx_rate_bps", "Mbps"), "kbps": ("tx_rate_bps", "kbps"), "rpm": ("fan_rpm", ""),
}  # fmt: skip
_WIDTHS = {5, 7, 8, 10, 14, 20, 28, 30, 40, 50, 56, 60, 80, 112, 160}
_TYPES = {
    0x02: "INTEGER", 0x04: "text", 0x06: "OID", 0x40: "IP address", 0x41: "Counter32", 0x42: "Gauge32",
    0x43: "TimeTicks", 0x44: "Opaque", 0x46: "Counter64",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """`metric` is "" where the values speak for none; `unit` and `as_` as a profile has them."""

    metric: str = ""
    unit: str = ""
    as_: str = ""
    none: int | None = None
    hint: str = ""


def type_name(tag: int) -> str:
    """The type of an answer as people call it."""
    return _TYPES.get(tag, f"type {tag}")


def guess(raws: Sequence[Raw]) -> Guess:
    """What a column, or a scalar, with these answers may be."""
    tag = raws[0][0]
    if tag in (COUNTER32, COUNTER64):
        return Guess(hint="a counter: octets, packets or errors? in or out?")
    if tag == TIME_TICKS:
        return Guess(metric="connected_s", unit="ticks", hint="or how long something has run")
    if tag == IP_ADDRESS:
        return Guess(metric="station_ip", as_="ip", hint="whose address?")
    if tag == OID:
        return Guess()
    if tag == OCTET_STRING:
        return _of_texts(raws)
    numbers = [value for _tag, value in raws if isinstance(value, int)]
    return _of_numbers(numbers) if numbers else Guess()


def _of_texts(raws: Sequence[Raw]) -> Guess:
    if all(as_mac(*raw) and not _is_word(raw[1]) for raw in raws):
        return Guess(metric="peer_mac", as_="mac", hint="or the radio's own: radio_mac")
    texts = [text for raw in raws if (text := as_text(*raw))]
    if not texts:
        return Guess()
    if all(re.fullmatch(r"\d{1,3}(\.\d{1,3}){3}", text) for text in texts):
        return Guess(metric="station_ip", as_="ip", hint="whose address?")
    units = {found[1].casefold() if (found := _WITH_UNIT.fullmatch(text)) else "" for text in texts}
    if len(units) == 1 and (known := _BY_UNIT.get(units.pop())):
        return Guess(metric=known[0], unit=known[1], hint="a text with its unit")
    if all(re.fullmatch(r"[-+]?\d+(\.\d+)?", text) for text in texts):
        numbers = [number for text in texts if (number := first_number(text)) is not None]
        found_guess = _of_numbers([int(number) for number in numbers])
        return found_guess if found_guess.metric else Guess(hint="a number written as text")
    if all(_VERSION.fullmatch(text) for text in texts):
        return Guess(hint="a version: system: version?")
    return Guess(hint="a name? ssid, station_name, or the item of the row")


def _is_word(value: int | bytes | None) -> bool:
    """Six letters, which are no hardware address in six octets."""
    return isinstance(value, bytes) and len(value) == 6 and all(0x20 <= octet < 0x7F for octet in value)


def _of_numbers(numbers: Sequence[int]) -> Guess:
    given = [number for number in numbers if number != 0]
    none = 0 if len(given) < len(numbers) else None
    if not given:
        return Guess(hint="always 0 so far")
    low, high = min(given), max(given)
    if low >= -110 and high <= -20:
        if high <= -86:
            return Guess(metric="noise_dbm", none=none, hint="noise? or a faint signal: signal_dbm")
        return Guess(metric="signal_dbm", none=none, hint="signal or noise?")
    if low >= -1100 and high <= -200:
        return Guess(metric="signal_dbm", unit="ddBm", none=none, hint="tenths of dBm: signal or noise?")
    for scale, unit in ((1, ""), (1000, "kHz"), (1_000_000, "Hz")):
        bands = ((2400, 2500), (4900, 6500), (57000, 71000))
        if all(any(a * scale <= each <= b * scale for a, b in bands) for each in given):
            return Guess(metric="frequency_mhz", unit=unit, none=none)
    if set(given) <= _WIDTHS and high > 14 and len(set(given)) <= 2:
        return Guess(hint=f"{given[0]}: channel_width_mhz? a temperature? a percentage?")
    if low >= 9_000 and high <= 60_000 and len(set(given)) > 1:
        return Guess(metric="voltage_v", unit="mV", none=none, hint="or a rate in kbps")
    if low >= 1_000_000 and all(each % 100_000 == 0 for each in given):
        return Guess(metric="tx_rate_bps", none=none, hint="or rx_rate_bps, or a capacity")
    if low >= 0 and high <= 8 and len(set(given)) <= 8:
        return Guess(hint="a state? write its names: states: {1: up, 2: down}")
    if low >= 0 and high <= 100:
        return Guess(hint="a percentage (cpu_pct, quality_pct, airtime_pct), a temperature, snr_db, clients?")
    if low >= 100 and high <= 600:
        return Guess(hint="voltage_v in dV? a temperature in d°C? a rate in Mbps?")
    return Guess()
