"""Why there is no connection to a broker: told apart, in a sentence, and when it is tried again."""

from __future__ import annotations

import errno
import math
import random
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Kind = Literal["network", "tls", "refused", "lost"]
"""Nobody answers there; somebody who is not who he should be; he does not take us; the connection ended."""

Why = Literal[
    "", "no_name", "no_name_server", "no_route", "no_answer", "nothing_listens", "hung_up", "no_tls",
    "no_mqtt", "other_version", "other_authority", "other_name", "not_yet_valid", "expired", "no_authority",
    "password", "client_name", "banned",
]  # fmt: skip
"""The same, finer, for whoever tells a person what to do; empty where there is nothing but the text."""

_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME (openssl/x509_vfy.h), which Python does not name: chain and name still count."""
_CERTIFICATE: dict[int, tuple[Why, str]] = {
    9: ("not_yet_valid", "it is not valid yet, if the clock is right here"),
    10: ("expired", "it has expired, if the clock is right here"),
    **dict.fromkeys((7, 18, 19, 20, 21), ("other_authority", "another authority signed it")),
    62: ("other_name", "it is for another name"),
    64: ("other_name", "it is for another address"),
}
"""By X509_V_ERR_… (openssl/x509_vfy.h)."""
BAD_PASSWORD, NOT_AUTHORIZED = 0x86, 0x87  # MQTT 5, 3.2.2.2; paho gives 3.1.1's 4 and 5 as these
_REFUSED: dict[int, tuple[Why, str]] = {
    BAD_PASSWORD: ("password", "wrong user name or password"),
    NOT_AUTHORIZED: ("password", "wrong user name or password"),
    0x85: ("client_name", "it does not take this client's name"),
    0x8A: ("banned", "this client is banned"),
}
_UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN)
_OTHER_VERSION = 0x84
_PAUSES_S: dict[Kind, tuple[float, float]] = {
    "network": (0.5, 30.0),
    "lost": (0.5, 30.0),
    "tls": (5.0, 300.0),
    "refused": (15.0, 600.0),
}
"""The first and the longest pause; it doubles in between. A handshake costs kilobytes, so what people have to
mend is not tried often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why there is no connection."""

    kind: Kind
    text: str
    why: Why = field(default="", compare=False)

    def __str__(self) -> str:
        return self.text


@dataclass(slots=True)
class Address:
    """One address of the broker, when it is tried again, and why not now."""

    host: str
    port: int
    due_s: float = 0.0
    pause_s: float = 0.0
    trouble: Trouble | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def failed(self, trouble: Trouble, now_s: float, longest_s: float = math.inf) -> None:
        """Not so soon again; longer where people have to mend something. `longest_s` bounds the pause where
        nobody has to."""
        least_s, most_s = _PAUSES_S[trouble.kind]
        if trouble.kind in ("network", "lost"):
            most_s = min(most_s, longest_s)
        self.trouble = trouble
        self.pause_s = min(max(self.pause_s * 2, least_s), most_s)
        self.due_s = now_s + self.pause_s * random.uniform(0.8, 1.2)  # noqa: S311


def of_error(error: Exception, where: str) -> Trouble:
    """Connecting failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why, said = _CERTIFICATE.get(error.verify_code, ("", error.verify_message))
        text = f"{where}: its certificate is not the expected one: {said}"
        return Trouble(kind="tls", text=text, why=why)
    if isinstance(error, ConnectionResetError | ssl.SSLEOFError):  # plain MQTT there, or a restart
        return Trouble(kind="network", text=f"{where}: it hung up on us before TLS was agreed", why="hung_up")
    if isinstance(error, ssl.SSLError):
        said = _lower(error.reason or str(error))
        return Trouble(kind="tls", text=f"{where}: no TLS there: {said}", why="no_tls")
    if isinstance(error, TimeoutError):
        return Trouble(kind="network", text=f"{where}: no answer", why="no_answer")
    if isinstance(error, ConnectionRefusedError):
        return Trouble(kind="network", text=f"{where}: nothing listens there", why="nothing_listens")
    said = _lower(getattr(error, "strerror", None) or str(error))
    return Trouble(kind="network", text=f"{where}: {said}", why=_why(error))


def _why(error: Exception) -> Why:
    if isinstance(error, socket.gaierror):
        return "no_name_server" if error.errno == socket.EAI_AGAIN else "no_name"
    if isinstance(error, OSError) and error.errno in _UNREACHABLE:
        return "no_route"
    return ""


def of_refusal(code: int, words: str, where: str) -> Trouble:
    """The broker answered CONNECT with a reason code of MQTT 5."""
    if code in _REFUSED:
        why, said = _REFUSED[code]
        return Trouble(kind="refused", text=f"{where}: refused us: {said}", why=why)
    why = "other_version" if code == _OTHER_VERSION else ""
    return Trouble(kind="network", text=f"{where}: refused us: {words.lower()}", why=why)


def tls_context(authority: Path, *, check_time: bool, exact: bool = False) -> ssl.SSLContext:
    """Who is on the other side is proved by this authority; without `check_time` whatever the date is. With
    `exact` it is the other side's own certificate, and the names in it do not count.

    A Pi without a clock battery believes in 1970, where no certificate is valid yet. Raises `ValueError`
    where the authority's certificate cannot be read.
    """
    if not authority.is_file():
        raise ValueError(f"{authority}: no such file")
    try:
        context = ssl.create_default_context(cafile=str(authority))
    except (ssl.SSLError, OSError) as error:
        raise ValueError(f"{authority}: not the certificate of an authority: {error}") from None
    # who trusts a certificate by name trusts it also where another one signed it
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = not exact
    if not check_time:
        context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    return context


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
