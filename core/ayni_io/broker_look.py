"""A first look at a broker that nobody here knows yet: who answers, with TLS or without, which certificate.

Nothing secret is sent. What the certificate says is read by trusting it for one handshake alone, because
Python shows the fields of a certificate only after it was verified; whether to trust it is a person's choice.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ayni_io import certificates, mqtt_trouble
from ayni_io.certificates import Seen
from ayni_io.mqtt_trouble import Trouble

TIMEOUT_S = 10.0
_ANSWERS_WITHIN_S = 5.0
_CONNECT = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x0a\x00\x00"
_CONNACK = b"\x20"


class LookError(Exception):
    """Why there is nothing to be seen; `trouble` tells the cause apart."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.text)
        self.trouble = trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What a broker shows of itself. `begins` and `ends` are seconds since 1970, None where unreadable."""

    pem: str
    fingerprint: str
    """SHA-256 in hexadecimal, in pairs with colons, as `openssl x509 -fingerprint -sha256` writes it."""
    names: tuple[str, ...] = ()
    issuer: str = ""
    begins: float | None = None
    ends: float | None = None
    public: bool = False
    """An authority that this machine trusts anyway vouches for it, under the name that was asked for."""


def public_authorities() -> Path | None:
    """The file with the authorities that this machine trusts anyway."""
    for path in (ssl.get_default_verify_paths().cafile, ssl.get_default_verify_paths().openssl_cafile):
        if path and Path(path).is_file():
            return Path(path)
    return None


def listens(host: str, port: int) -> None:
    """Whether somebody takes a connection there. Raises `LookError`."""
    with _connected(host, port):
        return


def speaks_mqtt(host: str, port: int, *, tls: bool) -> None:
    """Whether a broker is there, before anybody tells it a name or a password. Raises `LookError`.

    One CONNECT of MQTT 3.1.1 that says nothing (OASIS MQTT 3.1.1, 3.1): a broker answers with a CONNACK,
    which mostly refuses us.
    """
    with _connected(host, port, _ANSWERS_WITHIN_S) as plain:
        try:
            with _without_proof().wrap_socket(plain, server_hostname=host) if tls else plain as connection:
                connection.sendall(_CONNECT)
                answer = connection.recv(1)
        except (OSError, ValueError):
            answer = b""
    if answer[:1] != _CONNACK:
        text = f"broker {host}:{port}: no MQTT there"
        raise LookError(Trouble(kind="network", text=text, why="no_mqtt"))


def certificate(host: str, port: int, *, timeout_s: float = TIMEOUT_S) -> Certificate:
    """The certificate that is shown there. Raises `LookError`, also where nobody speaks TLS."""
    der, fields = _shown(host, port, _without_proof(), timeout_s)
    pem = ssl.DER_cert_to_PEM_cert(der)
    with contextlib.suppress(LookError, ValueError), _in_file(pem) as path:
        _der, fields = _shown(host, port, mqtt_trouble.tls_context(path, check_time=False, exact=True))
    return Certificate(
        pem=pem,
        fingerprint=certificates.fingerprint(der),
        names=_names(fields),
        issuer=_who(fields.get("issuer", ())),
        begins=_time(fields.get("notBefore")),
        ends=_time(fields.get("notAfter")),
        public=_is_public(host, port),
    )


def shows(host: str, port: int, *, timeout_s: float = TIMEOUT_S) -> Seen:
    """How long the certificate that is shown there is good, whoever signed it. Raises `LookError`."""
    der, _fields = _shown(host, port, _without_proof(), timeout_s)
    try:
        return certificates.of_der(der)
    except ValueError as error:
        text = f"broker {host}:{port}: {error}"
        raise LookError(Trouble(kind="tls", text=text, why="no_tls")) from None


def proves(host: str, port: int, authority: Path, *, check_time: bool) -> None:
    """Whether an authority's certificate vouches for who is there. Raises `LookError`, and `ValueError` where
    the file is no certificate."""
    _shown(host, port, mqtt_trouble.tls_context(authority, check_time=check_time))


def _is_public(host: str, port: int) -> bool:
    authorities = public_authorities()
    if authorities is None:
        return False
    try:
        proves(host, port, authorities, check_time=True)
    except (LookError, ValueError):
        return False
    return True


def _without_proof() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the certificate is looked at, and nothing is said
    return context


def _shown(
    host: str, port: int, context: ssl.SSLContext, timeout_s: float = TIMEOUT_S
) -> tuple[bytes, dict[str, Any]]:
    """The certificate in DER, and its fields where the context proved it."""
    with _connected(host, port, timeout_s) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=host) as secure:
                return secure.getpeercert(binary_form=True) or b"", dict(secure.getpeercert() or {})
        except (OSError, ValueError) as error:
            raise LookError(mqtt_trouble.of_error(error, f"broker {host}:{port}")) from None


@contextlib.contextmanager
def _connected(host: str, port: int, timeout_s: float = TIMEOUT_S) -> Iterator[socket.socket]:
    try:
        connection = socket.create_connection((host, port), timeout=timeout_s)
    except (OSError, ValueError) as error:
        raise LookError(mqtt_trouble.of_error(error, f"broker {host}:{port}")) from None
    with connection:
        yield connection


@contextlib.contextmanager
def _in_file(pem: str) -> Iterator[Path]:
    with tempfile.NamedTemporaryFile("w", suffix=".pem", encoding="ascii") as file:
        file.write(pem)
        file.flush()
        yield Path(file.name)


def _names(fields: dict[str, Any]) -> tuple[str, ...]:
    """The names that it is for; old certificates have one in their subject only."""
    names = tuple(
        str(value) for kind, value in fields.get("subjectAltName", ()) if kind in ("DNS", "IP Address")
    )
    return names or tuple(filter(None, (_who(fields.get("subject", ())),)))


def _who(subject: Any) -> str:
    """The common name of a subject, or its organisation."""
    found = {key: value for part in subject for key, value in part}
    return str(found.get("commonName") or found.get("organizationName") or "")


def _time(text: str | None) -> float | None:
    try:
        return float(ssl.cert_time_to_seconds(text)) if text else None
    except ValueError:
        return None
