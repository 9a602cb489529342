"""`traps:` of agent.yaml, and of a node in network.yaml: where to listen, and whom to believe.

The devices' own communities and users are believed anyway. References only.
"""

from __future__ import annotations

from dataclasses import dataclass

from ayni_core.message import Phrase
from ayni_core.reference import read_references
from ayni_core.schema import Fields
from ayni_core.snmpaccess import Protected, read_user

LISTEN = "0.0.0.0:162"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrapUser:
    """A user of SNMPv3 whose traps are believed; passwords are references."""

    user: str
    auth: Protected | None
    priv: Protected | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrapsConfig:
    """Where to listen, and further communities (references) and users."""

    host: str
    port: int
    communities: tuple[str, ...] = ()
    users: tuple[TrapUser, ...] = ()


def read_traps(fields: Fields) -> TrapsConfig | None:
    """The section `traps`; None where it does not stand."""
    if "traps" not in fields:
        return None
    below = fields.child("traps")
    host, port = _listen(below)
    communities = read_references(below, "communities")
    found = TrapsConfig(host=host, port=port, communities=communities, users=below.items("users", _user))
    below.done()
    return found


def _listen(fields: Fields) -> tuple[str, int]:
    text: str = fields.text("listen", LISTEN)
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
        wanted = Phrase("word.such_as", {"form": "ADDRESS:PORT", "example": f"{LISTEN}, [::]:162"})
        fields.fault("listen", "fault.said_expected", given=text, wanted=wanted)
        return "0.0.0.0", 162
    return host, int(port)


def _user(fields: Fields) -> TrapUser:
    user, auth, priv = read_user(fields, "3", "pysnmp")
    fields.done()
    return TrapUser(user=user or "", auth=auth, priv=priv)
