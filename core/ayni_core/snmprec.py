"""Recordings of devices: the `.snmprec` text of snmpsim, one object a line, `OID|type|value`.

Types: 2 INTEGER, 4 octets, 5 null, 6 OID, 64 IpAddress, 65 Counter32, 66 Gauge32, 67 TimeTicks, 68 Opaque,
70 Counter64; an `x` behind those that carry octets means hexadecimal. Text is taken as UTF-8. Read-only:
variation modules (`2:numeric`) are refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ayni_core.ber import BerError, decode_oid, encode_oid, oid_text
from ayni_core.snmp import IP_ADDRESS, NULL, OCTET_STRING, OID, OPAQUE, check_value

_OCTETS = frozenset((OCTET_STRING, IP_ADDRESS, OPAQUE))


class SnmprecError(ValueError):
    """A line is no recorded object; the message names it."""


def parse_snmprec(text: str) -> dict[bytes, tuple[int, int | bytes | None]]:
    """OID body -> (tag, value), as `MibView` takes it; of an OID that stands twice the last line counts."""
    objects: dict[bytes, tuple[int, int | bytes | None]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        line = line.removesuffix("\r")
        if not line or line.startswith("#"):
            continue
        try:
            oid, kind, value = line.split("|", 2)
        except ValueError:
            raise SnmprecError(f"line {number}: OID|type|value expected, got {line[:60]!r}") from None
        try:
            objects[encode_oid(oid)] = _value(kind, value)
        except ValueError as error:
            raise SnmprecError(f"line {number}: {error}") from None
    return objects


def _value(kind: str, text: str) -> tuple[int, int | bytes | None]:
    number = kind.removesuffix("x")
    if not (number.isascii() and number.isdecimal()):
        raise BerError(f"unknown type {kind[:20]!r}")
    tag = int(number)
    value: int | bytes | None
    if kind != number and tag not in _OCTETS:
        raise BerError(f"type {kind} has no hexadecimal form")
    if kind != number:
        value = bytes.fromhex(text)
    elif tag == IP_ADDRESS:
        value = bytes(int(part) for part in text.split("."))
    elif tag == OID:
        value = encode_oid(text)
    elif tag in _OCTETS:
        value = text.encode()
    elif tag == NULL:
        value = None
    else:
        value = int(text)
    check_value(tag, value)
    return tag, value


def format_snmprec(objects: Mapping[bytes, tuple[int, int | bytes | None]], notes: Iterable[str] = ()) -> str:
    """The text of a recording, in OID order, which `parse_snmprec` reads back; `notes` stand on top.

    Leftovers of SMIv1 that the form has no word for (bit strings, NSAP addresses) are left out.
    """
    lines = [f"# {note}" for note in notes]
    for oid, (tag, value) in sorted(objects.items(), key=lambda each: decode_oid(each[0])):
        if isinstance(value, bytes):
            text = _octets(tag, value)
            if text is None:
                continue
        else:
            text = f"{tag}|{'' if value is None else value}"
        lines.append(f"{oid_text(oid)}|{text}")
    return "\n".join(lines) + "\n"


def _octets(tag: int, value: bytes) -> str | None:
    if tag == OID:
        return f"{tag}|{oid_text(value)}"
    if tag == IP_ADDRESS and len(value) == 4:
        return f"{tag}|{'.'.join(map(str, value))}"
    if tag not in _OCTETS:
        return None
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    # A text that ends in a blank would lose it in many an editor.
    if tag == OCTET_STRING and text.isprintable() and text == text.strip():
        return f"{tag}|{text}"
    return f"{tag}x|{value.hex()}"
