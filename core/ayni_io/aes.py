"""AES in CFB mode for SNMPv3. The only file that knows `cryptography`, imported where privacy is used.

To make a cipher object of the library costs several times what the cipher costs for a message, so one pair
does for all messages of a key. CFB (NIST SP 800-38A section 6.3) allows it: what a block is combined with
depends on the ciphertext block before it and on nothing else. So each message is preceded by its vector in
the place of that block and padded to whole blocks, and the octets of both are dropped again.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

try:  # where it has moved since nobody should choose CFB for anything new
    from cryptography.hazmat.decrepit.ciphers.modes import CFB
except ImportError:  # as in version 38, which Debian 12 has
    from cryptography.hazmat.primitives.ciphers.modes import CFB

_BLOCK = 16
_ZEROS = bytes(_BLOCK)


class CryptographyAes:
    """`ayni_core.usm_keys.AesKey` by OpenSSL."""

    __slots__ = ("_decrypt", "_encrypt", "_last")

    def __init__(self, key: bytes) -> None:
        cipher = Cipher(algorithms.AES(key), CFB(_ZEROS))
        self._encrypt = cipher.encryptor().update
        self._decrypt = cipher.decryptor().update
        self._last = _ZEROS  # the last ciphertext block of the encryptor

    def encrypt(self, vector: bytes, octets: bytes) -> bytes:
        """As many octets as came in."""
        stream = self._decrypt(self._last + _ZEROS)[_BLOCK:]
        first = (int.from_bytes(stream, "big") ^ int.from_bytes(vector, "big")).to_bytes(_BLOCK, "big")
        done = self._encrypt(b"%b%b%b" % (first, octets, bytes(-len(octets) % _BLOCK)))
        self._last = done[-_BLOCK:]
        return done[_BLOCK : _BLOCK + len(octets)]

    def decrypt(self, vector: bytes, octets: bytes) -> bytes:
        """The way back."""
        done = self._decrypt(b"%b%b%b" % (vector, octets, bytes(-len(octets) % _BLOCK)))
        return done[_BLOCK : _BLOCK + len(octets)]
