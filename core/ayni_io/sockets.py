"""Sockets for datagrams: the one that systemd opened for us, or one of our own.

systemd hands over what a `.socket` unit listens on as descriptors from 3 on, `$LISTEN_FDS` of them, to the
process `$LISTEN_PID` (sd_listen_fds(3)). So a program without privileges gets a port below 1024.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

_FIRST_FD = 3


def inherited(environ: Mapping[str, str] = os.environ) -> list[socket.socket]:
    """The sockets for datagrams over IP that systemd opened, none of them blocking. These are copies: the
    descriptors themselves stay open, and the same are found again."""
    if environ.get("LISTEN_PID", "") != str(os.getpid()) or not environ.get("LISTEN_FDS", "").isdecimal():
        return []
    found = []
    for fd in range(_FIRST_FD, _FIRST_FD + int(environ["LISTEN_FDS"])):
        try:
            one = socket.socket(fileno=os.dup(fd))
        except OSError:
            continue
        if one.type == socket.SOCK_DGRAM and one.family in (socket.AF_INET, socket.AF_INET6):
            one.setblocking(False)
            found.append(one)
        else:
            one.close()
    return found


def bound(host: str, port: int) -> socket.socket:
    """A socket for datagrams of our own, not blocking. Raises `OSError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    one = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        if family == socket.AF_INET6 and host == "::":
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        one.setblocking(False)
        one.bind((host, port))
    except OSError:
        one.close()
        raise
    return one
