"""The machines of a network as `network.yaml` names them: where nodes find the hub, and how a person gets in.

`hub:` says where nodes elsewhere reach the central. `ssh:`, there, at a node, or at a router with OpenWrt,
says how whoever deploys the network reaches that machine. A node with the hub's own `ssh:` lives on its
machine; what has none is looked after by hand.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from ayni_core.address import split_address
from ayni_core.schema import Fields

TLS_PORT = 8883
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_HOST = re.compile(r"[A-Za-z0-9_:%][A-Za-z0-9._:%-]{0,254}")
"""Never a hyphen first: ssh would take it for an option."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """A login by ssh; without `user` that of whoever deploys."""

    host: str
    user: str | None = None
    port: int = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Central:
    """Where the hub is: nodes elsewhere try `address`, then `also`, each `HOST[:PORT]`, over TLS."""

    address: str | None = None
    also: tuple[str, ...] = ()
    ssh: Shell | None = None


def read_central(fields: Fields) -> Central:
    """The section `hub:`."""
    central = Central(address=fields.text("address", None), also=fields.texts("also"), ssh=read_shell(fields))
    for key, given in (("address", (central.address,) if central.address else ()), ("also", central.also)):
        for each in given:
            try:
                host = split_address(each)[0]
                if not _HOST.fullmatch(host):
                    raise ValueError(f'"{each}": expected an address or a name')
                if _is_here(host):
                    raise ValueError(f'"{each}": is each machine itself; expected where others find the hub')
            except ValueError as error:
                fields.fault(key, str(error))
    if central.also and not central.address:
        fields.fault("address", "is missing; expected the first address, before those in also")
    fields.done()
    return central


def read_shell(fields: Fields) -> Shell | None:
    """The key `ssh`: `[USER@]HOST[:PORT]`."""
    text = fields.text("ssh", None)
    if text is None:
        return None
    user, at, address = text.rpartition("@")
    try:
        host, port = split_address(address, usual=22)
    except ValueError as error:
        fields.fault("ssh", str(error))
        return None
    if (at and not _USER.fullmatch(user)) or not _HOST.fullmatch(host):
        fields.fault("ssh", f'"{text}": expected [USER@]HOST[:PORT], such as pi@10.20.0.2')
        return None
    return Shell(host=host, user=user or None, port=port)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".") == "localhost"
