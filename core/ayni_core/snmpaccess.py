"""Who asks a device over SNMP, as configuration says it: a community or a user. References only."""

from __future__ import annotations

from dataclasses import dataclass

from ayni_core.reference import read_reference
from ayni_core.schema import Fields
from ayni_core.usm_keys import AUTH_PROTOCOLS, DES, LONGEST_NAME, PRIV_PROTOCOLS

VERSIONS = ("2c", "1", "3")
"""Of SNMP. The first is the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Protected:
    """How SNMPv3 messages are protected. `password` is a reference, never the secret itself."""

    protocol: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteAccess:
    """Who may change a device over SNMP: as for reading, but never the same secret by accident."""

    version: str
    community: str | None = None
    user: str | None = None
    auth: Protected | None = None
    priv: Protected | None = None


def read_write(fields: Fields, version: str) -> WriteAccess | None:
    """The section `write` of a device whose own `version` is this one; None where nobody may change it."""
    if fields.raw("write") is None:
        return None
    below = fields.child("write")
    version = read_version(below) if "version" in below else version
    community = read_reference(below, "community") if version != "3" else None
    user, auth, priv = read_user(below, version, "pysnmp")  # it does all writing
    below.done()
    return WriteAccess(version=version, community=community, user=user, auth=auth, priv=priv)


def read_version(fields: Fields) -> str:
    """The key `version`."""
    given = fields.raw("version")
    if isinstance(given, int) and str(given) in VERSIONS:
        fields.fault("version", "fault.in_quotes", given=given)
        return str(given)
    version: str = fields.choice("version", VERSIONS, VERSIONS[0])
    return version


def read_user(
    fields: Fields, version: str, engine: str
) -> tuple[str | None, Protected | None, Protected | None]:
    """Who asks in SNMPv3: `user`, `auth`, `priv`. Their faults, and a mixture with v1 and v2c, are noted."""
    if version != "3":
        for key in ("user", "auth", "priv"):
            if fields.raw(key) is not None:
                fields.fault(key, "fault.belongs_to_v3")
        return None, None, None
    if fields.raw("community") is not None:
        fields.fault("community", "fault.belongs_to_v2")
    user = fields.text("user")
    if len(user.encode("utf-8")) > LONGEST_NAME:
        fields.fault("user", "fault.octets", most=LONGEST_NAME)
    auth = _protected(fields, "auth", tuple(AUTH_PROTOCOLS))
    priv = _protected(fields, "priv", PRIV_PROTOCOLS)
    if priv is not None and auth is None:
        fields.fault("priv", "fault.needs", other="auth")
    if priv is not None and priv.protocol == DES and engine != "pysnmp":
        fields.fault("priv.protocol", "fault.des")
    return user, auth, priv


def _protected(fields: Fields, key: str, protocols: tuple[str, ...]) -> Protected | None:
    if fields.raw(key) is None:
        return None
    below = fields.child(key)
    found = Protected(
        protocol=below.choice("protocol", protocols), password=read_reference(below, "password")
    )
    below.done()
    return found
