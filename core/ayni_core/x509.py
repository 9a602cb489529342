"""From when until when a certificate is good, read from its DER alone: to look at a date needs no library.

A certificate is SEQUENCE { SEQUENCE { [0] version, serial, algorithm, issuer, validity, … }, … } (RFC 5280,
4.1). What comes from the network is hostile: lengths are bounded by what is there, and nothing recurses.
"""

from __future__ import annotations

from datetime import UTC, datetime

from ayni_core.ber import BerError, read_header

_SEQUENCE, _VERSION, _UTC_TIME, _GENERALIZED = 0x30, 0xA0, 0x17, 0x18
SOON_DAYS, CRITICAL_DAYS = 90, 30
"""Fewer days left of a server's certificate than these, and people are told, and told to hurry."""
_BEFORE_VALIDITY = 3
"""Elements between the version and the validity: serial, algorithm, issuer."""


class CertificateError(ValueError):
    """These octets are no certificate."""


def validity(der: bytes) -> tuple[float, float]:
    """(first, last) second since 1970 at which it is good. Raises `CertificateError`."""
    try:
        _tag, pos, end = _sequence(der, 0, len(der))
        _tag, pos, end = _sequence(der, pos, end)
        tag, _start, stop = read_header(der, pos, end)
        pos = stop if tag == _VERSION else pos
        for _ in range(_BEFORE_VALIDITY):
            _tag, _start, pos = read_header(der, pos, end)
        _tag, pos, end = _sequence(der, pos, end)
        begins, pos = _time(der, pos, end)
        ends, _pos = _time(der, pos, end)
    except (BerError, ValueError, OverflowError) as error:
        raise CertificateError(f"not a certificate: {error}") from None
    return begins, ends


def _sequence(der: bytes, pos: int, end: int) -> tuple[int, int, int]:
    header = read_header(der, pos, end)
    if header[0] != _SEQUENCE:
        raise BerError(f"expected a sequence at {pos}")
    return header


def _time(der: bytes, pos: int, end: int) -> tuple[float, int]:
    """A time in UTC with seconds, as RFC 5280 (4.1.2.5) wants it; two digits of a year mean 1950 to 2049."""
    tag, start, stop = read_header(der, pos, end)
    text = der[start:stop].decode("ascii")
    if tag == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != _GENERALIZED:
        raise BerError(f"expected a time at {pos}")
    if len(text) != 15 or not text.endswith("Z") or not text[:-1].isdecimal():
        raise BerError(f'"{text[:20]}" is no time of a certificate')
    # by hand: strptime would cost a monitor half a megabyte
    month, day, hour, minute, second = (int(text[at : at + 2]) for at in range(4, 14, 2))
    return datetime(int(text[:4]), month, day, hour, minute, second, tzinfo=UTC).timestamp(), stop
