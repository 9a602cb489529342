"""The secrets of a network's walks: made once, easy to read and type, kept for the owner only."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from ayni_hub.adding import Credentials
from ayni_hub.home import Home
from ayni_io import files
from ayni_io.secret import Secret

USER = "ayni"
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Who shall ask the devices of a walk, in each version that this machine can."""

    v3: Credentials | None
    v2c: Credentials
    v1: Credentials

    def all(self) -> Iterator[Credentials]:
        """Those there are, best first."""
        yield from (each for each in (self.v3, self.v2c) if each is not None)

    def of(self, version: str) -> Credentials | None:
        """Those of one version."""
        return {"3": self.v3, "2c": self.v2c, "1": self.v1}[version]


def keys(home: Home) -> Keys:
    """The secrets of this network's walks; made at the first one."""
    folder = home.folder / "secrets"
    folder.mkdir(exist_ok=True, mode=0o700)
    password = _kept(home, "snmp-password", 4)
    community = _kept(home, "snmp-community", 3)
    protected = Secret(password)
    try:
        v3 = Credentials.of_user(USER, ("SHA", protected), ("AES", protected))
    except ModuleNotFoundError:  # no cipher here: communities then
        v3 = None
    return Keys(
        v3=v3,
        v2c=Credentials.community("2c", community),
        v1=Credentials.community("1", community),
    )


def _kept(home: Home, name: str, groups: int) -> str:
    path = home.folder / "secrets" / name
    if not path.is_file():
        words = ("".join(secrets.choice(_ALPHABET) for _letter in range(4)) for _group in range(groups))
        files.write_secret(path, "-".join(words))
    return path.read_text(encoding="utf-8").strip()
