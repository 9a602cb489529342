"""Whose traps are believed, with the secrets that configuration only refers to."""

from __future__ import annotations

from dataclasses import dataclass, field

from ayni_core.fault import Fault
from ayni_core.schema import ConfigError
from ayni_core.trapaccess import TrapsConfig
from ayni_io import secret, snmp_access
from ayni_io.snmp_access import Access


@dataclass(frozen=True, slots=True, kw_only=True)
class TrapAccess:
    """Communities and users besides those of the devices. Its repr keeps what is secret."""

    communities: tuple[bytes, ...] = field(default=(), repr=False)
    users: tuple[Access, ...] = ()


def resolve(config: TrapsConfig | None, source: str) -> TrapAccess | None:
    """Follow the references, and look at the files that say what traps mean. Raises `ConfigError` with every
    fault."""
    if config is None:
        return None
    from ayni_io import trap_maps  # nobody else needs what it brings

    faults: list[Fault] = []
    communities: list[bytes] = []
    users: list[Access] = []
    try:
        trap_maps.load()
    except ConfigError as error:
        faults += error.noted
    for index, reference in enumerate(config.communities):
        try:
            found = secret.resolve(reference, f"{source}: traps.communities[{index}]")
            communities.append(found.reveal().encode("utf-8"))
        except ConfigError as error:
            faults += error.noted
    for index, user in enumerate(config.users):
        where = f"{source}: traps.users[{index}]"
        try:
            users.append(
                snmp_access.resolve(
                    where, version="3", community=None, user=user.user, auth=user.auth, priv=user.priv
                )
            )
        except ConfigError as error:
            faults += error.noted
    if faults:
        raise ConfigError(faults)
    return TrapAccess(communities=tuple(communities), users=tuple(users))
