"""Addresses as people write them: a host, and a port where it is not the usual one."""

from __future__ import annotations

from ayni_core.fault import UnfitError
from ayni_core.message import Phrase


def split_address(address: str, usual: int = 161) -> tuple[str, int]:
    """`10.0.0.1`, `name:1161`, `[fe80::1]:161` -> (host, port or the usual one). Raises `UnfitError`."""
    host, port = address.strip(), usual
    if host.startswith("["):
        host, bracket, rest = host[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise UnfitError("fault.said_expected", given=address, wanted="[ADDRESS], [ADDRESS]:PORT")
        text = rest[1:]
    elif host.count(":") == 1:
        host, _, text = host.partition(":")
    else:
        text = ""
    if text:
        if not text.isdecimal() or not 1 <= int(text) <= 65535:
            raise UnfitError("fault.port", given=address)
        port = int(text)
    labels = host.rstrip(".").split(".")
    if ":" not in host and not all(0 < len(label) < 64 for label in labels):
        raise UnfitError("fault.said_expected", given=address, wanted=Phrase("word.host_no_empty"))
    if not host or any(c.isspace() or not c.isprintable() for c in host):
        raise UnfitError("fault.said_expected", given=address, wanted=Phrase("word.host"))
    return host, port
