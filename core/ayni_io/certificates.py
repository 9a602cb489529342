"""Certificates as files and as the other side shows them: their fingerprint, and how long they are good.

Nothing is proved here, and no library is needed: who connects proves (`mqtt_trouble.tls_context`).
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ayni_core import x509

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_LARGEST_FILE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A certificate: good from `begins` to `ends`, in seconds since 1970."""

    fingerprint: str
    begins: float
    ends: float


def fingerprint(der: bytes) -> str:
    """SHA-256 in hexadecimal, in pairs with colons, as `openssl x509 -fingerprint -sha256` writes it."""
    return ":".join(f"{octet:02X}" for octet in hashlib.sha256(der).digest())


def of_der(der: bytes) -> Seen:
    """What the octets say. Raises `ValueError`."""
    begins, ends = x509.validity(der)
    return Seen(fingerprint=fingerprint(der), begins=begins, ends=ends)


def in_file(path: Path) -> tuple[Seen, ...]:
    """All of a file in PEM, in its order: the first is the server's own. Raises `OSError`, and `ValueError`
    where there is none, or one is damaged."""
    with path.open(encoding="ascii", errors="replace") as file:
        text = file.read(_LARGEST_FILE)
    found = tuple(of_der(each) for each in _parts(text))
    if not found:
        raise ValueError(f"{path}: there is no certificate in it")
    return found


def _parts(text: str) -> Iterator[bytes]:
    for piece in text.split(_BEGIN)[1:]:
        body, end, _rest = piece.partition(_END)
        if not end:
            raise ValueError("a certificate is cut off")
        yield ssl.PEM_cert_to_DER_cert(f"{_BEGIN}{body}{_END}")
