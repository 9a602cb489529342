"""Users of SNMPv3 and their keys: from a password to the key that only one engine shares.

Sources: RFC 3414 section 2.6 and A.2 (MD5, SHA-1), RFC 7860 (SHA-2), RFC 3826 (AES-128). A password is spread
over a mebibyte and hashed, which takes milliseconds and is remembered; the *localised* key is bound to an
engine, so a stolen device tells nothing of the others.

AES with longer keys never became a standard, and two ways to stretch a hash that is too short are in use:
draft-blumenthal-aes-usm (here `AES-192`, `AES-256`, the names that net-snmp gives them) and
draft-reeder-snmpv3-usm-3desede (`AES-192-C`, `AES-256-C`), which Cisco and most vendors mean when they say
AES-256. With SHA-256 and longer both are the same. DES is left to the other engine.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, Protocol

SHORTEST_PASSWORD = 8  # RFC 3414 section 11.2
LONGEST_NAME = 32  # SnmpAdminString of usmUserName
_MEBIBYTE = 1 << 20


class AuthProtocol(NamedTuple):
    """A hash, and how many octets of its HMAC go into a message."""

    hash: str
    digest: int


AUTH_PROTOCOLS = {
    "MD5": AuthProtocol("md5", 12),
    "SHA": AuthProtocol("sha1", 12),
    "SHA-224": AuthProtocol("sha224", 16),
    "SHA-256": AuthProtocol("sha256", 24),
    "SHA-384": AuthProtocol("sha384", 32),
    "SHA-512": AuthProtocol("sha512", 48),
}
DES = "DES"
AES_KEYS = {"AES": 16, "AES-192": 24, "AES-256": 32, "AES-192-C": 24, "AES-256-C": 32}
PRIV_PROTOCOLS = (*AES_KEYS, DES)

NO_AUTH, AUTH, AUTH_PRIV = 0, 1, 3
"""Security levels as they stand in msgFlags (RFC 3412 section 6.4)."""


class AesKey(Protocol):
    """AES in CFB mode with 128 bits of feedback, for one key. The rim brings it; the core has no cipher."""

    def encrypt(self, vector: bytes, octets: bytes) -> bytes:
        """As many octets as came in; `vector` has 16."""
        ...

    def decrypt(self, vector: bytes, octets: bytes) -> bytes:
        """The way back."""
        ...


class Aes(Protocol):
    """Makes such a key of 16, 24 or 32 octets."""

    def __call__(self, key: bytes) -> AesKey:
        """The key, ready for use."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UsmUser:
    """Who asks. No `auth`: neither authentication nor privacy. ValueError says what is not possible."""

    name: bytes
    auth: str | None = None
    auth_password: bytes = field(default=b"", repr=False)
    priv: str | None = None
    priv_password: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= LONGEST_NAME:
            raise ValueError(f"a user's name has 1 to {LONGEST_NAME} octets, this one {len(self.name)}")
        if self.auth is not None and self.auth not in AUTH_PROTOCOLS:
            raise ValueError(f"no authentication protocol is named {self.auth[:20]!r}")
        if self.priv is not None and self.priv not in PRIV_PROTOCOLS:
            raise ValueError(f"no privacy protocol is named {self.priv[:20]!r}")
        if self.priv is not None and self.auth is None:
            raise ValueError("privacy needs authentication")
        if self.auth is not None and len(self.auth_password) < SHORTEST_PASSWORD:
            raise ValueError(f"an authentication password has at least {SHORTEST_PASSWORD} characters")
        if self.priv is not None and len(self.priv_password) < SHORTEST_PASSWORD:
            raise ValueError(f"a privacy password has at least {SHORTEST_PASSWORD} characters")

    @property
    def level(self) -> int:
        """NO_AUTH, AUTH or AUTH_PRIV."""
        return NO_AUTH if self.auth is None else AUTH if self.priv is None else AUTH_PRIV


@lru_cache(maxsize=64)  # the devices of a network share their users, and AES with longer keys asks again
def password_key(hash_name: str, password: bytes) -> bytes:
    """Ku of RFC 3414 section A.2: the password, repeated to a mebibyte, hashed."""
    whole = password * (_MEBIBYTE // len(password) + 1)
    return hashlib.new(hash_name, whole[:_MEBIBYTE]).digest()


def localised_key(hash_name: str, password: bytes, engine: bytes) -> bytes:
    """Kul of RFC 3414 section 2.6: the key of this password at one engine."""
    key = password_key(hash_name, password)
    return hashlib.new(hash_name, key + engine + key).digest()


def auth_key(user: UsmUser, engine: bytes) -> bytes:
    """The key of the user's HMAC at an engine."""
    return localised_key(_hash(user), user.auth_password, engine)


def aes_key(user: UsmUser, engine: bytes) -> bytes:
    """The key of the user's cipher at an engine, as long as the cipher needs it."""
    hash_name = _hash(user)
    length = AES_KEYS[user.priv or ""]
    key = last = localised_key(hash_name, user.priv_password, engine)
    while len(key) < length:
        if str(user.priv).endswith("-C"):
            last = localised_key(hash_name, last, engine)
            key += last
        else:
            key += hashlib.new(hash_name, key).digest()
    return key[:length]


def _hash(user: UsmUser) -> str:
    return AUTH_PROTOCOLS[user.auth or ""].hash
