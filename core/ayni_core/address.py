"""Addresses as people write them: a host, and a port where it is not the usual one."""

from __future__ import annotations


def split_address(address: str, usual: int = 161) -> tuple[str, int]:
    """`10.0.0.1`, `name:1161`, `[fe80::1]:161` -> (host, port or the usual one). Raises `ValueError` with a
    reason."""
    host, port = address.strip(), usual
    if host.startswith("["):
        host, bracket, rest = host[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f'"{address}": expected [ADDRESS] or [ADDRESS]:PORT')
        text = rest[1:]
    elif host.count(":") == 1:
        host, _, text = host.partition(":")
    else:
        text = ""
    if text:
        if not text.isdecimal() or not 1 <= int(text) <= 65535:
            raise ValueError(f'"{address}": the port must be 1 to 65535')
        port = int(text)
    labels = host.rstrip(".").split(".")
    if ":" not in host and not all(0 < len(label) < 64 for label in labels):
        raise ValueError(f'"{address}": expected an address or a name, with no empty part in it')
    if not host or any(c.isspace() or not c.isprintable() for c in host):
        raise ValueError(f'"{address}": expected an address or a name')
    return host, port
