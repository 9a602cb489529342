"""The key that says where on the network a source is."""

from __future__ import annotations

from ayni_core.message import Phrase
from ayni_core.schema import Fields


def host_and_port(fields: Fields, key: str, port: int) -> tuple[str, int]:
    """`10.0.0.1`, `name:3493`, `[fe80::1]:502`; `port` where none is given."""
    text: str = fields.text(key)
    host, given = text.strip(), ""
    if host.startswith("["):
        host, bracket, rest = host[1:].partition("]")
        given = rest.removeprefix(":")
        if not bracket or rest[:1] not in ("", ":"):
            fields.fault(key, "fault.said_expected", given=text, wanted="[ADDRESS], [ADDRESS]:PORT")
    elif host.count(":") == 1:
        host, _, given = host.partition(":")
    if given:
        if not given.isdecimal() or not 1 <= int(given) <= 65535:
            fields.fault(key, "fault.port", given=text)
        else:
            port = int(given)
    if text and (not host or any(sign.isspace() or not sign.isprintable() for sign in host)):
        fields.fault(key, "fault.said_expected", given=text, wanted=Phrase("word.host"))
    return host, port
