"""Where a web server of ours listens, as configuration says: on this machine, or with a password and TLS.

A page that is meant for all neighbours may do without: then it names their networks, which are private ones,
and answers nobody else. A certificate of our own authority would only teach people to pass over warnings.
"""

from __future__ import annotations

import contextlib
import ipaddress
from dataclasses import dataclass

from ayni_core.address import split_address
from ayni_core.fault import UnfitError
from ayni_core.message import Phrase
from ayni_core.schema import Fields
from ayni_io import secret

_NAMES_OF_HERE = ("localhost", "ip6-localhost")
_NEIGHBOURHOODS = tuple(
    ipaddress.ip_network(each)
    for each in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",  # RFC 1918
        "100.64.0.0/10", "169.254.0.0/16",  # RFC 6598, RFC 3927
        "fc00::/7", "fe80::/10",  # RFC 4193, RFC 4291
    )
)  # fmt: skip
_LOCAL_NAMES = (".local", ".lan", ".internal", ".home.arpa")
"""Endings that nobody can have in the world's DNS (RFC 6762, RFC 8375; .internal: ICANN 2024)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Where a server listens, who may ask, and what hides it on the way. The password is a reference.

    `neighbours` are networks, such as 10.20.0.0/16, from which anybody may ask.
    """

    host: str
    port: int
    user: str | None = None
    password: str | None = None
    cert: str | None = None
    key: str | None = None
    neighbours: tuple[str, ...] = ()


def read_listen(fields: Fields, default: str, *, for_neighbours: bool = False) -> Listen:
    """The keys `listen`, `user`, `password`, `cert` and `key` of a section, and `neighbours` where a page may
    be for them; faults are noted."""
    given = fields.text("listen", default)
    try:
        host, port = split_address(given)
        if not given.endswith(f":{port}"):
            wanted = Phrase("word.such_as", {"form": "HOST:PORT", "example": default})
            raise UnfitError("fault.said_expected", given=given, wanted=wanted)
    except UnfitError as error:
        fields.fault("listen", error.what)
        host, port = "127.0.0.1", 1
    listen = Listen(
        host=host,
        port=port,
        user=fields.text("user", None),
        password=secret.check_reference(fields, "password", "") or None,
        cert=fields.text("cert", None),
        key=fields.text("key", None),
        neighbours=_neighbours(fields) if for_neighbours else (),
    )
    if listen.neighbours:
        if is_here(host):
            fields.fault("neighbours", "fault.listen_own")
        for name in ("user", "password", "cert", "key"):
            if getattr(listen, name):
                fields.fault(name, "fault.with_neighbours")
    elif not is_here(host):
        reason = "fault.page_off_neighbours" if for_neighbours else "fault.page_off"
        for name in ("user", "password", "cert", "key"):
            if not getattr(listen, name):
                fields.fault(name, reason)
    else:
        for one, other in (("user", "password"), ("password", "user"), ("cert", "key"), ("key", "cert")):
            if getattr(listen, one) and not getattr(listen, other):
                fields.fault(other, "fault.belongs", other=one)
    return listen


def is_here(host: str) -> bool:
    """Whether a host is this machine itself."""
    if host.lower() in _NAMES_OF_HERE:
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def is_neighbour(address: str, neighbours: tuple[str, ...]) -> bool:
    """Whether an address is this machine, or lies in one of the networks."""
    try:
        asker = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(asker, ipaddress.IPv6Address) and asker.ipv4_mapped is not None:
        asker = asker.ipv4_mapped
    return asker.is_loopback or any(asker in ipaddress.ip_network(each) for each in neighbours)


def is_local_name(host: str) -> bool:
    """Whether a host is an address, or a name that no web site of the world can have."""
    if is_here(host) or ("." not in host and ":" not in host):
        return True
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host)
        return True
    return host.lower().rstrip(".").endswith(_LOCAL_NAMES)


def _neighbours(fields: Fields) -> tuple[str, ...]:
    found = []
    for each in fields.texts("neighbours"):
        try:
            network = ipaddress.ip_network(each)
        except ValueError:
            wanted = Phrase("word.network_such_as", {"example": "10.20.0.0/16"})
            fields.fault("neighbours", "fault.said_expected", given=each[:40], wanted=wanted)
            continue
        if any(_lies_in(network, wide) for wide in _NEIGHBOURHOODS):
            found.append(each)
        else:
            fields.fault("neighbours", "fault.not_private", given=each, example="10.20.0.0/16")
    return tuple(found)


def _lies_in(
    network: ipaddress.IPv4Network | ipaddress.IPv6Network,
    wide: ipaddress.IPv4Network | ipaddress.IPv6Network,
) -> bool:
    return (
        network.version == wide.version
        and network.network_address in wide
        and network.prefixlen >= wide.prefixlen
    )
