"""Who may come in: by the password, or on the machine itself by a link that only its owner has seen.

Whoever came in has a token, which the browser keeps as a cookie. Tokens live in memory, for hours, and end
with the password by which they were given. Who gives a wrong password waits, twice as long each time; so long
nothing from that address is even looked at. Time is given, never asked for.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Callable
from dataclasses import dataclass

LIVES_S = 12 * 3600.0
"""Without being used."""
_MOST_TOKENS, _MOST_ASKERS = 100, 1000
_FIRST_WAIT_S, _LONGEST_WAIT_S, _FORGOTTEN_S = 1.0, 300.0, 3600.0


@dataclass(slots=True)
class _Asker:
    wrong: int = 0
    again_at: float = 0.0


@dataclass(slots=True)
class _Token:
    kept: str
    until: float


class Door:
    """`kept` gives the hash of the password as it is now; empty where there is none, and the link counts."""

    def __init__(self, kept: Callable[[], str]) -> None:
        self._kept = kept
        self.key = secrets.token_urlsafe(24)
        self._tokens: dict[str, _Token] = {}
        self._askers: dict[str, _Asker] = {}

    def kept(self) -> str:
        """The hash that a password has to fit; empty where there is no password."""
        return self._kept()

    def begin(self, asker: str, now: float) -> float:
        """Somebody tries a password: seconds to wait first, or 0. Then nobody else from there may try until
        `refuse` or `admit` is called: many tries at once are no way around waiting."""
        place = _place(asker)
        known = self._askers.pop(place, None) or _Asker()
        self._askers[place] = known
        if known.again_at > now:
            return known.again_at - now
        known.wrong += 1
        known.again_at = now + _LONGEST_WAIT_S
        self._forget(now)
        return 0.0

    def refuse(self, asker: str, now: float) -> None:
        """It was wrong: from now on they wait."""
        known = self._askers.get(_place(asker))
        if known is not None:
            known.again_at = now + min(_FIRST_WAIT_S * 2 ** min(known.wrong - 1, 20), _LONGEST_WAIT_S)

    def admit(self, asker: str, kept: str, now: float) -> str:
        """A token for who gave the password that fits `kept`."""
        self._askers.pop(_place(asker), None)
        return self._token(kept, now)

    def try_key(self, given: str, now: float) -> str:
        """A token for who has the link; nothing where there is a password."""
        if self._kept() or not hmac.compare_digest(given.encode("utf-8", "replace"), self.key.encode()):
            return ""
        return self._token("", now)

    def knows(self, token: str, now: float) -> bool:
        """Whether somebody came in, and not too long ago."""
        found = self._tokens.get(_name(token))
        if found is None or found.until < now or found.kept != self._kept():
            self.leave(token)
            return False
        found.until = now + LIVES_S
        return True

    def leave(self, token: str) -> None:
        """Out again."""
        self._tokens.pop(_name(token), None)

    def _token(self, kept: str, now: float) -> str:
        for name in [name for name, each in self._tokens.items() if each.until < now]:
            del self._tokens[name]
        while len(self._tokens) >= _MOST_TOKENS:
            del self._tokens[next(iter(self._tokens))]
        token = secrets.token_urlsafe(32)
        self._tokens[_name(token)] = _Token(kept, now + LIVES_S)
        return token

    def _forget(self, now: float) -> None:
        for name in [n for n, each in self._askers.items() if each.again_at + _FORGOTTEN_S < now]:
            del self._askers[name]
        while len(self._askers) > _MOST_ASKERS:
            del self._askers[next(iter(self._askers))]


def _name(token: str) -> str:
    """Under which a token is found: its hash, so that looking it up tells nothing of it."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _place(asker: str) -> str:
    """One address of IPv4; of IPv6 the network, for a machine there has as many addresses as it likes."""
    try:
        address = ipaddress.ip_address(asker.partition("%")[0])
    except ValueError:
        return asker
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
