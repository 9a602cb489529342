"""PINs of people on a shared login: what one may be, how it is kept, how fast it may be tried.

A PIN is short, so nobody may try many: after a few wrong ones each further one costs a wait that doubles. It
is kept as a salted scrypt hash (RFC 7914) and is never stored, shown or logged itself. Who gets hold of the
file with the hashes can still try all PINs in hours: the file is for the central's eyes only.
"""

from __future__ import annotations

import binascii
import hmac
from dataclasses import dataclass

from ayni_core import scrypt
from ayni_core.message import Message

SHORTEST, LONGEST = 4, 12
SALT = 16
"""Octets."""
FREE, FIRST_WAIT_S, LONGEST_WAIT_S = 3, 30.0, 3600.0
"""After so many wrong ones people wait; after each further one twice as long."""
_TURNS, _MOST_TURNS = 1, 4
_STEPS = ("0123456789", "9876543210")


def problem(pin: str) -> Message | None:
    """Why this is no good PIN; None: it is."""
    if not (SHORTEST <= len(pin) <= LONGEST and pin.isascii() and pin.isdigit()):
        return Message("pin.digits", {"least": SHORTEST, "most": LONGEST})
    if len(set(pin)) < 3 or any(pin in run for run in _STEPS):
        return Message("pin.easy")
    return None


def kept(pin: str, salt: bytes) -> str:
    """A PIN as it is kept: `scrypt$COST$BLOCK$PARALLEL$SALT$HASH`, the last two in hex."""
    made = scrypt.digest(pin.encode("utf-8"), salt, scrypt.COST, scrypt.BLOCK, _TURNS)
    return f"scrypt${scrypt.COST}${scrypt.BLOCK}${_TURNS}${salt.hex()}${made.hex()}"


def is_kept(text: str) -> bool:
    """Whether this is how a PIN is kept."""
    return _parts(text) is not None


def matches(pin: str, text: str) -> bool:
    """Whether this is the PIN that is kept so; takes as long whether it is or not."""
    parts = _parts(text)
    if parts is None:
        return False
    cost, block, turns, salt, expected = parts
    made = scrypt.digest(pin[: 4 * LONGEST].encode("utf-8"), salt, cost, block, turns)
    return hmac.compare_digest(made, expected)


def _parts(text: str) -> tuple[int, int, int, bytes, bytes] | None:
    words = text.split("$")
    if len(words) != 6 or words[0] != "scrypt":
        return None
    try:
        cost, block, turns = (int(each) for each in words[1:4])
        salt, expected = (binascii.unhexlify(each) for each in words[4:])
    except ValueError:
        return None
    if not scrypt.is_sound(cost, block, turns, salt, expected, most_turns=_MOST_TURNS):
        return None
    return cost, block, turns, salt, expected


@dataclass(slots=True)
class Tries:
    """The wrong PINs in a row for one person on one login. Times are of a clock that nobody can set."""

    wrong: int = 0
    until_s: float = 0.0

    @classmethod
    def resumed(cls, wrong: int, until_s: float | None, now_s: float) -> Tries:
        """As they were kept. `until_s` None: it was told by a clock that began anew since, as it does when a
        machine starts; then the whole wait begins again. None is ever longer than it was at its beginning."""
        longest_s = _wait_after_s(wrong)
        left_s = longest_s if until_s is None else min(until_s - now_s, longest_s)
        return cls(wrong, now_s + left_s)

    def wait_s(self, now_s: float) -> float:
        """Seconds until the next one is looked at."""
        return max(self.until_s - now_s, 0.0)

    def was_wrong(self, now_s: float) -> None:
        """One more."""
        self.wrong += 1
        self.until_s = now_s + _wait_after_s(self.wrong)


def _wait_after_s(wrong: int) -> float:
    over = wrong - FREE
    return min(FIRST_WAIT_S * 2.0 ** min(over, 20), LONGEST_WAIT_S) if over >= 0 else 0.0
