"""A private key under a passphrase: PKCS #8, PBES2 (RFC 8018) with PBKDF2 and AES-256 in CBC mode.

`cryptography` would write the same with 2,048 rounds, of which a stolen laptop does millions a minute; so the
rounds are ours, and the format stays the one that OpenSSL and `cryptography` read.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import textwrap

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ayni_core.ber import encode_integer, encode_oid, tlv

ROUNDS = 600_000
"""Of PBKDF2 with SHA-256: OWASP's advice since 2023; half a second on a Raspberry Pi."""
_PBES2, _PBKDF2 = "1.2.840.113549.1.5.13", "1.2.840.113549.1.5.12"
_SHA256, _AES256 = "1.2.840.113549.2.9", "2.16.840.1.101.3.4.1.42"
_SEQUENCE, _INTEGER, _OCTETS, _NULL, _OID = 0x30, 0x02, 0x04, 0x05, 0x06
_BLOCK, _KEY = 16, 32


def sealed(pkcs8: bytes, passphrase: str, *, rounds: int = ROUNDS) -> str:
    """A key in PKCS #8 (DER) -> the encrypted one in PEM."""
    salt, vector = secrets.token_bytes(_BLOCK), secrets.token_bytes(_BLOCK)
    key = hashlib.pbkdf2_hmac("sha256", passphrase.encode("utf-8"), salt, rounds, _KEY)
    fill = _BLOCK - len(pkcs8) % _BLOCK
    encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    octets = encryptor.update(pkcs8 + bytes((fill,)) * fill) + encryptor.finalize()
    derived = _row(
        tlv(_OCTETS, salt), tlv(_INTEGER, encode_integer(rounds)), _row(_oid(_SHA256), tlv(_NULL, b""))
    )
    scheme = _row(_row(_oid(_PBKDF2), derived), _row(_oid(_AES256), tlv(_OCTETS, vector)))
    der = _row(_row(_oid(_PBES2), scheme), tlv(_OCTETS, octets))
    lines = textwrap.wrap(base64.b64encode(der).decode("ascii"), 64)
    kind = "ENCRYPTED PRIVATE KEY"
    return "\n".join((f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""))


def _row(*parts: bytes) -> bytes:
    return tlv(_SEQUENCE, b"".join(parts))


def _oid(text: str) -> bytes:
    return tlv(_OID, encode_oid(text))
