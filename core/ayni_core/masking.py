"""A recording that can be shared: secrets, names and addresses replaced, all else as the device said it.

Theory of operation. Two passes over the objects. The first meets every name and address; the second replaces
them wherever they stand: as a value, inside a text, or in the index of an OID. The same becomes the same, so
tables still join and a profile still reads. What an object means is taken from the standard MIBs below, and
from the device's profile where there is one (`senses_of`). In the branch of a vendor, where it is not known,
texts that are not plainly harmless are covered, too: better a label too few than a password too many.

The law of the file: numbers in an OID are an address only if it was seen as a value, if the table is known to
be numbered by it, or if nothing else looks like it; all others stay, or nothing could be read any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile

from ayni_core.ber import MAX_ARCS, BerError, decode_oid, encode_oid
from ayni_core.convert import Raw
from ayni_core.masking_addresses import Addresses, is_address, is_private
from ayni_core.masking_senses import LEFT_OUT, SHAPES, STANDARD, Arcs, Senses
from ayni_core.masking_texts import LONG_NUMBER, SHORTEST_KNOWN, Texts
from ayni_core.snmp import IP_ADDRESS, OCTET_STRING, OID, OPAQUE

_MIB2 = (1, 3, 6, 1, 2, 1)
_FIRST_INDEX = 8
"""No index begins before this arc."""
_EXTENDS = ((1, 3, 6, 1, 4, 1, 8072, 1, 3, 2), (1, 3, 6, 1, 4, 1, 2021))
_DIGITS = range(ord("0"), ord("9") + 1)
_NAMED_SORTS = ("name", "contact", "place", "ssid", "serial", "secret")


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """`counts`: how many different ones of each sort were replaced; "left out" counts objects."""

    objects: dict[bytes, Raw]
    counts: Mapping[str, int]


def mask(objects: Mapping[bytes, Raw], senses: Senses | None = None) -> Masked:
    """The objects of a device, fit to be shared."""
    return _Masking(objects, senses or Senses()).run()


class _Masking:
    def __init__(self, objects: Mapping[bytes, Raw], senses: Senses) -> None:
        self._objects = sorted((decode_oid(oid), raw) for oid, raw in objects.items())
        self._addresses = Addresses()
        description = objects.get(encode_oid("1.3.6.1.2.1.1.1.0"), (4, b""))[1]
        said = description.decode("utf-8", "replace") if isinstance(description, bytes) else ""
        self._texts = Texts(self._addresses, said)
        # What the standard says of its own objects stands above what a profile makes of them.
        self._senses = {**senses.of, **STANDARD}
        self._shapes = {**senses.shapes, **SHAPES}
        self._lengths = sorted({*map(len, self._senses)}, reverse=True)
        self._shape_lengths = sorted({*map(len, self._shapes)}, reverse=True)

    def run(self) -> Masked:
        kept = [(arcs, raw) for arcs, raw in self._objects if arcs[:7] not in LEFT_OUT]
        for arcs, raw in kept:
            self._learn(arcs, raw)
        self._texts.learnt()
        masked = {encode_oid(self._oid(arcs)): self._value(arcs, raw) for arcs, raw in kept}
        counts = Counter(self._texts.counts)
        counts["mac"], counts["ip"] = len(self._addresses.macs), len(self._addresses.ips)
        counts["left out"] = len(self._objects) - len(kept)
        return Masked(objects=masked, counts={sort: count for sort, count in counts.items() if count})

    def _sense(self, arcs: Arcs) -> str:
        return next((s for n in self._lengths if (s := self._senses.get(arcs[:n])) is not None), "")

    # ---- the first pass

    def _learn(self, arcs: Arcs, raw: Raw) -> None:
        tag, value = raw
        if not isinstance(value, bytes):
            return
        sense = self._sense(arcs)
        if tag == IP_ADDRESS and len(value) == 4:
            self._addresses.ip4(value)
        elif tag == OCTET_STRING and sense in _NAMED_SORTS:
            self._texts.hidden(value.decode("utf-8" if _is_text(value) else "latin-1"), sense)
        elif tag == OCTET_STRING and len(value) == 6 and (sense == "mac" or not _is_text(value)):
            self._addresses.mac(value)
        shaped = self._shape(arcs)  # tables that are known to be numbered by addresses tell of them as well
        if shaped is not None:
            self._shaped(arcs, *shaped)

    # ---- values

    def _value(self, arcs: Arcs, raw: Raw) -> Raw:
        tag, value = raw
        sense = self._sense(arcs)
        if isinstance(value, int):
            if sense in _NAMED_SORTS and value:
                self._texts.counts[sense] += 1
                return tag, 0
            return raw
        if value is None:
            return raw
        if tag == IP_ADDRESS and len(value) == 4:
            return tag, self._addresses.ip4(value)
        if tag == OID:
            try:
                return tag, encode_oid(self._oid(decode_oid(value)))
            except BerError:
                return raw
        if tag == OPAQUE:
            return raw if value[:1] == b"\x9f" else (tag, bytes(len(value)))  # a wrapped float, or who knows
        if tag == OCTET_STRING:
            return tag, self._octets(arcs, value, sense)
        return raw

    def _octets(self, arcs: Arcs, value: bytes, sense: str) -> bytes:
        is_mac = sense == "mac" or value in self._addresses.macs or not _is_text(value)
        if len(value) == 6 and is_mac and sense not in _NAMED_SORTS:
            return self._addresses.mac(value)
        if not _is_text(value):
            return self._binary(arcs, value, sense)
        text = value.decode("utf-8")
        if sense in _NAMED_SORTS or sense == "text":
            shown = self._texts.hidden(text, sense)
        elif sense == "port":
            shown = self._texts.port(text)
        elif sense or arcs[:6] == _MIB2:
            shown = self._texts.shown(text, own=sense == "own")
        else:
            shown = self._texts.vendors(text)
        return shown.encode()

    def _binary(self, arcs: Arcs, value: bytes, sense: str) -> bytes:
        known = sense == "ip" or value in self._addresses.ips
        if len(value) == 4 and is_address(value) and (known or is_private(value)):
            return self._addresses.ip4(value)
        if len(value) == 16 and (sense == "ip" or value[:1] in (b"\x20", b"\x2a", b"\xfd", b"\xfe")):
            return self._addresses.ip6(value)
        if sense in _NAMED_SORTS:
            return self._texts.hidden(value.decode("latin-1"), sense).encode()
        is_date = len(value) in (8, 11) and value[0] == 0x07
        if arcs[:6] == _MIB2 or is_date or len(value) < 8 or sense:
            return value
        self._texts.hidden(value.decode("latin-1"), "text")
        return bytes(len(value))  # a key, a certificate, a hash

    # ---- OIDs

    def _oid(self, arcs: Arcs) -> Arcs:
        shaped = self._shape(arcs)
        if shaped is not None:
            return self._shaped(arcs, *shaped)
        found = arcs[:_FIRST_INDEX]
        at = _FIRST_INDEX
        hardware = self._hardware(arcs)
        while at < len(arcs):
            size, shown = 1, arcs[at : at + 1]
            if at == hardware:
                size, shown = 6, tuple(self._addresses.mac(bytes(arcs[at : at + 6])))
            elif window := self._window(arcs, at):
                size, shown = window
            found += shown
            at += size
        return found[:MAX_ARCS]

    def _shape(self, arcs: Arcs) -> tuple[int, str] | None:
        for length in self._shape_lengths:
            shape = self._shapes.get(arcs[:length])
            if shape is not None:
                return length, shape
        return None

    def _hardware(self, arcs: Arcs) -> int:
        """Where a hardware address begins: one that was seen, or what ends the OID and looks like one."""
        likely = []
        for at in range(_FIRST_INDEX, len(arcs) - 5):
            octets = _as_octets(arcs[at : at + 6])
            if octets in self._addresses.macs:
                return at
            if octets and at + 7 >= len(arcs) and arcs[:6] != _MIB2 and _looks_like_mac(octets):
                likely.append((octets[0] & 2, at))  # addresses that a maker gave come first
        return min(likely)[1] if likely else 0

    def _shaped(self, arcs: Arcs, at: int, shape: str) -> Arcs:
        found = list(arcs)
        for sort in shape:
            size = {"4": 4, "m": 6, "6": 16}.get(sort, 1)
            if sort == "A" and at + 1 < len(arcs):
                at, size = at + 2, arcs[at + 1]
            elif sort == "n" and at < len(arcs):
                size += arcs[at]
            octets = _as_octets(arcs[at : at + size])
            if sort in "4m6A" and octets is not None and len(octets) == size:
                # An address of a zone (types 3 and 4 of RFC 4001) has four octets more.
                front = size - size % 16 if size > 16 else 4 if size == 8 else size
                change = {4: self._addresses.ip4, 6: self._addresses.mac, 16: self._addresses.ip6}.get(front)
                if change:
                    found[at : at + front] = change(octets[:front])
            at += size
        return tuple(found)

    def _window(self, arcs: Arcs, at: int) -> tuple[int, Arcs] | None:
        """The length of an address, a counted text or a long number at this place, and what it becomes."""
        octets = _as_octets(arcs[at : at + 4])
        if octets is not None and len(octets) == 4 and is_address(octets):
            sure = is_private(octets) and octets[0] not in (10, 100)
            if octets in self._addresses.ips or sure:
                return 4, tuple(self._addresses.ip4(octets))
        size = arcs[at]
        if arcs[:6] != _MIB2 and 4 <= size <= 64 and not any(arcs[: len(e)] == e for e in _EXTENDS):
            octets = _as_octets(arcs[at + 1 : at + 1 + size])
            if octets is not None and len(octets) == size and octets.isascii() and _is_text(octets):
                text = octets.decode("ascii")
                covered = size >= SHORTEST_KNOWN or any(c.isalpha() for c in text)
                shown = self._texts.vendors(text) if covered else text
                return 1 + size, (len(shown), *shown.encode())
        digits = "".join(map(chr, takewhile(_DIGITS.__contains__, arcs[at:])))
        if len(digits) < LONG_NUMBER:
            return None
        return len(digits), tuple(self._texts.shown(digits).encode())


def _as_octets(arcs: Arcs) -> bytes | None:
    return bytes(arcs) if all(arc < 256 for arc in arcs) else None


def _is_text(value: bytes) -> bool:
    """Whether octets are a text, which a NUL may end."""
    try:
        return (
            value.rstrip(b"\0")
            .decode("utf-8")
            .replace("\n", "")
            .replace("\r", "")
            .replace("\t", "")
            .isprintable()
        )
    except UnicodeDecodeError:
        return False


def _looks_like_mac(octets: bytes) -> bool:
    """Arcs of a MIB are small; six octets of which several are not, and one no letter, are an address."""
    if len(octets) != 6:
        return False
    return sum(octet > 31 for octet in octets) >= 3 and max(octets) > 127 and not octets[0] & 1
