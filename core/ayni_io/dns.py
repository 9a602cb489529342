"""Addresses of a name: of whatever server this machine asks, or of a named one by dnspython, which only this
file knows."""

from __future__ import annotations

import importlib.util
import socket

from ayni_io.aside import Aside, BusyError
from ayni_io.i18n import _

_FAMILIES = {"A": socket.AF_INET, "AAAA": socket.AF_INET6}
_PORT = 53
_MOST = 32


class DnsError(Exception):
    """There was no answer, or one that says no; the text is a sentence."""


def may_ask_servers() -> bool:
    """Whether dnspython is installed."""
    return importlib.util.find_spec("dns") is not None


async def ask(name: str, family: str, server: str, within_s: float, aside: Aside) -> list[str]:
    """Addresses of `name` (`family`: A or AAAA), sorted; "" as `server` asks as this machine does. Raises
    `DnsError`."""
    if server:
        return await _of_server(name, family, server, within_s)
    try:
        found = await aside.run(lambda: socket.getaddrinfo(name, None, _FAMILIES[family], socket.SOCK_DGRAM))
    except BusyError:
        raise DnsError(_("the name server has not answered since the last time")) from None
    except (OSError, UnicodeError) as error:
        raise DnsError(_("{name}: {cause}", name=name, cause=_why(error))) from None
    return sorted({str(address[0]) for *_kind, address in found})[:_MOST]


async def _of_server(name: str, family: str, server: str, within_s: float) -> list[str]:
    import dns.asyncquery
    import dns.exception
    import dns.message
    import dns.rcode
    import dns.rdatatype

    host, port = _place(server)
    try:
        question = dns.message.make_query(name, family)
        answer, _tcp = await dns.asyncquery.udp_with_fallback(question, host, within_s, port)
    except dns.exception.Timeout:
        raise DnsError(
            _("{server}: no answer within {within} s", server=server, within=f"{within_s:g}")
        ) from None
    except (dns.exception.DNSException, OSError, ValueError, EOFError) as error:
        raise DnsError(_("{server}: {cause}", server=server, cause=_why(error))) from None
    if answer.rcode() != dns.rcode.NOERROR:
        raise DnsError(
            _(
                "{server} says {code} for {name}",
                server=server,
                code=dns.rcode.to_text(answer.rcode()),
                name=name,
            )
        )
    wanted = dns.rdatatype.from_text(family)
    return sorted({str(each) for rows in answer.answer if rows.rdtype == wanted for each in rows})[:_MOST]


def _place(server: str) -> tuple[str, int]:
    """`9.9.9.9`, `9.9.9.9:5353`, `2620:fe::fe` or `[2620:fe::fe]:53`."""
    host, colon, port = server.rpartition(":")
    if colon and port.isdigit() and (host.startswith("[") or ":" not in host):
        return host.strip("[]"), int(port)
    return server.strip("[]"), _PORT


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
