"""The authority's own work: make itself, sign for a server, vouch for its successor. Nothing is on a disk.

All keys are on P-256: small, quick on a Pi Zero, known to every TLS library. What is signed begins a year
ago, so that a machine whose clock is months behind is served, too; of a clock in 1970 `mqtt_trouble` takes
care. The authority is bound to no names: a hub gets another address sooner or later, and its nodes should not
care (docs/decisions/0022-own-authority.md).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ayni_hub.pki.sealed_key import sealed
from ayni_io import certificates

CA_YEARS, SERVER_YEARS, MOST_SERVER_YEARS = 20, 5, 15
YEAR_S = 365.25 * 86_400
_EARLIER_S = YEAR_S
_SHORTEST_S = 86_400.0
_MOST_NAME = 64
"""Of a common name (RFC 5280, appendix A: ub-common-name)."""
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")


class PkiError(Exception):
    """What cannot be done, and why; for the command line to tell."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate that may sign others, and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def ends(self) -> float:
        """Until when it is good."""
        return seen(self.certificate).ends


def make(title: str, now: float, mark: str, years: float = CA_YEARS) -> Authority:
    """A new one that signs itself. `mark` tells it from others of the same community."""
    key = ec.generate_private_key(ec.SECP256R1())
    year = datetime.fromtimestamp(now, UTC).year
    tail = f" CA {year} {mark}"
    name = _name(" ".join(title.split())[: _MOST_NAME - len(tail)] + tail)
    begins, ends = now - _EARLIER_S, now + years * YEAR_S
    return Authority(_authority(name, name, key.public_key(), key, begins, ends, paths=1), key)


def vouch(old: Authority, new: Authority, now: float) -> x509.Certificate:
    """The new one's key, signed by the old one: who knows only the old one can follow a chain to the new."""
    subject, issuer = new.certificate.subject, old.certificate.subject
    ends = min(old.ends, new.ends)
    return _authority(subject, issuer, new.key.public_key(), old.key, now - _EARLIER_S, ends, paths=0)


def issue(
    authority: Authority, names: Sequence[str], now: float, years: float = SERVER_YEARS
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """A server's certificate for these names and addresses, with a key of its own. It is never good for
    longer than the authority. Raises `PkiError`."""
    ends = min(now + years * YEAR_S, authority.ends)
    if ends - now < _SHORTEST_S:
        raise PkiError("the authority itself ends within a day; begin a roll-over (ayni pki roll-over begin)")
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder(_name(names[0][:_MOST_NAME]), authority.certificate.subject, key.public_key(),
                 authority.key.public_key(), now - _EARLIER_S, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general(each) for each in names]), critical=False)
        .sign(authority.key, hashes.SHA256())
    )  # fmt: skip
    return certificate, key


def server_name(text: str) -> str:
    """A name or an address as certificates have it. Raises `PkiError`."""
    name = text.strip().strip("[]").lower().rstrip(".")
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        pass
    if not _HOST.fullmatch(name) or len(name) > 253 or name.rpartition(".")[2].isdecimal():
        raise PkiError(f'"{text}": expected a name such as hub.lan, or an address such as 10.20.0.2')
    return name


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """The names and addresses that it is for."""
    try:
        value = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(each.value) for each in value if isinstance(each, x509.DNSName | x509.IPAddress))


def title_of(certificate: x509.Certificate) -> str:
    """Its common name."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def signed(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    """Whether one was signed by the key of another."""
    key = by.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or certificate.signature_hash_algorithm is None:
        return False
    try:
        key.verify(
            certificate.signature,
            certificate.tbs_certificate_bytes,
            ec.ECDSA(certificate.signature_hash_algorithm),
        )
    except InvalidSignature:
        return False
    return certificate.issuer == by.subject


def fits(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> bool:
    """Whether they belong together."""
    return _public(certificate.public_key()) == _public(key.public_key())


def seen(certificate: x509.Certificate) -> certificates.Seen:
    """Its fingerprint and its times."""
    return certificates.of_der(certificate.public_bytes(Encoding.DER))


def to_pem(*given: x509.Certificate) -> str:
    """As a file has them."""
    return "".join(each.public_bytes(Encoding.PEM).decode("ascii") for each in given)


def from_pem(text: str) -> list[x509.Certificate]:
    """All of a file. Raises `ValueError`."""
    end = "-----END CERTIFICATE-----"  # version 38 reads only one at a time
    return [x509.load_pem_x509_certificate((each + end).encode()) for each in text.split(end)[:-1]]


def key_to_pem(key: ec.EllipticCurvePrivateKey, passphrase: str | None = None) -> str:
    """As a file has it; under the passphrase, where there is one."""
    if passphrase is None:
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
    return sealed(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), passphrase)


def key_from_pem(text: str, passphrase: str | None = None) -> ec.EllipticCurvePrivateKey:
    """Raises `ValueError`: of a wrong passphrase, too."""
    key = load_pem_private_key(text.encode(), passphrase.encode() if passphrase is not None else None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("not a key on an elliptic curve")
    return key


def _authority(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey, begins: float, ends: float, *, paths: int,
) -> x509.Certificate:  # fmt: skip
    return (
        _builder(subject, issuer, key, signer.public_key(), begins, ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=paths), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(signer, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePublicKey, begins: float, ends: float,
) -> x509.CertificateBuilder:  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_moment(begins))
        .not_valid_after(_moment(ends))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=signs, crl_sign=signs,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(int(at), UTC)


def _public(key: object) -> bytes:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return b""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
