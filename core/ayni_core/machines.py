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
from ayni_core.fault import UnfitError
from ayni_core.message import Phrase
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

    @property
    def places(self) -> tuple[tuple[str, int], ...]:
        """(host, port) of each, in that order; none where nodes elsewhere cannot reach the hub."""
        given = (self.address, *self.also) if self.address is not None else ()
        return tuple(split_address(each, usual=TLS_PORT) for each in given)


def read_central(fields: Fields) -> Central:
    """The section `hub:`."""
    central = Central(address=fields.text("address", None), also=fields.texts("also"), ssh=read_shell(fields))
    for key, given in (("address", (central.address,) if central.address else ()), ("also", central.also)):
        for each in given:
            try:
                host = split_address(each)[0]
                if not _HOST.fullmatch(host):
                    raise UnfitError("fault.said_expected", given=each, wanted=Phrase("word.host"))
                if _is_here(host):
                    raise UnfitError("fault.itself", given=each)
            except UnfitError as error:
                fields.fault(key, error.what)
    if central.also and not central.address:
        fields.fault("address", "fault.missing", wanted=Phrase("word.first_address"))
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
    except UnfitError as error:
        fields.fault("ssh", error.what)
        return None
    if (at and not _USER.fullmatch(user)) or not _HOST.fullmatch(host):
        wanted = Phrase("word.such_as", {"form": "[USER@]HOST[:PORT]", "example": "pi@10.20.0.2"})
        fields.fault("ssh", "fault.said_expected", given=text, wanted=wanted)
        return None
    return Shell(host=host, user=user or None, port=port)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".") == "localhost"
