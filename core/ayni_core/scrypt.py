"""What PINs and passwords are kept as: a salted scrypt hash (RFC 7914), and which of them one may read."""

from __future__ import annotations

import hashlib

LENGTH = 32
"""Octets of a hash."""
COST, BLOCK = 2**14, 8
"""16 MB a turn, and some 40 ms on a laptop, a few hundred on a Pi."""
_MOST_COST, _MOST_BLOCK = 2**15, 8
"""32 MB a turn: a Pi has them to spare."""


def digest(secret: bytes, salt: bytes, cost: int, block: int, turns: int) -> bytes:
    """The hash, LENGTH octets; `turns` is the RFC's p."""
    room = 128 * block * (cost + turns + 2) + 2**20
    return hashlib.scrypt(secret, salt=salt, n=cost, r=block, p=turns, maxmem=room, dklen=LENGTH)


def is_sound(cost: int, block: int, turns: int, salt: bytes, made: bytes, *, most_turns: int) -> bool:
    """Whether these numbers are of a hash, and ask for no more time and memory than one may."""
    sizes = 1 < cost <= _MOST_COST and cost & (cost - 1) == 0 and 0 < block <= _MOST_BLOCK
    return sizes and 0 < turns <= most_turns and len(salt) >= 8 and len(made) == LENGTH
