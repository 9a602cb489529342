"""From the raw answer of a device to the value of a reading.

`as_text` is what tests, items and system texts see of an answer. `converter` makes, once per row of a plan,
the function that every poll then calls; a plain number needs none, which is what keeps a poll cheap.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable

from ayni_core.ber import BerError, oid_text
from ayni_core.profile import Conversion
from ayni_core.readings import LARGEST, MAX_TEXT, Value
from ayni_core.snmp import IP_ADDRESS, OID, OPAQUE

Raw = tuple[int, int | bytes | None]
"""Tag and value of a var-bind."""

Converter = Callable[[int, int | bytes | None], Value]

_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]\d{1,2}(?!\d))?")
_NUMBER_ALONE = re.compile(r"[-+]?\d+(?:\.\d+)?(?:\s|$)")
"""A number that no letter follows at once: "4" and "4 (up)", but not "4G+"."""
_LONGEST_TEXT = 255
# net-snmp wraps floats into Opaque: 9f 78 04 and four octets, 9f 79 08 and eight (draft-perkins-opaque-01).
_OPAQUE_FLOATS = {b"\x9f\x78\x04": ">f", b"\x9f\x79\x08": ">d"}


def as_text(tag: int, value: int | bytes | None) -> str:
    """An answer as text, without blanks and NULs around it; "" for none."""
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    if tag == OID:
        try:
            return oid_text(value)
        except BerError:
            return ""
    if tag == IP_ADDRESS:
        return ".".join(map(str, value))
    if tag == OPAQUE:
        number = _opaque(value)
        return "" if number is None else str(number)
    text = value.decode("utf-8", "replace").replace("\0", " ").strip()
    return text[:_LONGEST_TEXT]


def as_number(tag: int, value: int | bytes | None) -> int | float | None:
    """An answer as number: a text gives the first number in it."""
    if value is None or isinstance(value, int):
        return value
    if tag == OPAQUE:
        return _opaque(value)
    return first_number(as_text(tag, value))


def first_number(text: str) -> int | float | None:
    """The first number of a text, sign and decimal point kept."""
    found = _NUMBER.search(text)
    if found is None:
        return None
    return int(found[0]) if found[0].lstrip("+-").isdigit() else float(found[0])


def as_mac(tag: int, value: int | bytes | None) -> str | None:
    """A hardware address as 12 lower-case hex digits, from 6 octets or from any text form of them."""
    if not isinstance(value, bytes):
        return None
    if len(value) == 6:
        return value.hex()
    text = as_text(tag, value)
    pairs = re.split(r"[:.\- ]", text)
    if len(pairs) == 6 and all(re.fullmatch("[0-9a-fA-F]{1,2}", pair) for pair in pairs):
        return "".join(pair.zfill(2) for pair in pairs).lower()
    digits = re.sub(r"[:.\- ]", "", text).lower()
    return digits if re.fullmatch("[0-9a-f]{12}", digits) else None


def as_ip(tag: int, value: int | bytes | None) -> str | None:
    """An address as text, from four octets or from text."""
    if isinstance(value, bytes) and len(value) == 4:
        return ".".join(map(str, value))
    return as_text(tag, value)[:MAX_TEXT] or None


def _opaque(value: bytes) -> float | None:
    form = _OPAQUE_FLOATS.get(value[:3])
    if form is None or len(value) != 3 + struct.calcsize(form):
        return None
    number: float = struct.unpack(form, value[3:])[0]
    return round(number, 6) if math.isfinite(number) else None


def converter(conversion: Conversion, factor: float, raw: Raw) -> Converter | None:
    """The function for one row; None where the number stands for itself.

    `factor` is what other columns contribute; `raw` is the answer now, which tells what type to expect.
    """
    match conversion.as_:
        case "text":
            return _text(conversion)
        case "mac":
            return as_mac
        case "ip":
            return as_ip
    plain = Conversion(as_=conversion.as_, values=conversion.values, counter=conversion.counter)
    if isinstance(raw[1], int) and factor == 1 and conversion == plain and plain.as_ == "number":
        return None
    return _number(conversion, factor)


def _text(conversion: Conversion) -> Converter:
    none = {str(each) for each in conversion.none}

    def convert(tag: int, value: int | bytes | None) -> Value:
        text: str | None = as_text(tag, value)
        if text and conversion.extract:
            text = extracted(conversion.extract, text)
        return text[:MAX_TEXT] if text and text not in none else None

    return convert


def extracted(pattern: re.Pattern[str], text: str) -> str | None:
    """The first group that took part in a match, or the whole match; None without one."""
    found = pattern.search(text)
    if found is None:
        return None
    groups = [group for group in found.groups() if group is not None]
    return (groups[0] if groups else found[0]).strip()


def _number(conversion: Conversion, factor: float) -> Converter:
    parse = _parser(conversion)
    none = frozenset(each for each in conversion.none if not isinstance(each, str))
    none_texts = frozenset(each for each in conversion.none if isinstance(each, str))
    mul, div, add = conversion.mul * factor, conversion.div, conversion.add
    low, high = conversion.at_least, conversion.at_most

    def convert(tag: int, value: int | bytes | None) -> Value:
        if none_texts and as_text(tag, value) in none_texts:
            return None
        number = parse(tag, value)
        if number is None or number in none:
            return None
        if mul != 1:
            number *= mul
        if div != 1:
            number /= div
        if add:
            number += add
        if (low is not None and number < low) or (high is not None and number > high):
            return None
        if isinstance(number, int):
            return number if -LARGEST < number < LARGEST else None
        return _tidy(number)

    return convert


def _tidy(number: float) -> int | float | None:
    """Floats without the dust of binary fractions; whole ones as integers."""
    if not -LARGEST < number < LARGEST:
        return None  # also not-a-number, which compares with nothing
    if number.is_integer() and abs(number) < 2**63:
        return int(number)
    return round(number, 6) if abs(number) >= 0.001 else float(f"{number:.6g}")


def _parser(conversion: Conversion) -> Callable[[int, int | bytes | None], int | float | None]:
    match conversion.as_:
        case "unsigned32":
            return _unsigned32
        case "mw_to_dbm":
            return lambda tag, value: _dbm(as_number(tag, value))
        case "channel_to_mhz":
            return lambda tag, value: _megahertz(as_number(tag, value))
        case "hex_number":
            return lambda tag, value: _hexadecimal(as_text(tag, value))
    if not conversion.values and not conversion.extract:
        return as_number

    def parse(tag: int, value: int | bytes | None) -> int | float | None:
        if isinstance(value, int):
            return value
        text = as_text(tag, value)
        if conversion.extract:
            text = extracted(conversion.extract, text) or ""
        if not conversion.values:
            return first_number(text)
        known = conversion.values.get(text.casefold())
        return first_number(text) if known is None and _NUMBER_ALONE.match(text) else known

    return parse


def _unsigned32(tag: int, value: int | bytes | None) -> int | float | None:
    """Integer32 that the agent fills beyond 2**31 comes out negative."""
    number = as_number(tag, value)
    return number + 2**32 if number is not None and number < 0 else number


def _dbm(milliwatts: float | None) -> float | None:
    return round(10 * math.log10(milliwatts), 3) if milliwatts is not None and milliwatts > 0 else None


def _megahertz(channel: float | None) -> int | None:
    """Centre frequency of an IEEE 802.11 channel at 2.4 or 5 GHz."""
    if channel is None or channel <= 0:
        return None
    if channel == 14:
        return 2484
    return int(channel) * 5 + (2407 if channel < 14 else 5000)


def _hexadecimal(text: str) -> int | None:
    digits = text.lower().removeprefix("0x")
    return int(digits, 16) if re.fullmatch("[0-9a-f]{1,16}", digits) else None
