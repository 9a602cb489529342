"""Who asks a device over SNMP, with the secrets that configuration only refers to."""

from __future__ import annotations

from dataclasses import dataclass, field

from ayni_core.fault import Fault
from ayni_core.message import Phrase
from ayni_core.schema import ConfigError
from ayni_core.snmpaccess import Protected
from ayni_core.usm_keys import SHORTEST_PASSWORD, UsmUser
from ayni_io import secret
from ayni_io.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A community, or a user where `version` is "3". Its repr keeps what is secret."""

    version: str
    community: bytes = field(default=b"", repr=False)
    user: UsmUser | None = None

    @property
    def encrypted(self) -> bool:
        """Whether a cipher is needed."""
        return self.user is not None and self.user.priv is not None


def resolve(
    where: str,
    *,
    version: str,
    community: str | None,
    user: str | None,
    auth: Protected | None,
    priv: Protected | None,
) -> Access:
    """Follow the references of one device at `where`. Raises `ConfigError` with all that is wrong."""
    if version != "3":
        found = secret.resolve(community or "", f"{where}.community")
        return Access(version=version, community=found.reveal().encode("utf-8"))
    faults: list[Fault] = []
    passwords: list[tuple[str, Secret] | None] = []
    for key, protected in (("auth", auth), ("priv", priv)):
        passwords.append(None)
        if protected is not None:
            path = f"{where}.{key}.password"
            try:
                password = secret.resolve(protected.password, path)
            except ConfigError as error:
                faults += error.noted
                continue
            faults += [Fault(path, what) for what in too_short(password)]
            passwords[-1] = protected.protocol, password
    if faults:
        raise ConfigError(faults)
    return of_user(user or "", passwords[0], passwords[1])


def too_short(password: Secret) -> list[Phrase]:
    """What is wrong with the length of a password, if anything."""
    if len(password.reveal().encode("utf-8")) >= SHORTEST_PASSWORD:
        return []
    return [Phrase("fault.short_password", {"least": SHORTEST_PASSWORD})]


def of_user(name: str, auth: tuple[str, Secret] | None, priv: tuple[str, Secret] | None) -> Access:
    """A user whose protocols and passwords have been looked at."""
    return Access(
        version="3",
        user=UsmUser(
            name=name.encode("utf-8"),
            auth=auth[0] if auth else None,
            auth_password=auth[1].reveal().encode("utf-8") if auth else b"",
            priv=priv[0] if priv else None,
            priv_password=priv[1].reveal().encode("utf-8") if priv else b"",
        ),
    )
