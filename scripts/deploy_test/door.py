"""Run at the desk: in which ways a broker lets itself be talked to. `door.py HOST CA` prints JSON."""

from __future__ import annotations

import json
import socket
import ssl
import sys
import warnings

_CONNECT = bytes.fromhex("101000044d5154540402003c000474657374")
"""A CONNECT of MQTT 3.1.1, client "test"."""


def main() -> None:
    """Try them all."""
    warnings.simplefilter("ignore")
    host, ca = sys.argv[1:3]
    print(
        json.dumps(
            {
                "port_1883": _opens(host, 1883),
                "plain_mqtt": _answers(host, 8883),
                "tls": _speaks(host, ssl.create_default_context(cafile=ca)),
                "worlds_authorities": _speaks(host, ssl.create_default_context()),
                "tls_1_1": _speaks(host, _old(ca)),
            }
        )
    )


def _opens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 3).close()
    except OSError:
        return False
    return True


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), 3) as way:
            way.settimeout(5)
            way.sendall(_CONNECT)
            return way.recv(1) == b"\x20"
    except OSError:
        return False


def _speaks(host: str, context: ssl.SSLContext) -> bool:
    try:
        with socket.create_connection((host, 8883), 5) as way:
            context.wrap_socket(way, server_hostname=host).close()
    except OSError:  # ssl.SSLError is one
        return False
    return True


def _old(ca: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


if __name__ == "__main__":
    main()
